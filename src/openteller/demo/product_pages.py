"""A page a product and language, written from the product table with every figure filled in but the risk grade.

Made anew whenever the demo bank is loaded, so a changed rate changes the page; a grade may change any day, and is filled in
when the page is read. Knows nothing about the library.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal

from openteller.core.money import Money
from openteller.knowledge.records import Document
from openteller.products.figures import fee_text, rate_lines
from openteller.products.records import Fee, Product

Language = Literal["zh", "en"]
_LANGUAGES: tuple[Language, ...] = ("zh", "en")
_WORDS: dict[str, tuple[str, str]] = {
    "also": ("也叫", "Also called"),
    "interest": ("利率（年利率）", "Rates (annual)"),
    "loan": ("利率（年利率）", "Rates (annual)"),
    "expected": ("业绩参考（年化，不保证收益）", "Reference figures (annual, not guaranteed)"),
    "fee_per_period": ("每期费率", "Fee rate per period"),
    "fees": ("费用", "Fees"),
    "grade": ("风险等级", "Risk grade"),
    "from": ("起点金额", "Minimum amount"),
    "to": ("最高金额", "Maximum amount"),
    "terms": ("期限", "Terms"),
    "who": ("办理条件", "Eligibility"),
    "features": ("特点", "Features"),
}


def pages(products: Iterable[Product]) -> Iterator[Document]:
    """The Chinese and the English page of each product."""
    return (_page(product, language) for product in products for language in _LANGUAGES)


def _page(product: Product, language: Language) -> Document:
    return Document(
        document_id=f"product:{product.id}:{language}",
        title=product.name.of(language),
        language=language,
        group_id=f"product:{product.id}",
        category=product.category,
        products=(product.id,),
        source_uri=f"product:{product.id}",
        valid_from=product.valid_from,
        valid_to=product.valid_to,
        body="\n\n".join(part for part in _parts(product, language) if part),
    )


def _parts(product: Product, language: Language) -> Iterator[str]:
    say = _Say(language)
    yield product.summary.of(language)
    yield say.line("also", say.joined(product.aliases.of(language)))
    yield say.listed(product.rates[0].kind if product.rates else "interest", rate_lines(product, language))
    yield say.listed("fees", [_fee(fee, language) for fee in product.fees])
    yield say.line("from", _money(product.min_amount, product))
    yield say.line("to", _money(product.max_amount, product))
    yield say.line("terms", say.joined([say.months(months) for months in product.terms_months]))
    yield say.line("grade", f"{{{{{product.id}.risk_grade}}}}")
    yield say.listed("who", list(_conditions(product, language)))
    yield say.listed("features", list(product.features.of(language)))


def _fee(fee: Fee, language: Language) -> str:
    text = f"{fee.label.of(language)} {fee_text(fee)}"
    if fee.note is None:
        return text
    return f"{text}（{fee.note.of(language)}）" if language == "zh" else f"{text} ({fee.note.of(language)})"


def _conditions(product: Product, language: Language) -> Iterator[str]:
    conditions, zh = product.eligibility, language == "zh"
    if conditions.min_age is not None and conditions.max_age is not None:
        ages = f"{conditions.min_age}–{conditions.max_age}"
        yield f"年龄{ages}岁" if zh else f"Aged {ages}"
    elif conditions.min_age is not None:
        yield f"年满{conditions.min_age}岁" if zh else f"Aged {conditions.min_age} or over"
    if conditions.min_monthly_income is not None:
        income = Money(conditions.min_monthly_income)
        yield f"月收入不低于{income}" if zh else f"Income of {income} a month or more"
    if conditions.requires_risk_assessment:
        yield "须有在有效期内的风险测评" if zh else "A risk assessment in force"
    if conditions.segments:
        names = [_SEGMENTS.get(segment, (segment, segment))[0 if zh else 1] for segment in conditions.segments]
        yield ("面向" if zh else "For ") + ("、" if zh else ", ").join(names)


_SEGMENTS = {
    "student": ("在校学生", "students"),
    "payroll": ("代发工资客户", "payroll customers"),
    "private": ("私人银行客户", "private-banking customers"),
    "business": ("经营者", "business owners"),
    "youth": ("青年客户", "young customers"),
    "senior": ("老年客户", "senior customers"),
}


def _money(amount: Decimal | None, product: Product) -> str:
    return "" if amount is None else str(Money(amount, product.currency))


class _Say:
    """Headings and lists in one language; nothing for nothing."""

    def __init__(self, language: Language) -> None:
        self._zh = language == "zh"

    def line(self, word: str, text: str) -> str:
        heading = _WORDS[word][0 if self._zh else 1]
        return f"{heading}{'：' if self._zh else ': '}{text}" if text else ""

    def listed(self, word: str, lines: list[str]) -> str:
        heading = _WORDS[word][0 if self._zh else 1]
        items = "\n".join(f"- {line}" for line in lines)
        return f"{heading}{'：' if self._zh else ':'}\n{items}" if lines else ""

    def joined(self, texts: Iterable[str]) -> str:
        return ("、" if self._zh else ", ").join(texts)

    def months(self, months: int) -> str:
        if self._zh:
            return f"{months}个月" if months % 12 else f"{months // 12}年"
        count, unit = (months, "month") if months % 12 else (months // 12, "year")
        return f"{count} {unit}{'s' if count != 1 else ''}"
