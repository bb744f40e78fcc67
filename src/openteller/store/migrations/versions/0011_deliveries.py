"""0011: deliveries of alerts: the outbox.

Revision ID: 0011
"""

from openteller.store.migrations.statements import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = r"""
CREATE TABLE alert_deliveries (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    alert_id UUID NOT NULL,
    channel TEXT NOT NULL,
    status TEXT DEFAULT 'waiting' NOT NULL,
    attempts INTEGER DEFAULT 0 NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    last_error TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_alert_deliveries PRIMARY KEY (id),
    CONSTRAINT uq_alert_deliveries_alert_id_channel UNIQUE (alert_id, channel),
    CONSTRAINT ck_alert_deliveries_channel CHECK (channel IN ('email', 'webhook')),
    CONSTRAINT ck_alert_deliveries_status CHECK (status IN ('waiting', 'sent', 'dead')),
    CONSTRAINT ck_alert_deliveries_attempts CHECK (attempts >= 0),
    CONSTRAINT ck_alert_deliveries_ended CHECK ((status = 'waiting') = (ended_at IS NULL)),
    CONSTRAINT fk_alert_deliveries_alert_id FOREIGN KEY(alert_id) REFERENCES alerts (id) ON DELETE CASCADE
);
CREATE INDEX ix_alert_deliveries_waiting ON alert_deliveries (next_at) WHERE status = 'waiting';
"""

GUARD = r"""
GRANT SELECT, INSERT ON alert_deliveries TO openteller_app;
GRANT UPDATE (status, attempts, next_at, last_error, ended_at) ON alert_deliveries TO openteller_app;
ALTER TABLE alert_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff ON alert_deliveries USING (openteller_is_staff());
"""


def upgrade() -> None:
    """Create the table with its policy."""
    run(TABLE)
    run(GUARD)


def downgrade() -> None:
    """Drop it; the policy goes with it."""
    run("DROP TABLE alert_deliveries;")
