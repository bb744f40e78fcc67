"""The console walked in a real Chromium: every page, both languages, three roles, desk and telephone.

A page that throws, breaks its content security policy or asks another machine fails (tests/browser.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import TimeoutError as Late
from playwright.sync_api import expect

from openteller.core.records import Role
from openteller.serving.console.registry import PAGES
from openteller.serving.profile_pages import COOKIE
from openteller.store import audit
from tests.serving.api.house import PASSWORD, House
from tests.serving.console.conftest import STAFF

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import OpenPage

    LogIn = Callable[..., Page]

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def fits(page: Page) -> bool:
    """Whether nothing of the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(
    ("username", "wishes"),
    [
        ("agent.li", {"locale": "zh-CN"}),
        ("analyst.zhao", {"locale": "en-GB", "color_scheme": "dark"}),
        ("admin.sun", {"locale": "en-GB", **PHONE}),
        ("admin.sun", {"locale": "zh-CN", "color_scheme": "dark", **PHONE}),
    ],
    ids=["agent zh", "analyst en dark", "admin en phone", "admin zh phone dark"],
)
def test_every_page_shows_or_says_who_may(log_in: LogIn, url: str, username: str, wishes: dict[str, Any]) -> None:
    page = log_in(username, **wishes)
    language = "zh" if wishes["locale"] == "zh-CN" else "en"
    for one in PAGES:
        if "is_mobile" in wishes:
            page.get_by_role("button", name="Menu" if language == "en" else "菜单").click()
        page.locator(".nav-link", has_text=one.title.of(language)).click()
        page.wait_for_url(f"{url}/console/{one.path}")
        page.locator(".page-title", has_text=one.title.of(language)).wait_for()
        assert page.evaluate("document.documentElement.lang") == ("zh-Hans" if language == "zh" else "en")
        refused = page.locator(".fault")
        if STAFF[username] in one.roles:
            page.locator(".section").first.wait_for()
            assert refused.count() == 0, (one.path, refused.all_text_contents())
        else:
            assert ("Open to:" if language == "en" else "可以查看的角色") in (refused.text_content() or "")
        assert fits(page), one.path


