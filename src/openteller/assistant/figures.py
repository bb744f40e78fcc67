"""Questions about a rate, a fee or a minimum: answered from the product table, never from a text or a model.

A product must be named (or found by retrieval) and the figure must be asked for; with a term or a kind of fee in the
question exactly one figure is given, else the whole table. Knows nothing about who asks.
"""

import re
from collections.abc import Sequence

from openteller.core.money import Money
from openteller.core.records import Answer, Citation, Entity, Outcome
from openteller.core.text import fold
from openteller.products.figures import fee_text, percent, rate_lines
from openteller.products.records import Fee, Product, Rate

_RATE = re.compile(
    r"利率|利息|年息|年化|几个点|个点|多少息|收益率|基准|几厘|利錢|\brates?\b|interest|\bapr\b|\byield|percent|benchmark"
    # Verbs that tell more often than they ask.
    r"|(?:what|how much|which).*(?:\bpay(?:s|ing)?\b|earn|return)"
)
_SOMETHING_ELSE = re.compile(  # about a fee or a rate, but no figure is asked for, or one of another time
    r"为什么|为啥|凭什么|能不能|可不可以|能退|减免|免掉|免年费|怎么免|怎么算出|会不会|打到哪|到期了|固定的?还是|浮动的?还是"
    r"|去年|前年|明年|以后会|上个?月|20\d\d年|比.{0,8}(?:高|低)吗"
    r"|\bwhy\b|\bhow (?:do|can|could) i\b|\b(?:can|could|may) i\b|get out of|waive|avoid|refund|calculated|better than"
    r"|fixed or|variable or|next year|last (?:year|month)|\bin 20\d\d\b|\b(?:will|going to)\b.*\b(?:rise|fall|drop|change|go (?:up|down))\b"
)
_FEE = re.compile(
    r"费|手续|多少钱|租金|违约金|\brent\b|\bfees?\b|charge|\bcosts?\b|how much|surcharge|penalty|markup|commission"
)
_NAMED_FEE = re.compile(
    r"(?:管理|保管|年|托管|开户|申购|赎回)费|\b(?:management|annual|custody|purchase|redemption) fee"
)
_MINIMUM = re.compile(r"起存|起购|起投|门槛|最低.{0,4}(?:买|存|投|多少)|\bminimum\b|at least how much|smallest")
_BEYOND = re.compile(r"以上|超过|\bover\b|more than|longer than|beyond")
_CURRENCIES = {
    "CNY": re.compile(r"人民币|\brmb\b|\bcny\b|\byuan\b"),
    "USD": re.compile(r"美金|美元|美刀|\busd\b|\bdollars?\b"),
    "EUR": re.compile(r"欧元|\beur\b|\beuros?\b"),
    "HKD": re.compile(r"港币|港元|港纸|港幣|\bhkd\b|hong kong dollar"),
    "other": re.compile(
        r"日元|日币|英镑|澳元|澳币|加元|加币|新加坡元|新元|瑞郎|法郎|韩元|韩币|泰铢|卢布|\byen\b|\bjpy\b|\bpounds?\b|sterling|\bgbp\b"
        r"|(?:australian|canadian|singapore|new zealand|taiwan) dollars?|\baud\b|\bcad\b|\bsgd\b|francs?\b|\bwon\b|\bbaht\b|\broubles?\b"
    ),
}
_QUALIFIED_DOLLAR = re.compile(r"(?:australian|canadian|singapore|new zealand|taiwan|hong kong) dollars?")
_OTHER_BANKS = re.compile(
    r"工行|工商银行|建行|建设银行|农行|农业银行|中行|中国银行|交行|交通银行|招行|招商银行|邮储|浦发|民生银行|兴业银行|中信银行|平安银行"
    r"|光大银行|微众|网商银行|汇丰|渣打|花旗|\bicbc\b|\bhsbc\b|\bciti(?:bank)?\b|standard chartered|bank of china|\bboc\b|\bccb\b|\bcmb\b"
)
_ANY_OTHER_BANK = re.compile(r"(?:别的|其他|其它|别家|另一家)银行|\bother banks?\b|\banother bank\b")
_AT_OTHER_BANK = re.compile(r"atm|取款|取钱|取现|转|汇|withdraw|cash|transfer|send|machine")
_FEE_WORDS: dict[str, str] = {
    "annual": r"年费|annual|yearly|a year",
    "cash_advance": r"取现|提现|预借|cash advance|withdraw",
    "late": r"滞纳|违约金|逾期|迟还|晚还|late|overdue|missed",
    "fx_markup": r"境外|国外|外币|货币转换|海外|foreign|abroad|overseas|currency",
    "replacement": r"补卡|换卡|补办|重办|换一张|replac|new card",
    "atm_other_bank": r"跨行|他行|别的银行|other bank|another bank",
    "atm_overseas": r"境外|国外|海外|abroad|overseas|foreign",
    "purchase": r"申购|认购|买入|购买|买|purchase|subscri|buy|front",
    "redeem_7d": r"赎回|卖出|七天|7天|redeem|redemption|sell|week",
    "management": r"管理费|management",
    "early_repayment": r"提前|early|prepay|ahead|pay off|sooner",
    "outward": r"汇出|汇款手续|手续费|outward|send|transfer",
    "cable": r"电报|电汇|cable|swift|telex|wire",
    "counter_small": r"柜台|网点|counter|branch",
    "counter_large": r"柜台|网点|counter|branch",
    "mobile": r"手机|app|mobile|online|phone",
    "monthly": r"每月|包月|一个月|月费|month",
    "small_yearly": r"小箱|小号|小的|small",
    "large_yearly": r"大箱|大号|大的|large|big",
    "key_deposit": r"押金|钥匙|key|deposit",
    "sell": r"卖|回购|赎|sell",
    "delivery": r"提金|提货|实物|取金|deliver|physical",
    "premium_from": r"保费|premium|多少钱|how much|cost",
}


