"""Answers on a terminal or in a pipe: one line each."""

import json
from dataclasses import asdict

import click

from lstm_runtime.inference.results import Sentiment
from lstm_runtime.model_file.contract import Metadata

_COLOURS = ("red", "green")


def plain_line(result: Sentiment, metadata: Metadata) -> str:
    """Return label, probability and text, safe to print on any terminal."""
    text = "".join(c if c.isprintable() else " " for c in result.text)
    return f"{coloured(result.label, metadata)}\t{result.score:.3f}\t{text}"


def json_line(result: Sentiment) -> str:
    """Return one JSON object, ASCII only, with the fields of `Sentiment`."""
    return json.dumps(asdict(result))


def coloured(label: str, metadata: Metadata) -> str:
    """Return the label in red or green where there are two; click drops colour in pipes."""
    if len(metadata.labels) != len(_COLOURS):
        return label
    return click.style(label, fg=_COLOURS[metadata.labels.index(label)])
