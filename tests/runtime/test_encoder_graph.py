"""The ONNX graph computes what BERT computes; LoRA is merged as written in the paper."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from openteller.core.errors import ModelUnavailable
from openteller.core.text import fold
from openteller.runtime.encoder_graph import LinearHead, build_encoder, merge_lora
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.tokenizer import build_tokenizer
from tests.runtime.engines import e5_encoder

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

TEXTS = [
    "我的信用卡丢了，怎么挂失？",
    "What is the interest rate on a one-year time deposit?",
    "開戶需要帶什麼證件",
    "帮我转 5,000 元给 Linda，明天到账",
    "hi",
    "房贷提前还款要交违约金吗？我去年才办的，利率3.85%，想先还二十万，剩下的按月还，可以在手机银行申请吗？",
]


@pytest.fixture(scope="module")
def bert(e5_zh_en: EncoderWeights) -> object:
    from openteller.training.backbone import as_torch

    return as_torch(e5_zh_en, dropout=0.0).eval()


@pytest.fixture(scope="module")
def by_torch(e5_zh_en: EncoderWeights, bert: object) -> tuple[list[np.ndarray], np.ndarray]:
    """Token vectors and normalised mean of each text, by transformers."""
    tokenizer = build_tokenizer(e5_zh_en)
    tokens, means = [], []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(fold(text)).ids])
        with torch.no_grad():
            hidden = bert(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[0].numpy()  # type: ignore[operator]
        tokens.append(hidden)
        means.append(hidden.mean(0) / np.linalg.norm(hidden.mean(0)))
    return tokens, np.stack(means)


@pytest.fixture(scope="module")
def float32(
    e5_zh_en: EncoderWeights, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[onnxruntime.InferenceSession]:
    path = tmp_path_factory.mktemp("graph") / "encoder.onnx"
    identity = LinearHead(np.eye(e5_zh_en.hidden, dtype=np.float32), np.zeros(e5_zh_en.hidden, np.float32), True)
    build_encoder(e5_zh_en, {"hidden": identity}, path, int8=False)
    yield onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    path.unlink()


def test_float32_equals_bert(
    float32: onnxruntime.InferenceSession, e5_zh_en: EncoderWeights, by_torch: tuple[list[np.ndarray], np.ndarray]
) -> None:
    tokenizer = build_tokenizer(e5_zh_en)
    for text, hidden, mean in zip(TEXTS, *by_torch, strict=True):
        ids = np.array([tokenizer.encode(fold(text)).ids])
        found = dict(zip(("embedding", "hidden"), float32.run(["embedding", "hidden"], _feed(ids)), strict=True))
        assert np.abs(found["hidden"][0] - hidden).max() < 1e-4
        assert np.abs(found["embedding"][0] - mean).max() < 1e-4


def test_padding_changes_nothing(
    float32: onnxruntime.InferenceSession, e5_zh_en: EncoderWeights, by_torch: tuple[list[np.ndarray], np.ndarray]
) -> None:
    batch = build_tokenizer(e5_zh_en).encode_batch([fold(text) for text in TEXTS])
    feed = {
        "input_ids": np.array([b.ids for b in batch]),
        "attention_mask": np.array([b.attention_mask for b in batch]),
    }
    assert len({sum(b.attention_mask) for b in batch}) > 3
    assert np.abs(float32.run(["embedding"], feed)[0] - by_torch[1]).max() < 1e-4


def test_int8_stays_close_to_bert(by_torch: tuple[list[np.ndarray], np.ndarray]) -> None:
    cosines = (e5_encoder().encode(TEXTS).embedding * by_torch[1]).sum(axis=1)
    assert cosines.min() >= 0.98


def test_lora_is_merged_as_by_hand(small: EncoderWeights) -> None:
    draw = np.random.default_rng(1).normal
    name = "encoder.layer.1.intermediate.dense"
    a, b = draw(size=(4, small.hidden)).astype(np.float32), draw(size=(small.intermediate, 4)).astype(np.float32)
    merged = merge_lora(small, {f"{name}.lora_A": a, f"{name}.lora_B": b}, 2.0)
    by_hand = small.tensors[f"{name}.weight"].copy()
    for rank in range(4):
        by_hand += 2.0 * np.outer(b[:, rank], a[rank])
    assert np.allclose(merged.tensors[f"{name}.weight"], by_hand, atol=1e-4)
    assert merged.tensors[f"{name}.weight"].dtype == np.float32
    untouched = [n for n in small.tensors if n != f"{name}.weight"]
    assert all(merged.tensors[n] is small.tensors[n] for n in untouched)


def test_merged_lora_equals_peft(small: EncoderWeights, tmp_path: Path) -> None:
    from openteller.training.backbone import MultiHead

    torch.manual_seed(3)
    model = MultiHead(small, {"topic": 3}, lora_rank=4, dropout=0.0).eval()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "lora_B" in parameter_name:
                parameter.normal_(std=0.05)
    build_encoder(
        merge_lora(small, model.adapter(), model.lora_scale), model.linear_heads(), tmp_path / "m.onnx", int8=False
    )
    ids = np.array([build_tokenizer(small).encode("我的卡丢了").ids])
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        mean, tokens = model(torch.tensor(ids), torch.ones_like(torch.tensor(ids)))
        expected = model.head("topic", mean, tokens).numpy()
    assert np.abs(session.run(["topic"], _feed(ids))[0] - expected).max() < 1e-4
    plain = tmp_path / "plain.onnx"
    build_encoder(small, model.linear_heads(), plain, int8=False)
    unmerged = onnxruntime.InferenceSession(str(plain), providers=["CPUExecutionProvider"])
    assert np.abs(unmerged.run(["topic"], _feed(ids))[0] - expected).max() > 1e-3


@pytest.mark.parametrize("wrong", ["layer", "shape"])
def test_an_adapter_of_another_encoder_is_refused(small: EncoderWeights, wrong: str) -> None:
    name = "encoder.layer.9.output.dense" if wrong == "layer" else "encoder.layer.0.output.dense"
    adapter = {f"{name}.lora_A": np.ones((2, 77), np.float32), f"{name}.lora_B": np.ones((384, 2), np.float32)}
    with pytest.raises(ModelUnavailable, match="does not fit"):
        merge_lora(small, adapter, 1.0)


def test_half_an_adapter_is_refused(small: EncoderWeights) -> None:
    with pytest.raises(ModelUnavailable):
        merge_lora(small, {"encoder.layer.0.output.dense.lora_A": np.ones((2, 1536), np.float32)}, 1.0)


def test_nothing_is_left_beside_the_file(small: EncoderWeights, tmp_path: Path) -> None:
    build_encoder(small, {}, tmp_path / "deep" / "encoder.onnx", int8=False)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["encoder.onnx"]


def _feed(ids: np.ndarray) -> dict[str, np.ndarray]:
    return {"input_ids": ids, "attention_mask": np.ones_like(ids)}
