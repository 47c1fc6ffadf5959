"""Nodes of a graph that can be matched and written, without the onnx package."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from lstm_runtime.model_file import protobuf

# Field numbers of onnx.proto.
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


class Node:
    """An operator at work: its message, as the file has it, and what that says."""

    def __init__(self, message: Message) -> None:
        self.message = message
        found: dict[int, list[memoryview]] = {}
        for number, value in protobuf.fields(memoryview(message)):
            if isinstance(value, memoryview):
                found.setdefault(number, []).append(value)
        self.inputs = tuple(map(protobuf.decoded, found.get(_INPUT, ())))
        self.outputs = tuple(map(protobuf.decoded, found.get(_OUTPUT, ())))
        self.op = protobuf.decoded(found.get(_OP, [b""])[0])
        self._attributes = found.get(_ATTRIBUTE, ())

    @cached_property
    def attributes(self) -> dict[str, memoryview]:
        """The attributes, each a message."""
        return {protobuf.text(attribute, _NAME): attribute for attribute in self._attributes}

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

    def __init__(
        self,
        nodes: Sequence[Node],
        constants: Mapping[str, memoryview],
        outputs: Collection[str],
    ) -> None:
        self.nodes = nodes
        self._constants = constants
        self._outputs = outputs
        self._readers = Counter(name for node in self.nodes for name in node.inputs)

    def is_constant(self, name: str) -> bool:
        """Whether a value is an initializer."""
        return name in self._constants

    def reads(self, name: str) -> int:
        """Return how often nodes read a value."""
        return self._readers[name]

    def is_inner(self, name: str, reads: int = 1) -> bool:
        """Whether a value is read ``reads`` times, and no output."""
        return self.reads(name) == reads and name not in self._outputs

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
