"""What the wall says to a customer who asks about a product, in the road and alone."""

from datetime import date

import pytest

from openteller.assistant.answering import Found, Shelf
from openteller.assistant.dialogue import inquiry_of
from openteller.assistant.suitability_remark import remark_on
from openteller.core.errors import Unavailable
from openteller.core.records import Answer, Citation, Outcome, Principal, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.names import ProductNames
from openteller.store.database import Database
from tests.assistant.small_bank import SmallBank
from tests.assistant.test_dialogue import road
from tests.recommendation.given import ON, PRODUCTS, file, understood
from tests.store.people import ANN, VISITOR, customer

SHELF = Shelf({p.id: p for p in PRODUCTS}, ProductNames(PRODUCTS))
ZONE = "Asia/Shanghai"


def answered(*pages: str) -> Answer:
    cited = tuple(Citation(document_id=page, title="t", passage="p", score=0.9) for page in pages)
    return Answer(text="年管理费0.15%。", outcome=Outcome.ANSWERED, confidence=0.9, citations=cited)


def said(who: CustomerFile, *named: str, pages: tuple[str, ...] = (), language: str = "zh") -> str:
    understanding: Understanding = understood(products=named)
    return remark_on(answered(*pages), understanding, SHELF, lambda: who, language, ON, ZONE)


def test_a_product_above_the_class_is_said_to_be_unsuitable() -> None:
    text = said(file(investor="C2"), "FUND-INDEX")
    assert "松湾沪深300指数基金目前不适合您" in text
    assert "R4级产品的风险高于您的风险承受能力C2" in text
    english = said(file(investor="C2"), "FUND-INDEX", language="en")
    assert "does not suit you" in english
    assert "C2" in english


def test_the_page_that_answers_counts_as_well_as_the_name() -> None:
    assert said(file(investor="C2"), pages=("product:FUND-INDEX:zh",)) == said(file(investor="C2"), "FUND-INDEX")
    twice = said(file(investor="C2"), "FUND-INDEX", pages=("product:FUND-INDEX:zh",))
    assert twice.count("不适合您") == 1


def test_a_senior_is_asked_to_think_and_confirm() -> None:
    text = said(file(age=70, investor="C5"), "FUND-INDEX")
    assert "再次确认" in text
    assert "不适合您" not in text


def test_nothing_is_said_to_what_suits_or_puts_no_money_at_risk() -> None:
    assert said(file(investor="C5"), "FUND-INDEX") == ""
    assert said(file(investor=None), "TD-CNY", "CARD-GOLD", "NO-SUCH") == ""


def test_the_customer_is_read_only_when_an_investment_is_asked_about() -> None:
    def never() -> CustomerFile:
        raise AssertionError("nobody asked about an investment")

    assert remark_on(answered(), understood(products=("TD-CNY",)), SHELF, never, "zh", ON, ZONE) == ""


def test_without_core_banking_it_is_said_that_nothing_was_checked() -> None:
    def down() -> CustomerFile:
        raise Unavailable("Core banking is down.")

    text = remark_on(answered(), understood(products=("FUND-INDEX",)), SHELF, down, "zh", ON, ZONE)
    assert "暂时无法核对" in text


class ProductBank(SmallBank):
    """The small bank, with a customer of class C2."""

    def file(self, principal: Principal, on: date) -> CustomerFile:
        return file(investor="C2", expires_in=10_000)


class PageAnswerer:
    def answer(self, *_: object) -> Found:
        return Found(answered("product:FUND-INDEX:zh"))


@pytest.mark.parametrize(("principal", "warned"), [(ANN, True), (VISITOR, False)])
def test_the_road_gives_the_remark_with_the_answer_and_stores_it(
    clean: Database, principal: Principal, warned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with clean.owner_session() as session:
        for row in customer(ANN):
            session.add(row)
            session.flush()
    dialogue = road(clean, ProductBank())
    monkeypatch.setattr(dialogue, "_answerer", PageAnswerer())
    monkeypatch.setattr(dialogue, "_shelf", lambda: SHELF)

    inquiry = inquiry_of("沪深300指数基金管理费多少")
    events = list(dialogue.stream(inquiry, principal))
    streamed = "".join(event.data["text"] for event in events if event.name == "delta")
    stored = dialogue.turn(principal, inquiry.trace_id)
    assert stored is not None
    assert streamed == stored.answer.text == stored.reply.text
    assert ("不适合您" in streamed) is warned
