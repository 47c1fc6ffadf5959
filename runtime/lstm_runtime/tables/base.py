"""What all formats have in common: rows in, and the same rows with answers out.

Training, evaluation and bulk scoring read tables through `open_table` (in `formats`):

    for row in open_table(Path("reviews.csv.gz"), Columns("review", "stars")).rows():
        if row.problem:
            raise DataError(f"{row.where}: {row.problem}")
        use(row.text, row.label)

Rows are streamed in file order, also the bad ones, which say why they are bad: whether a bad row
ends the work is the reader's choice. What is wrong with the file as a whole raises `InputError`.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from lstm_runtime.errors import InputError


class Columns(NamedTuple):
    """Names of columns."""

    text: str = "text"
    "The column with the texts."
    label: str | None = None
    "The column with the labels; None where they are not wanted."
    added: tuple[str, ...] = ()
    "Columns that `Table.write` adds; none of them may be there already."
    answers: tuple[str, ...] = ()
    "Labels that may stand in them, which a file's encoding has to have."

    @classmethod
    def to_score(cls, text: str = "text", prefix: str = "", *, known: bool = False) -> "Columns":
        """Return the columns of bulk scoring: it adds a label, its score, and the known share."""
        names = ("label", "score", "known") if known else ("label", "score")
        return cls(text, added=tuple(f"{prefix}{name}" for name in names))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns to read."""
        return (self.text,) if self.label is None else (self.text, self.label)

    @property
    def hint(self) -> str:
        """The options that name the columns."""
        label = "" if self.label is None else " and --label-column"
        return f"see --text-column{label}"

    def check(self, names: Sequence[str], where: str) -> None:
        """Check that the wanted columns are among ``names``, the added ones not, and none twice.

        Columns without a name, as spreadsheets leave them behind, are not counted.

        Raises:
            InputError: when not; the message names an option that helps.

        """
        if re.search(r"\r(?!\n)", "".join(names)):
            raise InputError(
                f"{where}: its lines end with a carriage return alone, as on old Macs: write line "
                "feeds, as with tr '\\r' '\\n'"
            )
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            named = ", ".join(map(repr, twice))
            raise InputError(f"{where}: more than one column is called {named:.200}")
        for name in self.wanted:
            if name not in names:
                found = ", ".join(names) or "none"
                raise InputError(f"{where}: no column {name!r} (found: {found:.200}); {self.hint}")
        for name in self.added:
            if name in names:
                raise InputError(
                    f"{where}: the column {name!r} is there already: add --prefix predicted_"
                )


class TextRow(NamedTuple):
    """One row of a table."""

    where: str
    "File and line or row, for messages."
    text: str
    "The text; '' where there is a problem."
    label: Any = None
    "What stands in the label column: a string, or whatever JSON or Parquet hold there."
    problem: str = ""
    "Why the row cannot be used; '' where it can."


class RowResult(NamedTuple):
    """What is added to a row; None in all for a row that could not be scored."""

    label: str | None
    "The label."
    score: float | None
    "Its probability."
    known: float | None = None
    "The share of the text's words that the model knows."

    def values(self, columns: Columns) -> tuple[str | float | None, ...]:
        """Return what goes into the columns that are added."""
        return (self.label, self.score, self.known)[: len(columns.added)]


class Table(Protocol):
    """A file of rows that can be read again and again, and written once more with answers."""

    def rows(self) -> Iterator[TextRow]:
        """Yield every row in file order, good or bad, without holding more than a few in memory.

        Raises:
            InputError: when the file as a whole is not what its name says, or lacks a column.

        """
        ...

    def check(self, output: Path | None = None) -> None:
        """Check what can be told of the file at once: its kind, its columns, its first row.

        Args:
            output: the name of the file that will be written, if one will be.

        Raises:
            InputError: when it cannot be read, or not be written under that name.

        """
        ...

    def write(self, results: Iterator[RowResult], file: BinaryIO, name: Path) -> None:
        """Write every row to ``file`` with its result in the columns `Columns.added`.

        There are as many results as rows. Everything else stays as it was: encoding, byte order
        mark, line ends, quotes. ``name`` tells the format, and whether to pack it.
        """
        ...


class RecordTable(Table, Protocol):
    """A table of a format without types of its own."""

    def records(self) -> Iterator[tuple[TextRow, dict[str, Any]]]:
        """Yield what `rows` does, each with all of its fields by name.

        Of a row that is no record, the raw text stands in the text column.
        """
        ...
