"""Kinds of risk event: what they are called, and how bad each is for whom it befalls."""

from types import MappingProxyType

from openteller.core.records import LocalText
from openteller.insights.opinion.records import EventType, Level, SentimentLabel

NAMES = MappingProxyType(
    {
        EventType.OTHER: LocalText(zh="其他", en="other"),
        EventType.DISCLOSURE: LocalText(zh="信批违规", en="disclosure violation"),
        EventType.CONTROL: LocalText(zh="实控人股东变更", en="change of control"),
        EventType.TRADING: LocalText(zh="交易违规", en="trading violation"),
        EventType.FUNDRAISING: LocalText(zh="涉嫌非法集资", en="suspected illegal fundraising"),
        EventType.ABSENCE: LocalText(zh="不能履职", en="executive leaves or cannot serve"),
        EventType.RESTRUCTURING: LocalText(zh="重组失败", en="failed restructuring"),
        EventType.RATING: LocalText(zh="评级调整", en="rating change"),
        EventType.EARNINGS: LocalText(zh="业绩下滑", en="falling earnings"),
        EventType.OFFENCE: LocalText(zh="涉嫌违法", en="suspected offence"),
        EventType.ACCOUNTING: LocalText(zh="财务造假", en="accounting fraud"),
        EventType.PYRAMID: LocalText(zh="涉嫌传销", en="suspected pyramid selling"),
        EventType.FRAUD: LocalText(zh="涉嫌欺诈", en="suspected fraud"),
        EventType.FUNDS: LocalText(zh="资金账户风险", en="funds or accounts at risk"),
        EventType.EXECUTIVE: LocalText(zh="高管负面", en="executive misconduct"),
        EventType.ASSETS: LocalText(zh="资产负面", en="impaired or frozen assets"),
        EventType.COMPLAINTS: LocalText(zh="投诉维权", en="complaints and claims"),
        EventType.PRODUCT: LocalText(zh="产品违规", en="product violation"),
        EventType.WITHDRAWAL: LocalText(zh="提现困难", en="withdrawal trouble"),
        EventType.ABSCONDING: LocalText(zh="失联跑路", en="absconding"),
        EventType.CLOSURE: LocalText(zh="歇业停业", en="closure of business"),
        EventType.STOCK: LocalText(zh="公司股市异常", en="abnormal share price"),
    }
)
_LEVELS = MappingProxyType(
    {
        Level.HIGH: (
            EventType.FUNDRAISING,
            EventType.ACCOUNTING,
            EventType.PYRAMID,
            EventType.FRAUD,
            EventType.FUNDS,
            EventType.WITHDRAWAL,
            EventType.ABSCONDING,
        ),
        Level.MEDIUM: (
            EventType.DISCLOSURE,
            EventType.TRADING,
            EventType.OFFENCE,
            EventType.EXECUTIVE,
            EventType.ASSETS,
            EventType.COMPLAINTS,
            EventType.PRODUCT,
            EventType.CLOSURE,
            EventType.STOCK,
        ),
        Level.LOW: (
            EventType.CONTROL,
            EventType.ABSENCE,
            EventType.RESTRUCTURING,
            EventType.RATING,
            EventType.EARNINGS,
            EventType.OTHER,
        ),
    }
)
_OF = {event: level for level, events in _LEVELS.items() for event in events}
LEVEL_NAMES = MappingProxyType(
    {
        Level.NONE: LocalText(zh="无", en="none"),
        Level.LOW: LocalText(zh="低", en="low"),
        Level.MEDIUM: LocalText(zh="中", en="medium"),
        Level.HIGH: LocalText(zh="高", en="high"),
    }
)


def level_of(event: EventType, sentiment: SentimentLabel) -> Level:
    """How bad: the event's own level when something negative is said; else none, whatever the event is called."""
    return _OF[event] if sentiment == "negative" else Level.NONE
