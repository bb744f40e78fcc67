"""A bank with something on every page of the console, and browsers that log in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import openteller.demo
from openteller.assistant.dialogue import inquiry_of
from openteller.core.clock import utc_now
from openteller.core.records import LocalText, Principal, Role, visitor
from openteller.customers.profile.computing import recompute_all
from openteller.demo.load import load
from openteller.feedback.records import Head
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.insights.surveys.authoring import read
from openteller.knowledge.records import Document
from openteller.products.repository import ProductRepository
from openteller.recommendation.records import Campaign, Impression
from openteller.recommendation.repository import CampaignRepository, ExperimentRepository, ImpressionRepository
from openteller.store.database import Database
from tests.assistant.test_dialogue import road
from tests.browser import browser, browser_page, open_page
from tests.registry.artefacts import make_artefact
from tests.serving.api.house import PASSWORD, PRODUCTS, House, settings
from tests.serving.calling_house import serving
from tests.store.people import ANN

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser import OpenPage

    LogIn = Callable[..., Page]

__all__ = ["browser", "browser_page", "open_page"]

STAFF = {"agent.li": Role.AGENT, "agent.wu": Role.AGENT, "analyst.zhao": Role.ANALYST, "admin.sun": Role.ADMIN}
SURVEYS = Path(openteller.demo.__file__).parent / "bank" / "surveys"
_SERVICE = Principal(subject="seed", role=Role.SERVICE)


@pytest.fixture
def house(clean: Database, tmp_path: Path) -> House:
    """Twelve demo customers, conversations, articles, an experiment, a model, alerts, a survey, complaints."""
    load(clean, 12)
    recompute_all(clean)
    house = House(clean, settings(voice_calls=0, data_dir=tmp_path))
    house.dialogue = road(clean)  # type: ignore[assignment]
    for username, role in STAFF.items():
        house.accounts.add_user(username, PASSWORD, role)
    house.accounts.add_user("C000002", PASSWORD, Role.CUSTOMER, "C000002")
    _alerts(house)
    _turns(house)
    _articles(house)
    _offers(house)
    _models(house, tmp_path)
    _surveys(house)
    _complaints(house)
    return house


@pytest.fixture
def url(house: House) -> Iterator[str]:
    """Where the house is served."""
    with serving(house) as address:  # type: ignore[arg-type]
        yield address


@pytest.fixture
def log_in(open_page: OpenPage, url: str) -> LogIn:
    """Opens a page of the console as somebody who logs in there; keywords go to the browser's context."""

    def log_in_as(username: str, path: str = "", **wishes: Any) -> Page:
        page = open_page(**wishes)
        page.set_default_timeout(60_000)  # NiceGUI is loaded with the first page, on a machine that may be busy
        page.goto(f"{url}/console/{path}")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.click("button.main")
        page.wait_for_selector(".page-title")
        return page

    return log_in_as


def _alerts(house: House) -> None:
    for key, severity in (("a", Severity.WARNING), ("b", Severity.INFO)):
        title = LocalText(zh=f"告警 {key}", en=f"Alert {key}")
        house.alerts.raise_alert(NewAlert(kind="trend.shift", key=key, severity=severity, title=title))


def _turns(house: House) -> None:
    for text in ("卡丢了", "卡丢了难过", "卡丢了怎么办"):
        house.dialogue.walk(inquiry_of(text), visitor(str(uuid4())))
    house.dialogue.walk(inquiry_of("转人工"), ANN)
    analyst = Principal(subject="analyst.zhao", role=Role.ANALYST)
    house.feedback.correct(analyst, Head.INTENT, ["deposit_rates"], text="一年期存款")


def _articles(house: House) -> None:
    names = {"freeze": "挂失银行卡", "replace": "补办银行卡"}
    house.library.add(
        Document(document_id=f"{name}.zh", title=title, language="zh", group_id=name, answer=f"{title}：请到网点办理。",
                 questions=(f"怎么{title}",))
        for name, title in names.items()
    )  # fmt: skip
    house.regression.add(Principal(subject="analyst.zhao", role=Role.ANALYST), "freeze.zh", "怎么挂失银行卡")


def _offers(house: House) -> None:
    impressions, now = ImpressionRepository(), utc_now()
    with house.database.session(_SERVICE) as session:
        ProductRepository().upsert(session, list(PRODUCTS.values()))
        ExperimentRepository().start(session, "ranking", {"rules": 0.5, "model": 0.5}, by="seed")
        CampaignRepository().put(session, Campaign(product_id="DEP-12M", budget=100, valid_from=now.date()), by="seed")
    for number in range(1, 9):
        customer = Principal(subject=f"C{number:06}", role=Role.CUSTOMER, customer_id=f"C{number:06}")
        one = Impression(product_id="DEP-12M", place=0, propensity=1.0, policy="rules", score=0.5)
        arm = ("ranking", "rules" if number % 2 else "model")
        with house.database.session(customer) as session:
            impressions.add(session, customer, [one], arm=arm, at=now - timedelta(days=number))


def _models(house: House, folder: Path) -> None:
    for number, accuracy in enumerate((0.90, 0.93)):
        made = make_artefact(folder / f"artefact-{number}", accuracy)
        house.registry.register(made, actor="admin.sun", reason="nightly run")
    (folder / "gates.yaml").write_text("toy: [accuracy >= 0.8]\n", encoding="utf-8")
    first = house.registry.slot("toy").versions()[0]
    house.promote("toy", first.version, actor="admin.sun", reason="first of all")


def _surveys(house: House) -> None:
    analyst = Principal(subject="analyst.zhao", role=Role.ANALYST)
    house.surveys.create(analyst, read((SURVEYS / "service.yaml").read_bytes(), "service.yaml"))
    house.surveys.import_file(analyst, "service", (SURVEYS / "service.csv").read_bytes(), "service.csv")


def _complaints(house: House) -> None:
    agent, today = Principal(subject="agent.li", role=Role.AGENT), house.complaints.today
    for days, text in ((18, "收了我两次年费,一直没有退。"), (13, "The branch lost my papers."), (2, "柜员态度差。")):
        house.complaints.open(agent, text, customer_id="C000002", received_on=today - timedelta(days=days))
