"""What speaks for a product: the needs and products the customer names, and what the accounts show.

The weights are set by judgement, not learnt; every one is a line below. Rules look at a product's category, needs,
rates and conditions, never at its identifier, so that they hold for any bank's catalogue.
What is not covered: money at other banks, life events, and anything the customer did not agree to have looked at.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from openteller.core.records import LocalText, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.recommendation.records import Fits, Signal

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
_NEED_WEIGHT = 0.7
# Paying somebody or disputing a fee is no wish to buy: such a need supports a product and does not carry it alone.
_SUPPORTING = {"payments": 0.25, "fee_relief": 0.25}


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
            phrase = LocalText(zh="您提到了这款产品", en="you mentioned it")
            weight = 0.8 * entity.probability
            yield Signal(
                f"product:{entity.value}", weight, phrase, is_product(entity.value), stated=True, only=entity.value
            )


def observed(file: CustomerFile, on: date) -> Iterator[Signal]:
    """Signals from the customer's accounts and movements."""
    yield from _money_at_rest(file)
    yield from _spending(file)
    yield from _borrowing(file)
    yield from _stage_of_life(file, on)


def _money_at_rest(file: CustomerFile) -> Iterator[Signal]:
    idle = file.behaviour.idle_balance
    if idle >= 5_000:
        about = _about(idle)
        phrase = LocalText(zh=f"您的活期账户约有{about}暂时不用", en=f"about {about} sits idle in your savings account")
        weight = 0.35 + 0.25 * min(float(idle) / 100_000, 1.0)
        yield Signal("idle_balance", weight, phrase, lambda product: _rests(product) and _affordable(product, idle))


def _spending(file: CustomerFile) -> Iterator[Signal]:
    monthly = file.behaviour.monthly_spending
    rules: tuple[tuple[str, int, float, Fits, str, str], ...] = (
        # category, CNY a month at least, weight, products, Chinese, English; {} stands for the sum
        (
            "travel",
            300,
            0.55,
            _for_travellers,
            "您近三个月平均每月旅行支出约{}",
            "you spend about {} a month on travel",
        ),
        (
            "education",
            500,
            0.35,
            lambda p: p.category == "deposit" and "education" in p.needs,
            "您近三个月平均每月教育支出约{}",
            "you spend about {} a month on education",
        ),
        # That somebody is often ill is not said to their face, nor on a screen that others see.
        (
            "health",
            400,
            0.35,
            lambda p: p.category == "insurance" and p.needs == ("protection",),
            "多一份保障，日常更安心",
            "some more protection makes everyday life easier",
        ),
    )
    for category, least, weight, fits, zh, en in rules:
        spent = monthly.get(category, Decimal(0))
        if spent >= least:
            about = _about(spent)
            phrase = LocalText(zh=zh.format(about), en=en.format(about))
            yield Signal(f"spending:{category}", weight, phrase, fits)
    if not any(account.kind == "credit" for account in file.accounts) and file.behaviour.spending >= 1_500:
        about = _about(file.behaviour.spending)
        phrase = LocalText(
            zh=f"您每月消费约{about}，还没有信用卡", en=f"you spend about {about} a month and have no credit card"
        )
        yield Signal("no_credit_card", 0.4, phrase, lambda product: product.category == "card" and _lends(product))


def _borrowing(file: CustomerFile) -> Iterator[Signal]:
    behaviour = file.behaviour
    housing = behaviour.monthly_spending.get("housing", Decimal(0))
    has_mortgage = any(account.kind == "mortgage" for account in file.accounts)
    if housing >= 1_000 and not has_mortgage:
        about = _about(housing)
        phrase = LocalText(zh=f"您每月房租约{about}", en=f"you pay about {about} a month in rent")
        yield Signal("rent", 0.4, phrase, lambda product: product.category == "mortgage")
    if has_mortgage:
        phrase = LocalText(zh="您有一套在还贷的住房", en="you are paying off a home")
        yield Signal(
            "mortgage", 0.35, phrase, lambda product: product.category == "insurance" and "home" in product.needs
        )
    if behaviour.card_use >= 0.4:
        share = f"{behaviour.card_use:.0%}"
        phrase = LocalText(zh=f"您的信用卡额度已用{share}", en=f"{share} of your card limit is in use")
        yield Signal("card_use", 0.55, phrase, lambda product: any(r.kind == "fee_per_period" for r in product.rates))
    if behaviour.monthly_salary > 0:
        phrase = LocalText(zh="您的工资由本行代发", en="your salary is paid into your account here")
        yield Signal("salary", 0.32, phrase, lambda product: "payroll" in product.eligibility.segments)


def _stage_of_life(file: CustomerFile, on: date) -> Iterator[Signal]:
    age = file.customer.age(on)
    if 40 <= age <= 58:
        phrase = LocalText(zh="您正处在为养老作准备的年龄", en="you are at the age to prepare for retirement")
        yield Signal("age_retirement", 0.32, phrase, lambda product: product.needs[:1] == ("retirement",))


def _serves(need: str) -> Fits:
    return lambda product: need in product.needs


def is_product(product_id: str) -> Fits:
    """Fits this product alone."""
    return lambda product: product.id == product_id


def _for_travellers(product: Product) -> bool:
    main = product.needs[:1] == ("travel_fx",)
    return (product.category == "card" and main) or (product.category == "insurance" and "travel_fx" in product.needs)


def _rests(product: Product) -> bool:
    """Deposits that pay more than keeping the money at hand, in CNY and without risk."""
    plain = product.category == "deposit" and product.currency == "CNY" and product.needs[:1] == ("saving",)
    return plain and "education" not in product.needs and any(rate.rate > 0 for rate in product.rates)


def _lends(product: Product) -> bool:
    return any(rate.kind == "loan" for rate in product.rates) and "payments" in product.needs


def _affordable(product: Product, money: Decimal) -> bool:
    return product.min_amount is None or product.min_amount <= money


def _about(amount: Decimal) -> str:
    """An amount of CNY to two figures, so that a reason never repeats a balance to the cent."""
    step = Decimal(1).scaleb(max(amount.adjusted() - 1, 0))
    return f"¥{(amount / step).to_integral_value() * step:,.0f}"
