"""The encoder's weights, read once a run."""

import pytest

from openteller.runtime.encoder_weights import EncoderWeights
from tests.runtime import encoders


@pytest.fixture(scope="session")
def e5() -> EncoderWeights:
    """multilingual-e5-small with its whole vocabulary."""
    return encoders.e5()


@pytest.fixture(scope="session")
def e5_zh_en() -> EncoderWeights:
    """multilingual-e5-small with the vocabulary that serving keeps."""
    return encoders.e5_zh_en()


@pytest.fixture(scope="session")
def small() -> EncoderWeights:
    """Two layers of it and 20,000 pieces."""
    return encoders.small()
