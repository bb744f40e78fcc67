"""How well and how fast calls go, on speech that is synthesised for it (several voices, clean and with noise).

    python benchmarks/voice.py questions [--noise 10] [--limit 20]   right article from speech beside from text
    python benchmarks/voice.py manners [--utterances FILE]           numbers with pauses, nods, interruptions
    python benchmarks/voice.py latency [--limit 60]                  end of speech to first audio, in real time, against a server
    python benchmarks/voice.py calls [--count 8]                     that many calls at once, against a server

Needs the demo bank in OPENTELLER_DATA_DIR; `latency` and `calls` need a server on it (`teller serve`). What is spoken is kept
below <data_dir>/benchmarks/speech. `manners` runs the call on the microphone's clock with the real models and no waiting, so
a pause is judged by its length alone. Newcomer questions are those of the validation split (`--test`: the test split).
"""

import argparse
import asyncio
import hashlib
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import soundfile
import soxr
import yaml

from openteller.assembly import Application
from openteller.assistant.dialogue import inquiry_of
from openteller.cli import calling, running
from openteller.core.records import Outcome, visitor
from openteller.runtime.protocols import Audio, Floats
from openteller.settings import load
from openteller.voice.aloud import aloud
from openteller.voice.call import Call
from openteller.voice.detectors import RATE, SileroDetector, SmartTurn
from openteller.voice.listening import AtOnce
from openteller.voice.records import Message, Piece

QUESTIONS = Path("tests/acceptance/newcomer.yaml")
UTTERANCES = Path("benchmarks/voice_utterances.yaml")
BAR = 0.9  # seconds of a pause that gives none
BANK = {"zh": "松湾银行", "en": "Pinebay Bank"}
LONG = {
    "zh": "一年期定期存款的利率以当日公布为准，您可以在手机银行里查看。提前支取按活期计息，请您留意到期日，到期后可以自动转存。",
    "en": "The rate of a one year fixed deposit is published every day, and you can see it in the app. Money taken out early earns "
    "the demand rate, so please note the day on which it matures.",
}


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["questions", "manners", "latency", "calls"])
    parser.add_argument("--noise", type=float, help="signal to noise in dB; default: clean")
    parser.add_argument("--limit", type=int, default=60, help="questions a language")
    parser.add_argument("--count", type=int, default=8, help="calls at once")
    parser.add_argument("--utterances", type=Path, default=UTTERANCES, help="such as benchmarks/voice_blind.yaml")
    parser.add_argument("--test", action="store_true")
    given = parser.parse_args()
    with closing(Application(load())) as application:
        studio = Studio(application, given.noise)
        match given.what:
            case "questions":
                questions(studio, given.limit, "test" if given.test else "validation")
            case "manners":
                manners(studio, given.utterances)
            case "latency":
                asyncio.run(latency(studio, given.limit))
            case "calls":
                asyncio.run(calls(studio, given.count))


class Studio:
    """Makes speech, each voice of a language in turn, and keeps it."""

    def __init__(self, application: Application, noise: float | None = None) -> None:
        self.application, self.noise = application, noise
        self._folder = application.settings.data_dir / "benchmarks" / "speech"
        self._folder.mkdir(parents=True, exist_ok=True)

    def voice(self, language: str, number: int) -> str:
        """The voice of the utterance with this number."""
        voices = self.application.speech.voices[language]
        return voices[number % len(voices)]

    def speak(self, text: str, language: str, number: int) -> Floats:
        """(n,) samples at 16 kHz, with noise if there is to be some."""
        voice = self.voice(language, number)
        name = hashlib.sha256(f"{voice} {text}".encode()).hexdigest()[:24]
        file = self._folder / f"{name}.flac"
        if not file.exists():
            audio = self.application.speech.say(aloud(text, language), language, voice=voice)
            soundfile.write(file, soxr.resample(audio.samples, audio.rate, RATE), RATE)
        samples = np.asarray(soundfile.read(file, dtype="float32")[0], np.float32)
        return samples if self.noise is None else noisy(samples, self.noise, seed=number)

    def with_pauses(self, marked: str, language: str, number: int) -> Floats:
        """An utterance with a bar for each pause, each followed by its seconds if it is not the usual one."""
        parts: list[Floats] = []
        for part in marked.split("|"):
            seconds, text = _pause(part)
            if parts:
                parts.append(silence(seconds))
            parts.append(self.speak(text, language, number))
        return np.concatenate(parts)


