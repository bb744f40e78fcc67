"""Notices to customers: what was told of each product's new grade and what became of it; of one product, who was told.

Knows nothing about who has to be told: writing and handing over are the desk's, at the command line or over HTTP.
"""

from nicegui import ui

from openteller.core.records import LocalText
from openteller.core.text import normalise
from openteller.recommendation.notices.records import Channel, RegradeNotice, Told
from openteller.serving.console.page import ANALYSTS, ConsolePage, Visit, go, link
from openteller.serving.console.parts import chart, figures, section, table

_ROWS = 1_000
_CHARTED = 12
_CHANNELS = {
    Channel.INBOX: LocalText(zh="客户页面", en="own page"),
    Channel.SMS: LocalText(zh="短信", en="text message"),
    Channel.LETTER: LocalText(zh="信函", en="letter"),
    Channel.PHONE: LocalText(zh="电话", en="telephone"),
}


async def draw(visit: Visit) -> None:
    """The products, or the one that the address names."""
    await (_one(visit) if "product" in visit.query else _all(visit))


PAGE = ConsolePage("notices", LocalText(zh="通知", en="Notices"), "mark_email_read", ANALYSTS, draw, item="product")


async def _all(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.notices
    told = await visit.read(lambda: desk.told(visit.principal))
    _figures(visit, told)
    if told:
        _chart(visit, told)
    note = say(
        "产品重新评级后写给持有人的通知；点一行看写给了谁。",
        "What holders were told after a product was graded anew; press a row to see who.",
    )
    with section(say("按产品和等级", "By product and grade"), note):
        columns = [("product", say("产品", "Product")), ("grade", say("等级", "Grade")), ("since", say("等级起始日", "Grade from")),
                   ("at", say("写出", "Written")), ("customers", say("客户", "Customers")), ("notices", say("通知", "Notices")),
                   ("unsent", say("未送出", "Not sent")), ("read", say("已读", "Read"))]  # fmt: skip
        rows = [_row(visit, one) | {"id": str(place)} for place, one in enumerate(told)]
        table(visit, columns, rows, numbers=("customers", "notices", "unsent", "read"), file="notices" if rows else "",
              on_row=lambda row: go(visit.link(f"notices/{told[int(row['id'])].product_id}")))  # fmt: skip
        if not told:
            hint = say(
                "还没有通知：评级后用 teller products notices 产品 --write 写出。",
                "No notice yet: after grading, teller products notices PRODUCT --write writes them.",
            )
            ui.label(hint).classes("note")


def _figures(visit: Visit, told: tuple[Told, ...]) -> None:
    say = visit.say
    notices, unsent, read = (sum(getattr(one, n) for one in told) for n in ("notices", "unsent", "read"))
    with section(""):
        figures([
            (say("通知", "Notices"), f"{notices:,}", ""),
            (say("未送出", "Not sent"), f"{unsent:,}", say("短信、信函、电话由行内送达", "the bank's own delivery has them") if unsent else ""),
            (say("已读", "Read"), f"{read:,}", f"{read / notices:.0%}" if notices else ""),
        ])  # fmt: skip


def _row(visit: Visit, one: Told) -> dict[str, str]:
    first, last = visit.local(one.first_at), visit.local(one.last_at)
    return {
        "product": f"{visit.of(one.product)} · {one.product_id}", "grade": f"{one.grade_before.value} → {one.grade.value}",
        "since": str(one.from_on), "at": first if first == last else f"{first} – {last}", "customers": f"{one.customers:,}",
        "notices": f"{one.notices:,}", "unsent": f"{one.unsent:,}", "read": f"{one.read:,}",
    }  # fmt: skip


def _chart(visit: Visit, told: tuple[Told, ...]) -> None:
    say, shown = visit.say, told[:_CHARTED]
    names = [f"{visit.of(one.product)} {one.grade.value} {one.from_on:%m-%d}" for one in shown]
    series = {
        say("已读", "read"): [float(one.read) for one in shown],
        say("未读", "not read"): [float(one.notices - one.read) for one in shown],
    }
    with section(say("最近的通知，已读与未读", "The latest notices, read and not read")):
        chart(visit, "notices-read", names, series, across=True, stacked=True)


async def _one(visit: Visit) -> None:
    say, desk = visit.say, visit.serving.application.notices
    product_id = normalise(visit.query["product"])
    link(say("← 全部通知", "← All notices"), visit.link("notices"))

    @ui.refreshable
    async def rows() -> None:
        unsent = chosen.value == "unsent"
        found = await visit.read(lambda: desk.of_product(visit.principal, product_id, unsent=unsent, limit=_ROWS))
        if len(found) == _ROWS:
            ui.label(say(f"显示最新的 {_ROWS} 条。", f"The latest {_ROWS:,} are shown.")).classes("note")
        columns = [("customer", say("客户", "Customer")), ("at", say("写出", "Written")), ("grade", say("等级", "Grade")),
                   ("channel", say("渠道", "By")), ("sent", say("送出", "Sent")), ("read", say("客户已读", "Read by them")),
                   ("text", say("通知内容", "What it says"))]  # fmt: skip
        table(visit, columns, [_notice(visit, one) for one in found], file=f"notices-{product_id}" if found else "")

    with section(product_id, say("最新的在前。", "The newest first.")):
        choices = {"all": say("全部", "All"), "unsent": say("未送出", "Not sent")}
        chosen = ui.toggle(choices, value="all", on_change=rows.refresh).props("no-caps unelevated")
        await rows()


def _notice(visit: Visit, one: RegradeNotice) -> dict[str, str]:
    return {
        "customer": one.customer_id, "at": visit.local(one.at), "grade": f"{one.grade_before.value} → {one.grade.value}",
        "channel": visit.of(_CHANNELS[one.channel]), "sent": visit.local(one.sent_at) if one.sent_at else "–",
        "read": visit.local(one.read_at) if one.read_at else "–", "text": visit.of(one.text),
    }  # fmt: skip
