"""Packed files: gzip and Zstandard, by the last suffix of a name."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from lstm_runtime.extras import requires_extra

if TYPE_CHECKING:
    from collections.abc import Buffer  # type: ignore[attr-defined] # of Python 3.12

GZIP, ZSTANDARD = ".gz", ".zst"

PACKED = (GZIP, ZSTANDARD)
"""Suffixes of packed files."""

_BEGINNINGS = {b"\x1f\x8b\x08": (GZIP, "gzip"), b"\x28\xb5\x2f\xfd": (ZSTANDARD, "Zstandard")}
"""The first bytes of such files, whatever they are called."""

_PIECE = 1024
"""Bytes unpacked at once: Zstandard packs 128 KiB of equal bytes into four."""


class DamagedError(Exception):
    """A packed file that is none, or cut off; the message names the format."""


def is_packed(path: Path) -> bool:
    """Tell by its name whether a file is packed."""
    return path.suffix.lower() in PACKED


def problem_of_name(path: Path, head: bytes) -> str:
    """Say that a file which begins with ``head`` is packed and its name does not; '' if not so."""
    for beginning, (suffix, name) in _BEGINNINGS.items():
        if head.startswith(beginning) and not is_packed(path):
            return f"packed by {name}, which a name says that ends in {suffix}: {path.name}{suffix}"
    return ""


def table_suffix(path: Path) -> str:
    """Return the suffix that names a file's format: ``.csv`` for ``A.CSV`` and ``a.csv.gz``."""
    return Path(path.stem if is_packed(path) else path.name).suffix.lower()


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading what was packed into it; any other file as it is.

    Raises:
        DamagedError: within the block, when the file is no such packed file, or not all of one.
        MissingExtraError: when Python has no Zstandard of its own and the package is missing.

    """
    with path.open("rb") as file:
        match path.suffix.lower():
            case ".gz":
                yield from _gunzipped(file)
            case ".zst":
                yield cast("BinaryIO", io.BufferedReader(_Unpacker(file, _zstandard())))
            case _:
                yield file


@contextmanager
def open_packed(file: BinaryIO, name: Path) -> Iterator[BinaryIO]:
    """Pack what is written in the block into ``file``, as ``name`` says; equally each time."""
    match name.suffix.lower():
        case ".gz":
            import gzip  # most files are not packed

            # No name and no time within: equal rows make equal files.
            with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        case ".zst":
            with io.BufferedWriter(_Packer(file, _zstandard()), 1 << 17) as buffered:
                yield cast("BinaryIO", buffered)
        case _:
            yield file


def _gunzipped(file: BinaryIO) -> Iterator[BinaryIO]:
    import gzip
    import zlib

    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            yield cast("BinaryIO", unpacked)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedError("gzip") from error


def _zstandard() -> Any:
    """Return the module: Python's own from 3.14 on, else the package."""
    try:
        from compression import zstd  # type: ignore[import-not-found] # of Python 3.14
    except ImportError:
        with requires_extra("bulk"):
            import zstandard
        return zstandard
    return zstd


class _Unpacker(io.RawIOBase):
    """Frames of Zstandard, one after the other; the two modules differ in names only."""

    def __init__(self, file: BinaryIO, module: Any) -> None:
        self._file = file
        self._module = module
        self._error: Any = module.ZstdError
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        while not self._ready:
            self._packed = self._packed or self._file.read(_PIECE)
            if not self._packed:
                if self._frame is not None:
                    raise DamagedError("Zstandard")
                return 0
            self._ready = memoryview(self._next())
        target = memoryview(buffer)
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _next(self) -> bytes:
        if self._frame is None:
            decompressor = self._module.ZstdDecompressor()
            own = getattr(decompressor, "decompressobj", None)
            self._frame = own() if own else decompressor
        frame = self._frame
        try:
            found = bytes(frame.decompress(self._packed))
        except self._error as error:
            raise DamagedError("Zstandard") from error
        self._packed = frame.unused_data if frame.eof else b""
        if frame.eof:
            self._frame = None
        return found


class _Packer(io.RawIOBase):
    """One frame of Zstandard, with a checksum."""

    def __init__(self, file: BinaryIO, module: Any) -> None:
        self._file = file
        if hasattr(module, "CompressionParameter"):
            options = {module.CompressionParameter.checksum_flag: 1}
            self._frame = module.ZstdCompressor(options=options)
        else:
            self._frame = module.ZstdCompressor(write_checksum=True).compressobj()

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        self._file.write(self._frame.compress(bytes(data)))
        return len(memoryview(data).cast("B"))

    def close(self) -> None:
        if not self.closed:
            self._file.write(self._frame.flush())
        super().close()
