"""A tensor in a model file: as much data as its shape says, in the file itself."""

from collections.abc import Mapping
from math import prod
from typing import Any

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import protobuf
from lstm_runtime.model_file.messages import TENSOR, read

_BYTES: Mapping[int, int] = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4,
                             13: 8, 16: 2}  # fmt: skip
"""Size of a number of each element type of ONNX that a model may have; text has none."""

_TEXT = 8
_LISTS: Mapping[int, int] = {1: 4, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 7: 7, 9: 5, 10: 5, 11: 10, 12: 11,
                             13: 11, 16: 5, _TEXT: 6}  # fmt: skip
"""The field that holds the numbers of each type where they are not raw."""
_WIDTHS: Mapping[int, int] = {4: 4, 10: 8}
"""Size of a packed number in the fields of fixed width."""
_CONTINUED = bytes(range(0x80, 0x100))
"""Bytes of a packed number of any width that are not its last."""

_RAW, _NAME, _LOCATION = 9, 8, 14


def check_tensor(message: memoryview) -> str:
    """Check a tensor; return its name.

    Raises:
        ModelFileError: when its data are elsewhere, or not of its shape and type.

    """
    tensor = read(message, TENSOR)
    name = protobuf.decoded(tensor.get(_NAME, b""))
    if tensor.get(_LOCATION, 0):
        raise ModelFileError(f"the weights {name!r} are kept in another file")
    kind, sizes = tensor.get(2, 0), protobuf.whole_numbers(tensor.get(1, ()))
    if kind not in _LISTS:
        raise ModelFileError(f"the weights {name!r} are of a type that is not known")
    if any(size < 0 for size in sizes):
        raise ModelFileError(f"the weights {name!r} have a negative size")
    if set(tensor) & {*_LISTS.values()} - {_LISTS[kind]}:
        raise ModelFileError(f"the weights {name!r} have data of another type")
    if _count(tensor, kind) != prod(sizes):
        raise ModelFileError(f"the weights {name!r} have more or fewer numbers than their shape")
    return name


def _count(tensor: Mapping[int, Any], kind: int) -> int:
    """Return how many numbers or texts a tensor has; -1 where the data fit no number of them."""
    number = _LISTS[kind]
    if _RAW in tensor:
        whole, left = divmod(len(tensor[_RAW]), _BYTES.get(kind, 0) or 1)
        return -1 if left or kind == _TEXT or number in tensor else whole
    found = tensor.get(number, ())
    if kind == _TEXT:
        return len(found)
    return sum(_in_part(part, _WIDTHS.get(number)) for part in found)


def _in_part(part: "int | memoryview", width: int | None) -> int:
    if isinstance(part, int):
        return 1
    if width is None:
        return len(bytes(part).translate(None, _CONTINUED))
    return len(part) // width  # one number that is not packed has its width, too
