"""A model file cut down, in memory, to what a score needs.

ONNX Runtime runs every node of a graph, whatever outputs are asked for, and 16 of our 44 serve
states, tokens and the trajectory only. Without them a text takes 7 to 10 percent less time. The
states, which are zeros unless they are fed, go too: that is what an LSTM starts from anyway.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import contract, protobuf
from lstm_runtime.model_file.apart import set_apart
from lstm_runtime.model_file.fusing import join_nodes
from lstm_runtime.model_file.graph import DOMAIN, Node

if TYPE_CHECKING:
    from lstm_runtime.model_file.apart import Bytes

# Field numbers of onnx.proto.
_GRAPH, _OPSET = 7, 8
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_NODE, _INITIALIZER, _INPUT, _OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_NAME, _VALUE_NAME = 8, 1

_LSTM = ("LSTM", "DynamicQuantizeLSTM")
_LSTM_STATES = (5, 6)
_STATE_MAKERS = ("Expand", "Split")
"Operators through which the states reach the layers."

_STATES = (contract.H0, contract.C0)


class Cut(NamedTuple):
    """A file cut down."""

    data: bytes
    "An ONNX file."
    apart: Mapping[str, "Bytes"]
    "Weights that it lacks, by name: see `lstm_runtime.model_file.apart`."


def prune_to_scores(data: bytes, shown: Collection[str] = (), *, joined: bool = False) -> bytes:
    """Return the file without all that `contract.PROBABILITY` does not need, as `cut_to_scores`."""
    return cut_to_scores(data, shown, joined=joined).data


def cut_to_scores(
    data: bytes, shown: Collection[str] = (), *, joined: bool = False, apart: bool = False
) -> Cut:
    """Return the file without all that `contract.PROBABILITY` does not need, states included.

    Args:
        data: the file.
        shown: values of the graph that become outputs too.
        joined: whether nodes are joined into operators that only the kernel has, see
            `lstm_runtime.model_file.fusing`. A shown value that is then made no more is no output.
        apart: whether large weights are returned beside the file, not in it.

    Raises:
        ModelFileError: when the bytes are not an ONNX file, or one that needs its states
            elsewhere than as the first ones of its LSTM layers.

    """
    graph = _graph(data)
    fields = list(protobuf.fields(graph))
    nodes, added = _needed_nodes(fields, shown), list[bytes]()
    if joined:
        nodes, added = join_nodes(nodes, _constants(fields), {contract.PROBABILITY, *shown})
    read = {name for node in nodes for name in node.inputs}
    made = {name for node in nodes for name in node.outputs}
    if read & set(_STATES):
        raise ModelFileError("the graph reads its states elsewhere than in its LSTM layers")
    kept = [piece for node in nodes for piece in protobuf.field(_NODE, node.message)]
    kept += [piece for tensor in added for piece in protobuf.field(_INITIALIZER, tensor)]
    weights: dict[str, Bytes] = {}
    for number, value in fields:
        if number == _NODE or not _is_kept(number, value, read):
            continue
        if apart and number == _INITIALIZER and not isinstance(value, int):
            kept += protobuf.field(number, _lightened(value, weights))
        else:
            kept += protobuf.field(number, value)
    for name in made.intersection(shown):  # ONNX Runtime infers the types
        info = b"".join(protobuf.field(_VALUE_NAME, name.encode()))
        kept += protobuf.field(_OUTPUT, info)
    pieces = _opset(DOMAIN) if joined else []
    for number, value in protobuf.fields(memoryview(data)):
        if number == _GRAPH:
            pieces += [*protobuf.header(_GRAPH, sum(map(len, kept))), *kept]
        else:
            pieces += protobuf.field(number, value)
    return Cut(b"".join(pieces), weights)


def _lightened(tensor: memoryview, weights: dict[str, "Bytes"]) -> bytes | memoryview:
    """Return a tensor without its weights where they are large: those go to ``weights``."""
    found = set_apart(tensor)
    if found is None:
        return tensor
    weights[found.name] = found.values
    return found.tensor


def _opset(domain: str) -> "list[bytes | memoryview]":
    """Return the field that says which version of a domain's operators a file has: 1."""
    version = [*protobuf.field(_OPSET_DOMAIN, domain.encode()), *protobuf.field(_OPSET_VERSION, 1)]
    return protobuf.field(_OPSET, b"".join(version))


def _graph(data: bytes) -> memoryview:
    graph = next(protobuf.iter_messages(memoryview(data), _GRAPH), None)
    if graph is None:
        raise ModelFileError("not an ONNX file: it has no graph")
    return graph


def _needed_nodes(fields: list[protobuf.Field], shown: Collection[str]) -> list[Node]:
    """Return the nodes that make the probability and what is shown, in order."""
    nodes = [Node(v) for number, v in fields if number == _NODE and not isinstance(v, int)]
    states = _made_of_states(nodes)
    needed = {contract.PROBABILITY, *shown}
    kept: list[Node] = []
    for node in reversed(nodes):  # a graph lists its nodes in the order in which they run
        if needed.isdisjoint(node.outputs):
            continue
        found = _without_states(node, states, needed) if node.op in _LSTM else node
        kept.append(found)
        needed.update(found.inputs)
    return kept[::-1]


def _without_states(node: Node, states: Collection[str], needed: Collection[str]) -> Node:
    """Return an LSTM layer that begins with zeros, and gives what is needed of it only."""
    inputs = [
        "" if n in _LSTM_STATES and name in states else name for n, name in enumerate(node.inputs)
    ]
    outputs = [name if name in needed else "" for name in node.outputs]
    return Node(_renamed(memoryview(node.message), inputs, outputs))


def _constants(fields: list[protobuf.Field]) -> dict[str, memoryview]:
    tensors = (v for number, v in fields if number == _INITIALIZER and not isinstance(v, int))
    return {protobuf.text(tensor, _TENSOR_NAME): tensor for tensor in tensors}


def _made_of_states(nodes: list[Node]) -> set[str]:
    """Return the names of the states, and of what is only their shape changed."""
    found = set(_STATES)
    for node in nodes:
        if node.op in _STATE_MAKERS and node.inputs[0] in found:
            found.update(node.outputs)
    return found


def _renamed(node: memoryview, inputs: list[str], outputs: list[str]) -> bytes:
    """Return a node with other inputs and outputs."""
    names = [(_NODE_INPUT, name) for name in inputs] + [(_NODE_OUTPUT, name) for name in outputs]
    pieces = [piece for n, name in names for piece in protobuf.field(n, name.encode())]
    for number, value in protobuf.fields(node):
        if number not in (_NODE_INPUT, _NODE_OUTPUT):
            pieces += protobuf.field(number, value)
    return b"".join(pieces)


def _is_kept(number: int, value: "int | memoryview", needed: set[str]) -> bool:
    """Whether a field of the graph stays: what names a value does where the value is needed."""
    if isinstance(value, int) or number not in (_INITIALIZER, _INPUT, _OUTPUT):
        return True
    name = protobuf.text(value, _TENSOR_NAME if number == _INITIALIZER else _VALUE_NAME)
    return name == contract.PROBABILITY if number == _OUTPUT else name in needed
