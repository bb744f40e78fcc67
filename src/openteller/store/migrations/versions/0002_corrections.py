"""0002: what staff say a turn's labels should have been, under row-level security and four eyes.

Revision ID: 0002
"""

from openteller.store.migrations.statements import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# With the turn goes what was said about it: erasing a customer's turns erases their corrections.
TABLE = r"""
CREATE TABLE corrections (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    trace_id UUID,
    text TEXT NOT NULL,
    head TEXT NOT NULL,
    labels TEXT[] NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    status TEXT DEFAULT 'pending' NOT NULL,
    reviewer TEXT,
    reviewed_at TIMESTAMP WITH TIME ZONE,
    note TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_corrections PRIMARY KEY (id),
    CONSTRAINT ck_corrections_head CHECK (head IN ('intent', 'sentiment', 'needs')),
    CONSTRAINT ck_corrections_status CHECK (status IN ('pending', 'accepted', 'rejected')),
    CONSTRAINT ck_corrections_labels CHECK (cardinality(labels) > 0),
    CONSTRAINT ck_corrections_four_eyes CHECK (reviewer <> author),
    CONSTRAINT ck_corrections_reviewed
        CHECK ((status = 'pending') = (reviewer IS NULL) AND (reviewer IS NULL) = (reviewed_at IS NULL)),
    CONSTRAINT fk_corrections_trace_id FOREIGN KEY(trace_id) REFERENCES turns (trace_id) ON DELETE CASCADE
);
CREATE INDEX ix_corrections_trace_id ON corrections (trace_id);
CREATE INDEX ix_corrections_status_created_at ON corrections (status, created_at);
"""

# Nobody changes what was written, or deletes it: a decision is all that may be added, and by somebody else.
GUARD = r"""
GRANT SELECT, INSERT ON corrections TO openteller_app;
GRANT UPDATE (status, reviewer, reviewed_at, note) ON corrections TO openteller_app;
ALTER TABLE corrections ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY reviewers_read ON corrections FOR SELECT USING (openteller_role() IN ('analyst', 'admin', 'service'));
CREATE POLICY own_read ON corrections FOR SELECT USING (openteller_is_staff() AND author = openteller_subject());
CREATE POLICY staff_insert ON corrections FOR INSERT
    WITH CHECK (openteller_is_staff() AND author = openteller_subject() AND status = 'pending');
CREATE POLICY others_review ON corrections FOR UPDATE
    USING (openteller_role() IN ('analyst', 'admin') AND author <> openteller_subject())
    WITH CHECK (reviewer = openteller_subject());
"""


def upgrade() -> None:
    """Create the table with its policies."""
    run(TABLE)
    run(GUARD)


def downgrade() -> None:
    """Drop it; the policies go with it."""
    run("DROP TABLE corrections;")
