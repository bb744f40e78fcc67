"""Which turns are worth a look: badly rated ones, those whose intent was a guess, those that got no answer.

What is not covered: a turn that was answered wrongly, surely and without a rating is not in the queue.
"""

from openteller.core.records import Outcome
from openteller.feedback.records import QueuedTurn

RATED_AT_MOST = 2  #: of 5
INTENT_BELOW = 0.5  #: calibrated probability: the intent was more likely wrong than right
UNANSWERED = (Outcome.CLARIFY, Outcome.REFUSED)


def with_reasons(turn: QueuedTurn) -> QueuedTurn:
    """The turn with why it is in the queue, for a person."""
    found = []
    if turn.rating is not None and turn.rating <= RATED_AT_MOST:
        found.append(f"rated {turn.rating} of 5")
    if turn.intent.probability < INTENT_BELOW:
        found.append(f"intent {turn.intent.label} with probability {turn.intent.probability:.2f}")
    if turn.outcome in UNANSWERED:
        found.append(f"outcome {turn.outcome}")
    return turn.model_copy(update={"reasons": tuple(found)})
