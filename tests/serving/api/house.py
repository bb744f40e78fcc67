"""A small installation for tests of the HTTP face: the real store, library, accounts and turns; a scripted dialogue."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

import openteller.demo
from openteller import __version__
from openteller.assembly import auditor
from openteller.assistant.answering import Shelf
from openteller.assistant.hand_offs.desk import HandOffDesk
from openteller.assistant.offer_desk import BankingOfferDesk
from openteller.core.errors import NotFound, OpenTellerError
from openteller.core.records import (
    Answer,
    Citation,
    Inquiry,
    IntentPrediction,
    Offer,
    Outcome,
    Principal,
    Reply,
    Role,
    Satisfaction,
    Scored,
    Sentiment,
    Turn,
    Understanding,
)
from openteller.customers.assessment.desk import AssessmentDesk
from openteller.customers.profile.desk import ProfileDesk
from openteller.customers.store_banking import StoreCoreBanking
from openteller.feedback.desk import LabelDesk
from openteller.identity.accounts import Accounts
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.complaints.desk import ComplaintDesk
from openteller.insights.opinion.desk import OpinionDesk
from openteller.insights.surveys.desk import SurveyDesk
from openteller.insights.trends.desk import TrendDesk
from openteller.knowledge.library import Library
from openteller.knowledge.regression import RegressionDesk
from openteller.knowledge.retrieval import Retriever
from openteller.products.catalogue import read_products
from openteller.products.grade_desk import GradeDesk
from openteller.products.names import ProductNames
from openteller.recommendation.notices.desk import NoticeDesk
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.suitability_desk import SuitabilityDesk
from openteller.registry.gates import read_gates
from openteller.registry.registry import ModelRegistry
from openteller.runtime.scripted import ScriptedEmbedder, ScriptedEncoder
from openteller.settings import Settings
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from openteller.understanding.explaining import Explainer
from openteller.understanding.personal_data import redacted
from openteller.voice.recordings import Recordings

PASSWORD = "correct horse battery"
DEMO_PASSWORD = "pinebay-demo"
HEADS = {
    "intent": {
        "card_atm_trouble": ["swallowed", "被吞"],
        "deposit_rates": ["deposit", "存款"],
        "greeting": ["hello", "你好"],
    },
    "sentiment": {"neutral": ["the"], "negative": ["terrible", "差"], "positive": ["thanks", "谢谢"]},
}
SECRET = "a-secret-that-only-these-tests-know-0123456789"


PRODUCTS = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}
SHELF = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))


class HouseSettings(Settings):
    """The settings with what a test sets."""

    demo_password: str = DEMO_PASSWORD


@dataclass(frozen=True)
class Step:
    """An event of the scripted dialogue."""

    name: str
    data: dict[str, Any]


@dataclass
class ScriptedDialogue:
    """Gives the same answer to everything, stores the turn as the real one does, and remembers who asked."""

    database: Database
    asked: list[tuple[Inquiry, Principal]] = field(default_factory=list)
    failure: Exception | None = None

    def walk(self, inquiry: Inquiry, principal: Principal) -> Turn:
        *_, last = self.stream(inquiry, principal)
        turn: Turn = last.data["turn"]
        return turn

    def stream(self, inquiry: Inquiry, principal: Principal) -> Iterator[Step]:
        self.asked.append((inquiry, principal))
        turn = _turn(inquiry)
        yield Step("understanding", turn.understanding.model_dump(mode="json"))
        if self.failure:
            raise self.failure
        yield Step("delta", {"text": "一年期定期存款\n"})
        yield Step("answer", turn.answer.model_dump(mode="json"))
        yield Step("offers", {"offers": [offer.model_dump(mode="json") for offer in turn.offers]})
        with self.database.session(principal) as session:
            TurnRepository().save(session, principal, turn)
        yield Step("done", {"turn": turn})

    def prepare(self, inquiry: Inquiry, principal: Principal) -> None:
        """Nothing is looked up ahead."""

    def rate(self, principal: Principal, satisfaction: Satisfaction) -> None:
        with self.database.session(principal) as session:
            TurnRepository().rate(session, principal, satisfaction)

    def open_offer(self, principal: Principal, trace_id: UUID, product_id: str) -> None:
        with self.database.session(principal) as session:
            TurnRepository().offer_event(session, principal, product_id, "opened", trace_id)

    def dismiss_offer(self, principal: Principal, trace_id: UUID, product_id: str) -> None:
        with self.database.session(principal) as session:
            TurnRepository().offer_event(session, principal, product_id, "dismissed", trace_id)


class House:
    """What `create_app` takes."""

    def __init__(self, database: Database, settings: HouseSettings) -> None:
        self.settings = settings
        self.database = database
        self.dialogue = ScriptedDialogue(database)
        embedder = ScriptedEmbedder()
        self.library = Library(database, embedder)
        self.retriever = Retriever(database, embedder)
        encoder = ScriptedEncoder(HEADS)
        self.explainer = Explainer(encoder, {})
        self.feedback = LabelDesk(database, lambda: encoder.labels, redacted)
        self.alerts = AlertDesk(database)
        self.trends = TrendDesk(database, settings.timezone)
        self.surveys = SurveyDesk(
            database,
            self.alerts,
            redact=redacted,
            key=settings.signing_key,
            embed=lambda words: embedder.embed(words, "query"),
            zone=settings.timezone,
        )
        self.complaints = ComplaintDesk(database, self.alerts, redact=redacted, zone=settings.timezone)
        self.assessments = AssessmentDesk(database)
        self.grades = GradeDesk(database)
        self.suitability = SuitabilityDesk(database, StoreCoreBanking(database))
        self.notices = NoticeDesk(database, self.suitability, self.grades)
        self.opinion = OpinionDesk(database, settings.timezone)
        self.accounts = Accounts(database)
        self.regression = RegressionDesk(database, self.library, self.retriever)
        self.registry = ModelRegistry(settings.data_dir, auditor(database))
        self.hand_offs = HandOffDesk(database)
        self.profiles = ProfileDesk(database, StoreCoreBanking(database, settings.timezone), settings.timezone)
        folder = settings.data_dir / "voice" / "recordings"
        on, days, keys = settings.recording, settings.recording_days, settings.recording_keys
        self.recordings = Recordings(folder, database, is_on=on, days=days, keys=keys)
        banking = StoreCoreBanking(database, settings.timezone)
        self.offers = BankingOfferDesk(database, lambda: SHELF, Recommender(settings.timezone), banking)
        self.status = "ok"

    def promote(self, name: str, version: str, *, actor: str, reason: str) -> None:
        gates = read_gates(self.settings.data_dir / "gates.yaml", name)
        self.registry.promote(name, version, gates, actor=actor, reason=reason)

    def acting_for(self, principal: Principal, customer_id: str) -> Principal:
        served = principal.model_copy(update={"customer_id": customer_id})
        try:
            StoreCoreBanking(self.database, self.settings.timezone).profile(served)
        except NotFound as error:
            raise NotFound("There is no such customer.") from error
        return served

    def health(self) -> dict[str, str]:
        return {"status": self.status, "database": self.database.ping(), "model": "scripted", "version": __version__}


def settings(**changes: Any) -> HouseSettings:
    """Settings of a test house, read from no file."""
    return HouseSettings(_env_file=None, secret_key=SECRET, **changes)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def error_of(response: httpx.Response, status: int, code: str) -> dict[str, str]:
    """The error of an answer that must have failed so, in the one shape."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error: dict[str, str] = response.json()["error"]
    assert set(error) <= {"code", "message", "cause", "next_step", "trace_id"}
    assert error["code"] == code, error
    assert error["message"]
    return error


