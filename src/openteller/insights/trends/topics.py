"""Topics: groups of intents, told by the first word of an intent's label, so that a bank's own intents fall into them too.

Knows nothing about how an intent is found.
"""

from openteller.core.records import LocalText

OTHER = "other"
"""Where an intent goes whose first word is not listed."""

TOPICS: dict[str, tuple[LocalText, tuple[str, ...]]] = {
    "account": (LocalText(zh="账户", en="Accounts"), ("account",)),
    "card": (LocalText(zh="银行卡", en="Cards"), ("card",)),
    "credit": (LocalText(zh="信用卡", en="Credit cards"), ("credit",)),
    "transfer": (LocalText(zh="转账", en="Transfers"), ("transfer",)),
    "payment": (
        LocalText(zh="支付与账单", en="Payments and bills"),
        ("transaction", "payment", "mobile", "bill", "next", "spending"),
    ),
    "deposit": (LocalText(zh="存款", en="Deposits"), ("deposit",)),
    "loan": (LocalText(zh="贷款", en="Loans"), ("loan",)),
    "mortgage": (LocalText(zh="房贷", en="Mortgages"), ("mortgage",)),
    "investment": (
        LocalText(zh="投资理财", en="Investments"),
        ("fund", "risk", "wealth", "product", "investment", "gold", "pension"),
    ),
    "insurance": (LocalText(zh="保险", en="Insurance"), ("insurance",)),
    "foreign": (LocalText(zh="外汇与出境", en="Foreign exchange and travel"), ("fx", "travel")),
    "fee": (LocalText(zh="费用", en="Fees"), ("fee",)),
    "app": (LocalText(zh="手机银行", en="Banking app"), ("app", "sms")),
    "security": (LocalText(zh="安全与隐私", en="Security and privacy"), ("fraud", "phishing", "security", "privacy")),
    "complaint": (LocalText(zh="投诉", en="Complaints"), ("complaint",)),
    "service": (LocalText(zh="网点与人工", en="Branches and people"), ("branch", "human", "business")),
    "talk": (LocalText(zh="寒暄", en="Small talk"), ("greeting", "thanks", "bot")),
    "out_of_scope": (LocalText(zh="范围之外", en="Out of scope"), ("out",)),
    OTHER: (LocalText(zh="其他", en="Other"), ()),
}

BY_FIRST_WORD: dict[str, str] = {word: topic for topic, (_, words) in TOPICS.items() for word in words}


def topic_of(intent: str) -> str:
    """The topic of an intent's label."""
    return BY_FIRST_WORD.get(intent.partition("_")[0], OTHER)


def name_of(topic: str | None) -> LocalText:
    """The topic in both languages; None is the whole bank."""
    return TOPICS[topic][0] if topic else LocalText(zh="全行", en="The whole bank")
