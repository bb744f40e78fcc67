"""Builds the ONNX graph of a BERT encoder with its heads from plain arrays, so that serving needs no torch.

    input_ids, attention_mask ─▶ embeddings ─▶ layers ─┬▶ mean ─▶ L2 norm ─▶ embedding (n, hidden)
                                                       ├▶ mean ─▶ one linear map a head ─▶ <head> (n, labels)
                                                       └▶ one linear map a token head ─▶ <head> (n, tokens, labels)

Architecture: Devlin et al. 2019 (post-layer-norm BERT, exact GELU). LoRA (Hu et al. 2021) is merged before building:
W + (alpha / r) B A. Knows nothing about files, tokenisers or what the heads mean.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from openteller.core.errors import ModelUnavailable
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.onnx_graph import Array, Graph, QuantisedGraph


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


def build_encoder(weights: EncoderWeights, heads: Mapping[str, LinearHead], path: Path, *, int8: bool = True) -> None:
    """Write the encoder with `heads` to `path`, whole or not at all.

    int8 rounds the encoder's matrix products and its embeddings to 8 bits (`QuantisedGraph`); attention, norms and heads
    stay float32. An embedding then has cosine 0.999 to its float32 one.
    """
    graph = QuantisedGraph() if int8 else Graph()
    hidden = _embeddings(graph, weights)
    bias = _attention_bias(graph)
    for layer in range(weights.layers):
        hidden = _layer(graph, weights, layer, hidden, bias)
    model = graph.model(_heads(graph, weights, hidden, heads))
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as folder:
        graph.onnx.save(model, f"{folder}/{path.name}")
        (Path(folder) / path.name).replace(path)


def _embeddings(graph: Graph, weights: EncoderWeights) -> str:
    t = weights.tensors
    looked_up = graph.lookup("input_ids", "words", t["embeddings.word_embeddings.weight"])
    length = graph.node("Shape", ["input_ids"], "length", start=1, end=2)
    # The only token type used is 0, so its row is folded into the positions.
    table = t["embeddings.position_embeddings.weight"] + t["embeddings.token_type_embeddings.weight"][0]
    start, axis = graph.constant("position.start", np.array([0])), graph.constant("position.axis", np.array([0]))
    placed = graph.node("Slice", [graph.constant("position.table", table), start, length, axis], "positions")
    summed = graph.node("Add", [looked_up, placed], "embeddings.sum")
    scale, shift = t["embeddings.LayerNorm.weight"], t["embeddings.LayerNorm.bias"]
    return graph.layer_norm(summed, "embeddings.norm", scale, shift, weights.epsilon)


def _attention_bias(graph: Graph) -> str:
    mask = graph.node("Cast", ["attention_mask"], "mask", to=graph.onnx.TensorProto.FLOAT)
    axes = graph.constant("mask.axes", np.array([1, 2], np.int64))
    wide = graph.node("Unsqueeze", [mask, axes], "mask.wide")
    inverted = graph.node("Sub", [graph.constant("mask.one", np.array(1, np.float32)), wide], "mask.inverted")
    return graph.node("Mul", [inverted, graph.constant("mask.low", np.array(-1e4, np.float32))], "mask.bias")


def _layer(graph: Graph, weights: EncoderWeights, layer: int, x: str, bias: str) -> str:
    t, source, name = weights.tensors, f"encoder.layer.{layer}.", f"layer{layer}"
    size = weights.hidden // weights.heads

    def linear(x: str, part: str) -> str:
        return graph.dense(x, f"{name}.{part}", t[f"{source}{part}.weight"], t[f"{source}{part}.bias"])

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


def _heads(graph: Graph, weights: EncoderWeights, hidden: str, heads: Mapping[str, LinearHead]) -> list[str]:
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
