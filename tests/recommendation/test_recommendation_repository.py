from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.customers.repository import CustomerRepository
from openteller.demo.load import load
from openteller.recommendation.records import Campaign, Impression
from openteller.recommendation.repository import (
    CampaignRepository,
    CustomerFileReader,
    ExperimentRepository,
    ImpressionRepository,
    possessions,
)
from openteller.store.database import Database
from openteller.store.tables import OfferEventRow
from openteller.store.turns import TurnRepository
from tests.recommendation.given import ON
from tests.store.people import AGENT, ANN, BEN, VISITOR, customer

ANALYST = Principal(subject="analyst.li", role=Role.ANALYST)
SHOWN = (
    Impression(product_id="TD-CNY", place=0, propensity=0.6, policy="rules", score=0.5, features={"signals": 0.5}),
    Impression(product_id="CARD-GOLD", place=1, propensity=0.25, policy="rules", score=0.4),
)


def test_impressions_are_kept_with_what_came_of_them(clean: Database) -> None:
    trace = uuid4()
    with clean.session(ANN) as session:
        ImpressionRepository().add(session, ANN, SHOWN, trace_id=trace, arm=("mood", "treatment"))
        ImpressionRepository().add(session, ANN, ())
    with clean.owner_session() as session:
        # The turn's own foreign key is the turn's business; what is joined here is the trace id.
        session.connection().exec_driver_sql("ALTER TABLE offer_events DISABLE TRIGGER ALL")
        session.add(
            OfferEventRow(owner="C000001", customer_id="C000001", product_id="TD-CNY", action="opened", trace_id=trace)
        )
        session.flush()
        session.connection().exec_driver_sql("ALTER TABLE offer_events ENABLE TRIGGER ALL")
    with clean.session(ANALYST) as session:
        found = list(ImpressionRepository().logged(session))
        none = list(ImpressionRepository().logged(session, since=found[0].at + timedelta(seconds=1)))
        same = list(ImpressionRepository().logged(session, experiment="mood", until=found[0].at + timedelta(seconds=1)))
    assert [(i.product_id, i.place, i.propensity, i.opened, i.arm) for i in found] == [
        ("TD-CNY", 0, 0.6, True, "treatment"),
        ("CARD-GOLD", 1, 0.25, False, "treatment"),
    ]
    assert found[0].features == {"signals": 0.5}
    assert (none, same) == ([], found)


def test_impressions_are_their_owners_and_are_never_changed(clean: Database) -> None:
    for principal in (ANN, VISITOR):
        with clean.session(principal) as session:
            ImpressionRepository().add(session, principal, SHOWN)
    for principal, count in ((ANN, 2), (VISITOR, 2), (BEN, 0), (AGENT, 4)):
        with clean.session(principal) as session:
            assert len(list(ImpressionRepository().logged(session))) == count
    with pytest.raises(NotAllowed), clean.session(BEN) as session:
        ImpressionRepository().add(session, ANN, SHOWN)
    with pytest.raises(NotAllowed), clean.session(AGENT) as session:
        session.connection().exec_driver_sql("UPDATE impressions SET propensity = 1")


def test_what_is_opened_in_no_turn_counts_for_the_last_time_it_was_shown(clean: Database) -> None:
    now = utc_now()
    for days in (40, 3, 2):
        with clean.session(ANN) as session:
            ImpressionRepository().add(session, ANN, SHOWN[:1], at=now - timedelta(days=days))
    with clean.session(BEN) as session:
        ImpressionRepository().add(session, BEN, SHOWN[:1], at=now - timedelta(days=2))
    with clean.session(ANN) as session:
        TurnRepository().offer_event(session, ANN, "TD-CNY", "opened")
    with clean.session(ANALYST) as session:
        found = list(ImpressionRepository().logged(session))
    assert [(i.customer_id, i.opened) for i in found] == [
        ("C000001", False),
        ("C000001", False),
        ("C000001", True),
        ("C000002", False),
    ]


def campaign(database: Database, budget: int, **changes: object) -> None:
    whole = {"product_id": "TD-CNY", "budget": budget, "valid_from": ON} | changes
    with database.session(ANALYST) as session:
        CampaignRepository().put(session, Campaign.model_validate(whole), by="analyst.li")


def spend(database: Database, *products: str, principal: Principal = ANN) -> frozenset[str]:
    with database.session(principal) as session:
        return CampaignRepository().spend(session, products, ON)


