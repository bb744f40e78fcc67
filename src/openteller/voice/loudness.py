"""One loudness for all speech: EBU R 128 (integrated loudness, ITU-R BS.1770), with a ceiling for the peaks.

−19 LUFS is what AES TD1008 asks of mono speech on streams. Knows nothing about words.
"""

import numpy as np

from openteller.runtime.protocols import Audio
from openteller.voice.detectors import missing_voice

TARGET = -19.0  #: LUFS
PEAK = 10 ** (-1 / 20)  #: −1 dB of full scale
_SHORTEST = 0.4  # seconds of one gating block
_MOST = 30.0  # decibels: what is quieter than this asks for is noise


def levelled(audio: Audio) -> Audio:
    """`audio` at −19 LUFS, or less where its peaks would pass −1 dBFS; silence stays as it is."""
    peak = float(np.abs(audio.samples).max(initial=0.0))
    if peak == 0.0:
        return audio
    gain = min(10 ** (min(TARGET - loudness_of(audio), _MOST) / 20), PEAK / peak)
    return Audio((audio.samples * gain).astype(np.float32), audio.rate)


def loudness_of(audio: Audio) -> float:
    """Integrated loudness, LUFS; what is shorter than a gating block is measured as if it went on."""
    try:
        from loudness import integrated_loudness
    except ImportError as error:
        raise missing_voice() from error
    wanted = int(_SHORTEST * audio.rate) + 1
    times = -(-wanted // max(1, len(audio.samples)))
    measured = float(integrated_loudness(np.tile(audio.samples, times), audio.rate))
    return measured if np.isfinite(measured) else TARGET
