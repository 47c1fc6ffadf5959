"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow
from lstm_runtime.tables.lines import encoding_problem, lines_of, open_for_writing


class JsonLinesTable:
    """Objects with a text field; blank lines are none.

    The answer is put in behind the last field, and everything before it stays as it was, byte by
    byte. Where bad rows are kept, a line that is no object becomes the text field of one.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns

    def rows(self) -> Iterator[TextRow]:
        """Yield the objects' texts."""
        for number, line in self._lines():
            yield self._row(line, f"{self._path}, line {number}")

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield the objects' texts with all of their fields."""
        for number, line in self._lines():
            record = _parsed(line)
            fields = record if isinstance(record, dict) else {self._columns.text: line.strip()}
            yield self._row(line, f"{self._path}, line {number}"), fields

    def write(self, results: Iterator[RowResult], output: Path) -> None:
        """Write the lines with two more fields."""
        with open_for_writing(output) as file:
            for (_, line), result in zip(self._lines(), results, strict=True):
                body = line.strip()
                if not isinstance(_parsed(body), dict):
                    body = json.dumps({self._columns.text: body}, ensure_ascii=False)
                head = body[:-1].rstrip()
                comma = "" if head == "{" else ", "
                values = (result.label, result.score)
                added = json.dumps(dict(zip(self._columns.added, values, strict=True)))
                file.write(f"{head}{comma}{added[1:]}\n")

    def _lines(self) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(lines_of(self._path), start=1):
            if not line.isspace():
                yield number, line

    def _row(self, line: str, where: str) -> TextRow:
        problem = encoding_problem(line)
        record = None if problem else _parsed(line)
        if not isinstance(record, dict):
            return TextRow(where, "", problem=problem or "not a JSON object")
        names = self._columns
        for name in names.added:
            if name in record:
                raise InputError(
                    f"{where}: the field {name!r} is there already: add --prefix predicted_"
                )
        for name in names.wanted:
            if name not in record:
                return TextRow(where, "", problem=f"no field {name!r}; {names.hint}")
        text = record[names.text]
        if not isinstance(text, str):
            return TextRow(where, "", problem=f"the field {names.text!r} is no string")
        return TextRow(where, text, None if names.label is None else record[names.label])


def _parsed(line: str) -> Any:
    """Return the JSON value of a line; None for what is not JSON, which is no object either."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
