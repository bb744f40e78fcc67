"""What every Transcriber refuses, in one place. Knows no engine."""

import numpy as np

from openteller.core.errors import BadInput
from openteller.core.text import han_share
from openteller.runtime.protocols import Audio

LANGUAGES = ("zh", "en")


def check(audio: Audio, rate: int, language: str | None) -> None:
    """Raise BadInput for audio at another rate than `rate`, samples that are no numbers, or another language than ours."""
    if audio.rate != rate:
        raise BadInput(f"The sound has {audio.rate} samples a second.", next_step=f"Resample it to {rate} Hz.")
    if audio.samples.ndim != 1 or not np.isfinite(audio.samples).all():
        raise BadInput("The sound holds samples that are no numbers.", next_step="Send one channel of finite samples.")
    if language is not None and language not in LANGUAGES:
        raise BadInput(f"Speech in {language!r} is not recognised.", next_step="Say zh or en, or nothing.")


def language_of(text: str) -> str:
    """The language, zh or en, by the script of most of what was written."""
    return "zh" if han_share(text) > 0.3 else "en"
