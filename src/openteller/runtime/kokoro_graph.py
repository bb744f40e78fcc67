"""Kokoro's convolutions as matrix products on signed 8-bit weights: the same arithmetic, a quarter to a third less time.

The int8 file stores its convolutions as ConvInteger with unsigned weights, which ONNX Runtime 1.32 multiplies with 16-bit
instructions, and rounds their biases to the product's steps. Here each of stride 1 becomes

    x (1, C, n) ─▶ transpose, pad ─▶ k shifted views side by side (1, n, k·C) ─▶ · (k·C, O) signed, + bias ─▶ transpose

which it multiplies with VNNI. Weights are shifted by 128 together with their zero point, so every product is what it was;
the biases become exact. Knows nothing about speech; leaves alone what it does not recognise.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 1  #: of what `rewrite` writes; part of the name of a file that keeps it
_END = 1 << 60  # past every axis


@dataclass(frozen=True)
class _Convolution:
    """What a ConvInteger and the nodes around it compute: float in `source`, float in `result`."""

    node: Any
    quantised: Any  # the DynamicQuantizeLinear of its input
    weights: NDArray[np.int16]  # (outputs, channels, kernel), less 128
    zero: NDArray[np.int16]
    scale: str
    bias: NDArray[np.float32] | None
    replaced: tuple[str, ...]  # outputs of the nodes that go
    result: str

    @property
    def settings(self) -> dict[str, Any]:
        from onnx.helper import get_attribute_value

        return {attribute.name: get_attribute_value(attribute) for attribute in self.node.attribute}


class _Reading:
    """Finds its way in a graph: constants, producers, users."""

    def __init__(self, graph: Any) -> None:
        self.constants = {constant.name: constant for constant in graph.initializer}
        self.producers = {output: node for node in graph.node for output in node.output}
        self.users: dict[str, list[Any]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)

    def value(self, name: str) -> NDArray[np.generic]:
        """What a constant holds."""
        from onnx.numpy_helper import to_array

        return np.asarray(to_array(self.constants[name]))

    def convolution(self, node: Any) -> _Convolution | None:
        """The convolution around a ConvInteger: quantised input, an added bias perhaps, cast, scaled. None otherwise."""
        quantised, following = self.producers.get(node.input[0]), self._only_user(node)
        bias, replaced = None, [node.output[0]]
        if following is not None and following.op_type == "Add":
            bias = self._bias(next(name for name in following.input if name != node.output[0]))
            replaced.append(following.output[0])
            if bias is None:
                return None
            following = self._only_user(following)
        scaled = self._only_user(following) if following is not None and following.op_type == "Cast" else None
        if quantised is None or scaled is None or scaled.op_type != "Mul":
            return None
        scale = self._scale(next(name for name in scaled.input if name != following.output[0]), quantised)
        if scale is None or quantised.op_type != "DynamicQuantizeLinear":
            return None
        weights, zero = (self.value(name).astype(np.int16) - 128 for name in (node.input[1], node.input[3]))
        gone = (*replaced, following.output[0], scaled.output[0])
        return _Convolution(node, quantised, weights, zero, scale, bias, gone, scaled.output[0])

    def _only_user(self, node: Any) -> Any:
        users = self.users.get(node.output[0], [])
        return users[0] if len(users) == 1 else None

    def _bias(self, name: str) -> NDArray[np.float32] | None:
        """The constant behind Cast(Floor(Reshape(bias) / scale))."""
        for _ in range(6):
            if name in self.constants:
                return self.value(name).reshape(-1).astype(np.float32)
            producer = self.producers.get(name)
            if producer is None or producer.op_type not in ("Cast", "Floor", "Add", "Div", "Reshape"):
                return None
            name = producer.input[0]
        return None

    def _scale(self, name: str, quantised: Any) -> str | None:
        """The constant scale of the weights in its product with the scale of the input."""
        product = self.producers.get(name)
        if product is None or product.op_type != "Mul" or quantised.output[1] not in product.input:
            return None
        return next((factor for factor in product.input if factor in self.constants), None)


def rewrite(source: Path, target: Path) -> int:
    """Write the model `source` with its convolutions replaced to `target`; how many were.

    Raises MissingDependency without the package onnx; OSError.
    """
    from openteller.runtime.onnx_graph import Graph

    onnx = Graph().onnx
    model = onnx.load(str(source))
    count = _rewrite(model.graph, onnx)
    onnx.save(model, str(target))
    return count


def _rewrite(graph: Any, onnx: Any) -> int:
    reading = _Reading(graph)
    found = [reading.convolution(node) for node in graph.node if node.op_type == "ConvInteger"]
    fitting = {one.result: one for one in found if one is not None and _fits(one)}
    gone = {output for one in fitting.values() for output in one.replaced}
    nodes: list[Any] = []
    for node in graph.node:
        if node.output[0] in fitting:
            nodes += _products(fitting[node.output[0]], graph, onnx)
        elif node.output[0] not in gone:
            nodes.append(node)
    _settle(graph, _used(nodes, {output.name for output in graph.output}))
    return len(fitting)


def _fits(one: _Convolution) -> bool:
    """Stride 1, one group, and an output as long as the input: the views can be cut from the padded input."""
    settings = one.settings
    same = sum(settings["pads"]) == settings["dilations"][0] * (settings["kernel_shape"][0] - 1)
    return bool(same and settings["strides"] == [1] and settings["group"] == 1)


def _products(one: _Convolution, graph: Any, onnx: Any) -> Iterator[Any]:
    base, settings = one.node.name, one.settings
    quantised, step, zero = one.quantised.output

    def constant(name: str, value: NDArray[np.generic]) -> str:
        graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(value), f"{base}/{name}"))
        return f"{base}/{name}"

    def node(kind: str, inputs: list[str], name: str, **more: Any) -> Any:
        return onnx.helper.make_node(kind, inputs, [name], name=f"{name}/node", **more)

    yield node("Transpose", [quantised], f"{base}/rows", perm=[0, 2, 1])
    rows, (outputs, channels, kernel) = f"{base}/rows", one.weights.shape
    if kernel > 1:
        before, after = settings["pads"]
        pads = constant("pads", np.array([0, before, 0, 0, after, 0], np.int64))
        yield node("Pad", [rows, pads, zero], f"{base}/padded")
        axis, dilation = constant("axis", np.array([1], np.int64)), settings["dilations"][0]
        for j in range(kernel):
            start = constant(f"start{j}", np.array([dilation * j], np.int64))
            end = constant(f"end{j}", np.array([dilation * (j - kernel + 1) or _END], np.int64))
            yield node("Slice", [f"{base}/padded", start, end, axis], f"{base}/view{j}")
        rows = f"{base}/views"
        yield node("Concat", [f"{base}/view{j}" for j in range(kernel)], rows, axis=2)
    weights = one.weights.transpose(2, 1, 0).reshape(kernel * channels, outputs).astype(np.int8)
    factors = [rows, constant("weights", weights), step, one.scale, zero, constant("zero", one.zero.astype(np.int8))]
    bias = [constant("bias", one.bias)] if one.bias is not None else []
    yield node("MatMulIntegerToFloat", factors + bias, f"{base}/product", domain="com.microsoft")
    yield node("Transpose", [f"{base}/product"], one.result, perm=[0, 2, 1])


def _used(nodes: list[Any], wanted: set[str]) -> list[Any]:
    """The nodes that the outputs need, in their order."""
    needed, kept = set(wanted), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    return kept[::-1]


def _settle(graph: Any, nodes: list[Any]) -> None:
    """Put `nodes` in an order in which each comes after what it takes, and leave out constants that none takes."""
    taken = {name for node in nodes for name in node.input}
    constants = [constant for constant in graph.initializer if constant.name in taken]
    del graph.initializer[:], graph.value_info[:], graph.node[:]
    graph.initializer.extend(constants)
    graph.node.extend(nodes)
