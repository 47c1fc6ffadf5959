"""Large weights apart from their file, for a session to read where they lie.

ONNX Runtime copies a file's bytes, then their parsed messages, then makes tensors of these, each
time in memory that the process touches first: 2 MB of words cost 4 ms. Weights that the file says
are kept elsewhere, and that a session is given beside it, are not copied.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lstm_runtime.model_file import protobuf

if TYPE_CHECKING:
    import numpy as np

    Bytes = np.ndarray[tuple[Any, ...], np.dtype[np.integer]]

# Field numbers of onnx.proto.
_DIMS, _TYPE, _NAME, _RAW, _EXTERNAL, _LOCATION = 1, 2, 8, 9, 13, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_ELSEWHERE = 1
_KINDS: Mapping[int, str] = {2: "uint8", 3: "int8"}
"""Types of a byte, which may lie anywhere: a float begins at a multiple of its size."""

_SMALLEST = 1 << 16
"""Bytes of weights from which on they are set apart."""


class Apart(NamedTuple):
    """Weights of a byte each, apart from their tensor."""

    name: str
    "The tensor's."
    values: "Bytes"
    "The weights; they share the file's memory."
    tensor: bytes
    "The tensor's message without them."


def set_apart(tensor: memoryview) -> Apart | None:
    """Return a tensor's weights and the rest of it; None where they stay in it."""
    import numpy as np  # a file that stays whole needs none

    fields = list(protobuf.fields(tensor))
    raw = next((v for number, v in fields if number == _RAW and not isinstance(v, int)), None)
    kind = next((v for number, v in fields if number == _TYPE and isinstance(v, int)), 0)
    if raw is None or len(raw) < _SMALLEST or kind not in _KINDS:
        return None
    values = np.frombuffer(raw, _KINDS[kind]).reshape(protobuf.integers(tensor, _DIMS))
    name = protobuf.text(tensor, _NAME)
    # A file's name has to be there; the session takes what it was given by the tensor's.
    location = _message((_ENTRY_KEY, b"location"), (_ENTRY_VALUE, name.encode()))
    rest = [(number, value) for number, value in fields if number != _RAW]
    message = _message(*rest, (_EXTERNAL, location), (_LOCATION, _ELSEWHERE))
    return Apart(name, values, message)


def _message(*fields: tuple[int, "int | bytes | memoryview"]) -> bytes:
    return b"".join(_pieces(fields))


def _pieces(
    fields: "Iterable[tuple[int, int | bytes | memoryview]]",
) -> "Iterable[bytes | memoryview]":
    for number, value in fields:
        yield from protobuf.field(number, value)
