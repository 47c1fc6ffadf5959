"""Raising a graph to the operator set that joins strings."""

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

JOINING_OPSET = 20
"""The first with ``StringConcat``; ONNX Runtime 1.17 reads it."""
JOINING_IR_VERSION = 9

_REDUCTIONS = {"ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"}
"""Operators whose axes are an attribute up to opset 17 and an input from 18 on."""


def raise_opset(graph: GraphProto) -> None:
    """Rewrite the operators of opset 13 to 18 that opset 20 writes otherwise.

    ONNX's own converter knows none of ONNX Runtime's operators and does not look into loops.
    """
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                raise_opset(attribute.g)
        if node.op_type in _REDUCTIONS:
            _axes_to_input(graph, node)
        if (
            node.op_type == "Split"
            and len(node.input) == 1
            and _index(node, "num_outputs") == len(node.attribute)
        ):
            node.attribute.append(helper.make_attribute("num_outputs", len(node.output)))


def _axes_to_input(graph: GraphProto, node: NodeProto) -> None:
    at = _index(node, "axes")
    if at == len(node.attribute):
        return
    name = f"{node.output[0]}/axes"
    axes = np.array(node.attribute[at].ints, np.int64)
    graph.initializer.append(numpy_helper.from_array(axes, name))
    del node.attribute[at]
    node.input.append(name)


def _index(node: NodeProto, name: str) -> int:
    """Return the place of an attribute; the number of attributes where there is none."""
    names = [attribute.name for attribute in node.attribute]
    return names.index(name) if name in names else len(names)
