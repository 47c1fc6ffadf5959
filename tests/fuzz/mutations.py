"""Structured mutations of model files: the tree of messages, changed at a place, written anew."""

import json
import random
from typing import Any

from lstm_runtime.model_file import messages, protobuf
from lstm_runtime.model_file.checksum import embed_checksum, remove_checksum
from lstm_runtime.model_file.messages import Message

_INNER: dict[tuple[str, int], Message] = {
    ("model", 7): messages.GRAPH,
    ("model", 8): messages.OPERATOR_SET,
    ("model", 14): messages.ENTRY,
    ("graph", 1): messages.NODE,
    ("graph", 5): messages.TENSOR,
    ("graph", 11): messages.VALUE,
    ("graph", 12): messages.VALUE,
    ("graph", 13): messages.VALUE,
    ("node", 5): messages.ATTRIBUTE,
    ("attribute", 5): messages.TENSOR,
    ("attribute", 6): messages.GRAPH,
    ("value", 2): messages.TYPE,
    ("type", 1): messages.TENSOR_TYPE,
    ("tensor type", 2): messages.SHAPE,
    ("shape", 1): messages.DIMENSION,
}
"""Which fields of which messages are messages."""

_NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 127, 1000, 2**20, 2**31 - 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1)
_TEXTS = (
    b"", b"\0", b"\xff", b"text", b"tokens", b"h0", b"probability", b"LSTM", b"Tokenizer", b"If",
    b"Loop", b"Scan", b"Expand", b"ConstantOfShape", b"Range", b"Tile", b"Resize", b"Gather",
    b"com.microsoft", b"ai.onnx.ml", b"evil", b"../secret", b"(a|aa)+$", b"x" * 5000,
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**40, 1e308, float("nan"), "", "x", [], {}, [[]], ["a", "a"],
    [0.5], ["\x1b"],
)  # fmt: skip

Field = tuple[int, "int | bytes"]


def mutated(data: bytes, source: random.Random) -> bytes:
    """Return a model file that differs from ``data`` in one to three places of its structure."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        data = _changed(data, messages.MODEL, source)
    return data


def sealed(data: bytes) -> bytes:
    """Return a file with a checksum that fits, where it has a place for one."""
    try:
        return embed_checksum(remove_checksum(data))
    except ValueError:
        return data


def _changed(data: bytes, kind: Message | None, source: random.Random) -> bytes:
    """Change a message here, or within one of its own messages."""
    fields: list[Field] = [
        (number, value if isinstance(value, int) else bytes(value))
        for number, value in protobuf.fields(memoryview(data))
    ]
    if not fields:
        return data + protobuf_field(source.randrange(1, 30), source.choice(_NUMBERS))
    place = source.randrange(len(fields))
    number, value = fields[place]
    inner = None if kind is None else _INNER.get((kind.name, number))
    if isinstance(value, bytes) and inner is not None and source.random() < 0.9:
        try:
            fields[place] = (number, _changed(value, inner, source))
        except ValueError:  # an earlier change left no message there
            fields[place] = (number, _bytes(value, source))
    else:
        _change_here(fields, place, kind, source)
    return b"".join(protobuf_field(*field) for field in fields)


def _change_here(
    fields: list[Field], place: int, kind: Message | None, source: random.Random
) -> None:
    number, value = fields[place]
    match source.randrange(6):
        case 0:
            del fields[place]
        case 1:
            fields.insert(source.randrange(len(fields) + 1), fields[place])
        case 2:
            other = source.randrange(len(fields))
            fields[place], fields[other] = fields[other], fields[place]
        case 3:
            fields.insert(place, (source.randrange(1, 30), source.choice((*_NUMBERS, *_TEXTS))))
        case _:
            fields[place] = (number, _value(value, kind, source))


def _value(value: "int | bytes", kind: Message | None, source: random.Random) -> "int | bytes":
    if isinstance(value, int):
        return source.choice((*_NUMBERS, value ^ 1, value + 1, max(0, value - 1)))
    if kind is messages.ENTRY and source.random() < 0.7:
        return _metadata(value, source)
    return source.choice(_TEXTS) if source.random() < 0.4 else _bytes(value, source)


def _bytes(value: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(value) + 1)
    match source.randrange(4):
        case 0:
            return value[:at]
        case 1:
            return value[:at] + source.randbytes(source.choice((1, 4, 8))) + value[at:]
        case 2:
            return value[:at] + source.randbytes(4) + value[at + 4 :]
        case _:
            flipped = bytearray(value or b"\0")
            flipped[source.randrange(len(flipped))] ^= 1 << source.randrange(8)
            return bytes(flipped)


def _metadata(value: bytes, source: random.Random) -> bytes:
    """Change a JSON value somewhere within."""
    try:
        found = json.loads(value)
    except ValueError:
        return _bytes(value, source)
    if isinstance(found, dict | list) and found and source.random() < 0.8:
        key = source.choice([*(found if isinstance(found, dict) else range(len(found)))])
        found[key] = source.choice(_VALUES)
    else:
        found = source.choice(_VALUES)
    return json.dumps(found).encode()


def protobuf_field(number: int, value: "int | bytes") -> bytes:
    """Return a field as it stands in a message."""
    return b"".join(protobuf.field(number, value))
