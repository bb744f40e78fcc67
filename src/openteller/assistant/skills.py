"""Skills on the customer's own data: balance, transactions, spending, card freeze, bill, next payment.

Each reads through CoreBanking, so a bank plugs in its own; figures are computed here, never worded by a model. Changing
something takes a yes in the next message. Knows nothing about retrieval or offers.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from openteller.assistant.periods import end_of, period, start_of
from openteller.assistant.wording import Say, say
from openteller.core.clock import local_date, utc_now
from openteller.core.money import Money, total
from openteller.core.records import Answer, Outcome, Principal, Role, Understanding
from openteller.core.text import fold
from openteller.customers.core_banking import MAX_TRANSACTIONS, CoreBanking
from openteller.customers.profile.records import KINDS
from openteller.customers.records import Card, Transaction

_SURE = 0.35  # reading is harmless, and a change asks first
_CONFIRM_WITHIN = timedelta(minutes=10)
_YES = re.compile(
    r"^(?:是|是的|对|好|好的|确认|确定|可以|嗯|冻结|确认冻结|yes|y|yeah|yep|ok|okay|sure|confirm|please do|do it)"
    r"(?:[\s，,]*(?:谢谢(?:你|您|啦|了)?|please|thanks|thank you))?[\s。.!！~]*$"
)
_NO = re.compile(r"^(?:不|不用|不要|不是|取消|算了|先不|否|no|n|nope|cancel|don'?t|stop)[\s。.!！~了]*$")
# Asking how or why in general is a matter for the articles.
_GENERAL = re.compile(
    r"在哪|怎么(?:查|看|设)|如何(?:查|看|设)|为什么|什么是|规则|多久|can i see|where (?:do|can)|how (?:do|can) i (?:see|find|check|view)|why|what is a|what's a"
)
_PATTERNS: dict[str, str] = {
    "groceries": r"超市|买菜|杂货|grocer|supermarket",
    "dining": r"餐饮|吃饭|外卖|吃喝|饭店|dining|restaurant|eating|food|takeaway",
    "transport": r"交通|打车|地铁|加油|transport|taxi|petrol|fuel|metro",
    "housing": r"房租|住房|房贷|rent\b|housing",
    "utilities": r"水电|电费|话费|燃气|utilit|electric|phone bill",
    "shopping": r"购物|网购|买衣服|shopping|clothes",
    "health": r"医疗|看病|医院|药|health|medical|doctor",
    "education": r"教育|学费|培训|education|tuition|school",
    "travel": r"旅行|旅游|机票|酒店|travel|flight|hotel",
    "entertainment": r"娱乐|电影|游戏|entertain|movie|game",
    "fees": r"手续费|fees\b",
    "insurance": r"保险|保费|insurance",
    "cash": r"取现|取款|现金|cash",
}
_CATEGORIES: dict[str, tuple[str, str, str]] = {
    kind: (KINDS[kind].zh, KINDS[kind].en, pattern) for kind, pattern in _PATTERNS.items()
}
_MOVES: dict[str, tuple[str, str, str]] = {
    "transfer": (
        "转账转出",
        "transferred",
        r"转账|转出|转走|转了|汇款|汇出|汇了|transfer|remit|\b(?:wired?|sen[dt])\b",
    ),
    "investment": ("投资理财投入", "invested", r"投资了|投了|投入|买了?理财|买了?基金|\binvest"),
}
_HOW_MUCH = re.compile(r"多少|一共|总共|合计|总额|how much|total")
_DID_I = re.compile(
    r"how much (?:money )?(?:did|have) (?:i|we) (?:\w+ )?(?:spen[dt]|transfer|sen[dt]|wire|invest)"
    r"|(?:花|花费|花掉|支出|消费|转|转出|转走|汇|汇出|投|投资)(?:出去)?了(?:一共|总共)?多少(?:钱|元|块)?"
)
# What something costs, what is allowed and what is to come are no sums of the past.
_PRICE_OR_PLAN = re.compile(
    r"手续费|费率|费用|限额|额度|免费|利率|汇率|到账|下个?月|下周|明年|设置|预约|定时|还能|还可|可以|能转|最多|需要|要转|应该"
    r"|\bfees?\b|limit|\bcosts?\b|charge|\brates?\b|arrive|next (?:week|month|year)|schedul|\b(?:will|can|could|must|should|need)\b"
)
_NOT_SPENDING = frozenset({"salary", "interest"})


@dataclass(frozen=True)
class Request:
    """What a skill may look at."""

    text: str
    understanding: Understanding
    principal: Principal
    banking: CoreBanking
    language: str
    today: date
    timezone: str
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """What a skill did: the answer, and what now waits in the conversation (None: leave as it is)."""

    answer: Answer
    state: dict[str, Any] | None = None


Skill = Callable[[Request], Done | None]


def _pick(request: Request, zh: str, en: str) -> str:
    return en if request.language == "en" else zh


def _answer(request: Request, name: str, zh: str, en: str, outcome: Outcome = Outcome.ANSWERED) -> Answer:
    confidence = request.understanding.intent.probability
    return Answer(text=_pick(request, zh, en), outcome=outcome, confidence=confidence, skill=name)


def balance(request: Request) -> Done | None:
    """Balances of the customer's accounts, credit accounts as what is owed."""
    accounts = [a for a in request.banking.balances(request.principal) if a.status != "closed"]
    if not accounts:
        return Done(_answer(request, "balance", "您名下没有账户。", "You have no accounts with us."))
    kinds = {
        "savings": ("储蓄账户", "savings account"), "fixed": ("定期存款", "fixed deposit"),
        "credit": ("信用卡", "credit card"), "loan": ("贷款", "loan"), "mortgage": ("房贷", "mortgage"),
    }  # fmt: skip
    zh, en = [], []
    for account in accounts:
        money = Money(account.balance, account.currency)
        kind = kinds.get(account.kind, (account.kind, account.kind))
        owed = account.balance < 0
        shown = Money(abs(account.balance), account.currency) if owed else money
        zh.append(f"{kind[0]}（尾号{account.tail}）{'欠款' if owed else '余额'} {shown}")
        en.append(f"{kind[1]} ending {account.tail}: {'owed' if owed else 'balance'} {shown}")
    return Done(_answer(request, "balance", "您的账户：\n" + "\n".join(zh), "Your accounts:\n" + "\n".join(en)))


