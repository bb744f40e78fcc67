"""The ONNX encoder: heads, offsets, temperatures, damaged files."""

from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import ModelUnavailable
from openteller.runtime.encoder_graph import LinearHead, build_encoder
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.onnx_backend import EncoderClassifier, EncoderEmbedder, OnnxEncoder, ranked, softmax
from openteller.runtime.tokenizer import build_tokenizer

LABELS = {"topic": ("card", "loan", "gold"), "tags": ("O", "B")}


@pytest.fixture(scope="module")
def folder(small: EncoderWeights, tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0).normal
    heads = {
        "topic": LinearHead(draw(size=(3, small.hidden)).astype(np.float32), np.zeros(3, np.float32)),
        "tags": LinearHead(draw(size=(2, small.hidden)).astype(np.float32), np.zeros(2, np.float32), True),
    }
    folder = tmp_path_factory.mktemp("onnx")
    build_encoder(small, heads, folder / "encoder.onnx")
    build_tokenizer(small).save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> OnnxEncoder:
    return OnnxEncoder(folder, LABELS, frozenset({"tags"}))


def test_shapes(encoder: OnnxEncoder) -> None:
    texts = ["card", "我的信用卡丢了"]
    found = encoder.encode(texts)
    assert found.embedding.shape == (2, 384)
    assert np.allclose(np.linalg.norm(found.embedding, axis=1), 1, atol=1e-5)
    assert found.logits["topic"].shape == (2, 3)
    assert [len(t) for t in found.token_logits["tags"]] == [len(o) for o in found.offsets]
    assert set(found.logits) == {"topic"}


def test_offsets_are_code_points_of_the_text(encoder: OnnxEncoder) -> None:
    text = "給🙂王芳轉5000元 today"
    offsets = encoder.encode([text]).offsets[0]
    covered = {i for start, end in offsets for i in range(start, end)}
    assert covered >= {i for i, c in enumerate(text) if c != " "}
    assert max(covered) < len(text)
    assert (np.diff(offsets[:, 0]) >= 0).all()


def test_a_text_alone_is_the_text_in_company(encoder: OnnxEncoder) -> None:
    together = encoder.encode(["hi", "房贷提前还款要交违约金吗"]).logits["topic"][0]
    assert np.array_equal(encoder.encode(["hi"]).logits["topic"][0], together)


def test_script_and_case_do_not_matter(encoder: OnnxEncoder) -> None:
    first, second = encoder.encode(["開戶 ABC", "开户 abc"]).embedding
    assert np.array_equal(first, second)


def test_no_text(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).embedding.shape == (0, 384)
    assert EncoderClassifier(encoder, "topic").classify([]) == []
    assert EncoderEmbedder(encoder).embed([], "query").shape == (0, 384)


def test_a_higher_temperature_is_less_sure_of_the_same(encoder: OnnxEncoder) -> None:
    sharp = EncoderClassifier(encoder, "topic", 0.5).classify(["card"])[0]
    soft = EncoderClassifier(encoder, "topic", 5.0).classify(["card"])[0]
    assert [s.label for s in sharp] == [s.label for s in soft]
    assert sharp[0].probability > soft[0].probability
    assert sum(s.probability for s in soft) == pytest.approx(1, abs=1e-5)


def test_softmax_bears_large_logits() -> None:
    chances = softmax(np.array([[1e4, 0.0], [-1e4, -1e4]], np.float32))
    assert np.allclose(chances, [[1, 0], [0.5, 0.5]])
    assert [s.label for s in ranked(("a", "b", "c"), np.array([0.2, 0.5, 0.3], np.float32))] == ["b", "c", "a"]


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_damaged_files_are_refused(folder: Path, tmp_path: Path, name: str, damage: str) -> None:
    for path in folder.iterdir():
        body = path.read_bytes()
        if path.name != name:
            (tmp_path / path.name).write_bytes(body)
        elif damage == "cut":
            (tmp_path / path.name).write_bytes(body[: len(body) // 2])
    with pytest.raises(ModelUnavailable) as caught:
        OnnxEncoder(tmp_path, LABELS, frozenset({"tags"}))
    assert name in caught.value.message
    assert caught.value.next_step
