"""What a question for a figure asks: a rate, a fee or a minimum, in which currency, of whom and when.

Language only: no product, fee or amount of a bank stands here. A rule that fires wrongly costs a direct figure (an
article answers instead), a rule that is missing may cost a wrong one; so `reserved` is generous.
What is not covered: irony, several questions in one, and languages other than Chinese and English.
"""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from openteller.core.text import fold


class Kind(StrEnum):
    """The kind of figure that is asked for."""

    RATE = "rate"
    FEE = "fee"
    MINIMUM = "minimum"


_RATE = re.compile(
    r"利率|利息|利钱|年化|年息|息率|收益|基准|几厘|多少息|(?:几|多少)个?点|百分之几|\brates?\b|interest|\bapr\b|\byield"
    r"|percent|pay(?:s|ing)?\b|\bearn|\breturn|benchmark|guaranteed|\bfloor\b"
)
_SURELY_RATE = re.compile(
    r"利率|利息|利钱|年化|年息|收益|基准|\brates?\b|interest|\bapr\b|\byield|\breturns?\b|benchmark|\bfloor\b"
)
_FEE_RATE = re.compile(r"费率|\b(?:fee|charge) rates?\b")
_SURELY_FEE = re.compile(
    r"(?<![消学缴免小])费|手续(?=多少)|违约金|滞纳金|押金|租金|年租|保费|\bfees?\b|charge|surcharge|penalt|markup|commission"
    r"|premium|\brent\b|toll"
)
_PRICE = re.compile(r"多少钱|收多少|收我多少|扣多少|几块|价格|花多少|\bcosts?\b|\bprices?\b|how much|\bpay(?:s|ing)?\b")
_MINIMUM = re.compile(
    r"起存|起购|起投|起买|起点|门槛|最[低少](?!档|利|收益|还|的?保费).{0,4}(?:买|存|投|贷|借|放|金额|多少)|至少.{0,3}(?:买|存|投|贷|借|放)|多少钱?起"
    r"|\bminimum\b(?! (?:rate|return|interest|yield|pay|repay|due|premium))|at least how much|smallest|how little"
    r"|lowest amount|least i (?:can|have)"
)
_CURRENCIES = {
    "HKD": re.compile(r"港币|港元|港纸|港幣|\bhkd\b|(?:hong kong|\bhk) dollars?"),
    "AUD": re.compile(r"澳元|澳币|\baud\b|(?:australian|aussie) dollars?"),
    "CAD": re.compile(r"加元|加币|\bcad\b|canadian dollars?"),
    "SGD": re.compile(r"新加坡元|新币|坡币|\bsgd\b|singapore dollars?"),
    "NZD": re.compile(r"新西兰元|纽币|\bnzd\b|(?:new zealand|kiwi) dollars?"),
    "TWD": re.compile(r"台币|\btwd\b|taiwan dollars?"),
    "MOP": re.compile(r"澳门元|\bpatacas?\b"),
    "JPY": re.compile(r"日元|日圆|日币|\bjpy\b|\byen\b"),
    "GBP": re.compile(r"英镑|\bgbp\b|\bsterling\b|(?:british |\b)pounds?\b"),
    "CHF": re.compile(r"瑞郎|瑞士法郎|\bchf\b|swiss francs?"),
    "KRW": re.compile(r"韩元|韩币|\bkrw\b|korean won"),
    "THB": re.compile(r"泰铢|\bthb\b|\bbaht\b"),
    "RUB": re.compile(r"卢布|\brub\b|\broubles?\b|\brubles?\b"),
    "CNY": re.compile(r"人民币|\brmb\b|\bcny\b|\byuan\b"),
    "EUR": re.compile(r"欧元|\beur\b|\beuros?\b"),
    "USD": re.compile(r"美金|美元|美刀|\busd\b|\bdollars?\b"),
    "XXX": re.compile(r"外币|外汇|foreign currenc(?:y|ies)"),
}
_OTHER_BANKS = re.compile(
    r"工行|工商银行|建行|建设银行|农行|农业银行|中行|中国银行|交行|交通银行|招行|招商银行|邮储|浦发|民生银行|兴业银行|中信银行|平安银行"
    r"|光大银行|微众|网商银行|汇丰|渣打|花旗|广发|华夏银行|恒生|东亚银行|农商行|信用社|余额宝|\bicbc\b|\bhsbc\b|\bciti(?:bank)?\b"
    r"|standard chartered|\bboc\b|\bccb\b|\bcmb\b|bank of china|bank of communications|(?:agricultural|construction"
    r"|merchants) bank|postal savings|hang seng|\bdbs\b|webank|yu'?e ?bao"
)
_SOME_OTHER_BANK = re.compile(
    r"(?:别|其他|其它|另|另外)的?(?:一?家|的)?银行|别家|他行|外行|同业|(?:an)?other banks?\b|different banks?\b|competitor"
)
_OTHER_TIME = re.compile(
    r"去年|前年|上个?月|上个?季度|上周|上次|以前|之前|过去|历史|曾经|原来|当年|当时|明年|后年|下个?月|下个?季度|以后|将来|未来|今后"
    r"|预测|走势|会不会|会[再继]?续?[涨降升跌调变]|[涨降跌]吗|降息|加息|要[涨降]|上调|下调|\blast (?:year|month|quarter|week|time)|\bago\b"
    r"|used to|\bwas\b|\bwere\b|previous|\bformer|histor|\bnext (?:year|month|quarter|week)|\bwill\b(?!.{0,12}\b(?:i|you)\b)"
    r"|going to (?:rise|fall|drop|go|change|be|increase|come)|\bgo(?:ing)? (?:up|down)\b|future|forecast|\btomorrow\b"
)
_YEAR = re.compile(r"(?<!\d)(20[0-4]\d) ?年|\b(?:in|of|for|from|during|since) (20[0-4]\d)\b|\b(20[0-4]\d) rates?\b")
_NO_AMOUNT = re.compile(
    # why, how, whether something can be undone: an article explains that
    r"为什么|为啥|为何|凭什么|咋回事|怎么回事|怎么(?:这么|那么|又|还|会|就|能|才|办|申请|开|交|扣|取消|免|退|查|买|改|关|省|避|没|给我|定的|来的)"
    r"|如何|怎样|利息.{0,4}(?:怎么|咋)[算计]|怎么计息|减免|豁免|能免|可以免|[会给]免|免掉|免除|免[年手]|免了|不交|不收|免不免"
    r"|退[回还吗给款我钱]|能退|返还|申诉|投诉|取消|关掉|停掉|手续(?!费|多少)|材料|固定(?:的|利率)?还是|浮动|[交缴纳扣]税|个税|两次|两遍|重复|多扣|多收|扣错|乱收"
    r"|打到|打在|转到哪|去哪|哪里|在哪|什么时候|几时|何时|哪天|多久|哪个|哪种|哪家|比较(?!基准)|对比|区别|差别|划算|合算|比.{1,10}[高低多少贵]|算错"
    r"|能拿|到手|本息|[会能]亏|安全|保本吗|可靠|最多|最高.{0,3}(?:贷|借|存|买|投|额)|额度|限额|上限|月供|还款额|最低还"
    r"|\bwhy\b|how come|calculat|work(?:s|ed)? out|work out|waive|exempt|avoid|refund|\bget .{0,30}\bback\b|reimburs|dispute|\bcomplain"
    r"|\bhow (?:do|can|should|could|does) (?:i|we|one|it)\b|\bhow to\b|\bstop|\btax|\bvariable\b|\bfloat|fixed (?:or|vs)\b|\btwice\b|double charged"
    r"|\bwhere (?:do|does|is|can|will)\b|\bwhen (?:do|does|is|can|will|are)\b|how (?:long|often|many)|\bwhich\b|compare|difference|versus|\bvs\b"
    r"|better|worth it|\bsafe\b|maximum|how much (?:can|could|may|will|would) (?:i|we)(?! (?:pay|earn|get charged))|credit limit|monthly (?:payment|repayment|instalment)"
    r"|^(?:can|could|may) (?:i|we) (?!.*(?:how much|what|rate|fee|cost|charge|price|interest|earn|minimum|least))"
    r"|minimum (?:pay|repay|due)|have (?:earned|accrued)|who (?:do|does|is|can)"
)  # fmt: skip
_OWN = re.compile(r"(?:我的|我那笔|我这笔|我名下的?|\bmy(?: own| existing| current)?) ?$")
_ABROAD = re.compile(r"境外|国外|海外|外国|跨境|国际|abroad|overseas|international|another country|\bforeign\b")
_COMPANY = re.compile(r"对公|企业|公司|单位(?!净值)|\bcompany\b|\bcompanies\b|\bcorporate|\bbusiness\b")


