"""Fine-tunes the encoder with one classification head: length-grouped batches, AdamW, linear schedule.

Every layer but the vocabulary is trained. The best epoch on validation is kept; the data's own test split is never read.
"""

import copy
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from tokenizers import Encoding, Tokenizer

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.registry.manifest import Manifest, write_manifest
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.backbone import MultiHead, load_backbone
from openteller.training.calibration import expected_calibration_error, fit_temperature
from openteller.training.optimisation import autocast, descend, linear_schedule

Report = Callable[[int, int, str], None]
Row = tuple[str, int]


@dataclass(frozen=True)
class ClassificationRecipe:
    """One run of single-label classification."""

    name: str = "classifier"
    weights: str = "e5-small"  #: name in the catalogue of weights
    train: str = ""  #: JSONL with text and label, below OPENTELLER_DATA or absolute
    validation_share: float = 0.1  #: taken from each label, at least one text
    epochs: int = 4
    batch_size: int = 32
    learning_rate: float = 2e-4
    warmup: float = 0.1  #: share of the steps
    label_smoothing: float = 0.1
    dropout: float = 0.1
    seed: int = 20261123
    threads: int = 0  #: 0 leaves the choice to torch: every core the process may use
    precision: str = "fp32"  #: or bf16, twice as fast where the processor multiplies bfloat16


def read_rows(path: Path) -> tuple[list[Row], tuple[str, ...]]:
    """(text, label id) of each line and the labels. Raises BadInput naming the first bad line."""
    texts: list[tuple[str, str]] = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The data {path} cannot be read.", cause=str(error), next_step="Name a JSONL file.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row["text"], str) or not isinstance(row["label"], str | int):
                raise TypeError("text has to be a string, label a string or a whole number")
            text, label = normalise(row["text"]), str(row["label"])
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"Line {number} of {path.name} cannot be used.",
                cause=f"It is not a JSON object with text and label ({error}).",
                next_step="Correct or remove the line.",
            ) from error
        if text:
            texts.append((text, label))
    labels = tuple(sorted({label for _, label in texts}))
    if len(labels) < 2:
        raise BadInput(f"{path.name} has {len(labels)} label(s).", next_step="A classifier needs at least two.")
    ids = {label: i for i, label in enumerate(labels)}
    return [(text, ids[label]) for text, label in texts], labels


