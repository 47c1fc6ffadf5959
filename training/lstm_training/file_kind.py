"""What a file is, by its own bytes: for the message when it is not the one that was wanted."""

import struct
import zipfile
import zlib
from pathlib import Path

LOOK = 512
"""Bytes to look at."""

_DAMAGE = (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, IndexError, struct.error)
"""What the reader of zip archives stumbles over, names that are no UTF-8 among it."""
_INFLATED = 50
_MUCH = 2**28
_PIECE = 2**20

_SIGNATURES = {
    b"\x08": "an ONNX file, or another of protobuf",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"\x93NUMPY": "a NumPy array",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF file",
    b"version https://git-lfs": "a Git LFS pointer, which names the file and does not hold it: "
    "fetch it with git lfs pull",
}
_PARTS = {
    "model.weights.h5": "a Keras archive",
    "saved_model.pb": "a TensorFlow model",
    "[Content_Types].xml": "an Office document",
}


def describe_file(path: Path) -> str:
    """Say what the file at ``path`` is, as in "is a gzip file"."""
    if path.is_dir():
        return "is a folder"
    with path.open("rb") as file:
        start = file.read(LOOK)
    if start.startswith(b"PK"):
        return f"is {_describe_zip(path)}"
    return describe_start(start)


def describe_start(start: bytes) -> str:
    """Say what a file is whose first bytes are ``start``, as in "is a gzip file"."""
    if not start:
        return "is empty"
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            return f"is {name}"
    if start[4:8] == b"TFL3":
        return "is a TensorFlow Lite model"
    if start[8:9] == b"{":  # behind the length of the header
        return "is a safetensors file"
    if any(byte < 9 or 13 < byte < 32 for byte in start):
        return "is of another kind"
    return "is an HTML page" if b"<html" in start.lower() else "is text"


def zip_names(path: Path) -> list[str] | None:
    """Return the names in a zip archive; None for one that is cut short or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except _DAMAGE:
        return None


def is_inflated(path: Path) -> bool:
    """Tell whether a zip archive says that it unpacks to far more than packed weights would.

    Numbers of a trained model hardly shrink; zeros do to a thousandth, and would fill the memory.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except _DAMAGE:
        return False
    return size > max(_INFLATED * path.stat().st_size, _MUCH)


def damaged_part(path: Path) -> str | None:
    """Return the name of a part of a zip archive whose checksum differs; None where none does.

    PyTorch reads such numbers as they are. Where it was told to write no checksums, they are 0.
    """
    name = ""
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                name = entry.filename
                with archive.open(entry) as part:
                    while entry.CRC and part.read(_PIECE):
                        pass  # the checksum is compared behind the last byte
    except zipfile.BadZipFile as error:
        return name if "CRC-32" in str(error) else None
    except (*_DAMAGE, EOFError, zlib.error):  # for the loader to tell of
        return None
    return None


def _describe_zip(path: Path) -> str:
    names = zip_names(path)
    if names is None:
        return "a zip archive that is cut short or damaged"
    for name in names:
        for part, kind in _PARTS.items():
            if name.endswith(part):
                return kind
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays in one file"
    if any(name.endswith("/archive_format") or "/models/" in f"/{name}" for name in names):
        return "a program of torch.export"
    return "a zip archive"
