"""The parity table, as a person reads it."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from lstm_export.export import Outcome

_HEADINGS = ("", "MB", "texts", "max", "mean", "steps", "states", "labels", "")
"""Differences of the probability (max, mean), of the trajectory and of the states."""


def parity_table(outcomes: Iterable[Outcome]) -> Table:
    """Return a table of differences from the original, one row a comparison."""
    table = Table(title="Difference from the PyTorch model", title_justify="left", box=box.SIMPLE)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if not heading else "right")
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    return table


def _cells(outcome: Outcome) -> list[str]:
    found = outcome.parity
    return [
        outcome.name,
        "" if outcome.size is None else f"{outcome.size / 1e6:.2f}",
        str(found.texts),
        f"{found.largest['probability']:.1e}",
        f"{found.mean:.1e}",
        f"{found.largest['trajectory']:.1e}",
        f"{max(found.largest['hn'], found.largest['cn']):.1e}",
        f"{found.agreement:.2%}",
        "FAILED" if outcome.failures else "equal",
    ]
