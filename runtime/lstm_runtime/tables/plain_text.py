"""Plain text: one text a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing, table_suffix
from lstm_runtime.tables.records import DELIMITERS, join_fields


class PlainTextTable:
    """A text file; every line is a row, also an empty one.

    It has no columns to keep, so it may be written in other formats too: as lines of label, score
    and text with tabs between, as ``lstm-run`` prints them, or as CSV, TSV or JSON Lines.

    Raises:
        InputError: when labels are wanted, which it cannot hold.

    """

    def __init__(self, path: Path, columns: Columns) -> None:
        if columns.label is not None:
            raise InputError(f"{path}: plain text has no column {columns.label!r}")
        self._path = path
        self._columns = columns

    def rows(self) -> Iterator[TextRow]:
        """Yield the lines."""
        for number, text in enumerate(self._texts(), start=1):
            problem = encoding_problem(text)
            yield TextRow(f"{self._path}, line {number}", "" if problem else text, problem=problem)

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the lines, each as the text column."""
        for row, text in zip(self.rows(), self._texts(), strict=True):
            yield row, {self._columns.text: text}

    def write(self, results: Iterator[RowResult], output: Path) -> None:
        """Write the lines with their answers, in the format of ``output``'s name."""
        names = (self._columns.text, *self._columns.added)
        kind = table_suffix(output)
        with open_for_writing(output) as file:
            if kind in DELIMITERS:
                file.write(join_fields(names, DELIMITERS[kind]))
            for text, result in zip(self._texts(), results, strict=True):
                values = (text, result.label, result.score)
                if kind in DELIMITERS:
                    file.write(join_fields(values, DELIMITERS[kind]))
                elif kind == ".jsonl":
                    record = dict(zip(names, values, strict=True))
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
                else:
                    score = "" if result.score is None else f"{result.score:.3f}"
                    file.write(f"{result.label or ''}\t{score}\t{text}\n")

    def _texts(self) -> Iterator[str]:
        return (line.removesuffix("\n").removesuffix("\r") for line in lines_of(self._path))
