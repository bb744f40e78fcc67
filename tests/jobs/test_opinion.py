"""Each morning yesterday's report is written once, told of once, and what is old is gone."""

from datetime import timedelta
from pathlib import Path

import pytest

from openteller.assembly import Application
from openteller.core.clock import utc_now
from openteller.insights.alerts.records import Severity
from openteller.insights.opinion.repository import ItemFilter
from openteller.jobs.opinion import mind_opinion
from openteller.settings import Settings
from openteller.store.database import Database
from tests.insights.opinion.given import ANALYST, ENTITIES, Clock, batch, pipeline

BAD = "松湾银行被曝无法取款,储户排队挤兑"


@pytest.fixture
def application(clean: Database, database_urls: tuple[str, str], tmp_path: Path) -> Application:
    return Application(
        Settings(_env_file=None, data_dir=tmp_path, database_url=database_urls[0], database_owner_url=database_urls[1])
    )


def test_yesterdays_report_is_there_in_the_morning(application: Application, tmp_path: Path) -> None:
    application.opinion.replace_entities(ANALYST, ENTITIES)
    for days in (401, 1, 0):
        clock = Clock(utc_now() - timedelta(days=days))
        pipeline(application.database, clock, alerts=False).take(
            "news", batch(f"{BAD},{'甲乙丙'[min(days, 2)]}处", cursor=days)
        )
    said = mind_opinion(application)
    assert said.startswith("1 items forgotten, report of ")
    assert len(application.opinion.items(ANALYST, ItemFilter())) == 2
    written = {file.suffixes[-1]: file for file in sorted((tmp_path / "reports" / "opinion").iterdir())}
    assert written[".pdf"].read_bytes().startswith(b"%PDF")
    assert BAD in written[".html"].read_text(encoding="utf-8")
    mind_opinion(application)
    (alert,) = application.alerts.list(ANALYST)
    assert (alert.kind, alert.severity) == ("opinion.report", Severity.INFO)
    application.close()
