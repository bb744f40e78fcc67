"""0008: notices to customers who hold a product that was graded anew.

Revision ID: 0008
"""

from openteller.store.migrations.statements import run

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = r"""
CREATE TABLE notices (
    id UUID DEFAULT gen_random_uuid() NOT NULL,
    customer_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    product_zh TEXT NOT NULL,
    product_en TEXT NOT NULL,
    grade_before TEXT NOT NULL,
    grade TEXT NOT NULL,
    from_on DATE NOT NULL,
    codes TEXT[] NOT NULL,
    text_zh TEXT NOT NULL,
    text_en TEXT NOT NULL,
    channel TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    read_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_notices PRIMARY KEY (id),
    CONSTRAINT uq_notices_customer_id_product_id_from_on_codes UNIQUE (customer_id, product_id, from_on, codes),
    CONSTRAINT ck_notices_grade_before CHECK (grade_before IN ('R1', 'R2', 'R3', 'R4', 'R5')),
    CONSTRAINT ck_notices_grade CHECK (grade IN ('R1', 'R2', 'R3', 'R4', 'R5')),
    CONSTRAINT ck_notices_channel CHECK (channel IN ('inbox', 'sms', 'letter', 'phone')),
    CONSTRAINT fk_notices_customer_id FOREIGN KEY(customer_id) REFERENCES customers (customer_id) ON DELETE CASCADE,
    CONSTRAINT fk_notices_product_id FOREIGN KEY(product_id) REFERENCES products (product_id)
);
CREATE INDEX ix_notices_product_id_at ON notices (product_id, at);
"""

# What was told stays as it was told: only that it was handed over and read is added, each by whom it concerns.
GUARD = r"""
GRANT SELECT, INSERT ON notices TO openteller_app;
GRANT UPDATE (sent_at, read_at) ON notices TO openteller_app;
ALTER TABLE notices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY staff_read ON notices FOR SELECT USING (openteller_is_staff());
CREATE POLICY graders_insert ON notices FOR INSERT WITH CHECK (openteller_role() IN ('analyst', 'admin'));
CREATE POLICY senders_update ON notices FOR UPDATE USING (openteller_role() IN ('analyst', 'admin', 'service'));
CREATE POLICY own_read ON notices FOR SELECT USING (customer_id = openteller_customer());
CREATE POLICY own_update ON notices FOR UPDATE USING (
    openteller_role() = 'customer' AND customer_id = openteller_customer())
    WITH CHECK (customer_id = openteller_customer() AND read_at IS NOT NULL);
"""


def upgrade() -> None:
    """Create the table with its policies."""
    run(TABLE)
    run(GUARD)


def downgrade() -> None:
    """Drop it; the policies go with it."""
    run("DROP TABLE notices;")
