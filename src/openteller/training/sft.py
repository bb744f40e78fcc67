"""Supervised fine-tuning of a decoder on chats, with the loss on the assistant's tokens alone (Ouyang et al. 2022, step 1).

    recipe ─▶ chats (read, held out by what was asked) ─▶ tokens and targets ─▶ loop ─▶ answers before, after ─▶ artefact

Knows nothing about the command line.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from openteller.core.clock import utc_now
from openteller.core.errors import BadInput
from openteller.registry.manifest import REPORT, Manifest
from openteller.training import checkpoints, processes
from openteller.training.artefacts import CURVE, described, written_whole
from openteller.training.chats import Chat, chat_of, collate, end_ids, features, give_template, prompt_ids
from openteller.training.datasets.readers import OnBad, read
from openteller.training.datasets.records import BadRow, refuse
from openteller.training.decoders import CausalModule, load_decoder, tuned
from openteller.training.evaluation.perplexity import METRIC, curve, loss_figures
from openteller.training.evaluation.pictures import curve_picture
from openteller.training.examples import held_out
from openteller.training.fitting import Fitted, fit, steps_of
from openteller.training.gguf_export import Export
from openteller.training.grounded import Prompt, grounded_chats
from openteller.training.optimisation import Report
from openteller.training.processes import from_main
from openteller.training.provenance import languages
from openteller.training.tasks.task import Features
from openteller.training.tuning import LanguageTuning, Places, begin, measured_often

TASK = "sft"


@dataclass(frozen=True)
class SftRecipe(LanguageTuning):
    """One run of supervised fine-tuning. Fields of loop and model stand in LanguageTuning."""

    weights: str = "gemma3-270m"  #: name in the catalogue of weights, or what pre-training wrote
    adapter: str = "lora"
    train: str = ""  #: a file of chats below OPENTELLER_DATA: messages, or prompt and completion
    validation: str = ""  #: another; empty: a share of the chats is held out
    columns: dict[str, str] = field(default_factory=dict)  #: our name of a column → the file's
    articles: str = ""  #: a folder of articles to make grounded chats of
    products: str = ""  #: the folder of the products whose figures they name
    passages: int = 3  #: sources in a grounded chat
    validation_share: float = 0.1
    validation_rows: int = 200  #: held-out chats that are measured on
    bad_rows: OnBad = "error"
    batch_size: int = 4
    max_tokens: int = 512
    samples: int = 4  #: held-out prompts that are answered before and after, for the report
    answer_tokens: int = 96  #: the longest such answer


def train(
    recipe: SftRecipe,
    root: Path,
    locate: Callable[[str], Path],
    places: Places,
    prompt: Prompt,
    output: Path,
    report: Report,
    *,
    restart: bool = False,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`; a run that was cut off goes on where it was.

    Args:
        recipe: what to train.
        root: the folder that paths of articles and products count from.
        locate: finds the path of a data set.
        places: where weights and caches are.
        prompt: writes the messages before a grounded answer, as serving does.
        output: where the artefact goes; its checkpoints stand in `output`/checkpoints until it is done.
        report: told (step, steps, text) as it goes.
        restart: leave old checkpoints aside.

    Raises:
        BadInput: the recipe or its chats cannot be used.
        ModelUnavailable: the base weights cannot be read.
        FloatingPointError: the loss is not finite.
    """
    with processes.together():
        run = Run(recipe, root, locate, places, prompt)
        folder = checkpoints.folder_of(output, restart=restart)
        before, told = run.judge(), run.answers()
        report(0, 0, f"held-out answers have perplexity {before['perplexity']:.2f} before training")
        fitted = run.fit(folder, report)
        return checkpoints.finished(folder, lambda: run.save(output, before, told, fitted))


