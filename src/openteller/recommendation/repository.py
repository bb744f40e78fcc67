"""What became of earlier offers, read from the store in the caller's transaction; row-level security guards it."""

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from openteller.core.records import Principal
from openteller.recommendation.records import OfferEvent
from openteller.recommendation.rules import DISMISSED_DAYS
from openteller.store.tables import OfferEventRow


class OfferEventRepository:
    """The events that the recommender looks back on."""

    def recent(self, session: Session, principal: Principal, on: date) -> tuple[OfferEvent, ...]:
        """The customer's or visitor's events of the last `DISMISSED_DAYS` days and one, newest first."""
        # Staff who look at a customer have dismissed nothing for themselves.
        own = OfferEventRow.owner == principal.subject
        mine = own if principal.customer_id is None else OfferEventRow.customer_id == principal.customer_id
        query = select(OfferEventRow.product_id, OfferEventRow.action, OfferEventRow.at).where(
            mine, OfferEventRow.at >= on - timedelta(days=DISMISSED_DAYS + 1)
        )
        rows = session.execute(query.order_by(OfferEventRow.at.desc(), OfferEventRow.id.desc()))
        return tuple(OfferEvent.model_validate(row, from_attributes=True) for row in rows)
