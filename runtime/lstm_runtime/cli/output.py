"""Answers on a terminal or in a pipe: one line each."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lstm_runtime.console import printable
from lstm_runtime.inference.results import Sentiment
from lstm_runtime.model_file.contract import Metadata

if TYPE_CHECKING:
    from lstm_runtime.bulk.report import BulkReport

_COLOURS = ("red", "green")

_NAMED = 10
"""Skipped files that are named."""


def plain_line(result: Sentiment, metadata: Metadata) -> str:
    """Return label, probability and text, safe to print on any terminal."""
    text = printable(result.text)
    return f"{coloured(result.label, metadata)}\t{result.number:.3f}\t{text}"


def json_line(result: Sentiment) -> str:
    """Return one JSON object, ASCII only, with the fields of `Sentiment` that have a value."""
    return json.dumps(sentiment_fields(result))


def sentiment_fields(result: Sentiment) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in asdict(result).items() if value is not None}


def json_object(found: Any) -> str:
    """Return a dataclass as one JSON object."""
    return json.dumps(asdict(found))


def bulk_line(report: "BulkReport") -> str:
    """Return what a bulk run did, with its rate."""
    rate = (report.rows - report.resumed) / max(report.seconds, 1e-9)
    bad = f", {report.bad:,} without an answer" if report.bad else ""
    unknown = f", {report.unknown:,} without a known word" if report.unknown else ""
    resumed = f", {report.resumed:,} of them resumed" if report.resumed else ""
    told = f"{report.rows:,} rows{resumed}{bad}{unknown}"
    return f"{told} in {report.seconds:.1f} s ({rate:,.0f} rows/s)"


def bulk_notices(report: "BulkReport") -> Iterator[str]:
    """Yield what a bulk run left out and what was bad."""
    if report.skipped:
        names = ", ".join(report.skipped[:_NAMED])
        more = len(report.skipped) - _NAMED
        yield f"skipped: {names}{f' and {more:,} more' if more > 0 else ''}"
    for problem in report.problems:
        yield f"warning: {problem}"
    if report.bad > len(report.problems) > 0:
        yield f"warning: {report.bad:,} rows have no answer; the first of them are named above"


def coloured(label: str, metadata: Metadata) -> str:
    """Return the label in red or green where there are two; click drops colour in pipes."""
    if len(metadata.labels) != len(_COLOURS):
        return label
    return click.style(label, fg=_COLOURS[metadata.labels.index(label)])
