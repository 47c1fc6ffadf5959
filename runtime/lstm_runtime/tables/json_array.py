"""JSON: an array of objects, read an object at a time; or one object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.json_lines import JsonLinesTable
from lstm_runtime.tables.json_objects import object_fields, object_row, object_with
from lstm_runtime.tables.lines import LONGEST
from lstm_runtime.tables.text_file import TextFile

_SPACE = " \t\n\r"
_CUT = 16
"What is so close to the end of what was read may be cut: no mistake, or not the whole number."


class JsonTable:
    """A ``.json`` file; whether it holds an array or lines, its first character says."""

    def __init__(self, path: Path, columns: Columns, dialect: Dialect) -> None:
        self._file = TextFile(path, dialect.encoding)
        self._lines = JsonLinesTable(path, columns, dialect)
        self._array = _ArrayTable(path, columns, self._file)

    def check(self, output: Path | None = None) -> None:
        """Check the first row."""
        next(self.rows(), None)

    def rows(self) -> Iterator[TextRow]:
        """Yield the objects' texts."""
        return (row for row, _ in self.records())

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the objects' texts with all of their fields."""
        yield from self._table().records()

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write the objects with more fields, in the same form."""
        self._table().write(results, file, name)

    def _table(self) -> "JsonLinesTable | _ArrayTable":
        for piece in self._file.pieces():
            if start := piece.lstrip(_SPACE):
                return self._array if start.startswith("[") else self._lines
        return self._lines


class _Element(NamedTuple):
    lead: str
    "What stands before it: space, and the comma or the opening bracket."
    raw: str
    "Its text; '' behind the last one, where ``lead`` is the rest of the file."
    value: Any


class _ArrayTable:
    """An array of objects; all that stands between them stays as it was."""

    def __init__(self, path: Path, columns: Columns, file: TextFile) -> None:
        self._path = path
        self._columns = columns
        self._file = file

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        for number, element in enumerate(self._elements(), start=1):
            where = f"{self._path}, item {number}"
            problem = self._file.problem(element.raw)
            if element.raw:
                yield (
                    (
                        TextRow(where, "", problem=problem)
                        if problem
                        else object_row(element.value, where, self._columns)
                    ),
                    object_fields(element.raw, element.value, self._columns),
                )

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        with self._file.writer(file, name) as text:
            for element in self._elements():
                text.write(element.lead)
                if element.raw:
                    raw, value = element.raw, element.value
                    text.write(object_with(raw, value, self._columns, next(results)))

    def _elements(self) -> Iterator[_Element]:
        """Yield the elements, and one without text behind them.

        Raises:
            InputError: where the array is not JSON; what follows cannot be read either.

        """
        reader = _Reader(self._file)
        number = 0
        try:
            lead = reader.space() + reader.take("[") + reader.space()
            while reader.next() != "]":
                yield _Element(lead, *reader.value())
                number += 1
                lead = reader.space()
                if reader.next() == "]":
                    break
                lead += reader.take(",") + reader.space()
                if reader.next() == "]":
                    raise ValueError("a value expected behind ','")
            lead += reader.take("]") + reader.space()
            if reader.next():
                raise ValueError("text behind the array")
        except (ValueError, RecursionError) as error:
            told = getattr(error, "msg", None) or str(error)
            raise InputError(f"{self._path}: not JSON behind item {number}: {told}") from error
        yield _Element(lead, "", None)


class _Reader:
    """JSON a value at a time, with no more in memory than the longest of them."""

    def __init__(self, file: TextFile) -> None:
        self._pieces = file.pieces()
        self._text = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode

    def next(self) -> str:
        """Return the next character; '' at the end."""
        if self._at == len(self._text):
            self._more()
        return self._text[self._at : self._at + 1]

    def take(self, wanted: str) -> str:
        """Take a character that has to be there."""
        if self.next() != wanted:
            raise ValueError(f"{wanted!r} expected, not {self.next()!r}")
        self._at += 1
        return wanted

    def space(self) -> str:
        """Take what space there is."""
        taken = ""
        while (character := self.next()) and character in _SPACE:
            taken += character
            self._at += 1
        return taken

    def value(self) -> tuple[str, Any]:
        """Take a value; return its text and what it means."""
        while True:
            try:
                value, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                near_end = error.pos >= len(self._text) - _CUT
                cut = near_end or error.msg.startswith("Unterminated string")
                if cut and self._more():
                    continue
                raise
            closed = self._ended or isinstance(value, (dict, list, str))
            if not closed and end > len(self._text) - _CUT:  # a number may go on
                self._more()
                continue
            raw, self._at = self._text[self._at : end], end
            return raw, value

    def _more(self) -> bool:
        """Forget what is read and double what is left, or more; tell whether there was more."""
        left = self._text[self._at :]
        if len(left) > LONGEST:
            raise ValueError(f"a value of more than {LONGEST:,} characters")
        pieces, size = [left], 0
        while size <= len(left) and (piece := next(self._pieces, "")):
            pieces.append(piece)
            size += len(piece)
        self._text, self._at = "".join(pieces), 0
        self._ended = not size
        return size > 0
