"""Rows on 8 bits: how far off they may be, and that no row feels its neighbours."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from openteller.runtime.encoder_graph import build_encoder
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.onnx_backend import integers_saturate
from openteller.runtime.onnx_graph import Graph, QuantisedGraph, rounded
from openteller.runtime.tokenizer import build_tokenizer


def test_a_rounded_row_is_half_a_step_off_at_most_and_zeros_stay() -> None:
    rows = np.random.default_rng(0).normal(size=(5, 64), scale=[[1e-3], [1.0], [50.0], [0.0], [1e6]]).astype(np.float32)
    steps, scale = rounded(rows)
    assert np.abs(steps).max() == 127
    assert (np.abs(steps * scale[:, None] - rows) <= scale[:, None] * 0.5001).all()
    assert not steps[3].any()


@pytest.mark.parametrize("large", [1.0, 300.0])
def test_a_product_of_rows_is_close_whatever_another_row_holds(large: float, tmp_path: Path) -> None:
    draw = np.random.default_rng(1).normal
    weight, bias = draw(size=(32, 96)).astype(np.float32), draw(size=32).astype(np.float32)
    table = draw(size=(7, 96)).astype(np.float32)
    table[6] *= large  # a token with very large activations
    table[5] = 2.5  # and one that is the same everywhere
    found = {}
    for kind in (Graph, QuantisedGraph):
        graph = kind()
        graph.node("Identity", [graph.dense(graph.lookup("input_ids", "words", table), "d", weight, bias)], "out")
        graph.onnx.save(graph.model(["out"]), str(tmp_path / "m.onnx"))
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", str(int(integers_saturate())))
        session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), options, providers=["CPUExecutionProvider"])
        ids = np.arange(7)[None]
        found[kind] = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
    error = np.abs(found[QuantisedGraph] - found[Graph])
    assert error[:6].max() < 0.5  # of values around 10 and 25
    assert error[6].max() < 0.5 * large


def test_a_text_in_a_batch_is_the_text_alone(small: EncoderWeights, tmp_path: Path) -> None:
    build_encoder(small, {}, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    batch = build_tokenizer(small).encode_batch(["hi", "房贷提前还款要交违约金吗？我去年才办的", "!!!! ???? $$$$ 9999"])
    feed = {n: np.array([getattr(b, a) for b in batch]) for n, a in
            (("input_ids", "ids"), ("attention_mask", "attention_mask"))}  # fmt: skip
    together = session.run(None, feed)[0]
    for i, row in enumerate(batch):
        ids = feed["input_ids"][i : i + 1, : sum(row.attention_mask)]
        alone = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
        assert float(alone[0] @ together[i]) > 0.9999


def test_unsigned_weights_give_the_same(small: EncoderWeights, tmp_path: Path) -> None:
    """What processors without VNNI run; nothing is lost where signed products do not overflow."""
    build_encoder(small, {}, tmp_path / "m.onnx")
    ids = np.array([build_tokenizer(small).encode("我的信用卡丢了，怎么挂失？").ids])
    vectors = []
    for wanted in ("0", "1"):
        options = onnxruntime.SessionOptions()
        options.add_session_config_entry("session.x64quantprecision", wanted)
        session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), options, providers=["CPUExecutionProvider"])
        vectors.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    plain = tmp_path / "plain.onnx"
    build_encoder(small, {}, plain, int8=False)
    session = onnxruntime.InferenceSession(str(plain), providers=["CPUExecutionProvider"])
    exact = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
    assert float(vectors[1] @ exact) > 0.999
    if not integers_saturate():
        assert float(vectors[0] @ vectors[1]) > 0.9999