def transactions(request: Request) -> Done | None:
    """The last five bookings, or those of a day that is named."""
    since, until = _period(request) or (request.today - timedelta(days=60), request.today)
    begin, end = start_of(since, request.timezone), end_of(until, request.timezone)
    rows = list(request.banking.transactions(request.principal, begin, end, 5))
    if not rows:
        return Done(_answer(request, "transactions", "这段时间没有交易。", "There were no transactions in that time."))
    lines = [
        f"{local_date(row.booked_at, request.timezone)} {row.merchant} {Money(row.amount, row.currency)}"
        for row in rows
    ]
    listed = "\n".join(lines)
    return Done(_answer(request, "transactions", f"最近的交易：\n{listed}", f"Your latest transactions:\n{listed}"))


def spending(request: Request) -> Done | None:
    """Spending in a month (this one unless another time is named): of what is asked for, else by category."""
    since, until = _period(request) or (request.today.replace(day=1), request.today)
    folded = fold(request.text)
    asked = [c for c, (_, _, pattern) in _CATEGORIES.items() if re.search(pattern, folded)]
    moved = [c for c, (_, _, pattern) in _MOVES.items() if re.search(pattern, folded)]
    zh_when, en_when = f"{since}至{until}，", f"From {since} to {until} "
    if moved:
        zh_moved, en_moved = _moved(request, moved, since, until)
    if moved and not asked:
        return Done(_answer(request, "spending", f"{zh_when}您{zh_moved}。", f"{en_when}you {en_moved}."))
    by_category = request.banking.spending(
        request.principal, start_of(since, request.timezone), end_of(until, request.timezone)
    )
    spent = {c: m for c, m in by_category.items() if c not in _NOT_SPENDING and m.amount > 0}
    if asked:
        of_these = total(spent[c] for c in asked if c in spent)
        zh = f"{zh_when}您在{'、'.join(_CATEGORIES[c][0] for c in asked)}上支出 {of_these}"
        en = f"{en_when}you spent {of_these} on {' and '.join(_CATEGORIES[c][1] for c in asked)}"
        zh, en = (f"{zh}，{zh_moved}", f"{en} and {en_moved}") if moved else (zh, en)
        return Done(_answer(request, "spending", f"{zh}。", f"{en}."))
    if not spent:
        return Done(_answer(request, "spending", f"{zh_when}没有支出。", f"{en_when}there was no spending."))
    ordered = sorted(spent.items(), key=lambda item: -item[1].amount)
    whole = total(m for _, m in ordered)
    zh_lines = "\n".join(f"{_CATEGORIES.get(c, (c, c, ''))[0]} {m}" for c, m in ordered)
    en_lines = "\n".join(f"{_CATEGORIES.get(c, (c, c, ''))[1]} {m}" for c, m in ordered)
    zh, en = f"{zh_when}共支出 {whole}：\n{zh_lines}", f"{en_when}you spent {whole}:\n{en_lines}"
    return Done(_answer(request, "spending", zh, en))


