"""Offers: what was shown and opened, campaigns with their budgets, and why a customer is not offered a product.

Knows nothing about how offers are chosen.
"""

from collections import defaultdict
from datetime import date, timedelta

from nicegui import ui

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput
from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.products.repository import ProductRepository
from openteller.recommendation.records import Campaign, ImpressionCount, WhyNot
from openteller.recommendation.repository import CampaignRepository, ImpressionRepository
from openteller.serving.console.page import AGENTS, ANALYSTS, STAFF, ConsolePage, Visit
from openteller.serving.console.parts import chart, section, table
from openteller.serving.deps import on_behalf

_DAYS = 30


async def draw(visit: Visit) -> None:
    """The page."""
    names = await visit.read(lambda: _names(visit))
    await _shown(visit, names)
    await _campaigns(visit, names)
    if visit.principal.role in AGENTS:
        _why_not(visit, names)


PAGE = ConsolePage("offers", LocalText(zh="推荐", en="Offers"), "local_offer", STAFF, draw)


def _names(visit: Visit) -> dict[str, str]:
    with visit.serving.application.database.session(visit.principal) as session:
        return {p.id: visit.of(p.name) for p in ProductRepository().all(session, visit.serving.today)}


async def _shown(visit: Visit, names: dict[str, str]) -> None:
    say = visit.say
    counts = await visit.read(lambda: _counted(visit))
    by_product: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in counts:
        by_product[one.product_id][0] += one.shown
        by_product[one.product_id][1] += one.opened
    with section(say(f"最近 {_DAYS} 天", f"The last {_DAYS} days")):
        if not counts:
            ui.label(say("没有展示过推荐。", "No offer was shown.")).classes("note")
            return
        places = [names.get(product, product) for product in by_product]
        series = {
            say("展示", "shown"): [float(shown) for shown, _ in by_product.values()],
            say("打开", "opened"): [float(opened) for _, opened in by_product.values()],
        }
        chart(visit, "offers", places, series)
        columns = [("product", say("产品", "Product")), ("policy", say("策略", "Policy")), ("shown", say("展示", "Shown")),
                   ("opened", say("打开", "Opened")), ("rate", say("打开率", "Rate"))]  # fmt: skip
        rows = [
            {"product": names.get(one.product_id, one.product_id), "policy": one.policy, "shown": f"{one.shown:,}",
             "opened": f"{one.opened:,}", "rate": f"{one.opened / one.shown:.1%}"}
            for one in counts
        ]  # fmt: skip
        table(visit, columns, rows, numbers=("shown", "opened", "rate"), file="offers-by-policy")


def _counted(visit: Visit) -> tuple[ImpressionCount, ...]:
    with visit.serving.application.database.session(visit.principal) as session:
        return ImpressionRepository().counted(session, utc_now() - timedelta(days=_DAYS))


async def _campaigns(visit: Visit, names: dict[str, str]) -> None:
    say = visit.say

    @ui.refreshable
    async def shown() -> None:
        campaigns = await visit.read(lambda: _all_campaigns(visit))
        columns = [("product", say("产品", "Product")), ("spent", say("已用", "Spent")), ("budget", say("预算", "Budget")),
                   ("since", say("开始", "From")), ("until", say("结束", "Until"))]  # fmt: skip
        rows = [
            {"product": names.get(c.product_id, c.product_id), "spent": f"{c.spent:,}", "budget": f"{c.budget:,}",
             "since": str(c.valid_from), "until": str(c.valid_to or "–")}
            for c in campaigns
        ]  # fmt: skip
        table(visit, columns, rows, numbers=("spent", "budget"), file="campaigns" if rows else "")

    with section(say("活动预算", "Campaigns"), say("预算为推荐次数。", "A budget is a number of offers.")):
        await shown()
        if visit.principal.role in ANALYSTS:
            _campaign_form(visit, names, shown)


def _campaign_form(visit: Visit, names: dict[str, str], shown) -> None:  # type: ignore[no-untyped-def]
    say = visit.say

    async def save() -> None:
        def put() -> bool:
            _put(visit, str(product.value or ""), budget.value, str(until.value or ""))
            return True

        if await visit.act(put, say("活动已保存。", "The campaign is saved.")):
            await shown.refresh()

    with ui.element("div").classes("line"):
        product = (
            ui.select(names, label=say("产品", "Product"), with_input=True).props("dense outlined").classes("grow")
        )
        budget = ui.number(say("预算", "Budget"), min=1, precision=0).props("dense outlined").classes("grow")
        until = (
            ui.input(say("结束日（可空）", "Last day (may be empty)"), placeholder="2026-12-31")
            .props("dense outlined")
            .classes("grow")
        )
        ui.button(say("保存活动", "Save"), on_click=save).props("outline no-caps")


def _put(visit: Visit, product_id: str, budget: float | None, until: str) -> None:
    if not product_id or not budget:
        raise BadInput(visit.say("请选择产品并填写预算。", "A product and a budget are needed."))
    try:
        last = date.fromisoformat(normalise(until)) if until.strip() else None
        campaign = Campaign(product_id=product_id, budget=int(budget), valid_from=visit.serving.today, valid_to=last)
    except ValueError as error:
        raise BadInput(
            visit.say("预算或日期不能用。", "The budget or the day cannot be used."),
            next_step=visit.say("日期写作 2026-12-31。", "Write the day as 2026-12-31."),
        ) from error
    with visit.serving.application.database.session(visit.principal) as session:
        CampaignRepository().put(session, campaign, by=visit.principal.subject)


def _all_campaigns(visit: Visit) -> tuple[Campaign, ...]:
    with visit.serving.application.database.session(visit.principal) as session:
        return CampaignRepository().all(session)


def _why_not(visit: Visit, names: dict[str, str]) -> None:
    say = visit.say

    async def ask() -> None:
        number, chosen = normalise(customer.value or ""), str(product.value or "")
        if not number or not chosen:
            visit.complain(BadInput(say("请填写客户号并选择产品。", "A customer number and a product are needed.")))
            return
        found = await visit.act(lambda: _reason(visit, number, chosen))
        if found:
            head = say("会推荐", "Offered") if found.offered else say("不推荐", "Not offered")
            answer.set_text(f"{found.name} · {head} · {found.reason} ({found.code})")

    with section(say("为什么推荐或不推荐", "Why, or why not")), ui.element("div").classes("line"):
        customer = (
            ui.input(say("客户号", "Customer number"), placeholder="C000001")
            .props("dense outlined maxlength=64")
            .classes("grow")
        )
        product = (
            ui.select(names, label=say("产品", "Product"), with_input=True).props("dense outlined").classes("grow")
        )
        ui.button(say("查询", "Ask"), icon="help_outline", on_click=ask).props("outline no-caps")
        answer = ui.label("").classes("text why")


def _reason(visit: Visit, number: str, product_id: str) -> WhyNot:
    acting = on_behalf(visit.serving, visit.principal, number)
    return visit.serving.application.offers.why_not(acting, product_id, visit.language, visit.serving.today)