def test_a_campaign_ends_with_its_budget(clean: Database) -> None:
    campaign(clean, 2)
    assert [spend(clean, "TD-CNY", "CARD-GOLD") for _ in range(3)] == [
        {"TD-CNY", "CARD-GOLD"},
        {"TD-CNY", "CARD-GOLD"},
        {"CARD-GOLD"},
    ]
    with clean.session(VISITOR) as session:
        assert CampaignRepository().exhausted(session, ON) == {"TD-CNY"}
    with pytest.raises(BadInput, match="2 offers already"):
        campaign(clean, 1)
    campaign(clean, 3)
    assert spend(clean, "TD-CNY") == {"TD-CNY"}
    assert spend(clean) == frozenset()
    with clean.session(ANN) as session:
        assert [(c.budget, c.spent) for c in CampaignRepository().all(session)] == [(3, 3)]


@pytest.mark.parametrize(("begins", "ends", "open_"), [(-1, 0, True), (1, None, False), (-5, -1, False)])
def test_a_campaign_has_its_days(clean: Database, begins: int, ends: int | None, open_: bool) -> None:
    last = None if ends is None else ON + timedelta(days=ends)
    campaign(clean, 5, valid_from=ON + timedelta(days=begins), valid_to=last)
    with clean.session(ANN) as session:
        assert bool(CampaignRepository().exhausted(session, ON)) is not open_
    assert bool(spend(clean, "TD-CNY")) is open_


def test_many_who_spend_at_once_never_overspend(clean: Database) -> None:
    campaign(clean, 25)
    with ThreadPoolExecutor(8) as pool:
        granted = list(pool.map(lambda _: spend(clean, "TD-CNY"), range(60)))
    assert sum(map(bool, granted)) == 25


def test_only_marketing_changes_campaigns(clean: Database) -> None:
    campaign(clean, 5)
    for principal in (ANN, VISITOR, AGENT):
        with pytest.raises(NotAllowed), clean.session(principal) as session:
            CampaignRepository().put(session, Campaign(product_id="X", budget=1, valid_from=ON), by="me")
        with clean.session(principal) as session:
            assert session.connection().exec_driver_sql("UPDATE campaigns SET spent = 0").rowcount == 0


def test_one_experiment_runs_at_a_time(clean: Database) -> None:
    experiments, halves = ExperimentRepository(), {"rules": 0.5, "model": 0.5}
    with clean.session(ANALYST) as session:
        assert experiments.running(session) is None
        started = experiments.start(session, "mood", halves, by="analyst.li")
        assert experiments.running(session) == started
        assert list(started.arms) == ["rules", "model"]
    uneven = {"rules": 0.4, "model": 0.6}
    for name, arms, error in (("other", halves, Conflict), ("mood", uneven, Conflict), ("x", {"a": 2.0}, BadInput)):
        with pytest.raises(error), clean.session(ANALYST) as session:
            experiments.start(session, name, arms, by="analyst.li")
    with clean.session(ANALYST) as session:
        assert experiments.end(session, "mood", by="analyst.li").ended_at is not None
        assert experiments.running(session) is None
    with pytest.raises(NotFound), clean.session(ANALYST) as session:
        experiments.end(session, "mood", by="x")
    with pytest.raises(NotFound), clean.session(ANALYST) as session:
        experiments.get(session, "never")


def test_an_experiment_goes_on_with_the_same_arms_and_never_with_others(clean: Database) -> None:
    experiments, halves = ExperimentRepository(), {"rules": 0.5, "model": 0.5}
    with clean.session(ANALYST) as session:
        begun = experiments.start(session, "mood", halves, by="analyst.li")
        assert experiments.start(session, "mood", halves, by="analyst.li") == begun  # it runs: nothing to do
        experiments.end(session, "mood", by="analyst.li")
        assert experiments.start(session, "mood", halves, by="analyst.li") == begun
        assert experiments.running(session) == begun
        experiments.end(session, "mood", by="analyst.li")
    with pytest.raises(Conflict, match="cannot begin") as refused, clean.session(ANALYST) as session:
        experiments.start(session, "mood", {"model": 0.5, "rules": 0.5}, by="analyst.li")
    assert "other arms: rules=0.5, model=0.5" in str(refused.value.cause)


def test_who_has_what(clean: Database) -> None:
    with clean.owner_session() as session:
        for row in customer(ANN):
            session.add(row)
            session.flush()
    with clean.session(AGENT) as session:
        found = sorted(possessions(session))
    assert [(c, p) for c, p, _, _ in found] == [("C000001", "CARD-001"), ("C000001", "SAV-001")]
    with clean.session(BEN) as session:
        assert list(possessions(session)) == []


def test_files_in_bulk_are_those_one_by_one(clean: Database) -> None:
    load(clean, 30, today=ON)
    with clean.session(AGENT) as session:
        reader = CustomerFileReader()
        batches = list(reader.ids(session, 7))
        found = [file for batch in batches for file in reader.files(session, batch, ON)]
        single = [CustomerRepository().file(session, file.customer.customer_id, ON) for file in found]
    assert len(found) > 10
    assert max(map(len, batches)) == 7
    assert [file.model_copy(update={"bills": ()}) for file in single] == found
    assert all(file.granted("personalisation") for file in found)
