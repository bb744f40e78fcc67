"""Running states, tags and runs in the real store, under row-level security."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from openteller.core.errors import BadInput, NotAllowed, NotAuthenticated, NotFound, OpenTellerError
from openteller.core.records import Principal, Role, visitor
from openteller.customers.profile import computing
from openteller.customers.profile.computing import recompute_all
from openteller.customers.profile.desk import ProfileDesk
from openteller.customers.profile.repository import BehaviourRepository
from openteller.customers.profile.running import RunningState, running_state
from openteller.customers.records import Transaction
from openteller.customers.repository import CustomerRepository
from openteller.customers.rest_banking import RestCoreBanking
from openteller.customers.store_banking import StoreCoreBanking
from openteller.demo.load import load
from openteller.store.database import Database
from openteller.store.tables import (
    AccountRow,
    AuditRow,
    BehaviourStateRow,
    ConsentRow,
    CustomerRow,
    CustomerTagRow,
    TransactionRow,
)
from tests.customers.conftest import NOW, OWNER
from tests.customers.profile.lives import ON, movement, salary

OTHER = Principal(subject="C000043", role=Role.CUSTOMER, customer_id="C000043")
SERVICE = Principal(subject="core", role=Role.SERVICE)
AGENT = Principal(subject="agent.li", role=Role.AGENT, customer_id="C000042")
REPOSITORY = BehaviourRepository()


@pytest.fixture
def desk(stored: Database) -> ProfileDesk:
    return ProfileDesk(stored, StoreCoreBanking(stored, now=lambda: NOW), now=lambda: NOW)


def state(database: Database, customer_id: str = "C000042") -> RunningState:
    with database.session(SERVICE) as session:
        return REPOSITORY.state(session, customer_id)


def computed_anew(database: Database, customer_id: str = "C000042") -> RunningState:
    with database.session(SERVICE) as session:
        REPOSITORY.recompute(session, [customer_id], ON)
        return REPOSITORY.state(session, customer_id)


def test_a_booking_changes_the_state_in_its_own_transaction(stored: Database) -> None:
    before = state(stored)
    new = [
        movement(date(2026, 11, 23), "-30.20", "支付宝-拾光咖啡", "uncategorised"),
        *salary(date(2026, 11, 1), 1, 20_000),
    ]
    with stored.session(SERVICE) as session:
        booked = REPOSITORY.book(session, new)
    assert [one.category for one in booked] == ["dining", "salary"]
    assert all(one.transaction_id for one in booked)
    after = state(stored)
    assert after.movements == before.movements + 2
    assert after == computed_anew(stored)

    def cut_off() -> None:
        with stored.session(SERVICE) as session:
            REPOSITORY.book(session, new)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power"):
        cut_off()
    assert state(stored) == after
    with stored.session(SERVICE) as session:
        assert session.scalar(select(func.count()).select_from(TransactionRow)) == after.movements


def test_bookings_at_the_same_time_are_all_counted(stored: Database) -> None:
    def book(number: int) -> None:
        with stored.session(SERVICE) as session:
            REPOSITORY.book(session, [movement(date(2026, 11, 1 + number), -10 - number, "青禾超市", "groceries")])

    before = state(stored).movements
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(book, range(8)))
    assert state(stored).movements == before + 8
    assert state(stored) == computed_anew(stored)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"customer_id": "C999999"}, NotFound, "C999999"),
        ({"account_id": "A-9"}, BadInput, "A-9"),
        ({"customer_id": "C000043"}, BadInput, "A-1 is not the customer C000043's"),
    ],
)
def test_what_does_not_fit_is_not_booked_at_all(
    stored: Database, changes: dict[str, str], error: type[OpenTellerError], message: str
) -> None:
    good = movement(date(2026, 11, 1), -10, "青禾超市", "groceries")
    before = state(stored)
    with pytest.raises(error, match=message), stored.session(SERVICE) as session:
        REPOSITORY.book(session, [good, good.model_copy(update=changes)])
    assert state(stored) == before


def test_customers_book_nothing_and_see_only_their_state(stored: Database) -> None:
    computed_anew(stored)
    with stored.session(OWNER) as session:
        assert session.scalar(select(func.count()).select_from(BehaviourStateRow)) == 1
    for other in (OTHER, visitor("x"), None):
        with stored.session(other) as session:
            assert session.scalar(select(func.count()).select_from(BehaviourStateRow)) == 0
            assert REPOSITORY.state(session, "C000042").movements == 0
    with pytest.raises((NotAllowed, NotFound)), stored.session(OWNER) as session:
        REPOSITORY.book(session, [movement(date(2026, 11, 1), -10, "青禾超市", "groceries")])


def test_a_state_of_another_version_is_computed_anew(stored: Database) -> None:
    whole = computed_anew(stored)
    with stored.owner_session() as session:
        session.execute(text("UPDATE behaviour_states SET version = 0, state = '{}'"))
    assert state(stored) == whole


def crowd(database: Database, count: int) -> None:
    """More customers with a purchase each, of more and more days ago; every fourth did not agree."""
    with database.owner_session() as session:
        first = session.get(CustomerRow, "C000042")
        assert first is not None
        names = [c.name for c in CustomerRow.__table__.columns if c.name != "customer_id"]
        for number in range(count):
            customer_id, account_id = f"D{number:06d}", f"B{number}"
            session.add(CustomerRow(customer_id=customer_id, **{name: getattr(first, name) for name in names}))
            session.flush()
            account = {"kind": "savings", "product_id": "SAV-CNY", "currency": "CNY", "tail": "0001", "balance": 0}
            session.add(
                AccountRow(account_id=account_id, customer_id=customer_id, opened_on=date(2020, 1, 1), **account)
            )
            session.add(ConsentRow(customer_id=customer_id, purpose="personalisation", granted=number % 4 != 3))
            session.flush()
            on = date.fromordinal(ON.toordinal() - 30 - number)
            bought = movement(
                on, -100 - number, "青禾超市", "groceries", customer_id=customer_id, account_id=account_id
            )
            session.add(TransactionRow(**bought.model_dump()))


@pytest.mark.parametrize(("workers", "engine"), [(1, "auto"), (2, "processes"), (1, "ray")])
def test_a_run_over_everybody(stored: Database, workers: int, engine: computing.Engine) -> None:
    if engine == "ray":
        pytest.importorskip("ray")
    crowd(stored, 20)
    seen: list[tuple[int, int]] = []
    report = recompute_all(
        stored, workers=workers, engine=engine, batch=6, progress=lambda done, total: seen.append((done, total))
    )
    assert (report.customers, report.resumed, report.movements) == (22, 0, 27)
    assert seen[-1] == (22, 22)
    assert report.cuts is not None
    # 15 of the crowd agreed, and the contract's customer.
    assert report.cuts.customers == 16
    with stored.session(SERVICE) as session:
        assert REPOSITORY.cuts(session) == report.cuts
        rows = session.scalars(select(BehaviourStateRow).where(BehaviourStateRow.customer_id == "D000003")).all()
    assert [(row.last_purchase_on, row.frequency, row.monetary) for row in rows] == [(None, None, None)]


def test_a_run_that_was_cut_off_goes_on(stored: Database) -> None:
    crowd(stored, 20)

    def stop(done: int, total: int) -> None:
        if done >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recompute_all(stored, batch=6, progress=stop)
    report = recompute_all(stored, batch=6)
    assert (report.customers, report.resumed) == (10, 12)
    again = recompute_all(stored, batch=6)
    assert (again.customers, again.resumed) == (22, 0)
    with pytest.raises(KeyboardInterrupt):
        recompute_all(stored, batch=6, progress=stop)
    assert recompute_all(stored, batch=6, anew=True).resumed == 0
    with pytest.raises(BadInput, match="0 workers"):
        recompute_all(stored, workers=0)


def test_fifths_of_five_at_the_least(stored: Database) -> None:
    assert recompute_all(stored).cuts is None
    with stored.session(SERVICE) as session:
        assert REPOSITORY.cuts(session) is None


def test_a_profile_is_the_customers_and_of_staff_who_serve_them(desk: ProfileDesk, stored: Database) -> None:
    own = desk.profile(OWNER)
    assert (own.customer_id, own.movements, own.personalised) == ("C000042", 7, True)
    assert desk.profile(AGENT) == own
    with stored.owner_session() as session:
        viewed = session.execute(
            select(AuditRow.actor, AuditRow.subject).where(AuditRow.action == "profile.viewed")
        ).all()
    assert [tuple(row) for row in viewed] == [("agent.li", "C000042")]
    with pytest.raises(NotAuthenticated):
        desk.profile(SERVICE)
    with pytest.raises(NotFound):
        desk.profile(AGENT.model_copy(update={"customer_id": "C999999"}))


def test_the_customers_word_is_kept_changed_and_deleted(desk: ProfileDesk, stored: Database) -> None:
    def own() -> dict[str, str]:
        return {tag.tag: tag.source for tag in desk.profile(OWNER).tags}

    desk.say(OWNER, "drives", "mine")
    desk.say(OWNER, "renting", "mine")
    assert own() == {"renting": "own", "drives": "own"}
    desk.say(OWNER, "drives", "not_me")
    desk.remove(OWNER, "renting")
    assert own() == {}
    assert [(word.tag, word.stance) for word in desk.profile(OWNER).words] == [("drives", "not_me")]
    desk.remove(OWNER, "saves_regularly")
    assert {word.tag: word.stance for word in desk.profile(OWNER).words} == {
        "drives": "not_me",
        "saves_regularly": "removed",
    }
    desk.forget(OWNER)
    assert desk.profile(OWNER).words == ()
    with stored.owner_session() as session:
        assert session.scalar(select(func.count()).select_from(CustomerTagRow)) == 0
        rows = session.execute(select(AuditRow.action, AuditRow.detail).where(AuditRow.action.like("tag%"))).all()
    assert [row.action for row in rows] == ["tag.said"] * 3 + ["tag.removed"] * 2 + ["tags.forgotten"]
    assert not any(tag in str(row.detail) for row in rows for tag in ("drives", "renting", "saves_regularly"))


def test_nobody_else_says_what_is_true_of_a_customer(desk: ProfileDesk, stored: Database) -> None:
    refused: list[Callable[[], object]] = [
        lambda: desk.say(AGENT, "drives", "mine"),
        lambda: desk.remove(AGENT, "drives"),
        lambda: desk.forget(AGENT),
        lambda: desk.agree(AGENT, "personalisation", True),
    ]
    for attempt in refused:
        with pytest.raises(NotAllowed):
            attempt()
    desk.say(OWNER, "drives", "mine")
    for other in (AGENT, OTHER, SERVICE):
        with pytest.raises(NotAllowed), stored.session(other) as session:
            REPOSITORY.say(session, "C000042", "drives", "not_me")
        with stored.session(other) as session:
            REPOSITORY.unsay(session, "C000042")
    assert [word.stance for word in desk.profile(OWNER).words] == ["mine"]
    with stored.session(OTHER) as session:
        assert REPOSITORY.words(session, "C000042") == ()
    with pytest.raises(NotFound):
        desk.say(OWNER, "rich", "mine")


def test_personalisation_off_leaves_the_cash_flow(desk: ProfileDesk, stored: Database) -> None:
    with stored.session(SERVICE) as session:
        REPOSITORY.book(session, salary(date(2026, 8, 1), 3, 18_500, "云杉科技"))
    whole = desk.profile(OWNER)
    assert [tag.tag for tag in whole.tags] == ["salary_here"]
    assert desk.agree(OWNER, "personalisation", False).granted is False
    plain = desk.profile(OWNER)
    assert (plain.personalised, plain.tags, plain.events, plain.segment) == (False, (), (), None)
    assert plain.cash_flow == whole.cash_flow
    with stored.session(OWNER) as session:
        assert not CustomerRepository().file(session, "C000042", ON).granted("personalisation")
    assert desk.agree(OWNER, "personalisation", True).granted
    assert desk.profile(OWNER).tags == whole.tags


def test_with_the_customer_goes_what_was_kept(desk: ProfileDesk, stored: Database) -> None:
    computed_anew(stored)
    desk.say(OWNER, "drives", "mine")
    with stored.owner_session() as session:
        session.execute(text("DELETE FROM customers WHERE customer_id = 'C000042'"))
        for table in (BehaviourStateRow, CustomerTagRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_where_the_bank_keeps_the_movements_it_is_asked(clean: Database, rest: RestCoreBanking) -> None:
    class Recorded:
        """The recorded server answers for its own stretch of time only."""

        def file(self, principal: Principal, on: date) -> object:
            return rest.file(principal, ON)

        def transactions(self, principal: Principal, since: datetime, until: datetime, limit: int) -> list[Transaction]:
            whole = (datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC))
            return rest.transactions(principal, *whole, 2)

    desk = ProfileDesk(clean, Recorded(), now=lambda: NOW)  # type: ignore[arg-type]
    found = desk.profile(OWNER)
    assert (found.movements, found.personalised) == (2, True)
    assert found.cash_flow.months[0].income == Decimal(18_500)


def test_what_the_database_tallies_is_what_one_by_one_gives(clean: Database) -> None:
    load(clean, 6)
    with clean.owner_session() as session:
        session.execute(text("UPDATE transactions SET category = 'uncategorised' WHERE transaction_id % 3 = 0"))
        session.execute(text("UPDATE transactions SET currency = 'USD' WHERE transaction_id % 11 = 0"))
    recompute_all(clean)
    repository, customers = BehaviourRepository(), CustomerRepository()
    everything = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    with clean.session(SERVICE) as session:
        for customer_id in repository.customer_ids(session, "", 10):
            movements = customers.transactions(session, customer_id, *everything)
            kept = repository.state(session, customer_id)
            assert kept.travel
            assert kept == running_state(movements)