def _moved(request: Request, categories: Sequence[str], since: date, until: date) -> tuple[str, str]:
    """What left the accounts as transfers or investments, in Chinese and English; no spending, so added up here."""
    out = [t for t in _movements(request, since, until) if t.category in categories and t.amount < 0]
    currencies = sorted({t.currency for t in out}) or ["CNY"]
    sums = [total((Money(-t.amount, t.currency) for t in out if t.currency == c), c) for c in currencies]
    zh = f"{'、'.join(_MOVES[c][0] for c in categories)}共 {len(out)} 笔，合计 {'、'.join(map(str, sums))}"
    en = f"{' and '.join(_MOVES[c][1] for c in categories)} {' and '.join(map(str, sums))} in {len(out)} movements"
    return zh, en


def _movements(request: Request, since: date, until: date) -> list[Transaction]:
    """Every movement of those days; core banking gives so many at a time, so a full answer is asked for in halves."""
    begin, end = start_of(since, request.timezone), end_of(until, request.timezone)
    rows = list(request.banking.transactions(request.principal, begin, end, MAX_TRANSACTIONS))
    if len(rows) < MAX_TRANSACTIONS or since == until:
        return rows
    middle = since + (until - since) // 2
    return _movements(request, since, middle) + _movements(request, middle + timedelta(days=1), until)


def _asks_for_sum(request: Request) -> bool:
    """Whether the customer asks what they spent or moved in the past; a classifier takes many of these for a list."""
    folded = fold(request.text)
    if _PRICE_OR_PLAN.search(folded):
        return False
    said_so = bool(_DID_I.search(folded))
    moved = any(re.search(pattern, folded) for _, _, pattern in _MOVES.values())
    return said_so or (moved and bool(_HOW_MUCH.search(folded)) and _period(request) is not None)


def bill(request: Request) -> Done | None:
    """Open credit-card bills with due date and what is left to pay."""
    bills = [b for b in request.banking.bills(request.principal) if b.amount_due > b.paid_amount]
    if not bills:
        return Done(_answer(request, "bill", "您目前没有待还账单。", "You have no open bill."))
    zh, en = [], []
    for b in sorted(bills, key=lambda b: b.due_on):
        left = Money(b.amount_due - b.paid_amount, b.currency)
        least = Money(max(b.minimum_due - b.paid_amount, Decimal(0)), b.currency)
        late = b.due_on < request.today
        zh.append(
            f"应还 {left}，最低还款 {least}，{'已于' if late else '到期还款日'} {b.due_on}{' 逾期' if late else ''}"
        )
        en.append(f"{left} {'was due' if late else 'due'} on {b.due_on}, minimum payment {least}")
    return Done(_answer(request, "bill", "您的账单：" + "；".join(zh) + "。", "Your bill: " + "; ".join(en) + "."))


