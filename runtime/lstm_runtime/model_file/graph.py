"""The graph of a model file as nodes that can be matched and replaced, read without onnx."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from lstm_runtime.model_file import protobuf

# Field numbers of onnx.proto.
_GRAPH, _OPSET = 7, 8
_NODE, _INITIALIZER, _GRAPH_OUTPUT = 1, 5, 12
_VALUE_NAME, _OPSET_DOMAIN, _OPSET_VERSION = 1, 1, 2
_INPUT, _OUTPUT, _OP, _ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_NAME, _INT, _BYTES, _INTS, _KIND = 1, 3, 4, 8, 20
_DIMS, _TYPE, _TENSOR_NAME, _RAW = 1, 2, 8, 9
_UINT8, _INT_ATTRIBUTE = 2, 2

Message = bytes | memoryview


DOMAIN = "lstm_edge"
"""Of the operators that only the kernel has."""

Attribute = int | bytes | tuple[int, ...] | None


class NodePattern(NamedTuple):
    """What a node of a pattern looks like."""

    op: str
    inputs: tuple[int | str, ...]
    "Each the number of a node of the pattern, whose first output it is, or a word for any value."
    attributes: Mapping[str, Attribute] = MappingProxyType({})
    "Those that matter."


@dataclass(frozen=True)
class Node:
    """An operator at work."""

    message: Message
    "All of it, as the file has it."
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @cached_property
    def op(self) -> str:
        """The operator's name."""
        return protobuf.text(memoryview(self.message), _OP)

    @cached_property
    def attributes(self) -> dict[str, memoryview]:
        """The attributes, each a message."""
        found = protobuf.iter_messages(memoryview(self.message), _ATTRIBUTE)
        return {protobuf.text(attribute, _NAME): attribute for attribute in found}

    def attribute(self, name: str) -> Attribute:
        """Return a number, a string or numbers; None where the attribute is left out."""
        message = self.attributes.get(name)
        if message is None:
            return None
        text = next(protobuf.iter_messages(message, _BYTES), None)
        if text is not None:
            return bytes(text)
        several = tuple(protobuf.integers(message, _INTS))
        return several or next(iter(protobuf.integers(message, _INT)), None)


