"""An ONNX graph under construction."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

# The lowest that hold every operator used here (``ReduceSum`` and ``Squeeze`` with axes as an
# input): old devices have old runtimes.
IR_VERSION = 7
OPSETS = {"": 13, "ai.onnx.ml": 2, "com.microsoft": 1}


@dataclass
class GraphBuilder:
    """Collects the parts of a graph; `model` puts them together."""

    nodes: list[NodeProto] = field(default_factory=list)
    initializers: list[TensorProto] = field(default_factory=list)
    inputs: list[ValueInfoProto] = field(default_factory=list)
    outputs: list[ValueInfoProto] = field(default_factory=list)
    value_infos: list[ValueInfoProto] = field(default_factory=list)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer; return its name."""
        self.initializers.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def add(self, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> str:
        """Add a node, named after its first output so that quantisers can tell nodes apart."""
        name = next(output for output in outputs if output)
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        return name

    def model(self) -> ModelProto:
        """Return the finished model, declaring just the operator sets that it uses."""
        graph = helper.make_graph(
            self.nodes,
            "sentiment_lstm",
            self.inputs,
            self.outputs,
            self.initializers,
            value_info=self.value_infos,
        )
        used = {""} | {node.domain for node in self.nodes}
        opsets = [helper.make_opsetid(name, OPSETS[name]) for name in sorted(used)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="lstm-edge"
        )
