"""`teller speak`: a sound file of a text."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from openteller.core.errors import BadInput
from openteller.core.text import han_share, normalise
from openteller.runtime.protocols import Audio
from openteller.voice.aloud import sentences_aloud
from openteller.voice.sound_files import ending, marked, write_sound
from openteller.voice.speech import Speech

_PAUSE = 0.25  # seconds between two sentences
_CHINESE = 0.3  # from this share of Han characters on a text is spoken as Chinese
_LONGEST = 20_000  # characters
_EXAMPLES = """\
examples:
  teller speak "一年期定期存款的利率是1.5%。"
  teller speak "Your card ending 1234 is blocked." --output reply.mp3
  teller speak "利率以公告为准。" --voice zm_yunxi --speed 1.2 --output notice.opus
  teller speak - --language en --output page.flac < page.txt
  teller speak --list-voices
"""


def speak(arguments: list[str]) -> int:
    """Say a text, figures in words, and write it as a sound file that is marked as AI-generated."""
    parser = argparse.ArgumentParser(
        "teller speak", description=speak.__doc__, epilog=_EXAMPLES, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("text", nargs="?", help="the text; - reads it from standard input")
    parser.add_argument("--language", choices=["zh", "en"], help="default: the one most of it is written in")
    parser.add_argument("--voice", metavar="NAME", help="default: the language's")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5 to 2; default: 1")
    parser.add_argument(
        "--output", type=Path, default=Path("speech.wav"), help=".wav, .flac, .mp3 or .opus; default: speech.wav"
    )
    parser.add_argument("--list-voices", action="store_true", help="show the voices and say nothing")
    parser.add_argument("--json", action="store_true", help="print what was said as JSON")
    given = parser.parse_args(arguments)
    if not given.list_voices:
        ending(given.output)
    speech, producer = _open()
    if given.list_voices:
        _list(speech, given.json)
        return 0
    text = _text(given.text)
    said = _say(speech, text, given.language or _language(text), given.voice, given.speed)
    write_sound(given.output, said["audio"], marked(producer, f"{speech.engine} {said['voice']}"))
    _report(given.output, said, given.json)
    return 0


def _open() -> tuple[Speech, str]:
    from openteller.assembly import Application
    from openteller.settings import load

    settings = load()
    return Application(settings).speech, settings.bank_name_zh


def _text(given: str | None) -> str:
    text = normalise(sys.stdin.read() if given == "-" else given or "")
    if not text or len(text) > _LONGEST:
        cause = "It is empty." if not text else f"It has {len(text)} characters; {_LONGEST} can be said."
        raise BadInput("There is no text to say.", cause=cause, next_step='For example: teller speak "您好"')
    return text


def _language(text: str) -> str:
    return "zh" if han_share(text) >= _CHINESE else "en"


def _say(speech: Speech, text: str, language: str, voice: str | None, speed: float) -> dict[str, Any]:
    spoken = [sentence for _, sentence in sentences_aloud(text, language)]
    sounds = [speech.say(sentence, language, voice=voice, speed=speed).samples for sentence in spoken]
    pause = np.zeros(int(_PAUSE * speech.rate), np.float32)
    joined = [part for sound in sounds if len(sound) for part in (sound, pause)][:-1]
    if not joined:
        raise BadInput("There is nothing in the text that can be said.", next_step='For example: teller speak "您好"')
    audio = Audio(np.concatenate(joined), speech.rate)
    return {"audio": audio, "spoken": spoken, "language": language, "voice": voice or speech.voice_of(language)}


def _list(speech: Speech, as_json: bool) -> None:
    if as_json:
        print(json.dumps({language: list(names) for language, names in speech.voices.items()}, indent=2))
        return
    for language, names in speech.voices.items():
        print(f"{language}  {', '.join(f'{n} (default)' if n == speech.voice_of(language) else n for n in names)}")


def _report(output: Path, said: dict[str, Any], as_json: bool) -> None:
    seconds = round(said["audio"].seconds, 2)
    if as_json:
        told = {key: said[key] for key in ("language", "voice", "spoken")} | {"file": str(output), "seconds": seconds}
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    print(f"{output}: {seconds} s, {said['voice']}")
