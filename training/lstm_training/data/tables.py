"""Labelled texts in tables: CSV, TSV, JSON Lines and Parquet."""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.extras import requires_extra

from lstm_training.data.examples import LabelledRow
from lstm_training.errors import DataError

# One review may be longer than csv's 131,072 characters; this is the most that fits a C long.
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what."""

    text: str = "text"
    "The column with the texts."
    label: str = "label"
    "The column with the labels."


def read_csv(path: Path, columns: Columns, delimiter: str = ",") -> Iterator[LabelledRow]:
    """Yield the rows of a comma- or tab-separated file (or its .gz) with a header line.

    Raises:
        DataError: names the line that is not UTF-8, not CSV, or has too few or too many fields.

    """
    reader = csv.reader(_lines(path), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise DataError(f"{path} is empty")
        text, label = _positions(path, header, columns)
        start = reader.line_num + 1
        for fields in reader:
            where = f"{path}, line {start}"
            if len(fields) not in {0, len(header)}:
                raise DataError(f"{where}: {len(fields)} fields, but the header has {len(header)}")
            if fields:
                yield LabelledRow(where, fields[text], fields[label])
            start = reader.line_num + 1  # a quoted text may span many lines
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error


def read_tsv(path: Path, columns: Columns) -> Iterator[LabelledRow]:
    """Yield the rows of a tab-separated file; see `read_csv`."""
    return read_csv(path, columns, delimiter="\t")


def read_jsonl(path: Path, columns: Columns) -> Iterator[LabelledRow]:
    r"""Yield the rows of a JSON Lines file (or its .gz); lines end at "\n" and nowhere else.

    Raises:
        DataError: names the line that is not UTF-8, not a JSON object, or lacks a column.

    """
    empty = True
    for number, line in enumerate(_lines(path), start=1):
        if line.isspace():
            continue
        empty = False
        where = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{where}: not JSON: {error}") from error
        if not isinstance(record, dict):
            raise DataError(f"{where}: not a JSON object")
        for column in (columns.text, columns.label):
            if column not in record:
                raise DataError(f"{where}: {_no_column(column, list(record))}")
        yield LabelledRow(where, record[columns.text], record[columns.label])
    if empty:
        raise DataError(f"{path} is empty")


def read_parquet(path: Path, columns: Columns) -> Iterator[LabelledRow]:
    """Yield the rows of a Parquet file.

    Raises:
        DataError: when the file is not Parquet, lacks a column or holds text that is not UTF-8.

    """
    with requires_extra("train"):
        import pyarrow  # only for this kind of file
        from pyarrow import parquet  # only for this kind of file
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            _positions(path, file.schema_arrow.names, columns)
            for batch in file.iter_batches(columns=[columns.text, columns.label]):
                texts, labels = batch.column(columns.text), batch.column(columns.label)
                for text, label in zip(texts, labels, strict=True):
                    number += 1
                    yield LabelledRow(f"{path}, row {number}", text.as_py(), label.as_py())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, row {number}: not UTF-8: {error.reason}") from error
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error


def _lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file, split at "\n" only, each with its end.

    Line by line, so that a byte that is not UTF-8 can be named with its line; and not by
    ``str.splitlines``, which would also split at U+0085, a character that reviews contain.
    """
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, line {number}: not UTF-8 ({error.reason})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is not a complete gzip file, after line {number}") from error


def _positions(path: Path, header: Sequence[str], columns: Columns) -> tuple[int, int]:
    """Return where the text and the label stand in ``header``."""
    for column in (columns.text, columns.label):
        if column not in header:
            raise DataError(f"{path}: {_no_column(column, header)}")
    return header.index(columns.text), header.index(columns.label)


def _no_column(column: str, found: Sequence[str]) -> str:
    names = ", ".join(found) or "none"
    return f"no column {column!r} (found: {names:.200}); see --text-column and --label-column"
