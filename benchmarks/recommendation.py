"""How good and how fast recommendation is, beside what others do, on public data in one protocol each.

    OPENTELLER_DATA=… python benchmarks/recommendation.py movielens                what serves, on the validation events
    OPENTELLER_DATA=… python benchmarks/recommendation.py movielens --test         the test events (look once, at the end)
    OPENTELLER_DATA=… python benchmarks/recommendation.py bank-marketing           the last fifth of the file, by time
    OPENTELLER_DATA=… python benchmarks/recommendation.py bank-marketing --test test.csv
    python benchmarks/recommendation.py online                                     200 products, 20 offers, milliseconds
    python benchmarks/recommendation.py batch                                      customers a second at two sizes

MovieLens-100K: each person's last rating is the test, the last but one the validation; a rating counts as an event whatever
its stars; ranks are among all films that the person has not rated before.
Bank marketing: rows in the order of time; `duration` is never read. Settings are chosen on the last eighth of the first
four fifths, by fitting on what comes before it; the last fifth is only measured. What a row says about the day (how many calls
were made on the days before, how many so far on this one) is taken from the rows before it alone.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import numpy as np
from rich.console import Console
from rich.table import Table as Printed

from openteller.customers.behaviour import CustomerFile, observe
from openteller.customers.records import Consent
from openteller.demo.customers import CustomerBundle
from openteller.demo.customers import customers as people
from openteller.demo.load import BANK
from openteller.products.catalogue import read_products
from openteller.products.records import Product
from openteller.recommendation import measures
from openteller.recommendation.batch import offers_of
from openteller.recommendation.candidates.factors import AlternatingLeastSquares
from openteller.recommendation.candidates.generator import CandidateGenerator
from openteller.recommendation.candidates.neighbours import Ease, ItemNeighbours, Successors
from openteller.recommendation.candidates.popular import Popular
from openteller.recommendation.interactions import Floats, Interactions
from openteller.recommendation.learning import learn
from openteller.recommendation.moments import unasked
from openteller.recommendation.offer_model import LearntOffers
from openteller.recommendation.pipeline import Pipeline
from openteller.recommendation.ranking import Ranker, RankerSettings, Table
from openteller.recommendation.recommender import Recommender
from openteller.recommendation.records import LoggedImpression
from openteller.training.recipes import data_path

UNKNOWN = "unknown"
WHO = ("job", "marital", "education", "default", "housing", "loan")
ECONOMY = ("euribor3m", "emp.var.rate", "nr.employed")
OUTCOMES = {"failure": 0.0, "nonexistent": 1.0, "success": 2.0}
FEWER_IS_BETTER = ("campaign", "calls yesterday", "calls of five days", "calls so far", *ECONOMY)
PLAIN_LEFT_OUT = frozenset({"duration", "y"})


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    films = actions.add_parser("movielens")
    films.add_argument("--test", action="store_true", help="the test events, in place of the validation")
    films.set_defaults(run=movielens)
    calls = actions.add_parser("bank-marketing")
    calls.add_argument("--test", type=Path, metavar="FILE", help="rows that come after the whole file")
    calls.set_defaults(run=bank_marketing)
    for name, run in (("online", online), ("batch", batch)):
        added = actions.add_parser(name)
        added.add_argument("--customers", type=int, default=2_000)
        added.set_defaults(run=run)
    given = parser.parse_args()
    given.run(given)


# -- MovieLens-100K --


def views() -> list[CandidateGenerator]:
    """What the pipeline weighs; chosen on the validation events (lab/LOG.md)."""
    return [
        Popular(),
        ItemNeighbours(decay=0.85),
        Ease(decay=0.9, ridge=500),
        Successors(decay=0.8, window=10, fading=0.9, backwards=0.3),
        AlternatingLeastSquares(factors=32, regularisation=5, alpha=10, iterations=5, decay=0.95),
    ]


RANKING = RankerSettings(rounds=150, leaves=15, least=50)
ROWS: tuple[tuple[str, Callable[[], CandidateGenerator]], ...] = (
    ("popularity", Popular),
    ("item-kNN", ItemNeighbours),
    ("EASE", lambda: Ease(ridge=100)),
    ("ALS", lambda: AlternatingLeastSquares(factors=64, regularisation=0.1, alpha=10)),
    ("EASE, late events count more", lambda: Ease(decay=0.9, ridge=500)),
    ("successors", lambda: Successors(decay=0.8, window=10, fading=0.9, backwards=0.3)),
)


def movielens(given: argparse.Namespace) -> None:
    """One protocol for all."""
    file = data_path("movielens100k/ml-100k.inter")
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    events = Interactions.of((person, film, float(at), 1.0) for person, film, _, at in rows)
    steps = 0 if given.test else 1
    known, target = events.earlier(steps + 1), events.target(steps)
    had = known.matrix().toarray() > 0
    printed = _printed(f"{'test' if given.test else 'validation'}: {len(known.customers)} people, {len(known.products)} films", ("", "NDCG@10", "HR@10", "MAP@10", "coverage", "novelty", "s"))  # fmt: skip
    for name, make in ROWS:
        began, generator = time.perf_counter(), make()
        generator.fit(known)
        _film_row(printed, name, generator.scores(known), target, had, known, began)
    began = time.perf_counter()
    ours = Pipeline(views(), RANKING).fit(known)
    _film_row(printed, "ours: all views, ranked", ours.scores(known), target, had, known, began)
    Console(width=150).print(printed)


def _film_row(
    printed: Printed, name: str, scores: Floats, target: np.ndarray, had: np.ndarray, known: Interactions, began: float
) -> None:
    seconds = time.perf_counter() - began
    found = measures.report(measures.ranks(scores, target, had))
    best = measures.top(scores, had)
    printed.add_row(
        name, str(found["ndcg@10"]), str(found["recall@10"]), f"{found['map@10'].value:.4f}",
        f"{measures.coverage(best, len(known.products)):.3f}", f"{measures.novelty(best, known):.2f}", f"{seconds:.1f}",
    )  # fmt: skip


# -- bank marketing --


@dataclass(frozen=True)
class Calls:
    """Rows of the file in the order of time: their columns as text, and how many days of calls came before each."""

    columns: dict[str, list[str]]
    day: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    def part(self, first: int, last: int) -> "Calls":
        """Rows `first` to before `last`."""
        return Calls({name: values[first:last] for name, values in self.columns.items()}, self.day[first:last])

    @property
    def gold(self) -> np.ndarray:
        """(rows,) 1 where the deposit was opened."""
        return np.array([float(value == "yes") for value in self.columns["y"]])


def read_calls(*files: Path) -> Calls:
    """The rows of the files one after the other. A day ends where the month or the day of the week changes."""
    rows: list[dict[str, str]] = []
    for file in files:
        with file.open(encoding="utf-8", newline="") as lines:
            rows += csv.DictReader(lines, delimiter=";")
    columns = {name: [row[name] for row in rows] for name in rows[0] if name != "duration"}
    days = list(zip(columns["month"], columns["day_of_week"], strict=True))
    begins = [at > 0 and day != days[at - 1] for at, day in enumerate(days)]
    return Calls(columns, np.cumsum(begins))


def our_table(calls: Calls, codes: dict[str, list[str]]) -> Table:
    """Features that keep their meaning when the campaign changes: no channel, no calendar, no price level."""
    columns = {name: _coded(calls.columns[name], codes[name]) for name in WHO}
    columns |= {name: np.array(calls.columns[name], dtype=float) for name in ("age", "campaign", "previous", *ECONOMY)}
    columns["last outcome"] = np.array([OUTCOMES[value] for value in calls.columns["poutcome"]])
    return Table(
        tuple(columns) + LOAD, np.column_stack([*columns.values(), _load(calls)]).astype(np.float32),
        at=calls.day * 86_400.0,
    )  # fmt: skip


LOAD = ("calls yesterday", "calls of five days", "calls so far")


def _load(calls: Calls) -> np.ndarray:
    """(rows, 3) how busy the callers were: few calls are chosen calls. From the rows before each alone."""
    first = calls.day[0]
    counts = np.bincount(calls.day - first).astype(float)
    before = np.array([np.nan, *counts[:-1]])
    five = np.array([np.mean(counts[max(0, day - 5) : day]) if day else np.nan for day in range(len(counts))])
    starts = np.cumsum(counts) - counts
    place = calls.day - first
    return np.column_stack([before[place], five[place], np.arange(len(calls)) - starts[place]])


def plain_table(calls: Calls, codes: dict[str, list[str]]) -> Table:
    """Every column as it stands."""
    columns = {
        name: _coded(values, codes[name]) if name in codes else np.array(values, dtype=float)
        for name, values in calls.columns.items()
        if name not in PLAIN_LEFT_OUT
    }
    return Table(tuple(columns), np.column_stack(list(columns.values())).astype(np.float32))


def _coded(values: Sequence[str], kinds: Sequence[str]) -> np.ndarray:
    places = {kind: float(place) for place, kind in enumerate(kinds)}
    return np.array([places.get(value, np.nan) for value in values])


OURS = RankerSettings(
    "probability", rounds=150, leaves=7, least=100, features=0.5, increasing=("last outcome",), decreasing=FEWER_IS_BETTER,
    kinds=WHO,
)  # fmt: skip
TRIED = [replace(OURS, leaves=leaves, half_life_days=days) for leaves in (3, 7, 15) for days in (None, 20.0, 60.0)]


def bank_marketing(given: argparse.Namespace) -> None:
    """Choose inside the first four fifths; measure on the last."""
    file = data_path("bank_marketing/train.csv")
    calls = read_calls(file, *([given.test] if given.test else []))
    size = len(read_calls(file))
    split, end = (size, len(calls)) if given.test else (int(0.8 * size), size)
    inner = int(0.7 * size)
    words = {n for n, values in calls.columns.items() if n != "y" and not _is_number(values[0])}
    codes = {name: sorted({*calls.columns[name][:split]}) for name in words}
    chosen, tried = _chosen(calls, inner, int(0.8 * size), codes)
    printed = _printed(f"AUC on rows {split:,} to {end:,}", ("", "AUC", "95 %", "calibration error"))
    plain = RankerSettings("probability", rounds=100, rate=0.1, leaves=31, least=20, features=1, rows=1, ridge=0, kinds=tuple(sorted(words)))  # fmt: skip
    for name, settings, table in (
        ("LightGBM on every column, its defaults", plain, plain_table(calls, codes)),
        (f"ours ({chosen.leaves} leaves, half-life {chosen.half_life_days} days)", chosen, our_table(calls, codes)),
    ):
        ranker = Ranker.fit(_rows(table, 0, split), calls.gold[:split], settings)
        scores, gold = ranker.scores(_rows(table, split, end)), calls.gold[split:end]
        low, high = _auc_interval(scores, gold)
        area = measures.area_under_curve(scores, gold)
        printed.add_row(name, f"{area:.4f}", f"[{low:.4f}, {high:.4f}]", f"{measures.calibration(scores, gold):.4f}")
    Console(width=150).print(tried, printed)


def _chosen(calls: Calls, inner: int, split: int, codes: dict[str, list[str]]) -> tuple[RankerSettings, Printed]:
    printed = _printed(f"chosen on rows {inner:,} to {split:,}", ("leaves", "half-life, days", "AUC"))
    table, found = our_table(calls, codes), []
    for settings in TRIED:
        ranker = Ranker.fit(_rows(table, 0, inner), calls.gold[:inner], settings)
        found.append(measures.area_under_curve(ranker.scores(_rows(table, inner, split)), calls.gold[inner:split]))
        printed.add_row(str(settings.leaves), str(settings.half_life_days), f"{found[-1]:.4f}")
    return TRIED[int(np.argmax(found))], printed


def _rows(table: Table, first: int, last: int) -> Table:
    return Table(table.names, table.values[first:last], at=None if table.at is None else table.at[first:last])


def _auc_interval(scores: np.ndarray, gold: np.ndarray, repeats: int = 200) -> tuple[float, float]:
    rng = np.random.default_rng(1)
    drawn = (rng.integers(0, len(gold), len(gold)) for _ in range(repeats))
    low, high = np.percentile(
        [measures.area_under_curve(scores[places], gold[places]) for places in drawn], (2.5, 97.5)
    )
    return float(low), float(high)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# -- speed --

ON = date(2026, 11, 24)


def bank(products: int, customers: int) -> tuple[list[Product], list[CustomerFile], LearntOffers]:
    """The demo catalogue repeated under other names, demo customers, and a model learnt from made-up outcomes."""
    own = [p for p in read_products(BANK / "products") if p.on_sale(ON)]
    shelf = [
        own[at % len(own)].model_copy(update={"id": f"{own[at % len(own)].id}-{at // len(own)}"})
        for at in range(products)
    ]
    files = [_file(bundle) for bundle in people(customers, 1, ON)]
    plain, rng = Recommender(), np.random.default_rng(1)
    logged = [
        LoggedImpression(
            **shown.model_dump(), customer_id=file.customer.customer_id, at=datetime(2026, 11, 1, tzinfo=UTC),
            opened=bool(rng.random() < shown.score),
        )
        for file in files[:800]
        for shown in plain.decide(file, unasked(), own, on=ON, language="zh").impressions
    ]  # fmt: skip
    owned = Interactions.of(
        ((f.customer.customer_id, p, 0.0, 1.0) for f in files for p in sorted(f.product_ids)), [p.id for p in own]
    )
    return shelf, files, learn(logged, owned, "benchmark")[0]


def _file(bundle: CustomerBundle) -> CustomerFile:
    """What the store would read of a demo customer, all consents given."""
    consent = Consent(customer_id=bundle.customer.customer_id, purpose="personalisation", granted=True, at=bundle.customer.created_at)  # fmt: skip
    return CustomerFile(
        customer=bundle.customer, assessment=bundle.assessments[-1] if bundle.assessments else None, consents=(consent,),
        accounts=bundle.accounts, cards=bundle.cards, holdings=bundle.holdings,
        behaviour=observe(bundle.accounts, bundle.holdings, bundle.transactions, ON),
    )  # fmt: skip


def online(given: argparse.Namespace) -> None:
    """20 offers for one customer among 200 products, the file having been read."""
    shelf, files, model = bank(200, given.customers)
    printed = _printed("20 offers of 200 products, milliseconds a customer", ("", "offers, mean", "p50", "p95", "p99"))
    for name, recommender in (("rules", Recommender()), ("model", Recommender(model=model))):
        took, made = [], []
        for file in files:
            began = time.perf_counter()
            made.append(len(recommender.offers(file, unasked(), shelf, on=ON, language="zh", limit=20)))
            took.append((time.perf_counter() - began) * 1_000)
        printed.add_row(name, f"{np.mean(made):.1f}", *(f"{np.percentile(took, at):.2f}" for at in (50, 95, 99)))
    Console(width=150).print(printed)


def batch(given: argparse.Namespace) -> None:
    """Customers a second over files that have been read, in one process and in two."""
    shelf, files, model = bank(70, given.customers)
    printed = _printed(
        "offers in a batch, 70 products, the files in memory",
        ("", "customers", "processes", "customers/s", "a CPU second"),
    )
    for name, chosen in (("rules", None), ("model", model)):
        for size in (given.customers // 2, given.customers):
            for processes in (1, 2):
                by_clock, by_work = _speed(chosen, files[:size], shelf, processes)
                printed.add_row(name, f"{size:,}", str(processes), f"{by_clock:,.0f}", f"{by_work:,.0f}")
    Console(width=150).print(printed)


def _speed(
    model: LearntOffers | None, files: list[CustomerFile], shelf: list[Product], processes: int
) -> tuple[float, float]:
    """Customers a second, and a second of one CPU: each process is forked with its files in memory."""
    recommender = Recommender(model=model)
    parts = [files[at::processes] for at in range(processes)]
    work = [get_context("fork").Process(target=_through, args=(recommender, part, shelf)) for part in parts]
    began, used = time.perf_counter(), getrusage(RUSAGE_CHILDREN).ru_utime
    for process in work:
        process.start()
    for process in work:
        process.join()
    seconds = time.perf_counter() - began
    return len(files) / seconds, len(files) / (getrusage(RUSAGE_CHILDREN).ru_utime - used)


def _through(recommender: Recommender, files: list[CustomerFile], shelf: list[Product]) -> None:
    for _ in offers_of(recommender, files, shelf, ON):
        pass


def _printed(title: str, columns: Sequence[str]) -> Printed:
    printed = Printed(title=title)
    for column in columns:
        printed.add_column(column)
    return printed


if __name__ == "__main__":
    sys.exit(main())
