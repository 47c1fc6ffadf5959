"""Protobuf's wire format, as much of it as an ONNX file needs.

The runtime does without the onnx package, and with it protobuf; a message is a flat list of
numbered fields, and reading one takes a page.
"""

from collections.abc import Iterator

from lstm_runtime.errors import ModelFileError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}

Field = tuple[int, "int | memoryview"]


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in file order: number, and a whole number or the bytes.

    Raises:
        ModelFileError: when the bytes are not a message.

    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ModelFileError(f"not an ONNX file: a field of wire type {kind}")
        if at + size > len(message):
            raise ModelFileError("the ONNX file is cut off within a field")
        yield number, message[at : at + size]
        at += size


def iter_messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the embedded iter_messages, strings or packed arrays of one field number."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def integers(message: memoryview, number: int) -> list[int]:
    """Return the integers of a repeated field, packed or not, as signed 64-bit numbers."""
    values: list[int] = []
    for found, value in fields(message):
        if found != number:
            continue
        if isinstance(value, int):
            values.append(_signed(value))
            continue
        at = 0
        while at < len(value):
            item, at = _varint(value, at)
            values.append(_signed(item))
    return values


def text(message: memoryview, number: int) -> str:
    """Return a string field; '' when it is left out."""
    return next((bytes(value).decode("utf-8") for value in iter_messages(message, number)), "")


def field(number: int, value: "int | bytes | memoryview") -> "list[bytes | memoryview]":
    """Return a field as the pieces of a message: a whole number from 0 on, or bytes.

    Pieces, since the bytes may be megabytes: whoever joins them copies once. Fixed-width fields,
    which `fields` gives as bytes too, come out as bytes: no message that is written has one.
    """
    if isinstance(value, int):
        return [_put_varint(number << 3 | _VARINT), _put_varint(value)]
    return [*header(number, len(value)), value]


def header(number: int, size: int) -> "list[bytes | memoryview]":
    """Return what stands before the ``size`` bytes of a field."""
    return [_put_varint(number << 3 | _BYTES) + _put_varint(size)]


def _put_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number that starts at ``at`` and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ModelFileError("the ONNX file is cut off within a number")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
