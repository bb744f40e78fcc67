"""What every training loop here shares: a linear schedule with warm-up, and one guarded step down the loss.

Knows nothing about models or data.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

_CLIP = 1.0


def linear_schedule(optimiser: Optimizer, steps: int, warmup: float) -> LambdaLR:
    """Rates rise over the share `warmup` of `steps`, at least one, then fall linearly to zero."""
    warm = max(1, int(steps * warmup))
    return LambdaLR(optimiser, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm))))


def descend(
    loss: Tensor, trainable: Sequence[nn.Parameter], optimiser: Optimizer, schedule: LambdaLR, step: int
) -> None:
    """One step, gradients clipped to norm 1. Raises FloatingPointError when the loss is not finite."""
    if not torch.isfinite(loss):
        raise FloatingPointError(f"The loss is not finite at step {step}; lower learning_rate.")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(trainable, _CLIP)
    optimiser.step()
    schedule.step()