class Graph:
    """The nodes, what they read and who reads them."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._fields = list(protobuf.fields(next(protobuf.iter_messages(self._data, _GRAPH))))
        self.nodes = [_parse(node) for node in self._messages(_NODE)]
        self._constants = {protobuf.text(t, _TENSOR_NAME): t for t in self._messages(_INITIALIZER)}
        self.outputs = {protobuf.text(v, _VALUE_NAME) for v in self._messages(_GRAPH_OUTPUT)}
        self._readers = Counter(name for node in self.nodes for name in node.inputs)

    def _messages(self, number: int) -> list[memoryview]:
        return [value for n, value in self._fields if n == number and not isinstance(value, int)]

    def is_constant(self, name: str) -> bool:
        """Whether a value is an initializer."""
        return name in self._constants

    def reads(self, name: str) -> int:
        """Return how often nodes read a value."""
        return self._readers[name]

    def is_inner(self, name: str, reads: int = 1) -> bool:
        """Whether a value is read ``reads`` times, and no output."""
        return self.reads(name) == reads and name not in self.outputs

    def number(self, name: str) -> int | None:
        """Return the one 64-bit number of a constant; None of what is none."""
        if name not in self._constants:
            return None
        raw = next(protobuf.iter_messages(self._constants[name], _RAW), memoryview(b""))
        return int.from_bytes(raw, "little", signed=True) if len(raw) == 8 else None

    def match(
        self, at: int, pattern: Sequence[NodePattern], outer: Sequence[int]
    ) -> dict[str, str] | None:
        """Return the names that the pattern's words stand for; None where the nodes differ.

        Args:
            at: place of the first node.
            pattern: nodes that stand side by side.
            outer: those of the pattern that others may read.

        """
        nodes, names = self.nodes[at : at + len(pattern)], dict[str, str]()
        if len(nodes) < len(pattern):
            return None
        for node, wanted in zip(nodes, pattern, strict=True):
            if node.op != wanted.op or len(node.inputs) != len(wanted.inputs):
                return None
            if any(node.attribute(name) != value for name, value in wanted.attributes.items()):
                return None
            for source, name in zip(wanted.inputs, node.inputs, strict=True):
                if isinstance(source, str):
                    expected = names.setdefault(source, name)
                else:
                    expected = nodes[source].outputs[0]
                if name != expected:
                    return None
        reads = Counter(source for wanted in pattern for source in wanted.inputs)
        values = [node.outputs[0] for node in nodes]
        closed = all(n in outer or self.is_inner(v, reads[n]) for n, v in enumerate(values))
        return names if closed else None

    def with_nodes(self, nodes: Sequence[Message], added: Sequence[bytes]) -> bytes:
        """Return the file with other nodes, without what they leave unused.

        Args:
            nodes: of the operators of ONNX, ONNX Runtime and `DOMAIN`.
            added: initializers that they read and the graph has not.

        """
        domain = [*protobuf.field(_OPSET_DOMAIN, DOMAIN.encode())]
        domain += protobuf.field(_OPSET_VERSION, 1)
        pieces = protobuf.field(_OPSET, b"".join(domain))
        graph = self._graph_with(nodes, added)
        for number, value in protobuf.fields(self._data):
            if number == _GRAPH:
                pieces += [*protobuf.header(_GRAPH, sum(map(len, graph))), *graph]
            else:
                pieces += protobuf.field(number, value)
        return b"".join(pieces)

    def _graph_with(self, nodes: Sequence[Message], added: Sequence[bytes]) -> list[Message]:
        parsed = [_parse(node) for node in nodes]
        read = {name for node in parsed for name in node.inputs}
        made = {name for node in parsed for name in node.outputs}
        pieces = [piece for node in nodes for piece in protobuf.field(_NODE, node)]
        pieces += [piece for tensor in added for piece in protobuf.field(_INITIALIZER, tensor)]
        for number, value in self._fields:
            if number == _NODE or isinstance(value, int):
                continue
            unread = number == _INITIALIZER and protobuf.text(value, _TENSOR_NAME) not in read
            unmade = number == _GRAPH_OUTPUT and protobuf.text(value, _VALUE_NAME) not in made
            if not unread and not unmade:
                pieces += protobuf.field(number, value)
        return pieces


def _parse(message: Message) -> Node:
    view = memoryview(message)
    inputs, outputs = (
        tuple(bytes(name).decode() for name in protobuf.iter_messages(view, number))
        for number in (_INPUT, _OUTPUT)
    )
    return Node(message, inputs, outputs)


def write_node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int) -> bytes:
    """Return a node of an operator of `DOMAIN`."""
    names = [(_INPUT, name) for name in inputs] + [(_OUTPUT, name) for name in outputs]
    names += [(_OP, op), (_NODE_DOMAIN, DOMAIN)]
    pieces = [piece for number, name in names for piece in protobuf.field(number, name.encode())]
    for name, value in attributes.items():
        attribute = [*protobuf.field(_NAME, name.encode()), *protobuf.field(_INT, value)]
        attribute += protobuf.field(_KIND, _INT_ATTRIBUTE)
        pieces += protobuf.field(_ATTRIBUTE, b"".join(attribute))
    return b"".join(pieces)


def write_bytes(name: str, content: memoryview) -> bytes:
    """Return an initializer of unsigned bytes, ``[size]``."""
    return b"".join(
        [
            *protobuf.field(_DIMS, len(content)),
            *protobuf.field(_TYPE, _UINT8),
            *protobuf.field(_TENSOR_NAME, name.encode()),
            *protobuf.field(_RAW, content),
        ]
    )