def _pause(part: str) -> tuple[float, str]:
    first, _, rest = part.partition(" ")
    try:
        return float(first), rest
    except ValueError:
        return BAR, part


def silence(seconds: float) -> Floats:
    """A quiet room: not digital silence."""
    return np.random.default_rng(1).normal(0, 0.0008, round(seconds * RATE)).astype(np.float32)


def noisy(samples: Floats, decibels: float, seed: int) -> Floats:
    """`samples` with pink noise at so many dB below their own power while they sound."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=len(samples)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), len(samples))
    power = np.mean(samples[np.abs(samples) > 0.01] ** 2)
    return (samples + pink * np.sqrt(power / 10 ** (decibels / 10) / np.mean(pink**2))).astype(np.float32)


def questions(studio: Studio, limit: int, split: str) -> None:
    """Right article first, from text and from speech."""
    studio.application.warm()
    asked = yaml.safe_load(QUESTIONS.read_text("utf-8"))[split]
    for language in ("zh", "en"):
        rows = asked[language][:limit]
        from_text = from_speech = 0
        seconds: list[float] = []
        for number, row in enumerate(rows):
            right = {row["article"], *row.get("also", [])}
            speech = studio.speak(row["question"], language, number)
            began = time.perf_counter()
            heard = studio.application.hearing.hear(Audio(np.concatenate([speech, silence(0.2)]), RATE))
            seconds.append(time.perf_counter() - began)
            by_text = found(studio.application, row["question"], right)
            by_speech = bool(heard.text) and found(studio.application, heard.text, right)
            from_text, from_speech = from_text + by_text, from_speech + by_speech
            if by_text and not by_speech:
                print(f"  lost: {row['question']}\n    heard ({heard.verdict}): {heard.text}")
        share = from_speech / max(1, from_text)
        print(
            f"{language} {split}: {len(rows)} questions, right first from text {from_text}, from speech {from_speech} ({share:.2f}); "
            f"recognition p50 {statistics.median(seconds):.2f} s"
        )


def found(application: Application, text: str, right: set[str]) -> bool:
    """Whether the answer's first citation is one of the right articles."""
    answer = application.dialogue.walk(inquiry_of(text), visitor("benchmark")).answer
    cited = [citation.document_id.rpartition(":")[0] for citation in answer.citations]
    return (
        answer.outcome in (Outcome.ANSWERED, Outcome.CLARIFY, Outcome.HANDED_OFF) and bool(cited) and cited[0] in right
    )


class Parrot:
    """A mind that says the same long text whatever it is asked."""

    def answer(self, text: str, language: str | None) -> Iterator[Piece]:
        """The long text."""
        yield Piece(LONG[language or "zh"], language or "zh", keep=True)

    def prepare(self, text: str, language: str | None) -> None:
        """Nothing."""


class Rehearsal:
    """A call on the microphone's clock, with the real ears and voice and nobody waiting."""

    def __init__(self, application: Application, language: str) -> None:
        self.messages: list[tuple[float, Message]] = []
        self.time = 0.0
        self.sounding: list[bool] = []
        self.call = Call(
            ears=application.hearing,
            mind=Parrot(),
            voice=application.speech,
            work=AtOnce(),
            speaks=SileroDetector(),
            finished=SmartTurn(),
            tell=lambda message: self.messages.append((self.time, message)),
            bank=BANK,
            language=language,
            now=lambda: self.time,
        )
        self._rate = application.speech.rate

    def run(self, samples: Floats) -> None:
        """Hear `samples`, and play meanwhile."""
        for start in range(0, len(samples), 512):
            piece = samples[start : start + 512]
            self.time += len(piece) / RATE
            self.call.hear(piece)
            self.sounding.append(self.call.pull(round(len(piece) * self._rate / RATE)) is not None)

    def of(self, kind: str) -> list[Message]:
        """The messages of one type."""
        return [message for _, message in self.messages if message.type == kind]


