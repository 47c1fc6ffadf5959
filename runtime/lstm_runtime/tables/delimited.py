"""CSV and TSV with a header line."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.packing import table_suffix
from lstm_runtime.tables.records import (
    RecordError,
    join_fields,
    join_unquoted,
    split_record,
    split_unquoted,
)
from lstm_runtime.tables.text_file import TextFile

CANDIDATES = (",", ";", "\t")
"""Delimiters of CSV files; Excel writes semicolons where the comma stands in numbers."""

_NAMES_DELIMITER = "sep="


class _Record(NamedTuple):
    """One row: its fields, and the lines that it stands on."""

    line: int
    fields: list[str]
    raw: str
    "Without the line end."
    end: str
    problem: str = ""


class _RecordingLines:
    """Lines that remember those of the current row."""

    def __init__(self, file: TextFile) -> None:
        self._lines = file.lines()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.taken.append(line)
        self.number += 1
        return line

    def start_row(self) -> int:
        """Forget the last row's lines; return the number of the next line."""
        self.taken = []
        return self.number + 1

    def row(self) -> tuple[str, str]:
        """Return the text of the current row, and its line end."""
        whole = self.taken[0] if len(self.taken) == 1 else "".join(self.taken)
        if whole.endswith("\r\n"):
            return whole[:-2], "\r\n"
        return (whole[:-1], "\n") if whole.endswith("\n") else (whole, "")


class DelimitedTable:
    """A table with a delimiter; empty lines are no rows.

    A row that does not fit the header is a bad row. Where bad rows are kept, its raw text goes
    into the text column whole, so that nothing of it is lost.
    """

    def __init__(self, path: Path, columns: Columns, dialect: Dialect) -> None:
        self._path = path
        self._columns = columns
        self._dialect = dialect
        self._file = TextFile(path, dialect.encoding)
        self._is_tsv = table_suffix(path) == ".tsv"
        self._quoted = (dialect.quoting or ("none" if self._is_tsv else "csv")) == "csv"

    def check(self, output: Path | None = None) -> None:
        """Check the header, and that what is added can be written."""
        self._header(self._records())
        for text in (*self._columns.added, *self._columns.answers):
            self._file.require(text)

    def rows(self) -> Iterator[TextRow]:
        """Yield the rows behind the header."""
        return (row for row, _, _ in self._read())

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the rows behind the header with their fields, which are strings."""
        for row, record, header in self._read():
            named = dict(zip(header.fields, record.fields, strict=False))
            yield row, {self._columns.text: record.raw} if record.problem else named

    def _read(self) -> Iterator[tuple[TextRow, _Record, _Record]]:
        """Yield the rows behind the header, what they were made of, and the header."""
        records = self._records()
        header = self._header(records)
        positions = [header.fields.index(name) for name in self._columns.wanted]
        for record in records:
            where = f"{self._path}, line {record.line}"
            if record.problem:
                yield TextRow(where, "", problem=record.problem), record, header
                continue
            values = [record.fields[position] for position in positions]
            problem = next(filter(None, map(self._file.problem, values)), "")
            if problem:
                row = TextRow(where, "", problem=problem)
            else:
                row = TextRow(where, values[0], values[1] if len(values) > 1 else None)
            yield row, record, header

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write the rows with more fields, each as it stood there, line ends included."""
        records = self._records()
        header = self._header(records)
        position = header.fields.index(self._columns.text)
        end = header.end or "\n"
        with self._file.writer(file, name) as text:
            text.write(self._named_delimiter)
            text.write(self._longer(header, self._columns.added, end))
            for record, result in zip(records, results, strict=True):
                row = record
                if record.problem:
                    fields = [""] * len(header.fields)
                    fields[position] = record.raw
                    row = _Record(record.line, fields, self._joined(fields), record.end)
                text.write(self._longer(row, result.values(self._columns), end))

    def _longer(self, record: _Record, added: tuple[object, ...], end: str) -> str:
        """Return the line of a record with more fields."""
        # A lone carriage return without quotes is a line end to some readers.
        safe = not (self._quoted and "\r" in record.raw)
        row = record.raw if safe else self._joined(record.fields)
        return f"{row}{self._delimiter}{self._joined(added)}{record.end or end}"

    def _joined(self, fields: "list[str] | tuple[object, ...]") -> str:
        join = join_fields if self._quoted else join_unquoted
        return join(fields, self._delimiter, "")

    def _header(self, records: Iterator[_Record]) -> _Record:
        first = next(records, None)
        if first is None:
            raise InputError(f"{self._path} is empty: a header line names the columns")
        problem = first.problem or self._file.problem(first.raw)
        if problem:
            raise InputError(f"{self._path}, line {first.line}: {problem}")
        self._columns.check(first.fields, str(self._path))
        return first

    @cached_property
    def _delimiter(self) -> str:
        """The delimiter: as told, a tab in TSV, or the one that gives the wanted columns."""
        if self._dialect.delimiter or self._is_tsv:
            return self._dialect.delimiter or "\t"
        if self._named_delimiter:
            return self._named_delimiter.removeprefix(_NAMES_DELIMITER)[0]
        widest, width = ",", 0
        for delimiter in CANDIDATES:
            first = next(self._split(delimiter), None)
            fields = first.fields if first else []
            if set(self._columns.wanted) <= set(fields):
                return delimiter
            if len(fields) > width:
                widest, width = delimiter, len(fields)
        return widest

    @cached_property
    def _named_delimiter(self) -> str:
        """The line before the header with which some CSV files tell Excel their delimiter."""
        line = "" if self._is_tsv else next(self._file.lines(), "")
        told = line.startswith(_NAMES_DELIMITER) and len(line.strip("\r\n")) == 5
        return line if told else ""

    def _records(self) -> Iterator[_Record]:
        return self._split(self._delimiter)

    def _split(self, delimiter: str) -> Iterator[_Record]:
        """Yield header and rows; the first one decides how many fields the others have."""
        lines = _RecordingLines(self._file)
        if self._named_delimiter:
            next(lines)
        split = split_record if self._quoted else split_unquoted
        width = 0
        while True:
            start = lines.start_row()
            try:
                fields = split(lines, delimiter)
            except StopIteration:
                return
            except RecordError as error:
                yield _Record(start, [], *lines.row(), f"not {self._name()}: {error}")
                continue
            if not fields:
                continue
            width = width or len(fields)
            if len(fields) != width:
                problem = f"{len(fields)} fields, but the header has {width}"
                yield _Record(start, [], *lines.row(), problem)
            else:
                yield _Record(start, fields, *lines.row())

    def _name(self) -> str:
        return "TSV" if self._is_tsv else "CSV"
