"""Text in a file: unpacked, decoded, split into lines, and written again in the same way."""

import codecs
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from lstm_runtime.errors import InputError, shown
from lstm_runtime.tables.lines import numbered_lines
from lstm_runtime.tables.packing import DamagedError, open_packed, open_unpacked, problem_of_name

_MARKS = (
    # That of UTF-32 begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
_WIDE = ("utf-16", "utf-32")
_ESCAPED = re.compile("[\ud800-\udfff]")
_PIECE = 1 << 16


class _Encoding(NamedTuple):
    mark: bytes
    codec: str

    @property
    def errors(self) -> str:
        """What is done to bytes that are no text: they come through as lone surrogates."""
        return "surrogatepass" if self.codec.startswith(_WIDE) else "surrogateescape"


@contextmanager
def _nothing_lost(path: Path, encoding: _Encoding) -> Iterator[None]:
    """Turn what the block raises for a character that ``encoding`` lacks into an `InputError`."""
    try:
        yield
    except UnicodeEncodeError as error:
        lost = error.object[error.start : error.end]
        raise InputError(f"{path}: {encoding.codec} has no {shown(lost)}") from error


class TextFile:
    """A file of text, packed or not; bytes that are none survive reading and writing.

    A byte order mark is no text, and is written again.
    """

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self._path = path
        self._given = encoding

    def lines(self) -> Iterator[str]:
        r"""Yield lines with their ends, split at "\n" only; see `problem` for bad bytes.

        Raises:
            InputError: when a packed file is none or cut off, the encoding cannot go on, or a line
                has no end.

        """
        number = 0
        with self._open(lambda: f"line {number}") as file:
            for number, line in numbered_lines(file.readline, self._path):  # noqa: B007 - for where
                yield line

    def pieces(self) -> Iterator[str]:
        """Yield the text a piece at a time.

        Raises:
            InputError: as `lines`.

        """
        read = 0
        with self._open(lambda: f"character {read}") as file:
            while piece := file.read(_PIECE):
                read += len(piece)
                yield piece

    @contextmanager
    def writer(self, file: BinaryIO, name: Path) -> Iterator[TextIO]:
        """Open ``file`` for text in this file's encoding, with its mark, packed as ``name`` says.

        Raises:
            InputError: within the block, for text that the encoding does not have.

        """
        found = self._encoding()
        with _nothing_lost(name, found), open_packed(file, name) as packed:
            packed.write(found.mark)
            text = io.TextIOWrapper(packed, found.codec, found.errors, newline="")
            try:
                yield text
                text.flush()
            finally:
                # Else it would close the file, which is the caller's.
                with suppress(Exception):
                    text.detach()

    def require(self, text: str) -> None:
        """Check that ``text``, which will be written, is in this file's encoding.

        Raises:
            InputError: names what the encoding does not have.

        """
        found = self._encoding()
        with _nothing_lost(self._path, found):
            text.encode(found.codec, found.errors)

    def problem(self, text: str) -> str:
        """Say where ``text`` holds bytes that are none in this encoding; '' where it does not."""
        if text.isascii():
            return ""
        found = _ESCAPED.search(text)
        if found is None:
            return ""
        return f"not {self._encoding().codec.upper()} (character {found.end()}); see --encoding"

    @contextmanager
    def _open(self, where: Callable[[], str]) -> Iterator[TextIO]:
        found = self._encoding()
        try:
            with open_unpacked(self._path) as file:
                file.read(len(found.mark))
                yield io.TextIOWrapper(file, found.codec, found.errors, newline="\n")
        except DamagedError as error:
            raise InputError(
                f"{self._path} is not a complete {error} file, after {where()}"
            ) from error
        except UnicodeDecodeError as error:
            name = found.codec.upper()
            raise InputError(
                f"{self._path}, after {where()}: not {name} ({error.reason})"
            ) from error

    def _encoding(self) -> _Encoding:
        try:
            with open_unpacked(self._path) as file:
                head = file.read(4)
        except DamagedError as error:
            raise InputError(
                f"{self._path} is not a complete {error} file, after line 0"
            ) from error
        if problem := problem_of_name(self._path, head):
            raise InputError(f"{self._path}: {problem}")
        for mark, codec in _MARKS:
            if head.startswith(mark):
                return _Encoding(mark, codec)
        codec = "utf-8" if self._given is None else codecs.lookup(self._given).name
        return _Encoding(b"", _WITHOUT_MARK.get(codec, codec))
