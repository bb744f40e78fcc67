"""Trains the reranker: a cross-encoder that reads a question with the opening of a document, and tells whether it answers.

Positives are the questions that a bank's articles list and customers' wordings of FAQ entries; negatives are the nearest
other documents of that bank for each (mined once with a general sentence encoder), and questions that nothing answers.
Each step lowers binary cross-entropy, which makes scores comparable between questions, plus cross-entropy over each
question's list, which orders it (Nogueira & Cho 2019). What is shipped: LoRA matrices on the first layers of the base encoder, one head.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.core.yaml_text import read_yaml
from openteller.knowledge.articles import read_articles
from openteller.knowledge.reranking import opening
from openteller.products.catalogue import read_products
from openteller.registry.manifest import Manifest
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.protocols import Embedder
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.artefacts import described
from openteller.training.backbone import MultiHead
from openteller.training.calibration import fit_binary_temperature
from openteller.training.examples import authored, faq_entries, held_out, read_taxonomy
from openteller.training.optimisation import Report, autocast, descend, linear_schedule
from openteller.training.tasks.reranking import HEAD, LIST_SHARE, relevance_losses

_CANDIDATES = 12


@dataclass(frozen=True)
class RelevanceRecipe:
    """One training run of the reranker."""

    name: str = "relevance-zh-en"
    weights: str = "e5-small"  #: name in the catalogue of weights
    articles: str = "src/openteller/demo/bank/articles"
    products: str = "src/openteller/demo/bank/products"
    faq: str = ""  #: entries of imagined banks' FAQs, each an opening with its own questions; empty to go without
    unanswerable: str = "recipes/data/relevance/unanswerable.yaml"  #: zh and en questions that no document answers
    utterances: str = "recipes/data/understanding"  #: its out_of_scope lines are unanswerable too
    layers: int = 6  #: of the base encoder, from the first
    max_tokens: int = 48  #: of a question and an opening together
    steps: int = 1200
    questions: int = 8  #: a step
    negatives: int = 5  #: openings beside the right one
    learning_rate: float = 1e-3
    head_learning_rate: float = 5e-3
    warmup: float = 0.06  #: share of the steps
    lora_rank: int = 32
    dropout: float = 0.0
    seed: int = 20261123
    threads: int = 0  #: 0 leaves the choice to torch: every core the process may use
    precision: str = "fp32"  #: or bf16, twice as fast where the processor multiplies bfloat16


@dataclass(frozen=True)
class Question:
    """A question, the group that answers it (None: nothing does), and the groups that lie near."""

    text: str
    language: str
    group: str | None
    near: tuple[str, ...] = ()


class Shelf:
    """Openings by group and language, and the questions, split by hash into training and validation."""

    def __init__(self, recipe: RelevanceRecipe, root: Path, embedder: Embedder) -> None:
        self.openings: dict[str, dict[str, str]] = {}
        related: dict[str, set[str]] = {}
        questions: list[Question] = []
        documents = read_articles(root / recipe.articles)
        replaced = {d.supersedes for d in documents}
        for document in documents:
            if document.document_id in replaced:
                continue
            group, language = document.group_id, str(document.language)
            self.openings.setdefault(group, {})[language] = opening(document.title, document.answer or "")
            related[group] = {f"product:{name}" for name in document.products}
            questions += [Question(text, language, group) for text in document.questions]
        for product in read_products(root / recipe.products):
            both = {lang: opening(product.name.of(lang), product.summary.of(lang)) for lang in ("zh", "en")}
            self.openings[f"product:{product.id}"] = both
        for entry in faq_entries(root / recipe.faq) if recipe.faq else ():
            language = _language(entry.question)
            self.openings[entry.name] = {language: opening(entry.question, entry.answer)}
            questions += [Question(text, language, entry.name) for text in entry.asked]
        questions += [
            Question(text, language, None)
            for language, texts in unanswerable(root / recipe.unanswerable, root / recipe.utterances).items()
            for text in texts
        ]
        if len(self.openings) < 2 or not questions:
            raise BadInput("There is too little to train on.", next_step="Give at least two articles with questions.")
        mined = mine(questions, self.openings, related, embedder)
        self.train = [q for q in mined if not held_out(q.text)]
        self.validation = [q for q in mined if held_out(q.text)]


def unanswerable(path: Path, utterances: Path) -> dict[str, list[str]]:
    """Questions that nothing answers, by language: those of the file, and the out-of-scope lines of the utterances."""
    found = read_yaml(path.read_text(encoding="utf-8")) if path.exists() else {}
    texts = {language: [normalise(str(t)) for t in found.get(language, [])] for language in ("zh", "en")}
    for example in authored(utterances, read_taxonomy(utterances / "TAXONOMY.yaml")):
        if example.intent == "out_of_scope":
            texts[_language(example.text)].append(example.text)
    return texts


def _language(text: str) -> str:
    return "zh" if any("㐀" <= c <= "鿿" for c in text) else "en"


def mine(
    questions: Sequence[Question],
    openings: dict[str, dict[str, str]],
    related: dict[str, set[str]],
    embedder: Embedder,
) -> list[Question]:
    """`questions` with the nearest wrong groups: by their own questions and openings, in either language."""
    groups = sorted(openings)
    index = {group: i for i, group in enumerate(groups)}
    opened = [(group, text) for group in groups for text in openings[group].values()]
    asked = embedder.embed([q.text for q in questions], "query")
    known = np.concatenate([embedder.embed([text for _, text in opened], "passage"), asked])
    owners = np.array([index[g] for g, _ in opened] + [index[q.group] if q.group else -1 for q in questions])
    mined = []
    for i, question in enumerate(questions):
        scores = known @ asked[i]
        scores[len(opened) + i] = -1.0
        best = np.full(len(groups), -1.0, np.float32)
        np.maximum.at(best, owners[owners >= 0], scores[owners >= 0])
        right = {question.group, *related.get(question.group or "", ())}
        bank = _bank(question.group or "")
        others = [g for g in np.argsort(-best) if groups[g] not in right and _bank(groups[g]) == bank]
        order = [groups[g] for g in others if question.language in openings[groups[g]]]
        mined.append(replace(question, near=tuple(order[:_CANDIDATES])))
    return mined


def _bank(group: str) -> str:
    """An imagined bank is a file of entries, which is the first part of their names; "" is the demo bank.

    A question is held against documents of its own bank: another's may well answer it.
    """
    return group.rpartition("/")[0]


def train(
    recipe: RelevanceRecipe, root: Path, weights_path: Path, embedder: Embedder, output: Path, report: Report
) -> Manifest:
    """Run `recipe` and write the artefact to `output`.

    Args:
        recipe: what to train.
        root: folder that the recipe's paths are relative to.
        weights_path: the base encoder's file.
        embedder: mines the negatives.
        output: where the artefact goes.
        report: told (step, steps, text) as it goes.
    """
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    shelf = Shelf(recipe, root, embedder)
    weights = load_backbone(weights_path, recipe.layers)
    tokenizer = build_tokenizer(weights, max_tokens=recipe.max_tokens)
    model = MultiHead(weights, {HEAD: 1}, lora_rank=recipe.lora_rank, dropout=recipe.dropout)
    started = time.time()
    _fit(model, tokenizer, shelf, recipe, report)
    temperature, metrics = evaluate(model, tokenizer, shelf)
    metrics["minutes"] = (time.time() - started) / 60
    model.save(output)
    return described(
        output,
        Manifest(
            name=recipe.name,
            task="relevance",
            base=recipe.weights,
            created_at=datetime.now(UTC),
            licence="Apache-2.0 (adapter and head); base multilingual-e5-small MIT",
            data=("Articles, product names and questions written by this project (Apache-2.0)",),
            metrics={name: round(value, 4) for name, value in metrics.items()},
            labels={HEAD: ("relevant",)},
            temperatures={HEAD: round(temperature, 4)},
            settings=asdict(recipe) | {"layers": weights.layers, "lora_scale": model.lora_scale},
        ),
    )


def _fit(model: MultiHead, tokenizer: Tokenizer, shelf: Shelf, recipe: RelevanceRecipe, report: Report) -> None:
    trainable = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in model.encoder.parameters() if p.requires_grad], "lr": recipe.learning_rate},
        {"params": list(model.heads.parameters()), "lr": recipe.head_learning_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = linear_schedule(optimiser, recipe.steps, recipe.warmup)
    draw = random.Random(recipe.seed)
    queue: list[Question] = []
    model.train()
    for step in range(recipe.steps):
        while len(queue) < recipe.questions:
            queue += draw.sample(shelf.train, len(shelf.train))
        asked, queue = queue[: recipe.questions], queue[recipe.questions :]
        lists = [_openings(q, shelf, recipe.negatives, draw) for q in asked]
        with autocast(recipe.precision):
            scores = score(model, tokenizer, [(q.text, p) for q, ps in zip(asked, lists, strict=True) for p in ps])
        loss, parts = _loss(scores.view(len(asked), -1), torch.tensor([q.group is not None for q in asked]))
        descend(loss, trainable, optimiser, schedule, step)
        report(step + 1, recipe.steps, parts)


def _openings(question: Question, shelf: Shelf, negatives: int, draw: random.Random) -> list[str]:
    """The right opening first, where there is one, and wrong ones, the nearest most often; one list has one language.

    One in five is in the other language where all have it, since a bank may have a document in one only.
    """
    wanted = negatives + (question.group is None)
    weights = [1 / (rank + 2) for rank in range(len(question.near))]
    near = sorted(question.near, key=dict(zip(question.near, _keys(weights, draw), strict=True)).__getitem__)
    chosen = [shelf.openings[g] for g in ([question.group] if question.group else []) + near[:wanted]]
    other = {"zh": "en", "en": "zh"}[question.language]
    language = other if draw.random() < 0.2 and all(other in texts for texts in chosen) else question.language
    return [texts[language] for texts in chosen]


def _keys(weights: Sequence[float], draw: random.Random) -> list[float]:
    """Sort keys that draw without replacement by weight (Efraimidis & Spirakis 2006)."""
    return [draw.expovariate(weight) for weight in weights]


def _loss(scores: Tensor, answered: Tensor) -> tuple[Tensor, str]:
    """Binary cross-entropy over all of (questions, openings), plus the list loss of the questions with an answer."""
    scores = scores.float()
    gold = torch.zeros_like(scores)
    gold[answered, 0] = 1.0
    lists = torch.arange(scores.numel()).view_as(scores)[answered]
    binary, ordered = relevance_losses(scores.view(-1), gold.view(-1), lists)
    listed = f" list {ordered.item():.3f}" if answered.any() else ""
    return binary + LIST_SHARE * ordered, f"binary {binary.item():.3f}{listed}"


def score(model: MultiHead, tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> Tensor:
    """(len(pairs),) logits of question-opening pairs."""
    batch = tokenizer.encode_batch([(fold(a), fold(b)) for a, b in pairs])
    ids = torch.tensor([e.ids for e in batch])
    mask = torch.tensor([e.attention_mask for e in batch])
    mean, tokens = model(ids, mask)
    return model.head(HEAD, mean, tokens)[:, 0]


@torch.no_grad()
def evaluate(model: MultiHead, tokenizer: Tokenizer, shelf: Shelf) -> tuple[float, dict[str, float]]:
    """The temperature, and figures on the held-out questions, each with its right opening among the nearest wrong ones."""
    model.eval()
    right: list[float] = []
    wrong: list[float] = []
    first: dict[str, list[bool]] = {"zh": [], "en": []}
    for question in shelf.validation:
        groups = ([question.group] if question.group else []) + list(question.near[:7])
        pairs = [(question.text, shelf.openings[group][question.language]) for group in groups]
        scores = score(model, tokenizer, pairs).double().numpy()
        if question.group:
            right.append(scores[0])
            wrong.extend(scores[1:])
            first[question.language].append(bool(scores[0] > scores[1:].max()))
        else:
            wrong.extend(scores)
    logits, gold = np.array(right + wrong), np.repeat([1.0, 0.0], [len(right), len(wrong)])
    figures = {f"first_of_8_{language}": float(np.mean(hits)) for language, hits in first.items() if hits}
    if right and wrong:
        from sklearn.metrics import roc_auc_score

        figures["pairs_auc"] = float(roc_auc_score(gold, logits))
    return fit_binary_temperature(logits[:, None], gold[:, None]), figures
