"""Fixtures of the store's tests."""

import pytest

from openteller.store.database import Database
from tests.store.people import ANN, BEN, customer


@pytest.fixture
def people(clean: Database) -> Database:
    """A clean database with Ann and Ben in it."""
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
    return clean
