"""Tags: what the bank believes about a customer in words, and the customer's own word, which stands against it.

A tag is derived only with consent to personalisation, each with its reason; it is never stored, so that it goes when
its reason does. Stored is what the customer says: a tag is mine, not me, or removed. Nothing is derived about health,
belief or politics, and no tag is in the list that would say it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal

from openteller.core.errors import NotFound
from openteller.core.money import Money
from openteller.customers.profile.life_events import is_event_name, pensions
from openteller.customers.profile.records import CashFlow, ChannelShare, LifeEvent, Tag, TagWord, Wording
from openteller.customers.profile.running import RunningState, month_at, month_number

TAGS: Mapping[str, Wording] = {
    "salary_here": Wording(zh="工资在本行", en="salary is paid here"),
    "pension_here": Wording(zh="养老金在本行", en="pension is paid here"),
    "frequent_traveller": Wording(zh="经常旅行", en="travels often"),
    "saves_regularly": Wording(zh="每月有结余", en="saves every month"),
    "saving_for_home": Wording(zh="正在为买房攒钱", en="saving for a home"),
    "renting": Wording(zh="租房居住", en="rents a home"),
    "home_owner": Wording(zh="有房贷", en="pays off a home"),
    "has_small_child": Wording(zh="家有小孩", en="has a small child"),
    "drives": Wording(zh="有车", en="drives a car"),
    "shops_much": Wording(zh="爱购物", en="likes shopping"),
    "invests": Wording(zh="有投资", en="invests"),
    "uses_app": Wording(zh="常用手机银行", en="banks by app"),
    "uses_branch": Wording(zh="常去网点", en="banks at the branch"),
    # Only the customer says these.
    "planning_retirement": Wording(zh="在规划养老", en="planning for retirement"),
    "planning_study": Wording(zh="打算深造或留学", en="planning to study"),
    "buying_car": Wording(zh="打算买车", en="planning to buy a car"),
    "runs_business": Wording(zh="自己经营生意", en="runs a business"),
}
"""Every tag there is. A customer adds from this list."""

_OWN = Wording(zh="您自己添加的", en="you said so")
_RECENT = 6
_MORTGAGE_WORDS = ("房贷", "按揭", "住房贷款", "mortgage", "home loan")
_CAR_WORDS = ("加油", "停车", "洗车", "汽车", "etc", "fuel", "petrol", "parking", "garage", "tyre")


def known(tag: str) -> str:
    """The tag, or the name of a life event, if there is one of that name.

    Raises:
        NotFound: there is none.
        BadInput: it is the name of an event, without a day that there is.
    """
    if tag not in TAGS and not is_event_name(tag):
        raise NotFound("There is no such tag.", next_step=f"Choose one of: {', '.join(sorted(TAGS))}.")
    return tag


def tags(derived: Iterable[Tag], words: Iterable[TagWord]) -> tuple[Tag, ...]:
    """What stands about a customer: their own tags first, then what is derived and they did not say no to."""
    said = {word.tag: word.stance for word in words}
    own = [Tag(tag=tag, name=TAGS[tag], source="own", reason=_OWN) for tag in TAGS if said.get(tag) == "mine"]
    return (*own, *(tag for tag in derived if tag.tag not in said))


def derived_tags(
    state: RunningState, flow: CashFlow, events: Iterable[LifeEvent], channels: Iterable[ChannelShare], on: date
) -> tuple[Tag, ...]:
    """What the features say on day `on`, each with its reason, in the order of the list."""
    found = [
        *_income(state, on),
        *_travel(events, on),
        *_home(state, flow, on),
        *_saving(flow),
        *_ways(state, flow, on),
    ]
    found += [*_child(events), *_channels(channels)]
    places = list(TAGS)
    return tuple(sorted(found, key=lambda tag: places.index(tag.tag)))


def _tag(tag: str, zh: str, en: str) -> Tag:
    return Tag(tag=tag, name=TAGS[tag], source="derived", reason=Wording(zh=zh, en=en))


def _income(state: RunningState, on: date) -> Iterator[Tag]:
    paid = [p for (way, kind, _), p in state.parties.items() if way == "in" and kind == "salary"]
    for tag, parties, zh, en in (
        ("pension_here", pensions(state), "养老金", "a pension"),
        ("salary_here", [party for party in paid if party not in pensions(state)], "工资", "a salary"),
    ):
        current = sorted(
            p.label for p in parties if len(p.months) >= 2 and month_at(on) - month_number(max(p.months)) <= 1
        )
        if current:
            yield _tag(tag, f"每月收到{current[0]}的{zh}", f"{en} from {current[0]} arrives every month")


def _travel(events: Iterable[LifeEvent], on: date) -> Iterator[Tag]:
    trips = [event for event in events if event.kind == "travel" and (on - event.on).days <= 365]
    if len(trips) >= 4:
        yield _tag("frequent_traveller", f"一年内有{len(trips)}次旅行支出", f"{len(trips)} trips in a year")


def _home(state: RunningState, flow: CashFlow, on: date) -> Iterator[Tag]:
    housing = [one for one in flow.recurring if one.category == "housing" and one.active]
    owner = next((one for one in housing if any(word in one.payee.lower() for word in _MORTGAGE_WORDS)), None)
    renter = next(
        (one for one in housing if "租" in one.payee or "rent" in one.payee.lower() or "landlord" in one.payee.lower()),
        None,
    )
    if owner:
        yield _tag("home_owner", f"每月支付{owner.payee}", f"{owner.payee} is paid every month")
    elif renter:
        yield _tag("renting", f"每月支付{renter.payee}", f"{renter.payee} is paid every month")
        if _keeps(flow, Decimal("0.2")):
            yield _tag(
                "saving_for_home",
                "租房，且每月结余超过收入的五分之一",
                "rents, and keeps more than a fifth of the income",
            )


def _saving(flow: CashFlow) -> Iterator[Tag]:
    if _keeps(flow, Decimal("0.1")):
        kept = Money(flow.surplus)
        yield _tag("saves_regularly", f"平均每月结余{kept}", f"{kept} is left in an average month")


def _keeps(flow: CashFlow, share: Decimal) -> bool:
    """Whether five of the last six whole months left that share of the average income."""
    recent = [month for month in flow.months if month.whole][-_RECENT:]
    left = sum(month.surplus >= share * flow.income for month in recent)
    return flow.income > 0 and len(recent) == _RECENT and left >= _RECENT - 1


def _ways(state: RunningState, flow: CashFlow, on: date) -> Iterator[Tag]:
    since = month_at(on) - _RECENT
    driven = {
        month
        for (way, kind, name), party in state.parties.items()
        if way == "out" and kind == "transport" and any(word in name for word in _CAR_WORDS)
        for month in party.months
        if month_number(month) >= since
    }
    if len(driven) >= 3:
        yield _tag(
            "drives",
            f"近半年有{len(driven)}个月加油、停车或养车",
            f"fuel, parking or a garage in {len(driven)} recent months",
        )
    spent, spending = flow.spending.get("shopping", Decimal(0)), flow.fixed + flow.free
    if spending > 0 and spent >= spending / 4:
        yield _tag(
            "shops_much", f"购物占支出的{spent / spending:.0%}", f"shopping is {spent / spending:.0%} of the spending"
        )


def _child(events: Iterable[LifeEvent]) -> Iterator[Tag]:
    event = next((event for event in events if event.kind == "child" and event.confidence >= 0.6), None)
    if event:
        yield _tag("has_small_child", event.evidence[0].text.zh, event.evidence[0].text.en)


def _channels(channels: Iterable[ChannelShare]) -> Iterator[Tag]:
    shares = {one.channel: one.share for one in channels}
    for tag, channel, least, zh, en in (
        ("uses_app", "app", 0.3, "手机银行", "by app"),
        ("uses_branch", "branch", 0.1, "网点", "at a branch"),
    ):
        if shares.get(channel, 0.0) >= least:
            yield _tag(
                tag, f"近一年{shares[channel]:.0%}的交易在{zh}办理", f"{shares[channel]:.0%} of a year's movements {en}"
            )
