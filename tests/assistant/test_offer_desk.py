"""Offers for a customer whom only the bank's own core-banking system knows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

import openteller.demo
from openteller.assistant.answering import Shelf
from openteller.assistant.offer_desk import BankingOfferDesk
from openteller.core.errors import NotFound
from openteller.core.records import Answer, Inquiry, Offer, Outcome, Principal, Reply, Role, Scored, Turn, visitor
from openteller.customers.rest_banking import RestCoreBanking
from openteller.demo.load import load
from openteller.products.catalogue import read_products
from openteller.products.names import ProductNames
from openteller.recommendation.experiments import assigned
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import Campaign, LoggedImpression
from openteller.recommendation.repository import CampaignRepository, ExperimentRepository, ImpressionRepository
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from tests.assistant.small_bank import understood

ON = date(2026, 11, 23)
THEIRS = Principal(subject="R000007", role=Role.CUSTOMER, customer_id="R000007")
STAFF = Principal(subject="analyst.li", role=Role.SERVICE)
PRODUCTS = {p.id: p for p in read_products(Path(openteller.demo.__file__).parent / "bank" / "products")}


class Core:
    """A bank's core-banking system with one customer who has money at rest; `missing` paths are not found."""

    def __init__(
        self,
        *,
        consent: bool = True,
        marketing: bool = False,
        risk: str | None = "C2",
        missing: str = "none",
        down: bool = False,
    ) -> None:
        self.marketing = marketing
        self.consent, self.risk, self.missing, self.down = consent, risk, missing, down
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectTimeout("no", request=request)
        part = request.url.path.removeprefix("/v1/customers/R000007")
        self.asked.append(part)
        if part == self.missing or (part == "/risk-assessment" and self.risk is None):
            return httpx.Response(404 if part == self.missing else 204)
        return httpx.Response(200, json=self.bodies().get(part, {"items": []}))

    def bodies(self) -> dict[str, Any]:
        owner = {"customer_id": "R000007"}
        at = datetime(2026, 5, 4, tzinfo=UTC)
        return {
            "": owner | {"name": "陈晨", "name_en": "Chen Chen", "phone": "10000000001", "gender": "female",
                         "id_number_masked": "99****1990****0011", "birth_date": "1990-02-01", "city": "杭州",
                         "monthly_income": "20000.00", "created_at": at.isoformat()},
            "/accounts": {"items": [owner | {"account_id": "A-1", "kind": "savings", "product_id": "SAV-CNY",
                                             "tail": "0001", "balance": "250000.00", "opened_on": "2019-01-01"}]},
            "/consents": {"items": [owner | {"purpose": "personalisation", "granted": self.consent,
                                             "at": at.isoformat()},
                                    owner | {"purpose": "marketing", "granted": self.marketing, "at": at.isoformat()}]},
            "/risk-assessment": owner | {"investor_class": self.risk, "assessed_at": at.isoformat(),
                                         "expires_at": (at + timedelta(days=365)).isoformat()},
        }  # fmt: skip


def offers(database: Database, core: Core, principal: Principal = THEIRS, need: str = "saving") -> tuple[Offer, ...]:
    understanding = understood("存款", "deposit_rate").model_copy(
        update={"needs": (Scored(label=need, probability=0.9),)}
    )
    shelf = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))
    with httpx.Client(transport=httpx.MockTransport(core)) as client:
        banking = RestCoreBanking("https://bank.example", "token", client)
        desk = BankingOfferDesk(database, lambda: shelf, Recommender(), banking)
        return desk.offers(principal, understanding, "zh", ON)


def test_a_customer_of_core_banking_alone_gets_offers(clean: Database) -> None:
    found = offers(clean, Core())
    assert found
    assert "SAV-CNY" not in {offer.product_id for offer in found}
    assert any("暂时不用" in offer.reason for offer in found)


def test_what_the_customer_dismissed_is_not_offered_again(clean: Database) -> None:
    first = offers(clean, Core())[0].product_id
    with clean.session(THEIRS) as session:
        TurnRepository().offer_event(session, THEIRS, first, "dismissed", None)
    assert first not in {offer.product_id for offer in offers(clean, Core())}


def test_the_risk_class_of_core_banking_is_the_wall(clean: Database) -> None:
    def risky(risk: str | None) -> set[int]:
        found = offers(clean, Core(risk=risk), need="investing")
        return {int(str(PRODUCTS[offer.product_id].risk_grade)[-1]) for offer in found}

    assert max(risky("C2")) == 2
    assert max(risky("C1"), default=1) == 1
    assert max(risky(None), default=1) == 1


@pytest.mark.parametrize(
    "core",
    [Core(consent=False), Core(down=True), Core(missing=""), Core(missing="/consents"), Core(missing="/holdings")],
    ids=["no consent", "down", "unknown", "old contract", "no holdings"],
)
def test_nothing_is_offered_without_consent_or_a_whole_file(clean: Database, core: Core) -> None:
    assert offers(clean, core) == ()


