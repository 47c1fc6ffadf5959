"""Model files made by hand, field by field: changed metadata, foreign graphs."""

from collections.abc import Mapping

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
        entry = _joined(1, name.encode()) + _joined(2, value.encode())
        kept += _joined(_PROPERTIES, entry)
    return embed_checksum(kept)


def with_ir_version(data: bytes, version: int) -> bytes:
    """Return the model as one of another version of ONNX's format."""
    return _joined(_IR_VERSION, version) + _without(data, _IR_VERSION)


def foreign_model() -> bytes:
    """Return a sound ONNX model that has nothing to do with us: y = Identity(x)."""
    node = _joined(1, b"x") + _joined(2, b"y") + _joined(4, b"Identity")
    graph = _joined(1, node) + _joined(2, b"other")
    shape = _joined(2, _joined(1, _joined(1, 1)))
    for field, name in ((11, b"x"), (12, b"y")):
        kind = _joined(1, _joined(1, 1) + shape)
        graph += _joined(field, _joined(1, name) + _joined(2, kind))
    opset = _joined(1, b"") + _joined(2, 13)
    return _joined(_IR_VERSION, 7) + _joined(_GRAPH, graph) + _joined(_OPSET, opset)


def _without(data: bytes, number: int) -> bytes:
    fields = protobuf.fields(memoryview(data))
    return b"".join(_joined(found, value) for found, value in fields if found != number)


def _joined(number: int, value: "int | bytes | memoryview") -> bytes:
    return b"".join(protobuf.field(number, value))
