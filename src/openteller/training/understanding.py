"""Trains the understanding heads and the retrieval space on one encoder, in one run.

Each step takes pairs of questions that ask the same thing (InfoNCE with in-batch negatives, van den Oord et al. 2018,
half of them from one category so that near neighbours must be told apart), public pairs with one label, and labelled texts (intent, sentiment, needs,
entity tags), and lowers the sum of the losses. What is shipped: LoRA matrices, heads, temperatures.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file
from tokenizers import Tokenizer
from torch import Tensor

from openteller.core.errors import BadInput
from openteller.core.text import fold
from openteller.core.yaml_text import read_yaml
from openteller.feedback.records import Head
from openteller.registry.manifest import Manifest
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.artefacts import described
from openteller.training.backbone import MultiHead, adapter_rank, mixed
from openteller.training.calibration import fit_binary_temperature, fit_temperature
from openteller.training.corrections import NOTED, Corrected, apply
from openteller.training.evaluation.measures import measure
from openteller.training.evaluation.predictions import SingleLabel
from openteller.training.examples import (
    ENTITY_TYPES,
    SENTIMENTS,
    Example,
    Taxonomy,
    added,
    article_questions,
    authored,
    faq_questions,
    golds,
    held_out,
    mapped,
    read_taxonomy,
    relabelled,
    same_label,
)
from openteller.training.optimisation import Report, autocast, descend, linear_schedule

_TOGETHER = 24  # texts of like length in one pass
TAGS = ("O", *(f"{side}-{kind}" for kind in ENTITY_TYPES for side in ("B", "I")))


@dataclass(frozen=True)
class UnderstandingRecipe:
    """One training run of the understanding model."""

    name: str = "understanding-zh-en"
    weights: str = "e5-small"  #: name in the catalogue of weights
    examples: str = "recipes/data/understanding"  #: authored utterances and TAXONOMY.yaml
    articles: str = "src/openteller/demo/bank/articles"  #: bank articles whose questions form the pairs
    faq: str = ""  #: entries of imagined banks' FAQs, whose wordings form pairs as well; empty to go without
    banking77: str = ""  #: folder of BANKING77 below OPENTELLER_DATA, empty to go without
    clinc150: str = ""  #: folder of CLINC150, likewise
    start: str = ""  #: folder of an artefact to continue from, empty to start from the base
    mix: dict[str, float] = field(
        default_factory=dict
    )  #: artefacts to start from instead: folder → share of its adapter
    steps: int = 400  #: 0 trains the heads alone
    pairs: int = 32  #: question pairs a step
    labelled: int = 32  #: authored texts a step
    public: int = 16  #: texts of public sets a step
    public_pairs: int = 0  #: pairs of BANKING77 texts with one label a step
    learning_rate: float = 5e-4  #: of the LoRA matrices
    head_learning_rate: float = 5e-3
    keep: float = 1.0  #: share of what the encoder learned that is kept at the end, 0–1; below 1 it stays more general
    head_steps: int = 0  #: after that, steps of the heads alone
    warmup: float = 0.06  #: share of the steps
    lora_rank: int = 16
    dropout: float = 0.0
    label_smoothing: float = 0.05
    contrast: float = 0.02  #: temperature of the contrastive loss
    seed: int = 20261123
    threads: int = 0  #: 0 leaves the choice to torch: every core the process may use
    precision: str = "fp32"  #: or bf16, twice as fast where the processor multiplies bfloat16


class Corpus:
    """The examples of a run, split by hash into training and validation, with what staff corrected among the former."""

    def __init__(
        self,
        recipe: UnderstandingRecipe,
        root: Path,
        data: Callable[[str], Path] = Path,
        corrections: Path | None = None,
    ) -> None:
        examples = root / recipe.examples
        self.taxonomy: Taxonomy = read_taxonomy(examples / "TAXONOMY.yaml")
        self.intents = tuple(self.taxonomy.intents)
        own = list(authored(examples, self.taxonomy))
        questions = list(article_questions(root / recipe.articles))
        questions += faq_questions(root / recipe.faq) if recipe.faq else []
        self.train = [e for e in own if not held_out(e.text)]
        self.validation = [e for e in own if held_out(e.text)]
        self.questions = [e for e in questions if not held_out(e.text)]
        self.held_questions = [e for e in questions if held_out(e.text)]
        if not (self.train and self.validation and self.questions):
            raise BadInput(
                "There is too little to train on.",
                cause=f"{len(own)} utterances in {recipe.examples}, {len(questions)} questions in {recipe.articles}.",
                next_step="Add more: about one text in seven is kept for validation.",
            )
        self.public: list[Example] = []
        self.public_groups: list[list[Example]] = []
        self.attribution = ["Utterances and articles written by this project (Apache-2.0)"]
        mappings = root / "recipes/data/mappings"
        if recipe.banking77:
            rules = read_yaml((mappings / "banking77.yaml").read_text(encoding="utf-8"))
            self.public += mapped(data(recipe.banking77) / "train.jsonl", rules, "banking77", 80)
            self.public_groups = same_label(data(recipe.banking77) / "train.jsonl", "banking77")
            self.attribution.append("BANKING77, Casanueva et al. 2020, CC BY 4.0 (training split, labels mapped)")
        if recipe.clinc150:
            rules = read_yaml((mappings / "clinc150.yaml").read_text(encoding="utf-8"))
            self.public += mapped(data(recipe.clinc150) / "train.jsonl", rules, "clinc150", 25)
            self.public += mapped(data(recipe.clinc150) / "oos_train.jsonl", {"*": "out_of_scope"}, "clinc150", 100)
            self.attribution.append("CLINC150, Larson et al. 2019, CC BY 3.0 (training split, labels mapped)")
        self.corrected = self._correct(corrections) if corrections else None

    def _correct(self, corrections: Path) -> Corrected:
        held = {fold(example.text) for example in (*self.validation, *self.held_questions)}
        labels = {Head.INTENT: self.intents, Head.SENTIMENT: SENTIMENTS, Head.NEEDS: self.taxonomy.needs}
        original = golds((*self.train, *self.questions, *self.public))
        corrected = apply(corrections, original, held, labels)
        self.train = [*relabelled(self.train, corrected.relabelled), *added(corrected.added)]
        self.questions = relabelled(self.questions, corrected.relabelled)
        self.public = relabelled(self.public, corrected.relabelled)
        self.attribution.append(corrected.attribution())
        return corrected


def train(
    recipe: UnderstandingRecipe,
    root: Path,
    weights_path: Path,
    output: Path,
    report: Report,
    data: Callable[[str], Path] = Path,
    corrections: Path | None = None,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`.

    Args:
        recipe: what to train.
        root: folder that the recipe's examples and articles are relative to.
        weights_path: the base encoder's file.
        output: where the artefact goes.
        report: told (step, steps, text) as it goes.
        data: finds the folder of a public set.
        corrections: further labels, as `feedback.curated` writes them.
    """
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    random.seed(recipe.seed)
    corpus = Corpus(recipe, root, data, corrections)
    for line in corpus.corrected.lines() if corpus.corrected else ():
        report(0, 0, line)
    weights = load_backbone(weights_path)
    tokenizer = build_tokenizer(weights, max_tokens=96)
    sizes = {"intent": len(corpus.intents), "sentiment": 3, "needs": len(corpus.taxonomy.needs), "tags": len(TAGS)}
    starting = _starting(recipe, root)
    rank = adapter_rank(starting.adapter) if starting else recipe.lora_rank
    model = MultiHead(weights, sizes, token_heads=frozenset({"tags"}), lora_rank=rank, dropout=recipe.dropout)
    if starting:
        model.load(starting.adapter, starting.heads)
    started = time.time()
    _fit(model, tokenizer, corpus, recipe, report)
    model.keep(recipe.keep, weights)
    _fit_heads(model, tokenizer, corpus, recipe, report)
    temperatures, metrics = evaluate(model, tokenizer, corpus)
    metrics["minutes"] = round((time.time() - started) / 60, 1)
    return _save(model, corpus, recipe, temperatures, metrics, output)


