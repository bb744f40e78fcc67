"""Which layers of a model a recipe lets learn: ``all``, ``top-4`` (the last four) or, of an encoder, ``head`` (none).

Knows nothing about kinds of models.
"""

from collections.abc import Sequence

from torch import nn

from openteller.core.errors import BadInput


def free_layers(trained: str, layers: Sequence[nn.Module], *, with_head: bool) -> Sequence[nn.Module] | None:
    """Those of `layers` that may learn; None when everything may.

    Args:
        trained: the recipe's word.
        layers: the model's, from the input on.
        with_head: whether there is a head that can learn alone.

    Raises:
        BadInput: another word, or more layers than there are.
    """
    match trained.partition("-"):
        case ("all", "", ""):
            return None
        case ("head", "", "") if with_head:
            return []
        case ("top", "-", count) if count.isdecimal() and 1 <= int(count) <= len(layers):
            return layers[-int(count) :]
        case _:
            words = "all, head" if with_head else "all"
            raise BadInput(
                f"The layers {trained!r} cannot be trained.", next_step=f"Use {words}, or top-1 to top-{len(layers)}."
            )
