"""The error family: one root, three sentences."""

import inspect

import pytest

from openteller.core import errors
from openteller.core.errors import OpenTellerError

FAMILY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", FAMILY)
def test_every_error_says_what_why_and_what_next(kind: type[OpenTellerError]) -> None:
    error = kind("It broke.", cause="The disk is full.", next_step="Make room.")
    assert isinstance(error, OpenTellerError)
    assert (error.message, error.cause, error.next_step) == ("It broke.", "The disk is full.", "Make room.")
    assert str(error) == "It broke. The disk is full. Make room."
    assert kind.__name__ in (errors.__doc__ or "")


def test_empty_sentences_leave_no_gaps() -> None:
    assert (
        str(errors.NotFound("No such product.", next_step="Look in the list.")) == "No such product. Look in the list."
    )
    assert str(errors.NotFound("No such product.")) == "No such product."


def test_the_tree_that_serving_maps() -> None:
    assert issubclass(errors.TooLarge, errors.BadInput)
    assert issubclass(errors.UnreadableFile, errors.BadInput)
    assert issubclass(errors.ModelUnavailable, errors.Unavailable)
    assert not issubclass(errors.NotAllowed, errors.NotAuthenticated)
