"""A customer's file with what their profile says: tags, life events, and the tags that they said no to.

What a customer said no to is kept in the file by name, so that nothing else that says the same is used either.
Knows nothing about the store.
"""

from collections.abc import Iterable

from openteller.customers.behaviour import CustomerFile
from openteller.customers.profile.records import Profile, TagWord
from openteller.customers.profile.tags import tags


def with_words(file: CustomerFile, words: Iterable[TagWord]) -> CustomerFile:
    """With the customer's own tags, and what they said no to; nothing is derived."""
    said = tuple(words)
    return file.model_copy(update={"tags": tags((), said), "denied": _denied(said)}) if said else file


def with_profile(file: CustomerFile, profile: Profile) -> CustomerFile:
    """With everything that the profile says, which is little without consent to personalisation."""
    return file.model_copy(
        update={"tags": profile.tags, "life_events": profile.events, "denied": _denied(profile.words)}
    )


def _denied(words: Iterable[TagWord]) -> frozenset[str]:
    return frozenset(word.tag for word in words if word.stance != "mine")
