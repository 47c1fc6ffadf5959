"""Nodes of a graph joined, in memory, into the two operators that only the kernel has.

ONNX Runtime spends a microsecond and more on each of the two dozen nodes that make ids of a text
and vectors of the ids, and writes what each layer gives another as floats. ``lstm_edge::WordIds``
and ``lstm_edge::EmbeddedLSTM`` (kernel/src) do the same to the bit. Nodes that are not wired as
lstm-export wires them stay as they are.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from lstm_runtime.model_file.graph import (
    Graph,
    Node,
    NodePattern,
    write_bytes,
    write_node,
)

_PATTERN = b"[a-z0-9']+|[!?]"
"The one token pattern that the kernel knows, `lstm_runtime.text.tokenizer.DEFAULT_PATTERN`."

_ZERO, _ONE, _EMPTY, _COLUMN = "zero", "one", "empty", "column"

_FRONT_END = (
    NodePattern(
        "StringNormalizer",
        ("text",),
        {"case_change_action": b"LOWER", "is_case_sensitive": 1, "locale": b"C"},
    ),
    NodePattern("Tokenizer", (0,), {"mark": 0, "mincharnum": 1, "tokenexp": _PATTERN}),
    NodePattern("LabelEncoder", (1,)),
    NodePattern("Less", (2, _ZERO)),
    NodePattern("Not", (3,)),
    NodePattern("Cast", (4,), {"to": 7}),
    NodePattern("ReduceSum", (5, _ONE), {"keepdims": 0}),
    NodePattern("Max", (6, _ONE)),
    NodePattern("Cast", (7,), {"to": 6}),
    NodePattern("Where", (3, _EMPTY, 2)),
    NodePattern("Shape", (7,)),
    NodePattern("Concat", (10, _ONE), {"axis": 0}),
    NodePattern("ReduceMax", (7,), {"keepdims": 1}),
    NodePattern("Expand", (_COLUMN, 11)),
    NodePattern("Concat", (9, 13), {"axis": 1}),
    NodePattern("Slice", (14, _ZERO, 12, _ONE)),
)
"""What lstm-export writes for a text (lstm_export/graph/tokenizer.py)."""
_TOKENS, _MATCHES, _LENGTHS, _IDS = 1, 2, 8, 15

_EMBEDDING = (
    NodePattern("Transpose", ("ids",), {"perm": (1, 0)}),
    NodePattern("Gather", ("table", 0), {"axis": None}),
    NodePattern("Gather", ("scale", 0), {"axis": None}),
    NodePattern("Cast", (1,), {"to": 1}),
    NodePattern("Mul", (3, 2)),
)
"""What it writes for an int8 embedding (lstm_export/graph/precision.py)."""


class Joined(NamedTuple):
    """What became of a graph's nodes."""

    nodes: list[Node]
    initializers: list[bytes]
    "Those that they read and the graph has not."


def join_nodes(
    nodes: Sequence[Node], constants: Mapping[str, memoryview], outputs: Collection[str]
) -> Joined:
    """Return the nodes with those joined that the kernel can do at once.

    Args:
        nodes: of a graph, in the order in which they run.
        constants: its initializers by name.
        outputs: its outputs. What the tokeniser matched is none afterwards.

    """
    graph = Graph(nodes, constants, outputs)
    found = Joined([], [])
    at = 0
    while at < len(graph.nodes):
        joined = _join_text(graph, at) or _join_layers(graph, at)
        found.nodes.append(Node(joined.node) if joined else graph.nodes[at])
        found.initializers.extend(joined.initializers if joined else ())
        at += joined.replaced if joined else 1
    return found


class _Joined(NamedTuple):
    """The node that takes the place of some."""

    node: bytes
    replaced: int
    "How many."
    initializers: tuple[bytes, ...] = ()
    "Those that it reads and the graph has not."


def _join_text(graph: Graph, at: int) -> _Joined | None:
    """Return the node that stands for the front end, if it begins here."""
    names = graph.match(at, _FRONT_END, (_TOKENS, _MATCHES, _LENGTHS, _IDS))
    if names is None:
        return None
    empty = graph.number(names[_EMPTY])
    wanted = {_ZERO: 0, _ONE: 1, _COLUMN: empty}
    if any(graph.number(names[name]) != value for name, value in wanted.items()):
        return None
    nodes = graph.nodes[at : at + len(_FRONT_END)]
    words = nodes[_MATCHES]
    if graph.reads(nodes[_TOKENS].outputs[0]) > 1:
        return None
    unknown = words.attribute("default_int64")
    keys, values = (words.attributes.get(n) for n in ("keys_strings", "values_int64s"))
    if keys is None or values is None or empty is None or not isinstance(unknown, int):
        return None
    made = write_node(
        "WordIds",
        [names["text"], "lstm_edge_keys", "lstm_edge_values"],
        [nodes[n].outputs[0] for n in (_IDS, _LENGTHS, _MATCHES)],
        unknown=unknown,
        empty=empty,
    )
    vocabulary = write_bytes("lstm_edge_keys", keys), write_bytes("lstm_edge_values", values)
    return _Joined(made, len(nodes), vocabulary)


def _join_layers(graph: Graph, at: int) -> _Joined | None:
    """Return the node that stands for the embedding and the layers above, if they begin here."""
    names = graph.match(at, _EMBEDDING, (len(_EMBEDDING) - 1,))
    if names is None:
        return None
    above = at + len(_EMBEDDING)
    layers = list(_layers(graph, above, graph.nodes[above - 1].outputs[0]))
    if not layers:
        return None
    inputs = [names["ids"], layers[0].inputs[4], names["table"], names["scale"]]
    for layer in layers:
        inputs += [*layer.inputs[1:4], *layer.inputs[8:12]]
    made = write_node("EmbeddedLSTM", inputs, layers[-1].outputs, layers=len(layers))
    return _Joined(made, len(_EMBEDDING) + 2 * len(layers) - 1)


def _layers(graph: Graph, at: int, vectors: str) -> Iterator[Node]:
    """Yield the LSTM layers that read ``vectors`` and each other only."""
    lengths = None
    while at < len(graph.nodes) and graph.is_inner(vectors):
        layer = graph.nodes[at]
        if not _is_plain_layer(graph, layer, vectors) or lengths not in (None, layer.inputs[4]):
            return
        yield layer
        lengths = layer.inputs[4]
        y, *states = layer.outputs
        joint = graph.nodes[at + 1] if at + 1 < len(graph.nodes) else None
        if any(states) or not graph.is_inner(y) or joint is None or joint.op != "Squeeze":
            return
        if joint.inputs[0] != y or not graph.is_constant(joint.inputs[1]):
            return
        if graph.number(joint.inputs[1]) != 1:
            return
        vectors = joint.outputs[0]
        at += 2


def _is_plain_layer(graph: Graph, node: Node, vectors: str) -> bool:
    """Whether a node is a forward int8 LSTM from zero states, with a bias."""
    return (
        node.op == "DynamicQuantizeLSTM"
        and node.attributes.keys() <= {"direction", "hidden_size"}
        and node.attribute("direction") in (None, b"forward")
        and len(node.inputs) == 12
        and node.inputs[0] == vectors
        and all(map(graph.is_constant, (*node.inputs[1:4], *node.inputs[8:])))
        and bool(node.inputs[4])
        and not any(node.inputs[5:8])
    )
