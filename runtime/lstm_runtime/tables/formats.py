"""Which format a table has: its name says so, in upper or lower case, with or without ``.gz``."""

from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import Columns, Table
from lstm_runtime.tables.lines import is_compressed, table_suffix
from lstm_runtime.tables.records import DELIMITERS

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")
"""The formats; all but Parquet, which compresses by itself, may also end in ``.gz``."""

_FROM_TEXT = (".txt", ".csv", ".tsv", ".jsonl")


def is_table(path: Path) -> bool:
    """Tell whether a file's name is that of a table, plain text included."""
    suffix = table_suffix(path)
    return suffix in SUFFIXES and not (suffix == ".parquet" and is_compressed(path))


def open_table(path: Path, columns: Columns) -> Table:
    """Return the table of a file, which is read when its rows are.

    Raises:
        InputError: for another kind of file.
        MissingExtraError: when the kind needs a library that is not installed.

    """
    # Each format is a module of its own, and most runs need one.
    match table_suffix(path) if is_table(path) else None:
        case ".txt":
            from lstm_runtime.tables.plain_text import PlainTextTable

            return PlainTextTable(path, columns)
        case ".csv" | ".tsv" as kind:
            from lstm_runtime.tables.delimited import DelimitedTable

            return DelimitedTable(path, columns, DELIMITERS[kind])
        case ".jsonl":
            from lstm_runtime.tables.json_lines import JsonLinesTable

            return JsonLinesTable(path, columns)
        case ".parquet":
            from lstm_runtime.tables.parquet import ParquetTable

            return ParquetTable(path, columns)
    raise InputError(
        f"{path}: unknown kind of file; tables are {', '.join(SUFFIXES)}, by their names, and all "
        "but the last also with .gz behind"
    )


def table_pairs(source: Path, output: Path) -> list[tuple[Path, Path]]:
    """Return each file to score and the file to write; many where ``source`` is a folder.

    In a folder, files of other kinds are left alone.

    Raises:
        InputError: when the formats do not fit, the folder has no table, or a file would be
            written over itself.

    """
    if source.resolve() == output.resolve():
        raise InputError(f"{output}: the output would overwrite the input")
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if is_table(path))
        visible = [path for path in found if path.is_file() and not path.name.startswith(".")]
        if not visible:
            raise InputError(f"{source} holds no {', '.join(SUFFIXES)} file")
        return [(path, output / path.name) for path in visible]
    kind = table_suffix(source)
    allowed = _FROM_TEXT if kind == ".txt" else (kind,)
    if is_table(source) and not (is_table(output) and table_suffix(output) in allowed):
        raise InputError(
            f"{output}: the output keeps the input's format, so its name ends in "
            f"{' or '.join(allowed)}"
        )
    return [(source, output)]
