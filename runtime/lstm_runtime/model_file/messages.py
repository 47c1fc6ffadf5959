"""The messages of ``onnx.proto`` that a model file may hold, read field by field.

What is not listed here is refused, and so is a field of another wire type or one that is there
twice: ONNX Runtime's reader and ours would each see something else in it. Fields that lead out of
the file, or to code that is not ours, are listed with what they are.
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import protobuf

_NUMBER, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WORDS, _IDS = 9 << 3 | _BYTES, 8 << 3 | _NUMBER
"""Keys of an attribute's strings and whole numbers."""
_USUAL_WORD = 28
"""Bytes of a word that a run of them is passed over with."""
_LONG = 4096
"""Bytes of an attribute from which on its lists are passed over."""


class Message:
    """Which fields a message may have, by number.

    Args:
        name: what it is, for messages.
        numbers: whole numbers, once.
        texts: texts, bytes and messages, once.
        many: texts, bytes and messages, any number of times; also numbers that are packed.
        many_numbers: numbers, any number of times, packed or not, with their wire type where they
            are not.
        floats: numbers of 32 bits, once.
        refused: fields that no file of ours has, with what they are.

    """

    def __init__(  # noqa: PLR0913 - a kind of field each
        self,
        name: str,
        *,
        numbers: frozenset[int] = frozenset(),
        texts: frozenset[int] = frozenset(),
        many: frozenset[int] = frozenset(),
        many_numbers: Mapping[int, int] = MappingProxyType({}),
        floats: frozenset[int] = frozenset(),
        refused: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        nothing: frozenset[int] = frozenset()
        self.name = name
        self.many = many
        self.refused = refused
        # Fields that may be there once, by wire type.
        self.once = {_NUMBER: numbers, _FIXED64: nothing, _BYTES: texts, _FIXED32: floats}
        # Wire types of the fields with any number of numbers.
        self.many_wires = {number: (wire, _BYTES) for number, wire in many_numbers.items()}


def _numbers(*found: int) -> frozenset[int]:
    return frozenset(found)


MODEL = Message(
    "model",
    numbers=_numbers(1, 5),
    texts=_numbers(2, 3, 4, 6, 7),
    many=_numbers(8, 14),
    refused={20: "a training graph", 25: "functions of its own", 26: "a device configuration"},
)
OPERATOR_SET = Message("operator set", numbers=_numbers(2), texts=_numbers(1))
ENTRY = Message("metadata entry", texts=_numbers(1, 2))
GRAPH = Message(
    "graph",
    texts=_numbers(2, 10),
    many=_numbers(1, 5, 11, 12, 13, 14, 16),
    refused={15: "sparse weights"},
)
NODE = Message(
    "node",
    texts=_numbers(3, 4, 6, 7),
    many=_numbers(1, 2, 5, 9),
    refused={8: "an overloaded function", 10: "a device configuration"},
)
ATTRIBUTE = Message(
    "attribute",
    numbers=_numbers(3, 20),
    texts=_numbers(1, 4, 5, 6, 13),
    many=_numbers(9, 10, 11),
    many_numbers={7: _FIXED32, 8: _NUMBER},
    floats=_numbers(2),
    refused={14: "a type as an attribute", 15: "types as an attribute", 21: "a function's argument",
             22: "sparse weights", 23: "sparse weights"},
)  # fmt: skip
TENSOR = Message(
    "tensor",
    numbers=_numbers(2, 14),
    texts=_numbers(8, 9, 12),
    many=_numbers(6, 16),
    many_numbers={1: _NUMBER, 4: _FIXED32, 5: _NUMBER, 7: _NUMBER, 10: _FIXED64, 11: _NUMBER},
    refused={3: "a part of a tensor", 13: "weights that are kept in another file"},
)
VALUE = Message("value", texts=_numbers(1, 2, 3), many=_numbers(4))
TYPE = Message(
    "type",
    texts=_numbers(1, 6),
    refused={4: "a sequence", 5: "a map", 8: "a sparse tensor", 9: "an optional value"},
)
TENSOR_TYPE = Message("tensor type", numbers=_numbers(1), texts=_numbers(2))
SHAPE = Message("shape", many=_numbers(1))
DIMENSION = Message("dimension", numbers=_numbers(1), texts=_numbers(2, 3))


def read(data: memoryview, kind: Message) -> dict[int, Any]:
    """Return the fields of a message by number: a value, or a list where there may be many.

    Raises:
        ModelFileError: when the bytes are no such message, or it has a field that it may not have.

    """
    found: dict[int, Any] = {}
    for number, wire, value in protobuf.wire_fields(data):
        repeated = number in kind.many and wire == _BYTES
        if repeated or wire in kind.many_wires.get(number, ()):
            found.setdefault(number, []).append(value)
        elif number in kind.once[wire] and number not in found:
            found[number] = value
        else:
            raise ModelFileError(_refusal(kind, number, found))
    return found


def read_attribute(data: memoryview) -> dict[int, Any]:
    """Return the fields of an attribute, as `read` does, without the parts of its long lists.

    Of a vocabulary's words and ids, only whether they are well-formed is looked at here.
    """
    if len(data) < _LONG:
        return read(data, ATTRIBUTE)
    whole = bytes(data)
    pieces, start, at = [], 0, 0
    while at < len(whole):
        end = _behind_list(whole, at)
        if end > at:
            pieces.append(data[start:at])
            start = at = end
        else:
            at += protobuf.field_size(data, at)
    if at != len(whole):
        raise ModelFileError("the ONNX file is cut off within a field")
    return read(memoryview(b"".join([*pieces, data[start:]])), ATTRIBUTE)


def _behind_list(data: bytes, at: int) -> int:
    """Return the position behind a run of short strings or of whole numbers, ``at`` if none."""
    if data[at] not in {_IDS, _WORDS}:
        return at
    run = _lists()[data[at]].match(data, at)
    return run.end() if run else at


@cache
def _lists() -> Mapping[int, re.Pattern[bytes]]:
    """Return what matches a run of an attribute's strings or whole numbers, by key.

    A vocabulary has tens of thousands, and a pattern passes over them in C.
    """
    words = b"|".join(re.escape(bytes([size])) + b".{%d}" % size for size in range(1, _USUAL_WORD))
    return {
        _IDS: re.compile(b"(?:" + bytes([_IDS]) + b"[\x80-\xff]{0,9}[\x00-\x7f])++"),
        _WORDS: re.compile(b"(?:" + bytes([_WORDS]) + b"(?:" + words + b"))++", re.DOTALL),
    }


def _refusal(kind: Message, number: int, found: dict[int, Any]) -> str:
    if number in kind.refused:
        return f"the {kind.name} has {kind.refused[number]}, which no file of lstm-export has"
    if number in found:
        return f"the {kind.name} has its field {number} twice"
    return f"the {kind.name} has a field {number} that is not known, or of another type"
