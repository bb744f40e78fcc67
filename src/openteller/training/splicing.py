"""Words that no clip says, put together from syllables that some do: more words for a recogniser of Chinese to know.

Few clips teach how a speaker sounds, and little about which words there are; one syllable has dozens of homophones, so that a
single word is told by what is usual. Here the first half of one clip of two syllables and the second half of another make a word
of a general word list, drawn by the root of its frequency (aligned data augmentation, Lam et al. 2021, without an aligner:
the cut is where it is quietest near the middle). Knows nothing about models.

What is not covered: words of other lengths, other languages, syllables that run into each other (the cut is then rough).
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from openteller.core.errors import MissingDependency
from openteller.core.text import han_share
from openteller.runtime.protocols import Floats

_RATE = 16_000
_STEP, _LOOK = 160, 400  # samples: energy every 10 ms over 25 ms
_SHORTEST = 20  # steps that two syllables take at least
_LOUD = 0.06  # of the loudest place: where speech begins and ends
_MIDDLE = (0.35, 0.62)  # of the speech: where the first syllable may end
_EARLIER, _LATER, _BLEND = 5, 8, 240  # steps kept around the speech; samples over which one half fades into the other
_RARE = 60  # occurrences in the word list below which a word is left out
_NAMES = ("nr", "ns", "nz", "nt")  # its tags of people, places and other names


@dataclass(frozen=True)
class Spoken:
    """A recording: its words, who speaks, samples (n,) at 16 kHz."""

    text: str
    speaker: str
    samples: Floats


def spliced(clips: Iterable[Spoken], count: int, avoid: Iterable[str], seed: int) -> list[Spoken]:
    """At most `count` words that are not among those of `clips`, each in the voice of one speaker, none twice.

    Args:
        clips: what there is; those of two Chinese syllables are used.
        count: how many are wanted.
        avoid: words that must not be made, such as those that are held out.
        seed: the same one makes the same words.

    Raises:
        MissingDependency: pypinyin is not installed.
    """
    firsts, lasts, known = _halves(clips)
    known |= set(avoid)
    draw = random.Random(seed)
    found: list[Spoken] = []
    for word in _drawn(draw, known):
        if len(found) == count:
            break
        first, last = _sounds(word)
        speakers = sorted({who for who, _ in firsts.get(first, ())} & {who for who, _ in lasts.get(last, ())})
        if speakers:
            who = draw.choice(speakers)
            halves = [draw.choice([s for name, s in side if name == who]) for side in (firsts[first], lasts[last])]
            found.append(Spoken(word, who, _joined(*halves)))
    return found


_Halves = dict[tuple[str, bool], list[tuple[str, Floats]]]


def _halves(clips: Iterable[Spoken]) -> tuple[_Halves, _Halves, set[str]]:
    """Syllable → (speaker, samples) of those that begin and of those that end a word; and the words."""
    firsts: _Halves = defaultdict(list)
    lasts: _Halves = defaultdict(list)
    known = set()
    for clip in clips:
        known.add(clip.text)
        if len(clip.text) == 2 and han_share(clip.text) == 1 and (bounds := _bounds(clip.samples)):
            start, cut, end = bounds
            first, last = _sounds(clip.text)
            firsts[first].append((clip.speaker, clip.samples[start:cut]))
            lasts[last].append((clip.speaker, clip.samples[cut:end]))
    return firsts, lasts, known


def _sounds(word: str) -> tuple[tuple[str, bool], tuple[str, bool]]:
    """The two syllables of a word with their tones; of the first also whether a third tone follows its own, which changes it."""
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError as error:
        raise MissingDependency(
            "Words cannot be spliced.", cause=str(error), next_step='pip install "openteller[voice]"'
        ) from error
    first, last = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)
    return (first, first.endswith("3") and last.endswith("3")), (last, False)


def _bounds(samples: Floats) -> tuple[int, int, int] | None:
    """Where two syllables begin, part and end, in samples; None for what is too short to tell."""
    steps = range(0, len(samples) - _LOOK, _STEP)
    energy = np.sqrt([float(np.square(samples[at : at + _LOOK]).mean()) for at in steps])
    if len(energy) < _SHORTEST:
        return None
    energy = np.convolve(energy, np.ones(3) / 3, "same")
    speech = np.flatnonzero(energy > _LOUD * energy.max())
    start, length = (int(speech[0]), int(np.ptp(speech))) if len(speech) else (0, 0)
    if length < _SHORTEST:
        return None
    low, high = (start + int(share * length) for share in _MIDDLE)
    cut = low + int(energy[low:high].argmin())
    return max(0, start - _EARLIER) * _STEP, cut * _STEP + _LOOK // 2, (start + length + _LATER) * _STEP


def _joined(first: Floats, last: Floats) -> Floats:
    blend = min(_BLEND, len(first), len(last))
    fade = np.linspace(0, 1, blend, dtype=np.float32)
    between = first[len(first) - blend :] * (1 - fade) + last[:blend] * fade
    return np.concatenate([first[: len(first) - blend], between, last[blend:]])


def _drawn(draw: random.Random, known: set[str]) -> Sequence[str]:
    """The words of two characters of jieba's list that are not `known`, in an order that the frequent ones tend to lead."""
    import jieba

    words = []
    with (Path(jieba.__file__).parent / "dict.txt").open(encoding="utf-8") as lines:
        for line in lines:
            word, times, tag = line.split()
            if len(word) == 2 and int(times) >= _RARE and not tag.startswith(_NAMES) and han_share(word) == 1:
                words.append((word, float(times) ** 0.5))
    # Efraimidis & Spirakis 2006: sorted so, the first n are a weighted draw without replacement.
    keyed = [(draw.random() ** (1 / weight), word) for word, weight in words if word not in known]
    return [word for _, word in sorted(keyed, reverse=True)]
