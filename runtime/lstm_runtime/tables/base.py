"""What the formats of bulk scoring have in common: rows in, the same rows with answers out."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lstm_runtime.errors import InputError


@dataclass(frozen=True)
class TextRow:
    """One row of a table, as far as scoring sees it."""

    where: str
    "Line or row, for messages."
    text: str
    "The text; '' where there is a problem."
    problem: str = ""
    "Why the row has no text that can be scored; '' where it has one."


@dataclass(frozen=True)
class RowResult:
    """What is added to a row; None in both for a row that could not be scored."""

    label: str | None
    "The label."
    score: float | None
    "Its probability."


@dataclass(frozen=True)
class OutputColumns:
    """Names of columns."""

    text: str = "text"
    "The column with the texts."
    prefix: str = ""
    "Put before the names of the added columns."

    @property
    def label(self) -> str:
        """Name of the added column with the label."""
        return f"{self.prefix}label"

    @property
    def score(self) -> str:
        """Name of the added column with the label's probability."""
        return f"{self.prefix}score"

    def check(self, names: list[str], where: str) -> None:
        """Check that the text column is among ``names`` and the added ones are not.

        Raises:
            InputError: when not; the message names an option that helps.

        """
        if self.text not in names:
            found = ", ".join(names) or "none"
            raise InputError(
                f"{where}: no column {self.text!r} (found: {found:.200}); see --text-column"
            )
        for name in (self.label, self.score):
            if name in names:
                raise InputError(
                    f"{where}: the column {name!r} is there already: add --prefix predicted_"
                )


class Table(Protocol):
    """A file of rows that can be read twice: once to score it, once to write it with answers."""

    def rows(self) -> Iterator[TextRow]:
        """Yield every row in file order.

        Raises:
            InputError: when the file as a whole is not what its name says.

        """
        ...

    def write(self, answers: Iterator[RowResult], output: Path) -> None:
        """Write every row to ``output`` with its answer; there are as many answers as rows."""
        ...
