"""Plain text: one text a line."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.packing import table_suffix
from lstm_runtime.tables.records import join_fields, join_unquoted
from lstm_runtime.tables.text_file import TextFile


class PlainTextTable:
    """A text file; every line is a row, also an empty one.

    It has no columns to keep, so it may be written in other formats too: as lines of label, score
    and text with tabs between, as ``lstm-run`` prints them, or as CSV, TSV, JSON Lines or JSON.

    Raises:
        InputError: when labels are wanted, which it cannot hold.

    """

    def __init__(self, path: Path, columns: Columns, dialect: Dialect) -> None:
        if columns.label is not None:
            raise InputError(f"{path}: plain text has no column {columns.label!r}")
        self._path = path
        self._columns = columns
        self._dialect = dialect
        self._file = TextFile(path, dialect.encoding)

    def check(self, output: Path | None = None) -> None:
        """Check the first line."""
        next(self.rows(), None)

    def rows(self) -> Iterator[TextRow]:
        """Yield the lines."""
        for number, line in enumerate(self._file.lines(), start=1):
            text, problem = _split_end(line)[0], self._file.problem(line)
            yield TextRow(f"{self._path}, line {number}", "" if problem else text, problem=problem)

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the lines, each as the text column."""
        for row, line in zip(self.rows(), self._file.lines(), strict=True):
            yield row, {self._columns.text: _split_end(line)[0]}

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write the lines with their answers, in the format of ``name``."""
        names = (self._columns.text, *self._columns.added)
        lines = (_split_end(line) for line in self._file.lines())
        rows: Iterator[tuple[tuple[Any, ...], str]] = (
            ((text, *result.values(self._columns)), end)
            for (text, end), result in zip(lines, results, strict=True)
        )
        with self._file.writer(file, name) as output:
            match table_suffix(name):
                case ".csv" | ".tsv" as kind:
                    join, delimiter = self._join(kind)
                    first = next(rows, None)
                    output.write(join(names, delimiter, first[1] if first else "\n"))
                    rest = chain([first] if first else [], rows)  # the header ends as the lines do
                    output.writelines(join(values, delimiter, end) for values, end in rest)
                case ".json":
                    objects = (_json(names, values) for values, _ in rows)
                    output.write("[")
                    output.writelines(
                        f"{',' if n else ''}\n{item}" for n, item in enumerate(objects)
                    )
                    output.write("\n]\n")
                case ".jsonl" | ".ndjson":
                    output.writelines(f"{_json(names, values)}\n" for values, _ in rows)
                case _:
                    output.writelines(f"{_printed(*values)}{end}" for values, end in rows)

    def _join(self, kind: str) -> tuple[Any, str]:
        quoting = self._dialect.quoting or ("none" if kind == ".tsv" else "csv")
        delimiter = self._dialect.delimiter or ("\t" if kind == ".tsv" else ",")
        return (join_unquoted if quoting == "none" else join_fields), delimiter


def _split_end(line: str) -> tuple[str, str]:
    """Return the text of a line and its end; that of a last line without one is a newline."""
    text = line.removesuffix("\n")
    return (text[:-1], "\r\n") if text.endswith("\r") else (text, "\n")


def _json(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    return json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)


def _printed(text: str, label: Any, *numbers: Any) -> str:
    """Return a line as ``lstm-run`` prints it, with the share of known words if it is there."""
    shown = ["" if number is None else f"{number:.3f}" for number in numbers]
    return "\t".join([label or "", *shown, text])