def test_core_banking_is_not_asked_about_visitors_or_in_silence(clean: Database) -> None:
    core = Core()
    assert offers(clean, core, visitor("1"))
    assert offers(clean, core, Principal(subject="li", role=Role.AGENT)) == ()
    understanding = understood("我想自杀", "other")
    shelf = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))
    with httpx.Client(transport=httpx.MockTransport(core)) as client:
        banking = RestCoreBanking("https://bank.example", "token", client)
        desk = BankingOfferDesk(clean, lambda: shelf, Recommender(), banking)
        assert desk.offers(THEIRS, understanding, "zh", ON) == ()
    assert core.asked == []


def desk_of(database: Database, core: Core, client: httpx.Client, **changes: Any) -> BankingOfferDesk:
    shelf = Shelf(PRODUCTS, ProductNames(PRODUCTS.values()))
    return BankingOfferDesk(
        database, lambda: shelf, Recommender(), RestCoreBanking("https://bank.example", "token", client), **changes
    )


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(transport=httpx.MockTransport(Core())) as client:
        yield client


def logged(database: Database) -> list[LoggedImpression]:
    with database.session(STAFF) as session:
        return list(ImpressionRepository().logged(session))


def test_what_is_shown_is_kept_with_its_propensity(clean: Database, client: httpx.Client) -> None:
    asked, trace = understood("存款", "deposit_rate"), uuid4()
    found = desk_of(clean, Core(), client, exploration=0.5).offers(THEIRS, asked, "zh", ON, trace)
    again = desk_of(clean, Core(), client, exploration=0.5).offers(THEIRS, asked, "zh", ON, trace)
    assert found == again  # the turn's own chance can be told again
    kept = logged(clean)[: len(found)]
    assert [shown.product_id for shown in kept] == [offer.product_id for offer in found]
    for shown in kept:
        assert 0 < shown.propensity < 1 or len(shown.among) == 1
        assert shown.product_id in shown.among
        assert shown.features["customer: savings"] > 5
        assert (shown.policy, shown.experiment, shown.customer_id) == ("rules", None, "R000007")


def test_a_campaign_that_is_used_up_makes_no_offer(clean: Database, client: httpx.Client) -> None:
    desk, asked = desk_of(clean, Core(), client), understood("存款", "deposit_rate")
    first = desk.offers(THEIRS, asked, "zh", ON)[0].product_id
    with clean.session(STAFF) as session:
        CampaignRepository().put(session, Campaign(product_id=first, budget=1, valid_from=ON), by="analyst.li")
    assert first in {offer.product_id for offer in desk.offers(THEIRS, asked, "zh", ON)}
    assert first not in {offer.product_id for offer in desk.offers(THEIRS, asked, "zh", ON)}
    assert desk.why_not(THEIRS, first, "en", ON).code == "budget"


def test_an_experiment_divides_customers_and_its_arm_is_kept(clean: Database, client: httpx.Client) -> None:
    with clean.session(STAFF) as session:
        ExperimentRepository().start(session, "ranking", {"rules": 0.5, "model": 0.5}, by="analyst.li")
    desk = desk_of(clean, Core(), client, plain=Recommender())
    for _ in range(2):
        assert desk.offers(THEIRS, understood("存款", "deposit_rate"), "zh", ON)
    arm = assigned("ranking", "R000007", {"rules": 0.5, "model": 0.5})
    assert {(shown.experiment, shown.arm) for shown in logged(clean)} == {("ranking", arm)}
    desk.offers(visitor("one"), understood("存款", "deposit_rate"), "zh", ON)
    assert {shown.arm for shown in logged(clean) if shown.customer_id is None} <= {None}


def test_with_personalisation_off_the_offers_are_the_bank_s_and_take_part_in_nothing(clean: Database) -> None:
    load(clean, 60, today=ON)
    with clean.session(STAFF) as session:
        ExperimentRepository().start(session, "ranking", {"rules": 0.5, "model": 0.5}, by="analyst.li")
    core = Core(consent=False, marketing=True)
    with httpx.Client(transport=httpx.MockTransport(core)) as client:
        desk = desk_of(clean, core, client, exploration=0.5)
        found = desk.offers(THEIRS, understood("理财", "fund_buy"), "en", ON)
        unfit = desk.why_not(THEIRS, "FUND-INDEX", "en", ON)
    assert found
    assert all("not chosen from your data" in offer.reason for offer in found)
    assert {(i.policy, i.arm, tuple(i.features)) for i in logged(clean)} == {("general", None, ())}
    assert unfit.code == "general"
    assert offers(clean, Core(consent=False, marketing=False)) == ()


def test_outside_of_a_turn_the_mood_of_the_last_one_counts(clean: Database, client: httpx.Client) -> None:
    desk = desk_of(clean, Core(), client)
    calm = desk.unasked(STAFF.model_copy(update={"customer_id": "R000007"}), "en", ON)
    assert calm
    assert not logged(clean)  # staff looked
    turn = Turn(
        inquiry=Inquiry(text="我要投诉"),
        understanding=understood("我要投诉", "complaint_file"),
        answer=Answer(text="…", outcome=Outcome.ANSWERED, confidence=1),
        reply=Reply(text="…"),
    )
    with clean.session(THEIRS) as session:
        TurnRepository().save(session, THEIRS, turn)
    assert desk.unasked(THEIRS, "en", ON) == ()
    assert desk.why_not(THEIRS, calm[0].product_id, "en", ON).code == "moment"
    with pytest.raises(NotFound, match="on sale"):
        desk.why_not(THEIRS, "NOTHING", "en", ON)
