"""Sessions: whose rows are seen, what is kept, and what an error says."""

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, func, make_url, select, text
from sqlalchemy.orm import Session

from openteller.core.errors import BadInput, ConfigurationError, Conflict, NotAllowed, Unavailable
from openteller.core.records import Principal
from openteller.store.database import Database
from openteller.store.embedded import DATABASE
from openteller.store.tables import AccountRow, ConversationRow, CustomerRow, ProductRow
from tests.store.people import AGENT, ANN, BEN, VISITOR


def seen(database: Database, principal: Principal | None) -> set[str]:
    with database.session(principal) as session:
        return set(session.scalars(select(AccountRow.customer_id)))


def open_conversation(session: Session, principal: Principal) -> None:
    row = ConversationRow(
        conversation_id=uuid4(), owner=principal.subject, customer_id=principal.customer_id, channel="api"
    )
    session.add(row)
    session.flush()


def test_each_sees_their_own(people: Database) -> None:
    assert seen(people, ANN) == {"C000001"}
    assert seen(people, BEN) == {"C000002"}
    assert seen(people, AGENT) == {"C000001", "C000002"}
    assert seen(people, VISITOR) == set()
    assert seen(people, None) == set()


def test_the_principal_does_not_outlive_the_transaction(people: Database) -> None:
    for _ in range(3):
        assert len(seen(people, AGENT)) == 2
        assert seen(people, None) == set()


def test_a_setting_left_on_a_pooled_connection_is_overruled(people: Database) -> None:
    with people.session(None) as session:
        session.execute(text("SELECT set_config('openteller.role', 'admin', false)"))
    assert seen(people, None) == set()
    assert seen(people, BEN) == {"C000002"}


def test_the_owner_sees_all(people: Database) -> None:
    with people.owner_session() as session:
        assert session.scalar(select(func.count()).select_from(CustomerRow)) == 2


def test_an_error_takes_back_the_whole_transaction(clean: Database) -> None:
    def broken() -> None:
        with clean.session(VISITOR) as session:
            open_conversation(session, VISITOR)
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        broken()
    with clean.session(VISITOR) as session:
        assert session.scalar(select(func.count()).select_from(ConversationRow)) == 0
        open_conversation(session, VISITOR)
    with clean.session(VISITOR) as session:
        assert session.scalar(select(func.count()).select_from(ConversationRow)) == 1


def test_application_connections_are_set_up(database: Database) -> None:
    with database.session(None) as session:
        assert session.scalar(text("SELECT current_user")) == "openteller_app"
        assert session.scalar(text("SHOW hnsw.iterative_scan")) == "strict_order"
        assert session.scalar(text("SHOW timezone")) == "UTC"


def test_errors_speak_the_language_of_the_house(people: Database) -> None:
    with pytest.raises(Conflict, match="unique"), people.owner_session() as session:
        session.execute(
            text("INSERT INTO consents VALUES ('C000001', 'marketing', true), ('C000001', 'marketing', true)")
        )
    with pytest.raises(NotAllowed, match="row-level security"), people.session(VISITOR) as session:
        open_conversation(session, ANN)
    with pytest.raises(BadInput), people.session(AGENT) as session:
        session.scalar(select(CustomerRow).where(CustomerRow.customer_id == "a\x00b"))


def test_an_unreachable_server_is_named_as_such() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        database.ping()
    assert "teller doctor" in caught.value.next_step


@pytest.mark.parametrize("url", ["sqlite:///file.db", "not a url"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Database(url)


@pytest.fixture
def login(people: Database, database_urls: tuple[str, str]) -> Iterator[str]:
    """URL of a login that is a member of the application role and reads every row when it is itself."""
    url = make_url(database_urls[1])
    host = str(url.query["host"])
    with psycopg.connect(host=host, dbname=DATABASE, user=url.username) as connection:
        connection.execute("CREATE ROLE bank_login LOGIN BYPASSRLS IN ROLE openteller_app")
    yield url.set(username="bank_login").render_as_string(hide_password=False)
    with psycopg.connect(host=host, dbname=DATABASE, user=url.username) as connection:
        connection.execute("DROP ROLE bank_login")


def test_any_other_login_takes_the_application_role(people: Database, login: str) -> None:
    database = Database(login)
    try:
        assert seen(database, None) == set()
        assert seen(database, ANN) == {"C000001"}
    finally:
        database.dispose()


def test_one_url_alone_serves_owner_and_application(people: Database, database_urls: tuple[str, str]) -> None:
    database = Database(database_urls[1])
    try:
        database.upgrade()
        assert seen(database, None) == set()
        with database.owner_session() as session:
            assert session.scalar(text("SELECT current_user")) == "postgres"
    finally:
        database.dispose()


def test_an_application_role_that_may_bypass_is_refused(database_urls: tuple[str, str], clean: Database) -> None:
    with clean.owner_session() as session:
        session.execute(text("ALTER ROLE openteller_app BYPASSRLS"))
    database = Database(*database_urls)
    try:
        with pytest.raises(ConfigurationError, match="bypass"):
            database.ping()
    finally:
        database.dispose()
        with clean.owner_session() as session:
            session.execute(text("ALTER ROLE openteller_app NOBYPASSRLS"))


def test_missing_tables_point_to_the_upgrade(database_urls: tuple[str, str]) -> None:
    owner = create_engine(make_url(database_urls[1]).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text("CREATE DATABASE unmigrated"))
    url = make_url(database_urls[0]).set(database="unmigrated")
    database = Database(url.render_as_string(hide_password=False))
    try:
        with pytest.raises(Unavailable, match="lacks tables") as caught, database.session(AGENT) as session:
            session.scalar(select(ProductRow))
        assert "teller db upgrade" in caught.value.next_step
    finally:
        database.dispose()
        with owner.connect() as connection:
            connection.execute(text("DROP DATABASE unmigrated"))
        owner.dispose()