def kinds_asked(folded: str) -> set[Kind]:
    """The kinds of figure that a folded text may ask for; empty when it asks for none."""
    found = set()
    if _RATE.search(folded):
        found.add(Kind.RATE)
    if _SURELY_FEE.search(folded) or _PRICE.search(folded):
        found.add(Kind.FEE)
    if _MINIMUM.search(folded):
        found.add(Kind.MINIMUM)
    return found


def surely(kind: Kind, folded: str) -> bool:
    """Whether the kind is asked for by its own word: ``利率``, ``fee``; ``how much`` and ``几个点`` may be several."""
    if kind is Kind.RATE:
        return _SURELY_RATE.search(_FEE_RATE.sub(" ", folded)) is not None
    return (_SURELY_FEE if kind is Kind.FEE else _MINIMUM).search(folded) is not None


def asks_for_figure(text: str) -> bool:
    """Whether the text asks for a rate, a fee or a minimum."""
    return bool(kinds_asked(fold(text)))


def currencies_named(text: str) -> set[str]:
    """ISO 4217 codes of the currencies that the text names; ``XXX`` for foreign currency in general."""
    folded, found = fold(text), set()
    for code, pattern in _CURRENCIES.items():
        folded, count = pattern.subn(" ", folded)  # a Hong Kong dollar is no dollar
        if count:
            found.add(code)
    return found


