from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from openteller.core.errors import BadInput, Conflict
from openteller.core.records import Audience, Principal, Role
from openteller.customers.repository import CustomerRepository
from openteller.demo import load as loading
from openteller.demo.customers import customers
from openteller.demo.load import LOGINS, load, load_bank, load_survey
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.surveys.desk import SurveyDesk
from openteller.knowledge.library import Library
from openteller.knowledge.records import Document
from openteller.products.repository import ProductRepository
from openteller.runtime.scripted import ScriptedEmbedder
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

    def stored(self, document_ids: Iterable[str]) -> dict[str, Document]:
        return {name: self.documents[name] for name in document_ids if name in self.documents}


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
            assert page.body.count("{{") == 1
            for rate in product.rates:
                assert f"{rate.rate}%" in page.body
            for fee in product.fees:
                assert fee.label.of(language)[:6] in page.body
            assert f"{{{{{product.id}.risk_grade}}}}" in page.body
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


def small_bank(monkeypatch: pytest.MonkeyPatch, **answers: str) -> None:
    """A bank that ships these articles, document_id → answer, and no product."""
    articles = [
        Document(document_id=name, title=name, language="en", group_id=name, answer=answer, questions=(f"{name}?",))
        for name, answer in answers.items()
    ]
    monkeypatch.setattr(loading, "read_articles", lambda folder: articles)
    monkeypatch.setattr(loading, "read_products", lambda folder: [])


def answers(library: Library) -> dict[str, str | None]:
    """What anybody finds, by id."""
    return {d.document_id: d.answer for d in library.list(Principal(subject="visitor:1", role=Role.VISITOR))}


def test_a_load_leaves_what_staff_withdrew_or_edited(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(clean, ScriptedEmbedder())
    small_bank(monkeypatch, fees="Free.", hours="9 to 5.", cards="Call us.")
    assert load_bank(clean, library).documents == 3
    library.withdraw("fees", actor="li")
    hours = library.stored(["hours"])["hours"]
    library.add([hours.model_copy(update={"answer": "10 to 4."})], actor="li")

    again = load_bank(clean, library)
    assert (again.documents, again.withdrawn, again.edited) == (0, 1, 1)
    assert answers(library) == {"hours": "10 to 4.", "cards": "Call us."}
    assert "--reset" in again.summary

    small_bank(monkeypatch, fees="Now 1 %.", hours="8 to 6.", cards="Use the app.", loans="Ask us.")
    newer = load_bank(clean, library)
    assert (newer.documents, newer.withdrawn, newer.edited) == (2, 1, 1)
    assert answers(library) == {"hours": "10 to 4.", "cards": "Use the app.", "loans": "Ask us."}

    reset = load_bank(clean, library, reset=True)
    assert (reset.documents, reset.withdrawn, reset.edited, reset.summary) == (2, 0, 0, "")
    assert answers(library) == {"fees": "Now 1 %.", "hours": "8 to 6.", "cards": "Use the app.", "loans": "Ask us."}
    assert load_bank(clean, library).documents == 0


def test_a_load_that_is_cut_off_takes_its_own_texts_for_nobodys_edits(
    clean: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(clean, ScriptedEmbedder())
    small_bank(monkeypatch, fees="Free.", hours="9 to 5.")
    real = library.add

    def cut_off(documents: Iterable[Document], **given: Any) -> int:
        real(list(documents)[:1], **given)
        raise KeyboardInterrupt

    monkeypatch.setattr(library, "add", cut_off)
    with pytest.raises(KeyboardInterrupt):
        load_bank(clean, library)
    monkeypatch.setattr(library, "add", real)
    small_bank(monkeypatch, fees="1 %.", hours="8 to 6.")
    report = load_bank(clean, library)
    assert (report.documents, report.edited) == (2, 0)
    assert answers(library) == {"fees": "1 %.", "hours": "8 to 6."}


def test_another_model_indexes_anew_what_staff_edited(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    small_bank(monkeypatch, fees="Free.", hours="9 to 5.")
    library = Library(clean, ScriptedEmbedder(), index_version="1")
    load_bank(clean, library)
    library.add([library.stored(["fees"])["fees"].model_copy(update={"answer": "2 %."})], actor="li")
    newer = Library(clean, ScriptedEmbedder(), index_version="2")
    report = load_bank(clean, newer)
    assert (report.documents, report.edited) == (2, 1)
    assert answers(newer) == {"fees": "2 %.", "hours": "9 to 5."}


def test_no_shipped_document_reads_back_as_edited(clean: Database) -> None:
    library = Library(clean, ScriptedEmbedder())
    assert load_bank(clean, library).documents > 300
    with clean.owner_session() as session:
        session.execute(text("ALTER TABLE audit_log DISABLE TRIGGER refuse"))
        session.execute(text("DELETE FROM audit_log"))
        session.execute(text("ALTER TABLE audit_log ENABLE ALWAYS TRIGGER refuse"))
    again = load_bank(clean, library)
    assert (again.documents, again.edited, again.withdrawn) == (0, 0, 0)


def test_the_survey_is_asked_and_stays_as_staff_left_it(clean: Database) -> None:
    embedder = ScriptedEmbedder()
    desk = SurveyDesk(
        clean,
        AlertDesk(clean),
        redact=str,
        key=lambda: "k",
        embed=lambda words: embedder.embed(words, "query"),
        zone="Asia/Shanghai",
    )
    visitor, analyst = Principal(subject="v", role=Role.VISITOR), Principal(subject="li", role=Role.ANALYST)
    assert load_survey(desk)
    asked = desk.after_conversation(visitor)
    assert asked
    assert (asked.survey.name, asked.version, asked.open) == ("service", 1, True)
    assert not load_survey(desk)

    desk.set_open(analyst, "service", False)
    assert not load_survey(desk)
    assert desk.after_conversation(visitor) is None
    assert not load_survey(desk, reset=True)
    assert desk.after_conversation(visitor) == asked

    desk.create(analyst, asked.survey.model_copy(update={"hand_off_at": 1}))
    assert not load_survey(desk)
    assert load_survey(desk, reset=True)
    newest = desk.get(analyst, "service")
    assert (newest.version, newest.survey) == (3, asked.survey)
