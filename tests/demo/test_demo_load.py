from collections.abc import Callable, Iterable
from datetime import date

import pytest
from sqlalchemy import text

from openteller.core.errors import BadInput, Conflict
from openteller.core.records import Audience, Principal, Role
from openteller.customers.repository import CustomerRepository
from openteller.demo import load as loading
from openteller.demo.customers import customers
from openteller.demo.load import LOGINS, load, load_bank
from openteller.knowledge.records import Document
from openteller.products.repository import ProductRepository
from openteller.store.database import Database

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_BATCH", 4)


def count(database: Database, table: str) -> int:
    with database.owner_session() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def test_what_is_stored_is_what_was_made(clean: Database) -> None:
    report = load(clean, 6, seed=3, today=TODAY)
    made = list(customers(6, 3, TODAY))
    assert (report.added, report.kept) == (6, 0)
    assert report.transactions == sum(len(bundle.transactions) for bundle in made) == count(clean, "transactions")
    repository = CustomerRepository()
    for bundle in made:
        name = bundle.customer.customer_id
        with clean.session(Principal(subject=name, role=Role.CUSTOMER, customer_id=name)) as session:
            file = repository.file(session, name, TODAY)
        assert file.customer == bundle.customer
        assert file.accounts == tuple(sorted(bundle.accounts, key=lambda account: account.account_id))
        assert set(file.cards) == set(bundle.cards)
        assert set(file.holdings) == set(bundle.holdings)
        assert set(file.consents) == set(bundle.consents)
        assert set(file.bills) == set(bundle.bills)


def test_a_second_load_replaces_nothing_and_says_so(clean: Database) -> None:
    load(clean, 6, seed=3, today=TODAY)
    rows = count(clean, "transactions")
    again = load(clean, 6, seed=3, today=date(2026, 12, 3))
    assert (again.added, again.kept, again.transactions) == (0, 6, 0)
    assert "nothing was replaced" in again.summary
    assert count(clean, "transactions") == rows
    more = load(clean, 9, seed=3, today=TODAY)
    assert (more.added, more.kept) == (3, 6)
    assert "6 were stored already" in more.summary


def test_an_interrupted_load_goes_on_where_it_stopped(clean: Database) -> None:
    def stop(done: int, total: int, what: str) -> None:
        assert (total, what) == (10, "demo customers")
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(clean, 10, stop, seed=3, today=TODAY)
    assert count(clean, "customers") == 8
    report = load(clean, 10, seed=3, today=TODAY)
    assert (report.added, report.kept) == (2, 8)
    unbalanced = """SELECT count(*) FROM (
        SELECT a.account_id FROM accounts a LEFT JOIN transactions t USING (account_id)
        GROUP BY a.account_id, a.balance HAVING a.balance <> coalesce(sum(t.amount), 0)) AS wrong"""
    with clean.owner_session() as session:
        assert session.scalar(text(unbalanced)) == 0


def test_another_seed_is_refused(clean: Database) -> None:
    load(clean, 3, seed=3, today=TODAY)
    with pytest.raises(Conflict, match="C000001"):
        load(clean, 6, seed=4, today=TODAY)
    assert count(clean, "customers") == 3


def test_bounds(clean: Database) -> None:
    for wrong in (-1, 10**10):
        with pytest.raises(BadInput):
            load(clean, wrong)
    assert load(clean, 0, today=TODAY).added == 0


def test_a_load_leaves_an_audit_row(clean: Database) -> None:
    load(clean, 2, seed=3, today=TODAY)
    load(clean, 2, seed=3, today=TODAY)
    with clean.owner_session() as session:
        rows = session.execute(text("SELECT detail ->> 'added' FROM audit_log WHERE action = 'demo.customers_loaded'"))
        assert [row[0] for row in rows] == ["2"]


class Shelf:
    """Keeps what it is given, as the library does, without an index."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    def add(self, documents: Iterable[Document], *, actor: str, progress: Callable[[int, int], None] | None) -> int:
        given = {document.document_id: document for document in documents}
        new = {name for name in given if self.documents.get(name) != given[name]}
        self.documents |= given
        if progress:
            progress(len(given), len(given))
        assert actor == "demo"
        return len(new)


def test_the_bank_has_its_products_documents_and_logins(clean: Database) -> None:
    shelf, logins, steps = Shelf(), {}, []

    def add_user(username: str, role: Role, customer_id: str | None) -> None:
        if username in logins:
            raise Conflict("taken")
        logins[username] = (role, customer_id)

    report = load_bank(clean, shelf, lambda done, total, what: steps.append((done, total, what)), add_user=add_user)
    with clean.session(None) as session:
        products = ProductRepository().all(session)
    assert report.products == len(products) >= 60
    assert report.documents == len(shelf.documents)
    assert report.logins == len(LOGINS) == len(logins)
    assert logins["C000005"] == (Role.CUSTOMER, "C000005")
    assert {what for _, _, what in steps} == {"products", "documents"}
    again = load_bank(clean, shelf, add_user=add_user)
    assert (again.products, again.documents, again.logins) == (0, 0, 0)


def test_every_product_has_a_page_in_both_languages_with_its_figures(clean: Database) -> None:
    shelf = Shelf()
    assert load_bank(clean, shelf).logins == 0
    with clean.session(None) as session:
        products = ProductRepository().all(session)
    for product in products:
        for language in ("zh", "en"):
            page = shelf.documents[f"product:{product.id}:{language}"]
            assert (page.title, page.audience, page.answer) == (product.name.of(language), Audience.PUBLIC, None)
            assert (page.valid_from, page.valid_to) == (product.valid_from, product.valid_to)
            assert "{{" not in page.body
            for rate in product.rates:
                assert f"{rate.rate}%" in page.body
            for fee in product.fees:
                assert fee.label.of(language)[:6] in page.body
            assert str(product.risk_grade) in page.body
    page = shelf.documents["product:CARD-TRAVEL:en"].body
    for piece in ("¥380.00", "¥150,000.00", "Aged 18–65", "¥6,000.00 a month", "17.89%"):
        assert piece in page


def test_the_bank_is_large_enough(clean: Database) -> None:
    shelf = Shelf()
    load_bank(clean, shelf)
    articles = [d for d in shelf.documents.values() if d.answer is not None]
    assert len({d.group_id for d in articles if d.language == "zh"}) >= 120
    assert {d.audience for d in articles} >= {Audience.PUBLIC, Audience.STAFF}
    assert any(d.valid_to for d in articles)
