"""The kinds of personal data and the spans proposed for them. Knows nothing about how they are found or masked."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Kinds of personal data, strongest first: of overlapping spans the first kind names the whole."""

    SECRET = "secret"
    ID_NUMBER = "id_number"
    IBAN = "iban"
    EMAIL = "email"
    CARD_NUMBER = "card_number"
    PASSPORT = "passport"
    PHONE = "phone"
    ACCOUNT_NUMBER = "account_number"
    PLATE_NUMBER = "plate_number"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    PERSON = "person"


class Candidate(NamedTuple):
    """A span ``start``–``end`` of code points proposed to be of one kind."""

    kind: Kind
    start: int
    end: int
