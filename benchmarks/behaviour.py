"""Behaviour analysis: how well merchant texts are categorised, and how fast features are made.

    python benchmarks/behaviour.py                       categories on the held-out list, by language
    python benchmarks/behaviour.py --fit                 fit on recipes/data/merchants/names.yaml, write the weights
    python benchmarks/behaviour.py --events 600          life events planted into demo customers: found, and found in vain
    python benchmarks/behaviour.py --throughput 2000     customers a second in memory, and microseconds a movement
    python benchmarks/behaviour.py --store 2000          the same from and into an embedded store of its own, by workers
    python benchmarks/behaviour.py --store 1000000 --movements 12    plain movements made in the database, for large counts

--fit needs the extra `train` (scikit-learn). The held-out list was written apart and is never fitted on.
"""

import argparse
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import yaml
from sqlalchemy import text as sql
from throwaway import installation

from openteller.core.text import fold
from openteller.customers.profile import categorising
from openteller.customers.profile.cash_flow import cash_flow
from openteller.customers.profile.categorising import BUCKETS, WEIGHTS, MerchantModel, categorise, features, ruled
from openteller.customers.profile.computing import recompute_all
from openteller.customers.profile.life_events import life_events
from openteller.customers.profile.running import running_state
from openteller.customers.records import UNCATEGORISED, Transaction
from openteller.demo.customers import customers
from openteller.demo.load import SEED, load
from openteller.settings import load as load_settings
from openteller.store.database import Database

NAMES = Path("recipes/data/merchants/names.yaml")
LEXICON = Path("recipes/data/merchants/lexicon.yaml")
HELD_OUT = Path("recipes/data/merchants/held_out.yaml")
FOLDS = 5
BINS = 10
FORMS, FORMS_OF_WORDS = 6, 3
# Of what is categorised on names the model was not fitted on, this share is to be right.
RIGHT = 0.85
_SIGNS = {"salary": 1, "interest": 1, "transfer": 0, "investment": 0, UNCATEGORISED: 0}

Rows = list[tuple[str, str, str]]
"""(text, category, name) of every example."""


def main() -> None:
    """Fit, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--events", type=int, metavar="N")
    parser.add_argument("--throughput", type=int, metavar="N")
    parser.add_argument("--store", type=int, metavar="N")
    parser.add_argument(
        "--movements", type=int, default=0, metavar="M", help="with --store: plain movements a customer"
    )
    parser.add_argument("--engines", nargs="+", default=["1", "2 processes", "2 ray"], help="with --store")
    given = parser.parse_args()
    if given.events:
        planted(given.events)
    elif given.throughput:
        throughput(given.throughput)
    elif given.store:
        stored(given.store, given.movements, given.engines)
    else:
        if given.fit:
            fit()
        measure()


def examples() -> Rows:
    """Every name in every form of its language, every word of the lexicon in the first three."""
    data = yaml.safe_load(NAMES.read_text(encoding="utf-8"))
    lexicon = yaml.safe_load(LEXICON.read_text(encoding="utf-8"))
    return [
        (form.format(name), category, name)
        for source, forms in ((data, FORMS), (lexicon, FORMS_OF_WORDS))
        for language in ("zh", "en")
        for category, names in source[language].items()
        for name in names
        for form in data["forms"][language][:forms]
    ]


def fit() -> None:
    """Fit on all names; temperature, threshold and the rules' precision come from names left out of five fits."""
    from safetensors.numpy import save_file

    rows = examples()
    categories = sorted({category for _, category, _ in rows})
    columns = {category: place for place, category in enumerate(categories)}
    matrix = _matrix([text for text, _, _ in rows])
    labels = np.array([columns[category] for _, category, _ in rows])
    groups = np.array([hash_of(name) % FOLDS for _, _, name in rows])
    best = max((_crossed(matrix, labels, groups, c) for c in (3.0, 10.0)), key=lambda found: found[0])
    score, c, logits = best
    temperature = min(np.linspace(0.3, 3.0, 55), key=lambda t: _loss(logits / t, labels))
    threshold = _threshold(logits / temperature, labels, columns[UNCATEGORISED])
    _check_rules(rows)
    model = _logistic(c).fit(matrix, labels)
    tensors = {
        "weights": model.coef_.T.astype(np.float16).copy(),
        "bias": model.intercept_.astype(np.float16),
    }
    said = {"categories": " ".join(categories), "temperature": f"{temperature:.3f}", "threshold": f"{threshold:.3f}"}
    save_file(tensors, WEIGHTS, metadata=said)
    categorising.merchant_model.cache_clear()
    categorise.cache_clear()
    print(f"{len(rows):,} texts, C {c}, names left out: accuracy {score:.3f}, temperature {temperature:.2f}")
    print(f"threshold {threshold:.2f}; {WEIGHTS} {WEIGHTS.stat().st_size / 1024:.0f} KiB")


