"""Fine-tuning of speech recognition: Whisper learns how a bank's callers speak, with the loss on their words (Radford et al. 2022).

    recipe ─▶ clips (read, checked, held out) ─▶ features (kept) ─▶ loop ─▶ error rates before, after ─▶ CTranslate2

Needs the extras `train` and `voice`. Knows nothing about the command line.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from openteller.core.errors import BadInput
from openteller.registry.manifest import REPORT, Manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.protocols import Audio
from openteller.runtime.whisper_backend import WhisperTranscriber
from openteller.training import checkpoints, processes, splicing
from openteller.training.artefacts import described, written_whole
from openteller.training.datasets.audio import RATE, read_clip
from openteller.training.datasets.clips import Clip
from openteller.training.datasets.records import BadRow, refuse, require_choice
from openteller.training.decoders import merged
from openteller.training.evaluation.error_rates import Heard, error_rates, recognised
from openteller.training.evaluation.pictures import curve_picture
from openteller.training.fitting import Fitted, fit
from openteller.training.optimisation import Report
from openteller.training.processes import from_main
from openteller.training.recogniser import Recogniser, load_whisper, tuned
from openteller.training.speech_clips import GUARD, TRAIN, VALIDATION, SpeechSources, clips_of, spread
from openteller.training.speech_export import QUANTISATIONS, agreement, exact_texts, write
from openteller.training.speech_features import Ear, Window, collate, load, row, stacked
from openteller.training.splicing import Spoken
from openteller.training.tasks.task import Features
from openteller.training.tuning import Tuning, begin

TASK, METRIC, CURVE = "speech", "recognised", "error-rate.png"
_SIDES, _JUDGED = (TRAIN, VALIDATION), (VALIDATION, GUARD)
_SHOWN = 20  # clips in report.json
Sides = dict[str, list[tuple[Clip, Features]]]


@dataclass(frozen=True)
class SpeechRecipe(Tuning, SpeechSources):
    """One run of fine-tuning speech recognition. Fields of the loop stand in Schedule, of the model in Tuning,
    of the clips in SpeechSources.
    """

    weights: str = "whisper-base"  #: name in the catalogue, an artefact of this task, a Hugging Face folder or an id
    silence: float = 5.0  #: seconds after a clip in its window, as serving has them
    training_silence: float = 2.0  #: the same in training, on average: less costs less
    speed_change: float = 0.1  #: each clip is also heard so much faster and slower; 0: as it is alone
    frequency_mask: int = 12  #: SpecAugment: widest of two bands that are blanked, of 80; 0: none
    time_mask: float = 0.12  #: SpecAugment: longest of two stretches that are blanked, as a share of the clip; 0: none
    spliced: int = 0  #: further words made of syllables of Chinese clips (splicing.py)
    label_smoothing: float = 0.1
    dropout: float = 0.0
    batch_size: int = 16
    beam: int = 5  #: width of the search in the figures before and after
    quantisation: str = "float16"  #: of the artefact; or int8


@dataclass(frozen=True)
class SpeechPlaces:
    """Where a run finds things: the weights with what is read beside them, and a folder for features."""

    weights: Path
    config: Path
    tokenizer: Path
    cache: Path


def places(catalogue: Catalogue, name: str, cache: Path) -> SpeechPlaces:
    """The files of the speech model called `name`: entries name-config and name-tokenizer, or what lies beside the weights.

    Raises NotFound or ModelUnavailable as `Catalogue.locate`.
    """
    weights = catalogue.locate(name)
    known = {entry.name for entry in catalogue.entries()}
    config, tokenizer = (
        catalogue.locate(f"{name}-{part}") if f"{name}-{part}" in known else weights.parent / f"{part}.json"
        for part in ("config", "tokenizer")
    )
    return SpeechPlaces(weights, config, tokenizer, cache / "speech")


def train(
    recipe: SpeechRecipe,
    root: Path,
    locate: Callable[[str], Path],
    where: SpeechPlaces,
    output: Path,
    report: Report,
    *,
    restart: bool = False,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`; a run that was cut off goes on where it was.

    Args:
        recipe: what to train.
        root: the folder that tables which are not below the data folder count from.
        locate: finds a path below the data folder.
        where: the model's files, and the folder for features.
        output: where the artefact goes; its checkpoints stand in `output`/checkpoints until it is done.
        report: told (step, steps, text) as it goes.
        restart: leave old checkpoints aside.

    Raises:
        BadInput: the recipe or its clips cannot be used.
        ModelUnavailable: the base weights cannot be read.
        MissingDependency: the extra `voice` is not installed.
        FloatingPointError: the loss is not finite.
    """
    with processes.together():
        run = Run(recipe, root, locate, where, report)
        folder = checkpoints.folder_of(output, restart=restart)
        report(0, 0, f"before training: {told(run.rates(run.before))}")
        fitted = run.fit(folder, report)
        return checkpoints.finished(folder, lambda: run.save(output, fitted, report))