def manners(studio: Studio, utterances: Path) -> None:
    """Numbers with pauses, nods and interruptions."""
    told = yaml.safe_load(utterances.read_text("utf-8"))
    for language in ("zh", "en"):
        numbers(studio, told["numbers"][language], language)
        spoken_over(studio, told["backchannels"][language], language, takes_turn=False)
        spoken_over(studio, told["interruptions"][language], language, takes_turn=True)


def numbers(studio: Studio, utterances: Sequence[str], language: str) -> None:
    """How many utterances with pauses in their numbers are cut in two."""
    cut = 0
    for number, marked in enumerate(utterances):
        rehearsal = Rehearsal(studio.application, language)
        rehearsal.run(np.concatenate([silence(0.5), studio.with_pauses(marked, language, number)]))
        early = [m.data["text"] for m in rehearsal.of("heard")]
        if early:
            cut += 1
            print(f"  cut: {marked}\n    {early}")
    print(f"{language}: {cut} of {len(utterances)} numbers with pauses cut")


def spoken_over(studio: Studio, utterances: Sequence[str], language: str, *, takes_turn: bool) -> None:
    """What is said while the assistant speaks: who takes the turn, and how soon it falls silent."""
    wrong, pauses = 0, []
    for number, text in enumerate(utterances):
        rehearsal = Rehearsal(studio.application, language)
        rehearsal.call.type("?")
        rehearsal.run(silence(2.0))
        begun = len(rehearsal.sounding)
        spoken = studio.speak(text, language, number)
        onset = int(np.argmax(np.abs(spoken) > 0.02)) // 512
        rehearsal.run(np.concatenate([spoken, silence(2.0)]))
        took = len(rehearsal.of("heard")) > 0
        if took != takes_turn:
            wrong += 1
            print(
                f"  {'kept talking over' if takes_turn else 'interrupted by'}: {text} {[m.data for m in rehearsal.of('heard')]}"
            )
        quiet = next((i for i, on in enumerate(rehearsal.sounding[begun + onset :]) if not on), None)
        if quiet is not None:
            pauses.append(quiet * 512 / RATE)
    kind = "interruptions talked over" if takes_turn else "nods that interrupted"
    stopped = (
        f"; silent after p50 {statistics.median(pauses):.2f} s, most {max(pauses):.2f} s ({len(pauses)})"
        if pauses
        else ""
    )
    print(f"{language}: {wrong} of {len(utterances)} {kind}{stopped}")


def usual(application: Application, language: str, limit: int) -> list[str]:
    """The titles of the bank's public articles: what is asked most, in the words of the bank."""
    documents = application.library.list(visitor("benchmark"), limit=10_000)
    return [d.title for d in documents if d.language == language][:limit]


def server(application: Application) -> str:
    """The URL of the server on this data directory."""
    url = running.find(application.settings.data_dir)
    if url is None:
        raise SystemExit("No server runs on this data directory: start one with `teller serve`.")
    return url


async def latency(studio: Studio, limit: int) -> None:
    """End of speech to first audio, by the caller's clock, and the stages by the server's."""
    url = server(studio.application)
    for language in ("zh", "en"):
        waits: list[float] = []
        stages: dict[str, list[float]] = {}
        unheard = 0
        for number, text in enumerate(usual(studio.application, language, limit)):
            speech = studio.speak(text, language, number)
            wait, line, _ = await once(url, speech)
            timing = next(reversed(line.of("timing")), {})
            if wait is None:
                unheard += 1
                print(f"  no answer: {text}")
                continue
            waits.append(wait)
            for stage, seconds in timing.items():
                stages.setdefault(stage, []).append(seconds)
        show(language, waits, stages, unheard)


async def once(url: str, speech: Floats, *, to_the_end: bool = False) -> tuple[float | None, calling.Line, int]:
    """One question in one call: the caller's wait, the call, and the pieces of sound before the answer."""
    async with calling.call(url, {"language": None}) as line:
        await line.send('{"type": "hush"}')  # the greeting is the same in every call
        await line.until(lambda: line.state == "listening", 20)
        await line.be_silent(2.0)  # its last sound is on its way, and the server ends what the caller before had begun
        before = len(line.played)
        await line.say(last_sound(speech))
        ended = line.now
        await line.until(lambda: len(line.played) > before, 20)
        if to_the_end:
            await line.until(lambda: line.state == "listening", 60)
    first = next((at for at, _ in line.played[before:]), None)
    return (None if first is None else first - ended), line, before