class Run:
    """One decoder and its chats, as a recipe asks. Raises BadInput when recipe or chats cannot be used."""

    def __init__(
        self, recipe: SftRecipe, root: Path, locate: Callable[[str], Path], places: Places, prompt: Prompt
    ) -> None:
        begin(recipe)
        self.recipe = recipe
        export = Export(places.base, places.weights == places.base, recipe.in_adapter, recipe.gguf, recipe.lora_alpha)
        export.check()
        self._export = export
        chats = _chats(recipe, root, locate, prompt)
        decoder = load_decoder(places.weights, places.cache / "decoders")
        self.tokenizer = decoder.tokenizer
        give_template(self.tokenizer)
        decoder.model.generation_config.eos_token_id = end_ids(self.tokenizer)
        self.chats = {side: self._read(found) for side, found in chats.items()}
        self._require_both()
        self.module = CausalModule(tuned(decoder.model, recipe))
        self.steps = steps_of(recipe, len(self.chats["train"]))

    def _read(self, chats: Iterable[Chat]) -> list[tuple[Chat, Features]]:
        """The chats with their tokens; those that the template does not take are refused, or skipped on request."""
        found, bad = [], []
        for chat in chats:
            try:
                found.append((chat, features(chat, self.tokenizer, self.recipe.max_tokens)))
            except ValueError as error:
                bad.append(BadRow(chat.where, str(error)))
        refuse(bad, len(found) + len(bad), "chats", on_bad=self.recipe.bad_rows)
        return found

    def _require_both(self) -> None:
        counts = {side: len(found) for side, found in self.chats.items()}
        if not all(counts.values()):
            raise BadInput(
                "There is nothing to train on." if not counts["train"] else "Nothing is left to validate on.",
                cause=f"{counts['train']} chats are for training, {counts['validation']} held out by what was asked.",
                next_step="Give more chats, name a validation file, or change validation_share.",
            )

    def fit(self, folder: Path, report: Report) -> Fitted:
        """Train, from the newest checkpoint in `folder` if it has one of this run; leaves the best state."""
        rows = [row for _, row in self.chats["train"]]
        seen = hashlib.sha256(json.dumps([row["ids"] for row in rows]).encode()).hexdigest()
        from_main(lambda: checkpoints.claim(folder, asdict(self.recipe) | {"chats": seen}))
        schedule = measured_often(self.recipe, self.steps, METRIC)
        return fit(self.module, rows, self._collate, self.judge, schedule, folder, report)

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """The figures on the answers of held-out chats as the model stands."""
        self.module.eval()
        device, total, tokens = next(self.module.parameters()).device, 0.0, 0
        rows = [row for _, row in _spread(self.chats["validation"], self.recipe.validation_rows)]
        for at in range(0, len(rows), self.recipe.batch_size):
            batch = {name: t.to(device) for name, t in self._collate(rows[at : at + self.recipe.batch_size]).items()}
            loss, count = self.module.summed(batch["input_ids"], batch["attention_mask"], batch["targets"])
            total, tokens = total + float(loss), tokens + count
        return loss_figures(total, tokens)

    @torch.no_grad()
    def answers(self) -> list[str]:
        """What the model says, the likeliest token each time, to a few held-out prompts."""
        self.module.eval()
        return [self._answer(chat) for chat, _ in self._sampled()]

    def _answer(self, chat: Chat) -> str:
        asked = prompt_ids(_asked(chat), self.tokenizer)[-self.recipe.max_tokens :]
        ids = torch.tensor([asked], device=next(self.module.parameters()).device)
        told = self.module.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=self.recipe.answer_tokens,
            do_sample=False, pad_token_id=self._pad, eos_token_id=end_ids(self.tokenizer),
        )  # fmt: skip
        return str(self.tokenizer.decode(told[0, len(asked) :], skip_special_tokens=True)).strip()

    def _sampled(self) -> list[tuple[Chat, Features]]:
        return _spread(self.chats["validation"], self.recipe.samples)

    def save(self, output: Path, before: dict[str, float], told: Sequence[str], fitted: Fitted) -> Manifest:
        """Measure and write the artefact, with a report that shows a few answers."""
        points = curve(before, fitted.history)
        after, tells = self.judge(), self.answers()
        figures = {
            "perplexity_before": before["perplexity"],
            **{f"perplexity_step_{step}": value for step, value in points if step},
            "perplexity": after["perplexity"],
            "log_likelihood": after["log_likelihood"],
            **{f"{side}_rows": float(len(found)) for side, found in self.chats.items()},
            "minutes": fitted.seconds / 60,
            "samples_per_second": fitted.samples / max(fitted.seconds, 1e-9),
        }
        samples = [
            {
                "messages": list(_asked(chat)),
                "approved": chat.messages[len(_asked(chat))]["content"],
                "before": old,
                "after": new,
            }
            for (chat, _), old, new in zip(self._sampled(), told, tells, strict=True)
        ]
        with written_whole(output) as folder:
            noted = self._export.write(self.module.model, self.tokenizer, folder)
            (folder / CURVE).write_bytes(curve_picture(points, "perplexity of held-out answers", self.recipe.name))
            page = {"figures": figures, "curve": points, "samples": samples}
            (folder / REPORT).write_text(json.dumps(page, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            manifest = Manifest(
                name=self.recipe.name,
                task=TASK,
                base=self.recipe.weights,
                created_at=datetime.now(UTC),
                licence="that of the training data and of the base weights",
                data=tuple(Path(p).name for p in (self.recipe.train, self.recipe.articles) if p),
                metrics={name: round(value, 4) for name, value in figures.items() if math.isfinite(value)},
                labels={},
                settings=asdict(self.recipe) | noted,
                languages=languages(message["content"] for chat, _ in self.chats["train"] for message in chat.messages),
            )
            return described(folder, manifest)

    @property
    def _pad(self) -> int:
        pad: int | None = self.tokenizer.pad_token_id
        return int(self.tokenizer.eos_token_id) if pad is None else pad

    def _collate(self, rows: Sequence[Features]) -> dict[str, Tensor]:
        return collate(rows, self._pad)


def _spread(held: Sequence[tuple[Chat, Features]], most: int) -> list[tuple[Chat, Features]]:
    """At most `most` of the held-out chats, from all over: neighbours have one article and one language."""
    count = min(most, len(held))
    return [held[i * len(held) // count] for i in range(count)]


def _asked(chat: Chat) -> tuple[dict[str, str], ...]:
    """The messages before the last answer."""
    last = max(i for i, message in enumerate(chat.messages) if message["role"] == "assistant")
    return chat.messages[:last]


def _chats(recipe: SftRecipe, root: Path, locate: Callable[[str], Path], prompt: Prompt) -> dict[str, list[Chat]]:
    """The chats of each side, repeated ones left out; what was asked in validation is not trained on."""
    if not recipe.train and not recipe.articles:
        raise BadInput("There is nothing to train on.", next_step="Name a file in train, or a folder in articles.")
    found: list[Chat] = []
    if recipe.train:
        found += _rows(locate(recipe.train), recipe)
    if recipe.articles:
        today = utc_now().date()
        products = root / recipe.products if recipe.products else None
        found += grounded_chats(root / recipe.articles, products, prompt, recipe.passages, today, recipe.seed)
    whole = _once(found)
    if recipe.validation:
        held = _once(_rows(locate(recipe.validation), recipe))
        asked = {chat.key for chat in held}
        return {"train": [chat for chat in whole if chat.key not in asked], "validation": held}
    side = {chat.key: held_out(chat.key, recipe.validation_share) for chat in whole}
    return {"train": [c for c in whole if not side[c.key]], "validation": [c for c in whole if side[c.key]]}


def _once(chats: Iterable[Chat]) -> list[Chat]:
    found: dict[Any, Chat] = {}
    for chat in chats:
        found.setdefault(json.dumps(chat.messages, sort_keys=True), chat)
    return list(found.values())


def _rows(path: Path, recipe: SftRecipe) -> list[Chat]:
    found, bad = [], []
    for record in read(path, on_bad=recipe.bad_rows):
        try:
            found.append(chat_of(record, recipe.columns))
        except ValueError as error:
            bad.append(BadRow(record.where, str(error)))
    refuse(bad, len(found) + len(bad), "chats", on_bad=recipe.bad_rows)
    return found
