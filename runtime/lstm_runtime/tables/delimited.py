"""CSV and TSV with a header line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import OutputColumns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing

# A field may be longer than csv's 131,072 characters; the bound stops a quote that never closes
# from swallowing the memory.
csv.field_size_limit(1 << 28)


@dataclass(frozen=True)
class _Record:
    """One row: its fields, or the raw text of a row that does not fit the header."""

    line: int
    fields: list[str]
    raw: str = ""
    problem: str = ""


class _RecordingLines:
    """Lines for ``csv.reader`` that remembers those of the current row."""

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


class CsvTable:
    """A table with a delimiter.

    A row that does not fit the header is a bad row. Where bad rows are kept, its raw text goes
    into the text column whole, so that nothing of it is lost.
    """

    def __init__(self, path: Path, columns: OutputColumns, delimiter: str) -> None:
        self._path = path
        self._columns = columns
        self._delimiter = delimiter

    def rows(self) -> Iterator[TextRow]:
        """Yield the rows behind the header; empty lines are none."""
        records = self._records()
        header = self._header(records)
        position = header.index(self._columns.text)
        for record in records:
            text = "" if record.problem else record.fields[position]
            problem = record.problem or encoding_problem(text)
            yield TextRow(f"{self._path}, line {record.line}", "" if problem else text, problem)

    def write(self, answers: Iterator[RowResult], output: Path) -> None:
        """Write the rows with two more fields."""
        records = self._records()
        header = self._header(records)
        position = header.index(self._columns.text)
        with open_for_writing(output) as file:
            writer = csv.writer(file, delimiter=self._delimiter, lineterminator="\n")
            writer.writerow([*header, self._columns.label, self._columns.score])
            for record, answer in zip(records, answers, strict=True):
                fields = record.fields
                if record.problem:
                    fields = [""] * len(header)
                    fields[position] = record.raw
                writer.writerow([*fields, answer.label, answer.score])

    def _header(self, records: Iterator[_Record]) -> list[str]:
        first = next(records, None)
        if first is None:
            raise InputError(f"{self._path} is empty: a header line names the columns")
        if first.problem:
            raise InputError(f"{self._path}, line {first.line}: {first.problem}")
        self._columns.check(first.fields, str(self._path))
        return first.fields

    def _records(self) -> Iterator[_Record]:
        """Yield header and rows; the first one decides how many fields the others have."""
        lines = _RecordingLines(self._path)
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        width = 0
        while True:
            start = lines.start_row()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
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
