"""CSV and TSV with a header line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing
from lstm_runtime.tables.records import RecordError, join_fields, split_record


@dataclass(frozen=True)
class _Record:
    """One row: its fields, or the raw text of a row that does not fit the header."""

    line: int
    fields: list[str]
    raw: str = ""
    problem: str = ""


class _RecordingLines:
    """Lines that remember those of the current row."""

    def __init__(self, path: Path) -> None:
        self._lines = lines_of(path)
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


class DelimitedTable:
    """A table with a delimiter; empty lines are no rows.

    A row that does not fit the header is a bad row. Where bad rows are kept, its raw text goes
    into the text column whole, so that nothing of it is lost.
    """

    def __init__(self, path: Path, columns: Columns, delimiter: str) -> None:
        self._path = path
        self._columns = columns
        self._delimiter = delimiter

    def rows(self) -> Iterator[TextRow]:
        """Yield the rows behind the header."""
        return (row for row, _ in self.records())

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the rows behind the header with their fields, which are strings."""
        records = self._records()
        header = self._header(records)
        positions = [header.index(name) for name in self._columns.wanted]
        for record in records:
            where = f"{self._path}, line {record.line}"
            if record.problem:
                row = TextRow(where, "", problem=record.problem)
                yield row, {self._columns.text: record.raw}
                continue
            fields = dict(zip(header, record.fields, strict=True))
            values = [record.fields[position] for position in positions]
            problem = next(filter(None, map(encoding_problem, values)), "")
            if problem:
                yield TextRow(where, "", problem=problem), fields
            else:
                yield TextRow(where, values[0], values[1] if len(values) > 1 else None), fields

    def write(self, results: Iterator[RowResult], output: Path) -> None:
        """Write the rows with two more fields."""
        records = self._records()
        header = self._header(records)
        position = header.index(self._columns.text)
        with open_for_writing(output) as file:
            file.write(join_fields([*header, *self._columns.added], self._delimiter))
            for record, result in zip(records, results, strict=True):
                fields = record.fields
                if record.problem:
                    fields = [""] * len(header)
                    fields[position] = record.raw
                file.write(join_fields([*fields, result.label, result.score], self._delimiter))

    def _header(self, records: Iterator[_Record]) -> list[str]:
        first = next(records, None)
        if first is None:
            raise InputError(f"{self._path} is empty: a header line names the columns")
        problem = first.problem or encoding_problem("".join(first.fields))
        if problem:
            raise InputError(f"{self._path}, line {first.line}: {problem}")
        self._columns.check(first.fields, str(self._path))
        return first.fields

    def _records(self) -> Iterator[_Record]:
        """Yield header and rows; the first one decides how many fields the others have."""
        lines = _RecordingLines(self._path)
        width = 0
        while True:
            start = lines.start_row()
            try:
                fields = split_record(lines, self._delimiter)
            except StopIteration:
                return
            except RecordError as error:
                yield _Record(start, [], _raw(lines), f"not {self._name()}: {error}")
                continue
            if not fields:
                continue
            width = width or len(fields)
            if len(fields) != width:
                problem = f"{len(fields)} fields, but the header has {width}"
                yield _Record(start, [], _raw(lines), problem)
            else:
                yield _Record(start, fields)

    def _name(self) -> str:
        return "CSV" if self._delimiter == "," else "TSV"


def _raw(lines: _RecordingLines) -> str:
    return "".join(lines.taken).removesuffix("\n").removesuffix("\r")
