"""The bodies of requests and answers, where they are not records of the road themselves.

Text is normalised here, at the door. Knows nothing about routes.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from openteller.assistant.hand_offs.records import Conversation, LedBy
from openteller.core.records import (
    MAX_INQUIRY_CHARACTERS,
    Answer,
    Audience,
    Inquiry,
    Language,
    LocalText,
    Offer,
    Record,
    Reply,
    Role,
    Transcript,
    Turn,
    Understanding,
)
from openteller.core.text import normalise
from openteller.customers.assessment.questionnaire import Questionnaire
from openteller.customers.profile.consents import ConsentState
from openteller.customers.profile.records import Tag, TagWord, Wording
from openteller.feedback.desk import MAX_NOTE_CHARACTERS
from openteller.feedback.records import Correction, Head, QueuedTurn
from openteller.insights.alerts.records import Alert, Delivery
from openteller.insights.trends.records import MoodTrend, NeedShare
from openteller.knowledge.records import Document, Hit
from openteller.products.grade_desk import MAX_BECAUSE_CHARACTERS
from openteller.products.grades import GradedBy
from openteller.products.records import Product, RiskGrade
from openteller.products.suitability import Reason, Suitability, Verdict
from openteller.recommendation.notices.records import Channel, RegradeNotice
from openteller.serving.errors import TOO_LARGE
from openteller.understanding.explaining import MAX_EXPLAINED_CHARACTERS
from openteller.understanding.personal_data import drop_secrets

_LANGUAGES = {
    "zh": Language.ZH_HANS,
    "zh-cn": Language.ZH_HANS,
    "zh-sg": Language.ZH_HANS,
    "zh-hans": Language.ZH_HANS,
    "zh-tw": Language.ZH_HANT,
    "zh-hk": Language.ZH_HANT,
    "zh-mo": Language.ZH_HANT,
    "zh-hant": Language.ZH_HANT,
    "en": Language.EN,
    "en-gb": Language.EN,
    "en-us": Language.EN,
    "mixed": Language.MIXED,
}


def _clean(value: Any) -> Any:
    return normalise(value) if isinstance(value, str) else value


def _inquiry_text(value: Any) -> Any:
    text = _clean(value)
    if isinstance(text, str) and len(text) > MAX_INQUIRY_CHARACTERS:
        message = f"The text is over {MAX_INQUIRY_CHARACTERS:,} characters."
        raise PydanticCustomError(TOO_LARGE, "{message}", {"message": message})
    return text


def _language(value: Any) -> Any:
    return _LANGUAGES.get(value.strip().lower(), value) if isinstance(value, str) else value


Clean = Annotated[str, BeforeValidator(_clean)]
DeclaredLanguage = Annotated[Language, BeforeValidator(_language)]
Label = Annotated[Clean, StringConstraints(min_length=1, max_length=100)]
CustomerId = Annotated[Clean, StringConstraints(min_length=1, max_length=64)]
InquiryText = Annotated[
    str,
    BeforeValidator(_inquiry_text),
    Field(min_length=1, json_schema_extra={"maxLength": MAX_INQUIRY_CHARACTERS}),
]


class InquiryBody(Record):
    """A question."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "一年期定期存款利率是多少？"},
                {"text": "What is my balance?", "language": "en", "customer_id": "C000001"},
            ]
        }
    )

    text: InquiryText
    language: DeclaredLanguage | None = Field(
        None, description="zh-Hans, zh-Hant, en or mixed; zh, zh-CN, zh-TW, en-GB … are understood; None: detect"
    )
    customer_id: CustomerId | None = Field(None, description="your own; for staff, the customer they serve")
    conversation_id: UUID | None = Field(None, description="continues a conversation; None: begins one")
    channel: Literal["api", "widget", "cli"] = "api"

    def inquiry(self) -> Inquiry:
        """The first record of the road, with passwords, CVV and one-time codes dropped."""
        given = {"conversation_id": self.conversation_id} if self.conversation_id else {}
        text = drop_secrets(self.text)[:MAX_INQUIRY_CHARACTERS]
        return Inquiry(text=text, language=self.language, channel=self.channel, **given)


class TurnAnswer(Record):
    """A whole turn: what was asked, what was understood, the answer with its sources, and offers."""

    trace_id: UUID
    conversation_id: UUID
    inquiry: Inquiry
    understanding: Understanding
    answer: Answer
    offers: tuple[Offer, ...]
    reply: Reply

    @classmethod
    def of(cls, turn: Turn) -> Self:
        """The turn as it stands on the wire."""
        inquiry = turn.inquiry
        parts = {name: getattr(turn, name) for name in Turn.model_fields}
        return cls(trace_id=inquiry.trace_id, conversation_id=inquiry.conversation_id, **parts)


