import pytest

from openteller.core.records import Principal, Role
from openteller.knowledge.library import Library
from openteller.knowledge.retrieval import Retriever
from openteller.runtime.scripted import ScriptedEmbedder
from openteller.store.database import Database


@pytest.fixture
def library(clean: Database) -> Library:
    return Library(clean, ScriptedEmbedder())


@pytest.fixture
def retriever(clean: Database) -> Retriever:
    return Retriever(clean, ScriptedEmbedder())


@pytest.fixture
def visitor() -> Principal:
    return Principal(subject="visitor:1", role=Role.VISITOR, customer_id=None)


@pytest.fixture
def customer() -> Principal:
    return Principal(subject="C000001", role=Role.CUSTOMER, customer_id="C000001")


@pytest.fixture
def agent() -> Principal:
    return Principal(subject="lin", role=Role.AGENT, customer_id=None)