def hash_of(name: str) -> int:
    """A number that stays the same from run to run."""
    return zlib.crc32(fold(name).encode())


def _logistic(c: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=c, max_iter=300)


def _matrix(texts: Sequence[str]) -> Any:
    from scipy.sparse import csr_matrix

    found = [sorted(features(text)) for text in texts]
    values = np.concatenate([np.full(len(row), 1 / np.sqrt(max(len(row), 1))) for row in found])
    starts = np.cumsum([0, *map(len, found)])
    return csr_matrix((values, np.concatenate([np.array(r, dtype=int) for r in found]), starts), (len(texts), BUCKETS))


def _crossed(matrix: Any, labels: Any, groups: Any, c: float) -> tuple[float, float, Any]:
    logits = np.zeros((len(labels), labels.max() + 1))
    for fold_ in range(FOLDS):
        held = groups == fold_
        model = _logistic(c).fit(matrix[~held], labels[~held])
        logits[held] = model.decision_function(matrix[held])
    return float((logits.argmax(1) == labels).mean()), c, logits


def _softmax(logits: Any) -> Any:
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def _loss(logits: Any, labels: Any) -> float:
    return float(-np.log(_softmax(logits)[np.arange(len(labels)), labels] + 1e-12).mean())


def _threshold(logits: Any, labels: Any, nothing: int) -> float:
    """The lowest from which on `RIGHT` of what is categorised is right."""
    chances = _softmax(logits)
    best, sure = chances.argmax(1), chances.max(1)
    for threshold in np.arange(0.2, 0.9, 0.01):
        said = (sure >= threshold) & (best != nothing)
        if (best[said] == labels[said]).mean() >= RIGHT:
            return float(threshold)
    raise SystemExit("No threshold is good enough.")


def _check_rules(rows: Rows) -> None:
    said = [(ruled(text, _SIGNS.get(category, -1)), category) for text, category, _ in rows]
    fired = [(rule, category) for rule, category in said if rule is not None]
    print(f"rules: {len(fired)} texts, precision {sum(a == b for a, b in fired) / len(fired):.3f}")


def measure() -> None:
    """Accuracy and calibration on the held-out list."""
    data = yaml.safe_load(HELD_OUT.read_text(encoding="utf-8"))
    model: MerchantModel = categorising.merchant_model()
    print(f"held-out texts; threshold {model.threshold}")
    print(f"{'language':10} {'texts':>6} {'accuracy':>9} {'said':>6} {'right when said':>16} {'ECE':>6}")
    for language in ("zh", "en"):
        found = list(_judged(data[language]))
        known = [(right, sure, said) for right, sure, said, category in found if category != UNCATEGORISED]
        accuracy = np.mean([right for right, _, _ in known])
        told = [right for right, _, said in known if said]
        quiet = [not said for _, _, said, category in found if category == UNCATEGORISED]
        ece = expected_calibration_error([sure for _, sure, _ in known], [right for right, _, _ in known])
        line = f"{language:10} {len(known):6} {accuracy:9.3f} {len(told) / len(known):6.3f} {np.mean(told):16.3f} {ece:6.3f}"
        print(f"{line}   of {len(quiet)} texts that say nothing, left uncategorised: {sum(quiet)}")


def _judged(lines: dict[str, list[str]]) -> Iterator[tuple[bool, float, bool, str]]:
    """(the best guess is right, confidence, whether it was said, category) of each line."""
    model = categorising.merchant_model()
    for category, texts in lines.items():
        for text in texts:
            answer = categorise(text, _SIGNS.get(category, -1))
            best = answer.category
            if best == UNCATEGORISED:
                best = model.categories[int(model.probabilities(text).argmax())]
            said = answer.category != UNCATEGORISED
            if best != category and category != UNCATEGORISED:
                print(f"  {category:14} {best:14} {answer.confidence:.2f} {text}")
            yield best == category, answer.confidence, said, category


