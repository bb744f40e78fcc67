"""Why a trained model gives a label: token attributions through captum, gathered into spans of the text as it was given.

Integrated gradients (Sundararajan et al. 2017) run over the word embeddings, from a text of padding tokens to the text; the
special tokens stay. Occlusion (Zeiler & Fergus 2014) hides one span at a time. Both score the label's log-odds: against all
other labels of a head that gives one, against no of a head that gives any number. Knows nothing about how they are shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from captum.attr import FeatureAblation, LayerIntegratedGradients
from numpy.typing import NDArray
from tokenizers import Encoding
from torch import Tensor

from openteller.core.errors import BadInput
from openteller.core.text import fold, normalise
from openteller.runtime.protocols import Text
from openteller.training.datasets.records import place, require_choice
from openteller.training.explanation import METHODS, Attribution, Explanation
from openteller.training.trained import HeadKind, TrainedEncoder, require_text
from openteller.understanding.explaining import units

_FEWEST_STEPS, _MOST_STEPS = 32, 1024
_TOLERANCE = 0.01  # of the difference of outputs that the integral may miss, or so much of it below 1
_BATCH = 32


@dataclass(frozen=True)
class _Aim:
    """The output that is explained: a label of a head, of a token head at the tokens of a span.

    labels: the label's index, or one for each of `tokens`.
    """

    head: str
    name: str
    predicted: str
    labels: tuple[int, ...]
    tokens: tuple[int, ...] = ()
    span: tuple[int, int] | None = None


def explain(
    model: TrainedEncoder,
    text: Text,
    *,
    head: str | None = None,
    label: str | None = None,
    span: str | None = None,
    method: str = METHODS[0],
) -> Explanation:
    """Which spans of `text` spoke for `label`, and which against it.

    Args:
        model: the artefact, open.
        text: a text, or two where the model reads pairs.
        head: which of several heads.
        label: None: what the model says. Of a token head, a tag or a type.
        span: of a token head, words of the text to explain; None: the span that the model is surest of.
        method: one of METHODS.

    Raises:
        BadInput: there is no such head, label or span, or the text does not fit the model.
    """
    require_choice("method", method, METHODS)
    require_text(text, model.paired)
    given = (text,) if isinstance(text, str) else text
    if not all(normalise(part) for part in given):
        raise BadInput("A text holds nothing that can be read.", next_step="Give a text with at least one character.")
    encoding = model.tokens(text)
    name = _head(model, head)
    logits = _logits(model, name, encoding)
    aim = _aim(model, name, encoding, logits, label, span, given)
    forward = _forward(model, aim)
    spans = _spans(given, encoding)
    run = _integrated if method == METHODS[0] else _occluded
    scores, delta, steps = run(model, encoding, forward, spans)
    output, baseline = (_value(forward, ids) for ids in (encoding.ids, _emptied(model, encoding)))
    return Explanation(
        texts=given,
        head=name,
        label=aim.name,
        predicted=aim.predicted,
        probability=float(1 / (1 + np.exp(-np.clip(output, -60, 60)))),
        method=method,
        output=output,
        baseline=baseline,
        delta=delta,
        steps=steps,
        read=tuple(max((s.end for s in spans if s.part == part), default=0) for part in range(len(given))),
        attributions=tuple(
            Attribution(s.part, s.start, s.end, given[s.part][s.start : s.end], _score(scores, s, method))
            for s in spans
        ),
        span=aim.span,
    )


@dataclass(frozen=True)
class _Span:
    """Tokens that are read as one, and where they stand in the text as it was given."""

    part: int
    start: int
    end: int
    tokens: tuple[int, ...]


def _score(scores: NDArray[np.float64], span: _Span, method: str) -> float:
    """Gradients of a span's tokens add up; hidden together they have one score."""
    found = scores[list(span.tokens)]
    return float(found.sum() if method == METHODS[0] else found[0])


def _head(model: TrainedEncoder, head: str | None) -> str:
    names = list(model.heads)
    if not names:
        raise BadInput("The model gives vectors, no label that could be explained.")
    if head is None and len(names) > 1:
        raise BadInput("The model has several heads.", next_step=f"Choose with --head: {', '.join(names)}.")
    chosen = head or names[0]
    if chosen not in names:
        raise BadInput(f"The model has no head {chosen!r}.", next_step=f"Use one of {', '.join(names)}.")
    return chosen


def _logits(model: TrainedEncoder, head: str, encoding: Encoding) -> NDArray[np.float64]:
    batch = {"input_ids": torch.tensor([encoding.ids]), "attention_mask": torch.tensor([encoding.attention_mask])}
    found: NDArray[np.float64] = model.outputs(batch)[1][head][0].astype(np.float64)
    return found


