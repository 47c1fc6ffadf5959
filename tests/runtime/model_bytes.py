"""Model files made by hand, field by field: changed metadata, foreign graphs."""

from collections.abc import Callable, Mapping

from lstm_runtime.model_file import protobuf
from lstm_runtime.model_file.checksum import BLANK, PROPERTY, embed_checksum

# Field numbers of onnx.proto.
_IR_VERSION, _GRAPH, _OPSET, _PROPERTIES = 1, 7, 8, 14


def properties(data: bytes) -> dict[str, str]:
    """Return the metadata properties of a model file."""
    entries = protobuf.iter_messages(memoryview(data), _PROPERTIES)
    return {protobuf.text(entry, 1): protobuf.text(entry, 2) for entry in entries}


def with_properties(data: bytes, changes: Mapping[str, str]) -> bytes:
    """Return the model with other metadata and a checksum that fits."""
    kept = _without(data, _PROPERTIES)
    entries = properties(data) | changes | {PROPERTY: BLANK}
    for name, value in entries.items():
        entry = joined(1, name.encode()) + joined(2, value.encode())
        kept += joined(_PROPERTIES, entry)
    return embed_checksum(kept)


def sealed_anew(data: bytes) -> bytes:
    """Return a changed model with a checksum that fits."""
    return with_properties(data, {})


def replaced(data: bytes, number: int, change: Callable[[bytes], bytes], without: int = 0) -> bytes:
    """Return the model with its field ``number`` changed, and without some fields of it."""
    pieces = []
    for found, value in protobuf.fields(memoryview(data)):
        if found == number:
            value = change(_without(bytes(value), without))  # noqa: PLW2901 - what it becomes
        pieces.append(joined(found, value))
    return b"".join(pieces)


def with_ir_version(data: bytes, version: int) -> bytes:
    """Return the model as one of another version of ONNX's format."""
    return joined(_IR_VERSION, version) + _without(data, _IR_VERSION)


def foreign_model() -> bytes:
    """Return a sound ONNX model that has nothing to do with us: y = Identity(x)."""
    node = joined(1, b"x") + joined(2, b"y") + joined(4, b"Identity")
    graph = joined(1, node) + joined(2, b"other")
    shape = joined(2, joined(1, joined(1, 1)))
    for field, name in ((11, b"x"), (12, b"y")):
        kind = joined(1, joined(1, 1) + shape)
        graph += joined(field, joined(1, name) + joined(2, kind))
    opset = joined(1, b"") + joined(2, 13)
    return joined(_IR_VERSION, 7) + joined(_GRAPH, graph) + joined(_OPSET, opset)


def _without(data: bytes, number: int) -> bytes:
    fields = protobuf.fields(memoryview(data))
    return b"".join(joined(found, value) for found, value in fields if found != number)


def joined(number: int, value: "int | bytes | memoryview") -> bytes:
    return b"".join(protobuf.field(number, value))
