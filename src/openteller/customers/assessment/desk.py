"""The desk at which investors are assessed: how often, for how long, and what they agree to. Every attempt is kept.

Source: 金融机构产品适当性管理办法 (NFRA Order [2025] No. 7), Art. 29: at most two assessments a day and eight in twelve
months; a class that differs from the last one is pointed out and agreed to; an assessment holds for twelve months. An
attempt that was scored counts, agreed to or not: otherwise answers could be tried out. From 65 on (the Order: special care)
a class that opens R3 and above is confirmed a second time, whatever it was before: where that begins is ours to set, as
in products/suitability.py.
Each step is a row of the audit log, without the answers. What is not covered: a bank whose core-banking system keeps the
assessments (rest_banking.py) assesses there; its customers are not in this store. Knows nothing about HTTP or products.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, Conflict, NotAllowed, NotFound, TooManyRequests
from openteller.core.records import ADULT_AGE, SENIOR_AGE, InvestorClass, LocalText, Principal
from openteller.customers.assessment.questionnaire import Option, Questionnaire, questionnaire
from openteller.customers.assessment.records import Assessed, Filled, Rules, Standing
from openteller.customers.assessment.repository import QuestionnaireRepository
from openteller.customers.assessment.scoring import Remark, changed, checked, contradictions, scored
from openteller.customers.core_banking import customer_of
from openteller.customers.records import RiskAssessment
from openteller.customers.repository import CustomerRepository
from openteller.store import audit
from openteller.store.database import Database

_AGREE_WITHIN = timedelta(hours=24)
_SENIOR_CARE_FROM = InvestorClass.C3
_SENIOR = Remark(
    code="senior_class",
    text=LocalText(
        zh=f"您已年满{SENIOR_AGE}周岁，该等级可以了解R3级及以上产品，请考虑后再次确认。",
        en=f"At {SENIOR_AGE} or over, please think it over and confirm once more: this class opens products from R3 on.",
    ),
)


class AssessmentDesk:
    """Assesses investors. Safe to share between threads.

    Args:
        database: where customers and assessments are kept.
        rules: how long and how often.
        zone: IANA name of the bank's time zone, in which days begin and end.
        now: the clock.
    """

    def __init__(
        self,
        database: Database,
        rules: Rules | None = None,
        zone: str = "Asia/Shanghai",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database, self._rules, self._zone, self._now = database, rules or Rules(), zone, now
        self._customers, self._filled = CustomerRepository(zone), QuestionnaireRepository()

    @property
    def asked(self) -> Questionnaire:
        """The questionnaire that is in use."""
        return questionnaire()

    def submit(self, principal: Principal, answers: Mapping[str, str], agreed: Collection[str] = ()) -> Assessed:
        """Assess the customer for whom `principal` acts.

        Args:
            principal: the customer, or staff who enter what the customer answers; nobody answers in their place.
            answers: question id → option id, one for each question.
            agreed: codes of contradictions that the customer means.

        Returns:
            An assessment in force; or what has to be agreed to first: contradictions (answer again with their codes in
            `agreed`; nothing was scored), or a changed class or, from 65 on, one that opens R3 (`confirm` the pending one;
            a lower class counts at once).

        Raises:
            BadInput: answers are missing or not among the options; `agreed` names what is no contradiction.
            NotAllowed: the customer is under 18.
            TooManyRequests: the limit a day or within twelve months is reached.
            NotAuthenticated: the principal stands for no customer.
            NotFound: there is no such customer in this store.
        """
        customer_id = customer_of(principal)
        chosen = checked(self.asked, answers)
        doubts = _doubts(self.asked, chosen, agreed)
        with self._database.session(principal) as session:
            customer = self._customers.require(session, customer_id)
            self._filled.lock(session, customer_id)
            now = self._now()  # after the lock, so that moments grow from one attempt to the next
            age = customer.age(local_date(now, self._zone))
            if age < ADULT_AGE:
                raise _minor()
            self._within_limits(*(self._filled.since(session, customer_id, m) for m in self._windows(now)))
            if doubts:
                return Assessed(to_confirm=doubts)
            last = self._customers.assessment(session, customer_id)
            earlier = self._filled.source(session, customer_id, last.assessed_at) if last else None
            filled = self._fill(principal, chosen, age, now, last, earlier)
            self._filled.add(session, filled)
            # Whoever turns out to bear less is protected at once, whether they come back to agree or not.
            counts = filled.status == "confirmed" or filled.lowers
            assessment = self._in_force(filled, filled.submitted_at) if counts else None
            if assessment:
                self._filled.put_in_force(session, assessment)
            audit.record(session, principal.subject, f"assessment.{filled.status}", str(filled.id), _detail(filled))
        waits = filled.status == "pending"
        return Assessed(to_confirm=_to_confirm(filled) if waits else (), filled=filled, assessment=assessment)

    def confirm(self, principal: Principal, filled_id: UUID) -> Assessed:
        """Agree to the changed class of the newest questionnaire; from then on it is in force.

        Raises:
            NotFound: the customer has no such questionnaire.
            Conflict: it is confirmed already, is not the newest, or is older than a day.
            NotAuthenticated: the principal stands for no customer.
        """
        customer_id = customer_of(principal)
        with self._database.session(principal) as session:
            self._filled.lock(session, customer_id)
            now = self._now()
            found = self._filled.get(session, customer_id, filled_id)
            newest = self._filled.latest(session, customer_id)
            filled = _confirmable(found, newest, now).model_copy(update={"status": "confirmed", "confirmed_at": now})
            self._filled.confirm(session, filled_id, now)
            assessment = self._in_force(filled, filled.submitted_at if filled.lowers else now)
            if not filled.lowers:
                self._filled.put_in_force(session, assessment)
            audit.record(session, principal.subject, "assessment.confirmed", str(filled.id), _detail(filled))
        return Assessed(filled=filled, assessment=assessment)

    def standing(self, principal: Principal) -> Standing:
        """Where the customer stands today, with the reasons of the class. Raises NotAuthenticated, NotFound."""
        customer_id, now = customer_of(principal), self._now()
        today = local_date(now, self._zone)
        with self._database.session(principal) as session:
            self._customers.require(session, customer_id)
            assessment = self._customers.assessment(session, customer_id)
            latest = self._filled.latest(session, customer_id)
            source = assessment and self._filled.source(session, customer_id, assessment.assessed_at)
            day, year = (self._filled.since(session, customer_id, moment) for moment in self._windows(now))
        waits = latest is not None and latest.status == "pending" and now - latest.submitted_at <= _AGREE_WITHIN
        return Standing(
            assessment=assessment,
            in_force=assessment is not None and assessment.in_force(today, self._zone),
            reasons=source.reasons if source else (),
            pending=latest if waits else None,
            left_today=max(0, min(self._rules.a_day - day, self._rules.a_year - year)),
        )

    def _fill(
        self,
        principal: Principal,
        chosen: Mapping[str, Option],
        age: int,
        now: datetime,
        last: RiskAssessment | None,
        earlier: Filled | None,
    ) -> Filled:
        """The result; pending, with what is to be agreed to as its last reasons, where the class changed or care is due."""
        result = scored(self.asked, chosen, age)
        answers = {name: option.id for name, option in chosen.items()}
        before = InvestorClass(last.investor_class) if last else None
        change: tuple[Remark, ...] = ()
        if before is not None and before is not result.investor_class:
            told = earlier.answers if earlier else {}
            change = (changed(self.asked, before, result.investor_class, told, answers),)
        if age >= SENIOR_AGE and result.investor_class.number >= _SENIOR_CARE_FROM.number:
            change = (_SENIOR, *change)
        return Filled(
            id=uuid4(),
            customer_id=customer_of(principal),
            version=self.asked.version,
            answers=answers,
            score=result.score,
            investor_class=result.investor_class,
            previous_class=before,
            reasons=(*result.reasons, *change),
            submitted_by=principal.subject,
            submitted_at=now,
            status="pending" if change else "confirmed",
            confirmed_at=None if change else now,
        )

    def _in_force(self, filled: Filled, since: datetime) -> RiskAssessment:
        """The assessment, to the beginning of the same day so many months after it was filled in."""
        ends = later(local_date(filled.submitted_at, self._zone), self._rules.months)
        return RiskAssessment(
            customer_id=filled.customer_id,
            investor_class=filled.investor_class.value,
            assessed_at=since,
            expires_at=self._midnight(ends),
        )

    def _windows(self, now: datetime) -> tuple[datetime, datetime]:
        """When today began, and when the twelve months that end today did."""
        today = local_date(now, self._zone)
        return self._midnight(today), self._midnight(later(today, -12) + timedelta(days=1))

    def _within_limits(self, today: int, year: int) -> None:
        for done, most, when in ((today, self._rules.a_day, "today"), (year, self._rules.a_year, "within a year")):
            if done >= most:
                raise TooManyRequests(
                    f"No more assessments can be made {when}.",
                    cause=f"There were {done}; at most {most} are allowed (NFRA Order [2025] No. 7, Art. 29).",
                    next_step="Try again tomorrow." if when == "today" else "Wait until the oldest is a year old.",
                )

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self._zone))


def later(day: date, months: int) -> date:
    """The same day of the month so many months later, or earlier; the month's last day where it has no such day."""
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(years, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _doubts(asked: Questionnaire, chosen: Mapping[str, Option], agreed: Collection[str]) -> tuple[Remark, ...]:
    """The contradictions that the customer has not agreed to."""
    unknown = sorted({code[:40] for code in agreed} - {conflict.code for conflict in asked.conflicts})
    if unknown:
        raise BadInput(
            "What was agreed to is no contradiction of the questionnaire.",
            cause=f"Unknown: {', '.join(unknown)}.",
            next_step="Send codes as they came in to_confirm.",
        )
    return tuple(
        Remark(code=conflict.code, text=conflict.text)
        for conflict in contradictions(asked, chosen)
        if conflict.code not in agreed
    )


def _confirmable(found: Filled | None, newest: Filled | None, now: datetime) -> Filled:
    if found is None:
        raise NotFound("There is no such assessment.", next_step="Fill in the questionnaire first.")
    if found.status == "confirmed":
        raise Conflict("This assessment is confirmed already.", next_step="Nothing is left to do.")
    if newest is None or newest.id != found.id or now - found.submitted_at > _AGREE_WITHIN:
        raise Conflict(
            "This assessment can no longer be confirmed.",
            cause="A newer one was made, or a day has passed.",
            next_step="Fill in the questionnaire again.",
        )
    return found


def _to_confirm(filled: Filled) -> tuple[Remark, ...]:
    return tuple(reason for reason in filled.reasons if reason.code in ("class_changed", _SENIOR.code))


def _minor() -> NotAllowed:
    return NotAllowed(
        f"Nobody under {ADULT_AGE} is assessed here.",
        cause="It takes full legal capacity (NFRA Order [2025] No. 7, Art. 19).",
        next_step="Please come to a branch with a guardian.",
    )


def _detail(filled: Filled) -> dict[str, object]:
    return {
        "customer_id": filled.customer_id,
        "investor_class": filled.investor_class.value,
        "previous_class": filled.previous_class and filled.previous_class.value,
        "version": filled.version,
    }
