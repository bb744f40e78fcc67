"""The desk on the real store: masked, by four eyes, one decision each, and a row of the audit log for every step."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, OpenTellerError, TooLarge, Unavailable
from openteller.core.records import Outcome, Principal
from openteller.feedback.desk import LabelDesk
from openteller.feedback.records import Correction, Head, Status
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import AuditRow, CorrectionRow
from openteller.understanding.personal_data import redacted
from tests.feedback.desk import CORE, LABELS, LI, WANG, ZHOU, a_desk, agreed, asked
from tests.store.people import ANN, VISITOR

INJECTION = "'; DROP TABLE corrections; -- \" OR 1=1"


@pytest.fixture
def desk(clean: Database) -> LabelDesk:
    return a_desk(clean)


def told(database: Database) -> list[AuditRow]:
    with database.session(LI) as session:
        of = AuditRow.action.like("correction.%")
        return list(session.scalars(select(AuditRow).where(of).order_by(AuditRow.seq)))


def test_a_correction_from_the_queue_to_training(clean: Database, desk: LabelDesk) -> None:
    trace_id = asked(clean, rating=1, comment="答非所问")
    (waiting,) = desk.queue(LI)
    assert (waiting.trace_id, waiting.text, waiting.rating, waiting.comment) == (trace_id, "卡被吞了", 1, "答非所问")
    assert waiting.reasons == ("rated 1 of 5",)
    made = desk.correct(ZHOU, Head.INTENT, ["card_atm_trouble"], trace_id=trace_id)
    assert (made.status, made.text, made.author, made.reviewer) == (Status.PENDING, "卡被吞了", "agent.zhou", None)
    assert desk.queue(LI) == ()
    assert desk.accepted(list(Head)) == ()
    accepted = desk.review(WANG, made.id, Status.ACCEPTED, note="对")
    assert (accepted.reviewer, accepted.note) == ("admin.wang", "对")
    assert accepted.reviewed_at is not None
    assert accepted.reviewed_at.utcoffset() is not None
    assert desk.accepted([Head.INTENT]) == (accepted,)
    assert desk.accepted([Head.NEEDS]) == ()


def test_each_step_is_in_the_audit_log_without_the_words(clean: Database, desk: LabelDesk) -> None:
    made = desk.correct(LI, Head.INTENT, ["loan_rate"], text="我叫王芳,利率多少", entered_by="cli:root")
    desk.review(WANG, made.id, Status.REJECTED, note="no")
    added, rejected = told(clean)
    assert (added.actor, added.action, added.subject) == ("analyst.li", "correction.added", str(made.id))
    assert added.detail == {"head": "intent", "labels": ["loan_rate"], "trace_id": None, "entered_by": "cli:root"}
    assert (rejected.actor, rejected.action, rejected.detail["author"]) == (
        "admin.wang", "correction.rejected", "analyst.li",
    )  # fmt: skip
    with clean.session(LI) as session:
        assert audit.verify(session).intact


def test_what_is_stored_is_normalised_masked_and_without_secrets(clean: Database, desk: LabelDesk) -> None:
    written = "\u200b我叫王芳，ＡＴＭ吞了卡6222021234567890128，密码是135790\x00"
    made = desk.correct(LI, Head.INTENT, ["card_atm_trouble"], text=written)
    with clean.owner_session() as session:
        stored = session.scalar(select(CorrectionRow.text)) or ""
    assert stored == made.text == redacted(stored)
    assert "ATM" in stored
    for secret in ("王芳", "6222", "135790", "\x00", "\u200b"):
        assert secret not in stored
    noted = desk.review(WANG, made.id, Status.REJECTED, note="客户电话13812345678")
    assert "138" not in noted.note


def test_needs_may_be_several_or_none(desk: LabelDesk) -> None:
    several = desk.correct(LI, Head.NEEDS, ["security", "saving", "security"], text="a")
    assert several.labels == ("saving", "security")
    assert desk.correct(LI, Head.NEEDS, ["-"], text="a").labels == ("-",)


@pytest.mark.parametrize(
    ("head", "labels", "of", "error", "message"),
    [
        (Head.INTENT, [], {"text": "a"}, BadInput, "no label"),
        (Head.INTENT, [" \u200b"], {"text": "a"}, BadInput, "no label"),
        (Head.INTENT, ["card_atm_troubel"], {"text": "a"}, BadInput, "Similar are card_atm_trouble"),
        (Head.INTENT, [INJECTION * 10_000], {"text": "a"}, BadInput, "no such label"),
        (Head.INTENT, ["-"], {"text": "a"}, BadInput, "no such label"),
        (Head.INTENT, ["saving"], {"text": "a"}, BadInput, "no such label"),
        (Head.INTENT, ["loan_rate", "card_atm_trouble"], {"text": "a"}, BadInput, "one intent"),
        (Head.NEEDS, ["-", "saving"], {"text": "a"}, BadInput, "no such label"),
        (Head.INTENT, ["loan_rate"], {}, BadInput, "a turn or of a text"),
        (Head.INTENT, ["loan_rate"], {"text": "a", "trace_id": uuid4()}, BadInput, "a turn or of a text"),
        (Head.INTENT, ["loan_rate"], {"text": " \u200b\x00 "}, BadInput, "empty"),
        (Head.INTENT, ["loan_rate"], {"text": "好" * 1_000_000}, TooLarge, "1,000,000 characters"),
        (Head.INTENT, ["loan_rate"], {"trace_id": uuid4()}, NotFound, "no such turn"),
    ],
)
def test_what_cannot_be_a_correction_is_refused(
    clean: Database, desk: LabelDesk, head: Head, labels: list[str], of: dict[str, object], error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        desk.correct(LI, head, labels, **of)  # type: ignore[arg-type]
    assert desk.list(LI) == ()
    assert told(clean) == []


def test_what_looks_like_sql_is_a_text_like_any_other(desk: LabelDesk) -> None:
    made = desk.correct(LI, Head.SENTIMENT, ["negative"], text=INJECTION)
    assert desk.list(LI) == (made,)
    assert made.text == INJECTION
    with pytest.raises(BadInput, match="no id"):
        desk.find(WANG, INJECTION)


def test_nobody_reviews_their_own(clean: Database, desk: LabelDesk) -> None:
    made = desk.correct(LI, Head.INTENT, ["loan_rate"], text="a")
    with pytest.raises(Conflict, match="your own"):
        desk.review(LI, made.id, Status.ACCEPTED)
    update = "UPDATE corrections SET status = 'accepted', reviewer = author, reviewed_at = now()"
    with clean.session(LI) as session:
        assert session.execute(text(update)).rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(Conflict), clean.owner_session() as session:
        session.execute(text(update))


def test_a_decision_stands(desk: LabelDesk) -> None:
    made = agreed(desk, "a", "loan_rate")
    for decision in (Status.ACCEPTED, Status.REJECTED):
        with pytest.raises(Conflict, match="has been reviewed"):
            desk.review(WANG, made.id, decision)
    with pytest.raises(BadInput, match="accepts or rejects"):
        desk.review(WANG, made.id, Status.PENDING)
    with pytest.raises(NotFound):
        desk.review(WANG, uuid4(), Status.ACCEPTED)
    with pytest.raises(TooLarge):
        desk.review(WANG, made.id, Status.ACCEPTED, note="x" * 1_001)


def test_of_reviewers_at_the_same_time_one_decides(clean: Database, desk: LabelDesk) -> None:
    reviewers = [Principal(subject=f"reviewer.{n}", role=WANG.role) for n in range(4)]
    for _ in range(5):
        made = desk.correct(LI, Head.INTENT, ["loan_rate"], text="a")
        together = Barrier(len(reviewers))

        def decide(reviewer: Principal, made: Correction = made, together: Barrier = together) -> str:
            together.wait()
            decision = Status.ACCEPTED if reviewer.subject.endswith(("0", "2")) else Status.REJECTED
            try:
                return str(desk.review(reviewer, made.id, decision).reviewer)
            except Conflict:
                return ""

        with ThreadPoolExecutor(len(reviewers)) as pool:
            decided = [name for name in pool.map(decide, reviewers) if name]
        assert len(decided) == 1
        assert desk.list(LI, limit=1)[0].reviewer == decided[0]
    assert len([row for row in told(clean) if row.action != "correction.added"]) == 5


def test_moments_of_decisions_grow_from_commit_to_commit(desk: LabelDesk) -> None:
    made = [desk.correct(LI, Head.INTENT, ["loan_rate"], text=str(n)) for n in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda c: desk.review(WANG, c.id, Status.ACCEPTED), made))
    moments = [c.reviewed_at for c in desk.accepted([Head.INTENT])]
    assert moments == sorted(set(moments), key=str)


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        (LI, {"queue", "correct", "review", "list"}),
        (WANG, {"queue", "correct", "review", "list"}),
        (ZHOU, {"correct", "list"}),
        (CORE, {"correct", "list"}),
        (ANN, set()),
        (VISITOR, set()),
    ],
)
def test_who_may_do_what(desk: LabelDesk, principal: Principal, allowed: set[str]) -> None:
    waiting = desk.correct(Principal(subject="x", role=LI.role), Head.INTENT, ["loan_rate"], text="a")
    actions: dict[str, Callable[[], object]] = {
        "queue": lambda: desk.queue(principal),
        "correct": lambda: desk.correct(principal, Head.INTENT, ["loan_rate"], text="b"),
        "list": lambda: desk.list(principal),
        "review": lambda: desk.review(principal, waiting.id, Status.ACCEPTED),
    }
    for name, act in actions.items():
        if name in allowed:
            act()
        else:
            with pytest.raises(NotAllowed, match="may not"):
                act()


def test_agents_see_their_own_corrections_alone(desk: LabelDesk) -> None:
    theirs = desk.correct(ZHOU, Head.INTENT, ["loan_rate"], text="a")
    desk.correct(LI, Head.INTENT, ["loan_rate"], text="b")
    assert desk.list(ZHOU) == (theirs,)
    assert len(desk.list(LI)) == 2
    assert desk.list(LI, status=Status.ACCEPTED) == ()
    assert [c.text for c in desk.list(LI, limit=1, offset=1)] == ["a"]


def test_a_correction_is_found_by_how_its_id_begins(desk: LabelDesk) -> None:
    first = agreed(desk, "a", "loan_rate")
    second = desk.correct(LI, Head.INTENT, ["loan_rate"], text="b")
    assert desk.find(WANG, str(first.id)[:8]) == first.id
    assert desk.find(WANG, "newest") == second.id
    desk.review(WANG, second.id, Status.REJECTED)
    for text_ in ("newest", "00000000-0000"):
        with pytest.raises(NotFound):
            desk.find(WANG, text_)
    for text_ in ("", "%", "_" * 8, "abc"):
        with pytest.raises(BadInput):
            desk.find(WANG, text_)


def test_the_queue_holds_what_went_wrong_newest_first(clean: Database, desk: LabelDesk) -> None:
    for n, kind in enumerate(({"rating": 3}, {"rating": 2}, {"intent": 0.49}, {"outcome": Outcome.CLARIFY}, {},
                              {"outcome": Outcome.REFUSED, "rating": 1}, {"outcome": Outcome.HANDED_OFF})):  # fmt: skip
        asked(clean, f"turn {n}", **kind)
    turns = desk.queue(LI)
    assert [t.text for t in turns] == ["turn 5", "turn 3", "turn 2", "turn 1"]
    assert [t.reasons for t in turns] == [
        ("rated 1 of 5", "outcome refused"),
        ("outcome clarify",),
        ("intent card_lost with probability 0.49",),
        ("rated 2 of 5",),
    ]
    assert [t.text for t in desk.queue(LI, limit=1, offset=1)] == ["turn 3"]
    rejected = desk.correct(ZHOU, Head.INTENT, ["loan_rate"], trace_id=turns[0].trace_id)
    desk.correct(ZHOU, Head.INTENT, ["loan_rate"], trace_id=turns[1].trace_id)
    assert [t.text for t in desk.queue(LI)] == ["turn 2", "turn 1"]
    desk.review(WANG, rejected.id, Status.REJECTED)
    assert [t.text for t in desk.queue(LI)] == ["turn 5", "turn 2", "turn 1"]


def test_without_a_database_the_error_says_so(database: Database) -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:9/none")
    desk = LabelDesk(nowhere, lambda: LABELS, redacted)
    for act in (lambda: desk.queue(LI), lambda: desk.correct(LI, Head.INTENT, ["loan_rate"], text="a")):
        with pytest.raises(Unavailable, match="does not answer"):
            act()
    nowhere.dispose()


@pytest.mark.parametrize("principal", [None, ANN, VISITOR, ZHOU])
def test_row_level_security_hides_corrections(clean: Database, desk: LabelDesk, principal: Principal | None) -> None:
    trace_id = asked(clean, rating=1)
    made = desk.correct(LI, Head.INTENT, ["loan_rate"], trace_id=trace_id)
    with clean.session(principal) as session:
        assert session.execute(text("SELECT * FROM corrections")).all() == []
        taken = "UPDATE corrections SET status = 'accepted', reviewer = 'x', reviewed_at = now()"
        assert session.execute(text(taken)).rowcount == 0  # type: ignore[attr-defined]
    for statement in (
        "INSERT INTO corrections (text, head, labels, author) VALUES ('x', 'intent', '{a}', 'analyst.li')",
        "DELETE FROM corrections",
        "UPDATE corrections SET text = 'x'",
        "ALTER TABLE corrections DISABLE ROW LEVEL SECURITY",
    ):
        with pytest.raises(OpenTellerError), clean.session(principal) as session:
            session.execute(text(statement))
    assert desk.list(LI) == (made,)


def test_what_was_written_cannot_be_changed_by_the_application(clean: Database, desk: LabelDesk) -> None:
    agreed(desk, "a", "loan_rate")
    for statement in (
        "UPDATE corrections SET text = 'x'",
        "UPDATE corrections SET labels = '{x}'",
        "DELETE FROM corrections",
    ):
        with pytest.raises(NotAllowed), clean.session(WANG) as session:
            session.execute(text(statement))


def test_erasing_a_customers_turns_erases_their_corrections(clean: Database, desk: LabelDesk) -> None:
    trace_id = asked(clean, rating=1)
    kept = asked(clean, "房贷利率", rating=1)
    for turn in (trace_id, kept):
        desk.correct(LI, Head.INTENT, ["loan_rate"], trace_id=turn)
    with clean.session(WANG) as session:
        session.execute(text("DELETE FROM turns WHERE trace_id = :turn"), {"turn": trace_id})
    assert [c.trace_id for c in desk.list(LI)] == [kept]
    with clean.owner_session() as session:
        session.execute(text("DELETE FROM conversations"))
    assert desk.list(LI) == ()
