"""The statutory clock of a complaint.

银行业保险业消费投诉处理管理办法 (CBIRC Order [2020] No. 3, in force since 2020-03-01), the article on time limits (Art. 24):
decide and tell the complainant within 15 days of receipt; where matters are complex, the time may be extended to 30 days;
where they are especially complex, or for other special reasons, once the superior institution or a senior manager of the
head office has approved it and the complainant has been told, by another 30 days. So 15, 30 and 60 days from receipt at the
most. The rule counts days (日), not working days (工作日): weekends count. What is not covered: days spent on an appraisal
by an outside body, which the rule lets out of the count, and new facts, from which it runs anew: open a new complaint.
Pure; knows nothing about the store.
"""

from datetime import date, timedelta

LIMITS = (15, 30, 60)
"""Days from receipt: at first, once extended, twice extended."""
WARN_DAYS = 3


def due_on(received_on: date, extensions: int) -> date:
    """The last day for the decision: receipt on the 1st with 15 days is due on the 16th (the day of receipt is not counted)."""
    return received_on + timedelta(days=LIMITS[extensions])


def may_extend(extensions: int) -> bool:
    """Whether one more extension is left."""
    return extensions + 1 < len(LIMITS)


def needs_approval(extensions: int) -> bool:
    """Whether the next extension needs the word of somebody higher, and notice to the complainant."""
    return extensions == 1
