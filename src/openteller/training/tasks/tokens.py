"""Token classification: entities or personal data as BIO tags (Ramshaw & Marcus 1995).

Knows nothing about what the types mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from openteller.core.errors import BadInput
from openteller.core.text import fold
from openteller.training.backbone import MultiHead
from openteller.training.datasets.records import Record
from openteller.training.evaluation.predictions import Predictions, Spans
from openteller.training.evaluation.slices import default_groups
from openteller.training.tasks.task import Columns, Example, Features, Logits, LossOptions, Span, padded, text_of

HEAD = "tags"
_IGNORED = -100


class TokenModule(nn.Module):
    """An encoder with a head on each token and its loss."""

    def __init__(self, model: MultiHead, options: LossOptions) -> None:
        super().__init__()
        self.model, self.options = model, options

    def forward(self, input_ids: Tensor, attention_mask: Tensor, target: Tensor | None = None) -> dict[str, Tensor]:
        """``logits`` (n, tokens, tags), and ``loss`` when `target` (n, tokens) is given."""
        logits = self.model.head(HEAD, *self.model(input_ids, attention_mask)).float()
        if target is None:
            return {"logits": logits}
        smooth = self.options.label_smoothing
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=_IGNORED, label_smoothing=smooth)
        return {"loss": loss, "logits": logits}


@dataclass(frozen=True)
class TokenClassification:
    """Spans of a text with a type each."""

    metric: str = "micro_f1"
    head: str = HEAD

    def example(self, record: Record, columns: Columns) -> Example:
        """A record with text and spans, a list of [start, end, type] in code points."""
        text = text_of(record, columns, "text")
        column = columns.get("spans", "spans")
        name = columns.get("text", "text")
        found = record.fields.get(column) or []
        if not isinstance(found, list):
            raise ValueError(f"the field {column} is {found!r}, not a list of spans")
        written = [_span(value, len(record.written.get(name, text))) for value in found]
        ordered = sorted((record.place(name, start), record.place(name, end), kind) for start, end, kind in written)
        if any(a[1] > b[0] for a, b in pairwise(ordered)):
            raise ValueError(f"spans of the field {column} overlap")
        if len(fold(text)) != len(text):
            raise ValueError("the text changes its length when it is folded, so that the spans would slip")
        return Example(record.where, (text,), tuple(ordered))

    def labels(self, examples: Sequence[Example]) -> tuple[str, ...]:
        """The tags: O, then B- and I- of each type. Raises BadInput for no type."""
        types = sorted({span[2] for e in examples for span in e.gold or ()})
        if not types:
            raise BadInput("No row has a span.", next_step="Name the column of the spans in the recipe's columns.")
        return ("O", *(f"{side}-{kind}" for kind in types for side in ("B", "I")))

    def features(self, example: Example, tokenizer: Tokenizer, labels: Sequence[str]) -> Features:
        """Token ids, their places in the text and their tag ids."""
        tokenizer.no_padding()
        encoding = tokenizer.encode(fold(example.texts[0]))
        tags = tag_ids(encoding, [s for s in example.gold or () if not isinstance(s, str)], labels)
        return {"ids": encoding.ids, "target": tags, "offsets": encoding.offsets, "length": len(encoding.ids)}

    def trained_on(self, rows: Sequence[Features]) -> list[Features]:
        """The rows as they are."""
        return list(rows)

    def collate(self, rows: Sequence[Features], pad: int) -> dict[str, Tensor]:
        """A batch with ``target`` (n, longest)."""
        batch = padded([r["ids"] for r in rows], pad)
        longest = batch["input_ids"].shape[1]
        targets = [[*r["target"], *[_IGNORED] * (longest - len(r["target"]))] for r in rows]
        return batch | {"target": torch.tensor(targets)}

    def module(self, model: MultiHead, options: LossOptions) -> nn.Module:
        """The encoder with a softmax head on each token."""
        return TokenModule(model, options)

    def rows_of(self, logits: NDArray[np.float64], rows: Sequence[Features]) -> list[NDArray[np.float64]]:
        """(tokens, tags) of each row."""
        return [scores[: row["length"]] for scores, row in zip(logits, rows, strict=True)]

    def predictions(
        self, logits: Logits, examples: Sequence[Example], rows: Sequence[Features], labels: Sequence[str]
    ) -> Predictions:
        """The spans that the best tags spell."""
        texts = tuple(e.texts[0] for e in examples)
        found = [
            spans_of([labels[i] for i in tags.argmax(1)], row["offsets"], row["target"])
            for tags, row in zip(logits, rows, strict=True)
        ]
        gold = tuple(frozenset(s for s in e.gold or () if not isinstance(s, str)) for e in examples)
        types = tuple(dict.fromkeys(label[2:] for label in labels[1:]))
        return Spans(types, gold, tuple(found), texts, default_groups(texts))


def tag_ids(encoding: Encoding, spans: Sequence[Span], labels: Sequence[str]) -> list[int]:
    """BIO tag ids of each token; -100 for special tokens, types that training does not know count as O."""
    ids, before = [], None
    for (start, end), special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True):
        if special or start == end:
            ids.append(_IGNORED)
            continue
        inside = next((s for s in spans if s[0] < end and start < s[1]), None)
        tag = "O" if inside is None else f"{'I' if inside == before else 'B'}-{inside[2]}"
        ids.append(labels.index(tag) if tag in labels else 0)
        before = inside
    return ids


def spans_of(tags: Sequence[str], offsets: Sequence[tuple[int, int]], target: Sequence[int]) -> frozenset[Span]:
    """The spans that tags spell; an I- that continues nothing starts a span of its own."""
    spans: list[Span] = []
    before = "O"
    for tag, (start, end), known in zip(tags, offsets, target, strict=False):
        if known == _IGNORED:
            continue
        if tag.startswith("I-") and spans and before[2:] == tag[2:]:
            spans[-1] = (spans[-1][0], end, tag[2:])
        elif tag != "O":
            spans.append((start, end, tag[2:]))
        before = tag
    return frozenset(spans)


def _span(value: Any, length: int) -> Span:
    match value:
        case [int(start), int(end), str(kind)] if 0 <= start < end <= length and kind:
            return (start, end, kind)
        case {"start": int(start), "end": int(end), "type": str(kind)} if 0 <= start < end <= length and kind:
            return (start, end, kind)
    raise ValueError(f"{value!r} is no span [start, end, type] within {length} characters")
