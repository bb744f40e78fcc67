"""Figures in approved texts: placeholders filled from the product table, so that a rate is written down once.

    {{ID.name}}  {{ID.rate.KEY}}  {{ID.rates}}  {{ID.fee.KEY}}  {{ID.min_amount}}  {{ID.max_amount}}  {{ID.risk_grade}}

A placeholder that cannot be filled is an error, or words that the caller chose; never a gap or a guess.
Knows nothing about documents.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from openteller.core.errors import BadInput
from openteller.core.money import Money
from openteller.products.records import Fee, Product

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Z0-9-]+)\.([a-z_]+)(?:\.([A-Za-z0-9_]+))?\s*\}\}")
_NO_FIGURE = {"zh": "（请向本行查询）", "en": "(please ask the bank)"}
_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\}\}")


def fill(text: str, products: Mapping[str, Product], language: str, unknown: str | None = None) -> str:
    """`text` with every placeholder replaced by the figure of the product table.

    Args:
        text: approved text with placeholders, or without.
        products: product id → product.
        language: of the text, ``zh`` or ``en``.
        unknown: said in place of a placeholder that cannot be filled; None: an error.

    Raises:
        BadInput: `unknown` is None, and a placeholder is malformed or names a product or figure that does not exist.
    """
    pieces, end = [], 0
    for braces in _BRACES.finditer(text):
        try:
            figure = _filled(braces.group(), products, language)
        except BadInput:
            if unknown is None:
                raise
            figure = unknown if len(braces.group()) > 2 else braces.group()
        pieces += [text[end : braces.start()], figure]
        end = braces.end()
    return "".join([*pieces, text[end:]])


def readable(text: str, products: Mapping[str, Product], language: str) -> str:
    """`text` as a customer reads it: filled, with a request to ask the bank where a figure is not in the table."""
    return fill(text, products, language, unknown=_NO_FIGURE["en" if language.startswith("en") else "zh"])


def _filled(placeholder: str, products: Mapping[str, Product], language: str) -> str:
    match = _PLACEHOLDER.fullmatch(placeholder)
    if match is None:
        raise _unknown(placeholder, "It is not written as a placeholder.")
    product = products.get(match[1])
    if product is None:
        raise _unknown(placeholder, f"There is no product {match[1]}.")
    figure = _figure(product, match[2], match[3], language)
    if figure is None:
        raise _unknown(placeholder, f"{match[1]} has no such figure.")
    return figure


def placeholders(text: str) -> Iterator[str]:
    """The ids of the products whose figures `text` uses, in order, with repetitions."""
    return (match[1] for match in _PLACEHOLDER.finditer(text))


def percent(value: Decimal) -> str:
    """A percentage with at least two decimals: 1.25 → ``1.25%``, 0.005 → ``0.005%``."""
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{plain:.{decimals}f}%"


def fee_text(fee: Fee) -> str:
    """The fee's amount: ``¥600.00`` or ``0.50%``."""
    return percent(fee.amount) if fee.unit == "percent" else str(Money(fee.amount, fee.unit))


def rate_lines(product: Product, language: str) -> list[str]:
    """The rate table, a line a rate: ``一年 1.25%``, ``1 year 1.25%``."""
    return [f"{rate.label.of(language)} {percent(rate.rate)}" for rate in product.rates]


def _figure(product: Product, field: str, key: str | None, language: str) -> str | None:
    if key is not None:
        rate, fee = product.rate(key), product.fee(key)
        if field == "rate":
            return percent(rate.rate) if rate else None
        return fee_text(fee) if field == "fee" and fee else None
    if field == "rates":
        return ("、" if not language.startswith("en") else ", ").join(rate_lines(product, language)) or None
    if field == "risk_grade":
        return product.risk_grade.value
    amounts = {"min_amount": product.min_amount, "max_amount": product.max_amount}
    if field in amounts:
        amount = amounts[field]
        return None if amount is None else str(Money(amount, product.currency))
    return product.name.of(language) if field == "name" else None


def _unknown(placeholder: str, cause: str) -> BadInput:
    return BadInput(
        f"The placeholder {placeholder} cannot be filled.",
        cause=cause,
        next_step="Correct the text, or add the figure to the product.",
    )