def expected_calibration_error(sure: Sequence[float], right: Sequence[bool]) -> float:
    """The mean distance of confidence and accuracy over ten equal bins, weighted by count (Guo et al. 2017)."""
    confidence, hit = np.array(sure), np.array(right, dtype=float)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(hit[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in set(bins.tolist())]
    return float(sum(gaps))


def planted(count: int) -> None:
    """Plant one kind of event into each salaried demo customer in turn, and look what is found."""
    rng, today = np.random.default_rng(5), date(2026, 11, 24)
    kinds = ("salary_change", "salary_stopped", "retirement", "moving", "child", None)
    found: Counter[tuple[str, str]] = Counter()
    salaried = 0
    for bundle in customers(count, SEED, today):
        movements = list(bundle.transactions)
        if "payroll" not in bundle.customer.segment or not any(m.merchant == "工资" for m in movements):
            continue
        movements = [_shaken(m, rng) if m.merchant == "工资" else m for m in movements]
        kind = kinds[salaried % len(kinds)]
        salaried += 1
        month = int(rng.integers(5, 10))
        seen = {
            e.kind for e in life_events(running_state(PLANTS[kind](movements, month) if kind else movements), today)
        }
        found[kind or "none", "planted"] += 1
        for other in kinds[:-1]:
            if other in seen:
                found[other, "found" if other == kind else "in vain"] += 1
    print(f"{salaried} salaried demo customers, one event planted into five of six")
    for kind in kinds[:-1]:
        print(
            f"{kind:15} planted {found[kind, 'planted']:4}  found {found[kind, 'found']:4}  in vain {found[kind, 'in vain']:4}"
        )


def _shaken(movement: Transaction, rng: np.random.Generator) -> Transaction:
    """A salary that is never quite the same: up to 3 % more or less, up to three days late."""
    factor, late = Decimal(str(round(rng.uniform(0.97, 1.03), 4))), timedelta(days=int(rng.integers(0, 4)))
    changes = {"amount": round(movement.amount * factor, 2), "booked_at": movement.booked_at + late}
    return movement.model_copy(update=changes)


def _at(month: int) -> datetime:
    """The beginning of the month so many after November 2025, in China."""
    number = 2025 * 12 + 10 + month
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))


def _changed(movements: list[Transaction], month: int, text: str, **changes: Any) -> list[Transaction]:
    """Every movement of that text from the month on, changed."""
    return [
        m.model_copy(update=changes | ({"amount": m.amount * changes["amount"]} if "amount" in changes else {}))
        if m.merchant == text and m.booked_at >= _at(month)
        else m
        for m in movements
    ]


def _moved(movements: list[Transaction], month: int) -> list[Transaction]:
    home = next((m for m in movements if m.category == "housing"), None)
    if home is None:
        rent = movements[0].model_copy(update={"amount": Decimal(-2_500), "merchant": "房租", "category": "housing"})
        first = [rent.model_copy(update={"booked_at": _at(m), "account_id": rent.account_id}) for m in range(13)]
        return _moved([*movements, *first], month)
    label = {"merchant": "泊寓公寓租金", "amount": Decimal("1.2")}
    bills = {"merchant": "城西水电"}
    return _changed(_changed(movements, month, home.merchant, **label), month, "水电燃气", **bills)


def _with_child(movements: list[Transaction], month: int) -> list[Transaction]:
    like = movements[0].model_copy(update={"amount": Decimal(-380), "currency": "CNY", "counterparty": None})
    added = [
        like.model_copy(update={"booked_at": _at(m) + timedelta(days=day), "merchant": text, "category": category})
        for m in range(month, 12)
        for day, text, category in ((4, "小熊母婴", "shopping"), (15, "彩虹早教", "education"))
    ]
    return [*movements, *added]


PLANTS: dict[str, Callable[[list[Transaction], int], list[Transaction]]] = {
    "salary_change": lambda movements, month: _changed(movements, month, "工资", amount=Decimal("1.15")),
    "salary_stopped": lambda movements, month: [
        m for m in movements if m.merchant != "工资" or m.booked_at < _at(month)
    ],
    "retirement": lambda movements, month: _changed(
        movements, month, "工资", merchant="养老金", counterparty="社会保险", amount=Decimal("0.6")
    ),
    "moving": _moved,
    "child": _with_child,
}


