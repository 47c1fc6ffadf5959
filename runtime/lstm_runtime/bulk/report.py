"""What a bulk run did."""

from dataclasses import dataclass, field

from lstm_runtime.tables.base import RowResult

TOLD = 10
"""Bad rows that a report names."""


@dataclass(frozen=True)
class BulkReport:
    """What a bulk run did."""

    files: int
    "Files written."
    rows: int
    "Rows in them."
    bad: int
    "Rows without an answer."
    resumed: int
    "Rows whose answer an earlier run had found."
    seconds: float
    "Time that this run took."
    unknown: int = 0
    "Rows whose text holds no word that the model knows; empty texts are among them."
    problems: tuple[str, ...] = ()
    "The first bad rows of this run, each with its place and why it is bad."
    skipped: tuple[str, ...] = ()
    "What was in the folder and is no table, or a folder that was not entered."


@dataclass
class Tally:
    """Counts rows as they are written."""

    rows: int = 0
    bad: int = 0
    unknown: int = 0
    resumed: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, result: RowResult) -> None:
        """Count a row."""
        self.rows += 1
        self.bad += result.label is None
        self.unknown += result.known == 0

    def remember(self, problem: str) -> None:
        """Keep why a row is bad, if it is and not many were before."""
        if problem and len(self.problems) < TOLD:
            self.problems.append(problem)

    def report(self, files: int, seconds: float, skipped: tuple[str, ...] = ()) -> BulkReport:
        """Return the counts."""
        problems = tuple(self.problems)
        return BulkReport(
            files, self.rows, self.bad, self.resumed, seconds, self.unknown, problems, skipped
        )
