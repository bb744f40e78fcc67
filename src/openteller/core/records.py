"""The records of the road: what each stop takes and returns. Frozen; one trace id from inquiry to satisfaction.

    Inquiry ─▶ Transcript ─▶ Understanding ─▶ Answer ─▶ Offers ─▶ Reply ─▶ Satisfaction

Probabilities are calibrated and in 0–1; character offsets count code points of the normalised inquiry text.
Knows nothing about how a record is made or stored.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from openteller.core.clock import utc_now

MAX_INQUIRY_CHARACTERS = 4_000
ADULT_AGE = 18
"""From here on somebody has full legal capacity."""
SENIOR_AGE = 65
"""From here on somebody is given special care with what may lose money."""


class Record(BaseModel):
    """Base of every record: frozen, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LocalText(Record):
    """One text in Chinese and English."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        """The text in `language` (any BCP 47 tag; English for ``en…``, Chinese for all else)."""
        return self.en if language.startswith("en") else self.zh


class InvestorClass(StrEnum):
    """Investor class, C1 (conservative) to C5 (aggressive)."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"

    @property
    def number(self) -> int:
        """1 to 5."""
        return int(self.value[1])


class Language(StrEnum):
    """Language and script of a text (BCP 47 tags, and `mixed` for Chinese with English words that matter)."""

    ZH_HANS = "zh-Hans"
    ZH_HANT = "zh-Hant"
    EN = "en"
    MIXED = "mixed"

    @property
    def spoken(self) -> str:
        """The language to reply in: ``zh`` or ``en``."""
        return "en" if self is Language.EN else "zh"


class Role(StrEnum):
    """Who somebody is to the bank."""

    VISITOR = "visitor"
    CUSTOMER = "customer"
    AGENT = "agent"
    ANALYST = "analyst"
    ADMIN = "admin"
    SERVICE = "service"

    @property
    def is_staff(self) -> bool:
        """Whether the role belongs to the bank rather than to a customer."""
        return self in (Role.AGENT, Role.ANALYST, Role.ADMIN, Role.SERVICE)


class Audience(StrEnum):
    """Who may read a document."""

    PUBLIC = "public"
    CUSTOMER = "customer"
    STAFF = "staff"


class Principal(Record):
    """On whose behalf something is done. Row-level security in the store reads just this."""

    subject: str = Field(description="customer id, user name, or visitor:<random> of one browser")
    role: Role
    customer_id: str | None = Field(None, description="whose data may be read; None for visitors")

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """The document labels this principal may read."""
        if self.role.is_staff:
            return (Audience.PUBLIC, Audience.CUSTOMER, Audience.STAFF)
        return (Audience.PUBLIC, Audience.CUSTOMER) if self.role is Role.CUSTOMER else (Audience.PUBLIC,)


def visitor(name: str) -> Principal:
    """Somebody who is not logged in; `name` tells one browser or terminal from another, empty when it has none."""
    return Principal(subject=f"visitor:{name}", role=Role.VISITOR)


class Inquiry(Record):
    """What was asked. `text` is normalised, with secrets already dropped."""

    trace_id: UUID = Field(default_factory=uuid4)
    conversation_id: UUID = Field(default_factory=uuid4)
    text: str = Field(min_length=1, max_length=MAX_INQUIRY_CHARACTERS)
    language: Language | None = Field(None, description="as declared by the caller; None: detect")
    channel: str = Field("api", description="api, widget, cli or voice")
    at: datetime = Field(default_factory=utc_now)


class Transcript(Record):
    """What a recogniser heard (voice only)."""

    text: str
    probability: float = Field(ge=0, le=1)
    seconds: float = Field(ge=0, description="length of the audio")
    language: str = Field(description="zh or en")


class Scored(Record):
    """A label with its calibrated probability."""

    label: str
    probability: float = Field(ge=0, le=1)


class Sentiment(Scored):
    """negative, neutral or positive; `score` runs from -1 (bad) to 1 (good)."""

    score: float = Field(ge=-1, le=1)


class IntentPrediction(Scored):
    """The intent, and the next best ones."""

    alternatives: tuple[Scored, ...] = ()


class Entity(Record):
    """Something named in the text, with its normalised value.

    `value` by type: amount → decimal string (with `currency`), date → ISO date, term → months as integer string,
    product → product id, card/account → tail digits or empty, person → the name.
    """

    type: str
    text: str
    start: int
    end: int
    value: str = ""
    currency: str = ""
    probability: float = Field(ge=0, le=1)


class PersonalDatum(Record):
    """A span of personal data. The datum itself is never in the record: only its kind, place and mask."""

    type: str
    start: int
    end: int
    masked: str
    probability: float = Field(ge=0, le=1)


class Understanding(Record):
    """What the inquiry means."""

    language: Scored
    intent: IntentPrediction
    sentiment: Sentiment
    needs: tuple[Scored, ...]
    entities: tuple[Entity, ...]
    personal_data: tuple[PersonalDatum, ...]
    risk_flags: tuple[Scored, ...]


class Outcome(StrEnum):
    """How the answer came out."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    REFUSED = "refused"
    HANDED_OFF = "handed_off"


class Citation(Record):
    """Where an answer comes from; taken from the retrieval side."""

    document_id: str
    title: str
    passage: str
    score: float = Field(ge=0, le=1, description="calibrated probability that the passage answers the inquiry")


class Answer(Record):
    """What the bank says to it. `confidence` is the calibrated probability that the answer is right."""

    text: str
    outcome: Outcome
    confidence: float = Field(ge=0, le=1)
    citations: tuple[Citation, ...] = ()
    skill: str | None = Field(None, description="the skill that computed the answer, if one did")
    suggestions: tuple[str, ...] = Field((), description="questions to choose from when the outcome is clarify")
    generated: bool = Field(False, description="worded by a language model rather than the approved text")


class Offer(Record):
    """A product that fits, with the reason in the customer's language."""

    product_id: str
    name: str
    reason: str
    score: float = Field(ge=0, le=1)


class Reply(Record):
    """What the customer receives."""

    text: str


class Satisfaction(Record):
    """What the customer thought of it."""

    trace_id: UUID
    rating: int = Field(ge=1, le=5)
    comment: str = Field("", max_length=2_000)
    at: datetime = Field(default_factory=utc_now)


class Turn(Record):
    """One walk down the road, as stored."""

    inquiry: Inquiry
    understanding: Understanding
    answer: Answer
    offers: tuple[Offer, ...] = ()
    reply: Reply
