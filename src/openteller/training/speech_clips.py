"""The clips of a speech recipe: read, checked, held out.

A recording that stands twice is dropped, one with two texts is a contradiction, and what is held out (its words, or its
speakers) is not trained on. Opens no audio. Knows nothing about models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openteller.core.errors import BadInput
from openteller.registry.manifest import sha256
from openteller.training.datasets.checks import Policy, clean
from openteller.training.datasets.clips import Clip, read_clips
from openteller.training.datasets.readers import OnBad
from openteller.training.datasets.records import BadRow, Keyed, require_choice
from openteller.training.datasets.splits import split
from openteller.training.optimisation import Report

TRAIN, VALIDATION, GUARD, _REPLAY = "train", "validation", "guard", "replay"


@dataclass(frozen=True)
class SpeechSources:
    """Where the clips come from and what is done about doubtful ones; the fields mean what they mean in a recipe."""

    train: str = ""  #: a table of clips or its folder, below OPENTELLER_DATA or here; several with commas between them
    validation: str = ""  #: another; empty: a share of the clips is held out
    replay: str = ""  #: clips of what must not be forgotten, such as another language: trained on, never held out
    replay_rows: int = 60  #: as many of them
    guard: str = ""  #: clips of it that are only listened to
    columns: dict[str, str] = field(default_factory=dict)  #: file, text, language, speaker → the table's names
    language: str = ""  #: of rows that name none; empty: told by their script
    held_out_by: str = "text"  #: no words of validation are trained on; or speaker: no voice of it is
    validation_share: float = 0.15
    validation_rows: int = 200  #: held-out clips, and clips of the guard, that are listened to
    attribution: str = ""  #: whose the training data are, and under which licence
    bad_rows: OnBad = "error"
    conflicts: Policy = "error"
    leaks: Policy = "error"
    seed: int = 20261123

    def files(self, name: str) -> list[str]:
        """The tables of a side as the recipe names them."""
        return [part for file in str(getattr(self, name)).split(",") if (part := file.strip())]


def clips_of(
    sources: SpeechSources, root: Path, locate: Callable[[str], Path], report: Report
) -> dict[str, list[Clip]]:
    """The clips to train on, to validate on, and of the guard.

    Args:
        sources: the recipe.
        root: the folder that tables which are not below the data folder count from.
        locate: finds a path below the data folder.
        report: told what was found on the way.

    Raises:
        BadInput: rows that cannot be used, contradictions, leaks; they are named.
    """
    require_choice("held_out_by", sources.held_out_by, ("text", "speaker"))
    bad: list[BadRow] = []

    def read_in(name: str) -> list[Clip]:
        here = root / name
        path = here if here.exists() else locate(name)
        return read_clips(path, sources.columns, sources.language, locate, sources.bad_rows, bad)

    names = (TRAIN, VALIDATION, _REPLAY, GUARD)
    found = {n: [clip for file in files for clip in read_in(file)] for n in names if (files := sources.files(n))}
    if not found.get(TRAIN):
        raise BadInput("There is nothing to train on.", next_step="Name a table of clips in the recipe's field train.")
    if bad:
        report(0, 0, f"{len(bad):,} rows skipped, such as {bad[0].where}: {bad[0].reason}")
    guard, replay = found.pop(GUARD, []), found.pop(_REPLAY, [])
    parts = _parted(_checked(found, sources, report), sources)
    replayed = spread(_strangers(replay, [*parts[VALIDATION], *guard]), sources.replay_rows)
    return {TRAIN: [*parts[TRAIN], *replayed], VALIDATION: parts[VALIDATION], GUARD: guard}


def spread(clips: Sequence[Clip], most: int) -> list[Clip]:
    """At most `most` of the clips, from all over."""
    count = min(most, len(clips))
    return [clips[i * len(clips) // count] for i in range(count)]


def _strangers(clips: Sequence[Clip], held: Sequence[Clip]) -> list[Clip]:
    """Those of `clips` whose recording is not among those that are measured on."""
    known = {sha256(clip.file) for clip in held}
    return [clip for clip in clips if sha256(clip.file) not in known]


def _group(clip: Clip, sources: SpeechSources) -> str:
    """What a split must not part."""
    return clip.speaker if sources.held_out_by == "speaker" else clip.key


def _checked(found: dict[str, list[Clip]], sources: SpeechSources, report: Report) -> dict[str, list[Clip]]:
    """Clips without those heard twice or, in training, held out too; one recording with two texts is a contradiction."""
    if sources.held_out_by == "speaker" and (
        nameless := [c for clips in found.values() for c in clips if not c.speaker]
    ):
        raise BadInput(
            f"{len(nameless):,} clips do not say who speaks, such as {nameless[0].where}.",
            next_step="Name the column in columns, or set held_out_by: text.",
        )
    audio = {name: [Keyed(c.where, sha256(c.file), c.key) for c in clips] for name, clips in found.items()}
    once = clean(audio, conflicts=sources.conflicts, leaks=sources.leaks, duplicates="drop")
    for line in once.report.lines():
        report(0, 0, line)
    kept = {name: [found[name][i] for i in rows] for name, rows in once.kept.items()}
    groups = {name: [Keyed(c.where, _group(c, sources), None) for c in clips] for name, clips in kept.items()}
    apart = clean(groups, conflicts="keep", leaks=sources.leaks, duplicates="keep")
    return {name: [kept[name][i] for i in rows] for name, rows in apart.kept.items()}


def _parted(found: dict[str, list[Clip]], sources: SpeechSources) -> dict[str, list[Clip]]:
    """Train and validation as given, or with a share of the training clips held out, each language by itself."""
    if "validation" in found:
        return found
    clips = found["train"]
    keyed = [Keyed(c.where, _group(c, sources), c.language) for c in clips]
    parts = split(keyed, validation=sources.validation_share, test=0.0, seed=sources.seed)
    return {"train": [clips[i] for i in parts.train], "validation": [clips[i] for i in parts.validation]}