class _Starting(NamedTuple):
    adapter: dict[str, np.ndarray]
    heads: dict[str, np.ndarray]


def _starting(recipe: UnderstandingRecipe, root: Path) -> _Starting | None:
    """What a run starts from: one artefact, or several whose adapters are mixed, with the heads of the last."""
    shares = recipe.mix or ({recipe.start: 1.0} if recipe.start else {})
    if not shares:
        return None
    folders = [root / name for name in shares]
    adapters = [load_file(folder / "adapter.safetensors") for folder in folders]
    return _Starting(mixed(adapters, list(shares.values())), load_file(folders[-1] / "heads.safetensors"))


def _fit(model: MultiHead, tokenizer: Tokenizer, corpus: Corpus, recipe: UnderstandingRecipe, report: Report) -> None:
    trainable = [p for p in model.parameters() if p.requires_grad]
    adapted = [p for p in model.encoder.parameters() if p.requires_grad]
    groups = [
        {"params": adapted, "lr": recipe.learning_rate},
        {"params": list(model.heads.parameters()), "lr": recipe.head_learning_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = linear_schedule(optimiser, recipe.steps, recipe.warmup)
    draw = _Draw(corpus, recipe)
    model.train()
    for step in range(recipe.steps):
        anchors, positives, labelled = draw.batch()
        known, again = draw.public_pairs()
        examples = [*anchors, *positives, *known, *again, *labelled]
        with autocast(recipe.precision):
            mean, tokens, batch = encode(model, tokenizer, [e.text for e in examples])
        mean, tokens = mean.float(), tokens.float()
        losses = task_losses(model, mean, tokens, examples, batch, corpus, recipe.label_smoothing)
        losses["pairs"] = contrastive_loss(mean[: 2 * len(anchors)], recipe.contrast)
        if known:
            at = 2 * len(anchors)
            losses["public pairs"] = contrastive_loss(mean[at : at + 2 * len(known)], recipe.contrast)
        loss = torch.stack(list(losses.values())).sum()
        descend(loss, trainable, optimiser, schedule, step)
        report(step + 1, recipe.steps, " ".join(f"{k} {v.item():.3f}" for k, v in losses.items()))


def _fit_heads(
    model: MultiHead, tokenizer: Tokenizer, corpus: Corpus, recipe: UnderstandingRecipe, report: Report
) -> None:
    trainable = list(model.heads.parameters())
    optimiser = torch.optim.AdamW(trainable, lr=recipe.head_learning_rate, weight_decay=0.01)
    schedule = linear_schedule(optimiser, recipe.head_steps, recipe.warmup)
    draw = _Draw(corpus, recipe)
    model.train()
    model.encoder.eval()
    for step in range(recipe.head_steps):
        anchors, positives, labelled = draw.batch()
        examples = [*anchors, *positives, *labelled]
        with torch.no_grad():
            mean, tokens, batch = encode(model, tokenizer, [e.text for e in examples])
        losses = task_losses(model, mean, tokens, examples, batch, corpus, recipe.label_smoothing)
        descend(torch.stack(list(losses.values())).sum(), trainable, optimiser, schedule, step)
        report(step + 1, recipe.head_steps, " ".join(f"{k} {v.item():.3f}" for k, v in losses.items()))


class _Draw:
    """Draws the batches of a run."""

    def __init__(self, corpus: Corpus, recipe: UnderstandingRecipe) -> None:
        self.corpus, self.recipe, self.random = corpus, recipe, random.Random(recipe.seed)
        self.groups: dict[str, list[Example]] = defaultdict(list)
        for example in corpus.questions:
            self.groups[example.group or ""].append(example)
        order = {intent: i for i, intent in enumerate(corpus.intents)}
        asked_twice = [name for name, texts in self.groups.items() if len(texts) > 1]
        # Neighbours in this order are hard to tell apart: articles of one intent, entries of one topic.
        self.names = sorted(asked_twice, key=lambda g: (order.get(self.groups[g][0].intent or "", len(order)), g))
        self.queues: dict[str, list[Example]] = {}

    def batch(self) -> tuple[list[Example], list[Example], list[Example]]:
        near = min(self.recipe.pairs // 2, len(self.names))
        start = self.random.randrange(max(1, len(self.names)))
        chosen = [self.names[(start + i) % len(self.names)] for i in range(near)]
        rest = [name for name in self.names if name not in set(chosen)]
        chosen += self.random.sample(rest, min(self.recipe.pairs - near, len(rest)))
        pairs = [self.random.sample(self.groups[name], 2) for name in chosen]
        labelled = self._next("own", self.corpus.train, self.recipe.labelled)
        if self.corpus.public:
            labelled += self._next("public", self.corpus.public, self.recipe.public)
        return [a for a, _ in pairs], [b for _, b in pairs], labelled

    def public_pairs(self) -> tuple[list[Example], list[Example]]:
        """Pairs with one public label each, no label twice."""
        groups = self.corpus.public_groups
        chosen = self.random.sample(groups, min(self.recipe.public_pairs, len(groups)))
        pairs = [self.random.sample(group, 2) for group in chosen]
        return [a for a, _ in pairs], [b for _, b in pairs]

    def _next(self, name: str, source: Sequence[Example], count: int) -> list[Example]:
        queue = self.queues.setdefault(name, [])
        while len(queue) < count:
            queue.extend(self.random.sample(list(source), len(source)))
        taken, self.queues[name] = queue[:count], queue[count:]
        return taken


def encode(model: MultiHead, tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor, list[object]]:
    """Mean vectors (n, hidden), token vectors (n, tokens, hidden) and the tokenisations of folded `texts`.

    Texts of like length go through the encoder together, since a long story would pad every keyword to its own length.
    """
    batch = tokenizer.encode_batch([fold(t) for t in texts])
    ids = torch.tensor([e.ids for e in batch])
    mask = torch.tensor([e.attention_mask for e in batch])
    order = mask.sum(1).argsort()
    means, tokens = [], []
    for part in torch.split(order, _TOGETHER):
        longest = int(mask[part].sum(1).max())
        mean, hidden = model(ids[part, :longest], mask[part, :longest])
        means.append(mean)
        tokens.append(F.pad(hidden, (0, 0, 0, ids.shape[1] - longest)))
    back = order.argsort()
    return torch.cat(means)[back], torch.cat(tokens)[back], list(batch)


def contrastive_loss(mean: Tensor, temperature: float) -> Tensor:
    """Symmetric InfoNCE over (2n, d) vectors whose rows i and n + i are a pair."""
    vectors = F.normalize(mean, dim=1)
    half = len(vectors) // 2
    scores = vectors[:half] @ vectors[half:].T / temperature
    gold = torch.arange(half)
    return (F.cross_entropy(scores, gold) + F.cross_entropy(scores.T, gold)) / 2


def task_losses(
    model: MultiHead,
    mean: Tensor,
    tokens: Tensor,
    examples: Sequence[Example],
    batch: Sequence[object],
    corpus: Corpus,
    smoothing: float,
) -> dict[str, Tensor]:
    """The loss of each head over the examples that carry its label."""
    intent = torch.tensor([corpus.intents.index(e.intent) if e.intent else -100 for e in examples])
    sentiment = torch.tensor([SENTIMENTS.index(e.sentiment) if e.sentiment else -100 for e in examples])
    losses = {
        "intent": F.cross_entropy(model.head("intent", mean, tokens), intent, label_smoothing=smoothing) * 2,
        "sentiment": F.cross_entropy(model.head("sentiment", mean, tokens), sentiment) * 0.5,
    }
    rows = [i for i, e in enumerate(examples) if e.needs is not None]
    gold = torch.tensor([[float(n in (examples[i].needs or ())) for n in corpus.taxonomy.needs] for i in rows])
    losses["needs"] = F.binary_cross_entropy_with_logits(model.head("needs", mean[rows], tokens[rows]), gold) * 4
    tags = torch.full(tokens.shape[:2], -100)
    for i, example in enumerate(examples):
        if example.spans is not None:
            for position, tag in enumerate(tag_tokens(example, batch[i])):
                tags[i, position] = tag
    losses["tags"] = F.cross_entropy(model.head("tags", mean, tokens).flatten(0, 1), tags.flatten()) * 2
    return losses


def tag_tokens(example: Example, encoding: object) -> list[int]:
    """BIO tag ids of each token; -100 for special tokens and padding."""
    tags = []
    for (start, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True):  # type: ignore[attr-defined]
        if special or start == end:
            tags.append(-100)
            continue
        inside = next((s for s in example.spans or () if s[0] < end and start < s[1]), None)
        if inside is None:
            tags.append(0)
        else:
            first = start <= inside[0]
            tags.append(TAGS.index(f"{'B' if first else 'I'}-{inside[2]}"))
    return tags


@torch.no_grad()
def evaluate(model: MultiHead, tokenizer: Tokenizer, corpus: Corpus) -> tuple[dict[str, float], dict[str, float]]:
    """Temperatures fitted on validation, and the validation figures of every head and of retrieval."""
    model.eval()
    logits: dict[str, list[Tensor]] = defaultdict(list)
    tag_logits, tag_gold = [], []
    for at in range(0, len(corpus.validation), 64):
        part = corpus.validation[at : at + 64]
        mean, tokens, batch = encode(model, tokenizer, [e.text for e in part])
        for head in ("intent", "sentiment", "needs"):
            logits[head].append(model.head(head, mean, tokens))
        scores = model.head("tags", mean, tokens)
        for i, example in enumerate(part):
            tags = torch.tensor(tag_tokens(example, batch[i]))
            tag_logits.append(scores[i][tags >= 0])
            tag_gold.append(tags[tags >= 0])
    arrays = {head: torch.cat(parts).double().numpy() for head, parts in logits.items()}
    arrays["tags"] = torch.cat(tag_logits).double().numpy()
    gold = {
        "intent": np.array([corpus.intents.index(e.intent or "") for e in corpus.validation]),
        "sentiment": np.array([SENTIMENTS.index(e.sentiment or "neutral") for e in corpus.validation]),
        "tags": torch.cat(tag_gold).numpy(),
    }
    needs = np.array([[float(n in (e.needs or ())) for n in corpus.taxonomy.needs] for e in corpus.validation])
    temperatures = {head: fit_temperature(arrays[head], gold[head]) for head in gold}
    temperatures["needs"] = fit_binary_temperature(arrays["needs"], needs)
    return temperatures, _figures(corpus, arrays, gold, needs, temperatures) | _retrieval(model, tokenizer, corpus)


def _figures(
    corpus: Corpus,
    arrays: dict[str, np.ndarray],
    gold: dict[str, np.ndarray],
    needs: np.ndarray,
    temperatures: dict[str, float],
) -> dict[str, float]:
    from sklearn.metrics import f1_score

    figures = {}
    texts = tuple(example.text for example in corpus.validation)
    labels = {"intent": corpus.intents, "sentiment": SENTIMENTS}
    for head in labels:
        said = SingleLabel(labels[head], gold[head], arrays[head], texts)
        for name in ("accuracy", "macro_f1", "ece"):
            figures[f"{head}_{name}"] = measure(said, name, temperatures[head]).figure()
    figures["needs_micro_f1"] = float(f1_score(needs, arrays["needs"] > 0, average="micro"))
    named = [i for i in range(1, len(TAGS))]
    figures["tag_micro_f1"] = float(
        f1_score(gold["tags"], arrays["tags"].argmax(1), labels=named, average="micro", zero_division=0)
    )
    return figures


def _retrieval(model: MultiHead, tokenizer: Tokenizer, corpus: Corpus) -> dict[str, float]:
    def vectors(examples: Sequence[Example]) -> Tensor:
        parts = [
            encode(model, tokenizer, [e.text for e in examples[i : i + 64]])[0] for i in range(0, len(examples), 64)
        ]
        return F.normalize(torch.cat(parts), dim=1)

    figures = {}
    for name, source in (("article", "articles"), ("faq", "faq")):
        held, known = ([e for e in of if e.source == source] for of in (corpus.held_questions, corpus.questions))
        if held and known:
            best = (vectors(held) @ vectors(known).T).argmax(1).tolist()
            hits = [known[b].group == q.group for b, q in zip(best, held, strict=True)]
            figures[f"{name}_hit_at_1"] = sum(hits) / len(hits)
    return figures


def _save(
    model: MultiHead,
    corpus: Corpus,
    recipe: UnderstandingRecipe,
    temperatures: dict[str, float],
    metrics: dict[str, float],
    output: Path,
) -> Manifest:
    model.save(output)
    labels = {
        "intent": corpus.intents, "sentiment": SENTIMENTS, "needs": corpus.taxonomy.needs, "tags": TAGS
    }  # fmt: skip
    rank = adapter_rank(model.adapter()) if model.lora_scale else 0
    settings = asdict(recipe) | {"lora_scale": model.lora_scale, "lora_rank": rank}
    settings |= {"banking77": bool(recipe.banking77), "clinc150": bool(recipe.clinc150)}
    settings |= {NOTED: corpus.corrected.noted()} if corpus.corrected else {}
    return described(
        output,
        Manifest(
            name=recipe.name,
            task="understanding",
            base=recipe.weights,
            created_at=datetime.now(UTC),
            licence="Apache-2.0 (adapter and heads); base multilingual-e5-small MIT",
            data=tuple(corpus.attribution),
            metrics={k: round(v, 4) for k, v in metrics.items()},
            labels=labels,
            temperatures={k: round(v, 4) for k, v in temperatures.items()},
            settings=settings,
        ),
    )
