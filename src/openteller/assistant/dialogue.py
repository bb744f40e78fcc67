"""The road, from an inquiry to a stored reply, in one file.

    Inquiry ─▶ Understanding ─▶ Answer ─▶ Offers ─▶ Reply ─▶ stored turn          (rate: ─▶ Satisfaction)

Each turn is stored in one transaction; a turn that was answered to the caller is in the store. Personal data is masked
and secrets are dropped before anything is stored or leaves the process. Knows nothing about HTTP or settings.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from openteller.assistant import skills
from openteller.assistant.answering import Answerer, Found, Shelf, approved_text
from openteller.assistant.composition import Composer, NotGrounded
from openteller.assistant.hand_offs.records import WITH_A_PERSON, LedBy
from openteller.assistant.hand_offs.repository import HandOffRepository
from openteller.assistant.suitability_remark import remark_on
from openteller.assistant.wording import Say, say
from openteller.core.clock import local_date, utc_now
from openteller.core.errors import BadInput, OpenTellerError, TooLarge
from openteller.core.recent import Recent
from openteller.core.records import (
    MAX_INQUIRY_CHARACTERS,
    Answer,
    Inquiry,
    Language,
    Offer,
    Outcome,
    Principal,
    Reply,
    Satisfaction,
    Turn,
    Understanding,
)
from openteller.core.text import normalise, sentences
from openteller.customers.core_banking import CoreBanking
from openteller.store.database import Database
from openteller.store.turns import TurnRepository
from openteller.understanding.personal_data import drop_secrets, mask, redacted
from openteller.understanding.reader import Reader, Reading

_CERTAIN = 0.5
_SURE = 0.7  # below it one loose phrase is all that speaks for an injection: "other customers", "without a code"
_PERSON = "human_agent"
_TALK = {"greeting": Say.GREETING, "thanks_goodbye": Say.THANKS}
_INJECTIONS = frozenset({"prompt_injection", "sql_injection"})
_PASSAGES = 3
_AHEAD, _AHEAD_SECONDS = 64, 6.0  # questions looked up before they were asked


class OfferDesk(Protocol):
    """What the road needs of recommendation."""

    def offers(
        self, principal: Principal, understanding: Understanding, language: str, on: date, trace_id: UUID | None = None
    ) -> tuple[Offer, ...]: ...


@dataclass(frozen=True)
class Event:
    """One step of a streamed turn: understanding, delta, replace, answer, offers or done."""

    name: str
    data: dict[str, Any]


class Dialogue:
    """Walks inquiries down the road. Safe to share between threads.

    Args:
        database: where turns are stored.
        reader: understanding.
        answerer: approved knowledge and product figures.
        offers: recommendation.
        banking: the customer's own data.
        shelf: gives the products on sale today.
        bank: the bank's name by language.
        timezone: IANA zone in which "today" is meant.
        composer: words answers with a language model; None gives the approved text.
    """

    def __init__(
        self,
        database: Database,
        reader: Reader,
        answerer: Answerer,
        offers: OfferDesk,
        banking: CoreBanking,
        shelf: Callable[[], Shelf],
        bank: dict[str, str],
        timezone: str,
        composer: Composer | None = None,
    ) -> None:
        self._database, self._reader, self._answerer = database, reader, answerer
        self._offers, self._banking, self._shelf = offers, banking, shelf
        self._bank, self._timezone, self._composer = bank, timezone, composer
        self._turns, self._hand_offs = TurnRepository(), HandOffRepository()
        self._ahead: Recent[tuple[Reading, Found]] = Recent(_AHEAD, _AHEAD_SECONDS)

    def prepare(self, inquiry: Inquiry, principal: Principal) -> None:
        """Somebody may be about to ask this: read it and search for its answer. Nothing is stored, said or done."""
        shelf, today = self._shelf(), local_date(utc_now(), self._timezone)
        reading = self._reader.read(inquiry.text, today, shelf.names, inquiry.language)
        language = Language(reading.understanding.language.label).spoken
        found = self._answerer.answer(inquiry, reading, principal, shelf, language, today)
        self._ahead.put(_question(inquiry, principal), (reading, found))

    def walk(self, inquiry: Inquiry, principal: Principal) -> Turn:
        """Answer one inquiry and store the turn. Raises only for input that cannot be used or a store that fails."""
        steps = self.stream(inquiry, principal)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                turn: Turn = stop.value
                return turn

    def stream(self, inquiry: Inquiry, principal: Principal) -> Generator[Event, None, Turn]:
        """The same as events while they happen; ``done`` brings the turn, which is stored by then."""
        shelf, today = self._shelf(), local_date(utc_now(), self._timezone)
        ahead = self._ahead.take(_question(inquiry, principal))
        reading = ahead[0] if ahead else self._reader.read(inquiry.text, today, shelf.names, inquiry.language)
        language = Language(reading.understanding.language.label).spoken
        yield Event("understanding", reading.understanding.model_dump(mode="json"))
        state, standing = self._state(inquiry, principal)
        search = (
            (lambda: ahead[1])
            if ahead
            else (lambda: self._answerer.answer(inquiry, reading, principal, shelf, language, today))
        )
        found, new_state = (
            (Found(_with_a_person(language)), dict[str, Any]())
            if standing is LedBy.PERSON
            else self._answer(inquiry, reading, principal, search, state, language, today)
        )
        answer = found.answer
        if self._composer and found.judged and answer.outcome is Outcome.ANSWERED and not answer.skill:
            answer = yield from self._compose(self._composer, inquiry, found, shelf, language)
        else:
            yield from (Event("delta", {"text": piece}) for piece in pieces(answer.text))
        said = self._suited(answer, reading, principal, shelf, language, today)
        if said is not answer:
            yield Event("delta", {"text": said.text[len(answer.text) :]})
        answer = said
        yield Event("answer", answer.model_dump(mode="json"))
        offers = self._offer(inquiry, reading.understanding, answer, principal, language, today)
        yield Event("offers", {"offers": [offer.model_dump(mode="json") for offer in offers]})
        turn = Turn(
            inquiry=inquiry.model_copy(update={"text": mask(inquiry.text)}),
            understanding=_without_personal_values(reading.understanding),
            answer=answer,
            offers=offers,
            reply=Reply(text=answer.text),
        )
        with self._database.session(principal) as session:
            self._turns.save(session, principal, turn)
            if new_state != state:
                self._turns.set_state(session, inquiry.conversation_id, new_state)
        yield Event("done", {"turn": turn})
        return turn

    def rate(self, principal: Principal, satisfaction: Satisfaction) -> None:
        """Store a rating. Raises NotFound when the turn is not the principal's."""
        comment = redacted(satisfaction.comment)
        with self._database.session(principal) as session:
            self._turns.rate(session, principal, satisfaction.model_copy(update={"comment": comment}))

    def open_offer(self, principal: Principal, trace_id: UUID, product_id: str) -> None:
        """Note that an offer was looked at."""
        with self._database.session(principal) as session:
            self._turns.offer_event(session, principal, product_id, "opened", trace_id)

    def dismiss_offer(self, principal: Principal, trace_id: UUID, product_id: str) -> None:
        """Note that an offer is not wanted; it is not made again for 90 days."""
        with self._database.session(principal) as session:
            self._turns.offer_event(session, principal, product_id, "dismissed", trace_id)

    def turn(self, principal: Principal, trace_id: UUID) -> Turn | None:
        """A stored turn, when the principal may see it."""
        with self._database.session(principal) as session:
            return self._turns.get(session, trace_id)

    def _state(self, inquiry: Inquiry, principal: Principal) -> tuple[dict[str, Any], LedBy]:
        """What waits in the conversation, and who answers in it. A caller is always answered: they read nothing."""
        with self._database.session(principal) as session:
            state = self._turns.state(session, inquiry.conversation_id) if principal.customer_id else {}
            if inquiry.channel == "voice":
                return state, LedBy.ASSISTANT
            return state, self._hand_offs.standing(session, inquiry.conversation_id, utc_now())

    def _answer(
        self,
        inquiry: Inquiry,
        reading: Reading,
        principal: Principal,
        search: Callable[[], Found],
        state: dict[str, Any],
        language: str,
        today: date,
    ) -> tuple[Found, dict[str, Any]]:
        """The answer, and what waits in the conversation after it. A waiting action lives for one message only."""
        danger = self._danger(reading, language)
        if danger is not None:
            return Found(danger), {}
        suspicion = _injection(reading)
        if suspicion >= _CERTAIN:  # what the gate is sure of, as approved; without its hits no model words it
            answer = search().answer
            return Found(answer if answer.outcome is Outcome.ANSWERED else self._refused(suspicion, language)), {}
        done = self._skill(inquiry, reading, principal, state, language, today)
        if done is not None:
            return Found(done.answer), done.state or {}
        talk = self._talk(reading, language)
        if talk is not None:
            return Found(talk), {}
        found = search()
        return (_handing_over(found, reading, language) if _wants_a_person(reading) else found), {}

    def _skill(
        self,
        inquiry: Inquiry,
        reading: Reading,
        principal: Principal,
        state: dict[str, Any],
        language: str,
        today: date,
    ) -> skills.Done | None:
        understanding = reading.understanding
        request = skills.Request(
            inquiry.text, understanding, principal, self._banking, language, today, self._timezone, state
        )
        try:
            return skills.run(request)
        except OpenTellerError:
            return skills.Done(skills.unavailable(request), {})

    def _danger(self, reading: Reading, language: str) -> Answer | None:
        """Care for somebody in danger and a no to a sure injection: before anything is looked up or done."""
        flags = {flag.label: flag.probability for flag in reading.understanding.risk_flags}
        if flags.get("self_harm", 0.0) >= _CERTAIN:
            care = say(Say.HANDED_OFF_CARE, language)
            return Answer(text=care, outcome=Outcome.HANDED_OFF, confidence=flags["self_harm"])
        injection = _injection(reading)
        return self._refused(injection, language) if injection >= _SURE else None

    def _refused(self, injection: float, language: str) -> Answer:
        refusal = say(Say.REFUSED_INJECTION, language, bank=self._bank[language])
        return Answer(text=refusal, outcome=Outcome.REFUSED, confidence=injection)

    def _talk(self, reading: Reading, language: str) -> Answer | None:
        """Small talk; after the skills, so that a thanks may still confirm what waits. Never with somebody unhappy."""
        intent, mood = reading.understanding.intent, reading.understanding.sentiment
        if intent.label in _TALK and intent.probability >= _CERTAIN and mood.label != "negative":
            talk = say(_TALK[intent.label], language, bank=self._bank[language])
            return Answer(text=talk, outcome=Outcome.ANSWERED, confidence=intent.probability, skill="talk")
        return None

    def _compose(
        self, composer: Composer, inquiry: Inquiry, found: Found, shelf: Shelf, language: str
    ) -> Generator[Event, None, Answer]:
        """Stream checked sentences; on a sentence without ground, or a silent model, give the approved text instead."""
        trusted = [j.hit for j in found.judged if j.probability >= found.answer.confidence / 2][:_PASSAGES]
        passages = [approved_text(hit, shelf, language) for hit in trusted]
        question = mask(inquiry.text)
        said: list[str] = []
        try:
            for sentence in composer.compose(question, passages, language):
                said.append(sentence)
                yield Event("delta", {"text": sentence})
        except (NotGrounded, OpenTellerError):
            yield Event("replace", {"text": found.answer.text})
            return found.answer
        joined = (" " if language == "en" else "").join(said)
        return found.answer.model_copy(update={"text": joined, "generated": True})

    def _suited(
        self, answer: Answer, reading: Reading, principal: Principal, shelf: Shelf, language: str, today: date
    ) -> Answer:
        """The answer, with what the suitability wall has to say to the products it is about."""
        if principal.customer_id is None or answer.outcome is not Outcome.ANSWERED:
            return answer
        file = partial(self._banking.file, principal, today)
        remark = remark_on(answer, reading.understanding, shelf, file, language, today, self._timezone)
        return answer.model_copy(update={"text": answer.text + remark}) if remark else answer

    def _offer(
        self,
        inquiry: Inquiry,
        understanding: Understanding,
        answer: Answer,
        principal: Principal,
        language: str,
        today: date,
    ) -> tuple[Offer, ...]:
        if answer.outcome in (Outcome.REFUSED, Outcome.HANDED_OFF):
            return ()
        return self._offers.offers(principal, understanding, language, today, inquiry.trace_id)