def next_payment(request: Request) -> Done | None:
    """The next scheduled payment."""
    payment = request.banking.next_payment(request.principal)
    if payment is None:
        return Done(_answer(request, "next_payment", "近期没有预约付款。", "No payment is scheduled."))
    money = Money(payment.amount, payment.currency)
    zh = f"您的下一笔付款是 {payment.due_on} 向{payment.payee}支付 {money}。"
    en = f"Your next payment is {money} to {payment.payee} on {payment.due_on}."
    return Done(_answer(request, "next_payment", zh, en))


def card_freeze(request: Request) -> Done | None:
    """Ask for a yes before freezing a card; which card by its tail, or the only one."""
    active = [c for c in request.banking.cards(request.principal) if c.status == "active"]
    if not active:
        return Done(_answer(request, "card_freeze", "您没有可冻结的卡片。", "You have no active card to freeze."))
    tails = {e.value for e in request.understanding.entities if e.type in ("card", "account") and e.value}
    chosen = [c for c in active if c.tail in tails] or active
    if len(chosen) > 1:
        listed = "、".join(c.tail for c in chosen)
        zh = f"您有多张卡片（尾号 {listed}），要冻结哪一张？请回复“冻结尾号XXXX的卡”。"
        en = f"You have several cards (ending {', '.join(c.tail for c in chosen)}). Which one? Say “freeze the card ending XXXX”."
        return Done(_answer(request, "card_freeze", zh, en, Outcome.CLARIFY))
    card = chosen[0]
    zh = f"确认冻结尾号 {card.tail} 的卡片吗？冻结后将不能消费和取款，可随时解冻。请回复“确认”或“取消”。"
    en = f"Freeze the card ending {card.tail}? Payments and withdrawals stop until you unfreeze it. Reply “yes” or “cancel”."
    until = (utc_now() + _CONFIRM_WITHIN).isoformat()
    state = {"pending": {"skill": "card_freeze", "card_id": card.card_id, "until": until}}
    return Done(_answer(request, "card_freeze", zh, en, Outcome.CLARIFY), state)


def _confirmed(request: Request, pending: Mapping[str, Any]) -> Done:
    card: Card = request.banking.freeze_card(request.principal, str(pending["card_id"]))
    zh = f"尾号 {card.tail} 的卡片已冻结。如卡片遗失，请尽快挂失补卡。"
    en = f"The card ending {card.tail} is now frozen. If it is lost, please report it and order a replacement."
    return Done(_answer(request, "card_freeze", zh, en), {})


SKILLS: dict[str, Skill] = {
    "account_balance": balance,
    "transaction_list": transactions,
    "spending_analysis": spending,
    "credit_bill": bill,
    "next_payment": next_payment,
    "card_freeze": card_freeze,
}


def run(request: Request) -> Done | None:
    """Use the skill that the inquiry calls for; None when none does.

    A waiting confirmation comes first: a yes does it, a no drops it, anything else is read anew and drops it too.
    """
    if request.principal.role is Role.VISITOR or request.principal.customer_id is None:
        return None
    pending = request.state.get("pending")
    if pending:
        if _YES.match(fold(request.text)) and datetime.fromisoformat(pending["until"]) > utc_now():
            return _confirmed(request, pending)
        if _NO.match(fold(request.text)):
            return Done(_answer(request, "card_freeze", say(Say.CANCELLED, "zh"), say(Say.CANCELLED, "en")), {})
    intent = request.understanding.intent
    if _GENERAL.search(fold(request.text)):
        return None
    if _asks_for_sum(request):
        return spending(request)
    skill = SKILLS.get(intent.label)
    return skill(request) if skill and intent.probability >= _SURE else None


def _period(request: Request) -> tuple[date, date] | None:
    return period(request.text, request.understanding.entities, request.today)


def unavailable(request: Request) -> Answer:
    """The answer when core banking fails: say so, and promise nothing."""
    zh, en = say(Say.BANKING_UNAVAILABLE, "zh"), say(Say.BANKING_UNAVAILABLE, "en")
    return _answer(request, "unavailable", zh, en, Outcome.REFUSED)
