"""Masking: which tokens a masked language model has to guess, and what stands in their place.

15 % of the words are chosen; of their tokens 80 % are replaced by the mask, 10 % by a token drawn at random, and 10 %
stay (Devlin et al. 2019). A word is one token, or all tokens of a word (whole-word masking, Cui et al. 2019). Knows
nothing about models or texts.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_MASKED, _RANDOM = 0.8, 0.1


@dataclass(frozen=True)
class Corruption:
    """What a chosen token may become. ordinary: the ids that may be drawn, without special ones."""

    mask: int
    ordinary: Tensor
    share: float = 0.15


def corrupt(
    ids: Tensor, words: Tensor, how: Corruption, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """The ids with chosen words hidden, and which tokens are to be guessed; at least one wherever one can be.

    Args:
        ids: (n, tokens).
        words: (n, tokens): the number of each token's word in its row; -1 for tokens that are never chosen.
        how: what stands in their place.
        generator: whom chance is drawn from; None: torch's own.
    """
    eligible = words >= 0
    draw = torch.rand((len(ids), int(words.max().clamp(min=0)) + 1), generator=generator).to(ids.device)
    drawn = draw.gather(1, words.clamp(min=0))
    chosen = eligible & (drawn < how.share)
    if not chosen.any():
        # The words that came nearest to being chosen: a loss of nothing has no gradient.
        chosen = eligible & (drawn == drawn.masked_fill(~eligible, 2.0).min())
    fate = torch.rand(ids.shape, generator=generator).to(ids.device)
    others = how.ordinary[torch.randint(len(how.ordinary), ids.shape, generator=generator)].to(ids.device)
    hidden = torch.where(fate < _MASKED, torch.full_like(ids, how.mask), ids)
    hidden = torch.where((fate >= _MASKED) & (fate < _MASKED + _RANDOM), others, hidden)
    return torch.where(chosen, hidden, ids), chosen
