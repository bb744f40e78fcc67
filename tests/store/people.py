"""Who asks in the store's tests, and the rows they own."""

from datetime import UTC, date, datetime
from decimal import Decimal

from openteller.core.records import Principal, Role
from openteller.store.tables import AccountRow, CardRow, CustomerRow

ANN = Principal(subject="C000001", role=Role.CUSTOMER, customer_id="C000001")
BEN = Principal(subject="C000002", role=Role.CUSTOMER, customer_id="C000002")
VISITOR = Principal(subject="visitor:one", role=Role.VISITOR)
OTHER_VISITOR = Principal(subject="visitor:two", role=Role.VISITOR)
AGENT = Principal(subject="agent.li", role=Role.AGENT)


def customer(principal: Principal) -> list[object]:
    """A customer with one account and one card."""
    key = principal.subject
    profile = CustomerRow(
        customer_id=key,
        name="安然",
        name_en="Ann",
        phone="13800000000",
        id_number_masked="110***********0011",
        birth_date=date(1990, 1, 1),
        gender="f",
        city="上海",
        segment=["payroll"],
        monthly_income=Decimal("12000.00"),
        language="zh",
        created_at=datetime(2024, 1, 1, tzinfo=UTC),
    )
    account = AccountRow(
        account_id=f"A-{key}",
        customer_id=key,
        kind="savings",
        product_id="SAV-001",
        currency="CNY",
        tail="1234",
        balance=Decimal("100.10"),
        opened_on=date(2020, 1, 1),
    )
    card = CardRow(
        card_id=f"K-{key}",
        customer_id=key,
        account_id=f"A-{key}",
        product_id="CARD-001",
        tail="5678",
        expires_on=date(2030, 1, 1),
    )
    return [profile, account, card]
