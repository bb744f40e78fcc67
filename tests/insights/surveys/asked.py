"""A survey with every kind of question, and answers to it."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from openteller.core.records import LocalText
from openteller.insights.surveys.records import Answer, Group, Kind, Option, Question, Survey, Value

NAMESPACE = UUID("5f6a1f0e-2f3c-4c56-9f0e-0d6c6f2f9a01")


def say(zh: str, en: str) -> LocalText:
    return LocalText(zh=zh, en=en)


SURVEY = Survey(
    name="service",
    title=say("网点服务满意度", "Service at the branch"),
    questions=(
        Question(id="recommend", kind=Kind.NPS, text=say("您愿意推荐我们吗", "Would you recommend us"), required=True),
        Question(id="branch_ok", kind=Kind.CSAT, text=say("您对网点满意吗", "How satisfied are you with the branch")),
        Question(id="easy", kind=Kind.CES, text=say("办理是否轻松", "How easy was it")),
        Question(id="price", kind=Kind.SCALE, text=say("收费是否合理", "Are our fees fair"), low=1, high=5),
        Question(
            id="reason",
            kind=Kind.CHOICES,
            text=say("来访原因", "Why did you come"),
            options=(
                Option(id="open", text=say("开户", "open an account")),
                Option(id="loan", text=say("贷款", "a loan")),
                Option(id="other", text=say("其他", "something else")),
            ),
        ),
        Question(id="words", kind=Kind.TEXT, text=say("您还想说什么", "What else would you like to say")),
    ),
    groups=(Group(id="branch", text=say("网点", "branch")),),
    hand_off_at=3,
    after_conversation=True,
)


def answer(number: int = 0, at: datetime | None = None, contact: bool = False, **values: Value) -> Answer:
    groups = {"branch": str(values.pop("branch"))} if "branch" in values else {}
    return Answer(
        id=uuid5(NAMESPACE, str(number)),
        survey=SURVEY.name,
        version=1,
        key=str(number),
        channel="import",
        language="zh",
        answered_at=at or datetime(2026, 5, 1, tzinfo=UTC),
        contact=contact,
        groups=groups,
        values=values,
    )
