"""0006: alerts, which staff alone see.

Revision ID: 0006
"""

from openteller.store.migrations.statements import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = r"""
CREATE TABLE alerts (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    severity TEXT NOT NULL,
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    subject TEXT DEFAULT '' NOT NULL,
    link TEXT DEFAULT '' NOT NULL,
    detail JSONB DEFAULT '{}'::jsonb NOT NULL,
    raised_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    acknowledged_by TEXT,
    acknowledged_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_alerts PRIMARY KEY (id),
    CONSTRAINT uq_alerts_key UNIQUE (key),
    CONSTRAINT ck_alerts_severity CHECK (severity IN ('info', 'warning', 'critical')),
    CONSTRAINT ck_alerts_acknowledged CHECK ((acknowledged_by IS NULL) = (acknowledged_at IS NULL))
);
CREATE INDEX ix_alerts_raised_at ON alerts (raised_at);
"""

# What was raised stays as it was raised: only who has seen it is added.
GUARD = r"""
GRANT SELECT, INSERT ON alerts TO openteller_app;
GRANT UPDATE (acknowledged_by, acknowledged_at) ON alerts TO openteller_app;
ALTER TABLE alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON alerts USING (openteller_is_staff());
"""


def upgrade() -> None:
    """Create the table with its policy."""
    run(TABLE)
    run(GUARD)


def downgrade() -> None:
    """Drop it; the policy goes with it."""
    run("DROP TABLE alerts;")