def currency_named(text: str) -> str | None:
    """The one currency that the text names, ``other`` for one the bank keeps no product in; None for none or several."""
    folded = fold(text)
    plain = _QUALIFIED_DOLLAR.sub("", folded)
    found = {code for code, pattern in _CURRENCIES.items() if pattern.search(plain if code == "USD" else folded)}
    return next(iter(found)) if len(found) == 1 else None


def names_other_bank(text: str) -> bool:
    """Whether the text names another bank: its figures are not ours to give."""
    folded = fold(text)
    at_one = _ANY_OTHER_BANK.search(folded) and not _AT_OTHER_BANK.search(folded)
    return bool(at_one) or _OTHER_BANKS.search(folded) is not None


def asks_for_figure(text: str) -> bool:
    """Whether the text asks for a rate, a fee or a minimum as it is today."""
    folded = fold(text)
    if _MINIMUM.search(folded):
        return True
    return not _SOMETHING_ELSE.search(folded) and any(p.search(folded) for p in (_RATE, _FEE))


def figure_answer(
    text: str, product: Product, entities: Sequence[Entity], language: str, confidence: float
) -> Answer | None:
    """The answer to a question about a figure of `product`; None when it is not one, or the product has no such figure.

    Args:
        text: the inquiry.
        product: that the inquiry is about.
        entities: of the inquiry; terms choose the line of the rate table.
        language: of the answer, ``zh`` or ``en``.
        confidence: calibrated probability that the product is the right one.
    """
    folded = fold(text)
    line = None
    fee = _fee(folded, product)
    if _MINIMUM.search(folded) and product.min_amount is not None:
        line = _minimum(product, language)
    elif fee is not None and (_FEE.search(folded) or not product.rates or _labelled(folded, fee)):
        line = _fee_line(product, fee, language)
    elif fee is None and _NAMED_FEE.search(folded):
        return None  # a fee that the product does not have
    elif (
        product.rates
        and _offers_term(product, entities)
        and (_RATE.search(folded) or not product.fees or _priced_by_period(product))
    ):
        line = _rate_line(product, _rate(folded, product, entities), language)
    elif product.fees and _FEE.search(folded):
        separator = "; " if language == "en" else "；"
        line = separator.join(f"{f.label.of(language)} {fee_text(f)}" for f in product.fees)
        line = f"{product.name.of(language)}{': ' if language == 'en' else '：'}{line}"
    if line is None:
        return None
    source = Citation(
        document_id=f"product:{product.id}:{language}", title=product.name.of(language), passage=line, score=confidence
    )
    return Answer(
        text=line, outcome=Outcome.ANSWERED, confidence=confidence, citations=(source,), skill="product_figure"
    )


def _offers_term(product: Product, entities: Sequence[Entity]) -> bool:
    """False when a term is named and the table has lines by term, none of them that one."""
    months = {e.value for e in entities if e.type == "term"}
    lines = {str(r.term_months) for r in product.rates if r.term_months is not None}
    return not months or not lines or bool(months & lines)


def _rate(folded: str, product: Product, entities: Sequence[Entity]) -> Rate | None:
    if len(product.rates) == 1:
        return product.rates[0]
    labels = {r.key: [_digits(fold(label)) for label in (r.label.zh, r.label.en)] for r in product.rates}
    spelled = _digits(folded)
    # No digit may stand before the label, or "11 years" would be answered with the rate of "1 year".
    named = [
        r for r in product.rates if any(re.search(rf"(?<![\d十百]){re.escape(x)}", spelled) for x in labels[r.key])
    ]
    if len(named) == 1:
        return named[0]
    if _BEYOND.search(spelled) and any(_BEYOND.search(label) for both in labels.values() for label in both):
        return None  # "over 5 years" is not the line of 5 years; the whole table is given
    months = {e.value for e in entities if e.type == "term"}
    by_term = [r for r in product.rates if r.term_months is not None and str(r.term_months) in months]
    return by_term[0] if len(by_term) == 1 else None


def _digits(folded: str) -> str:
    """Small numerals as digits, hyphens as spaces: ``七天`` and ``seven-day`` both meet ``7``."""
    for digit, words in enumerate(("one", "two", "three", "four", "five", "six", "seven"), start=1):
        folded = re.sub(rf"\b{words}\b", str(digit), folded)
    folded = folded.translate(str.maketrans("一二两三四五六七", "12234567")).replace("-", " ")
    return re.sub(r"\s*(天|日)", "天", folded)


def _fee(folded: str, product: Product) -> Fee | None:
    scored = []
    for fee in product.fees:
        pattern = _FEE_WORDS.get(fee.key)
        hits = len(set(re.findall(pattern, folded))) if pattern else 0
        labels = (fold(fee.label.zh), fold(fee.label.en))
        scored.append((2 * sum(label in folded for label in labels) + hits, fee))
    best = max((score for score, _ in scored), default=0)
    winners = [fee for score, fee in scored if score == best]
    return winners[0] if best and len(winners) == 1 else None


def _labelled(folded: str, fee: Fee) -> bool:
    """Whether the text names the fee by its label, less the word fee."""
    zh, en = fold(fee.label.zh).removesuffix("手续费"), fold(fee.label.en).removesuffix(" fee")
    # One English word ("annual") also stands in the labels of rates.
    return (bool(zh) and zh in folded) or (" " in en and en in folded)


def _priced_by_period(product: Product) -> bool:
    """Whether what looks like a rate is a fee: instalment plans charge a share each period."""
    return any(rate.kind == "fee_per_period" for rate in product.rates)


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