def throughput(count: int) -> None:
    """Customers a second in memory; making them is not timed."""
    lives = [bundle.transactions for bundle in customers(count, SEED, date(2026, 11, 24))]
    for part in (count // 4, count // 2, count):
        started, movements = time.perf_counter(), 0
        for transactions in lives[:part]:
            state = running_state(transactions)
            cash_flow(state, date(2026, 11, 24))
            movements += state.movements
        seconds = time.perf_counter() - started
        print(
            f"{part:7,} customers, {movements:9,} movements: {part / seconds:7,.0f} a second, {seconds / movements * 1e6:.1f} us a movement"
        )
    state, one = running_state(lives[0]), lives[0][-1]
    started, place = time.perf_counter(), ZoneInfo("Asia/Shanghai")
    for _ in range(10_000):
        state.book(one, place)
    print(f"one new movement into a state: {(time.perf_counter() - started) / 10_000 * 1e6:.1f} us")


def stored(count: int, movements: int, engines: Sequence[str]) -> None:
    """From and into a store of its own: every engine on half of the customers and on all."""
    with installation(load_settings()) as application:
        database = application.database
        for part in (count // 2, count):
            started = time.perf_counter()
            made = plain(database, part, movements) if movements else load(database, part).transactions
            print(
                f"{part:9,} customers in the store, {made:,} movements added in {time.perf_counter() - started:.0f} s",
                flush=True,
            )
            for named in engines:
                workers, _, engine = named.partition(" ")
                began = time.process_time()
                report = recompute_all(database, workers=int(workers), engine=engine or "auto")  # type: ignore[arg-type]
                rate = report.customers / report.seconds
                own = time.process_time() - began
                spent = f", {own / report.customers * 1e3:.2f} ms of one processor each" if workers == "1" else ""
                print(
                    f"{report.customers:9,} {named:12} {report.seconds:8.1f} s {rate:8,.0f} customers a second{spent}",
                    flush=True,
                )


def plain(database: Database, count: int, movements: int) -> int:
    """Customers with a salary, a rent and purchases, made by the database itself; those that are there stay."""
    with database.owner_session() as session:
        have = session.scalar(sql("SELECT count(*) FROM customers")) or 0
        numbers = f"generate_series({have + 1}, {count})"
        session.execute(
            sql(f"""
            INSERT INTO customers (customer_id, name, name_en, phone, id_number_masked, birth_date, gender, city,
                monthly_income, language)
            SELECT 'M' || lpad(n::text, 8, '0'), '人', 'X', '100', '99*', '1990-01-01', 'f', '杭州', 9000, 'zh' FROM {numbers} n""")
        )
        session.execute(
            sql(f"""
            INSERT INTO accounts (account_id, customer_id, kind, product_id, currency, tail, balance, opened_on)
            SELECT 'MA' || n, 'M' || lpad(n::text, 8, '0'), 'savings', 'SAV-CNY', 'CNY', '0001', 0, '2020-01-01' FROM {numbers} n""")
        )
        session.execute(
            sql(f"""
            INSERT INTO consents (customer_id, purpose, granted)
            SELECT 'M' || lpad(n::text, 8, '0'), 'personalisation', true FROM {numbers} n""")
        )
        session.execute(
            sql(f"""
            INSERT INTO transactions (customer_id, account_id, booked_at, amount, currency, merchant, category, channel)
            SELECT 'M' || lpad(n::text, 8, '0'), 'MA' || n, timestamptz '2026-08-10 04:00+00' + (m * 9 || ' days')::interval,
                CASE WHEN m % 4 = 0 THEN 9000 ELSE -(20 + (n * 7 + m * 13) % 300) END, 'CNY',
                (ARRAY['工资', '青禾超市', '巷口面馆', '城市地铁'])[m % 4 + 1],
                (ARRAY['salary', 'groceries', 'dining', 'transport'])[m % 4 + 1], 'app'
            FROM {numbers} n, generate_series(0, {movements - 1}) m""")
        )
        session.execute(sql("ANALYZE customers, accounts, consents, transactions"))
        return (count - have) * movements


if __name__ == "__main__":
    main()