def _aim(
    model: TrainedEncoder,
    head: str,
    encoding: Encoding,
    logits: NDArray[np.float64],
    label: str | None,
    span: str | None,
    texts: Sequence[str],
) -> _Aim:
    labels = model.manifest.labels[head]
    if model.kind(head) is HeadKind.TOKENS:
        return _token_aim(head, labels, encoding, logits, label, span, texts[0])
    if span is not None:
        raise BadInput(f"The head {head} looks at whole texts.", next_step="Leave --span out.")
    predicted = labels[int(logits.argmax())]
    _require_label(label or predicted, labels)
    return _Aim(head, label or predicted, predicted, (labels.index(label or predicted),))


def _require_label(label: str, labels: Sequence[str]) -> None:
    if label not in labels:
        known = ", ".join(labels[:20]) + (", …" if len(labels) > 20 else "")
        raise BadInput(f"The model has no label {label!r}.", next_step=f"Use one of {known}.")


def _token_aim(
    head: str,
    labels: Sequence[str],
    encoding: Encoding,
    logits: NDArray[np.float64],
    label: str | None,
    span: str | None,
    text: str,
) -> _Aim:
    """The tags of a span: the one that was asked for, else the one the model is surest of."""
    tags = logits.argmax(axis=1)
    tokens = _tokens_of(span, encoding, text) if span is not None else _surest(labels, encoding, logits)
    predicted = labels[int(tags[tokens[0]])]
    name = label or predicted
    if name in labels:
        _, _, kind = name.partition("-")
        wanted = [name] + [f"I-{kind}" if kind else name] * (len(tokens) - 1)
    else:
        types = list(dict.fromkeys(tag[2:] for tag in labels if tag != "O"))
        _require_label(name, [*labels, *types])
        wanted = [f"B-{name}"] + [f"I-{name}"] * (len(tokens) - 1)
    start, end = encoding.offsets[tokens[0]][0], encoding.offsets[tokens[-1]][1]
    return _Aim(head, name, predicted, tuple(map(labels.index, wanted)), tokens, _as_given(text, end)(start, end))


def _tokens_of(span: str, encoding: Encoding, text: str) -> tuple[int, ...]:
    at = fold(text).find(fold(span))
    if at < 0 or not fold(span):
        raise BadInput(f"{span!r} does not stand in the text.", next_step="Give the words as the text has them.")
    end = at + len(fold(span))
    tokens = tuple(i for i in _readable(encoding) if encoding.offsets[i][0] < end and at < encoding.offsets[i][1])
    if not tokens:
        raise BadInput(f"{span!r} stands where the model no longer reads.", next_step="Shorten the text before it.")
    return tokens


def _surest(labels: Sequence[str], encoding: Encoding, logits: NDArray[np.float64]) -> tuple[int, ...]:
    """The tokens of the predicted span whose least margin over O is greatest."""
    found: list[list[int]] = []
    before = "O"
    for i in _readable(encoding):
        tag = labels[int(logits[i].argmax())]
        if tag.startswith("I-") and found and before[2:] == tag[2:]:
            found[-1].append(i)
        elif tag != "O":
            found.append([i])
        before = tag
    if not found:
        raise BadInput("The model finds no span in the text.", next_step='Choose words to explain with --span "…".')
    none = labels.index("O")
    return tuple(max(found, key=lambda tokens: min(logits[i].max() - logits[i][none] for i in tokens)))


def _forward(model: TrainedEncoder, aim: _Aim) -> Callable[[Tensor, Tensor], Tensor]:
    """(n, tokens) ids and mask → (n,) log-odds of the aim, after temperature; the mean over the tokens of a span."""
    kind, temperature = model.kind(aim.head), model.manifest.temperatures.get(aim.head, 1.0)

    def forward(input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        mean, tokens = model.model(input_ids, attention_mask)
        logits = model.model.head(aim.head, mean, tokens) / temperature
        if kind is HeadKind.MANY:
            return logits[:, aim.labels[0]]
        if kind is HeadKind.ONE:
            return _log_odds(logits, aim.labels[0])
        each = [_log_odds(logits[:, t], label) for t, label in zip(aim.tokens, aim.labels, strict=True)]
        return torch.stack(each).mean(dim=0)

    return forward


def _log_odds(logits: Tensor, label: int) -> Tensor:
    others = torch.arange(logits.shape[1]) != label
    return logits[:, label] - logits[:, others].logsumexp(dim=1)


@torch.no_grad()
def _value(forward: Callable[[Tensor, Tensor], Tensor], ids: Sequence[int]) -> float:
    return float(forward(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))[0])


