"""Which format a file of texts has: its name says so."""

from pathlib import Path

from lstm_runtime.errors import InputError
from lstm_runtime.tables.base import OutputColumns, Table
from lstm_runtime.tables.delimited import CsvTable
from lstm_runtime.tables.json_lines import JsonLinesTable
from lstm_runtime.tables.parquet import ParquetTable
from lstm_runtime.tables.plain_text import OUTPUTS, TextTable

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")


def open_table(path: Path, columns: OutputColumns) -> Table:
    """Return the table of a file.

    Raises:
        InputError: for another kind of file.
        MissingExtraError: when the kind needs a library that is not installed.

    """
    match path.suffix:
        case ".txt":
            return TextTable(path, columns)
        case ".csv":
            return CsvTable(path, columns, ",")
        case ".tsv":
            return CsvTable(path, columns, "\t")
        case ".jsonl":
            return JsonLinesTable(path, columns)
        case ".parquet":
            return ParquetTable(path, columns)
    raise InputError(f"{path}: with --output, files are {', '.join(SUFFIXES)}, by their names")


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
        found = sorted(path for path in source.iterdir() if path.suffix in SUFFIXES)
        visible = [path for path in found if path.is_file() and not path.name.startswith(".")]
        if not visible:
            raise InputError(f"{source} holds no {', '.join(SUFFIXES)} file")
        return [(path, output / path.name) for path in visible]
    allowed = OUTPUTS if source.suffix == ".txt" else (source.suffix,)
    if source.suffix in SUFFIXES and output.suffix not in allowed:
        raise InputError(
            f"{output}: the output keeps the input's format, so its name ends in "
            f"{' or '.join(allowed)}"
        )
    return [(source, output)]