class StoredTurn(TurnAnswer):
    """A whole turn as it was stored."""

    seconds: dict[str, float] = Field(
        default_factory=dict,
        description="of a turn in a call: vad, hear, turn and first_audio from the last sound on; partial, understand, answer, speak",
    )


class WrittenByStaff(Record):
    """What a member of staff wrote to the customer. `author` says that it was a person; who, is the bank's to know."""

    id: int
    author: Literal["staff"] = "staff"
    text: str
    at: datetime


class ConversationNews(Record):
    """Who answers in a conversation now, and what staff wrote in it. `standing`: assistant, waiting or person."""

    standing: LedBy
    messages: tuple[WrittenByStaff, ...]


class WaitingConversations(Record):
    """Conversations that wait for a person, the longest first, then those that a person leads."""

    conversations: tuple[Conversation, ...]


class MessageBody(Record):
    """What a member of staff writes to the customer."""

    text: Clean


class SpokenTurnAnswer(TurnAnswer):
    """A whole turn that began with a recording, and what was heard in it."""

    transcript: Transcript

    @classmethod
    def heard(cls, turn: Turn, transcript: Transcript) -> Self:
        """The turn and its transcript as they stand on the wire."""
        return cls(**dict(TurnAnswer.of(turn)), transcript=transcript)


class ExplanationBody(Record):
    """A text whose understanding is to be explained."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "卡被吞了，你们的机器太差了", "head": "sentiment"},
                {"text": "My card was swallowed", "head": "intent", "label": "card_atm_trouble"},
            ]
        }
    )

    text: InquiryText = Field(
        description=f"at most {MAX_EXPLAINED_CHARACTERS} characters; passwords and codes are dropped from it",
        json_schema_extra={"maxLength": MAX_EXPLAINED_CHARACTERS},
    )
    head: Literal["intent", "sentiment"] = "intent"
    label: Label | None = Field(None, description="None: the one that is understood")


class SatisfactionBody(Record):
    """A rating of an answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"rating": 5, "comment": "说得很清楚"}]})

    rating: int = Field(ge=1, le=5, strict=True, description="1 (bad) to 5 (good)")
    comment: Annotated[Clean, StringConstraints(max_length=2_000)] = ""


class OfferBody(Record):
    """What the customer did with an offer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"action": "dismissed"}]})

    action: Literal["opened", "dismissed"]


class CorrectionBody(Record):
    """What labels a turn, or a text of no turn, should have had under one head."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "trace_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
                    "head": "intent",
                    "labels": ["card_atm_trouble"],
                },
                {"text": "卡被吞了，急死我了", "head": "sentiment", "labels": ["negative"]},
                {"text": "hello", "head": "needs", "labels": ["-"]},
            ]
        }
    )

    trace_id: UUID | None = Field(None, description="the turn; its text is taken as it was stored")
    text: InquiryText | None = Field(
        None, description="a text of no turn; secrets are dropped, personal data is masked"
    )
    head: Head
    labels: tuple[Label, ...] = Field(
        max_length=50, description='one; of needs one or more, or "-" for none. GET /v1/feedback/labels lists them'
    )


class ReviewBody(Record):
    """A second person's decision on a correction."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"decision": "accepted"},
                {"decision": "rejected", "note": "asks about the fee, not the limit"},
            ]
        }
    )

    decision: Literal["accepted", "rejected"]
    note: Annotated[Clean, StringConstraints(max_length=MAX_NOTE_CHARACTERS)] = ""


class CorrectionList(Record):
    """Corrections, the newest first."""

    corrections: tuple[Correction, ...]


class LabelQueue(Record):
    """Turns worth a look, the newest first."""

    turns: tuple[QueuedTurn, ...]


class AlertList(Record):
    """Alerts, the newest first."""

    alerts: tuple[Alert, ...]


class DeliveryList(Record):
    """Alerts on their way out of the console, the newest first."""

    deliveries: tuple[Delivery, ...]


class TopicTrends(Record):
    """The mood of each topic, the worst first."""

    topics: tuple[MoodTrend, ...]


class NeedTrends(Record):
    """How many conversations named each need, by period."""

    needs: tuple[NeedShare, ...]


class KnownLabels(Record):
    """Head → the labels that a correction may name."""

    labels: dict[Head, tuple[str, ...]]


class StanceBody(Record):
    """What a customer says of a tag."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"stance": "not_me"}]})

    stance: Literal["mine", "not_me"]


class ConsentBody(Record):
    """Whether the customer agrees."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"granted": False}]})

    granted: bool


class ConsentList(Record):
    """A customer's switches."""

    consents: tuple[ConsentState, ...]


class TagList(Record):
    """What stands about the customer, what they said, and every tag that can be added."""

    tags: tuple[Tag, ...]
    words: tuple[TagWord, ...]
    known: dict[str, Wording]


