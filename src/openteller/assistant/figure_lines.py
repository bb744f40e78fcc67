"""Which line of a product's table a question means: by term, by amount band, by the words for a kind of fee.

Knows nothing about which product is meant, and nothing about wording an answer.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from openteller.core.numerals import chinese, english
from openteller.core.records import Entity
from openteller.core.text import fold
from openteller.products.records import Fee, Product, Rate
from openteller.understanding import amounts

_BEYOND = re.compile(r"以上|超过|\bover\b|more than|longer than|beyond")
_RANGE = re.compile(r"以内|以上|最长|最多|\bup to\b|\bover\b|within")
_EN_NUMBER = (
    r"\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|eighteen|twenty(?:[ -](?:four|five))?"
    r"|thirty(?:[ -]six)?|forty|sixty"
)
_TERMS = re.compile(
    r"(?P<half>(?<!年)半年|half[ -](?:a[ -])?year|six[ -]monthly)"
    r"|(?P<zh>\d{1,3}|[一二两三四五六七八九十]{1,3})(?:(?P<zy>年)(?!级|前|来|内|龄|费)|个?(?P<zm>月)(?!\d)|个?(?P<zq>季度?)|(?P<zp>期)|(?P<zd>天|日))(?P<more>半)?"
    rf"|\b(?P<en>{_EN_NUMBER})[ -](?:(?P<ey>years?|yrs?|y)|(?P<em>months?|mths?|mos?)|(?P<eq>quarters?)|(?P<ep>instal?lments?|payments?)|(?P<ed>days?))\b(?! old| ago)"
    r"(?P<emore> and a half)?"
    r"|\b(?:for|over|in|of|after) (?:a|the|just a) (?P<a>year|quarter)\b(?! or)|\b(?P<adj>(?:a|1)[ -]year(?= (?:fixed|term|time|dollar|euro|cd)))"
)
_YEARLY = re.compile(r"(?:^|[^0-9十])(?:一年|1年)(?!期|定)")
_SEVERAL = re.compile(r"[和跟与及、]|还是|分别|\band\b|\bor\b")
_CASH = r"atm|取款|取现|取钱|提现|提款|取一?笔|withdraw|cash machine|cash point|\bcash\b"
_AWAY = r"境外|国外|海外|外国|出国|abroad|overseas|foreign|another country|outside china"
_OTHER = r"跨行|他行|别的?家?的?银行|别家|其[他它]家?银行|(?:an)?other bank|different bank"
_COUNTER = (r"柜台|柜面|网点|窗口|counter|branch|teller|in person", r"跨行|他行|别的银行|another bank|other bank")
# By key of the fee: each pattern that the question meets counts once.
_FEE_WORDS: dict[str, tuple[str, ...]] = {
    "annual": (r"年费|annual|yearly|a year|per year|every year|each year",),
    "cash_advance": (_CASH + r"|预借", r"cash advance|预借现金|取现"),
    "late": (r"滞纳|违约金|逾期|迟还|晚还|还晚|\blate\b|overdue|missed|miss a",),
    "fx_markup": (
        _AWAY + r"|外币|currency",
        r"货币|转换|兑换|消费|刷|买东西|transaction|purchase|shopping|conversion|markup|spend",
    ),
    "replacement": (r"补卡|换卡|补办|重办|换一张|补一张|丢|工本|replac|new card|reissue|\blost\b|\blose\b|for a new",),
    "atm_other_bank": (_OTHER, _CASH),
    "atm_overseas": (_AWAY, _CASH),
    "purchase": (r"申购|认购|买入|购买|买|purchase|subscri|\bbuy|front",),
    "buy": (r"买入|购买|买|purchase|\bbuy",),
    "redeem_7d": (r"赎回|卖出|redeem|redemption|\bsell|\bexit", r"七天|7天|一周|week|(?:seven|7)[ -]days?"),
    "management": (r"管理费|management|running",),
    "early_repayment": (r"提前|early|prepay|ahead|pay(?:ing)? (?:it )?off|payoff|sooner|settle",),
    "outward": (r"汇出|汇款|outward|\bsend|transfer|remit|percent",),
    "inward": (r"汇入|入账|收款|收到|incoming|inward|receiv",),
    "amend": (r"修改|退汇|撤|改单|cancel|recall|amend|chang",),
    "exchange": (r"兑换|换|exchange|\bchange",),
    "cable": (r"电报|电讯|电汇|cable|swift|telex",),
    "counter_small": _COUNTER,
    "counter_large": _COUNTER,
    "mobile": (r"手机|app|网银|网上|线上|mobile|online|phone|internet",),
    "monthly": (r"每月|包月|一个月|月费|month",),
    "small_yearly": (r"小箱|小号|小的|最小|small|little",),
    "large_yearly": (r"大箱|大号|大的|最大|large|big",),
    "key_deposit": (r"押金|钥匙|\bkeys?\b|\bdeposit",),
    "sell": (r"卖|回购|赎|\bsell",),
    "delivery": (r"提金|提货|实物|取金|金条|deliver|physical|\bbars?\b",),
    "premium_from": (r"保费|premium|多少钱|how much|\bcosts?\b|\bprices?\b|便宜|cheap",),
}
# Fees that have a name of their own: a product without one of that name has no such figure.
_FEE_NAMES = re.compile(
    r"年费|管理费|托管费|保管费|开户费|销户费|挂失费|申购费|认购费|赎回费|违约金|滞纳金|工本费|取现|提前|退保|评估费|担保费|服务费|月费|逾期"
    r"|押金|货币转换费|挂失|annual fee|yearly fee|annual charge|management fee|custody|opening fee|closing fee"
    r"|inactivity|arrangement fee|application fee|processing fee|set-?up fee|cash advance|late (?:payment )?fee"
    r"|redemption fee|subscription fee|purchase fee|early repayment|prepayment|surrender|monthly fee|over-?limit"
    r"|foreign transaction|entry fee|exit fee"
)
_RATE_WORDS = {
    "floor": r"保底|最低|最差|保证|\bfloor\b|guaranteed(?! or)|minimum|worst|lowest",
    "cap": r"最高|最好|封顶|顶格|\btop\b|highest|\bbest\b|\bcap\b|maximum",
    "base": r"中间|预期|\bmiddle\b|expected|\bmid\b",
}


def terms_asked(folded: str) -> set[int]:
    """The terms in a folded text, in months; 一年 as "a year's interest" beside another term is none."""
    found: dict[int, str] = {}
    for match in _TERMS.finditer(folded):
        months = _months(match)
        if months:
            found.setdefault(months, match.group())
    if len(found) > 1 and 12 in found and _YEARLY.search(folded) and not _SEVERAL.search(folded):
        del found[12]
    return set(found)


def _months(match: re.Match[str]) -> int:
    if match["half"]:
        return 6
    if match["a"] or match["adj"]:
        return 3 if match["a"] == "quarter" else 12
    number = match["zh"] or match["en"]
    count = Decimal(number) if number.isdigit() else (chinese(number) if match["zh"] else english(number))
    if count is None:
        return 0
    if match["zy"] or match["ey"]:
        return int(count * 12) + (6 if match["more"] or match["emore"] else 0)
    if match["zq"] or match["eq"]:
        return int(count * 3)
    if match["zd"] or match["ed"]:
        return int((count / 30).quantize(Decimal(1), ROUND_HALF_UP))
    return int(count)


def rate_asked(folded: str, product: Product) -> Rate | None:
    """The line of the rate table that is meant; None when it cannot be decided, or the term is not sold."""
    named = _by_label(folded, product)
    if named is not None:
        return named
    if _BEYOND.search(folded) and any(_BEYOND.search(fold(label)) for r in product.rates for label in _labels(r)):
        return None  # "over 5 years" is not the line of 5 years; the whole table is given
    terms = terms_asked(folded)
    if terms:
        lines = {line.key: line for line in (_covering(months, product) for months in terms) if line is not None}
        return next(iter(lines.values())) if len(lines) == 1 and len(terms) == 1 else None
    if len(product.rates) == 1:
        return product.rates[0]
    worded = [r for r in product.rates if (words := _RATE_WORDS.get(r.key)) and re.search(words, folded)]
    return worded[0] if len(worded) == 1 else None


def term_not_sold(folded: str, product: Product) -> bool:
    """Whether the text asks for a term that the rate table has no line for."""
    if not any(rate.term_months for rate in product.rates) or _by_label(folded, product) is not None:
        return False
    return any(_covering(months, product) is None for months in terms_asked(folded))


def _covering(months: int, product: Product) -> Rate | None:
    """The line of exactly this term, else the shortest line for terms up to its own that holds it."""
    timed = sorted((r for r in product.rates if r.term_months), key=lambda r: r.term_months or 0)
    if not timed:
        return product.rates[0] if len(product.rates) == 1 else None
    for rate in timed:
        if rate.term_months == months:
            return rate
    longer = [r for r in timed if (r.term_months or 0) > months]
    return longer[0] if longer and any(_RANGE.search(fold(label)) for label in _labels(longer[0])) else None


def _labels(rate: Rate) -> tuple[str, str]:
    return rate.label.zh, rate.label.en


def _by_label(folded: str, product: Product) -> Rate | None:
    spelled = _digits(folded)
    # No digit may stand before the label, or "11 years" would be answered with the rate of "1 year".
    named = [
        rate
        for rate in product.rates
        if any(
            re.search(rf"(?<![\d十百]){re.escape(_digits(fold(label)))}(?![\d半])", spelled) for label in _labels(rate)
        )
    ]
    if len(named) == 1:
        own = {named[0].term_months or 0}.union(*(terms_asked(fold(label)) for label in _labels(named[0])))
        if terms_asked(folded) <= own:
            return named[0]
    days = [
        rate for rate in product.rates if (day := re.fullmatch(r"(\d+)D", rate.key)) and _says_days(day[1], spelled)
    ]
    return days[0] if len(days) == 1 else None


def _says_days(count: str, spelled: str) -> bool:
    return re.search(rf"(?<!\d){count} ?(?:天|days?\b)", spelled) is not None


def _digits(folded: str) -> str:
    """Small numerals as digits, hyphens as spaces: ``七天`` and ``seven-day`` both meet ``7``."""
    for digit, words in enumerate(("one", "two", "three", "four", "five", "six", "seven"), start=1):
        folded = re.sub(rf"\b{words}\b", str(digit), folded)
    folded = folded.translate(str.maketrans("一二两三四五六七", "12234567")).replace("-", " ")
    return re.sub(r"\s*(天|日)", "天", folded)


def fee_asked(folded: str, unnamed: str, product: Product, entities: Sequence[Entity]) -> Fee | None:
    """The fee that is meant; None when it cannot be decided.

    Args:
        folded: the folded text.
        unnamed: the same without the names of the product, whose words are no words for a fee.
        product: whose fees.
        entities: of the text; an amount chooses among fees that differ by amount.
    """
    winners = _best_fees(unnamed, product) or _best_fees(folded, product)
    values = [Decimal(e.value) for e in entities if e.type == "amount" and e.value and e.currency == product.currency]
    if len(winners) > 1 and len(values) == 1:
        winners = [fee for fee in winners if _in_band(values[0], fee)]
    return winners[0] if len(winners) == 1 else None


def _best_fees(folded: str, product: Product) -> list[Fee]:
    scored = [(_score(folded, fee), fee) for fee in product.fees]
    best = max((score for score, _ in scored), default=0)
    return [fee for score, fee in scored if score == best] if best else []


def _score(folded: str, fee: Fee) -> int:
    hits = sum(re.search(pattern, folded) is not None for pattern in _FEE_WORDS.get(fee.key, ()))
    return hits + 2 * sum(fold(label) in folded for label in (fee.label.zh, fee.label.en))


def _in_band(value: Decimal, fee: Fee) -> bool:
    """Whether the fee's note gives it for this amount: ``up to RMB 10000``, ``1万元以上``."""
    note = fold(fee.note.en) if fee.note else ""
    bound = next((Decimal(m.value) for m in amounts.mentions(note.upper()) if m.value), None)
    if bound is None:
        return False
    return value > bound if re.search(r"\babove\b|\bover\b|more than", note) else value <= bound