def inquiry_of(
    text: object,
    *,
    language: Language | None = None,
    conversation_id: UUID | None = None,
    channel: str = "api",
) -> Inquiry:
    """An inquiry from raw text: normalised, secrets dropped.

    Raises:
        BadInput: the text is empty, or holds nothing but spaces and control characters.
        TooLarge: it has more than 4,000 characters.
    """
    if not isinstance(text, str):
        raise BadInput("The inquiry has no text.", next_step='Send JSON like {"text": "How do I freeze my card?"}.')
    if len(text) > MAX_INQUIRY_CHARACTERS:
        raise TooLarge(
            f"The inquiry has {len(text):,} characters.",
            cause=f"At most {MAX_INQUIRY_CHARACTERS:,} are accepted.",
            next_step="Shorten it, or send the document to the bank another way.",
        )
    clean = drop_secrets(normalise(text))
    if not clean:
        raise BadInput("The inquiry is empty.", next_step="Write a question, for example: How do I freeze my card?")
    extra = {"conversation_id": conversation_id} if conversation_id else {}
    return Inquiry(text=clean[:MAX_INQUIRY_CHARACTERS], language=language, channel=channel, **extra)


def pieces(text: str) -> Sequence[str]:
    """`text` cut after its sentences, nothing lost: joined together the pieces are the text."""
    cut, at = [], 0
    for sentence in sentences(text):
        end = text.index(sentence, at) + len(sentence)
        while end < len(text) and text[end].isspace():
            end += 1
        cut.append(text[at:end])
        at = end
    return cut or [text]