def _integrated(
    model: TrainedEncoder, encoding: Encoding, forward: Callable[[Tensor, Tensor], Tensor], spans: Sequence[_Span]
) -> tuple[NDArray[np.float64], float, int]:
    """The score of each token, what the integral misses, and its steps: doubled until it misses little."""
    words = next(m for name, m in model.model.named_modules() if name.endswith("embeddings.word_embeddings"))
    gradients = LayerIntegratedGradients(forward, words)
    ids, empty = torch.tensor([encoding.ids]), torch.tensor([_emptied(model, encoding)])
    whole = _value(forward, encoding.ids) - _value(forward, empty[0].tolist())
    steps = _FEWEST_STEPS
    while True:
        scores, delta = gradients.attribute(
            ids,
            baselines=empty,
            additional_forward_args=(torch.ones_like(ids),),
            n_steps=steps,
            internal_batch_size=_BATCH,
            return_convergence_delta=True,
        )
        missed = float(delta[0])
        if abs(missed) <= _TOLERANCE * max(1.0, abs(whole)) or steps >= _MOST_STEPS:
            return scores[0].sum(dim=1).detach().double().numpy(), missed, steps
        steps *= 2


def _occluded(
    model: TrainedEncoder, encoding: Encoding, forward: Callable[[Tensor, Tensor], Tensor], spans: Sequence[_Span]
) -> tuple[NDArray[np.float64], float, int]:
    """The score of each token: what hiding all of its span takes from the output; 0 for special tokens."""
    features = torch.full((1, len(encoding.ids)), len(spans))  # one more feature, which is left out below
    for number, span in enumerate(spans):
        features[0, list(span.tokens)] = number
    ids = torch.tensor([encoding.ids])
    found: Any = FeatureAblation(forward).attribute(
        (ids, torch.ones_like(ids)),
        baselines=(model.pad, 0),
        feature_mask=(features, features),
        perturbations_per_eval=_BATCH,
    )
    scores: NDArray[np.float64] = found[0][0].detach().double().numpy()
    scores[(features[0] == len(spans)).numpy()] = 0.0
    return scores, 0.0, 0


def _emptied(model: TrainedEncoder, encoding: Encoding) -> list[int]:
    """The same tokens with padding in the place of words."""
    special = set(_special(encoding))
    return [token if i in special else model.pad for i, token in enumerate(encoding.ids)]


def _special(encoding: Encoding) -> list[int]:
    return [i for i, special in enumerate(encoding.special_tokens_mask) if special]


def _readable(encoding: Encoding) -> list[int]:
    """Tokens that stand for characters of a text."""
    special = set(_special(encoding))
    return [i for i, (start, end) in enumerate(encoding.offsets) if i not in special and start < end]


def _spans(texts: Sequence[str], encoding: Encoding) -> list[_Span]:
    """The tokens of each text gathered into what is read as one; a token of a space belongs to what follows it."""
    found = []
    parts = encoding.sequence_ids
    for part, text in enumerate(texts):
        folded = fold(text)
        tokens = [i for i, sequence in enumerate(parts) if sequence == part]
        as_given = _as_given(text, max((encoding.offsets[i][1] for i in tokens), default=0))
        merged = units(folded, [encoding.offsets[i] for i in tokens])
        owners: list[list[int]] = [[] for _ in merged]
        for i in tokens:
            later = [n for n, (_, end) in enumerate(merged) if end > encoding.offsets[i][0]]
            if merged:
                owners[later[0] if later else -1].append(i)
        found += [
            _Span(part, *as_given(start, end), tuple(own))
            for (start, end), own in zip(merged, owners, strict=True)
            if own
        ]
    return found


def _as_given(text: str, read: int) -> Callable[[int, int], tuple[int, int]]:
    """From a span of the first `read` characters of ``normalise(text)`` to the one of `text` that it came from."""
    if normalise(text) == text:
        return lambda start, end: (start, end)
    # Normalising may join characters or drop invisible ones; twice as many hold what was read, of all but freak texts.
    text = text[: 2 * read + 200]
    places = np.array([place(text, i) for i in range(len(text) + 1)])

    def as_given(start: int, end: int) -> tuple[int, int]:
        first = int(np.searchsorted(places, start, side="right")) - 1
        return first, max(first + 1, int(np.searchsorted(places, end, side="left")))

    return as_given
