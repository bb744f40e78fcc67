"""Which labels a correction may name: those of the model that serves. Knows nothing about texts."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from openteller.core.errors import BadInput
from openteller.core.text import normalise
from openteller.feedback.records import NONE, Head

_SHOWN = 8


def checked(head: Head, labels: Sequence[str], known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The labels without repetitions, in the model's order.

    Args:
        head: what is corrected.
        labels: one; of needs one or more, or ``-`` alone for none.
        known: head → the labels of the model that serves.

    Raises:
        BadInput: no label, one that the head does not have, or several where one is possible.
    """
    named = list(dict.fromkeys(normalise(label) for label in labels))
    if not named or not all(named):
        raise BadInput(
            "The correction names no label.",
            next_step=f'Name the right one; of needs, "{NONE}" says that there is none.',
        )
    if head is Head.NEEDS and named == [NONE]:
        return (NONE,)
    order = known.get(head, ())
    for label in named:
        if label not in order:
            raise BadInput(
                f"The head {head} has no such label.", cause=_near(label, order), next_step="Name one of its."
            )
    if len(named) > 1 and head is not Head.NEEDS:
        raise BadInput(f"A text has one {head}, not {len(named)}.", next_step="Name the one that fits best.")
    return tuple(sorted(named, key=list(order).index))


def _near(label: str, order: Sequence[str]) -> str:
    """Names of labels that the caller may have meant; never what the caller wrote."""
    meant = get_close_matches(label[:100], order, n=_SHOWN, cutoff=0.5) or list(order[:_SHOWN])
    return f"{'Similar are' if len(meant) < len(order) else 'It has'} {', '.join(meant)}." if meant else "It has none."
