"""The report of a survey: the figures of its analysis, quotes that stand in the answers, in both languages."""

from datetime import UTC, datetime

import pytest

from openteller.core.records import LocalText
from openteller.insights.reports import html
from openteller.insights.reports.records import KeyFigures, Plot, Quote, ReportLanguage, Table
from openteller.insights.surveys.analysis import analyse
from openteller.insights.surveys.records import Answer
from openteller.insights.surveys.reporting import report
from tests.insights.surveys.asked import SURVEY, answer
from tests.insights.surveys.test_texts import embed, said

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ZONE = "Asia/Shanghai"


def answers() -> list[Answer]:
    """64 answers over two months: scores 0–10 in turn, two drivers, a text each, every fifth may be called."""
    return [
        answer(
            number,
            datetime(2026, 5 + number % 2, 3, tzinfo=UTC),
            contact=number % 5 == 0,
            recommend=number % 11,
            branch_ok=1 + (number % 11) // 3,
            easy=1 + number % 7,
            price=1 + number % 5,
            reason=("loan", "open"),
            words=text,
            branch="南" if number % 2 else "北",
        )
        for number, (_, text) in enumerate(said())
    ]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_tells_what_was_found(language: ReportLanguage) -> None:
    given = answers()
    found = analyse(SURVEY, given, zone=ZONE, embed=embed)
    bank = LocalText(zh="松湾银行", en="Pinebay Bank")
    told = report(SURVEY, found, given, language=language, bank=bank, zone=ZONE, made_at=NOW)
    blocks = [block for section in told.sections for block in section.blocks]
    nps = next(one for one in found.summaries if one.question == "recommend")
    assert f"{nps.main.value:+.1f}" in told.lead
    figures = next(block for block in blocks if isinstance(block, KeyFigures)).figures
    assert [figure.label for figure in figures][:3] == ["NPS", "CSAT", "CES"]
    assert figures[0].value == f"{nps.main.value:+.1f}"
    assert len(told.sections) == 8
    by_id = {one.id: str(one.values["words"]) for one in given}
    quotes = [block for block in blocks if isinstance(block, Quote)]
    assert quotes
    for quote in quotes:
        answer_id = quote.sources[0].url.rpartition("=")[2]
        assert quote.text in next(text for each, text in by_id.items() if str(each) == answer_id)
    assert sum(isinstance(block, Plot) for block in blocks) >= 9
    called = next(b for b in blocks if isinstance(b, Table) and b.numbers == 4)
    assert len(called.rows) == len(found.follow_up) > 0
    page = html.page(told)
    assert all(section.title in page for section in told.sections)


def test_what_is_not_there_is_not_told() -> None:
    """One promoter: p = 2/3, q = 1/3; 1/3 less 1.96 · √((1 - 1/9) / 3) is -0.734."""
    given = [answer(1, recommend=9)]
    found = analyse(SURVEY, given, zone=ZONE, embed=embed)
    told = report(SURVEY, found, given, language="en", bank=LocalText(zh="行", en="B"), zone=ZONE, made_at=NOW)
    assert [section.title for section in told.sections] == ["Results", "Data and method"]
    assert told.lead == "1 answer; NPS +100.0, 95 % interval [-73.4, +100.0]."
