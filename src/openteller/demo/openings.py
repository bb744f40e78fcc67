"""The openings of the demo bank's replies as sound, so that its first caller is answered without waiting.

A bank's own server makes such sound while nobody calls (serving/rehearsal.py); here it comes with the demo bank, made by the
voices that ship (Kokoro-82M, Apache-2.0; see runtime/voices) from the bank's own articles. What was written since is made anew.
Knows nothing about which sentences there are.
"""

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from openteller.runtime.protocols import Audio
from openteller.voice.recorder import sound_file
from openteller.voice.sound_files import marked, sound_bytes
from openteller.voice.speech import Sentence, Speech

PACK = Path(__file__).parent / "bank" / "openings.zip"


def pack(speech: Speech, sentences: Iterable[Sentence], file: Path, progress: Callable[[int, int], None]) -> int:
    """Make the sound of `sentences` and write it to `file`; how many there are."""
    wanted = list(dict.fromkeys(sentences))
    speech.prepare(wanted, progress)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = speech.engine.encode()
        for key, audio in sorted(speech.kept(wanted)):
            # One date for all: what is packed twice is the same file.
            archive.writestr(
                zipfile.ZipInfo(f"{key}.opus"), sound_bytes(audio, ".opus", marked("OpenTeller", speech.engine))
            )
    return len(wanted)


def unpack(speech: Speech, file: Path = PACK) -> int:
    """Keep the sound of `file` as if it had been made here; how much was new. Sound of another engine is left."""
    if not file.exists():
        return 0
    new = 0
    with zipfile.ZipFile(file) as archive:
        if archive.comment != speech.engine.encode():
            return 0
        for name in archive.namelist():
            key = name.removesuffix(".opus")
            if not speech.has(key):
                samples, rate = sound_file().read(io.BytesIO(archive.read(name)), dtype="float32")
                new += speech.keep(key, Audio(np.asarray(samples, np.float32), int(rate)))
    return new
