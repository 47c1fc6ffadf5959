"""A trace as text: the words in the colours of what the model thought after each."""

import json
from collections.abc import Iterator
from dataclasses import fields

import click
import numpy as np

from lstm_runtime.cli.output import coloured, sentiment_fields
from lstm_runtime.console import can_print, printable
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.trace.tracer import GATES, Trace

_BAR = 20
_FULL = "█"


def trace_lines(trace: Trace, metadata: Metadata) -> Iterator[str]:
    """Yield the text in colour, then a line per token: probability and the gates' means."""
    answer, shown_class = trace.sentiment, shown_label(trace, metadata.labels)
    label = metadata.labels[shown_class]
    yield f"{coloured(answer.label, metadata)} {answer.number:.3f}"
    yield ""
    tokens = [printable(token) for token in trace.tokens]  # which may be anything, by its pattern
    pairs = list(zip(tokens, trace.probability[:, shown_class].tolist(), strict=True))
    yield " ".join(_tinted(token or "(no token)", value) for token, value in pairs)
    yield ""
    width = min(max(map(len, (*tokens, "token"))), 24)
    # A network that the cell cannot follow has no gates to show.
    shown = GATES if len(trace.learn) else ()
    yield f"{'token':{width}}  {label:>8}  {'':{_BAR}}  " + "  ".join(f"{g:>8}" for g in shown)
    rows = [getattr(trace, gate).mean(axis=0) for gate in shown]
    full = _FULL if can_print(_FULL) else "#"
    gates = np.stack(rows, axis=1) if rows else np.zeros((len(pairs), 0))
    for (token, value), known, means in zip(pairs, trace.known, gates, strict=True):
        bar = _tinted(f"{full * round(value * _BAR):{_BAR}}", value)
        numbers = "  ".join(f"{mean:8.3f}" for mean in means)
        unknown = "" if known else "  (unknown word)"
        yield f"{token[:width]:{width}}  {value:8.3f}  {bar}  {numbers}{unknown}"


def shown_label(trace: Trace, labels: tuple[str, ...]) -> int:
    """Return whose probability is shown: the second's of two labels, the answer's of more."""
    return labels.index(trace.sentiment.label) if len(labels) > 2 else -1


def trace_json(trace: Trace) -> str:
    """Return one JSON object with the fields of `Trace`."""
    values = {field.name: getattr(trace, field.name) for field in fields(trace)}
    values["sentiment"] = sentiment_fields(trace.sentiment)
    return json.dumps(
        {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    )


def _tinted(text: str, probability: float) -> str:
    """Colour from red (0) over grey to green (1)."""
    strength = abs(2 * probability - 1)
    weak, strong = round(160 - 110 * strength), round(160 + 60 * strength)
    return click.style(
        text, fg=(weak, strong, weak) if probability >= 0.5 else (strong, weak, weak)
    )
