"""Money amounts with their currency: ¥12,345.67, 3.5 万元, 一千二百三十四元五角, $2k, two hundred dollars, 转五百.

A bare number is an amount only after a word of payment (转500) or with a Chinese magnitude (5万). A currency that is
not named is the renminbi; ¥ is the renminbi as well, never the yen. Vague amounts (几十块) have no value. Knows
nothing about dates; `entities` settles what overlaps.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from openteller.core.numerals import ARABIC, EN_NUMERAL, ZH_NUMERAL, arabic, chinese, english, plain, scaled


class AmountRule(StrEnum):
    """How an amount was recognised; each has its own measured precision."""

    SYMBOL = "amount/symbol"
    ZH_UNIT = "amount/zh-unit"
    EN_UNIT = "amount/en-unit"
    VAGUE = "amount/vague"
    MAGNITUDE = "amount/magnitude"
    EN_SCALE = "amount/en-scale"
    CUED = "amount/cued"


class AmountMention(NamedTuple):
    """An amount: its value as a decimal string (empty when vague) and ISO 4217 currency."""

    rule: AmountRule
    start: int
    end: int
    value: str
    currency: str


_SYMBOL_CURRENCY = {
    "HK$": "HKD", "US$": "USD", "A$": "AUD", "AU$": "AUD", "NT$": "TWD", "C$": "CAD", "S$": "SGD", "¥": "CNY",
    "$": "USD", "€": "EUR", "£": "GBP", "RMB": "CNY", "CNY": "CNY", "USD": "USD", "HKD": "HKD", "EUR": "EUR",
    "GBP": "GBP", "JPY": "JPY", "AUD": "AUD", "CAD": "CAD", "SGD": "SGD",
}  # fmt: skip
_ZH_CURRENCY = {
    "元": "CNY", "圆": "CNY", "圓": "CNY", "块": "CNY", "塊": "CNY", "人民币": "CNY", "人民幣": "CNY",
    "美元": "USD", "美金": "USD", "刀": "USD", "欧元": "EUR", "歐元": "EUR", "欧": "EUR", "英镑": "GBP",
    "英鎊": "GBP", "镑": "GBP", "港币": "HKD", "港幣": "HKD", "港元": "HKD", "日元": "JPY", "日圓": "JPY",
    "澳元": "AUD", "澳币": "AUD", "加元": "CAD", "新币": "SGD", "韩元": "KRW", "泰铢": "THB",
    "毛": "CNY", "角": "CNY", "分": "CNY",
}  # fmt: skip
_ZH_MINOR = {"毛": Decimal("0.1"), "角": Decimal("0.1"), "分": Decimal("0.01")}
_EN_CURRENCY = {
    "yuan": "CNY", "rmb": "CNY", "cny": "CNY", "renminbi": "CNY", "kuai": "CNY", "dollar": "USD", "buck": "USD",
    "usd": "USD", "euro": "EUR", "eur": "EUR", "pound": "GBP", "gbp": "GBP", "quid": "GBP", "hkd": "HKD",
    "hong kong dollar": "HKD", "us dollar": "USD", "australian dollar": "AUD", "aud": "AUD", "yen": "JPY", "jpy": "JPY",
    "cent": "USD", "sgd": "SGD", "cad": "CAD",
}  # fmt: skip
_BARE_CURRENCY = "CNY"

_SCALE = r"(?P<scale> ?(?i:k|thousand|million|mn|bn|billion|grand|m)(?![A-Za-z]))"
_UNIT = r"(?P<unit>[十百千万萬亿億]{1,2})"
_NUM = rf"(?P<digits>{ARABIC})"
_ZH_SMALL = "[零〇一二两兩三四五六七八九十百千]"
_MORE = r"(?:多|来|來|余|餘)"
_MONEY = rf"(?:{'|'.join(sorted(_ZH_CURRENCY, key=len, reverse=True)[:-3])}|毛|角|分(?=钱|錢))"
_SYMBOLS = "|".join(sorted((re.escape(s) for s in _SYMBOL_CURRENCY), key=len, reverse=True))
_EN_UNITS = "|".join(sorted(_EN_CURRENCY, key=len, reverse=True))
# Not money: what a Chinese magnitude may count instead.
_COUNTED = r"(?![ ]?(?:人|户|公里|里|步|字|次|家|名|位|股|份|积分|点|年|个|像素|张|平|一|能|万|分之|事|险|用|种))"

_SYMBOL = re.compile(
    rf"(?<![A-Za-z])(?P<symbol>{_SYMBOLS}) ?{_NUM}(?:{_SCALE}|(?: ?{_UNIT}(?P<tail>[1-9](?![\d.]))?))?", re.IGNORECASE
)
_ZH_DIGITS = re.compile(
    rf"{_NUM}(?: ?{_UNIT})?(?:(?P<tail>[1-9](?!\d))|{_MORE})? ?(?P<currency>{_MONEY})(?:[钱錢]"
    rf"|(?P<minor>[{'一二三四五六七八九1-9'}])[角毛]?(?![\d个號号年月日]))?"
)
_ZH_WORDS = re.compile(
    rf"(?P<number>{ZH_NUMERAL}){_MORE}?(?P<currency>{_MONEY})(?:[钱錢]"
    rf"|(?P<minor>[一二三四五六七八九])(?![一-鿿])"
    rf"|(?P<jiao>[一二三四五六七八九])[角毛](?:(?P<fen>[一二三四五六七八九])分)?)?"
)
_EN_DIGITS = re.compile(rf"{_NUM}(?:{_SCALE})? ?(?P<currency>(?i:{_EN_UNITS})(?i:s)?)(?![A-Za-z])")
_EN_WORDS = re.compile(rf"(?P<words>{EN_NUMERAL}) (?P<currency>(?i:{_EN_UNITS})(?i:s)?)(?![A-Za-z])")
_VAGUE = re.compile(rf"[几幾好数][十百千万萬]{{1,2}}{_MORE}?(?:[元块塊][钱錢]?|{_MORE})")
_MAGNITUDE = re.compile(
    rf"(?:{_NUM} ?(?P<unit>[百千]?[万萬亿億])(?P<tail>[1-9](?!\d))?"
    rf"|(?P<number>{_ZH_SMALL}{{1,8}}[万萬亿億](?:{_ZH_SMALL}{{0,8}}))"
    rf"|(?P<about>{_ZH_SMALL}{{1,4}})[来來]万){_MORE}?{_COUNTED}"
)
_EN_SCALE = re.compile(rf"(?<![A-Za-z-]){_NUM}(?P<scale>k| (?i:thousand|million|grand))(?![A-Za-z])")
_CUE_ZH = (
    r"(?:转|轉|汇|匯|打|付|还|還|存|取|借|贷|貸|扣|收|刷|花|充|交|投|提|买|买了|欠|消费|金额|額度|额度"
    r"|余额|工资|月薪|月供|限额|到账|入账|退|赔"
    r"|定投|生活费|房租|保费|每月|一个月|挣|赚|亏|少|多|降到|升到|提到|调到|才|有|是|认|说|笔|中|费|现|一天)"
)
_CUED_ZH = re.compile(
    rf"{_CUE_ZH}(?:了|给|到|走|过|出|入|我|去|来|成|共|一共|大概|大约|至少|差不多|约|将近|超过"
    rf"|给[一-鿿]{{2,3}}){{0,2}} ?"
    rf"(?:{_NUM}|(?P<number>(?=[^百千]{{1,3}}[百千]){ZH_NUMERAL})){_MORE}?"
    r"(?![ ]?(?:年(?!费)|月(?!供)|日|号|號|天|个|個|次|期|位|点|點|时|分|秒|岁|笔|筆|%|[.:/-]|张|家|倍|万"
    r"|人|开|股|份|克|层|楼|多?(?:天|年(?!费)|个)|和?\d)|[A-Za-z])"
)
_CUED_EN = re.compile(
    rf"(?i:(?<![a-z])(?:pay|paid|make|makes|making|transfer(?:red)?|sent|send|withdrew|withdraw"
    rf"|deposit(?:ed)?|owe|owed|borrow(?:ed)?|charged|save|saved|spent|spend"
    rf"|earn|invest|put|move|moved|lent|lost|got|limit(?: of| to| from| is)?|balance (?:of|is)|amount (?:of"
    rf"|is)|about|around|over|under|only"
    rf"|says|said|shows?|least|most|salary of|was|for) (?:me |out |in |back |my |just |about |only |him |her |them )?)"
    rf"(?:{_NUM}|(?P<words>{EN_NUMERAL}))(?=(?P<rest>.?))(?! ?(?:%|days?|months?|years?|weeks?|times?"
    rf"|hours?|minutes?|st|nd|rd|th|am|pm|percent|[:/-]|digits?|[A-Za-z])(?=\W|$|[a-z])| (?!a month|to|from"
    rf"|by|and|in|on|into|instead|is|was|every|each|for|at|a |per|but|yet|last|this|yester|today))"
)


def _zh_digits(match: re.Match[str]) -> tuple[Decimal | None, str]:
    currency = match["currency"]
    value = arabic(match["digits"], match["unit"] or "", match["tail"] or "") * _ZH_MINOR.get(currency, Decimal(1))
    if minor := match["minor"]:
        value += (Decimal(minor) if minor.isdigit() and minor.isascii() else chinese(minor) or 0) * Decimal("0.1")
    return value, _ZH_CURRENCY[currency]


def _zh_words(match: re.Match[str]) -> tuple[Decimal | None, str]:
    currency = match["currency"]
    value = chinese(match["number"])
    if value is None:
        return None, currency
    value *= _ZH_MINOR.get(currency, Decimal(1))
    for group, unit in (("minor", "0.1"), ("jiao", "0.1"), ("fen", "0.01")):
        if match[group]:
            value += (chinese(match[group]) or Decimal(0)) * Decimal(unit)
    return value, _ZH_CURRENCY[currency]


def _symbol(match: re.Match[str]) -> tuple[Decimal | None, str]:
    currency = _SYMBOL_CURRENCY[match["symbol"].upper()]
    if match["unit"]:
        return arabic(match["digits"], match["unit"], match["tail"] or ""), currency
    return scaled(match["digits"], match["scale"] or ""), currency


def _en_currency(word: str) -> str:
    word = word.lower()
    return _EN_CURRENCY.get(word) or _EN_CURRENCY[word.removesuffix("s")]


def _en_digits(match: re.Match[str]) -> tuple[Decimal | None, str]:
    return scaled(match["digits"], match["scale"] or ""), _en_currency(match["currency"])


def _en_words(match: re.Match[str]) -> tuple[Decimal | None, str]:
    return english(match["words"]), _en_currency(match["currency"])


def _magnitude(match: re.Match[str]) -> tuple[Decimal | None, str]:
    if match["number"]:
        return chinese(match["number"]), _BARE_CURRENCY
    if match["about"]:
        return chinese(match["about"] + "万"), _BARE_CURRENCY
    return arabic(match["digits"], match["unit"], match["tail"] or ""), _BARE_CURRENCY


def _en_scale(match: re.Match[str]) -> tuple[Decimal | None, str]:
    return scaled(match["digits"], match["scale"]), _BARE_CURRENCY


def _cued(match: re.Match[str]) -> tuple[Decimal | None, str]:
    groups = match.groupdict()
    if groups.get("digits"):
        value: Decimal | None = scaled(groups["digits"], "")
        # Four digits from 2001 on are a year far more often than an amount.
        if value is not None and len(groups["digits"]) == 4 and 2000 < value <= 2060 and value % 100 != 0:
            return None, _BARE_CURRENCY
    else:
        value = chinese(groups["number"]) if groups.get("number") else english(groups.get("words") or "")
    # Below one hundred a number after a verb is a count far more often than an amount.
    return (None if value is None or value < 100 else value), _BARE_CURRENCY


_RULES: tuple[tuple[AmountRule, re.Pattern[str], Callable[[re.Match[str]], tuple[Decimal | None, str]]], ...] = (
    (AmountRule.SYMBOL, _SYMBOL, _symbol),
    (AmountRule.ZH_UNIT, _ZH_DIGITS, _zh_digits),
    (AmountRule.ZH_UNIT, _ZH_WORDS, _zh_words),
    (AmountRule.EN_UNIT, _EN_DIGITS, _en_digits),
    (AmountRule.EN_UNIT, _EN_WORDS, _en_words),
    (AmountRule.MAGNITUDE, _MAGNITUDE, _magnitude),
    (AmountRule.EN_SCALE, _EN_SCALE, _en_scale),
    (AmountRule.CUED, _CUED_ZH, _cued),
    (AmountRule.CUED, _CUED_EN, _cued),
)


def mentions(view: str) -> Iterator[AmountMention]:
    """The amounts in a matching view, in no order; they may overlap."""
    for rule, pattern, value_of in _RULES:
        for match in pattern.finditer(view):
            value, currency = value_of(match)
            if value is not None:
                start = match.start()
                if rule is AmountRule.CUED:
                    group = next(g for g in ("digits", "number", "words") if match.groupdict().get(g))
                    start = match.start(group)
                end = len(view[start : match.end()].rstrip()) + start
                yield AmountMention(rule, start, end, plain(value), currency)
    for match in _VAGUE.finditer(view):
        yield AmountMention(AmountRule.VAGUE, *match.span(), "", _BARE_CURRENCY)
