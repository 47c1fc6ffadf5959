"""CSV's grammar (RFC 4180): a record out of lines, and a line out of fields.

Python's ``csv`` refuses fields over 131,072 characters unless a setting of the whole process is
changed, and before 3.11.9 and 3.12.3 it writes a lone carriage return so that nobody can read it
back. Neither will do inside somebody else's app, and the grammar is a page.
"""

from collections.abc import Iterator, Sequence

from lstm_runtime.tables.lines import LONGEST

_QUOTE = '"'


class RecordError(Exception):
    """What is not CSV; `DelimitedTable` makes a bad row of it."""


def split_record(lines: Iterator[str], delimiter: str) -> list[str]:
    r"""Take the lines of one record, each with its end, and return its fields.

    Fields may be quoted; within quotes, ``""`` is one quote, and delimiters and line ends are
    text. A line without anything on it has no fields. Stops at the end of the record's last line.

    Raises:
        RecordError: says what is not CSV; the lines up to there are taken.
        StopIteration: when there is no line.

    """
    line, at = next(lines), 0
    if _QUOTE not in line:
        text = _without_end(line)
        return text.split(delimiter) if text else []
    fields = []
    while True:
        if line.startswith(_QUOTE, at):
            field, line, at = _quoted(lines, line, at + 1)
        else:
            end = line.find(delimiter, at)
            field = line[at:end] if end >= 0 else _without_end(line[at:])
            at = end if end >= 0 else len(line)
        fields.append(field)
        if line.startswith(delimiter, at):
            at += 1
        elif _without_end(line[at:]):
            raise RecordError(f"{delimiter!r} expected after '\"'")
        else:
            return fields


def join_fields(fields: Sequence[object], delimiter: str, end: str = "\n") -> str:
    """Return the line of a record, with its end; None becomes an empty field."""
    return delimiter.join(_written(field, delimiter) for field in fields) + end


def split_unquoted(lines: Iterator[str], delimiter: str) -> list[str]:
    """Take one line and return its fields, in which a quote is a character like others.

    A line without anything on it has no fields.

    Raises:
        StopIteration: when there is no line.

    """
    text = _without_end(next(lines))
    return text.split(delimiter) if text else []


def join_unquoted(fields: Sequence[object], delimiter: str, end: str = "\n") -> str:
    """Return the line of a record, with its end; None becomes an empty field.

    What no field can hold without quotes is spelled as PostgreSQL and MySQL do: a delimiter, if it
    is a tab, as a backslash and a t, else as a space; a line end as a backslash and an n or r.
    """
    spelled = str.maketrans(
        {delimiter: "\\t" if delimiter == "\t" else " ", "\n": "\\n", "\r": "\\r"}
    )
    texts = ("" if field is None else str(field).translate(spelled) for field in fields)
    return delimiter.join(texts) + end


def _quoted(lines: Iterator[str], line: str, at: int) -> tuple[str, str, int]:
    """Return a field whose quote opened before ``at``, its last line, and the place behind it."""
    parts: list[str] = []
    size = 0
    while True:
        end = line.find(_QUOTE, at)
        parts.append(line[at:] if end < 0 else line[at:end])
        size += len(parts[-1])
        if size > LONGEST:
            raise RecordError(f"a field of more than {LONGEST:,} characters")
        if end < 0:
            following = next(lines, None)
            if following is None:
                raise RecordError("unexpected end of data within quotes")
            line, at = following, 0
        elif line.startswith(_QUOTE, end + 1):
            parts.append(_QUOTE)
            at = end + 2
        else:
            return "".join(parts), line, end + 1


def _written(field: object, delimiter: str) -> str:
    text = "" if field is None else str(field)
    if any(special in text for special in (_QUOTE, delimiter, "\n", "\r")):
        return f"{_QUOTE}{text.replace(_QUOTE, _QUOTE * 2)}{_QUOTE}"
    return text


def _without_end(line: str) -> str:
    return line.removesuffix("\n").removesuffix("\r")
