"""Loading the demo bank: its customers, its products, its documents, its survey and its logins. All of it can be done twice.

What staff did to the documents stays: a withdrawn one stays withdrawn, an edited one as they left it. A document counts
as edited when its text is none that a load ever wrote; the audit log remembers those. So does what they did to the survey.
Customers go in a batch a transaction; what was stored stays, so an interrupted load goes on where it stopped.
Knows nothing about passwords: who loads the bank hands over how a login is added.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from pydantic import Field

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, Conflict
from openteller.core.records import Principal, Record, Role
from openteller.customers.records import Customer
from openteller.demo import customers as people
from openteller.demo.ledger import Calendar
from openteller.demo.product_pages import pages
from openteller.demo.repository import DemoRepository
from openteller.insights.surveys.authoring import read as read_survey
from openteller.insights.surveys.desk import SurveyDesk
from openteller.knowledge.articles import read_articles
from openteller.knowledge.records import Document
from openteller.products.catalogue import read_products
from openteller.products.repository import ProductRepository
from openteller.store import audit
from openteller.store.database import Database

SEED = 20_261
CUSTOMERS = 2_000
BANK = Path(__file__).parent / "bank"
LOGINS: tuple[tuple[str, Role, str | None], ...] = (
    *((f"C{number:06d}", Role.CUSTOMER, f"C{number:06d}") for number in range(1, 6)),
    ("agent", Role.AGENT, None),
    ("analyst", Role.ANALYST, None),
    ("admin", Role.ADMIN, None),
)
_BATCH = 200
_SELF = Principal(subject="demo", role=Role.SERVICE)

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is, and what it is."""
AddUser = Callable[[str, Role, str | None], object]
"""Adds a login of that name, role and customer; raises Conflict when there is one."""


class Shelves(Protocol):
    """What loading needs of the library."""

    def add(self, documents: Iterable[Document], *, actor: str, progress: Callable[[int, int], None] | None) -> int: ...
    def stored(self, document_ids: Iterable[str]) -> Mapping[str, Document]: ...


class LoadReport(Record):
    """What one load of customers did."""

    seed: int
    added: int = Field(description="customers written")
    kept: int = Field(description="customers that were stored already, left as they are")
    transactions: int = Field(description="movements written")
    seconds: float

    @property
    def summary(self) -> str:
        """The report in one sentence."""
        if not self.added:
            return f"All {self.kept:,} customers of seed {self.seed} are stored already; nothing was replaced."
        kept = f"; {self.kept:,} were stored already and left as they are" if self.kept else ""
        return f"{self.added:,} customers with {self.transactions:,} movements added in {self.seconds:.0f} s{kept}."


class BankReport(Record):
    """What one load of the bank wrote; what was there and alike is not counted."""

    products: int
    documents: int
    logins: int
    withdrawn: int = Field(0, description="documents that staff withdrew, left so")
    edited: int = Field(0, description="documents that staff changed, left so")

    @property
    def summary(self) -> str:
        """What was left to staff, in one sentence; empty when nothing was."""
        if not self.withdrawn and not self.edited:
            return ""
        left = f"{self.withdrawn} withdrawn and {self.edited} edited documents were left as staff made them"
        return f"{left}; `teller demo load --reset` restores the demo's own."


def load(
    database: Database,
    count: int = CUSTOMERS,
    progress: Progress | None = None,
    *,
    seed: int = SEED,
    today: date | None = None,
    zone: str = "Asia/Shanghai",
) -> LoadReport:
    """Write the customers 1 to `count` of `seed` that are not stored yet, in constant memory.

    Args:
        database: migrated; its owner may bypass row-level security.
        count: number of the last customer.
        progress: called after each batch.
        seed: of all chance.
        today: the day the books end; None: this day in `zone`.
        zone: IANA name of the bank's time zone.

    Raises:
        BadInput: count or seed is out of bounds.
        Conflict: customers of another seed, or of a real bank, have these numbers. Batches before stay stored.
        ConfigurationError: row-level security binds the owner.
    """
    if not 0 <= count <= people.MAX_CUSTOMERS or seed < 0:
        raise BadInput(
            f"{count} customers of seed {seed} cannot be made.",
            next_step=f"Ask for 0 to {people.MAX_CUSTOMERS:,} customers and a seed of 0 or more.",
        )
    started, calendar = time.monotonic(), Calendar(today or local_date(utc_now(), zone), zone)
    added = movements = 0
    for first in range(1, count + 1, _BATCH):
        numbers = range(first, min(first + _BATCH, count + 1))
        written, booked = _load_batch(database, numbers, seed, calendar)
        added, movements = added + written, movements + booked
        if progress:
            progress(numbers[-1], count, "demo customers")
    report = LoadReport(
        seed=seed,
        added=added,
        kept=count - added,
        transactions=movements,
        seconds=round(time.monotonic() - started, 3),
    )
    if added:
        with database.owner_session() as session:
            DemoRepository().analyse(session)
            audit.record(session, "demo", "demo.customers_loaded", f"seed {seed}", report.model_dump(mode="json"))
    return report


