"""For each new risk grade that leaves holders with a product above their class: notices to them, and an alert to the bank.

Knows nothing about when it runs.
"""

from datetime import timedelta

from openteller.assembly import Application
from openteller.core.records import LocalText, Principal, Role
from openteller.insights.alerts.records import NewAlert, Severity
from openteller.products.repository import GradeRepository

_SELF = Principal(subject="jobs", role=Role.ADMIN)
_LOOKED_BACK = timedelta(days=3)  # so that a grade is told of after days without a worker


def tell_of_regrades(application: Application) -> str:
    """Match the holders of products whose grade began lately, and raise an alert where some are to be told."""
    today = application.suitability.today
    with application.database.session(_SELF) as session:
        gradings = GradeRepository().all(session)
    begun = {(g.product_id, g.from_on) for g in gradings if today - _LOOKED_BACK < g.from_on <= today}
    raised = written = 0
    for product_id, from_on in sorted(begun):
        report = application.suitability.rematch(_SELF, product_id, today)
        written += application.notices.write(_SELF, product_id, on=today).added
        if not report.notices:
            continue
        told = len(report.notices)
        grades = f"{report.grade_before.value}→{report.grade.value}"
        alert = NewAlert(
            kind="product.regraded",
            key=f"product.regraded:{product_id}:{from_on}",
            severity=Severity.WARNING,
            title=LocalText(
                zh=f"{product_id} 风险等级 {grades}，需告知 {told} 位持有人",
                en=f"{product_id} is graded {grades}: {told} holders are to be told",
            ),
            subject=product_id,
            detail={"from_on": from_on.isoformat(), "holders": report.holders, "to_notify": told},
        )
        raised += application.alerts.raise_alert(alert) is not None
    return f"{len(begun)} new grades, {raised} alerts, {written} notices"
