"""The part of a graph that makes ids of texts, and its values as outputs of the graph.

What the tokeniser matched and the ids that the vocabulary gave are inside every file with the text
interface, so how much of a text the model knows costs next to nothing: it is only asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lstm_runtime.model_file import protobuf

# Field numbers of onnx.proto.
_GRAPH = 7
_NODE, _OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OP = 1, 2, 4
_VALUE_NAME = 1


class FrontEnd(NamedTuple):
    """Names of two values in the graph, both ``[batch, matches]``."""

    tokens: str
    "What the pattern matched; '' behind the end of a shorter text, and where it was no token."
    ids: str
    "Their ids; -1 behind the end, and for unknown words where those are dropped."


def find_front_end(data: bytes) -> FrontEnd | None:
    """Return where a model file's graph makes ids of texts; None where it takes ids."""
    for graph in protobuf.iter_messages(memoryview(data), _GRAPH):
        nodes = list(protobuf.iter_messages(graph, _NODE))
        if not any(_operator(node) == "Tokenizer" for node in nodes):
            return None
        for node in nodes:
            if _operator(node) == "LabelEncoder":
                return FrontEnd(_first(node, _NODE_INPUT), _first(node, _NODE_OUTPUT))
    return None


def with_outputs(data: bytes, names: Sequence[str]) -> bytes:
    """Return a model file whose graph has the values ``names`` as outputs too, behind its own."""
    pieces: list[bytes | memoryview] = []
    for number, value in protobuf.fields(memoryview(data)):
        if number == _GRAPH and not isinstance(value, int):
            # ONNX Runtime infers the types.
            infos = [b"".join(protobuf.field(_VALUE_NAME, name.encode())) for name in names]
            added = [piece for info in infos for piece in protobuf.field(_OUTPUT, info)]
            size = len(value) + sum(map(len, added))
            pieces += [*protobuf.header(_GRAPH, size), value, *added]
        else:
            pieces += protobuf.field(number, value)
    return b"".join(pieces)


def _operator(node: memoryview) -> str:
    return protobuf.text(node, _NODE_OP)


def _first(node: memoryview, number: int) -> str:
    return protobuf.text(node, number)