class LoginBody(Record):
    """A user name and its password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "agent.li", "password": "a long passphrase"}]}
    )

    username: Annotated[Clean, StringConstraints(min_length=1, max_length=64)]
    password: str = Field(min_length=1, max_length=1_024, repr=False)


class TokenAnswer(Record):
    """A bearer token, for the header ``Authorization: Bearer …``."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = Field(description="seconds")
    role: Role
    customer_id: str | None


class Me(Record):
    """Who the caller is."""

    subject: str
    role: Role
    customer_id: str | None


class DemoLogin(Record):
    """A login of the demo bank."""

    username: str
    password: str
    role: Role
    customer_id: str | None


class DemoLogins(Record):
    """The logins of the demo bank."""

    logins: tuple[DemoLogin, ...]


class DocumentSummary(Record):
    """A document in a list; `passage` and `score` when it was searched for."""

    document_id: str
    title: str
    language: str
    category: str
    audience: Audience
    valid_from: date | None
    valid_to: date | None
    passage: str | None = None
    score: float | None = Field(None, description="0 to 1; comparable within one search only")

    @classmethod
    def of(cls, document: Document, hit: Hit | None = None) -> Self:
        """The document, and where it matched."""
        names = ("document_id", "title", "language", "category", "audience", "valid_from", "valid_to")
        found = {"passage": hit.passage, "score": hit.fused} if hit else {}
        return cls(**{name: getattr(document, name) for name in names}, **found)


class DocumentList(Record):
    """Documents, the best match first or by id; `total` counts those before `limit`."""

    documents: tuple[DocumentSummary, ...]
    total: int


class Stored(Record):
    """What storing documents did."""

    stored: int = Field(description="documents new or changed; 0 when they were stored just so")


class OfferList(Record):
    """Offers, best first."""

    offers: tuple[Offer, ...]


class ProductList(Record):
    """The products on sale today."""

    products: tuple[Product, ...]


class AskedOption(Record):
    """One answer to choose."""

    id: str
    text: LocalText


class AskedQuestion(Record):
    """One question with its options."""

    id: str
    area: str
    text: LocalText
    options: tuple[AskedOption, ...]


class AskedQuestionnaire(Record):
    """The investor questionnaire as it is asked."""

    version: str
    questions: tuple[AskedQuestion, ...]

    @classmethod
    def of(cls, asked: Questionnaire) -> Self:
        """The questionnaire without what makes the score."""
        questions = (
            AskedQuestion(
                id=question.id,
                area=question.area,
                text=question.text,
                options=tuple(AskedOption(id=option.id, text=option.text) for option in question.options),
            )
            for question in asked.questions
        )
        return cls(version=asked.version, questions=tuple(questions))


class CustomerBody(Record):
    """On whose behalf."""

    customer_id: CustomerId | None = Field(None, description="your own; for staff, the customer they serve")


class QuestionnaireBody(CustomerBody):
    """A filled-in questionnaire."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"answers": {"source": "wages", "income": "under_150k", "loss": "some"}, "agreed": ["soon_and_bold"]}
            ]
        }
    )

    answers: dict[Label, Label] = Field(
        max_length=100, description="question id → option id, for every question of GET /v1/investor/questionnaire"
    )
    agreed: tuple[Label, ...] = Field((), max_length=50, description="codes of contradictions that are meant")


class SuitabilityAnswer(Record):
    """Whether a product suits a customer, with the reasons and the rules they rest on."""

    outcome: Verdict
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, verdict: Suitability) -> Self:
        """The verdict as it stands on the wire."""
        return cls(outcome=verdict.outcome, reasons=verdict.reasons)


class NoticeBody(Record):
    """How holders are told."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"channel": "sms"}]})

    channel: Channel = Field(Channel.INBOX, description="besides the customer's own page")
    on: date | None = Field(None, description="the day whose grade counts; none: today")


class NoticeList(Record):
    """Notices, the newest first."""

    notices: tuple[RegradeNotice, ...]


class GradeBody(Record):
    """A risk grade of a product."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"graded_by": "bank", "grade": "R4", "because": "指数波动一季度内明显上升", "from_on": "2026-12-01"}
            ]
        }
    )

    graded_by: GradedBy = GradedBy.BANK
    grade: RiskGrade
    from_on: date | None = Field(None, description="first day on which it holds; none: today")
    because: Annotated[Clean, StringConstraints(min_length=1, max_length=MAX_BECAUSE_CHARACTERS)]


class Health(Record):
    """Whether the server can work."""

    model_config = ConfigDict(extra="allow", frozen=True)

    status: str = Field(description="ok, or what is wrong", examples=["ok"])
    database: Any = None
    model: Any = None
    version: str
