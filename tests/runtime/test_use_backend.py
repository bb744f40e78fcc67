"""The sentence encoder on NumPy, and two embedders joined."""

from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import ModelUnavailable
from openteller.runtime.scripted import ScriptedEmbedder
from openteller.runtime.use_backend import JointEmbedder, SentenceEncoder
from tests.runtime.engines import weights

TEXTS = ["我的卡丢了", "i lost my card", "what is the fund fee?"]


@pytest.fixture(scope="module")
def sentences() -> SentenceEncoder:
    return SentenceEncoder(weights("use-multilingual"), weights("use-multilingual-vocabulary"))


def test_meaning_crosses_the_language(sentences: SentenceEncoder) -> None:
    zh, en, other = sentences.embed(TEXTS, "query")
    assert zh @ en > 0.5 > zh @ other


def test_long_text_is_cut_and_empty_text_has_a_vector(sentences: SentenceEncoder) -> None:
    vectors = sentences.embed(["利率" * 5000, ""], "query")
    assert vectors.shape == (2, 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert sentences.embed([], "query").shape == (0, 512)


def test_the_joint_product_is_the_weighted_mean(sentences: SentenceEncoder) -> None:
    first = ScriptedEmbedder()
    joint = JointEmbedder(first, sentences, share=0.25)
    a, b = first.embed(TEXTS, "query"), sentences.embed(TEXTS, "query")
    found = joint.embed(TEXTS, "query")
    assert found.shape == (3, joint.dimension)
    assert np.allclose(found @ found.T, 0.25 * a @ a.T + 0.75 * b @ b.T, atol=1e-5)
    assert np.allclose(joint.completing(TEXTS, "query")(a), found)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_cut_weights_are_refused(tmp_path: Path, share: float) -> None:
    body = weights("use-multilingual").read_bytes()
    (tmp_path / "weights.npz").write_bytes(body[: int(len(body) * share)])
    with pytest.raises(ModelUnavailable, match="weights cannot be read"):
        SentenceEncoder(tmp_path / "weights.npz", weights("use-multilingual-vocabulary"))


def test_a_missing_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"sp\.model"):
        SentenceEncoder(weights("use-multilingual"), tmp_path / "sp.model")