def _load_batch(database: Database, numbers: Sequence[int], seed: int, calendar: Calendar) -> tuple[int, int]:
    """Write the missing customers of one batch; how many, and how many movements."""
    repository = DemoRepository()
    with database.owner_session() as session:
        repository.begin(session)
        stored = repository.phones(session, [f"C{number:06d}" for number in numbers])
        known = [number for number in numbers if f"C{number:06d}" in stored]
        if known:
            _require_ours(people.profile(known[0], seed, calendar.today), stored)
        missing = [number for number in numbers if f"C{number:06d}" not in stored]
        bundles = [people.bundle(number, seed, calendar) for number in missing]
        repository.copy(session, bundles)
    return len(bundles), sum(len(bundle.transactions) for bundle in bundles)


def _require_ours(expected: Customer, stored: dict[str, str]) -> None:
    if stored[expected.customer_id] != expected.phone:
        raise Conflict(
            f"The customer {expected.customer_id} is stored and not from this seed.",
            cause="Customers of another seed, or real ones, are in the database.",
            next_step="Load the seed that is there, or use an empty database.",
        )


def load_bank(
    database: Database,
    library: Shelves,
    progress: Progress | None = None,
    *,
    add_user: AddUser | None = None,
    reset: bool = False,
) -> BankReport:
    """Write the demo bank's products, articles and product pages, and its logins when `add_user` is given.

    Args:
        database: migrated.
        library: takes the documents; what it has already it leaves alone.
        progress: called for each part as it goes on.
        add_user: adds a login, in dev mode only; None adds none.
        reset: restore documents that staff withdrew or edited.

    Raises:
        BadInput: a file of the bank cannot be used; the message names it.
    """
    products = read_products(BANK / "products")
    with database.owner_session() as session:
        written = ProductRepository().upsert(session, products)
    if progress:
        progress(len(products), len(products), "products")
    shipped = [*read_articles(BANK / "articles"), *pages(products)]
    stored = {} if reset else library.stored(document.document_id for document in shipped)
    withdrawn = {name for name, document in stored.items() if document.status == "withdrawn"}
    edited = _edited(database, shipped, stored)
    ours = {d.document_id: _fingerprint(d) for d in shipped if d.document_id not in withdrawn | edited}
    with database.session(_SELF) as session:
        # Before the documents: a load that is cut off must not take its own texts for somebody's edits.
        DemoRepository().note_loaded(session, ours)
    # An edited document goes in as it is stored: nothing happens, unless a new model needs its passages anew.
    wanted = [
        stored[document.document_id] if document.document_id in edited else document
        for document in shipped
        if document.document_id not in withdrawn
    ]
    added = library.add(wanted, actor="demo", progress=_passages(progress))
    logins = _add_logins(add_user) if add_user else 0
    return BankReport(products=written, documents=added, logins=logins, withdrawn=len(withdrawn), edited=len(edited))


def load_survey(desk: SurveyDesk, *, reset: bool = False) -> bool:
    """Store the survey that the demo bank asks after conversations; whether anything was stored.

    One that staff wrote a version of or closed stays as they left it, unless `reset`: then the demo's own is open again.
    """
    file = BANK / "surveys" / "service.yaml"
    survey = read_survey(file.read_bytes(), file.name)
    found = next((one.stored for one in desk.list(_SELF) if one.stored.survey.name == survey.name), None)
    if found and not reset and (found.created_by != _SELF.subject or not found.open):
        return False
    stored, added = desk.create(_SELF, survey)
    if not stored.open:
        desk.set_open(_SELF, survey.name, True)
    return added


def _edited(database: Database, shipped: Iterable[Document], stored: Mapping[str, Document]) -> set[str]:
    """Which active documents hold a text that neither ships now nor was ever loaded."""
    with database.session(_SELF) as session:
        loaded = DemoRepository().loaded(session)
    ours = loaded | {(document.document_id, _fingerprint(document)) for document in shipped}
    return {n for n, d in stored.items() if d.status == "active" and (n, _fingerprint(d)) not in ours}


def _fingerprint(document: Document) -> str:
    content = document.model_dump(mode="json", exclude={"status"})
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _passages(progress: Progress | None) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(done, total, "documents")


def _add_logins(add_user: AddUser) -> int:
    added = 0
    for username, role, customer_id in LOGINS:
        try:
            add_user(username, role, customer_id)
        except Conflict:
            continue
        added += 1
    return added
