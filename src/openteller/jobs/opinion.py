"""Each morning: yesterday's report of public opinion as files, with an alert that it is there; what is too old is forgotten.

Knows nothing about when it runs.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from openteller.assembly import Application
from openteller.core.clock import local_date, utc_now
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.insights.opinion.repository import ItemFilter
from openteller.insights.reports.files import SUFFIXES, content
from openteller.insights.reports.records import ReportLanguage
from openteller.registry.durable import replace_file

_SELF = Principal(subject="jobs", role=Role.ADMIN)


def mind_opinion(application: Application) -> str:
    """Write yesterday's report below the data directory, in both languages as HTML and PDF, unless nothing was heard."""
    settings, desk = application.settings, application.opinion
    forgotten = desk.forget(_SELF, utc_now() - timedelta(days=settings.opinion_days))
    day = local_date(utc_now(), settings.timezone) - timedelta(days=1)
    midnight = datetime.combine(day, time(), ZoneInfo(settings.timezone))
    heard = ItemFilter(since=midnight, until=midnight + timedelta(days=1))
    if not desk.items(_SELF, heard, limit=1):
        return f"{forgotten} items forgotten, nothing heard on {day}"
    names: dict[ReportLanguage, str] = {"zh": settings.bank_name_zh, "en": settings.bank_name_en}
    reports = {language: desk.report(_SELF, day, day, language, name) for language, name in names.items()}
    folder = settings.data_dir / "reports" / "opinion"
    folder.mkdir(parents=True, exist_ok=True)
    for language, report in reports.items():
        for suffix in SUFFIXES:
            replace_file(folder / f"{day}.{language}{suffix}", content(report, suffix))
    alert = NewAlert(
        kind="opinion.report",
        key=f"opinion.report {day}",
        severity=Severity.INFO,
        title=LocalText(zh=f"{day} 舆情日报:{reports['zh'].lead}", en=f"Public opinion on {day}: {reports['en'].lead}"),
        link="/console/opinion",
    )
    application.alerts.raise_alert(alert)
    return f"{forgotten} items forgotten, report of {day} written"
