"""`teller transcribe`: what is said in sound files."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from openteller.assembly import open_catalogue, open_transcriber
from openteller.core.errors import BadInput, OpenTellerError
from openteller.core.text import normalise
from openteller.settings import load
from openteller.voice.audio_files import read_sound
from openteller.voice.bank_words import BANK_WORDS
from openteller.voice.hearing import Heard, Hearing

_MAX_SECONDS = 3_600.0
_EXAMPLES = """\
examples:
  teller transcribe question.wav
  teller transcribe calls/*.mp3 --language zh --json
  teller transcribe question.webm --hotwords branches.txt     one word or name a line
  teller transcribe interview.m4a --plain                     no words of banking are expected, numbers stay words
"""


def transcribe(arguments: list[str]) -> int:
    """Write down what is said in sound files: the bank's words put right, numbers in figures."""
    parser = argparse.ArgumentParser(
        "teller transcribe",
        description=transcribe.__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("file", type=Path, nargs="+", help="wav, mp3, flac, ogg, webm, m4a, amr; up to an hour")
    parser.add_argument("--language", choices=["zh", "en"], help="default: the speaker's")
    parser.add_argument(
        "--hotwords", type=Path, metavar="FILE", help="names and terms to expect, one a line, likeliest first"
    )
    parser.add_argument("--plain", action="store_true", help="as the recogniser wrote it")
    parser.add_argument("--json", action="store_true", help="one JSON object a line and file, with both texts")
    given = parser.parse_args(arguments)
    words = (*_words(given.hotwords), *(() if given.plain else BANK_WORDS))
    settings = load()
    hearing = Hearing(open_transcriber(settings, open_catalogue(settings)), lambda: words, script=settings.asr_script)
    failed = 0
    for file in given.file:
        try:
            _show(file, *_heard(file, hearing, given.language), given)
        except BadInput as error:
            failed += 1
            _complain(file, error)
    return 1 if failed else 0


def _heard(file: Path, hearing: Hearing, language: str | None) -> tuple[Heard, tuple[str, ...]]:
    sound = read_sound(file, max_seconds=_MAX_SECONDS)
    return hearing.hear(sound.audio, language), sound.notes


def _words(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The hot words {file} cannot be read.", cause=str(error), next_step="Name a UTF-8 file, one word a line."
        ) from error
    return [word for line in lines if (word := normalise(line))]


def _show(file: Path, heard: Heard, notes: tuple[str, ...], given: argparse.Namespace) -> None:
    for note in notes:
        print(f"{file}: {note}", file=sys.stderr)
    if given.json:
        print(json.dumps(_fields(file, heard, notes), ensure_ascii=False), flush=True)
        return
    text = heard.raw if given.plain else heard.text
    print(f"{file}: {text}" if len(given.file) > 1 else text, flush=True)
    if heard.verdict != "clear":
        doubt = {"unsure": f"unsure ({heard.probability:.2f})", "nothing": "no words heard"}[heard.verdict]
        print(f"{file}: {doubt}", file=sys.stderr)


def _fields(file: Path, heard: Heard, notes: tuple[str, ...]) -> dict[str, Any]:
    return {"file": str(file), **asdict(heard), "notes": notes}


def _complain(file: Path, error: OpenTellerError) -> None:
    lines = [f"{file}: {error.message}", error.cause, error.next_step]
    print("\n  ".join(line for line in lines if line), file=sys.stderr)
