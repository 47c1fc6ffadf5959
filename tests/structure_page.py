"""The page of structures, whose rows the tests of the structures measure, check and write."""

import re
from collections.abc import Sequence
from pathlib import Path

PATH = Path(__file__).parents[1] / "docs/concepts/structures.md"
LONGEST_REASON = 120


class StructurePage:
    """Holds each test's own finding against its row.

    Args:
        write: put the findings into the page instead (``pytest --write-structures``).

    """

    def __init__(self, *, write: bool) -> None:
        self._write = write

    def exported(
        self, section: str, name: str, exporter: str, found: Sequence[float], weights: str
    ) -> None:
        """Check the row of an exported structure.

        Args:
            section: beginning of the heading of its table.
            name: its first cell.
            exporter: what wrote its graph.
            found: largest differences in fp32, int8 and fp16.
            weights: what comes of its weights alone.

        """
        numbers = [f"{value:.0e}" for value in found]
        if self._write:
            _replace(section, name, [exporter, *numbers, _brief(weights)])
        shown = _row(section, name)
        assert [shown[0], shown[-1]] == [exporter, _brief(weights)]
        for ours, theirs in zip(found, map(float, shown[1:-1]), strict=True):
            assert ours <= 10 * max(theirs, 1e-7), "the page shows a smaller difference"

    def refused(self, section: str, name: str, reason: str, weights: str) -> None:
        """Check the row of a refused structure."""
        cells = [f"refused: {_brief(reason)}", "", "", "", _brief(weights)]
        if self._write:
            _replace(section, name, cells)
        assert _row(section, name) == cells


def _brief(reason: str) -> str:
    """Return the beginning of a message, fit for a cell."""
    words = reason.partition("; nor is it of the family")[0].replace("|", "/")
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON].rstrip()} …"


def _bounds(lines: list[str], section: str) -> tuple[int, int]:
    """Return the lines of a section's table."""
    start = next(n for n, line in enumerate(lines) if line.startswith(f"## {section}"))
    rows = [n for n, line in enumerate(lines) if n > start and line.startswith("|")]
    end = rows[0]
    while end < len(lines) and lines[end].startswith("|"):
        end += 1
    return rows[0], end


def _row(section: str, name: str) -> list[str]:
    lines = PATH.read_text("utf-8").splitlines()
    start, end = _bounds(lines, section)
    cells = [[cell.strip() for cell in re.split(r"\|", line)[1:-1]] for line in lines[start:end]]
    return next(row[1:] for row in cells if row[0] == name)


def _replace(section: str, name: str, cells: list[str]) -> None:
    lines = PATH.read_text("utf-8").splitlines()
    start, end = _bounds(lines, section)
    line = f"| {' | '.join([name, *cells])} |"
    at = next((n for n in range(start, end) if lines[n].startswith(f"| {name} |")), end)
    lines[at : at + (at < end)] = [line]
    PATH.write_text("\n".join(lines) + "\n", "utf-8")