def told(figures: Mapping[str, float]) -> str:
    """Figures on one line."""
    return ", ".join(f"{name} {value:.3f}" for name, value in figures.items())


class Run:
    """One recogniser and its clips, as a recipe asks. Raises BadInput when recipe or clips cannot be used."""

    def __init__(
        self, recipe: SpeechRecipe, root: Path, locate: Callable[[str], Path], where: SpeechPlaces, report: Report
    ) -> None:
        begin(recipe)
        require_choice("quantisation", recipe.quantisation, QUANTISATIONS)
        self.recipe = recipe
        clips = clips_of(recipe, root, locate, report)
        self.whisper = load_whisper(where.weights, where.config, where.tokenizer)
        self._ear = Ear(self.whisper.bands, where.cache)
        self.sides: Sides = {name: self._rows(name, found) for name, found in clips.items()}
        counted = {name: len(rows) for name, rows in self.sides.items() if rows}
        report(0, 0, "clips: " + ", ".join(f"{name} {count:,}" for name, count in counted.items()))
        self._require_both()
        self._window = Window(recipe.silence)
        self._augmented = Window(recipe.training_silence, recipe.frequency_mask, recipe.time_mask, spread=0.5)

    @cached_property
    def before(self) -> dict[str, list[Heard]]:
        """What the base hears; asked for first, before `module` makes a learner of it."""
        return from_main(lambda: self._served(self.whisper.model))

    @cached_property
    def module(self) -> Recogniser:
        """What learns."""
        return Recogniser(self.whisper, tuned(self.whisper.model, self.recipe), self.recipe.label_smoothing)

    def _rows(self, name: str, clips: Sequence[Clip]) -> list[tuple[Clip, Features]]:
        """The clips with their features; those whose audio or text cannot be used are refused, or skipped on request."""
        speeds = self._speeds if name == TRAIN else (1.0,)
        chosen = clips if name == TRAIN else spread(clips, self.recipe.validation_rows)
        found, bad = [], []
        for clip in chosen:
            try:
                found.append((clip, row(self.whisper, clip.text, clip.language, self._ear.features(clip, speeds))))
            except ValueError as error:
                bad.append(BadRow(clip.where, str(error)))
        refuse(bad, len(chosen), "clips", on_bad=self.recipe.bad_rows)
        return found

    def _spliced(self) -> list[Features]:
        """Rows of words that no training clip says and none that is held out does."""
        if not self.recipe.spliced:
            return []
        clips = [clip for clip, _ in self.sides[TRAIN] if clip.language == "zh"]
        spoken = (Spoken(clip.text, clip.speaker, read_clip(clip.file)) for clip in clips)
        held = [clip.text for clip, _ in self.sides[VALIDATION]]
        made = splicing.spliced(spoken, self.recipe.spliced, held, self.recipe.seed)
        return [row(self.whisper, one.text, "zh", self._kept(one)) for one in made]

    def _kept(self, made: Spoken) -> list[Path]:
        return self._ear.kept(hashlib.sha256(made.samples.tobytes()).hexdigest(), lambda: made.samples, self._speeds)

    @property
    def _speeds(self) -> tuple[float, ...]:
        """At which training clips are heard."""
        change = self.recipe.speed_change
        return (1.0, 1 - change, 1 + change) if change else (1.0,)

    def _require_both(self) -> None:
        counts = {name: len(self.sides[name]) for name in _SIDES}
        if not all(counts.values()):
            raise BadInput(
                "There is nothing to train on." if not counts[TRAIN] else "Nothing is left to validate on.",
                cause=f"{counts[TRAIN]} clips are for training, {counts['validation']} held out.",
                next_step="Give more clips, name a validation table, or change validation_share or held_out_by.",
            )

    def fit(self, folder: Path, report: Report) -> Fitted:
        """Train, from the newest checkpoint in `folder` if it has one of this run; leaves the best state."""
        rows = [features for _, features in self.sides[TRAIN]] + self._spliced()
        seen = checkpoints.digest([(r["words"], [path.name for path in r["files"]]) for r in rows])
        from_main(lambda: checkpoints.claim(folder, asdict(self.recipe) | {"clips": seen}))
        schedule = replace(self.recipe, metric=self.recipe.metric or METRIC)
        batches = partial(collate, whisper=self.whisper, window=self._augmented)
        return fit(self.module, rows, batches, self.judge, schedule, folder, report)

    def judge(self) -> dict[str, float]:
        """The figures on validation and guard as the model stands, with the likeliest token each time."""
        heard = {name: self._greedy(name, timed=True) for name in _JUDGED}
        return {METRIC: recognised(heard[VALIDATION])} | self.rates(heard)

    def rates(self, heard: Mapping[str, Sequence[Heard]]) -> dict[str, float]:
        """Error rates on validation, and on the guard under names that begin so."""
        guarded = {f"{GUARD}_{name}": rate for name, rate in error_rates(heard[GUARD]).items()}
        return error_rates(heard[VALIDATION]) | guarded

    def _greedy(self, name: str, *, timed: bool) -> list[Heard]:
        """What torch hears on a side, in its order; clips of one language and like length go through together."""
        rows = self.sides[name]
        device = next(self.module.parameters()).device
        order = sorted(range(len(rows)), key=lambda i: (rows[i][0].language, rows[i][1]["length"]))
        texts = [""] * len(rows)
        for language in {clip.language for clip, _ in rows}:
            spoken = [i for i in order if rows[i][0].language == language]
            for at in range(0, len(spoken), self.recipe.batch_size):
                chosen = spoken[at : at + self.recipe.batch_size]
                windows = stacked([self._window.of(load(rows[i][1]["files"][0])) for i in chosen])
                found = self.module.transcribe(windows.to(device), language, timed=timed)
                for i, text in zip(chosen, found, strict=True):
                    texts[i] = text
        return [Heard(clip.text, text, clip.language) for (clip, _), text in zip(rows, texts, strict=True)]

    def _served(self, model: Any) -> dict[str, list[Heard]]:
        """What `model`, without adapters, hears when it is served."""
        with TemporaryDirectory() as folder:
            write(self.whisper, model, Path(folder), self.recipe.quantisation)
            return self._heard(Path(folder))

    def _heard(self, folder: Path) -> dict[str, list[Heard]]:
        """What the model in `folder` hears on validation and guard, through the engine that serves."""
        served = WhisperTranscriber(folder, threads=torch.get_num_threads(), beam=self.recipe.beam)

        def heard(clip: Clip) -> Heard:
            sound = Audio(read_clip(clip.file), RATE)
            return Heard(clip.text, served.transcribe(sound, language=clip.language).text, clip.language)

        return {name: [heard(clip) for clip, _ in self.sides[name]] for name in _JUDGED}

    def save(self, output: Path, fitted: Fitted, report: Report) -> Manifest:
        """Merge, write for CTranslate2, listen through it, and write the artefact with its report."""
        self.module.model = merged(self.module.model)
        points = [(0, 1 - recognised(self.before[VALIDATION])), *_curve(fitted)]
        with written_whole(output) as folder:
            write(self.whisper, self.module.model, folder, self.recipe.quantisation)
            after = self._heard(folder)
            figures = self._figures(after, fitted) | {"agreement": self._agreement(folder)}
            report(0, 0, f"after training, as served: {told(self.rates(after))}")
            (folder / CURVE).write_bytes(curve_picture(points, "error rate on held-out clips", self.recipe.name))
            page = {"figures": figures, "curve": points, "samples": self._samples(after)}
            (folder / REPORT).write_text(json.dumps(page, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            return described(folder, self._manifest(figures))

    def _agreement(self, folder: Path) -> float:
        """The share of validation clips that the engine writes as torch does."""
        rows = self.sides[VALIDATION]
        windows = ((self._window.of(load(features["files"][0])), clip.language) for clip, features in rows)
        theirs = exact_texts(folder, self.whisper, windows, torch.get_num_threads())
        return agreement([one.heard for one in self._greedy(VALIDATION, timed=False)], theirs)

    def _figures(self, after: Mapping[str, Sequence[Heard]], fitted: Fitted) -> dict[str, float]:
        return {
            **{f"{name}_before": rate for name, rate in self.rates(self.before).items()},
            **self.rates(after),
            **{f"{name}_rows": float(len(rows)) for name, rows in self.sides.items()},
            "minutes": fitted.seconds / 60,
            "samples_per_second": fitted.samples / max(fitted.seconds, 1e-9),
        }

    def _samples(self, after: Mapping[str, Sequence[Heard]]) -> list[dict[str, str]]:
        """A few clips with what was said and heard; those that changed come first."""
        both = [
            {"side": name, "said": new.said, "before": old.heard, "after": new.heard}
            for name in _JUDGED
            for old, new in zip(self.before[name], after[name], strict=True)
        ]
        return sorted(both, key=lambda pair: pair["before"] == pair["after"])[:_SHOWN]

    def _manifest(self, figures: Mapping[str, float]) -> Manifest:
        recipe = self.recipe
        spoken = Counter(clip.language for clip, _ in self.sides[TRAIN])
        return Manifest(
            name=recipe.name,
            task=TASK,
            base=recipe.weights,
            created_at=datetime.now(UTC),
            licence="that of the training data and of the base weights",
            data=tuple(filter(None, (recipe.attribution, *recipe.files(TRAIN), *recipe.files(VALIDATION)))),
            metrics={name: round(value, 4) for name, value in figures.items() if math.isfinite(value)},
            labels={},
            settings=asdict(recipe),
            languages=tuple(language for language, _ in spoken.most_common()),
        )


def _curve(fitted: Fitted) -> list[tuple[int, float]]:
    """(step, error rate) at each evaluation, by step."""
    name = f"eval_{METRIC}"
    return sorted({int(point["step"]): 1 - point[name] for point in fitted.history if name in point}.items())
