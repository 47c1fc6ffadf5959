"""The checksum of a model file, inside the file.

A model file holds, once, the marker ``lstm-edge-sha256:`` and 64 hex digits: the SHA-256 of the
file with these digits as zeros. It is a metadata string, so every reader of ONNX carries it along,
and any language can check it without knowing protobuf. A damaged file is found before ONNX
Runtime sees a byte of it, also where the damage would only bend the answers. A file without one is
refused: it may have been cut before it.
"""

import hashlib

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file.foreign import foreign_reason

PROPERTY = "seal"
"""Name of the metadata property that holds the marker and the checksum."""

_MARKER = b"lstm-edge-sha256:"
_ZEROS = b"0" * 64

BLANK = (_MARKER + _ZEROS).decode()
"""Value of the property before `embed_checksum` fills it in."""


def embed_checksum(data: bytes) -> bytes:
    """Return the serialised model ``data``, which holds `BLANK` once, with its checksum.

    Raises:
        ModelFileError: when the marker is missing or there more than once.

    """
    if data.count(_MARKER) != 1:
        raise ModelFileError(f"a model that gets a checksum holds the marker {BLANK[:17]!r} once")
    start = data.index(_MARKER) + len(_MARKER)
    return data[:start] + _digest(data, start) + data[start + len(_ZEROS) :]


def remove_checksum(data: bytes) -> bytes:
    """Return a model file's bytes as they were before `embed_checksum`.

    Raises:
        ModelFileError: when the file has no place for a checksum, or more than one.

    """
    if data.count(_MARKER) != 1:
        raise ModelFileError("not a model file of lstm-export: it has no place for a checksum")
    start = data.index(_MARKER) + len(_MARKER)
    return data[:start] + _ZEROS + data[start + len(_ZEROS) :]


def verify_checksum(data: bytes) -> str:
    """Check a model file's bytes against their checksum; return its 64 hex digits.

    Raises:
        ModelFileError: when the file was damaged or changed after it was written, or has no
            checksum; says what it is instead of a model file where that can be told.

    """
    start = data.rfind(_MARKER) + len(_MARKER)
    if start < len(_MARKER):
        raise ModelFileError(foreign_reason(data))
    found, digits = _digest(data, start), data[start : start + len(_ZEROS)]
    if digits == _ZEROS:
        raise ModelFileError(
            "the file's checksum was never filled in: lstm-export --reseal proves the file and "
            "gives it one"
        )
    if found != digits:
        raise ModelFileError(
            "the file is damaged, or another tool changed it (its checksum does not fit): copy it "
            "again, or export it again; lstm-export --reseal takes a wanted change"
        )
    return found.decode()


def _digest(data: bytes, start: int) -> bytes:
    found = hashlib.sha256(memoryview(data)[:start])
    found.update(_ZEROS)
    found.update(memoryview(data)[start + len(_ZEROS) :])
    return found.hexdigest().encode()
