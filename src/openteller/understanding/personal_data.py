"""Personal data in a text: find it, mask it, and drop secrets at the door.

`find` reports spans, `mask` replaces each by the name of its kind, `drop_secrets` removes passwords, PINs, card
security codes and one-time codes and leaves the rest, `redacted` does both for what is to be stored. Overlapping spans
become one, named after the strongest kind, so that masking covers every character that any rule suspected. `mask` and
`drop_secrets` repeat until nothing is found, hence are idempotent.

Honest limits. The probability of a kind is its precision on the authored set tests/understanding/personal_data.yaml,
written by the author of the rules: expect less on other text. Not found: names that nothing introduces; addresses
without a house number; account numbers and secrets without a cue; card numbers whose check digit is mistyped and that
no cue introduces; a number whose digits touch other digits or are split over sentences or by words; numbers spelled in
English words. About one random number of 13–19 digits in ten passes the Luhn check and is masked as a card although it
is an order number: the price of never leaking a card. Text should have passed `core.text.normalise`; text that has not
(full-width digits, typographic dashes) is still read, but zero-width characters inside a number hide it.
"""

import re
from itertools import chain
from types import MappingProxyType

from openteller.core.records import PersonalDatum
from openteller.core.text import han_share, normalise
from openteller.understanding import disclosures, identifiers
from openteller.understanding.candidates import Candidate, Kind
from openteller.understanding.surface import MASKED, matching_view

PROBABILITY = MappingProxyType(
    {
        Kind.SECRET: 0.981,
        Kind.ID_NUMBER: 0.947,
        Kind.IBAN: 0.909,
        Kind.EMAIL: 0.929,
        Kind.CARD_NUMBER: 0.853,
        Kind.PASSPORT: 0.917,
        Kind.PHONE: 0.970,
        Kind.ACCOUNT_NUMBER: 0.938,
        Kind.PLATE_NUMBER: 0.909,
        Kind.BIRTH_DATE: 0.929,
        Kind.ADDRESS: 0.952,
        Kind.PERSON: 0.955,
    }
)
"""Posterior mean of the precision, Beta(1, 1) prior, on tests/understanding/personal_data.yaml; the test recomputes."""

_LABELS = MappingProxyType(
    {
        Kind.SECRET: ("[已删除]", "[removed]"),
        Kind.ID_NUMBER: ("[身份证号]", "[id number]"),
        Kind.IBAN: ("[国际账号]", "[iban]"),
        Kind.EMAIL: ("[邮箱]", "[email]"),
        Kind.CARD_NUMBER: ("[卡号]", "[card number]"),
        Kind.PASSPORT: ("[护照号]", "[passport]"),
        Kind.PHONE: ("[电话]", "[phone]"),
        Kind.ACCOUNT_NUMBER: ("[账号]", "[account number]"),
        Kind.PLATE_NUMBER: ("[车牌]", "[plate number]"),
        Kind.BIRTH_DATE: ("[出生日期]", "[birth date]"),
        Kind.ADDRESS: ("[地址]", "[address]"),
        Kind.PERSON: ("[姓名]", "[name]"),
    }
)
_ANY_LABEL = re.compile("|".join(re.escape(label) for labels in _LABELS.values() for label in labels))
_STRENGTH = MappingProxyType({kind: place for place, kind in enumerate(Kind)})


def _view(text: str) -> str:
    """The matching view with what is masked already hidden from every pattern."""
    hidden = _ANY_LABEL.sub(lambda label: MASKED * len(label.group()), text)
    return matching_view(hidden, spoken_digits=True)


def _merged(found: list[Candidate]) -> list[Candidate]:
    """Overlapping candidates as one span of the strongest kind among them, in order."""
    merged: list[Candidate] = []
    for each in sorted(found, key=lambda c: (c.start, -c.end)):
        if merged and each.start < merged[-1].end:
            last = merged[-1]
            kind = min(last.kind, each.kind, key=_STRENGTH.__getitem__)
            merged[-1] = Candidate(kind, last.start, max(last.end, each.end))
        else:
            merged.append(each)
    return merged


def _found(text: str) -> list[Candidate]:
    view = _view(text)
    return _merged([c for c in chain(identifiers.candidates(view), disclosures.candidates(view)) if c.start < c.end])


def _labels(text: str) -> dict[Kind, str]:
    """The labels in the language of `text`."""
    column = 0 if han_share(text) > 0 else 1
    return {kind: labels[column] for kind, labels in _LABELS.items()}


def _replaced(text: str, found: list[Candidate]) -> str:
    labels, pieces, at = _labels(text), [], 0
    for each in found:
        pieces += [text[at : each.start], labels[each.kind]]
        at = each.end
    return "".join([*pieces, text[at:]])


def find(text: str) -> tuple[PersonalDatum, ...]:
    """The personal data in `text`, in order, without overlaps.

    Returns:
        One record a span: its kind (a value of `candidates.Kind`; ``secret`` is what `drop_secrets` removes), its
        place in code points, the label that replaces it and the measured precision of its kind.
    """
    labels = _labels(text)
    return tuple(
        PersonalDatum(
            type=each.kind.value,
            start=each.start,
            end=each.end,
            masked=labels[each.kind],
            probability=PROBABILITY[each.kind],
        )
        for each in _found(text)
    )


def mask(text: str) -> str:
    """`text` with every span of personal data replaced by a label in its language. Idempotent."""
    # Each round hides at least one more character of the original from the patterns, so this ends.
    while found := _found(text):
        text = _replaced(text, found)
    return text


def drop_secrets(text: str) -> str:
    """`text` with passwords, PINs, card security and one-time codes replaced by [removed] / [已删除]. Idempotent."""
    while found := _merged(list(disclosures.secrets(_view(text)))):
        text = _replaced(text, found)
    return text


def redacted(text: str) -> str:
    """`text` as it may be stored: normalised, without secrets, personal data masked. Idempotent."""
    return mask(drop_secrets(normalise(text)))
