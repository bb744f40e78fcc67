"""The whole road on real parts: PostgreSQL, the shipped model, the demo bank."""

from pathlib import Path

import pytest
import yaml

from openteller.assembly import Application
from openteller.assistant.dialogue import inquiry_of
from openteller.core.records import Outcome, Principal, Role, Satisfaction, visitor
from openteller.products.figures import fill
from openteller.store import audit

QUESTIONS = yaml.safe_load((Path(__file__).parent / "newcomer.yaml").read_text(encoding="utf-8"))
ADMIN = Principal(subject="test", role=Role.ADMIN, customer_id=None)


def customer(number: int) -> Principal:
    return Principal(subject=f"C{number:06d}", role=Role.CUSTOMER, customer_id=f"C{number:06d}")


def test_the_loaded_bank_has_profiles_and_segments(application: Application) -> None:
    found = application.profiles.profile(customer(2))
    assert found.segment is not None
    assert found.tags


@pytest.mark.parametrize(("language", "floor"), [("zh", 52), ("en", 45)])
def test_newcomers_find_the_right_article_first(application: Application, language: str, floor: int) -> None:
    right = 0
    for question in QUESTIONS["validation"][language]:
        turn = application.dialogue.walk(inquiry_of(question["question"]), visitor("acceptance"))
        cited = [citation.document_id.split(":")[0] for citation in turn.answer.citations]
        right += bool(cited) and cited[0] in {question["article"], *question.get("also", [])}
    print(f"right article first: {right} of {len(QUESTIONS['validation'][language])} ({language})")
    assert right >= floor


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_the_bank_does_not_cover_is_hardly_ever_answered(application: Application, language: str) -> None:
    asked = QUESTIONS["validation"][f"unanswerable_{language}"]
    answered = [
        question
        for question in asked
        if application.dialogue.walk(inquiry_of(question), visitor("acceptance")).answer.outcome is Outcome.ANSWERED
    ]
    print(answered)
    assert len(answered) <= 1


@pytest.mark.parametrize(
    ("text", "placeholder"),
    [
        ("整存整取一年期利率是多少", "{{TD-CNY.rate.12M}}"),
        ("What is the interest rate of a 3 years fixed deposit?", "{{TD-CNY.rate.36M}}"),
        ("大额存单三年利率多少", "{{TD-LARGE.rate.36M}}"),
    ],
)
def test_a_rate_is_the_product_tables(application: Application, text: str, placeholder: str) -> None:
    answer = application.dialogue.walk(inquiry_of(text), visitor("acceptance")).answer
    assert answer.outcome is Outcome.ANSWERED
    assert fill(placeholder, application.shelf().products, "zh") in answer.text
    assert answer.citations


def test_a_visitor_sees_no_staff_document(application: Application) -> None:
    turn = application.dialogue.walk(inquiry_of("投诉补偿审批权限是多少"), visitor("acceptance"))
    cited = {citation.document_id.split(":")[0] for citation in turn.answer.citations}
    staff = {d.group_id for d in application.library.list(ADMIN, limit=1000) if d.audience == "staff"}
    assert staff
    assert not cited & staff


def test_a_customer_asks_freezes_and_rates(application: Application) -> None:
    me = customer(1)
    first = inquiry_of("帮我冻结一下我的储蓄卡")
    asked = application.dialogue.walk(first, me)
    assert asked.answer.skill == "card_freeze"
    assert asked.answer.outcome is Outcome.CLARIFY
    application.dialogue.rate(me, Satisfaction(trace_id=first.trace_id, rating=5))
    balance = application.dialogue.walk(inquiry_of("我的账户余额是多少"), me)
    assert balance.answer.skill == "balance"


def test_no_offer_without_consent(application: Application) -> None:
    silent = [n for n in range(1, 6) if not _personalised(application, n)]
    assert silent
    for number in silent:
        assert application.dialogue.walk(inquiry_of("有什么理财产品推荐"), customer(number)).offers == ()


def _personalised(application: Application, number: int) -> bool:
    from openteller.core.clock import local_date, utc_now
    from openteller.customers.repository import CustomerRepository

    with application.database.session(customer(number)) as session:
        file = CustomerRepository().file(session, f"C{number:06d}", local_date(utc_now(), "Asia/Shanghai"))
    return file.granted("personalisation")


def test_the_audit_chain_holds_after_all_that(application: Application) -> None:
    with application.database.session(ADMIN) as session:
        check = audit.verify(session)
    assert check.intact
    assert check.rows > 100
