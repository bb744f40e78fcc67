"""0013: how long the steps of a spoken turn took, seen by whoever spoke and by staff.

Revision ID: 0013
"""

from openteller.store.migrations.statements import run

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = r"""
CREATE TABLE turn_timings (
    trace_id UUID NOT NULL,
    owner TEXT NOT NULL,
    seconds JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_turn_timings PRIMARY KEY (trace_id)
);
CREATE INDEX ix_turn_timings_at ON turn_timings (at);
"""

GUARD = r"""
GRANT SELECT, INSERT ON turn_timings TO openteller_app;
ALTER TABLE turn_timings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON turn_timings FOR SELECT USING (openteller_is_staff());
CREATE POLICY own_read ON turn_timings FOR SELECT USING (owner = openteller_subject());
CREATE POLICY own_insert ON turn_timings FOR INSERT WITH CHECK (owner = openteller_subject());
"""


def upgrade() -> None:
    """Create the table with its policies."""
    run(TABLE)
    run(GUARD)


def downgrade() -> None:
    """Drop it; the policies go with it."""
    run("DROP TABLE turn_timings;")
