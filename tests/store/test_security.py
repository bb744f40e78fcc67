"""Row-level security: every customer-owned table is under it, and the application role has no way round.

One way is open by design: the role may set any principal, so naming the right one is the application's duty.
"""

from uuid import uuid4

import pytest
from sqlalchemy import text

from openteller.core.errors import NotAllowed, OpenTellerError
from openteller.core.records import Principal, Role
from openteller.store.database import Database
from openteller.store.tables import Base, UserRow
from tests.store.people import AGENT, ANN, BEN, VISITOR

OWNED = sorted(name for name, table in Base.metadata.tables.items() if {"customer_id", "owner"} & set(table.c.keys()))
# The bank's own, without anybody's data: their policies hold for the application, not for the owner of the tables.
OF_THE_BANK = {"behaviour_runs", "campaigns", "documents", "experiments", "passages", "product_grades", "products"}
GUARDED = sorted(set(Base.metadata.tables) - OF_THE_BANK)


def run(database: Database, principal: Principal | None, statement: str) -> int:
    """Rows that the statement touched."""
    with database.session(principal) as session:
        return session.execute(text(statement)).rowcount  # type: ignore[attr-defined, no-any-return]


def test_every_owned_table_is_under_forced_row_level_security(database: Database) -> None:
    query = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
    with database.owner_session() as session:
        assert list(session.scalars(text(query))) == GUARDED


def test_the_application_role_owns_nothing_and_has_no_rights_beyond_rows(database: Database) -> None:
    with database.owner_session() as session:
        owned = "SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = 'openteller_app'"
        assert session.scalar(text(owned)) == 0
        memberships = "SELECT count(*) FROM pg_auth_members WHERE member = 'openteller_app'::regrole"
        assert session.scalar(text(memberships)) == 0
        more = "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'openteller_app' AND "
        more += "privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')"
        assert session.scalar(text(more)) == 0
        audit = "SELECT string_agg(privilege_type, ',' ORDER BY 1) FROM information_schema.role_table_grants "
        audit += "WHERE grantee = 'openteller_app' AND table_name = 'audit_log'"
        assert session.scalar(text(audit)) == "INSERT,SELECT"


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "ALTER ROLE openteller_app BYPASSRLS",
        "ALTER TABLE accounts DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE accounts OWNER TO openteller_app",
        "DROP POLICY own_read ON accounts",
        "CREATE POLICY mine ON accounts USING (true)",
        "TRUNCATE accounts",
        "SET row_security = off; SELECT * FROM accounts",
        "SET session_replication_role = replica",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP EXTENSION vector",
        "COPY accounts TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "SELECT * FROM pg_authid",
    ],
)
@pytest.mark.parametrize("principal", [None, AGENT])
def test_the_application_role_cannot_lift_it(people: Database, statement: str, principal: Principal | None) -> None:
    with pytest.raises(OpenTellerError) as caught:
        run(people, principal, statement)
    assert isinstance(caught.value, NotAllowed), caught.value


def test_the_application_role_grants_nothing(people: Database) -> None:
    """PostgreSQL answers such a grant with a warning."""
    run(people, AGENT, "GRANT ALL ON accounts TO PUBLIC")
    with people.owner_session() as session:
        assert not session.scalar(text("SELECT has_table_privilege('public', 'accounts', 'SELECT')"))


@pytest.mark.parametrize("table", OWNED)
def test_without_a_principal_nothing_is_seen(people: Database, table: str) -> None:
    assert run(people, None, f"SELECT * FROM {table}") == 0
    assert run(people, None, "SELECT * FROM audit_log") == 0


def test_a_customer_cannot_touch_another(people: Database) -> None:
    assert run(people, ANN, "SELECT * FROM accounts WHERE customer_id = 'C000002'") == 0
    assert run(people, ANN, "UPDATE cards SET status = 'frozen' WHERE customer_id = 'C000002'") == 0
    assert run(people, ANN, "DELETE FROM customers") == 0
    with pytest.raises(NotAllowed):
        run(people, ANN, "INSERT INTO consents VALUES ('C000002', 'marketing', true)")
    with pytest.raises(NotAllowed):
        run(people, ANN, "UPDATE cards SET customer_id = 'C000002'")