def labelled(folded: str, fee: Fee) -> bool:
    """Whether the text names the fee by its label, with or without the word fee."""
    zh, en = fold(fee.label.zh), fold(fee.label.en)
    short = en.removesuffix(" fee")
    # One English word ("annual") also stands in the labels of rates.
    return any(name and name in folded for name in (zh, zh.removesuffix("手续费"), en)) or (
        " " in short and short in folded
    )


def fee_not_had(unnamed: str, product: Product, fee: Fee | None) -> bool:
    """Whether the text names a kind of fee that `fee`, the best match of the product, is not."""
    names = set(_FEE_NAMES.findall(unnamed))
    if not names:
        return False
    if fee is None:
        words = [w for f in product.fees for w in (*_FEE_WORDS.get(f.key, ()), re.escape(fold(f.label.zh)))]
    else:
        words = [*_FEE_WORDS.get(fee.key, ()), re.escape(fold(fee.label.zh)), re.escape(fold(fee.label.en))]
    labels = " ".join(fold(x) for f in ([fee] if fee else product.fees) for x in (f.label.zh, f.label.en))
    return not any(name in labels or re.search(word, name) for name in names for word in words or ("$^",))


def about_other_bank(fee: Fee | None) -> bool:
    """Whether the fee is for business with another bank."""
    texts = (
        (fee.label.zh, fee.label.en, fee.note.zh if fee.note else "", fee.note.en if fee.note else "") if fee else ()
    )
    return any(re.search(_OTHER, fold(text)) for text in texts)
