"""An ONNX graph under construction, written with value handles.

>>> is_padding = g.Less(ids, zero)

Every operator is a method: its arguments are the values it reads, its keywords the node's
attributes, its result the value it makes. The style is that of onnxscript's ``opset`` objects.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lstm_runtime.model_file.contract import DESCRIPTIONS
from numpy.typing import ArrayLike
from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from lstm_export.graph.opset import JOINING_IR_VERSION, JOINING_OPSET, raise_opset

# The lowest that hold every operator used here (``ReduceSum`` and ``Squeeze`` with axes as an
# input): old devices have old runtimes.
IR_VERSION = 7
OPSETS = {"": 13, "ai.onnx.ml": 2, "com.microsoft": 1}
DOMAINS = {
    "LabelEncoder": "ai.onnx.ml",
    "Tokenizer": "com.microsoft",
    "DynamicQuantizeLSTM": "com.microsoft",
}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph: an input, an initializer or what a node makes."""

    name: str


class GraphBuilder:
    """Collects the parts of a graph; `model` puts them together.

    Args:
        prefix: stands before all names that are made up here; for a graph inside another.

    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.inputs: list[ValueInfoProto] = []
        self.outputs: list[ValueInfoProto] = []
        self.value_infos: list[ValueInfoProto] = []
        self._constants: dict[bytes, Value] = {}

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> Value:
        """Add an input of the graph."""
        self.inputs.append(_described(name, dtype, shape))
        return Value(name)

    def output(self, value: Value, dtype: int, shape: Sequence[int | str]) -> None:
        """Make ``value`` an output of the graph, under its own name."""
        self.outputs.append(_described(value.name, dtype, shape))

    def weight(self, name: str, array: ArrayLike) -> Value:
        """Add an initializer that others find by its name."""
        self.initializers.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return Value(name)

    def constant(self, array: ArrayLike) -> Value:
        """Add a small initializer, once for each content; integers as int64, numbers as float32."""
        value = np.array(array, order="C")
        kinds: dict[str, type] = {"i": np.int64, "f": np.float32}
        tensor = numpy_helper.from_array(value.astype(kinds.get(value.dtype.kind, value.dtype)))
        key = tensor.SerializeToString(deterministic=True)
        if key not in self._constants:
            tensor.name = f"{self._prefix}constant_{len(self._constants)}"
            self.initializers.append(tensor)
            self._constants[key] = Value(tensor.name)
        return self._constants[key]

    def node(
        self, op: str, inputs: Sequence[Value | None], names: Sequence[str], **attributes: Any
    ) -> tuple[Value, ...]:
        """Add a node with several outputs; None stands for an input that is left out.

        The node is named after its first output, so that quantisers can tell nodes apart.
        """
        read = [value.name if value else "" for value in inputs]
        domain = DOMAINS.get(op, "")
        self.nodes.append(
            helper.make_node(op, read, names, name=names[0], domain=domain, **attributes)
        )
        return tuple(map(Value, names))

    def __getattr__(self, op: str) -> Callable[..., Value]:
        """Return a function that adds a node with one output, called ``name`` where given."""
        if not op[0].isupper():
            raise AttributeError(op)

        def add(*inputs: Value | None, name: str = "", **attributes: Any) -> Value:
            output = name or f"{self._prefix}{op}_{len(self.nodes)}"
            return self.node(op, inputs, [output], **attributes)[0]

        return add

    def graph(self, name: str) -> GraphProto:
        """Return what was collected as a graph, such as the body of a scan."""
        return helper.make_graph(
            self.nodes,
            name,
            self.inputs,
            self.outputs,
            self.initializers,
            value_info=self.value_infos,
        )

    def model(self, opset: int = OPSETS[""], ir_version: int = IR_VERSION) -> ModelProto:
        """Return the finished model, declaring just the operator sets that it uses.

        Args:
            opset: of ONNX's own operators, for nodes that others wrote; raised where strings are
                joined, which older ones cannot.
            ir_version: the format's version that belongs to it.

        """
        graph = self.graph("sentiment_lstm")
        used = {""} | {node.domain for node in all_nodes(graph)}
        if any(node.op_type == "StringConcat" for node in all_nodes(graph)):
            raise_opset(graph)
            opset, ir_version = JOINING_OPSET, JOINING_IR_VERSION
        versions = OPSETS | {"": opset}
        opsets = [helper.make_opsetid(name, versions[name]) for name in sorted(used)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=ir_version, producer_name="lstm-edge"
        )


def all_graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """Yield ``graph`` and, recursively, those inside its loops and branches."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from all_graphs(attribute.g)


def all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield all nodes, those inside loops and branches too."""
    for part in all_graphs(graph):
        yield from part.node


def _described(name: str, dtype: int, shape: Sequence[int | str]) -> ValueInfoProto:
    """Declare an input or output, with what the contract says of it."""
    return helper.make_tensor_value_info(name, dtype, shape, DESCRIPTIONS.get(name, ""))