def _question(inquiry: Inquiry, principal: Principal) -> tuple[object, ...]:
    """What makes two inquiries the same question of the same person."""
    return (inquiry.text, inquiry.language, principal)


def _injection(reading: Reading) -> float:
    return max((f.probability for f in reading.understanding.risk_flags if f.label in _INJECTIONS), default=0.0)


def _wants_a_person(reading: Reading) -> bool:
    intent = reading.understanding.intent
    return intent.label == _PERSON and intent.probability >= _CERTAIN


def _with_a_person(language: str) -> Answer:
    """What the customer hears while a person leads the conversation, who reads what they wrote."""
    text = say(Say.WITH_A_PERSON, language)
    return Answer(text=text, outcome=Outcome.HANDED_OFF, confidence=1.0, skill=WITH_A_PERSON)


def _handing_over(found: Found, reading: Reading, language: str) -> Found:
    """The hand-off in place of an answer; it cites the articles on how to reach a person."""
    about = {judged.hit.document.document_id for judged in found.judged if judged.hit.document.intent == _PERSON}
    handed_off = Answer(
        text=say(Say.HANDED_OFF, language),
        outcome=Outcome.HANDED_OFF,
        confidence=reading.understanding.intent.probability,
        citations=tuple(c for c in found.answer.citations if c.document_id in about),
    )
    return Found(handed_off)


def _without_personal_values(understanding: Understanding) -> Understanding:
    """The understanding as stored: entity surfaces that are personal data are masked."""
    spans = [(p.start, p.end) for p in understanding.personal_data]
    kept = tuple(
        e.model_copy(update={"text": mask(e.text) if mask(e.text) != e.text else "*" * len(e.text), "value": ""})
        if any(e.start < end and start < e.end for start, end in spans)
        else e
        for e in understanding.entities
    )
    return understanding.model_copy(update={"entities": kept})