def test_a_customer_freezes_their_card_and_consents_but_writes_no_balance(people: Database) -> None:
    assert run(people, ANN, "UPDATE cards SET status = 'frozen'") == 1
    assert run(people, ANN, "INSERT INTO consents VALUES ('C000001', 'marketing', true)") == 1
    assert run(people, ANN, "UPDATE consents SET granted = false") == 1
    assert run(people, ANN, "UPDATE accounts SET balance = 1000000") == 0
    assert run(people, AGENT, "SELECT * FROM accounts WHERE balance = 100.10") == 2


def test_a_join_or_a_function_with_side_effects_leaks_nothing(people: Database) -> None:
    leak = "SELECT * FROM accounts WHERE 1 / (CASE WHEN customer_id = 'C000002' THEN 0 ELSE 1 END) = 1"
    assert run(people, ANN, leak) == 1
    assert run(people, ANN, "SELECT * FROM customers c, accounts a WHERE a.customer_id <> c.customer_id") == 0


def test_nobody_joins_a_conversation_of_another_with_raw_sql(people: Database) -> None:
    conversation = uuid4()
    owned = f"('{conversation}', 'C000002', 'C000002', 'api')"
    run(people, BEN, f"INSERT INTO conversations (conversation_id, owner, customer_id, channel) VALUES {owned}")
    turn = f"""INSERT INTO turns VALUES ('{uuid4()}', '{conversation}', 'visitor:one', NULL, now(), 'en', 'x',
        'neutral', 'answered', '{{}}', '{{}}', '{{}}', '[]', '{{}}')"""
    with pytest.raises(NotAllowed):
        run(people, VISITOR, turn)


@pytest.mark.parametrize("principal", [None, VISITOR, ANN])
def test_only_staff_writes_the_catalogue(people: Database, principal: Principal | None) -> None:
    product = (
        "INSERT INTO products (product_id, category, data, valid_from) VALUES ('P1', 'deposit', '{}', '2024-01-01')"
    )
    with pytest.raises(NotAllowed):
        run(people, principal, product)
    assert run(people, AGENT, product) == 1
    assert run(people, principal, "SELECT * FROM products") == 1
    assert run(people, principal, "UPDATE products SET category = 'fund'") == 0
    assert run(people, principal, "DELETE FROM products") == 0


@pytest.fixture
def user(people: Database) -> Database:
    """A user of the bank."""
    with people.session(Principal(subject="root", role=Role.ADMIN)) as session:
        session.add(UserRow(username="agent.li", password_hash="$argon2id$x", role="agent"))
    return people


def test_users_are_for_administrators(user: Database) -> None:
    for principal in (None, VISITOR, ANN, AGENT):
        assert run(user, principal, "SELECT * FROM users") == 0
    assert run(user, Principal(subject="login", role=Role.SERVICE), "SELECT * FROM users") == 1


def test_login_looks_up_one_user_by_exact_name(user: Database) -> None:
    with user.session(None) as session:
        found = session.execute(text("SELECT * FROM openteller_login('agent.li')")).mappings().one()
        assert (found["role"], found["disabled"]) == ("agent", False)
        assert session.execute(text("SELECT * FROM openteller_login('agent%')")).first() is None
        assert session.scalar(text("SELECT openteller_role()")) == "", "the function's own role ends with it"


def test_the_lexical_index_serves_the_application_role(database: Database) -> None:
    """A policy that reads true must not keep PostgreSQL from the index of an operator that may leak."""
    with database.session(None) as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(
            session.scalars(text("EXPLAIN SELECT id FROM passages WHERE lexemes @@ to_tsquery('simple', 'a')"))
        )
        assert "ix_passages_lexemes" in plan
        near = "EXPLAIN SELECT id FROM passages ORDER BY embedding <=> array_fill(0.1, ARRAY[896])::vector LIMIT 5"
        assert "ix_passages_embedding" in "\n".join(session.scalars(text(near)))


def test_the_policies_leave_the_customer_index_usable(database: Database) -> None:
    with database.session(ANN) as session:
        session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
        query = "EXPLAIN SELECT * FROM transactions WHERE customer_id = 'C000001' ORDER BY booked_at DESC LIMIT 20"
        plan = "\n".join(session.scalars(text(query)))
    assert "Index Cond: (customer_id = 'C000001'" in plan
    assert "Sort" not in plan
