"""The wall of public opinion in a real Chromium: what came, narrowed down to whom, a topic, a burst or an item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from openteller.core.clock import utc_now
from openteller.insights.opinion.records import Batch, RawItem
from tests.insights.opinion.given import ANALYST, ENTITIES, Clock, pipeline
from tests.insights.opinion.test_pipeline import BAD, WORDS
from tests.serving.api.house import House

if TYPE_CHECKING:
    from playwright.sync_api import Page

    LogIn = Callable[..., Page]

ADDRESS = "https://news.example/1?a=1&b=<x>"


@pytest.fixture
def heard(house: House) -> House:
    """Something bad of the bank, something good of another, and a burst of posts about that other."""
    house.opinion.replace_entities(ANALYST, ENTITIES)
    clock = Clock(utc_now() - timedelta(minutes=30))
    stream = pipeline(house.database, clock, alerts=False)
    first = RawItem(title=BAD, external_id="1", url=ADDRESS, text="<b>很多</b>客户在网点排队。")
    stream.take("news", Batch(items=(first, RawItem(title="青禾证券业绩大增,营收超预期", external_id="2"))))
    for number, words in enumerate(WORDS):
        clock.forward(seconds=20)
        title = f"青禾证券的软件今天又卡了,第{'一二三四五六七八九十百千'[number]}次,{words}"
        stream.take("posts", Batch(items=(RawItem(title=title, external_id=f"p{number}"),)))
    return house


def test_what_came_is_shown_with_what_it_says_of_whom(log_in: LogIn, heard: House) -> None:
    page = log_in("agent.li", "opinion")
    page.get_by_label("对象", exact=True).click()
    page.locator(".q-menu .q-item", has_text="松湾银行").click()
    page.wait_for_function("document.querySelectorAll('.heard').length === 1")
    item = page.locator(".heard")
    link = item.locator("a")
    assert (link.text_content(), link.get_attribute("href")) == (BAD, ADDRESS)
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer")
    assert [chip.strip() for chip in item.locator(".chip").all_text_contents()] == [
        "程度 高", "负面", "资金账户风险", "松湾银行 负面",
    ]  # fmt: skip
    page.locator(".section-title", has_text="松湾银行：随时间").wait_for()


def test_a_burst_a_topic_and_an_item_are_looked_at_alone(log_in: LogIn, heard: House, url: str) -> None:
    page = log_in("analyst.zhao", "opinion", locale="en-GB")
    burst = next(one for one in heard.opinion.bursts(ANALYST) if one.entity_id == "larkfield")
    page.locator(".listed", has_text="Larkfield Securities").first.click()
    page.wait_for_function(f"document.querySelectorAll('.heard').length === {len(burst.item_ids)}")
    page.get_by_role("button", name="All items").click()
    page.wait_for_function("document.querySelectorAll('.heard').length > 10")
    growth = heard.opinion.growing(ANALYST, days=7)[0]
    page.locator(".listed", has_text=growth.topic.title).last.click()
    page.locator(".line .strong", has_text=growth.topic.title).wait_for()
    page.goto(f"{url}/console/opinion?item=1")
    page.locator(".heard", has_text=BAD).wait_for()
    assert page.locator(".heard").count() == 1


def test_what_comes_later_appears_and_goes_as_a_file(log_in: LogIn, heard: House) -> None:
    page = log_in("admin.sun", "opinion?entity=pinebay", locale="en-GB")
    page.wait_for_function("document.querySelectorAll('.heard').length === 1")
    late = RawItem(title="松湾银行获得服务奖", external_id="late")
    pipeline(heard.database, Clock(utc_now()), alerts=False).take("news", Batch(items=(late,)))
    page.locator(".heard", has_text=late.title).wait_for(timeout=40_000)
    with page.expect_download() as numbers:
        page.get_by_role("button", name="CSV").first.click()
    lines = numbers.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "When,Source,Title,Entities,Sentiment,Event,Severity,Address"
    assert [late.title in lines[1], ADDRESS in lines[2], len(lines)] == [True, True, 3]


def test_what_cannot_be_asked_is_said(log_in: LogIn, url: str) -> None:
    page = log_in("agent.li", "opinion?burst=99", locale="en-GB")
    for query, told in (("burst=99", "no such burst"), ("topic=99", "no such topic"), ("item=x", "number in the address"),
                        ("item=" + "9" * 40, "number in the address"), ("days=9999", "So many days"),
                        ("event=rain", "word in the address"), ("sentiment=sad", "no such sentiment")):  # fmt: skip
        page.goto(f"{url}/console/opinion?{query}")
        page.locator(".fault", has_text=told).wait_for()


def test_the_report_goes_as_a_file_in_the_pages_language(log_in: LogIn, heard: House) -> None:
    page = log_in("agent.li", "opinion")
    for name, begin in (("HTML", b"<!doctype html>"), ("PDF", b"%PDF")):
        with page.expect_download() as written:
            page.get_by_role("button", name=f"报告 {name}").click()
        made = written.value.path().read_bytes()
        assert made.startswith(begin)
        assert name == "PDF" or BAD in made.decode()
