"""Builds the ONNX graph of a BERT encoder with its heads from plain arrays, so that serving needs no torch.

    input_ids, attention_mask ─▶ embeddings ─▶ layers ─┬▶ mean ─▶ L2 norm ─▶ embedding (n, hidden)
                                                       ├▶ mean ─▶ one linear map a head ─▶ <head> (n, labels)
                                                       └▶ one linear map a token head ─▶ <head> (n, tokens, labels)

Architecture: Devlin et al. 2019 (post-layer-norm BERT, exact GELU). LoRA (Hu et al. 2021) is merged before building:
W + (alpha / r) B A. Knows nothing about files, tokenisers or what the heads mean.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.runtime.e5_weights import EncoderWeights

_OPSET = 20
Array = NDArray[np.float32]


@dataclass(frozen=True)
class LinearHead:
    """A linear map on the encoder's output: weight (labels, hidden), bias (labels,)."""

    weight: Array
    bias: Array
    per_token: bool = False


def merge_lora(weights: EncoderWeights, adapter: Mapping[str, Array], scale: float) -> EncoderWeights:
    """`weights` with a LoRA adapter merged in.

    Args:
        weights: the encoder that the adapter was trained on.
        adapter: ``<tensor>.lora_A`` (r, in) and ``<tensor>.lora_B`` (out, r) for each adapted linear layer.
        scale: alpha / r.

    Raises:
        ModelUnavailable: the adapter names a layer that the encoder lacks, or a shape does not fit.
    """
    tensors = dict(weights.tensors)
    for name in sorted({key.rsplit(".lora_", 1)[0] for key in adapter}):
        full = f"{name}.weight"
        try:
            tensors[full] = tensors[full] + scale * (adapter[f"{name}.lora_B"] @ adapter[f"{name}.lora_A"])
        except (KeyError, ValueError) as error:
            raise ModelUnavailable(
                f"The adapter does not fit the encoder at {name}.",
                cause="It was trained on another base model.",
                next_step="Train it again with the recipe that names this base model.",
            ) from error
    return replace(weights, tensors=tensors)


class _Graph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingDependency("Building a model needs the package onnx.", next_step="pip install onnx") from error
        self.onnx = onnx
        self.nodes: list[object] = []
        self.constants: list[object] = []

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=f"node/{name}", **attributes))
        return name

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        product = self.node("MatMul", [x, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)], f"{name}.out")

    def layer_norm(self, x: str, name: str, weight: Array, bias: Array, epsilon: float) -> str:
        scale, shift = self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)
        return self.node("LayerNormalization", [x, scale, shift], f"{name}.out", axis=-1, epsilon=epsilon)


