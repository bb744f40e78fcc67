"""The desk that tells holders what a new grade means to them: written once each, handed over, read. All in the audit log.

Source: 金融机构产品适当性管理办法 (NFRA Order [2025] No. 7): the seller adjusts its opinion and tells the investor.
Writing a notice puts it on the customer's page; handing over one of another channel is the bank's own delivery, which
says so here. What is not covered: holders whom only the bank's own core-banking system knows; each report says so.
Knows nothing about HTTP.
"""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from openteller.core.clock import utc_now
from openteller.core.errors import NotAllowed, NotFound
from openteller.core.records import LocalText, Principal, Role
from openteller.customers.core_banking import customer_of
from openteller.products.grade_desk import GradeDesk, GradeFile
from openteller.recommendation.notices.records import Channel, HoldersReport, NewNotice, Noticed, RegradeNotice, Told
from openteller.recommendation.notices.repository import NoticeRepository
from openteller.recommendation.rematching import Rematch
from openteller.recommendation.suitability_desk import SuitabilityDesk
from openteller.store import audit
from openteller.store.database import Database

_SENDERS = (Role.ANALYST, Role.ADMIN, Role.SERVICE)
_SHOWN = 100
_ELSEWHERE = LocalText(
    zh="客户和持仓在银行自己的核心系统里（OPENTELLER_CORE_BANKING_URL），此处只能看到本库中的持有人；请在核心系统中另行核对。",
    en="Customers and holdings are kept by the bank's own core-banking system (OPENTELLER_CORE_BANKING_URL). Only holders in this store are counted here: match the others there.",
)  # fmt: skip


class NoticeDesk:
    """Reports on holders, and notices to them. Safe to share between threads.

    Args:
        database: where notices are kept.
        suitability: matches holders anew.
        grades: since when a grade counts.
        elsewhere: whether customers are kept by a core-banking system of the bank's own.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        suitability: SuitabilityDesk,
        grades: GradeDesk,
        *,
        elsewhere: bool = False,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._suitability, self._grades = database, suitability, grades
        self._note, self._now, self._notices = _ELSEWHERE if elsewhere else None, now, NoticeRepository()

    def report(self, principal: Principal, product_id: str, on: date | None = None) -> HoldersReport:
        """The holders of a product matched anew, and whose are not in the report. Raises NotAllowed, NotFound."""
        found = self._suitability.rematch(principal, product_id, on)
        return HoldersReport(**{name: getattr(found, name) for name in Rematch.model_fields}, note=self._note)

    def write(
        self, principal: Principal, product_id: str, channel: Channel = Channel.INBOX, on: date | None = None
    ) -> Noticed:
        """Match the holders anew, and write the notices that are not written yet.

        Args:
            principal: an analyst or administrator.
            product_id: of the catalogue.
            channel: how they are told, besides their own page.
            on: the day whose grade counts; None: today.

        Raises:
            NotAllowed: the principal may not see who holds a product.
            NotFound: there is no such product.
        """
        report = self._suitability.rematch(principal, product_id, on)
        drafts = _drafts(report, self._grades.file(principal, product_id, report.on), channel)
        with self._database.session(principal) as session:
            added = self._notices.add(session, drafts)
            if added:
                detail = {"grade": report.grade.value, "channel": channel.value, "added": added, "to_tell": len(drafts)}
                audit.record(session, principal.subject, "notices.written", product_id, detail)
        return Noticed(
            product_id=product_id,
            on=report.on,
            grade_before=report.grade_before,
            grade=report.grade,
            holders=report.holders,
            added=added,
            already=len(drafts) - added,
            note=self._note,
        )

    def told(self, principal: Principal) -> tuple[Told, ...]:
        """What was told of each grade of each product, and what became of it; the latest first. Raises NotAllowed."""
        _require_sender(principal)
        with self._database.session(principal) as session:
            return self._notices.told(session)

    def of_product(
        self, principal: Principal, product_id: str, *, unsent: bool = False, limit: int = 50, offset: int = 0
    ) -> tuple[RegradeNotice, ...]:
        """What was written about a product, the newest first. Raises NotAllowed."""
        _require_sender(principal)
        with self._database.session(principal) as session:
            return self._notices.of_product(session, product_id, unsent=unsent, limit=limit, offset=offset)

    def sent(self, principal: Principal, notice_id: UUID) -> RegradeNotice:
        """Note that a notice was handed over; whoever says so first is noted. Raises NotFound, NotAllowed."""
        _require_sender(principal)
        return self._mark(principal, notice_id, "sent_at", "notice.sent")

    def mine(self, principal: Principal) -> tuple[RegradeNotice, ...]:
        """The customer's latest notices, the newest first. Raises NotAuthenticated."""
        with self._database.session(principal) as session:
            return self._notices.of_customer(session, customer_of(principal), _SHOWN)

    def read(self, principal: Principal, notice_id: UUID) -> RegradeNotice:
        """Note that the customer saw it; staff who serve one see a notice without that. Raises NotFound, NotAllowed."""
        if principal.role is not Role.CUSTOMER:
            raise NotAllowed("Only the customer reads a notice.", next_step="Leave it unread.")
        return self._mark(principal, notice_id, "read_at", "notice.read")

    def _mark(self, principal: Principal, notice_id: UUID, column: str, action: str) -> RegradeNotice:
        with self._database.session(principal) as session:
            marked = self._notices.mark(session, notice_id, column)
            if marked is None:
                raise NotFound("There is no such notice.", next_step="Take an id from the list of notices.")
            notice, first = marked
            if first:
                audit.record(session, principal.subject, action, str(notice_id), {"product_id": notice.product_id})
        return notice


def _drafts(report: Rematch, file: GradeFile, channel: Channel) -> list[NewNotice]:
    """One for each customer and set of reasons: somebody may hold the product twice."""
    from_on = max((step.from_on for step in file.history if step.from_on <= report.on), default=report.on)
    drafts = {
        (found.customer_id, found.codes): NewNotice(
            customer_id=found.customer_id,
            product_id=report.product_id,
            product=file.name,
            grade_before=report.grade_before,
            grade=report.grade,
            from_on=from_on,
            codes=found.codes,
            text=found.text,
            channel=channel,
        )
        for found in report.notices
    }
    return list(drafts.values())


def _require_sender(principal: Principal) -> None:
    if principal.role not in _SENDERS:
        raise NotAllowed(
            "This login may not see whom the bank tells.",
            cause=f"Its role is {principal.role.value}.",
            next_step="It takes an analyst, an administrator or a service.",
        )
