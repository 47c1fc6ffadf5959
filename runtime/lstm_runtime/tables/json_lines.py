"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import OutputColumns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing


class JsonLinesTable:
    """Objects with a text field; blank lines are none.

    The answer is put in behind the last field, and everything before it stays as it was, byte by
    byte. Where bad rows are kept, a line that is no object becomes the text field of one.
    """

    def __init__(self, path: Path, columns: OutputColumns) -> None:
        self._path = path
        self._columns = columns

    def rows(self) -> Iterator[TextRow]:
        """Yield the objects' texts."""
        for number, line in self._lines():
            where = f"{self._path}, line {number}"
            text, problem = self._text(line, where)
            yield TextRow(where, text, problem)

    def write(self, answers: Iterator[RowResult], output: Path) -> None:
        """Write the lines with two more fields."""
        columns = self._columns
        with open_for_writing(output) as file:
            for (_, line), answer in zip(self._lines(), answers, strict=True):
                body = line.strip()
                if not isinstance(_parsed(body), dict):
                    body = json.dumps({columns.text: body}, ensure_ascii=False)
                head = body[:-1].rstrip()
                comma = "" if head == "{" else ", "
                added = json.dumps({columns.label: answer.label, columns.score: answer.score})
                file.write(f"{head}{comma}{added[1:]}\n")

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(lines_of(self._path), start=1):
            if not line.isspace():
                yield number, line

    def _text(self, line: str, where: str) -> tuple[str, str]:
        """Return the text of a line and why there is none."""
        problem = encoding_problem(line)
        if problem:
            return "", problem
        record = _parsed(line)
        if not isinstance(record, dict):
            return "", "not a JSON object"
        names = self._columns
        for name in (names.label, names.score):
            if name in record:
                raise InputError(
                    f"{where}: the field {name!r} is there already: add --prefix predicted_"
                )
        if names.text not in record:
            return "", f"no field {names.text!r}; see --text-column"
        text = record[names.text]
        if not isinstance(text, str):
            return "", f"the field {names.text!r} is no string"
        return text, ""


def _parsed(line: str) -> Any:
    """Return the JSON value of a line; None for what is not JSON, which is no object either."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