def events_of(response: httpx.Response) -> list[tuple[str, Any]]:
    """The server-sent events of a whole answer."""
    events = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), httpx.Response(200, text=data.removeprefix("data: ")).json()))
    return events


def staff(role: Role) -> Principal:
    return Principal(subject=f"{role.value}.li", role=role)


def _turn(inquiry: Inquiry) -> Turn:
    answer = Answer(
        text="一年期定期存款利率为 1.25%。",
        outcome=Outcome.ANSWERED,
        confidence=0.93,
        citations=(Citation(document_id="deposit-rates.zh", title="存款利率", passage="1.25%", score=0.93),),
    )
    understanding = Understanding(
        language=Scored(label="zh-Hans", probability=0.99),
        intent=IntentPrediction(label="deposit_rate", probability=0.9),
        sentiment=Sentiment(label="neutral", probability=0.8, score=0.0),
        needs=(),
        entities=(),
        personal_data=(),
        risk_flags=(),
    )
    offer = Offer(product_id="DEP-12M", name="一年定期", reason="您问了利率。", score=0.6)
    return Turn(
        inquiry=inquiry, understanding=understanding, answer=answer, offers=(offer,), reply=Reply(text=answer.text)
    )


class Broken(OpenTellerError):
    """An error of the family that has no row of its own in the wire's table."""
