"""The queue's own schema, and what stands in it. The tables are procrastinate's; they hold no customer's row.

The schema `jobs` holds nothing that is not made again: what is done when stands in the code, and doing it twice does no
harm. So another version of the library gets its tables anew rather than by a migration.
"""

from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version

from sqlalchemy import RowMapping, text

from openteller.core.records import Principal, Role
from openteller.jobs.records import Job, JobStatus
from openteller.store.database import APP_ROLE, Database

SCHEMA = "jobs"
_SELF = Principal(subject="jobs", role=Role.SERVICE)
_LOCK = 0x6A6F6273
_KNOWN = "SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')"
_MAKE = """
DROP SCHEMA IF EXISTS {schema} CASCADE;
CREATE SCHEMA {schema};
SET LOCAL search_path TO {schema};
{tables}
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
COMMENT ON SCHEMA {schema} IS '{known}';
"""
_STATUS = f"""
SELECT job.task_name AS name,
    count(DISTINCT job.id) FILTER (WHERE job.status = 'todo') AS waiting,
    count(DISTINCT job.id) FILTER (WHERE job.status = 'doing') AS running,
    max(event.at) FILTER (WHERE event.type = 'started') AS last_begun,
    max(event.at) FILTER (WHERE event.type = 'succeeded') AS last_succeeded,
    max(event.at) FILTER (WHERE event.type IN ('failed', 'deferred_for_retry')) AS last_failed
FROM {SCHEMA}.procrastinate_jobs job
LEFT JOIN {SCHEMA}.procrastinate_events event ON event.job_id = job.id
GROUP BY job.task_name
"""


class JobRepository:
    """Every method opens a transaction of its own.

    Args:
        database: migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def is_ready(self) -> bool:
        """Whether the queue's tables are there, of the library's version."""
        with self._database.session(_SELF) as session:
            return bool(session.scalar(text(_KNOWN), {"schema": SCHEMA}) == _version())

    def prepare(self) -> None:
        """Make the queue's tables if need be, as the owner; of several that come at once, one does.

        Raises:
            NotAllowed: the owner's login may not make a schema.
        """
        if self.is_ready:
            return
        from procrastinate.schema import SchemaManager

        with self._database.owner_session() as session:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if session.scalar(text(_KNOWN), {"schema": SCHEMA}) == _version():
                return
            tables = SchemaManager.get_schema()
            made = _MAKE.format(schema=SCHEMA, tables=tables, role=APP_ROLE, known=_version())
            session.connection().execution_options(no_parameters=True).exec_driver_sql(made)

    def statuses(self, jobs: Sequence[Job]) -> tuple[JobStatus, ...]:
        """Where each job stands, in the order given; nothing is known as long as no worker has run."""
        found: dict[str, RowMapping] = {}
        if self.is_ready:
            with self._database.session(_SELF) as session:
                found = {row["name"]: row for row in session.execute(text(_STATUS)).mappings()}
        return tuple(_status(job, found.get(job.name)) for job in jobs)


def _status(job: Job, row: RowMapping | None) -> JobStatus:
    def moment(name: str) -> datetime | None:
        return row[name] if row else None

    return JobStatus(
        name=job.name,
        what=job.what,
        cron=job.cron,
        waiting=row["waiting"] if row else 0,
        running=row["running"] if row else 0,
        last_begun=moment("last_begun"),
        last_succeeded=moment("last_succeeded"),
        last_failed=moment("last_failed"),
    )


def _version() -> str:
    return f"procrastinate {version('procrastinate')}"
