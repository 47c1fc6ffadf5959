"""What an export says of itself: a table for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lstm_runtime.files import atomic_path
from rich import box
from rich.table import Table

from lstm_export.checkpoint.source import Source
from lstm_export.pipeline import Outcome, versions

_HEADINGS = ("", "MB", "texts", "max", "mean", "steps", "states", "labels")
"""Differences of the probability (max, mean), of the trajectory and of the states."""


def parity_table(source: Source, outcomes: Sequence[Outcome]) -> Table:
    """Return a table of differences from the original, one row a comparison."""
    table = Table(box=box.SIMPLE, padding=0, title_justify="left")
    table.title = f"Difference from {source.original_name}"
    scored = any(outcome.accuracy for outcome in outcomes)
    for heading in (*_HEADINGS, *(("accuracy",) if scored else ()), ""):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for outcome in outcomes:
        table.add_row(*_cells(outcome, scored=scored))
    return table


def write_report(source: Source, outcomes: Iterable[Outcome], path: Path) -> None:
    """Write ``report.json``: what was compared with what, case by case."""
    content = {
        "original": source.original_name,
        "source_sha256": source.sha256,
        "architecture": asdict(source.network.architecture),
        "versions": versions(),
        "outcomes": [_entry(outcome) for outcome in outcomes],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _cells(outcome: Outcome, *, scored: bool) -> list[str]:
    found = outcome.parity
    largest = found.largest
    states = [largest[name] for name in ("hn", "cn") if name in largest]
    accuracy = " ".join(f"{share:.2%}" for share in outcome.accuracy) if outcome.accuracy else ""
    return [
        outcome.name,
        "" if outcome.size is None else f"{outcome.size / 1e6:.2f}",
        str(len(found.wanted)),
        _short(largest["probability"]),
        _short(found.mean),
        _short(largest["trajectory"]) if "trajectory" in largest else "-",
        _short(max(states)) if states else "-",
        f"{found.agreement:.2%}",
        *([accuracy] if scored else []),
        "FAILED" if outcome.failures else "equal",
    ]


def _short(difference: float) -> str:
    """Return two digits and the exponent without its leading zero: the table has 80 columns."""
    return f"{difference:.1e}".replace("e-0", "e-").replace("e+0", "e+")


def _entry(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "file": outcome.path.name if outcome.path else None,
        "bytes": outcome.size,
        "failures": list(outcome.failures),
        "accuracy": outcome.accuracy,
        **outcome.parity.summary(),
        "cases": [asdict(case) for case in outcome.parity.cases],
    }
