"""The desk over the run's database: versions, links, answers, imports, low scores, and who may do what."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update

from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.desk import AlertDesk
from openteller.insights.surveys.desk import SurveyDesk
from openteller.insights.surveys.records import Answer, Kind
from openteller.store import audit
from openteller.store.database import Database
from openteller.store.tables import HandOffRow, SurveyAnswerRow, SurveyLinkRow
from openteller.understanding.personal_data import redacted
from tests.feedback.desk import asked
from tests.insights.surveys.asked import SURVEY
from tests.store.people import ANN, BEN

ANALYST = Principal(subject="ana", role=Role.ANALYST)
AGENT = Principal(subject="agnes", role=Role.AGENT)
CSV = "编号,recommend,branch_ok,words,branch,date,可回访\n" + "".join(
    f"{n},{n % 11},{1 + n % 5},队伍排到门口第{n}次,南,2026-05-{1 + n % 28:02},是\n" for n in range(30)
)


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(len(texts), 8)).astype(np.float32)


@pytest.fixture
def desk(clean: Database) -> SurveyDesk:
    made = SurveyDesk(clean, AlertDesk(clean), redact=redacted, key=lambda: "k" * 40, embed=embed, zone="Asia/Shanghai")
    made.create(ANALYST, SURVEY)
    return made


def test_a_changed_survey_is_a_new_version(desk: SurveyDesk) -> None:
    same, new = desk.create(ANALYST, SURVEY)
    assert (same.version, new) == (1, False)
    changed = SURVEY.model_copy(update={"title": LocalText(zh="新", en="new")})
    assert (desk.create(ANALYST, changed)[0].version, desk.get(AGENT, "service").version) == (2, 2)
    assert desk.get(AGENT, "service", 1).survey == SURVEY
    (listed,) = desk.list(AGENT)
    assert (listed.stored.version, listed.answers) == (2, 0)


def test_a_link_for_one_takes_one_answer(desk: SurveyDesk, clean: Database) -> None:
    token = desk.link(ANALYST, "service", customer_id=ANN.customer_id)
    assert desk.invited(token).survey == SURVEY

    def answer(_: int) -> Answer | Conflict:
        try:
            return desk.answer_link(token, {"recommend": 9, "words": "电话13812345678"}, language="en")
        except Conflict as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(answer, range(6)))
    (stored,) = [one for one in came if isinstance(one, Answer)]
    assert (stored.customer_id, stored.channel, stored.language) == (ANN.customer_id, "link", "zh")
    assert "13812345678" not in str(stored.values)
    with pytest.raises(Conflict, match="been answered"):
        desk.invited(token)
    for who, seen in ((ANN, 1), (BEN, 0), (AGENT, 1)):
        with clean.session(who) as session:
            assert len(session.scalars(select(SurveyAnswerRow.id)).all()) == seen


def test_a_link_for_many_takes_many_until_it_expires(desk: SurveyDesk, clean: Database) -> None:
    token = desk.link(ANALYST, "service", single_use=False, days=1)
    assert len({desk.answer_link(token, {"recommend": 9}).id for _ in range(3)}) == 3
    with clean.owner_session() as session:
        session.execute(update(SurveyLinkRow).values(expires_at=SurveyLinkRow.created_at))
    for use in (lambda: desk.invited(token), lambda: desk.answer_link(token, {"recommend": 9})):
        with pytest.raises(Conflict, match="expired"):
            use()


@pytest.mark.parametrize("token", ["", "a", "好", "A" * 43, "=" * 50, "-_" * 21 + "A"])
def test_a_forged_link_is_none(desk: SurveyDesk, token: str) -> None:
    with pytest.raises(NotFound, match="no such survey"):
        desk.invited(token)
    real = desk.link(ANALYST, "service")
    with pytest.raises(NotFound):
        desk.invited(("A" if real[0] != "A" else "B") + real[1:])


def test_a_low_score_after_a_conversation_asks_for_a_person(desk: SurveyDesk, clean: Database) -> None:
    trace_id = asked(clean)
    found = desk.after_conversation(ANN)
    assert found is not None
    answer = desk.answer_turn(ANN, found.survey.name, trace_id, {"recommend": 2, "words": "太慢"}, contact=True)
    assert (answer.trace_id, answer.customer_id, answer.channel) == (trace_id, ANN.customer_id, "widget")
    with clean.session(AGENT) as session:
        (waiting,) = session.scalars(select(HandOffRow).where(HandOffRow.trace_id == trace_id)).all()
        assert waiting.reason == "survey service: scored 2"
    (alert,) = AlertDesk(clean).list(AGENT)
    assert (alert.kind, alert.subject) == ("survey.low_score", str(answer.id))
    assert "太慢" not in alert.model_dump_json()
    with pytest.raises(Conflict, match="been answered"):
        desk.answer_turn(ANN, "service", trace_id, {"recommend": 9})
    assert len(desk.answers(AGENT, "service")) == 1
    happy = desk.answer_turn(ANN, "service", asked(clean), {"recommend": 10})
    assert happy.score(SURVEY.questions[0]) == 10
    assert len(AlertDesk(clean).list(AGENT)) == 1


def test_nobody_answers_for_somebody_else(desk: SurveyDesk, clean: Database) -> None:
    trace_id = asked(clean)
    for who, turn in ((BEN, trace_id), (AGENT, trace_id), (ANN, uuid4())):
        with pytest.raises(NotFound, match="no such turn of yours"):
            desk.answer_turn(who, "service", turn, {"recommend": 1})


def test_a_file_is_imported_once_however_often(desk: SurveyDesk, clean: Database) -> None:
    steps: list[tuple[int, int]] = []
    first = desk.import_file(ANALYST, "service", CSV.encode(), "a.csv", progress=lambda *step: steps.append(step))
    again = desk.import_file(ANALYST, "service", CSV.encode("gb18030"), "a.csv")
    assert (first.added, first.known, again.added, again.known) == (30, 0, 0, 30)
    assert steps[-1] == (30, 30)
    with clean.session(ANALYST) as session:
        noted = audit.entries(session, ["survey.imported"])
    assert noted[0].detail == {"rows": 30, "added": 30, "faults": 0}


def test_with_a_bad_row_nothing_is_stored_unless_it_is_left_out(desk: SurveyDesk) -> None:
    data = (CSV + "98,11,,,,,\n99,x,,,,,\n").encode()
    with pytest.raises(BadInput, match=r"2 rows of a.csv.*line 32: '11'.*line 33: 'x'.*--skip-bad"):
        desk.import_file(ANALYST, "service", data, "a.csv")
    assert desk.answers(AGENT, "service") == ()
    done = desk.import_file(ANALYST, "service", data, "a.csv", skip_bad=True)
    assert (done.added, [fault.line for fault in done.faults]) == (30, [32, 33])


def test_what_the_answers_say(desk: SurveyDesk) -> None:
    """30 scores 0–10 in turn: 7 of each 11 are 0–6, of the last eight seven: 7+7+7=21 detractors, 2+2=4 promoters."""
    desk.import_file(ANALYST, "service", CSV.encode(), "a.csv")
    survey, found, answers = desk.analyse(AGENT, "service")
    (nps, branch) = found.summaries
    assert nps.promotion is not None
    assert (nps.promotion.promoters, nps.promotion.detractors) == (4, 21)
    assert nps.main.value == pytest.approx(100 * (4 - 21) / 30)
    assert branch.main.value == pytest.approx(12 / 30)
    assert found.missing["easy"] == 30
    assert len(answers) == found.texts == 30
    assert [one.score for one in found.follow_up][:3] == [0, 0, 0]
    assert len(found.follow_up) == 21
    said = {answer.id: str(answer.values["words"]) for answer in answers}
    assert all(one.worst in said[one.answer] for one in found.follow_up)
    assert all(quote.text in said[quote.answer] for theme in found.themes for quote in theme.quotes)
    assert survey.question("words") is not None
    assert desk.analyse(AGENT, "service", first=date(2026, 5, 1), last=date(2026, 5, 1))[1].answers == 2
    with pytest.raises(NotFound, match="no answers in that time"):
        desk.analyse(AGENT, "service", first=date(2027, 1, 1))
    with pytest.raises(BadInput, match="Swap them"):
        desk.analyse(AGENT, "service", first=date(2027, 1, 1), last=date(2026, 1, 1))
    answer, text = desk.answer(AGENT, found.follow_up[0].answer)
    assert text == answer.values["words"]


def test_the_figures_of_the_list_are_those_of_the_analysis(desk: SurveyDesk) -> None:
    assert desk.scores(AGENT) == {"service": ()}
    desk.import_file(ANALYST, "service", CSV.encode(), "a.csv")
    desk.create(ANALYST, SURVEY.model_copy(update={"name": "empty"}))
    scores = desk.scores(AGENT)
    assert scores["empty"] == ()
    assert scores["service"] == desk.analyse(AGENT, "service")[1].summaries
    assert [score.question for score in scores["service"]] == ["recommend", "branch_ok"]


def test_a_question_that_is_no_longer_asked_is_left_out(desk: SurveyDesk) -> None:
    desk.import_file(ANALYST, "service", CSV.encode(), "a.csv")
    fewer = SURVEY.model_copy(update={"questions": tuple(q for q in SURVEY.questions if q.kind is not Kind.CSAT)})
    desk.create(ANALYST, fewer)
    assert [one.question for one in desk.analyse(AGENT, "service")[1].summaries] == ["recommend"]


def test_a_closed_survey_takes_no_answers(desk: SurveyDesk, clean: Database) -> None:
    token, trace_id = desk.link(ANALYST, "service"), asked(clean)
    assert not desk.set_open(ANALYST, "service", False).open
    assert desk.after_conversation(ANN) is None
    for use in (
        lambda: desk.invited(token),
        lambda: desk.link(ANALYST, "service"),
        lambda: desk.answer_turn(ANN, "service", trace_id, {"recommend": 1}),
    ):
        with pytest.raises(Conflict, match="closed"):
            use()
    assert desk.set_open(ANALYST, "service", True).open


def test_who_may_do_what(desk: SurveyDesk) -> None:
    for act in (
        lambda: desk.create(AGENT, SURVEY),
        lambda: desk.link(AGENT, "service"),
        lambda: desk.import_file(AGENT, "service", b"", "a.csv"),
        lambda: desk.set_open(AGENT, "service", False),
        lambda: desk.list(ANN),
        lambda: desk.scores(ANN),
        lambda: desk.answers(ANN, "service"),
        lambda: desk.analyse(ANN, "service"),
        lambda: desk.get(ANN, "service"),
        lambda: desk.answer(ANN, uuid4()),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_what_there_is_not(desk: SurveyDesk) -> None:
    for act, error in (
        (lambda: desk.get(AGENT, "nothing"), NotFound),
        (lambda: desk.answer(AGENT, uuid4()), NotFound),
        (lambda: desk.link(ANALYST, "service", days=0), BadInput),
        (lambda: desk.link(ANALYST, "service", single_use=False, customer_id="C1"), BadInput),
    ):
        with pytest.raises(error):
            act()
