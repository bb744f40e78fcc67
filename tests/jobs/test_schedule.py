"""What is done when: names are told apart, times can be read, and new risk grades are told of once."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from croniter import croniter

from openteller.assembly import Application
from openteller.core.clock import local_date, utc_now
from openteller.core.records import Principal, Role
from openteller.demo.load import BANK, load
from openteller.insights.alerts.records import Channel, Severity
from openteller.jobs.regrades import tell_of_regrades
from openteller.jobs.schedule import daily, schedule
from openteller.products.catalogue import read_products
from openteller.products.grades import GradedBy
from openteller.products.records import RiskGrade
from openteller.products.repository import ProductRepository
from openteller.settings import Settings
from openteller.store.database import Database

ADMIN = Principal(subject="admin", role=Role.ADMIN)


@pytest.fixture
def application(clean: Database, database_urls: tuple[str, str], tmp_path: Path) -> Application:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path,
        database_url=database_urls[0],
        database_owner_url=database_urls[1],
        alert_webhook_url="http://127.0.0.1:1/alerts",
        alert_webhook_secret="a-secret-of-these-tests-0123456789",
        retrain=("understanding",),
    )
    return Application(settings)


def test_the_schedule_can_be_read(application: Application) -> None:
    jobs = schedule(application)
    assert [job.name for job in jobs] == ["deliveries", "trends", "regrades", "complaints", "opinion", "retrain"]
    assert all(croniter.is_valid(job.cron) for job in jobs)


def test_jobs_say_what_came_of_them(application: Application) -> None:
    yesterday = local_date(utc_now(), "Asia/Shanghai") - timedelta(days=1)
    said = {job.name: job.run() for job in schedule(application) if job.name != "retrain"}
    assert said == {
        "deliveries": "0 alerts sent",
        "trends": "0 changes found",
        "regrades": "0 new grades, 0 alerts, 0 notices",
        "complaints": "0 complaints opened, 0 due",
        "opinion": f"0 items forgotten, nothing heard on {yesterday}",
    }
    application.close()


def test_daily_is_the_banks_hour() -> None:
    assert daily(6, "Asia/Shanghai") == "0 22 * * *"
    winter = datetime(2026, 1, 5, tzinfo=UTC)
    assert daily(2, "America/New_York", winter) == "0 7 * * *"
    assert daily(2, "America/New_York", winter + timedelta(days=180)) == "0 6 * * *"


def test_a_new_grade_is_told_of_once(application: Application, clean: Database) -> None:
    today = application.suitability.today
    load(clean, 40, today=today)
    with clean.session(ADMIN) as session:
        ProductRepository().upsert(session, read_products(BANK / "products"))
    application.grades.grade(
        ADMIN, "FUND-MM", GradedBy.BANK, RiskGrade.R5, from_on=today, because="a test of what is told"
    )
    first = tell_of_regrades(application)
    assert tell_of_regrades(application) == "1 new grades, 0 alerts, 0 notices"
    (alert,) = application.alerts.list(ADMIN)
    written = application.notices.of_product(ADMIN, "FUND-MM", limit=500)
    assert first == f"1 new grades, 1 alerts, {len(written)} notices"
    assert len(written) > 0
    assert (alert.kind, alert.subject, alert.severity) == ("product.regraded", "FUND-MM", Severity.WARNING)
    assert date.fromisoformat(alert.detail["from_on"]) == today
    assert alert.detail["to_notify"] > 0
    assert [d.channel for d in application.alerts.deliveries(ADMIN)] == [Channel.WEBHOOK]
    application.close()
