"""What speaks for a product: the needs and products the customer names, and what the accounts show.

The weights are set by judgement, not learnt; every one is a line below. Rules look at a product's category, needs,
rates and conditions, never at its identifier, so that they hold for any bank's catalogue.
What is not covered: money at other banks, and anything the customer did not agree to have looked at.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache

from openteller.core.records import LocalText, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation.records import Fits, Signal, anything

SURE = 0.4
"""A need or product counts from this probability on."""

NEEDS: dict[str, tuple[str, str]] = {
    "saving": ("储蓄", "saving"),
    "borrowing": ("借款", "borrowing"),
    "home": ("住房", "your home"),
    "car": ("用车", "a car"),
    "education": ("教育", "education"),
    "retirement": ("养老", "retirement"),
    "protection": ("保障", "protection"),
    "investing": ("投资", "investing"),
    "travel_fx": ("出行和外币", "travel and foreign currency"),
    "liquidity": ("资金周转", "cash at hand"),
    "fee_relief": ("减免费用", "lower fees"),
    "service_repair": ("服务问题", "a service problem"),
    "security": ("账户安全", "security"),
    "payments": ("支付", "payments"),
    "business": ("经营", "your business"),
}
_NOT_FOR_SALE = frozenset({"service_repair", "security"})
_NOTHING = Decimal(0)
_NEED_WEIGHT = 0.7
# Paying somebody or disputing a fee is no wish to buy: such a need supports a product and does not carry it alone.
_SUPPORTING = {"payments": 0.25, "fee_relief": 0.25}


_NAMED = LocalText(zh="您提到了这款产品", en="you mentioned it")


def stated(understanding: Understanding) -> Iterator[Signal]:
    """Signals from the inquiry itself."""
    for need in understanding.needs:
        if need.probability >= SURE and need.label in NEEDS and need.label not in _NOT_FOR_SALE:
            zh, en = NEEDS[need.label]
            phrase = LocalText(zh=f"您在咨询{zh}", en=f"you asked about {en}")
            weight = _SUPPORTING.get(need.label, _NEED_WEIGHT) * need.probability
            yield Signal(f"need:{need.label}", weight, phrase, _serves(need.label), stated=True)
    for entity in understanding.entities:
        if entity.type == "product" and entity.value and entity.probability >= SURE:
            weight = 0.8 * entity.probability
            yield Signal(f"product:{entity.value}", weight, _NAMED, anything, stated=True, only=entity.value)


def observed(file: CustomerFile, on: date) -> Iterator[Signal]:
    """Signals from the customer's accounts and movements, what they say of themselves, and their profile.

    What a customer said no to is not used, whoever else says it.
    """
    denied = {code for tag in file.denied for code in _SAYS_THE_SAME.get(tag, ())}
    for found in (_money_at_rest(file), _spending(file), _borrowing(file), _stage_of_life(file, on), _life(file, on)):
        yield from (signal for signal in found if signal.code not in denied)
    yield from _tags(file)


def _money_at_rest(file: CustomerFile) -> Iterator[Signal]:
    idle = file.behaviour.idle_balance
    if idle >= 5_000:
        weight = 0.35 + 0.25 * min(float(idle) / 100_000, 1.0)
        yield Signal("idle_balance", weight, _IDLE, _rests, about=_about(idle), within=idle)


def _spending(file: CustomerFile) -> Iterator[Signal]:
    monthly = file.behaviour.monthly_spending
    for category, least, weight, fits, phrase in _SPENT:
        spent = monthly.get(category, _NOTHING)
        if spent >= least:
            yield Signal(f"spending:{category}", weight, phrase, fits, about=_about(spent))
    spending = file.behaviour.spending
    if spending >= 1_500 and not any(account.kind == "credit" for account in file.accounts):
        yield Signal("no_credit_card", 0.4, _NO_CARD, _pays_by_credit, about=_about(spending))


def _borrowing(file: CustomerFile) -> Iterator[Signal]:
    behaviour = file.behaviour
    housing = behaviour.monthly_spending.get("housing", _NOTHING)
    has_mortgage = any(account.kind == "mortgage" for account in file.accounts)
    if housing >= 1_000 and not has_mortgage:
        yield Signal("rent", 0.4, _RENT, _is_mortgage, about=_about(housing))
    if has_mortgage:
        yield Signal("mortgage", 0.35, _MORTGAGE, _insures_homes)
    if behaviour.card_use >= 0.4:
        yield Signal("card_use", 0.55, _CARD_USE, _in_instalments, about=f"{behaviour.card_use:.0%}")
    if behaviour.monthly_salary > 0:
        yield Signal("salary", 0.32, _SALARY, _for_employees)


def _stage_of_life(file: CustomerFile, on: date) -> Iterator[Signal]:
    age = file.customer.age(on)
    if 40 <= age <= 58:
        yield Signal("age_retirement", 0.32, _RETIREMENT, _for_retirement)


def _tags(file: CustomerFile) -> Iterator[Signal]:
    for tag in file.tags:
        if tag.tag not in _OF_TAGS or tag.tag in file.denied:
            continue
        fits, told, derived, phrase = _OF_TAGS[tag.tag]
        if tag.source == "own":
            said = LocalText(zh=f"您说过自己{tag.name.zh}", en=f"you told us: {tag.name.en}")
            yield Signal(f"told:{tag.tag}", told, said, fits)
        elif derived:
            yield Signal(f"tag:{tag.tag}", derived, phrase, fits)


def _life(file: CustomerFile, on: date) -> Iterator[Signal]:
    seen: set[str] = set()
    for event in file.life_events:
        known = _OF_LIFE.get(event.kind)
        if known is None or event.kind in seen or not 0 <= (on - event.on).days <= _LIFE_DAYS:
            continue
        seen.add(event.kind)
        fits, weight, phrase = known
        yield Signal(f"life:{event.kind}", round(weight * event.confidence, 4), phrase, fits)


@cache
def _serves(need: str) -> Fits:
    return lambda product: need in product.needs


def _for_travellers(product: Product) -> bool:
    main = product.needs[:1] == ("travel_fx",)
    return (product.category == "card" and main) or (product.category == "insurance" and "travel_fx" in product.needs)


def _rests(product: Product) -> bool:
    """Deposits that pay more than keeping the money at hand, in CNY and without risk."""
    plain = product.category == "deposit" and product.currency == "CNY" and product.needs[:1] == ("saving",)
    return plain and "education" not in product.needs and any(rate.rate > 0 for rate in product.rates)


def _lends(product: Product) -> bool:
    return any(rate.kind == "loan" for rate in product.rates) and "payments" in product.needs


def _for_drivers(product: Product) -> bool:
    return "car" in product.needs and product.category in ("insurance", "card")


def _pays_by_credit(product: Product) -> bool:
    return product.category == "card" and _lends(product)


def _saves_for_education(product: Product) -> bool:
    return product.category == "deposit" and "education" in product.needs


def _protects(product: Product) -> bool:
    return product.category == "insurance" and product.needs == ("protection",)


def _is_mortgage(product: Product) -> bool:
    return product.category == "mortgage"


def _insures_homes(product: Product) -> bool:
    return product.category == "insurance" and "home" in product.needs


def _in_instalments(product: Product) -> bool:
    return any(rate.kind == "fee_per_period" for rate in product.rates)


def _for_employees(product: Product) -> bool:
    return "payroll" in product.eligibility.segments


def _for_retirement(product: Product) -> bool:
    return product.needs[:1] == ("retirement",)


def _about(amount: Decimal) -> str:
    """An amount of CNY to two figures, so that a reason never repeats a balance to the cent."""
    step = Decimal(1).scaleb(max(amount.adjusted() - 1, 0))
    return f"¥{(amount / step).to_integral_value() * step:,.0f}"


_IDLE = LocalText(zh="您的活期账户约有{}暂时不用", en="about {} sits idle in your savings account")
_NO_CARD = LocalText(zh="您每月消费约{}，还没有信用卡", en="you spend about {} a month and have no credit card")
_RENT = LocalText(zh="您每月房租约{}", en="you pay about {} a month in rent")
_MORTGAGE = LocalText(zh="您有一套在还贷的住房", en="you are paying off a home")
_CARD_USE = LocalText(zh="您的信用卡额度已用{}", en="{} of your card limit is in use")
_SALARY = LocalText(zh="您的工资由本行代发", en="your salary is paid into your account here")
_RETIREMENT = LocalText(zh="您正处在为养老作准备的年龄", en="you are at the age to prepare for retirement")
_SPENT: tuple[tuple[str, int, float, Fits, LocalText], ...] = (
    # category, CNY a month at least, weight, products, phrase
    (
        "travel",
        300,
        0.55,
        _for_travellers,
        LocalText(zh="您近三个月平均每月旅行支出约{}", en="you spend about {} a month on travel"),
    ),
    (
        "education",
        500,
        0.35,
        _saves_for_education,
        LocalText(zh="您近三个月平均每月教育支出约{}", en="you spend about {} a month on education"),
    ),
    # That somebody is often ill is not said to their face, nor on a screen that others see.
    (
        "health",
        400,
        0.35,
        _protects,
        LocalText(zh="多一份保障，日常更安心", en="some more protection makes everyday life easier"),
    ),
)

# What is inferred about somebody's life is never said, to them or to whoever looks over their shoulder; what they said
# themselves may be. Nothing is offered because a salary stopped.
_READY = LocalText(zh="为以后多做一份准备，心里更踏实", en="being prepared for later gives peace of mind")
_AT_HOME = LocalText(zh="家是值得好好保障的地方", en="a home is worth protecting")
_TRAVELS = LocalText(zh="出行时用得上", en="it is of use when you travel")
_LEFT_OVER = LocalText(zh="您每月常有结余", en="you often have money left at the end of a month")
_DRIVING = LocalText(zh="用车时用得上", en="it is of use when you drive")
_LIFE_DAYS = 180
_OF_TAGS: dict[str, tuple[Fits, float, float, LocalText]] = {
    # tag → products, weight if the customer said so, weight if it is derived (0: not used), phrase of what is derived
    "frequent_traveller": (_for_travellers, 0.55, 0.3, _TRAVELS),
    "saves_regularly": (_rests, 0.45, 0.3, _LEFT_OVER),
    "saving_for_home": (_is_mortgage, 0.5, 0.25, _READY),
    "renting": (_is_mortgage, 0.4, 0.0, _READY),
    "home_owner": (_insures_homes, 0.45, 0.3, _AT_HOME),
    "has_small_child": (_saves_for_education, 0.5, 0.35, _READY),
    "drives": (_for_drivers, 0.5, 0.3, _DRIVING),
    "invests": (_serves("investing"), 0.45, 0.0, _READY),
    "planning_retirement": (_for_retirement, 0.55, 0.0, _READY),
    "planning_study": (_serves("education"), 0.5, 0.0, _READY),
    "buying_car": (_serves("car"), 0.55, 0.0, _READY),
    "runs_business": (_serves("business"), 0.5, 0.0, _READY),
}
_OF_LIFE: dict[str, tuple[Fits, float, LocalText]] = {
    "child": (_saves_for_education, 0.35, _READY),
    "moving": (_insures_homes, 0.4, _AT_HOME),
    "travel": (_for_travellers, 0.25, _TRAVELS),
}
_SAYS_THE_SAME: dict[str, tuple[str, ...]] = {
    # tag → codes of signals that would bring it back by another way
    "frequent_traveller": ("spending:travel", "life:travel"),
    "renting": ("rent",),
    "saving_for_home": ("rent",),
    "home_owner": ("mortgage",),
    "salary_here": ("salary",),
    "has_small_child": ("life:child", "spending:education"),
    "planning_retirement": ("age_retirement",),
}
