"""Entities of a bank inquiry: amount, date, term, product, card, account and person, each with its normalised value.

Rules, one precision each: the probability of an entity is the precision of the rule that found it, measured on half of
the authored utterances in recipes/data/understanding (the half whose hash is even; the test prints the figures of the
other half, whose sentences were not looked at, though the list of annotated surfaces was). Overlaps go to the rule listed first in `_ORDER`, then to the longer span, so that an amount is never a
date. What is not covered: names that nothing introduces, bare numbers without a word of payment, cards and accounts
referred to as "it" or "卡" alone, and whatever the rules of `amounts`, `dates` and `people` say they leave out.
Products are named by the caller: this module knows no catalogue.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from openteller.core.clock import local_date
from openteller.core.records import Entity
from openteller.understanding import amounts, dates, people
from openteller.understanding.surface import matching_view


class ProductMention(Protocol):
    """A product named in the text, as `products.names` finds it; offsets count code points."""

    @property
    def product_id(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Found(NamedTuple):
    """What one rule found: ``type/rule``, place in code points and normalised value."""

    rule: str
    start: int
    end: int
    value: str
    currency: str


_TAIL_ZH = r"尾[号號]?(?:数字|数|四位|后四位)?(?:是|为|為|:)? ?(?P<tail>\d{3,6}(?![\d月])|\d{4})"
_CARD_RULES = (
    ("card/tail", rf"{_TAIL_ZH}(?! ?的?(?:[账帳][户戶号號]|存折))"),
    (
        "card/tail",
        r"(?i:(?<![a-z])(?:(?:credit |debit |bank )?card )?(?:ending(?: in| with)?|ends in"
        r"|last four(?: digits)?|tail) )(?P<tail>\d{3,6})(?!\d)",
    ),
    (
        "card/kind",
        r"(?:信用|工资|薪资|薪資|储蓄|儲蓄|借记|借記|提款|养老金|学生|Visa|VISA|银联|二类|一类|社保"
        r"|金融)卡|副卡|主卡|附属卡",
    ),
    (
        "card/kind",
        r"(?i:(?<![a-z])(?:credit|debit|supplementary|salary|payroll|unionpay|visa|mastercard|atm"
        r"|additional)(?: debit| credit)? cards?|(?<![a-z])visa debit)(?![a-z])",
    ),
)
_ACCOUNT_RULES = (
    ("account/tail", rf"{_TAIL_ZH} ?的?(?:账户|帳戶|账号|存折)"),
    (
        "account/tail",
        r"(?i:(?<![a-z])(?:my )?account (?:number )?(?:ending(?: in| with)?"
        r"|ends in) )(?P<tail>\d{3,6})(?!\d)|(?i:the one ending) (?P<tail2>\d{3,6})",
    ),
    (
        "account/kind",
        r"(?:我的)?(?:储蓄|儲蓄|工资|活期|美元|外币|养老金(?!账户)|儿童|联名|对公|基本|公司|一般|结算|欧元"
        r"|港币|[一二三](?:类)|(?i:class) ?[I1-3]{1,3} ?|[ⅠⅡⅢ1-3]类)(?:存款)?(?:账户|帳戶|户(?!口|型)"
        r"|账号)|存折|存摺|我的?账户",
    ),
    (
        "account/kind",
        r"(?i:(?<![a-z])(?:savings?|current|salary|joint|kids'?|children'?s|usd|eur|hkd|dollar|demand"
        r"|deposit|business|company|corporate|checking|foreign currency|(?:class|type) (?:i{1,3}"
        r"|[1-3]))(?: current| savings)? accounts?(?![a-z])|(?<![a-z])passbook(?: account)?(?![a-z]))",
    ),
)
_COMPILED = tuple((rule, re.compile(pattern)) for rule, pattern in (*_ACCOUNT_RULES, *_CARD_RULES))

PROBABILITY: MappingProxyType[str, float] = MappingProxyType(
    {
        "account/kind": 0.848,
        "account/tail": 0.667,
        "amount/cued": 0.919,
        "amount/en-scale": 0.714,
        "amount/en-unit": 0.977,
        "amount/magnitude": 0.975,
        "amount/symbol": 0.989,
        "amount/vague": 0.250,
        "amount/zh-unit": 0.937,
        "card/kind": 0.976,
        "card/tail": 0.987,
        "date/en-calendar": 0.955,
        "date/en-day": 0.943,
        "date/en-month": 0.980,
        "date/en-ordinal": 0.923,
        "date/en-weekday": 0.967,
        "date/feast": 0.714,
        "date/numeric": 0.500,
        "date/year": 0.929,
        "date/zh-calendar": 0.974,
        "date/zh-day": 0.976,
        "date/zh-day-of-month": 0.941,
        "date/zh-period": 0.854,
        "date/zh-weekday": 0.897,
        "person/counterparty": 0.792,
        "person/familiar": 0.875,
        "person/introduced": 0.667,
        "person/titled": 0.966,
        "product/name": 0.711,
        "product/short": 0.275,
        "term/en": 0.712,
        "term/en-days": 0.667,
        "term/zh": 0.592,
        "term/zh-days": 0.500,
    }
)
"""Precision of each rule: posterior mean, Beta(1, 1) prior, even half (0.5: no case there); the test recomputes it."""

_TYPE_ORDER = ("account", "card", "product", "amount", "date", "term", "person")
_RULE_LAST = frozenset({"amount/magnitude", "amount/en-scale", "amount/cued"})


def _type(rule: str) -> str:
    return rule.partition("/")[0]


def _all(text: str, products: Iterable[ProductMention], today: date) -> Iterator[Found]:
    view = matching_view(text)
    for product in products:
        # Two characters such as 定期 and 活期 are words of their own as well as aliases.
        rule = "product/short" if product.end - product.start <= 2 else "product/name"
        yield Found(rule, product.start, product.end, product.product_id, "")
    for rule, pattern in _COMPILED:
        for match in pattern.finditer(view):
            tails = [value for name, value in match.groupdict().items() if value and name.startswith("tail")]
            yield Found(rule, *match.span(), tails[0] if tails else "", "")
    for amount in amounts.mentions(view):
        yield Found(amount.rule.value, amount.start, amount.end, amount.value, amount.currency)
    for when in dates.mentions(view, today):
        yield Found(when.rule.value, when.start, when.end, when.value, "")
    for person in people.mentions(view):
        yield Found(f"person/{person.rule.value}", person.start, person.end, text[person.start : person.end], "")


def _rank(each: Found) -> tuple[bool, int, int, int]:
    """Bare numbers give way to everything; then the longer span wins, then the order of the types."""
    length = each.end - each.start
    return (each.rule in _RULE_LAST, -length, _TYPE_ORDER.index(_type(each.rule)), each.start)


def found(text: str, products: Iterable[ProductMention], today: date) -> list[Found]:
    """What the rules find in `text`, in order, overlaps resolved; `parse` is this with probabilities."""
    taken = bytearray(len(text))
    kept: list[Found] = []
    for each in sorted(_all(text, products, today), key=_rank):
        if each.start < each.end and not any(taken[each.start : each.end]):
            taken[each.start : each.end] = b"\x01" * (each.end - each.start)
            kept.append(each)
    return sorted(kept, key=lambda each: each.start)


def parse(
    text: str,
    products: Iterable[ProductMention],
    today: date | datetime,
    timezone: str = "Asia/Shanghai",
) -> tuple[Entity, ...]:
    """The entities of `text`, in order, without overlaps.

    Args:
        text: the inquiry; offsets count its code points.
        products: the products that the caller found in it.
        today: the local date that 昨天 counts from; an aware datetime is read in `timezone`.
        timezone: IANA name of the customer's zone.

    Returns:
        Entities with the values that `core.records.Entity` describes; the value is empty where the words are too vague.
    """
    day = local_date(today, timezone) if isinstance(today, datetime) else today
    return tuple(
        Entity(
            type=_type(each.rule),
            text=text[each.start : each.end],
            start=each.start,
            end=each.end,
            value=each.value,
            currency=each.currency,
            probability=PROBABILITY[each.rule],
        )
        for each in found(text, products, day)
    )
