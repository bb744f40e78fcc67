"""An encoder as a recipe tunes it: with adapters, or with only that trainable which the recipe says (decoders.py has the same).

Knows nothing about data or losses.
"""

from collections.abc import Mapping

from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.loader import TOKEN_HEADS
from openteller.training.backbone import MultiHead
from openteller.training.tuning import Tuning


def tuned(weights: EncoderWeights, heads: Mapping[str, int], tuning: Tuning) -> MultiHead:
    """`weights` with `heads` (name → number of labels). Raises BadInput for a part that the encoder does not have."""
    model = MultiHead(
        weights,
        heads,
        token_heads=TOKEN_HEADS & heads.keys(),
        lora_rank=tuning.lora_rank if tuning.adapter != "none" else 0,
        lora_alpha=tuning.lora_alpha,
        dora=tuning.adapter == "dora",
        dropout=tuning.dropout,
    )
    if tuning.adapter == "none":
        model.train_only(tuning.trained, vocabulary=tuning.vocabulary == "trained")
    return model
