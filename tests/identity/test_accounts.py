"""Local accounts on the real store."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotAuthenticated, NotFound, TooLarge
from openteller.core.records import Principal, Role
from openteller.identity.accounts import Accounts
from openteller.identity.repository import UserRepository
from openteller.store import audit
from openteller.store.database import Database

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
ADMIN = Principal(subject="root", role=Role.ADMIN)


class CountingHasher(PasswordHasher):
    """Counts the verifications, since they are what takes the time."""

    verified = 0

    def verify(self, *arguments: object) -> bool:  # type: ignore[override]
        self.verified += 1
        return super().verify(*arguments)  # type: ignore[arg-type]


@pytest.fixture
def accounts(clean: Database) -> Accounts:
    return Accounts(clean, QUICK)


def test_whoever_was_added_can_log_in(accounts: Accounts) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    accounts.add_user("agent.li", PASSWORD, Role.AGENT)
    assert accounts.authenticate("ann", PASSWORD) == Principal(
        subject="C000001", role=Role.CUSTOMER, customer_id="C000001"
    )
    assert accounts.authenticate("agent.li", PASSWORD) == Principal(subject="agent.li", role=Role.AGENT)


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("ann", PASSWORD + " "),
        ("ann", "\x00"),
        ("ann", "\ud800"),
        ("ann", "x" * 100_000),
        ("Ann", PASSWORD),
        ("nobody", PASSWORD),
        ("", ""),
        ("ann'--", PASSWORD),
        ("a\x00nn'", PASSWORD),
        ("x" * 10_000, PASSWORD),
    ],
)
def test_all_else_gets_the_same_words(accounts: Accounts, username: str, password: str) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    with pytest.raises(NotAuthenticated) as caught:
        accounts.authenticate(username, password)
    assert str(caught.value).startswith("The user name or the password is wrong.")


def test_an_unknown_name_costs_the_work_of_a_wrong_password(clean: Database) -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=64, parallelism=1)
    accounts = Accounts(clean, hasher)
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    for number, username in enumerate(("ann", "nobody"), start=1):
        with pytest.raises(NotAuthenticated):
            accounts.authenticate(username, "wrong password")
        assert hasher.verified == number


def test_the_store_holds_argon2id_at_owasps_minimum_and_no_password(clean: Database) -> None:
    Accounts(clean).add_user("ann", PASSWORD, "customer", "C000001")
    with clean.owner_session() as session:
        stored = session.scalar(text("SELECT password_hash FROM users"))
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in stored


def test_a_weaker_hash_is_renewed_at_login(accounts: Accounts, clean: Database) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    Accounts(clean).authenticate("ann", PASSWORD)
    with clean.session(None) as session:
        found = UserRepository().credential(session, "ann")
    assert found is not None
    assert "m=19456" in found.password_hash
    assert found.password_hash not in repr(found)


def test_a_disabled_login_is_told_so_only_with_the_right_password(accounts: Accounts) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    accounts.disable("ann")
    with pytest.raises(NotAllowed):
        accounts.authenticate("ann", PASSWORD)
    with pytest.raises(NotAuthenticated):
        accounts.authenticate("ann", "wrong password")


def test_a_new_password_replaces_the_old_one(accounts: Accounts) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    accounts.set_password("ann", "another passphrase")
    assert accounts.authenticate("ann", "another passphrase").subject == "C000001"
    with pytest.raises(NotAuthenticated):
        accounts.authenticate("ann", PASSWORD)
    with pytest.raises(NotFound):
        accounts.set_password("nobody", PASSWORD)
    with pytest.raises(NotFound):
        accounts.disable("nobody")


@pytest.mark.parametrize(
    ("username", "role", "customer_id"),
    [
        ("", "agent", None),
        ("a b", "agent", None),
        ("x" * 65, "agent", None),
        ("ann", "customer", None),
        ("ann", "agent", "C000001"),
        ("ann", "visitor", None),
        ("ann", "root", None),
    ],
)
def test_a_user_that_does_not_fit(accounts: Accounts, username: str, role: str, customer_id: str | None) -> None:
    with pytest.raises(BadInput):
        accounts.add_user(username, PASSWORD, role, customer_id)


def test_passwords_too_short_or_too_long_and_names_taken(accounts: Accounts) -> None:
    with pytest.raises(BadInput):
        accounts.add_user("ann", "short", "agent")
    with pytest.raises(TooLarge):
        accounts.add_user("ann", "x" * 257, "agent")
    accounts.add_user("ann", PASSWORD, "agent")
    with pytest.raises(Conflict):
        accounts.add_user("ann", "another passphrase", "admin")
    assert accounts.authenticate("ann", PASSWORD).role is Role.AGENT


def test_only_those_with_the_password_are_listed_and_each_is_checked_once(clean: Database) -> None:
    hasher = CountingHasher(time_cost=1, memory_cost=64, parallelism=1)
    accounts = Accounts(clean, hasher)
    accounts.add_user("a.demo", "pinebay-demo", "agent")
    accounts.add_user("b.real", PASSWORD, "admin")
    accounts.add_user("c.gone", "pinebay-demo", "agent")
    accounts.disable("c.gone")
    for _ in range(2):
        assert [user.username for user in accounts.sharing_password("pinebay-demo")] == ["a.demo"]
    assert hasher.verified == 2


def test_what_was_done_is_in_the_audit_log_without_passwords(accounts: Accounts, clean: Database) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001", by="root")
    accounts.authenticate("ann", PASSWORD)
    with clean.session(ADMIN) as session:
        rows = list(session.execute(text("SELECT actor, action, subject, detail::text FROM audit_log ORDER BY seq")))
        assert audit.verify(session).intact
    assert [tuple(row)[:3] for row in rows] == [("root", "user.added", "ann"), ("C000001", "user.logged_in", "ann")]
    assert PASSWORD not in str(rows)


def test_customers_and_visitors_see_no_logins(accounts: Accounts, clean: Database) -> None:
    accounts.add_user("ann", PASSWORD, "customer", "C000001")
    ann = Principal(subject="C000001", role=Role.CUSTOMER, customer_id="C000001")
    for principal in (None, ann, Principal(subject="agent.li", role=Role.AGENT)):
        with clean.session(principal) as session:
            assert not UserRepository().enabled(session, 10)


@pytest.fixture(scope="module")
def one_account(database: Database) -> Iterator[tuple[Accounts, str]]:
    yield Accounts(database, QUICK), "hypothesis"
    with database.owner_session() as session:
        session.execute(text("DELETE FROM users WHERE username LIKE 'hypothesis%'"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(password=st.text(min_size=8, max_size=64), number=st.integers(0, 10**12))
def test_any_password_of_fair_length_logs_in(one_account: tuple[Accounts, str], password: str, number: int) -> None:
    accounts, prefix = one_account
    username = f"{prefix}{number}"
    try:
        accounts.add_user(username, password, "agent")
    except Conflict:
        accounts.set_password(username, password)
    assert accounts.authenticate(username, password).subject == username