def build_encoder(weights: EncoderWeights, heads: Mapping[str, LinearHead], path: Path, *, int8: bool = True) -> None:
    """Write the encoder with `heads` to `path`, whole or not at all.

    int8 quantises the weights of the encoder's matrix products and its embeddings (dynamic activations). Left in float32
    are the heads, and the second product of each feed-forward block: a few of its inputs are so large that one scale for
    all loses the others (Dettmers et al. 2022, LLM.int8()). With it in 8 bits an embedding has cosine 0.986 to its float32
    one, without 0.996, at no measurable cost. Unsigned 8-bit weights are used because signed ones saturate on processors
    without VNNI.
    """
    graph = _Graph()
    hidden = _embeddings(graph, weights)
    bias = _attention_bias(graph)
    for layer in range(weights.layers):
        hidden = _layer(graph, weights, layer, hidden, bias)
    outputs = _heads(graph, weights, hidden, heads)
    model = _model(graph, outputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        plain, final = Path(folder) / "float32.onnx", Path(folder) / "final.onnx"
        graph.onnx.save(model, str(plain))
        if int8:
            outer = [f"layer{layer}.output.dense" for layer in range(weights.layers)]
            _quantise(
                plain, final, exclude=[f"node/{name}.product" for name in (*(f"head.{h}" for h in heads), *outer)]
            )
        (final if int8 else plain).replace(path)


def _embeddings(graph: _Graph, weights: EncoderWeights) -> str:
    t = weights.tensors
    words = graph.constant("words", t["embeddings.word_embeddings.weight"])
    looked_up = graph.node("Gather", [words, "input_ids"], "words.found")
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    # The only token type used is 0, so its row is folded into the positions.
    table = t["embeddings.position_embeddings.weight"] + t["embeddings.token_type_embeddings.weight"][0]
    start, axis = graph.constant("position.start", np.array([0])), graph.constant("position.axis", np.array([0]))
    placed = graph.node("Slice", [graph.constant("position.table", table), start, length, axis], "positions")
    summed = graph.node("Add", [looked_up, placed], "embeddings.sum")
    scale, shift = t["embeddings.LayerNorm.weight"], t["embeddings.LayerNorm.bias"]
    return graph.layer_norm(summed, "embeddings.norm", scale, shift, weights.epsilon)


def _attention_bias(graph: _Graph) -> str:
    mask = graph.node("Cast", ["attention_mask"], "mask", to=graph.onnx.TensorProto.FLOAT)
    axes = graph.constant("mask.axes", np.array([1, 2], np.int64))
    wide = graph.node("Unsqueeze", [mask, axes], "mask.wide")
    inverted = graph.node("Sub", [graph.constant("mask.one", np.array(1, np.float32)), wide], "mask.inverted")
    return graph.node("Mul", [inverted, graph.constant("mask.low", np.array(-1e4, np.float32))], "mask.bias")


def _layer(graph: _Graph, weights: EncoderWeights, layer: int, x: str, bias: str) -> str:
    t, source, name = weights.tensors, f"encoder.layer.{layer}.", f"layer{layer}"
    size = weights.hidden // weights.heads

    def linear(x: str, part: str) -> str:
        return graph.linear(x, f"{name}.{part}", t[f"{source}{part}.weight"], t[f"{source}{part}.bias"])

    def norm(x: str, part: str) -> str:
        scale, shift = t[f"{source}{part}.weight"], t[f"{source}{part}.bias"]
        return graph.layer_norm(x, f"{name}.{part}", scale, shift, weights.epsilon)

    split = graph.constant(f"{name}.split", np.array([0, 0, weights.heads, size], np.int64))
    merged = graph.constant(f"{name}.merge", np.array([0, 0, weights.hidden], np.int64))

    def by_head(part: str, order: list[int]) -> str:
        shaped = graph.node("Reshape", [linear(x, f"attention.self.{part}"), split], f"{name}.{part}.split")
        return graph.node("Transpose", [shaped], f"{name}.{part}.heads", perm=order)

    query, key, value = by_head("query", [0, 2, 1, 3]), by_head("key", [0, 2, 3, 1]), by_head("value", [0, 2, 1, 3])
    scores = graph.node("MatMul", [query, key], f"{name}.scores")
    scale = graph.constant(f"{name}.scale", np.array(1 / np.sqrt(size), np.float32))
    scaled = graph.node("Mul", [scores, scale], f"{name}.scores.scaled")
    masked = graph.node("Add", [scaled, bias], f"{name}.scores.masked")
    attention = graph.node("Softmax", [masked], f"{name}.attention", axis=-1)
    context = graph.node("MatMul", [attention, value], f"{name}.context")
    back = graph.node("Transpose", [context], f"{name}.context.back", perm=[0, 2, 1, 3])
    joined = graph.node("Reshape", [back, merged], f"{name}.context.joined")
    residual = graph.node("Add", [linear(joined, "attention.output.dense"), x], f"{name}.attention.residual")
    attended = norm(residual, "attention.output.LayerNorm")
    inner = graph.node("Gelu", [linear(attended, "intermediate.dense")], f"{name}.gelu")
    outer = graph.node("Add", [linear(inner, "output.dense"), attended], f"{name}.output.residual")
    return norm(outer, "output.LayerNorm")


def _heads(graph: _Graph, weights: EncoderWeights, hidden: str, heads: Mapping[str, LinearHead]) -> list[str]:
    column = graph.node("Unsqueeze", ["mask", graph.constant("last", np.array([2], np.int64))], "mask.column")
    kept = graph.node("Mul", [hidden, column], "hidden.kept")
    tokens = graph.constant("token.axis", np.array([1], np.int64))
    total = graph.node("ReduceSum", [kept, tokens], "hidden.total", keepdims=0)
    count = graph.node("ReduceSum", ["mask", tokens], "mask.count", keepdims=1)
    mean = graph.node("Div", [total, count], "mean")
    length = graph.node("ReduceL2", [mean, graph.constant("vector.axis", np.array([1], np.int64))], "norm", keepdims=1)
    graph.node("Div", [mean, length], "embedding")
    outputs = ["embedding"]
    for name, head in heads.items():
        scores = graph.linear(hidden if head.per_token else mean, f"head.{name}", head.weight, head.bias)
        outputs.append(graph.node("Identity", [scores], name))
    return outputs


def _model(graph: _Graph, outputs: list[str]) -> object:
    helper, kinds = graph.onnx.helper, graph.onnx.TensorProto
    inputs = [
        helper.make_tensor_value_info(name, kinds.INT64, ["n", "tokens"]) for name in ("input_ids", "attention_mask")
    ]
    results = [helper.make_tensor_value_info(name, kinds.FLOAT, None) for name in outputs]
    body = helper.make_graph(graph.nodes, "encoder", inputs, results, graph.constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=10)


def _quantise(source: Path, target: Path, exclude: list[str]) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # It advises by the root logger to run shape inference first, which our graphs do not need.
    root = logging.getLogger()
    root.addFilter(_is_no_advice)
    try:
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QUInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gather"],
            nodes_to_exclude=exclude,
        )
    finally:
        root.removeFilter(_is_no_advice)


def _is_no_advice(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Please consider to run pre-processing")
