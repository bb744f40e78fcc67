"""One call: a customer speaks, interrupts, and is answered in speech. Text goes out to a mind, a stream of text comes back.

    microphone ─▶ Listening ─▶ Call ─▶ Mind (text in, pieces of text out) ─▶ Replying ─▶ Mouth ─▶ loudspeaker

Manners: speech gets quieter when somebody may be speaking, falls silent when they go on, and is taken up again when it was a
nod ("嗯", "yeah"), a cough or nothing; a real interruption ends it, and what was heard of it is known. The voice itself
understands "stop", "say that again", "go on", "slower" and the number of a choice. What was heard badly is asked for again; with
figures in it, it is read back first. The reply's language is the speaker's.

Everything but `Work`'s jobs happens in one thread, on the clock of the microphone, so that a recorded call replays faster than
real time and always the same. Knows no assistant, no network and no models: they are handed in.
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from openteller.core.errors import OpenTellerError
from openteller.runtime.protocols import Floats
from openteller.voice import listening, manners
from openteller.voice.detectors import RATE, EndDetector, SpeechDetector
from openteller.voice.hearing import Heard
from openteller.voice.listening import Ears, Listening, Work
from openteller.voice.manners import Command
from openteller.voice.measures import Clock, stages
from openteller.voice.mouth import Mouth
from openteller.voice.records import Message, Mind, Piece, Tape
from openteller.voice.replying import Replying, Sentence, Voice
from openteller.voice.turns import PAUSE_SEEN
from openteller.voice.wording import Line, line

_STOP_AFTER = 0.15  # seconds of somebody's speech after which ours falls silent; before that it is only quieter
_NOD = 0.55  # seconds: shorter speech is taken for a nod until its words say otherwise
_SURE = 0.75  # the recogniser's probability from which two words said over ours are words
_SUBSTANCE = 0.8  # seconds of speech that take the turn whatever a doubtful transcript says
_IDLE, _HANG_UP = 9.0, 12.0  # seconds of silence before we ask, and before we hang up
_BUSY = 2.5  # seconds of thinking before we say that it takes longer
_FIGURES = re.compile(r"\d")


class Call:
    """One call. See the module.

    Args:
        ears: recognition.
        mind: what answers.
        voice: synthesis.
        work: runs what takes long.
        speaks: this call's speech detector.
        finished: the end-of-turn detector.
        tell: told every message for the customer's side.
        bank: the bank's name by language.
        language: zh or en; None follows the speaker.
        hands_free: whether silence is asked about; with a button to talk it is not.
        tape: takes in both sides; the customer is told so. None: the call is not recorded.
        transfers: whether the line leads on to a person: when one goes on with the customer, the call ends after saying so.
        consent: has the call recorded; with it, whoever calls is asked aloud first, and it is called if they say yes.
        now: a clock in seconds, for the measures.
    """

    def __init__(
        self,
        *,
        ears: Ears,
        mind: Mind,
        voice: Voice,
        work: Work,
        speaks: SpeechDetector,
        finished: EndDetector,
        tell: Callable[[Message], None],
        bank: Mapping[str, str],
        language: str | None = None,
        hands_free: bool = True,
        tape: Tape | None = None,
        transfers: bool = False,
        consent: Callable[[], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._mind, self._work, self._tell_out, self._bank, self._now = mind, work, tell, bank, now
        self._hands_free, self._tape, self._transfers, self._consent = hands_free, tape, transfers, consent
        self.language = language or "zh"
        self._mouth = Mouth(voice.rate, self._line_begins)
        self._listening = Listening(ears, speaks, finished, work, self._listened, language)
        self._replying = Replying(voice, self._mouth, work, self._mute, lambda spoken: line(Line.MORE, spoken))
        self._state = ""
        self._reply = self._heard = 0
        self._turn = ""
        self._said: list[tuple[str, str, bool]] = []
        self._left: list[Sentence] = []
        self._choices: tuple[str, ...] = ()
        self._to_confirm: tuple[str, str] | None = None
        self._said_yes = self._leaves = False
        self._unsure = 0
        self._idle = self._thinking = 0.0
        self._asked_whether_there = self._said_busy = self._fills = False
        self._clock: Clock | None = None
        self.closed = ""

    @property
    def speaking(self) -> bool:
        """Whether the assistant is speaking, or about to."""
        return self._mouth.speaking

    # What the customer's side does

    def start(self) -> None:
        """Say whether the call is recorded, and who is speaking: an AI, of this bank. Ends with a question."""
        # What is no question comes first: whoever answers one would cut it short.
        recorded = [Line.RECORDED] if self._tape else []
        asked = Line.MAY_RECORD if self._consent else Line.HELP
        self._say(*recorded, Line.NOTICE, asked, bank=self._bank[self.language])

    def hear(self, samples: Floats) -> None:
        """The next samples of the microphone, at 16 kHz."""
        if self._tape:
            self._tape.heard(samples)
        self._listening.hear(samples)
        self._pass(len(samples) / RATE)

    def pull(self, count: int) -> Floats | None:
        """The next `count` samples to be played, at the voice's rate; None when there are none."""
        played = self._mouth.pull(count)
        self._replying.keep_up()
        if self._tape and played is not None:
            self._tape.played(played)
        if not self._mouth.speaking and self._state == "speaking":
            self._rest()
        return played

    def record(self, tape: Tape | None) -> None:
        """Record from now on, and say so; None: no longer."""
        self._tape = tape
        self._tell("recording", on=tape is not None)
        if not self._mouth.speaking and (tape or self._said_yes):
            said = [Line.RECORDED if tape else Line.NOT_RECORDED] + [Line.HELP] * self._said_yes
            self._say(*said)
        self._said_yes = False

    def push(self) -> None:
        """The button to talk is pressed."""
        self._give_way()
        self._listening.push()

    def release(self) -> None:
        """The button to talk was let go."""
        self._listening.release()

    def type(self, text: str, turn: str = "") -> None:
        """The customer typed instead. turn: what they call it; the answer's events bear it."""
        self._give_way()
        self._listening.drop()
        self._clock = None
        self._turn = turn
        self._ask(text, None)

    def hush(self) -> None:
        """Stop speaking."""
        self._give_way()
        self._be("listening")

    def end(self, reason: str) -> None:
        """The call is over."""
        if not self.closed:
            self.closed = reason
            self._replying.stop()
            self._reply += 1
            self._tell("closed", reason=reason)

    # What was heard

    def _listened(self, event: listening.Listened) -> None:
        if self.closed:
            return
        match event:
            case listening.Began():
                self._began()
            case listening.Speaking(voiced=voiced):
                if voiced >= _STOP_AFTER and self._mouth.speaking:
                    self._hold()
            case listening.Paused(voiced=voiced):
                partial = self._clock.partial if self._clock else 0.0
                self._clock = Clock(spoken=self._now() - PAUSE_SEEN, seen=self._now(), partial=partial)
                if self._mouth.speaking and voiced < _NOD:
                    self._take_up()
            case listening.Guess(heard=heard):
                self._guessed(heard)
            case listening.Over():
                if not self._mouth.speaking:
                    self._be("thinking")
                self._clock = self._clock or Clock(spoken=self._now())
                self._clock.over = self._now()
            case listening.Utterance(heard=heard):
                self._uttered(heard)
            case listening.Nothing():
                self._take_up()
                self._be("speaking" if self._mouth.speaking else "listening")
            case listening.Deaf():
                self._take_up()
                self._notice("text_only", Line.DEAF, aloud=not self._mouth.speaking)

    def _began(self) -> None:
        self._clock = None
        self._idle, self._asked_whether_there = 0.0, False
        if self._mouth.speaking:
            self._mouth.duck()
        else:
            self._be("hearing")

    def _guessed(self, heard: Heard) -> None:
        if self._clock:
            self._clock.heard = self._now()
            self._clock.partial = self._clock.partial or self._clock.heard - self._clock.spoken
        if self._mouth.speaking:
            if self._takes_turn(heard):
                self._hold()
            elif self._mouth.held:
                self._take_up()
            return
        self._tell("partial", text=heard.text)
        self._work.submit("prepare", lambda: self._mind.prepare(heard.text, heard.language), lambda _: None)

    def _uttered(self, heard: Heard) -> None:
        if self._clock:
            self._clock.heard = self._clock.heard or self._now()
        if self._mouth.speaking and not self._fills and not self._takes_turn(heard):
            self._take_up()
            self._be("speaking")
            return
        self._give_way()
        self._understand(heard)

    def _takes_turn(self, heard: Heard) -> bool:
        """Whether what was said while we speak is meant to take the turn."""
        told = manners.command(heard.text)
        if told is not None:
            return told is not Command.GO_ON  # we are doing so
        if manners.is_backchannel(heard.text):
            # At the end of a question, a yes is its answer.
            return self._mouth.last_line and self._mouth.line.rstrip().endswith(("?", "？"))
        if heard.verdict == "nothing":
            return False
        if manners.has_substance(heard.text, sure=heard.probability >= _SURE):
            return heard.verdict == "clear" or self._listening.voiced >= _SUBSTANCE
        return False

    def _understand(self, heard: Heard) -> None:
        text = heard.text
        self.language = heard.language
        self._heard += 1
        self._turn = f"heard-{self._heard}"
        probability = round(heard.probability, 3)
        self._tell("heard", turn=self._turn, text=text, language=heard.language, probability=probability)
        said = manners.plain(text)
        told = manners.command(text)
        agreed = manners.agreement(said)
        consent, self._consent = self._consent, None
        if consent and agreed is not None:
            self._consented(consent if agreed else None)
        elif told is not None:
            self._obey(told)
        elif self._replying.asks_to_go_on and agreed is not None:
            self._obey(Command.GO_ON if agreed else Command.STOP)
        elif self._to_confirm is not None and agreed is not None:
            self._confirm(is_right=agreed)
        elif (chosen := self._chosen(said)) is not None:
            self._ask(chosen, heard.language)
        elif heard.verdict != "clear":
            self._ask_again(heard)
        else:
            self._ask(text, heard.language)

    def _ask_again(self, heard: Heard) -> None:
        """What was heard badly: with figures in it read back, else asked for again."""
        self._unsure += 1
        if heard.verdict == "unsure" and _FIGURES.search(heard.text) and self._unsure == 1:
            self._to_confirm = (heard.text, heard.language)
            self._say(Line.CONFIRM, text=heard.text.rstrip("。.!?！？"))
            return
        what = Line.UNSURE if self._unsure == 1 else Line.UNSURE_AGAIN
        self._notice("unsure", what, aloud=True)

    def _confirm(self, *, is_right: bool) -> None:
        assert self._to_confirm is not None
        (text, language), self._to_confirm = self._to_confirm, None
        if is_right:
            self._ask(text, language)
        else:
            self._say(Line.UNSURE)

    def _consented(self, consent: Callable[[], None] | None) -> None:
        """They answered whether the call may be recorded; any other words are no consent."""
        if consent:
            self._said_yes = True
            consent()
        else:
            self._say(Line.NOT_RECORDED, Line.HELP)

    def _chosen(self, said: str) -> str | None:
        number = manners.choice(said)
        return self._choices[number - 1] if 0 < number <= len(self._choices) else None

    def _obey(self, told: Command) -> None:
        left = self._left or self._replying.unsaid()
        match told:
            case Command.STOP:
                self._be("listening")
            case Command.GO_ON if left:
                self._begin()
                self._replying.go_on(left)
            case Command.GO_ON | Command.REPEAT:
                self._say_again()
            case Command.SLOWER | Command.FASTER:
                factor = 0.85 if told is Command.SLOWER else 1.15
                self._replying.speed = min(1.5, max(0.6, self._replying.speed * factor))
                self._say_again(line(Line.SPEED, self.language))

    def _say_again(self, before: str = "") -> None:
        said = list(self._said)
        if not said:
            self._say(Line.NOTHING_TO_REPEAT)
            return
        self._begin()
        if before:
            self._replying.add(before, self.language, keep=True)
        for text, language, keep in said:
            self._replying.add(text, language, keep=keep)
        self._replying.close()

    # What is said

    def _ask(self, text: str, language: str | None) -> None:
        """Hand `text` to the mind and speak what comes back."""
        self._to_confirm, self._choices, self._unsure, self._said = None, (), 0, []
        self._begin()
        self._be("thinking")
        reply, turn = self._reply, self._turn

        def think() -> None:
            for piece in self._mind.answer(text, language):
                self._work.post(lambda piece=piece: self._answered(reply, turn, piece))  # type: ignore[misc]

        def done(result: OpenTellerError | None) -> None:
            if reply == self._reply and not self.closed:
                self._answer_ends(turn, result)

        self._work.submit("answer", think, done)

    def _answered(self, reply: int, turn: str, piece: Piece) -> None:
        if self.closed:
            return
        if piece.event:
            self._tell("event", turn=turn, name=piece.event[0], data=piece.event[1])
        if reply != self._reply:
            return
        if self._clock and piece.event and piece.event[0] == "understanding":
            self._clock.understood = self._now()
        if self._clock and not self._clock.answered and piece.text:
            self._clock.answered, self._clock.trace = self._now(), piece.trace
        if piece.replaces:
            self._replying.begin()
            self._said = []
        if piece.text:
            self.language = piece.language
            self._said.append((piece.text, piece.language, piece.keep))
            self._replying.add(piece.text, piece.language, keep=piece.keep)
        self._leaves = self._leaves or (piece.hands_over and self._transfers)
        self._offer(piece)

    def _offer(self, piece: Piece) -> None:
        self._choices = piece.choices or self._choices
        for number, choice in enumerate(piece.choices, 1):
            mark = "一二三四五六七八九"[number - 1] if piece.language == "zh" else str(number)
            text = line(Line.CHOICE, piece.language, number=mark, text=choice)
            self._said.append((text, piece.language, piece.keep))
            self._replying.add(text, piece.language, keep=piece.keep)

    def _answer_ends(self, turn: str, result: OpenTellerError | None) -> None:
        if isinstance(result, OpenTellerError):
            self._tell("error", turn=turn, what=result.message, cause=result.cause, next_step=result.next_step)
            self._replying.add(line(Line.FAILED, self.language), self.language, keep=True)
        self._replying.close()
        if not self._mouth.speaking:
            self._rest()

    def _rest(self) -> None:
        """All is said: listen, or let a person go on."""
        self._be("listening")
        if self._leaves:
            self.end("handed_off")

    def _say(self, *what: Line, **values: str) -> None:
        """Say our own sentences."""
        self._begin()
        for each in what:
            self._replying.add(line(each, self.language, **values), self.language, keep="text" not in values)
        self._replying.close()

    def _notice(self, code: str, what: Line, *, aloud: bool) -> None:
        self._tell("notice", code=code, text=line(what, self.language))
        if aloud:
            self._say(what)

    def _begin(self) -> None:
        self._reply += 1
        self._left, self._thinking, self._idle = [], 0.0, 0.0
        self._said_busy = self._fills = self._leaves = False
        self._replying.begin()

    def _line_begins(self, text: str) -> None:
        self._be("speaking")
        self._tell("say", text=text)
        clock, self._clock = self._clock, None
        if clock and clock.answered:
            self._tell("timing", trace_id=clock.trace, **stages(clock, self._now()))

    def _mute(self, error: OpenTellerError) -> None:
        self._tell("notice", code="text_only", text=line(Line.MUTE, self.language))

    # Giving way

    def _hold(self) -> None:
        if not self._mouth.held:
            self._mouth.hold()
            self._tell("interrupted", heard=self._mouth.heard())

    def _take_up(self) -> None:
        self._mouth.unduck()
        if self._mouth.held:
            self._mouth.take_up()
            self._tell("resumed")

    def _give_way(self) -> None:
        """Drop what is being said; what is left of it can be asked for with "go on"."""
        if not self._mouth.speaking:
            return
        was_held, heard = self._mouth.held, self._mouth.heard()
        self._left, self._leaves = self._replying.unsaid(), False
        self._reply += 1
        self._replying.stop()
        if not was_held:
            self._tell("interrupted", heard=heard)

    # Time

    def _pass(self, seconds: float) -> None:
        """So much time has gone by on the microphone's clock."""
        if self.closed:
            return
        if self._state == "thinking":
            self._thinking += seconds
            if self._thinking > _BUSY and not self._said_busy:
                self._said_busy = True
                self._wait_aloud()
            return
        if self._state != "listening" or not self._hands_free or self._listening.is_open or self._mouth.speaking:
            self._idle = 0.0
            return
        self._idle += seconds
        if self._idle > _IDLE and not self._asked_whether_there:
            self._say(Line.STILL_THERE)
            self._asked_whether_there = True
        elif self._idle > _HANG_UP and self._asked_whether_there:
            self._hang_up()

    def _wait_aloud(self) -> None:
        """Say that it takes longer; as part of the reply when one has begun."""
        text = line(Line.BUSY, self.language)
        self._tell("notice", code="busy", text=text)
        if not self._listening.is_open:
            self._replying.add(text, self.language, keep=True)
            return
        self._begin()
        self._fills = self._said_busy = True
        self._replying.add(text, self.language, keep=True)
        self._replying.close()

    def _hang_up(self) -> None:
        self._tell("notice", code="no_speech", text=line(Line.GOODBYE, self.language))
        self.end("silence")

    def _be(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._tell("state", state=state)

    def _tell(self, type: str, **data: Any) -> None:
        self._tell_out(Message(type, data))
