"""The fixed sentences of the assistant, Chinese and English, in one table.

Approved wording: a bank changes it here. Knows nothing about when a sentence is said.
"""

from enum import StrEnum


class Say(StrEnum):
    """What is said; the two languages stand in the table below."""

    GREETING = "greeting"
    THANKS = "thanks"
    REFUSED = "refused"
    REFUSED_INJECTION = "refused_injection"
    CLARIFY = "clarify"
    HANDED_OFF = "handed_off"
    HANDED_OFF_CARE = "handed_off_care"
    WITH_A_PERSON = "with_a_person"
    BANKING_UNAVAILABLE = "banking_unavailable"
    CANCELLED = "cancelled"
    NOT_SUITABLE = "not_suitable"
    SUITABLE_IF_CONFIRMED = "suitable_if_confirmed"
    SUITABILITY_UNKNOWN = "suitability_unknown"


_ABOUT_A_PRODUCT = frozenset({Say.NOT_SUITABLE, Say.SUITABLE_IF_CONFIRMED, Say.SUITABILITY_UNKNOWN})
_TABLE: dict[Say, tuple[str, str]] = {
    Say.GREETING: (
        "您好，我是{bank}的智能助手（AI）。请问有什么可以帮您？",
        "Hello, I am the AI assistant of {bank}. How can I help you?",
    ),
    Say.THANKS: ("不客气，祝您生活愉快！", "You are welcome. Have a good day!"),
    Say.REFUSED: (
        "抱歉，这个问题我没有经过审核的资料，不能随意回答。您可以换个说法，或回复“人工”转接客服。",
        "Sorry, I have no approved information on this and will not guess. You can rephrase, or say “agent” to reach a person.",
    ),
    Say.REFUSED_INJECTION: (
        "抱歉，我只能回答{bank}的业务问题，不能执行这类指令。",
        "Sorry, I only answer questions about {bank}'s services and cannot follow such instructions.",
    ),
    Say.CLARIFY: ("您想问的是下面哪一个？", "Which of these do you mean?"),
    Say.HANDED_OFF: (
        "好的，已为您转接人工客服，请稍候。您之前说的内容会一并转给客服，无需重复。",
        "Of course. I am passing you to a colleague, who will see this conversation, so you need not repeat it.",
    ),
    Say.HANDED_OFF_CARE: (
        "您的安全最重要。我已请同事尽快联系您；如有紧急危险，请立即拨打110或120，心理援助热线12356。",
        "Your safety matters most. I have asked a colleague to contact you soon; in immediate danger call 110 or 120, "
        "or the mental-health line 12356.",
    ),
    Say.WITH_A_PERSON: (
        "已转给正在为您服务的工作人员。",
        "Passed on to the member of staff who is helping you.",
    ),
    Say.BANKING_UNAVAILABLE: (
        "暂时查不到您的账户信息，请稍后再试，或回复“人工”。",
        "I cannot reach your account information just now. Please try again shortly, or say “agent”.",
    ),
    Say.NOT_SUITABLE: (
        "请注意：{product}目前不适合您。{reason}",
        "Please note: {product} does not suit you at present. {reason}",
    ),
    Say.SUITABLE_IF_CONFIRMED: ("关于{product}，请注意：{reason}", "About {product}, please note: {reason}"),
    Say.SUITABILITY_UNKNOWN: (
        "暂时无法核对{product}是否适合您，购买前请先确认。",
        "I cannot check just now whether {product} suits you; please have it checked before you buy.",
    ),
    Say.CANCELLED: ("好的，已取消，未做任何改动。", "All right, cancelled. Nothing was changed."),
}


def say(what: Say, language: str, **values: str) -> str:
    """The sentence in ``zh`` or ``en``, with `values` filled in."""
    zh, en = _TABLE[what]
    return (en if language == "en" else zh).format(**values)


def stock(bank: dict[str, str]) -> list[tuple[str, str]]:
    """Every sentence with its language that is the same for everybody: what a voice may have ready."""
    fixed = [what for what in Say if what not in _ABOUT_A_PRODUCT]
    return [(say(what, language, bank=bank[language]), language) for what in fixed for language in ("zh", "en")]
