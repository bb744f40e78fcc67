"""What every training loop here shares: a linear schedule with warm-up, one guarded step down the loss, the precision,
and whom a run reports to.

Knows nothing about models or data.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from openteller.core.errors import BadInput

Report = Callable[[int, int, str], None]  #: told (step, steps, text) as a run goes; without steps the text is a note
_CLIP = 1.0
PRECISIONS = ("fp32", "bf16")


def autocast(precision: str) -> torch.autocast:
    """The context of a forward pass in `precision`: bf16 multiplies matrices in bfloat16, all else stays float32.

    Raises BadInput for a precision that is not known.
    """
    if precision not in PRECISIONS:
        raise BadInput(f"There is no precision {precision!r}.", next_step=f"Use one of {', '.join(PRECISIONS)}.")
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16")


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
