"""What a movement was for, read from its text: rules for what banks write themselves, a small model for merchants.

The model is a multinomial logistic regression on hashed character n-grams and words (`merchants.safetensors`, fitted
by ``benchmarks/behaviour.py --fit`` on recipes/data/merchants). Its confidence is calibrated on names it was not fitted
on; below the threshold the category is ``uncategorised``. A bank's own category is kept as it comes.
What is not covered: other languages, and merchants whose name says nothing.
"""

import math
import re
import zlib
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from openteller.core.records import Record
from openteller.core.text import fold
from openteller.customers.records import UNCATEGORISED, Transaction, TransactionCategory

WEIGHTS = Path(__file__).with_name("merchants.safetensors")
BUCKETS = 1 << 14
_LONGEST = 4
_NO_LETTER = re.compile(r"[\W\d_]+")
# What payment services and terminals put around a name; it says how was paid, not for what.
_WRAPPING = re.compile(
    r"支付宝|财付通|微信支付|云闪付|银联|快捷支付|网上支付|扫码付?|二维码|(?<![a-z])pos(?![a-z])(消费)?|\bsq\b|\bpaypal\b|\bpp\b|\bvisa\b|\btst\b|\bzt?l\b"
    r"|\bdebit\b|\bcard purchase\b|\bcontactless\b|\bvis\b"
)
_RULES: tuple[tuple[re.Pattern[str], TransactionCategory, int], ...] = (
    # pattern on folded text, category, sign of the amount it needs (0: any)
    (re.compile(r"手续费(?!0)|年费|工本费|违约金|滞纳|短信.{0,3}费|\b(fee|overdraft|late charge)\b"), "fees", -1),
    (re.compile(r"工资|薪[资金酬]|年终奖|养老金发|退休金|\b(salary|payroll|wages)\b"), "salary", 1),
    (re.compile(r"结息|利息|\binterest\b"), "interest", 1),
    (re.compile(r"atm.{0,4}取|取现|取款|现金支取|\batm (withdrawal|wdl)\b|\bcash withdrawal\b"), "cash", -1),
    (re.compile(r"信用卡.{0,2}还款|零钱提现|转账给|\bcredit card (re)?payment\b|\btransfer (to|from|between)\b"), "transfer", 0),
)  # fmt: skip
RULE_CONFIDENCE = 0.97
"""The share of fitted-on texts of which a rule says the right category, rounded down (benchmarks/behaviour.py --fit)."""

Logits = NDArray[np.float32]


class Category(Record):
    """A category with its calibrated confidence; of `uncategorised`, that of the best guess, be it that nothing is said."""

    category: TransactionCategory
    confidence: float = Field(ge=0, le=1)


class MerchantModel:
    """The fitted model.

    Args:
        weights: (buckets, categories), summed over the text's features.
        bias: (categories,).
        categories: in the order of the columns.
        temperature: divides the logits.
        threshold: below this probability nothing is said.
    """

    def __init__(
        self, weights: Logits, bias: Logits, categories: tuple[str, ...], temperature: float, threshold: float
    ) -> None:
        self._weights, self._bias = weights, bias
        self.categories, self.temperature, self.threshold = categories, temperature, threshold

    def probabilities(self, text: str) -> NDArray[np.float64]:
        """(categories,) of one text, summing to 1."""
        rows = sorted(features(text))
        logits = self._bias.astype(np.float64)
        if rows:
            logits = logits + self._weights[rows].sum(axis=0, dtype=np.float64) / math.sqrt(len(rows))
        odds = np.exp((logits - logits.max()) / self.temperature)
        return cast(NDArray[np.float64], odds / odds.sum())

    def __call__(self, text: str) -> Category:
        """The best category, or `uncategorised` when it is not sure enough."""
        chances = self.probabilities(text)
        best = int(chances.argmax())
        confidence = round(float(chances[best]), 4)
        named = self.categories[best] if confidence >= self.threshold else UNCATEGORISED
        return Category.model_validate({"category": named, "confidence": confidence})


def features(text: str) -> set[int]:
    """The buckets of a text: its words and its character n-grams up to four, without numbers and payment services."""
    bare = _NO_LETTER.sub(" ", _WRAPPING.sub(" ", fold(text))).strip()
    return {zlib.crc32(part.encode()) % BUCKETS for part in _parts(bare)}


def _parts(bare: str) -> Iterator[str]:
    for word in bare.split():
        yield f"w:{word}"
        padded = f"^{word}$"
        for size in range(1 if not word.isascii() else 3, _LONGEST + 1):
            yield from (padded[start : start + size] for start in range(len(padded) - size + 1))


@cache
def merchant_model() -> MerchantModel:
    """The model that ships, read once."""
    from safetensors import safe_open

    with safe_open(WEIGHTS, framework="numpy") as file:
        said = file.metadata()
        return MerchantModel(
            file.get_tensor("weights").astype(np.float32),
            file.get_tensor("bias").astype(np.float32),
            tuple(said["categories"].split()),
            float(said["temperature"]),
            float(said["threshold"]),
        )


def ruled(text: str, sign: int) -> TransactionCategory | None:
    """What the rules say of a text; `sign` of the amount: -1, 0 (not known) or 1."""
    folded = fold(text)
    for pattern, category, needed in _RULES:
        if (not needed or not sign or needed == sign) and pattern.search(folded):
            return category
    return None


@lru_cache(maxsize=50_000)
def categorise(text: str, sign: int = 0) -> Category:
    """The category of a movement's text with its confidence.

    Args:
        text: as it stands in the statement, any script or case.
        sign: of the amount: -1 for money that leaves, 1 for money that comes, 0 when not known.
    """
    said = ruled(text, sign)
    return merchant_model()(text) if said is None else Category(category=said, confidence=RULE_CONFIDENCE)


def categorised(movement: Transaction) -> Transaction:
    """The movement with a category read from its text, where the bank gave none; else as it is."""
    if movement.category != UNCATEGORISED or movement.category_confidence is not None:
        return movement
    found = categorise(movement.merchant, (movement.amount > 0) - (movement.amount < 0))
    return movement.model_copy(update={"category": found.category, "category_confidence": found.confidence})


def all_categorised(movements: Iterable[Transaction]) -> list[Transaction]:
    """Each movement, categorised."""
    return [categorised(movement) for movement in movements]