def split(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Training and validation, stratified by label; texts of a label that fold alike stay on one side.

    A label with a single text is trained on and not validated.
    """
    by_label: dict[int, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for text, label in rows:
        by_label[label][fold(text)].append((text, label))
    train, validation = [], []
    for label in sorted(by_label):
        groups = sorted(by_label[label].values())
        random.Random(seed + label).shuffle(groups)
        cut = min(max(1, round(len(groups) * share)), len(groups) - 1)
        validation += [row for group in groups[:cut] for row in group]
        train += [row for group in groups[cut:] for row in group]
    return train, validation


def train(recipe: ClassificationRecipe, data: Path, weights_path: Path, output: Path, report: Report) -> Manifest:
    """Run `recipe` on `data` and write the artefact to `output`; `report` gets (step, steps, text)."""
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    rows, labels = read_rows(data)
    train_rows, validation = split(rows, recipe.validation_share, recipe.seed)
    if not validation:
        raise BadInput(f"{data.name} has one text a label.", next_step="Validation needs two of at least one label.")
    weights = load_backbone(weights_path)
    tokenizer = build_tokenizer(weights, max_tokens=128)
    model = MultiHead(weights, {"label": len(labels)}, dropout=recipe.dropout)
    started = time.time()
    accuracy = _fit(model, tokenizer, train_rows, validation, recipe, report)
    logits = predict(model, tokenizer, [text for text, _ in validation])
    gold = np.array([label for _, label in validation])
    temperature = fit_temperature(logits, gold)
    metrics = _figures(logits / temperature, gold) | {
        "best_epoch_accuracy": accuracy,
        "train_rows": float(len(train_rows)),
        "validation_rows": float(len(validation)),
        "minutes": (time.time() - started) / 60,
    }
    output.mkdir(parents=True, exist_ok=True)
    save_file(model.encoder_tensors(), output / "encoder.safetensors")
    head = model.linear_heads()["label"]
    save_file({"label.weight": head.weight, "label.bias": head.bias}, output / "heads.safetensors")
    manifest = Manifest(
        name=recipe.name,
        task="classification",
        base=recipe.weights,
        created_at=datetime.now(UTC),
        licence="that of the training data and of the base weights",
        data=(data.name,),
        metrics={name: round(value, 4) for name, value in metrics.items()},
        labels={"label": labels},
        temperatures={"label": round(temperature, 4)},
        settings=asdict(recipe),
    )
    return write_manifest(output, manifest)


def _fit(
    model: MultiHead,
    tokenizer: Tokenizer,
    rows: list[Row],
    validation: list[Row],
    recipe: ClassificationRecipe,
    report: Report,
) -> float:
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=recipe.learning_rate, weight_decay=0.01)
    steps = recipe.epochs * -(-len(rows) // recipe.batch_size)
    schedule = linear_schedule(optimiser, steps, recipe.warmup)
    ids = [e.ids for e in _unpadded(tokenizer, [text for text, _ in rows])]
    gold = np.array([label for _, label in validation])
    best, kept, step = -1.0, None, 0
    for epoch in range(recipe.epochs):
        model.train()
        for batch in length_grouped([len(i) for i in ids], recipe.batch_size, recipe.seed + epoch):
            inputs, mask = padded([ids[i] for i in batch], _pad(tokenizer))
            with autocast(recipe.precision):
                logits = model.head("label", *model(inputs, mask))
            target = torch.tensor([rows[i][1] for i in batch])
            loss = F.cross_entropy(logits.float(), target, label_smoothing=recipe.label_smoothing)
            descend(loss, trainable, optimiser, schedule, step)
            step += 1
            report(step, steps, f"epoch {epoch + 1} loss {loss.item():.3f}")
        found = predict(model, tokenizer, [text for text, _ in validation])
        accuracy = float((found.argmax(1) == gold).mean())
        report(step, steps, f"epoch {epoch + 1} validation accuracy {accuracy:.4f}")
        if accuracy > best:
            best, kept = accuracy, copy.deepcopy(model.state_dict())
    if kept is not None:
        model.load_state_dict(kept)
    return best


def length_grouped(lengths: Sequence[int], size: int, seed: int) -> list[list[int]]:
    """Batches of similar length in random order: shuffled, sorted within windows of 50 batches, then dealt."""
    order = list(range(len(lengths)))
    draw = random.Random(seed)
    draw.shuffle(order)
    batches = []
    for at in range(0, len(order), size * 50):
        window = sorted(order[at : at + size * 50], key=lambda i: lengths[i])
        batches += [window[i : i + size] for i in range(0, len(window), size)]
    draw.shuffle(batches)
    return batches


def padded(ids: Sequence[Sequence[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (n, longest) and their mask."""
    longest = max(map(len, ids))
    inputs = torch.tensor([[*row, *[pad] * (longest - len(row))] for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    return inputs, mask


@torch.no_grad()
def predict(model: MultiHead, tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """(n, labels) float64 logits of the head ``label``."""
    model.eval()
    ids = [e.ids for e in _unpadded(tokenizer, texts)]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    rows: dict[int, np.ndarray] = {}
    for at in range(0, len(order), 64):
        chosen = order[at : at + 64]
        mean, tokens = model(*padded([ids[i] for i in chosen], _pad(tokenizer)))
        for i, row in zip(chosen, model.head("label", mean, tokens).double().numpy(), strict=True):
            rows[i] = row
    return np.stack([rows[i] for i in range(len(ids))])


def _pad(tokenizer: Tokenizer) -> int:
    return int(tokenizer.token_to_id("<pad>") or 0)


def _unpadded(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    tokenizer.no_padding()
    return list(tokenizer.encode_batch([fold(text) for text in texts]))


def _figures(logits: np.ndarray, gold: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import f1_score

    chances = np.exp(logits - logits.max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    predicted = chances.argmax(1)
    correct = (predicted == gold).astype(float)
    return {
        "accuracy": float(correct.mean()),
        "macro_f1": float(f1_score(gold, predicted, average="macro")),
        "ece": expected_calibration_error(chances.max(1), correct),
    }
