"""Questions about a rate, a fee or a minimum: answered from the product table, never from a text or a model.

A product must be named (or found by retrieval) and the figure must be asked for. With a term, an amount or a kind of
fee in the question exactly one figure is given, else the whole table; `withheld` says when no figure of the product is
an answer. Knows nothing about who asks.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from openteller.assistant.asked import (
    Kind,
    kinds_asked,
    speaks_of_abroad,
    speaks_of_company,
    speaks_of_other_bank,
    surely,
)
from openteller.assistant.figure_lines import (
    about_other_bank,
    fee_asked,
    fee_not_had,
    labelled,
    rate_asked,
    term_not_sold,
)
from openteller.core.money import Money
from openteller.core.records import Answer, Citation, Entity, Outcome
from openteller.core.text import fold
from openteller.products.figures import fee_text, percent, rate_lines
from openteller.products.names import ProductNames
from openteller.products.records import Fee, Product, Rate

_PRICED = frozenset({"card", "insurance", "service"})  # asked "how much is it?", the answer is the fees
_WITH_FEES = _PRICED | {"fund", "wealth"}
_LENT_OR_KEPT = frozenset({"deposit", "loan", "mortgage"})
_GROUPS = {"mortgage": re.compile(r"房贷|按揭|住房贷款|\bmortgages?\b|\b(?:home|housing) loans?\b")}
_QUESTION = re.compile(
    r"多|几|什么|吗|呢|能|\?|what|how|which|\bcan\b|\b(?:do|does|is|are|tell|give)\b|current|today|now\b"
)
_QUANTITY = re.compile(r"多少|几|什么|\bwhat|how much|current|today|now\b")


class Asked(NamedTuple):
    """The kind of figure asked of a product, and its line; both None: the whole table of that kind."""

    kind: Kind
    rate: Rate | None = None
    fee: Fee | None = None

    @property
    def decided(self) -> bool:
        """Whether one figure is meant."""
        return self.kind is Kind.MINIMUM or self.rate is not None or self.fee is not None

    def spelled_in(self, text: str) -> int:
        """How long the label of the line is when `text` has it word for word, in characters; else 0."""
        line, folded = self.rate or self.fee, fold(text)
        labels = (fold(line.label.zh), fold(line.label.en)) if line else ()
        return max((len(label) for label in labels if label in folded), default=0)


def asked_of(text: str, product: Product, entities: Sequence[Entity]) -> Asked | None:
    """What `text` asks of `product`; None when it asks for no figure, or for one that the product does not have."""
    folded, unnamed = fold(text), without_names(text, product)
    kinds = kinds_asked(folded)
    fee = fee_asked(folded, unnamed, product, entities)
    if Kind.MINIMUM in kinds and product.min_amount is not None:
        return Asked(Kind.MINIMUM)
    if Kind.MINIMUM in kinds and fee is None:
        return None
    if fee_not_had(unnamed, product, fee):
        return None
    if fee is not None and _wants_fee(folded, unnamed, product, fee, kinds):
        return Asked(Kind.FEE, fee=fee)
    if product.rates and _wants_rate(folded, product, kinds):
        return Asked(Kind.RATE, rate=rate_asked(folded, product))
    return Asked(Kind.FEE) if _wants_fees(folded, product, kinds) else None


def _wants_fee(folded: str, unnamed: str, product: Product, fee: Fee, kinds: set[Kind]) -> bool:
    if labelled(unnamed, fee):
        return True
    if surely(Kind.RATE, folded):
        return False
    if surely(Kind.FEE, folded):
        return True
    if Kind.FEE in kinds:
        return product.category in _PRICED
    return fee.unit == "percent" and (not product.rates or product.category == "card")


def _wants_rate(folded: str, product: Product, kinds: set[Kind]) -> bool:
    if _priced_by_period(product):  # what looks like a rate is a fee: a share each period
        return bool(kinds)
    if surely(Kind.FEE, folded) and not surely(Kind.RATE, folded):
        return False
    if Kind.RATE in kinds:  # "the rest should keep earning" asks for nothing
        return surely(Kind.RATE, folded) or _QUESTION.search(folded) is not None
    return not product.fees and Kind.FEE in kinds


def _wants_fees(folded: str, product: Product, kinds: set[Kind]) -> bool:
    if not product.fees or Kind.FEE not in kinds or surely(Kind.RATE, folded):
        return False
    return product.category in (_WITH_FEES if surely(Kind.FEE, folded) else _PRICED)


def _priced_by_period(product: Product) -> bool:
    return any(rate.kind == "fee_per_period" for rate in product.rates)


def without_names(text: str, product: Product) -> str:
    """The folded text without the names of the product: ``买车贷款`` asks for no purchase."""
    for mention in reversed(ProductNames([product]).find(text)):
        text = f"{text[: mention.start]} {text[mention.end :]}"
    return fold(text)


def withheld(text: str, product: Product, entities: Sequence[Entity]) -> bool:
    """Whether a figure of `product` would be the answer to another question than `text`.

    So with a term that is not sold, the rates of other banks, money sent abroad where the product is a domestic one,
    and the deposits of companies where it is a person's.
    """
    asked = asked_of(text, product, entities)
    if asked is None:
        return True
    if asked.kind is Kind.RATE and term_not_sold(fold(text), product):
        return True
    if speaks_of_other_bank(text):
        return not (asked.kind is Kind.FEE and _concerns_other_bank(asked, product))
    about = " ".join((product.summary.zh, product.name.zh, *(fee.label.zh for fee in product.fees)))
    unnamed = without_names(text, product)
    if product.category == "service" and speaks_of_abroad(unnamed) and not speaks_of_abroad(about):
        return True
    return product.category == "deposit" and speaks_of_company(unnamed)


def _concerns_other_bank(asked: Asked, product: Product) -> bool:
    return any(about_other_bank(fee) for fee in ([asked.fee] if asked.fee else product.fees))


def lent_or_kept(product: Product) -> bool:
    """Whether a customer's own contract fixes its rate, so that today's table may not be it."""
    return product.category in _LENT_OR_KEPT


def figure_answer(
    text: str, product: Product, entities: Sequence[Entity], language: str, confidence: float
) -> Answer | None:
    """The answer to a question about a figure of `product`; None when it is not one, or the product has no such figure.

    Args:
        text: the inquiry.
        product: that the inquiry is about.
        entities: of the inquiry; amounts choose among fees by amount.
        language: of the answer, ``zh`` or ``en``.
        confidence: calibrated probability that the product is the right one.
    """
    asked = asked_of(text, product, entities)
    if asked is None:
        return None
    return _answer([(product, _line(asked, product, language))], language, confidence)


def group_answer(text: str, products: Sequence[Product], language: str, confidence: float) -> Answer | None:
    """The rate tables of all products of a category that `text` names as a whole: ``房贷利率多少``; None when it does not."""
    folded = fold(text)
    if not surely(Kind.RATE, folded) or not _QUANTITY.search(folded) or speaks_of_other_bank(text):
        return None
    for category, word in _GROUPS.items():
        members = [p for p in products if p.category == category and p.rates]
        if members and word.search(folded):
            return _answer([(p, _rate_line(p, None, language)) for p in members], language, confidence)
    return None


def _answer(lines: Sequence[tuple[Product, str]], language: str, confidence: float) -> Answer:
    sources = tuple(
        Citation(document_id=f"product:{p.id}:{language}", title=p.name.of(language), passage=line, score=confidence)
        for p, line in lines
    )
    return Answer(
        text="\n".join(line for _, line in lines),
        outcome=Outcome.ANSWERED,
        confidence=confidence,
        citations=sources,
        skill="product_figure",
    )


def _line(asked: Asked, product: Product, language: str) -> str:
    if asked.kind is Kind.MINIMUM:
        return _minimum(product, language)
    if asked.kind is Kind.RATE:
        return _rate_line(product, asked.rate, language)
    return _fee_line(product, asked.fee, language) if asked.fee else _fee_lines(product, language)


def _fee_lines(product: Product, language: str) -> str:
    english = language == "en"
    fees = ("; " if english else "；").join(f"{fee.label.of(language)} {fee_text(fee)}" for fee in product.fees)
    return f"{product.name.of(language)}{': ' if english else '：'}{fees}{'.' if english else '。'}"


def _rate_line(product: Product, rate: Rate | None, language: str) -> str:
    name = product.name.of(language)
    if rate is None:
        lines = rate_lines(product, language)
        return f"{name}: " + ", ".join(lines) + "." if language == "en" else f"{name}：" + "，".join(lines) + "。"
    figure, label = percent(rate.rate), rate.label.of(language)
    if language == "en":
        kind = {"fee_per_period": "fee per period", "expected": "performance benchmark (not guaranteed)"}
        return f"{name}, {label}: {kind.get(rate.kind, 'annual rate')} {figure}."
    kind = {"fee_per_period": "每期费率", "expected": "业绩比较基准（不代表实际收益）"}
    return f"{name}（{label}）{kind.get(rate.kind, '年利率')}为{figure}。"


def _fee_line(product: Product, fee: Fee, language: str) -> str:
    note = fee.note.of(language) if fee.note else ""
    if language == "en":
        return f"{product.name.en}, {fee.label.en}: {fee_text(fee)}." + (f" ({note})" if note else "")
    return f"{product.name.zh}的{fee.label.zh}为{fee_text(fee)}" + (f"（{note}）。" if note else "。")


def _minimum(product: Product, language: str) -> str:
    amount = Money(product.min_amount or 0, product.currency)  # type: ignore[arg-type]
    if language == "en":
        return f"{product.name.en}: the minimum amount is {amount}."
    return f"{product.name.zh}的起点金额为{amount}。"
