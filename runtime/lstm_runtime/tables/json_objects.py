"""Rows that are JSON objects: what a text is in one, and how an answer is put in."""

import json
from typing import Any

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, RowResult, TextRow


def object_row(value: Any, where: str, columns: Columns) -> TextRow:
    """Return the row of a JSON value; a bad one where it is no object with the wanted fields.

    Raises:
        InputError: when a field that is to be added is there already.

    """
    if not isinstance(value, dict):
        return TextRow(where, "", problem="not a JSON object")
    for name in columns.added:
        if name in value:
            raise InputError(
                f"{where}: the field {name!r} is there already: add --prefix predicted_"
            )
    for name in columns.wanted:
        if name not in value:
            return TextRow(where, "", problem=f"no field {name!r}; {columns.hint}")
    text = value[columns.text]
    if not isinstance(text, str):
        null = ", it is null" if text is None else ""
        return TextRow(where, "", problem=f"the field {columns.text!r} is no string{null}")
    return TextRow(where, text, None if columns.label is None else value[columns.label])


def object_fields(raw: str, value: Any, columns: Columns) -> dict[str, Any]:
    """Return the fields of a JSON value; of what is no object, the text field with ``raw``.

    A text that is no string is written as JSON, so that a column of texts can hold it.
    """
    if not isinstance(value, dict):
        return {columns.text: raw}
    text = value.get(columns.text)
    if text is None or isinstance(text, str):
        return value
    return {**value, columns.text: json.dumps(text, ensure_ascii=False)}


def object_with(raw: str, value: Any, columns: Columns, result: RowResult) -> str:
    """Return the JSON ``raw`` with the answer behind its last field; all else stays, byte by byte.

    Args:
        raw: the text of ``value``, without space around it.
        value: what it means; what is no object becomes the text field of one.
        columns: names the fields.
        result: the answer.

    """
    if not isinstance(value, dict):
        raw = json.dumps({columns.text: raw}, ensure_ascii=False)
    body = raw[:-1]
    head = body.rstrip()
    comma = "" if head == "{" else ", "
    added = json.dumps(dict(zip(columns.added, result.values(columns), strict=True)))
    return f"{head}{comma}{added[1:-1]}{body[len(head) :]}}}"


def parsed(line: str) -> Any:
    """Return the JSON value of a line; None for what is not JSON, which is no object either."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
