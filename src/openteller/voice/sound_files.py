"""Speech as files that say that a machine made it: WAV, FLAC, MP3 and Ogg Opus.

The mark follows GB 45438-2025 (labels of AI-generated content, the one in metadata: `AIGC` with Label 1, the producer and
its number for the content) and stands in the comment, where players show it: ICMT of a WAV file, COMM of MP3, COMMENT of
FLAC and Opus. The software and the time in UTC stand beside it.

What is not covered: the audible label, which is a matter of what is said; marks that survive another encoding.
"""

import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput, UnreadableFile
from openteller.runtime.protocols import Audio
from openteller.voice.recorder import sound_file

#: a file name's ending → format and coding as libsndfile calls them
KINDS: Mapping[str, tuple[str, str]] = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
    ".opus": ("OGG", "OPUS"),
    ".ogg": ("OGG", "OPUS"),
}
_WORDS = "AI-generated speech"


@dataclass(frozen=True)
class Mark:
    """What a file says of its making. producer: who answers for it, such as the bank; generator: engine and voice."""

    producer: str
    generator: str
    made_at: datetime
    number: str

    def comment(self) -> str:
        """The mark as it stands in a file; in ASCII, because libsndfile writes MP3's comments as Latin-1."""
        aigc = {"Label": "1", "ContentProducer": self.producer, "ProduceID": self.number, "ReservedCode1": ""}
        return f"{_WORDS}; {self.generator}; {_utc(self.made_at)}; " + json.dumps({"AIGC": aigc})


def marked(producer: str, generator: str) -> Mark:
    """A mark of this moment with a number of its own."""
    return Mark(producer, generator, utc_now(), uuid4().hex)


def ending(path: Path) -> str:
    """The ending of a sound file's name, in lower case. Raises BadInput for one that is not written here."""
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise BadInput(f"{path.name} is no sound file that can be written.", next_step=f"End it in {', '.join(KINDS)}.")
    return suffix


def sound_bytes(audio: Audio, kind: str, mark: Mark) -> bytes:
    """`audio` as a file of the kind that the ending `kind` stands for; samples beyond full scale are clipped."""
    container, coding = KINDS[kind]
    target = io.BytesIO()
    with sound_file().SoundFile(target, "w", audio.rate, 1, coding, format=container) as file:
        file.software = f"OpenTeller, {mark.generator}"
        file.date = _utc(mark.made_at)
        file.comment = mark.comment()
        file.write(np.clip(audio.samples, -1, 1))
    return target.getvalue()


def write_sound(path: Path, audio: Audio, mark: Mark | None = None) -> None:
    """Write `audio` to `path` in one step; what was there is replaced. mark: None: OpenTeller's own. Raises BadInput."""
    data = sound_bytes(audio, ending(path), mark or marked("OpenTeller", "OpenTeller"))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written.", cause=error.strerror or str(error), next_step="Name a file in another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def read_mark(path: Path) -> Mark | None:
    """The mark of a file; None when it has none of ours. Raises UnreadableFile."""
    files = sound_file()
    try:
        with files.SoundFile(path) as file:
            comment = str(file.comment)
    except (files.LibsndfileError, OSError) as error:
        raise UnreadableFile(f"{path.name} is no sound file that can be read.", cause=str(error)) from error
    words, *parts = comment.split("; ", 3)
    try:
        generator, made_at, label = parts
        aigc = json.loads(label)["AIGC"]
        when = datetime.strptime(made_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return Mark(aigc["ContentProducer"], generator, when, aigc["ProduceID"]) if words == _WORDS else None
    except (ValueError, KeyError, TypeError):
        return None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
