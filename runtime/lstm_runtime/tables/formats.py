"""Which format a table has: its name says so, in upper or lower case, packed or not."""

from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, Table
from lstm_runtime.tables.dialect import Dialect
from lstm_runtime.tables.packing import PACKED, is_packed, table_suffix

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
"""The formats; all but Parquet, which packs by itself, may also end in ``.gz`` or ``.zst``."""

_JSON_LINES = (".jsonl", ".ndjson")
_FROM_TEXT = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def is_table(path: Path) -> bool:
    """Tell whether a file's name is that of a table, plain text included."""
    suffix = table_suffix(path)
    return suffix in SUFFIXES and not (suffix == ".parquet" and is_packed(path))


def has_columns(path: Path) -> bool:
    """Tell whether a file's name is that of a table with columns."""
    return is_table(path) and table_suffix(path) != ".txt"


def open_table(path: Path, columns: Columns, dialect: Dialect | None = None) -> Table:
    """Return the table of a file, which is read when its rows are.

    Args:
        path: the file.
        columns: which columns hold what.
        dialect: encoding, delimiter and quoting; None to find them out.

    Raises:
        InputError: for another kind of file.
        MissingExtraError: when the kind needs a library that is not installed.

    """
    dialect = dialect or Dialect()
    if path.is_fifo():  # a table is opened for its header, and again for its rows
        raise InputError(f"{path}: a pipe can be read once: write it into a file first")
    # Each format is a module of its own, and most runs need one.
    match table_suffix(path) if is_table(path) else None:
        case ".txt":
            from lstm_runtime.tables.plain_text import PlainTextTable

            return PlainTextTable(path, columns, dialect)
        case ".csv" | ".tsv":
            from lstm_runtime.tables.delimited import DelimitedTable

            return DelimitedTable(path, columns, dialect)
        case ".jsonl" | ".ndjson":
            from lstm_runtime.tables.json_lines import JsonLinesTable

            return JsonLinesTable(path, columns, dialect)
        case ".json":
            from lstm_runtime.tables.json_array import JsonTable

            return JsonTable(path, columns, dialect)
        case ".parquet":
            from lstm_runtime.tables.parquet import ParquetTable

            return ParquetTable(path, columns, dialect)
    raise InputError(
        f"{path}: unknown kind of file; tables are {', '.join(SUFFIXES)}, by their names, and all "
        f"but the last also with {' or '.join(PACKED)} behind"
    )


def check_output(source: Path, output: Path) -> None:
    """Check that a table can be written under the name of ``output``.

    Raises:
        InputError: when it would be written over itself, or in a format that does not fit.

    """
    if source.resolve() == output.resolve():
        raise InputError(f"{output}: the output would overwrite the input")
    kind = table_suffix(source)
    allowed = {".txt": _FROM_TEXT, ".jsonl": _JSON_LINES, ".ndjson": _JSON_LINES}.get(kind, (kind,))
    if is_table(source) and not (is_table(output) and table_suffix(output) in allowed):
        raise InputError(
            f"{output}: the output keeps the input's format, so its name ends in "
            f"{' or '.join(allowed)}"
        )
