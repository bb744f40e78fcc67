"""The pages about a customer as HTML: their own plain one, and the staff's with everything that is derived.

Plain functions from records to markup, in Chinese or English; every text is escaped, nothing runs in the browser.
Knows nothing about requests.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from html import escape

from openteller.core.errors import OpenTellerError
from openteller.core.money import Money
from openteller.core.records import Role
from openteller.customers.profile.records import KINDS, CashFlow, LifeEvent, Profile, Tag
from openteller.customers.profile.tags import TAGS
from openteller.customers.records import Customer
from openteller.serving.plots import Bar, Moment, MonthBars, bars, fifths, month_bars, timeline

_SHOWN_MONTHS, _SHOWN_EVENTS = 13, 20
_WIDE, _NARROW = 820, 330
_SURE = 0.8
_CHANNELS = {
    "app": ("手机银行", "app"),
    "web": ("网银", "web"),
    "branch": ("网点", "branch"),
    "atm": ("自助设备", "cash machine"),
    "pos": ("商户收款机", "till"),
    "phone": ("电话", "telephone"),
    "auto": ("自动", "automatic"),
}
_RHYTHMS = {"monthly": ("每月", "monthly"), "quarterly": ("每季", "quarterly"), "yearly": ("每年", "yearly")}
_ROLES = {
    Role.AGENT: "柜员",
    Role.ANALYST: "分析员",
    Role.ADMIN: "管理员",
    Role.SERVICE: "接口服务",
}
_EVENTS = {
    "salary_change": ("工资变化", "another salary"),
    "salary_stopped": ("工资停发", "no salary"),
    "retirement": ("退休", "retirement"),
    "moving": ("搬家", "moving"),
    "child": ("子女", "a child"),
    "travel": ("旅行", "a trip"),
}
_STANCES = {"mine": ("是我", "true of me"), "not_me": ("不是我", "not me"), "removed": ("已删除", "removed")}


class Page:
    """Writes pages in one language.

    Args:
        language: zh or en.
        bank: the bank's name in that language.
    """

    def __init__(self, language: str, bank: str) -> None:
        self._language, self._bank = language, bank

    def login(self, action: str, error: OpenTellerError | None = None) -> str:
        """The form in which somebody says who they are."""
        say = self._say
        fault = f'<p class="error" role="alert">{self._fault(error)}</p>' if error else ""
        body = f"""<section>{fault}
