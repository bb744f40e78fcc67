"""Questions that an article must keep, and a change that is rehearsed before it is published."""

from datetime import date

import pytest

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import Principal, Role
from openteller.knowledge.library import Library
from openteller.knowledge.records import Document
from openteller.knowledge.regression import RegressionDesk
from openteller.knowledge.retrieval import Retriever
from openteller.runtime.scripted import ScriptedEmbedder
from openteller.store import audit
from openteller.store.database import Database

ON = date(2026, 11, 23)
ANALYST = Principal(subject="analyst.zhao", role=Role.ANALYST)
AGENT = Principal(subject="agent.li", role=Role.AGENT)
FREEZE = Document(document_id="freeze.zh", title="挂失银行卡", language="zh", group_id="freeze",
                  answer="请立即挂失。", questions=("怎么挂失银行卡",))  # fmt: skip
RATES = Document(document_id="rates.en", title="Deposit rates", language="en", group_id="rates",
                 answer="See the table.", questions=("What are the deposit rates?",))  # fmt: skip


@pytest.fixture
def desk(clean: Database) -> RegressionDesk:
    embedder = ScriptedEmbedder()
    library = Library(clean, embedder)
    library.add([FREEZE, RATES])
    desk = RegressionDesk(clean, library, Retriever(clean, embedder))
    desk.add(ANALYST, "freeze.zh", " 怎么挂失银行卡 ")
    desk.add(ANALYST, "rates.en", "What are the deposit rates?")
    return desk


def test_a_change_that_loses_a_question_shows_and_leaves_nothing(clean: Database, desk: RegressionDesk) -> None:
    draft = FREEZE.model_copy(update={"title": "别的", "answer": "别的。", "questions": ("完全另外的事",)})
    lost, kept = desk.rehearse(ANALYST, draft, ON)
    assert (lost.question.question, lost.before, lost.holds) == ("怎么挂失银行卡", "freeze.zh", False)
    assert lost.changed == (lost.after != "freeze.zh")
    assert (kept.question.document_id, kept.before, kept.after, kept.holds) == (
        "rates.en",
        "rates.en",
        "rates.en",
        True,
    )
    same = Library(clean, ScriptedEmbedder()).get(AGENT, "freeze.zh")
    assert (same.title, same.questions) == (FREEZE.title, FREEZE.questions)
    with clean.owner_session() as session:
        assert len(audit.entries(session, ["documents.stored"])) == 1


def test_a_change_that_keeps_them(desk: RegressionDesk) -> None:
    draft = FREEZE.model_copy(update={"answer": "请在手机银行挂失。"})
    assert [(one.holds, one.changed) for one in desk.rehearse(ANALYST, draft, ON)] == [(True, False), (True, False)]


def test_a_new_article_may_take_anothers_question(desk: RegressionDesk) -> None:
    thief = FREEZE.model_copy(update={"document_id": "thief.zh", "group_id": "thief", "title": "怎么挂失银行卡"})
    taken = next(one for one in desk.rehearse(ANALYST, thief, ON) if one.question.document_id == "freeze.zh")
    assert taken.after in ("freeze.zh", "thief.zh")
    assert taken.holds == (taken.after == "freeze.zh")


def test_questions_are_added_once_and_removed(clean: Database, desk: RegressionDesk) -> None:
    (one,) = desk.questions(ANALYST, "freeze.zh")
    assert (one.question, one.added_by) == ("怎么挂失银行卡", "analyst.zhao")
    with pytest.raises(Conflict, match="already"):
        desk.add(ANALYST, "freeze.zh", "怎么挂失银行卡")
    with pytest.raises(Conflict):
        desk.add(ANALYST, "no such article", "怎么挂失")
    for bad in ("", " \u200b", "a" * 1_001):
        with pytest.raises(BadInput):
            desk.add(ANALYST, "freeze.zh", bad)
    desk.remove(ANALYST, one.id)
    with pytest.raises(NotFound):
        desk.remove(ANALYST, one.id)
    assert len(desk.questions(ANALYST)) == 1
    with clean.owner_session() as session:
        actions = [entry.action for entry in audit.entries(
            session, ["regression_question.added", "regression_question.removed"], "freeze.zh")]  # fmt: skip
    assert actions == ["regression_question.added", "regression_question.removed"]


def test_only_editors(desk: RegressionDesk) -> None:
    with pytest.raises(NotAllowed):
        desk.questions(AGENT)
    with pytest.raises(NotAllowed):
        desk.rehearse(AGENT, FREEZE, ON)
    with pytest.raises(NotAllowed):
        desk.add(AGENT, "freeze.zh", "怎么挂失")