def last_sound(speech: Floats) -> Floats:
    """`speech` up to its last sound."""
    loud = np.flatnonzero(np.abs(speech) > 0.01)
    return speech[: loud[-1] + 1] if len(loud) else speech


def show(language: str, waits: list[float], stages: dict[str, list[float]], unheard: int) -> None:
    """One row a stage."""
    print(f"{language}: {len(waits)} questions, {unheard} without an answer")
    for other in ("type", "trace_id"):
        stages.pop(other, None)
    for name, seconds in [("caller's wait", waits), *stages.items()]:
        if seconds:
            print(f"  {name:14} p50 {np.percentile(seconds, 50):.2f}  p95 {np.percentile(seconds, 95):.2f} s")


async def calls(studio: Studio, count: int) -> None:
    """Several callers at once, each with a question of their own: who is answered, how late, and with whose answer."""
    url = server(studio.application)
    pairs = zip(*(usual(studio.application, language, count) for language in ("zh", "en")), strict=True)
    texts = [pair for both in pairs for pair in zip(("zh", "en"), both, strict=True)][:count]
    speech = [studio.speak(text, language, number) for number, (language, text) in enumerate(texts)]
    began = time.monotonic()
    results = await asyncio.gather(*(once(url, one, to_the_end=True) for one in speech), return_exceptions=True)
    took = time.monotonic() - began
    failed = [r for r in results if isinstance(r, BaseException)]
    ended = [(pair, r) for pair, r in zip(texts, results, strict=True) if not isinstance(r, BaseException)]
    waits = [wait for _, (wait, _, _) in ended if wait is not None]
    print(f"{count} calls at once: {len(waits)} answered, {len(failed)} failed {failed[:1]}, {took:.0f} s")
    if waits:
        print(f"  caller's wait p50 {np.percentile(waits, 50):.2f}  p95 {np.percentile(waits, 95):.2f} s")
    own_text, own_sound = cross_talk(studio, ended)
    print(
        f"  {own_text} of {len(ended)} were shown the answer to their own question, {own_sound} heard their own answer"
    )


def cross_talk(
    studio: Studio, ended: Sequence[tuple[tuple[str, str], tuple[float | None, calling.Line, int]]]
) -> tuple[int, int]:
    """Of how many callers the answer shown cites the article they asked for, and the sound, as recognised, is nearest to it."""
    shown, heard = [], []
    for (language, _), (_, line, before) in ended:
        answers = [m["data"] for m in line.of("event") if m["name"] == "answer"]
        shown.append((answers[-1]["text"], [c["title"] for c in answers[-1]["citations"]]) if answers else ("", []))
        sound = np.concatenate([*(samples for _, samples in line.played[before:]), silence(0.1)])
        first = np.asarray(soxr.resample(sound[: 12 * line.rate], line.rate, RATE), np.float32)
        heard.append(studio.application.hearing.hear(Audio(first, RATE), language).text)
    own_text = sum(title in titles[:1] for ((_, title), _), (_, titles) in zip(ended, shown, strict=True))
    own_sound = 0
    for number, words in enumerate(heard):
        nearest = max(range(len(shown)), key=lambda other: likeness(words, shown[other][0]))
        own_sound += nearest == number
        if nearest != number:
            print(f"  {texts_of(ended)[number]}: heard {words!r}, nearest to the answer to {texts_of(ended)[nearest]}")
    return own_text, own_sound


def texts_of(ended: Sequence[tuple[tuple[str, str], object]]) -> list[str]:
    """What was asked."""
    return [text for (_, text), _ in ended]


def likeness(words: str, text: str) -> float:
    """How much of `words`, as pairs of characters, stands in `text`."""
    pairs = [words[i : i + 2] for i in range(len(words) - 1)]
    return sum(pair in text for pair in pairs) / max(1, len(pairs))


if __name__ == "__main__":
    main()