<form class="form" method="post" action="{action}">{self._hidden()}
<label>{say("用户名", "User name")}<input name="username" autocomplete="username" required maxlength="64"></label>
<label>{say("密码", "Password")}<input name="password" type="password" autocomplete="current-password" required maxlength="1024"></label>
<button class="main">{say("登录", "Log in")}</button></form></section>"""
        return self._page(say("登录", "Log in"), "", body, action.rpartition("/")[0])

    def failure(self, error: OpenTellerError, back: str) -> str:
        """What went wrong, and the way back."""
        say = self._say
        text = f'<section><p class="error" role="alert">{self._fault(error)}</p><p><a href="{escape(back)}">{say("返回", "Go back")}</a></p></section>'
        return self._page(say("出了问题", "Something went wrong"), "", text, back)

    def own(self, profile: Profile) -> str:
        """A customer's own page: their money by month, what is believed of them, and the switch."""
        say = self._say
        parts = [self._flow(profile.cash_flow), self._kinds(profile.cash_flow), self._recurring(profile.cash_flow)]
        parts += [self._tags(profile), self._own_events(profile), self._switch(profile)]
        lead = say(
            f"根据您在本行的 {profile.movements:,} 笔交易，截至 {profile.on}。只有您和为您服务的员工能看到。",
            f"From your {profile.movements:,} movements with us, up to {profile.on}. Only you and the staff who serve you see this.",
        )
        return self._page(say("我的收支", "My money"), lead, "".join(parts), "/me", logout=True)

    def staff(self, profile: Profile, customer: Customer) -> str:
        """Everything that the movements say of a customer, for staff."""
        say = self._say
        name = customer.name if self._language == "zh" else customer.name_en
        lead = say(
            f"{customer.customer_id}，{profile.movements:,} 笔交易，截至 {profile.on}。本次查看已记入审计日志。",
            f"{customer.customer_id}, {profile.movements:,} movements up to {profile.on}. That you looked is in the audit log.",
        )
        pair = f'<div class="pair">{self._segment(profile)}{self._channels(profile)}</div>'
        derived = pair + self._events(profile) if profile.personalised else self._unconsented()
        parts = [self._flow(profile.cash_flow), self._kinds(profile.cash_flow), derived]
        parts += [self._believed(profile.tags), self._recurring(profile.cash_flow)]
        return self._page(name, lead, "".join(parts), f"/staff/customers/{customer.customer_id}", logout=True)

    def search(self, error: OpenTellerError | None = None) -> str:
        """Where staff say whose profile they need."""
        say = self._say
        fault = f'<p class="error" role="alert">{self._fault(error)}</p>' if error else ""
        body = f"""<section><h2>{say("查看客户", "Look at a customer")}</h2>{fault}
<form class="form" method="get" action="/staff/customers">{self._hidden()}
<label>{say("客户号", "Customer number")}<input name="customer" required maxlength="64" placeholder="C000001"></label>
<button class="main">{say("查看", "Show")}</button></form></section>"""
        return self._page(say("客户画像", "Customer profile"), "", body, "/staff/customers", logout=True)

    def refusal(self, role: Role) -> str:
        """Who may look at a customer, for staff who may not."""
        say = self._say
        text = say(
            "单个客户的画像只给为客户服务的人看：柜员、管理员和接口服务，每次查看都会记入审计日志。分析员看的是全行的汇总，例如产品评级、推荐效果和客户分段。",
            "A customer's profile is for those who serve them: agents, administrators and services, and each look is in the audit log. Analysts work on the bank as a whole: grades, offers, segments.",
        )
        asks = say(
            "需要查看某位客户时，请让柜员或管理员来看；如果您的工作需要，请管理员给您柜员的账号。",
            "If you need to know something of one customer, ask an agent or an administrator; if your work needs it, ask an administrator for an agent's login.",
        )
        here = say(f"您现在的角色：{_ROLES[role]}。", f"Your role here: {role.value}.")
        body = f'<section role="alert"><p>{text}</p><p>{asks}</p><p class="note">{here}</p></section>'
        return self._page(
            say("这里看的是单个客户", "This shows single customers"), "", body, "/staff/customers", logout=True
        )

    def _flow(self, flow: CashFlow) -> str:
        say = self._say
        averages = (
            (say("收入", "income"), flow.income),
            (say("固定支出", "fixed spending"), flow.fixed),
            (say("自由支出", "free spending"), flow.free),
            (say("结余", "left over"), flow.surplus),
        )
        figures = "".join(f"<div><dt>{name}</dt><dd>{_money(value)}</dd></div>" for name, value in averages)
        months = [
            MonthBars(
                f"{m.month.month}{say('月', '')}" if m.month.month > 1 else f"{m.month.year}",
                m.income,
                m.fixed,
                m.free,
                m.whole,
            )
            for m in flow.months[-_SHOWN_MONTHS:]
        ]
        title = say("每月收入和支出", "income and spending by month")
        legend = "".join(
            f'<li><i class="{name}"></i>{text}</li>'
            for name, text in (
                ("in", say("收入", "income")),
                ("fixed", say("固定支出（定期付款）", "fixed spending (recurring payments)")),
                ("free", say("自由支出", "free spending")),
            )
        )
        varied = say(
            f"平均按最近 {flow.averaged} 个完整月份计算；结余波动为平均收入的 {flow.volatility:.0%}。浅色为不完整的月份。",
            f"Averages over the last {flow.averaged} whole months; what is left varies by {flow.volatility:.0%} of the income. Pale: not a whole month.",
        )
        plot = (
            _both(month_bars(months, title, _WIDE), month_bars(months, title, _NARROW, 220)) if months else self._none()
        )
        return f'<section><h2>{say("每月收支", "Month by month")}</h2><dl class="figures">{figures}</dl>{plot}<ul class="legend">{legend}</ul><p class="note">{varied}</p>{self._months(flow)}</section>'

    def _months(self, flow: CashFlow) -> str:
        say = self._say
        heads = (
            say("月份", "month"),
            say("收入", "income"),
            say("固定", "fixed"),
            say("自由", "free"),
            say("结余", "left over"),
        )
        rows = [
            (f"{m.month:%Y-%m}", *map(_money, (m.income, m.fixed, m.free, m.surplus))) for m in reversed(flow.months)
        ]
        return f"<details><summary>{say('数字', 'Figures')}</summary>{_table(heads, rows, 1)}</details>"

    def _kinds(self, flow: CashFlow) -> str:
        say = self._say
        rows = [Bar(KINDS[kind].of(self._language), value, _money(value)) for kind, value in flow.spending.items()]
        title = say("平均每月花在哪里", "Where it goes, in an average month")
        plot = _both(bars(rows, title, _WIDE), bars(rows, title, _NARROW)) if rows else self._none()
        return f"<section><h2>{title}</h2>{plot}</section>"

    def _recurring(self, flow: CashFlow) -> str:
        say = self._say
        heads = (say("付给", "paid to"), say("频率", "how often"), say("日", "day"), say("通常金额", "usual amount"))
        rows = [
            (one.payee, say(*_RHYTHMS[one.rhythm]), str(one.day), _money(one.amount))
            for one in flow.recurring
            if one.active
        ]
        table = _table(heads, rows, 3) if rows else self._none()
        return f"<section><h2>{say('定期付款', 'Recurring payments')}</h2>{table}</section>"

    def _tags(self, profile: Profile) -> str:
        say = self._say
        lead = say(
            "这些是我们根据交易得出的看法，或您自己说的。您说了算：可以改、可以删。",
            "What we take to be true from your movements, or what you told us. You have the last word: correct it, or remove it.",
        )
        rows = "".join(self._tag(tag) for tag in profile.tags)
        tags = f'<ul class="tags">{rows}</ul>' if rows else self._none()
        return f'<section id="tags"><h2>{say("我们对您的了解", "What we believe about you")}</h2><p>{lead}</p>{tags}{self._adding(profile)}{self._refused(profile)}</section>'

    def _tag(self, tag: Tag) -> str:
        say, name = self._say, escape(tag.name.of(self._language))
        buttons = self._button("/me/tags", {"tag": tag.tag, "say": "remove"}, say("删除", "Remove"))
        if tag.source == "derived":
            buttons = self._button("/me/tags", {"tag": tag.tag, "say": "not_me"}, say("不是我", "Not me")) + buttons
        return f'<li data-tag="{tag.tag}"><span class="what">{name}<small>{escape(tag.reason.of(self._language))}</small></span>{buttons}</li>'

    def _adding(self, profile: Profile) -> str:
        say, there = self._say, {tag.tag for tag in profile.tags}
        options = "".join(
            f'<option value="{tag}">{escape(name.of(self._language))}</option>'
            for tag, name in TAGS.items()
            if tag not in there
        )
        return f"""<form class="row" method="post" action="/me/tags">{self._hidden()}<input type="hidden" name="say" value="mine">
<select name="tag" aria-label="{say("要添加的标签", "tag to add")}">{options}</select><button>{say("添加", "Add")}</button></form>"""

    def _refused(self, profile: Profile) -> str:
        say = self._say
        rows = "".join(
            f'<li><span class="what">{escape(self._named(word.tag))}<small>{say(*_STANCES[word.stance])}</small></span>'
            + self._button("/me/tags", {"tag": word.tag, "say": "forget"}, say("撤回", "Take back"))
            + "</li>"
            for word in profile.words
            if word.stance != "mine"
        )
        if not rows:
            return ""
        return f'<details><summary>{say("您否认或删除的", "What you said no to")}</summary><ul class="tags">{rows}</ul></details>'

    def _named(self, tag: str) -> str:
        """A tag or a life event, by what the customer's word is kept under."""
        if tag in TAGS:
            return TAGS[tag].of(self._language)
        _, kind, on = tag.split(":")
        return f"{self._say(*_EVENTS[kind])} {on}"

    def _own_events(self, profile: Profile) -> str:
        """The life events with buttons to correct them; nothing where none is derived."""
        say = self._say
        rows = "".join(
            f'<li data-event="{event.name}"><span class="what">{event.on} {escape(event.text.of(self._language))}'
            f"<small>{escape(self._proof(event))}</small></span>"
            + self._button("/me/tags", {"tag": event.name, "say": "not_me"}, say("没有这回事", "Not so"))
            + self._button("/me/tags", {"tag": event.name, "say": "remove"}, say("删除", "Remove"))
            + "</li>"
            for event in profile.events[:_SHOWN_EVENTS]
        )
        if not rows:
            return ""
        return f'<section id="events"><h2>{say("生活事件", "Life events")}</h2><ul class="tags">{rows}</ul></section>'

    def _proof(self, event: LifeEvent) -> str:
        """The movements that the event rests on."""
        return ("；" if self._language == "zh" else "; ").join(
            f"{one.on} {one.text.of(self._language)}" for one in event.evidence
        )

    def _switch(self, profile: Profile) -> str:
        say, on = self._say, profile.personalised
        state = say(
            "现在是开启的：我们用您的交易得出上面的看法，并为您挑选产品。"
            if on
            else "现在是关闭的：除了上面的收支，我们不从您的交易中得出任何看法，也不据此推荐产品。",
            "It is on: we derive what stands above from your movements, and choose products for you."
            if on
            else "It is off: apart from the sums above we derive nothing from your movements, and no offer is made from them.",
        )
        button = self._button(
            "/me/personalisation",
            {"granted": "no" if on else "yes"},
            say("关闭", "Switch off") if on else say("开启", "Switch on"),
            main=True,
        )
        return f'<section id="personalisation"><h2>{say("个性化", "Personalisation")}</h2><p>{state}</p><div class="row">{button}</div></section>'

    def _segment(self, profile: Profile) -> str:
        say, title = self._say, self._say("在全行客户中的位置", "Among the bank's customers")
        found = profile.segment
        if found is None:
            text = say(
                "尚无分段：先运行 teller customers recompute --all。",
                "Not computed yet: run teller customers recompute --all.",
            )
            return f"<section><h2>{title}</h2><p>{text}</p></section>"
        rows = ((say("最近消费", "recency"), found.recency), (say("消费次数", "frequency"), found.frequency))
        plot = fifths((*rows, (say("消费金额", "monetary"), found.monetary)), title, _NARROW)
        return f"<section><h2>{title}</h2><p>{escape(found.name.of(self._language))}</p>{plot}</section>"

    def _channels(self, profile: Profile) -> str:
        rows = [
            Bar(self._say(*_CHANNELS[one.channel]), Decimal(str(one.share)), f"{one.share:.0%}")
            for one in profile.channels
        ]
        title = self._say("办理渠道", "Channels")
        return f"<section><h2>{title}</h2>{bars(rows, title, _NARROW) if rows else self._none()}</section>"

    def _events(self, profile: Profile) -> str:
        title = self._say("生活事件", "Life events")
        if not profile.events or profile.since is None:
            return f"<section><h2>{title}</h2>{self._none()}</section>"
        shown = profile.events[:_SHOWN_EVENTS]
        moments = [Moment(event.on, number, event.confidence >= _SURE) for number, event in enumerate(shown, 1)]
        first = min(profile.since, shown[-1].on)
        drawn = (timeline(moments, first, profile.on, title, width) for width in (_WIDE, _NARROW))
        rows = "".join(self._event(number, event) for number, event in enumerate(shown, 1))
        return f'<section><h2>{title}</h2>{_both(*drawn)}<ul class="events">{rows}</ul></section>'

    def _event(self, number: int, event: LifeEvent) -> str:
        sure = self._say(f"（把握 {event.confidence:.0%}）", f" ({event.confidence:.0%} sure)")
        return f'<li><span class="mark">{number}</span>{event.on} {escape(event.text.of(self._language))}{sure}<small>{escape(self._proof(event))}</small></li>'

    def _believed(self, tags: Sequence[Tag]) -> str:
        rows = "".join(
            f'<li><span class="what">{escape(tag.name.of(self._language))}<small>{escape(tag.reason.of(self._language))}</small></span></li>'
            for tag in tags
        )
        title = self._say("标签", "Tags")
        listed = f'<ul class="tags">{rows}</ul>' if rows else self._none()
        return f"<section><h2>{title}</h2>{listed}</section>"

    def _unconsented(self) -> str:
        text = self._say(
            "客户没有同意个性化：除收支外不作任何推断。",
            "The customer did not agree to personalisation: nothing but the cash flow is derived.",
        )
        return f"<section><p>{text}</p></section>"

    def _none(self) -> str:
        return f'<p class="note">{self._say("还没有。", "Nothing yet.")}</p>'

    def _button(self, action: str, fields: dict[str, str], text: str, *, main: bool = False) -> str:
        hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
        return f'<form method="post" action="{action}">{self._hidden()}{hidden}<button{" class=main" if main else ""}>{text}</button></form>'

    def _hidden(self) -> str:
        return f'<input type="hidden" name="lang" value="{self._language}">'

    def _say(self, zh: str, en: str) -> str:
        return en if self._language == "en" else zh

    def _fault(self, error: OpenTellerError) -> str:
        return escape(" ".join(part for part in (error.message, error.cause, error.next_step) if part))

    def _page(self, title: str, lead: str, body: str, here: str, *, logout: bool = False) -> str:
        say, other = self._say, "en" if self._language == "zh" else "zh"
        leave = f'<form method="post" action="/me/logout">{self._hidden()}<button class="link">{say("退出", "Log out")}</button></form>'
        return f"""<!doctype html>
<html lang="{"zh-Hans" if self._language == "zh" else "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(title)} · {escape(self._bank)}</title>
<link rel="icon" href="/widget/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/widget/profile.css">
</head>
<body>
<div class="top"><a class="brand" href="/"><img src="/widget/mark.svg" alt="" width="32" height="32">{escape(self._bank)}</a>
<a href="{escape(here)}?lang={other}" hreflang="{other}">{say("English", "中文")}</a>{leave if logout else ""}</div>
<main><header><h1>{escape(title)}</h1><p>{escape(lead)}</p></header>{body}</main>
</body>
</html>
"""


def _money(value: Decimal) -> str:
    return str(Money(value))


def _both(wide: str, narrow: str) -> str:
    """The plot for a desk and for a telephone; the style sheet shows one."""
    return f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """words: how many of the first columns hold words, the others figures."""
    kinds = ["", ' class="number-cell"']
    top = "".join(f"<th{kinds[place >= words]}>{escape(head)}</th>" for place, head in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{kinds[place >= words]}>{escape(cell)}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