def test_the_door(open_page: OpenPage, log_in: LogIn, url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        assert client.get("/console/audit").headers["location"] == "/console/login?to=%2Fconsole%2Faudit"
        elsewhere = client.get("/console/login", params={"to": "https://evil.example/"})
        assert "evil" not in elsewhere.text
        form = {"username": "admin.sun", "password": PASSWORD}
        cross = client.post("/console/login", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert (cross.status_code, COOKIE in cross.cookies) == (403, False)
        assert client.post("/console/login", data=form | {"password": "wrong"}).status_code == 401
        assert client.post("/console/login", data=form | {"username": "C000002"}).status_code == 403
        granted = client.post("/console/login", data=form)
        assert granted.status_code == 303
        flags = granted.headers["set-cookie"].lower()
        assert "httponly" in flags
        assert "samesite=strict" in flags
        token = granted.cookies[COOKIE]
        assert client.get("/console/").status_code == 200
        assert client.post("/console/logout").headers["location"] == "/console/login"
        # The login is given up in the server too, not in this browser alone.
        assert client.get("/console/", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 303


def test_a_socket_needs_the_login_and_the_page(url: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    place = f"ws://{urlsplit(url).netloc}/console/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    login = httpx.post(f"{url}/console/login", data={"username": "admin.sun", "password": PASSWORD}, timeout=60)
    cookie = {"Cookie": f"{COOKIE}={login.cookies[COOKIE]}"}
    for headers in ({}, cookie | {"Origin": "https://evil.example"}):
        with pytest.raises(InvalidStatus), connect(place, additional_headers=headers, open_timeout=60):
            pass
    with connect(place, additional_headers=cookie | {"Origin": url}, open_timeout=60) as socket:
        assert str(socket.recv()).startswith("0{")


def test_a_login_that_is_disabled_is_out_at_once(log_in: LogIn, house: House, url: str) -> None:
    page = log_in("analyst.zhao")
    house.accounts.disable("analyst.zhao")
    page.goto(f"{url}/console/audit")
    page.wait_for_url("**/console/login*")


def test_language_and_colours_are_kept(log_in: LogIn, url: str) -> None:
    page = log_in("agent.li")
    page.locator("a.switch").click()
    page.locator(".page-title", has_text="Overview").wait_for()
    page.get_by_role("button", name="Light or dark").click()
    page.locator("body.body--dark").wait_for()
    page.goto(f"{url}/console/knowledge")
    page.locator(".page-title", has_text="Knowledge").wait_for()
    assert page.locator("body.body--dark").count() == 1


def test_an_alert_is_acknowledged(log_in: LogIn, house: House) -> None:
    page = log_in("agent.li")
    page.get_by_role("button", name="确认").first.click()
    expect(page.locator(".item")).to_have_count(1)
    with house.database.owner_session() as session:
        (entry,) = audit.entries(session, ["alert.acknowledged"])
    assert entry.actor == "agent.li"


def test_a_chart_gives_away_its_picture_and_its_numbers(log_in: LogIn) -> None:
    page = log_in("agent.li")
    page.locator(".chart canvas").wait_for()
    with page.expect_download() as picture:
        page.get_by_role("button", name="PNG").click()
    assert picture.value.path().read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as numbers:
        page.get_by_role("button", name="CSV").first.click()
    lines = numbers.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == ",已回答,反问,未回答,转人工"
    assert len(lines) == 25
    assert sum(int(line.split(",")[1]) for line in lines[1:]) == 3


def test_a_customer_and_a_person(log_in: LogIn, open_page: OpenPage, url: str) -> None:
    customer = open_page()
    customer.goto(url)
    customer.evaluate("document.querySelector('open-teller').ask('请转人工服务')")
    customer.locator(".exchange .rating, .exchange .maker").first.wait_for()
    agent = log_in("agent.li", "conversations")
    agent.locator(".listed", has_text="请转人工服务").click()
    agent.get_by_role("button", name="接手").click()
    agent.locator("textarea").fill("您好!我是客服。")
    agent.get_by_role("button", name="发送").click()
    customer.locator(".text.staff", has_text="您好!我是客服。").wait_for()
    customer.evaluate("document.querySelector('open-teller').ask('卡丢了')")
    agent.locator(".said.customer", has_text="卡丢了").wait_for()
    second = log_in("agent.wu", "conversations")
    second.locator(".listed", has_text="卡丢了").filter(has_text="agent.li").click()
    second.locator(".note", has_text="agent.li 正在处理").wait_for()
    assert second.get_by_role("button", name="接手").count() == 0
    agent.get_by_role("button", name="交还助手").click()
    customer.locator(".rule", has_text="之后由 AI 助手回答").wait_for()
    customer.evaluate("document.querySelector('open-teller').ask('卡丢了怎么办')")
    customer.locator(".exchange", has_text="卡丢了怎么办").locator(".text", has_text="先挂失").wait_for()


def test_an_article_is_changed_after_its_questions_were_asked(log_in: LogIn, house: House, url: str) -> None:
    page = log_in("analyst.zhao", "knowledge")
    page.locator("tbody tr", has_text="freeze.zh").click()
    questions = page.get_by_label("问法（每行一个）")
    questions.wait_for()
    page.wait_for_function("window.did_handshake")  # what is typed before is written over
    told = page.locator(".fault", has_text="1 个问题：1 个会变，1 个找不到")
    for _ in range(5):  # on a busy machine the page's own first values may still come, and write over what was typed
        questions.fill("完全另外的事")
        page.get_by_label("标题").fill("别的")
        page.get_by_label("标准答案").fill("别的内容。")
        page.get_by_role("button", name="用草稿运行回归集").click()
        with suppress(Late):
            told.wait_for(timeout=15_000)
            break
    told.wait_for(timeout=1_000)
    # It was a rehearsal: what is published is as it was.
    analyst = house.accounts.authenticate("analyst.zhao", PASSWORD)
    assert house.library.get(analyst, "freeze.zh").title == "挂失银行卡"
    questions.fill("怎么挂失银行卡")
    page.get_by_label("标题").fill("挂失您的银行卡")
    page.get_by_role("button", name="用草稿运行回归集").click()
    page.locator(".note", has_text="0 个找不到").wait_for()
    page.get_by_role("button", name="发布").click()
    page.locator(".q-notification", has_text="已发布").wait_for()
    assert house.library.get(analyst, "freeze.zh").title == "挂失您的银行卡"


def test_a_second_person_reviews_and_a_text_is_explained(log_in: LogIn, house: House) -> None:
    page = log_in("admin.sun", "feedback")
    page.get_by_label("一句话").fill("the deposit")
    page.get_by_role("button", name="解释").click()
    page.locator(".word", has_text="deposit").wait_for()
    page.get_by_role("button", name="采纳").click()
    page.locator(".chip", has_text="已采纳").wait_for()
    (made,) = house.feedback.accepted(
        [*{c.head for c in house.feedback.list(house.accounts.authenticate("admin.sun", PASSWORD))}]
    )
    assert made.reviewer == "admin.sun"


def test_a_candidate_is_promoted_and_taken_back_with_a_reason(log_in: LogIn, house: House) -> None:
    first, second = (version.version for version in house.registry.slot("toy").versions())
    page = log_in("admin.sun", "models")
    page.get_by_role("button", name="换用").click()
    page.locator(".q-notification", has_text="请选择候选版本").wait_for()
    page.get_by_label("候选", exact=True).click()
    page.locator(".q-menu .q-item").first.click()
    page.get_by_label("理由（必填，入审计）").fill("更准")
    page.get_by_role("button", name="换用").click()
    page.get_by_role("button", name="退回上一版").wait_for()
    assert house.registry.slot("toy").champion == second
    page.get_by_label("理由（必填，入审计）").fill("投诉增多")
    page.get_by_role("button", name="退回上一版").click()
    page.locator(".q-notification", has_text="已完成").last.wait_for()
    page.wait_for_timeout(500)
    assert house.registry.slot("toy").champion == first


def test_the_chain_is_walked(log_in: LogIn) -> None:
    page = log_in("analyst.zhao", "audit")
    page.get_by_role("button", name="校验哈希链").click()
    page.locator(".note", has_text="完整：").wait_for()
    page.get_by_label("动作（开头）").fill("user.logged_in")
    page.get_by_role("button", name="筛选").click()
    page.wait_for_function("document.querySelectorAll('tbody tr').length === 1")


def test_why_not(log_in: LogIn) -> None:
    page = log_in("agent.li", "offers")
    page.get_by_label("客户号").fill("C000002")
    product = page.get_by_label("产品").last
    product.click()
    page.locator(".q-menu .q-item").first.click()
    page.get_by_role("button", name="查询").click()
    page.locator(".why", has_text="推荐").wait_for()


def test_a_survey_is_read_sent_and_reported(log_in: LogIn, url: str) -> None:
    page = log_in("analyst.zhao", "surveys")
    row = page.locator("tbody tr")
    assert "36" in (row.text_content() or "")
    row.click()
    page.locator(".section-title", has_text="主要主题").wait_for()
    page.locator(".section-title", has_text="各方面的评价").wait_for()
    with page.expect_download() as numbers:
        page.locator(".section", has_text="趋势").get_by_role("button", name="CSV").click()
    lines = numbers.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == ",NPS,区间下限,区间上限"
    assert lines[1].startswith("2026-03,")
    for name, begin in (("HTML", b"<!doctype html>"), ("PDF", b"%PDF")):
        with page.expect_download() as written:
            page.get_by_role("button", name=f"报告 {name}").click()
        assert written.value.suggested_filename == f"service-zh.{name.lower()}"
        assert written.value.path().read_bytes().startswith(begin)
    page.get_by_role("button", name="生成链接").click()
    page.locator(".made-link").wait_for()
    made = page.get_by_label("链接", exact=True).input_value()
    assert made.startswith(f"{url}/survey/")
    assert "推荐" in httpx.get(made).text
    page.get_by_label("从（可空）").fill("2027-01-01")
    page.get_by_role("button", name="分析").click()
    page.locator(".note", has_text="There are no answers in that time.").wait_for()


def test_who_scored_low_becomes_a_complaint(log_in: LogIn, house: House) -> None:
    page = log_in("agent.li", "surveys/service")
    page.locator(".section", has_text="回访名单").locator("tbody tr").first.click()
    page.get_by_role("button", name="转为投诉").click()
    page.wait_for_url("**/console/complaints/4")
    page.locator(".said.customer").wait_for()
    agent = house.accounts.authenticate("agent.li", PASSWORD)
    made = house.complaints.get(agent, 4)[0]
    assert made.source == "survey"
    assert page.locator(".said.customer").text_content() == made.text
    assert page.get_by_role("button", name="生成链接").count() == 0
    page.goto(page.url.replace("complaints/4", f"surveys/service?answer={made.source_id}"))
    page.locator(".text.strong", has_text=made.text).wait_for()


def test_a_complaint_from_receipt_to_its_decision(log_in: LogIn, house: House) -> None:
    page = log_in("agent.li", "complaints")
    rows = page.locator("tbody tr")
    assert [row.split("·")[0] for row in rows.locator("td:nth-child(2)").all_text_contents()] == [
        "超期 3 天",
        "2",
        "13",
    ]
    page.get_by_label("投诉内容").fill("转账手续费没有说明,电话13812345678")
    page.get_by_label("客户号").fill("C000002")
    page.get_by_label("收到日").fill("1.12.2026")
    page.get_by_role("button", name="登记", exact=True).click()
    page.locator(".q-notification", has_text="日期不能用").wait_for()
    page.get_by_label("收到日").fill("")
    page.get_by_role("button", name="登记", exact=True).click()
    page.wait_for_url("**/console/complaints/4")
    page.get_by_role("button", name="由我承办").click()
    page.locator(".chip", has_text="处理中").wait_for()
    page.get_by_label("备注").fill("已联系客户")
    page.get_by_role("button", name="记下").click()
    page.locator(".item", has_text="已联系客户").wait_for()
    page.get_by_label("延期理由").fill("需核实流水")
    page.get_by_role("button", name="延期").click()
    page.locator(".item", has_text="需核实流水").wait_for()
    # The second extension is not the agent's to give.
    page.get_by_label("延期理由").fill("等待总行答复")
    page.get_by_label("申请人").fill("agent.li")
    page.get_by_role("button", name="延期").click()
    page.locator(".q-notification", has_text="needs approval").wait_for()
    boss = log_in("admin.sun", "complaints/4", locale="en-GB")
    boss.get_by_label("Why extend").fill("Head office answers late")
    boss.get_by_label("Who asked").fill("agent.li")
    boss.locator(".q-checkbox").first.click()
    boss.get_by_role("button", name="Extend").click()
    boss.locator(".note", has_text="extended twice").wait_for()
    boss.get_by_label("Decision").fill("The fee is paid back")
    boss.locator(".section").get_by_role("button", name="Close").click()
    boss.locator(".q-notification", has_text="has not been told").wait_for()
    boss.locator(".q-checkbox").click()
    boss.locator(".section").get_by_role("button", name="Close").click()
    boss.locator(".chip", has_text="closed").first.wait_for()
    assert boss.get_by_role("button", name="Extend").count() == 0
    found, events = house.complaints.get(house.accounts.authenticate("agent.li", PASSWORD), 4)
    assert ("13812345678" in found.text, found.extensions, found.decision) == (False, 2, "The fee is paid back")
    assert [event.kind for event in events] == ["opened", "assigned", "noted", "extended", "extended", "closed"]


@pytest.mark.parametrize("path", ["complaints/99", "complaints/none", "surveys/none", "surveys/service?answer=none"])
def test_what_is_not_there_says_so(log_in: LogIn, path: str) -> None:
    page = log_in("agent.li", path)
    page.locator(".fault").wait_for()


def test_switched_off_it_is_not_there(house: House) -> None:
    from fastapi.testclient import TestClient

    from openteller.serving.app import create_app
    from tests.serving.api.house import settings

    house.settings = settings(voice_calls=0, console=False)
    with TestClient(create_app(house)) as client:
        assert client.get("/console/login").status_code == 404


def test_roles_are_named_for_people() -> None:
    from openteller.serving.console.frame import ROLE_WORDS

    assert {role for page in PAGES for role in page.roles} == set(ROLE_WORDS) == {r for r in Role if r.is_staff}


def test_a_server_that_nobody_watches_does_not_load_it() -> None:
    import subprocess
    import sys

    script = "import sys, openteller.serving.app; print('nicegui' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "False\n"
    )