def currency_named(text: str) -> str | None:
    """The one foreign currency, or CNY, that the text names; None for none or several."""
    found = currencies_named(text)
    return next(iter(found)) if len(found) == 1 else None


def names_other_bank(text: str) -> bool:
    """Whether the text names another bank: its figures are not ours to give."""
    return _OTHER_BANKS.search(fold(text)) is not None


def speaks_of_other_bank(text: str) -> bool:
    """Whether the text speaks of other banks without a name; a fee of ours may be for just that."""
    return _SOME_OTHER_BANK.search(fold(text)) is not None


def speaks_of_abroad(text: str) -> bool:
    """Whether the text speaks of another country."""
    return _ABROAD.search(fold(text)) is not None


def speaks_of_company(text: str) -> bool:
    """Whether the text speaks of a company's banking rather than a person's."""
    return _COMPANY.search(fold(text)) is not None


def reserved(text: str, on: date) -> bool:
    """Whether the text wants something else than today's figure of ours.

    Such are another bank's figures, those of another time than the year of `on`, and questions why, how, or whether a
    charge can be undone.
    """
    folded = fold(text)
    years = {int(next(filter(None, found))) for found in _YEAR.findall(folded)}
    return (
        names_other_bank(text)
        or bool(years - {on.year})
        or any(pattern.search(folded) for pattern in (_OTHER_TIME, _NO_AMOUNT))
    )


def owned(text: str, starts: Iterable[int]) -> bool:
    """Whether what begins at one of `starts` is the asker's own: a contract has the rate it was made at."""
    return any(_OWN.search(fold(text[:start])) for start in starts)
