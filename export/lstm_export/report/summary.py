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
from lstm_export.metadata import versions
from lstm_export.outcome import ExportResult
from lstm_export.ownership import MARK
from lstm_export.parity.result import CaseParity
from lstm_export.report.reading import NOTHING, Reading

_HEADINGS = ("", "MB", "texts", "max", "mean", "steps", "states", "labels")
"""Differences of the probability (max, mean), of the trajectory and of the states."""


def parity_table(
    source: Source, results: Sequence[ExportResult], reading: Reading = NOTHING
) -> Table:
    """Return a table of differences from the original, one row a comparison.

    Below it stands how texts were read, and an example of either label.
    """
    table = Table(box=box.SIMPLE, padding=0, title_justify="left", caption_justify="left")
    table.title = f"Difference from {source.original_name}"
    if told := reading.sentences():
        table.caption = "\n".join(told)
    scored = any(result.accuracy for result in results)
    for heading in (*_HEADINGS, *(("accuracy",) if scored else ()), ""):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for result in results:
        table.add_row(*_cells(result, source.verdict, scored=scored))
    return table


def write_report(
    source: Source,
    results: Iterable[ExportResult],
    path: Path,
    reading: Reading = NOTHING,
) -> None:
    """Write ``report.json``: what was compared with what, case by case."""
    content = {
        "note": MARK,
        "original": source.original_name,
        "source_sha256": source.sha256,
        "network": source.network.described(),
        "notes": list(source.notes),
        "architecture": asdict(source.network.architecture),
        "versions": versions(),
        **reading.to_json(),
        "outcomes": [_entry(result) for result in results],
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _cells(result: ExportResult, verdict: str, *, scored: bool) -> list[str]:
    found = result.parity
    max_abs = found.max_abs
    states = [max_abs[name] for name in ("hn", "cn") if name in max_abs]
    accuracy = " ".join(f"{share:.2%}" for share in result.accuracy) if result.accuracy else ""
    return [
        result.name,
        "" if result.size is None else f"{result.size / 1e6:.2f}",
        str(len(found.wanted)),
        _short(max_abs["probability"]),
        _short(found.mean),
        _short(max_abs["trajectory"]) if "trajectory" in max_abs else "-",
        _short(max(states)) if states else "-",
        f"{found.agreement:.2%}",
        *([accuracy] if scored else []),
        "FAILED" if result.failures else verdict,
    ]


def _short(difference: float) -> str:
    """Return two digits and the exponent without its leading zero: the table has 80 columns."""
    return f"{difference:.1e}".replace("e-0", "e-").replace("e+0", "e+")


def _entry(result: ExportResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "file": result.path.name if result.path else None,
        "bytes": result.size,
        "failures": list(result.failures),
        "accuracy": result.accuracy,
        **result.parity.summary(),
        "kernel": _kernel(result),
        "cases": [_case(case) for case in result.parity.cases],
    }


def _kernel(result: ExportResult) -> dict[str, Any] | None:
    """Return the differences with the runtime's int8 kernel, where it ran."""
    if result.kernel is None:
        return None
    name, parity = result.kernel
    return {"instruction_set": name, **parity.summary()}


def _case(case: CaseParity) -> dict[str, Any]:
    return {"name": case.name, "largest": case.max_abs, "reference": case.reference}
