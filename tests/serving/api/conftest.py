"""A test house with an HTTP client, and tokens for everybody in it."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from openteller.core.records import Role
from openteller.serving.app import create_app
from openteller.serving.security import Tokens
from openteller.store.database import Database
from tests.serving.api.house import House, bearer, settings, staff
from tests.store.people import ANN, BEN, customer

Headers = dict[str, str]


@pytest.fixture
def house(clean: Database) -> House:
    """The real store with Ann and Ben in it."""
    with clean.owner_session() as session:
        for principal in (ANN, BEN):
            for row in customer(principal):
                session.add(row)
                session.flush()
    return House(clean, settings())


@pytest.fixture
def app(house: House) -> FastAPI:
    return create_app(house)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture
def ann(house: House) -> Headers:
    return bearer(Tokens(house.settings).issue(ANN))


@pytest.fixture
def ben(house: House) -> Headers:
    return bearer(Tokens(house.settings).issue(BEN))


@pytest.fixture
def as_staff(house: House) -> Callable[[Role], Headers]:
    return lambda role: bearer(Tokens(house.settings).issue(staff(role)))
