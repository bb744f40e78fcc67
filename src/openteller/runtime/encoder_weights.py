"""An encoder's weights and vocabulary as plain arrays: what every reader of a format gives, and all that is built from.

Knows nothing about files, training, graphs or tokenisation.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# ASCII, general punctuation and symbols, CJK punctuation, Han, full-width forms, emoji; ▁ marks a word start.
_ZH_EN = re.compile(
    "[\u0000-\u007f▁\u00a0-\u00bf\u2000-\u2bff\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0001faff]*"
)


@dataclass(frozen=True)
class EncoderWeights:
    """A BERT encoder's weights, named as transformers names them, and its vocabulary.

    tensors: name → float32 array; ``*.weight`` of a linear layer has shape (out, in). Position 0 is the first token's.
    pieces: of a unigram vocabulary, (piece, log probability) in id order; empty for another kind.
    special: ids of bos, eos, pad and unk, which BERT calls [CLS], [SEP], [PAD] and [UNK]; of mask where it is known.
    tokenizer: of a vocabulary of another kind, its tokenizer.json.
    """

    tensors: dict[str, NDArray[np.float32]]
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    layers: int
    hidden: int
    heads: int
    intermediate: int
    positions: int
    epsilon: float
    tokenizer: str = ""


def first_layers(weights: EncoderWeights, count: int) -> EncoderWeights:
    """`weights` without the layers after the first `count`; unchanged when it has no more."""
    later = tuple(f"encoder.layer.{layer}." for layer in range(count, weights.layers))
    kept = {name: array for name, array in weights.tensors.items() if not name.startswith(later)}
    return replace(weights, tensors=kept, layers=min(count, weights.layers))


def keep_scripts(weights: EncoderWeights) -> EncoderWeights:
    """The same encoder with only the pieces written in Chinese, ASCII, punctuation and emoji.

    The kept pieces keep their order, so ids are deterministic; text in other scripts becomes unknown. A vocabulary that
    is not a unigram one stays whole.
    """
    if not weights.pieces:
        return weights
    special = set(weights.special.values())
    kept = [i for i, (piece, _) in enumerate(weights.pieces) if i in special or _ZH_EN.fullmatch(piece)]
    position = {old: new for new, old in enumerate(kept)}
    words = weights.tensors["embeddings.word_embeddings.weight"][kept]
    return replace(
        weights,
        tensors=weights.tensors | {"embeddings.word_embeddings.weight": words},
        pieces=[weights.pieces[i] for i in kept],
        special={name: position[i] for name, i in weights.special.items()},
    )
