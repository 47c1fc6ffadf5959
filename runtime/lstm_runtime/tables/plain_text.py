"""Plain text: one text a line."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from lstm_runtime.tables.base import OutputColumns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing

OUTPUTS = (".txt", ".csv", ".tsv", ".jsonl")


class TextTable:
    """A text file; every line is a row, also an empty one.

    It has no columns to keep, so it may be written in other formats too: as lines of label, score
    and text with tabs between, as ``lstm-run`` prints them, or as CSV, TSV or JSON Lines.
    """

    def __init__(self, path: Path, columns: OutputColumns) -> None:
        self._path = path
        self._columns = columns

    def rows(self) -> Iterator[TextRow]:
        """Yield the lines."""
        for number, text in enumerate(self._texts(), start=1):
            problem = encoding_problem(text)
            yield TextRow(f"{self._path}, line {number}", "" if problem else text, problem)

    def write(self, answers: Iterator[RowResult], output: Path) -> None:
        """Write the lines with their answers, in the format of ``output``'s name."""
        columns = self._columns
        names = [columns.text, columns.label, columns.score]
        pairs = zip(self._texts(), answers, strict=True)
        with open_for_writing(output) as file:
            if output.suffix == ".jsonl":
                for text, answer in pairs:
                    values = (text, answer.label, answer.score)
                    record = dict(zip(names, values, strict=True))
                    file.write(json.dumps(record, ensure_ascii=False) + "\n")
            elif output.suffix == ".txt":
                for text, answer in pairs:
                    score = "" if answer.score is None else f"{answer.score:.3f}"
                    file.write(f"{answer.label or ''}\t{score}\t{text}\n")
            else:
                delimiter = "," if output.suffix == ".csv" else "\t"
                writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
                writer.writerow(names)
                writer.writerows((text, answer.label, answer.score) for text, answer in pairs)

    def _texts(self) -> Iterator[str]:
        return (line.removesuffix("\n").removesuffix("\r") for line in lines_of(self._path))
