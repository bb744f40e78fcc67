"""Nodes and constants of an ONNX graph as they are collected; the same operations on floats or on 8-bit integers.

Knows nothing about encoders. What is not covered: training, control flow, subgraphs.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from openteller.core.errors import MissingDependency

_OPSET, _IR_VERSION = 20, 10
_ONNX_RUNTIME = "com.microsoft"  # its own operators
_STEPS = 127  # of a signed 8-bit weight, to either side
Array = NDArray[np.float32]


class Graph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise MissingDependency("Building a model needs the package onnx.", next_step="pip install onnx") from error
        self.onnx = onnx
        self.nodes: list[object] = []
        self.constants: dict[str, object] = {}

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """A constant; one that is there already stays."""
        if name not in self.constants:
            self.constants[name] = self.onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """An operation with one output, called `name`."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], name=f"node/{name}", **attributes))
        return name

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """The product x · weightᵀ + bias, in float32."""
        product = self.node("MatMul", [x, self.constant(f"{name}.weight", weight.T)], f"{name}.product")
        return self.node("Add", [product, self.constant(f"{name}.bias", bias)], f"{name}.out")

    def dense(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """The same, as exact as the graph is."""
        return self.linear(x, name, weight, bias)

    def lookup(self, ids: str, name: str, table: Array) -> str:
        """The rows of `table` that `ids` name."""
        return self.node("Gather", [self.constant(name, table), ids], f"{name}.found")

    def layer_norm(self, x: str, name: str, weight: Array, bias: Array, epsilon: float) -> str:
        """Layer normalisation over the last axis."""
        scale, shift = self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)
        return self.node("LayerNormalization", [x, scale, shift], f"{name}.out", axis=-1, epsilon=epsilon)

    def model(self, outputs: list[str]) -> Any:
        """The model that takes ``input_ids`` and ``attention_mask`` (n, tokens) int64 and gives `outputs` as float32."""
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        inputs = [
            helper.make_tensor_value_info(name, kinds.INT64, ["n", "tokens"])
            for name in ("input_ids", "attention_mask")
        ]
        results = [helper.make_tensor_value_info(name, kinds.FLOAT, None) for name in outputs]
        body = helper.make_graph(self.nodes, "encoder", inputs, results, list(self.constants.values()))
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_ONNX_RUNTIME, 1)]
        return helper.make_model(body, opset_imports=opsets, ir_version=_IR_VERSION)


class QuantisedGraph(Graph):
    """The encoder's products and its embeddings on 8-bit integers, rounded row by row.

    Each token's vector has a scale of its own, and so have each output's weights and each word's embedding: the few very
    large activations of some tokens (Dettmers et al. 2022, LLM.int8()) then cost the other tokens nothing, and a text's
    result does not depend on its batch. With x = low + range · u, u in 0–1 and rounded to 255 steps, and W ≈ s · w:

        x Wᵀ + b  ≈  range · (u wᵀ) · s  +  low · Σ(s · w)  +  b

    Signed weights are the fast ones. On processors without VNNI they would saturate; a session must then be opened with
    ``session.x64quantprecision`` (onnx_backend.py does).
    """

    def __init__(self) -> None:
        super().__init__()
        self._rounded: dict[str, tuple[str, str, str]] = {}

    def dense(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """The product x · weightᵀ + bias with both factors rounded to 8 bits."""
        unit, span, low = self._rows(x)
        steps, scale = rounded(weight)
        factors = [unit, self.constant(f"{name}.steps", steps.T), self._step, self.constant(f"{name}.scale", scale)]
        product = self.node("MatMulIntegerToFloat", [*factors, self._zero], f"{name}.integers", domain=_ONNX_RUNTIME)
        scaled = self.node("Mul", [product, span], f"{name}.scaled")
        total = (steps.astype(np.float32) * scale[:, None]).sum(axis=1)
        shift = self.constant(f"{name}.shift", np.stack([total, bias]).astype(np.float32))
        return self.node("Add", [scaled, self.node("MatMul", [low, shift], f"{name}.shifted")], f"{name}.out")

    def lookup(self, ids: str, name: str, table: Array) -> str:
        """The rows of `table`, rounded, that `ids` name."""
        steps, scale = rounded(table)
        found = self.node("Gather", [self.constant(name, steps), ids], f"{name}.steps")
        floats = self.node("Cast", [found], f"{name}.floats", to=self.onnx.TensorProto.FLOAT)
        scales = self.node("Gather", [self.constant(f"{name}.scale", scale[:, None]), ids], f"{name}.scales")
        return self.node("Mul", [floats, scales], f"{name}.found")

    @property
    def _step(self) -> str:
        return self.constant("rows.step", np.array(1 / 255, np.float32))

    @property
    def _zero(self) -> str:
        return self.constant("rows.zero", np.array(0, np.uint8))

    def _rows(self, x: str) -> tuple[str, str, str]:
        """(u as uint8, range, [low, 1]) of each row of `x`, made once for all products that take it."""
        if x not in self._rounded:
            axis = self.constant("rows.axis", np.array([-1], np.int64))
            high = self.node("ReduceMax", [x, axis], f"{x}.high", keepdims=1)
            low = self.node("ReduceMin", [x, axis], f"{x}.low", keepdims=1)
            least = self.constant("rows.least", np.array(1e-9, np.float32))
            span = self.node("Max", [self.node("Sub", [high, low], f"{x}.range"), least], f"{x}.span")
            one = self.node("Div", [span, span], f"{x}.one")
            above = self.node("Sub", [x, low], f"{x}.above")
            unit = self.node("Mul", [above, self.node("Reciprocal", [span], f"{x}.inverse")], f"{x}.unit")
            steps = self.node("QuantizeLinear", [unit, self._step, self._zero], f"{x}.rounded")
            self._rounded[x] = steps, span, self.node("Concat", [low, one], f"{x}.low.one", axis=-1)
        return self._rounded[x]


def rounded(rows: Array) -> tuple[NDArray[np.int8], Array]:
    """(n, k) rows as signed 8-bit steps, and the size (n,) of a step of each row; 1 for a row of zeros."""
    scale = np.abs(rows).max(axis=1) / _STEPS
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return np.round(rows / scale[:, None]).astype(np.int8), scale
