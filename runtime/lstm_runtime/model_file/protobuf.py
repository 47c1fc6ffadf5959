"""Protobuf's wire format, as much of it as an ONNX file needs.

The runtime does without the onnx package, and with it protobuf; a message is a flat list of
numbered fields, and reading one takes a page.
"""

from collections.abc import Iterable, Iterator

from lstm_runtime.errors import ModelFileError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}

Field = tuple[int, "int | memoryview"]


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in file order: number, and a whole number or the bytes.

    Raises:
        ModelFileError: when the bytes are not a message.

    """
    for number, _wire, value in wire_fields(message):
        yield number, value


def wire_fields(message: memoryview) -> Iterator[tuple[int, int, "int | memoryview"]]:
    """Yield what `fields` does, with the wire type in the middle."""
    at, end = 0, len(message)
    while at < end:
        key, at = (message[at], at + 1) if message[at] < 0x80 else _varint(message, at)
        kind = key & 7
        if kind == _BYTES:
            size, start = _varint(message, at)
            at = start + size
            if at > end:
                raise _cut_off()
            yield key >> 3, kind, message[start:at]
        elif kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, kind, value
        else:
            start, at = at, at + _size(kind)
            if at > end:
                raise _cut_off()
            yield key >> 3, kind, message[start:at]


def field_size(message: memoryview, at: int) -> int:
    """Return how many bytes the field has that starts at ``at``, its key included."""
    start = at
    key, at = _varint(message, at)
    kind = key & 7
    if kind == _VARINT:
        return _varint(message, at)[1] - start
    if kind == _BYTES:
        size, at = _varint(message, at)
        return at + size - start
    return at + _size(kind) - start


def _size(kind: int) -> int:
    if kind not in _SIZES:
        raise ModelFileError(f"not an ONNX file: a field of wire type {kind}")
    return _SIZES[kind]


def _cut_off() -> ModelFileError:
    return ModelFileError("the ONNX file is cut off within a field")


def iter_messages(message: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the embedded messages, strings or packed arrays of one field number."""
    for found, value in fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def integers(message: memoryview, number: int) -> list[int]:
    """Return the integers of a repeated field, packed or not, as signed 64-bit numbers."""
    return whole_numbers(value for found, value in fields(message) if found == number)


def whole_numbers(parts: "Iterable[int | memoryview]") -> list[int]:
    """Return the integers of the parts of a repeated field, as signed 64-bit numbers."""
    values: list[int] = []
    for part in parts:
        if isinstance(part, int):
            values.append(_signed(part))
            continue
        at = 0
        while at < len(part):
            item, at = _varint(part, at)
            values.append(_signed(item))
    return values


def text(message: memoryview, number: int) -> str:
    """Return a string field; '' when it is left out."""
    return next((decoded(value) for value in iter_messages(message, number)), "")


def decoded(value: "bytes | memoryview") -> str:
    """Return a string.

    Raises:
        ModelFileError: when the bytes are not UTF-8.

    """
    try:
        return bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ModelFileError(f"a text in the ONNX file is not UTF-8: {error}") from error


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
    if at < len(data) and (value := data[at]) < 0x80:  # nearly all are one byte
        return value, at + 1
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
