"""An evaluation as a table on a terminal, as JSON and as a folder with pictures."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from lstm_runtime.files import atomic_path
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lstm_training.evaluation.evaluator import Evaluation
from lstm_training.evaluation.plots import accuracy_by_length, confusion, reliability, save

_LINE = 400
"""Most characters of a text that a line of any terminal shows."""
_MOST_COLUMNS = 12
"""Labels up to which a table with a column for each can be read."""


def tables(evaluation: Evaluation, mistakes: int) -> Iterator[RenderableType]:
    """Yield what to print: a heading and tables, with that many mistakes."""
    model = evaluation.model
    yield Text(
        _one_line(f"{model.file} ({model.precision}, {model.provider}) on {evaluation.data}")
    )
    if evaluation.seen:
        yield Text("The model was made from these very texts: only others tell how good it is.")
    if evaluation.one_answer is not None:
        yield Text(f"The model gives one label only here: {_one_line(evaluation.one_answer)}.")
    yield _measures(evaluation)
    yield _labels(evaluation)
    few = len(model.labels) <= _MOST_COLUMNS
    yield _confusion(evaluation) if few else _mixed_up(evaluation)
    yield _lengths(evaluation)
    if evaluation.mistakes[:mistakes]:
        yield _mistakes(evaluation, mistakes)


def to_json(evaluation: Evaluation, mistakes: int) -> str:
    """Return one strict JSON document, with that many mistakes."""
    return json.dumps(evaluation.to_plain(mistakes), indent=2, allow_nan=False)


def write_evaluation(evaluation: Evaluation, mistakes: int, output: Path) -> list[Path]:
    """Write the measures, every mistake and the pictures.

    Args:
        evaluation: the measures.
        mistakes: how many of them ``evaluation.json`` holds; ``mistakes.jsonl`` holds all.
        output: folder to write to, made when missing.

    Returns:
        The files' paths. Each file is complete or what stood there before.

    """
    probabilities, names = evaluation.predictions.probabilities, evaluation.model.labels
    labels = probabilities.new_tensor(evaluation.examples.labels)
    title = f"{evaluation.texts:,} texts"
    return [
        _write(to_json(evaluation, mistakes) + "\n", output / "evaluation.json"),
        _write(_mistake_lines(evaluation), output / "mistakes.jsonl"),
        save(confusion(evaluation.confusion, names, title), output / "confusion.png"),
        save(reliability(probabilities, labels, names), output / "reliability.png"),
        save(accuracy_by_length(evaluation.lengths), output / "accuracy_by_length.png"),
    ]


def _write(content: str, path: Path) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return path


def _mistake_lines(evaluation: Evaluation) -> str:
    """Return one JSON object a line; ``text`` and ``label`` are columns that --data reads."""
    return "".join(json.dumps(asdict(mistake)) + "\n" for mistake in evaluation.mistakes)


def _table(title: str, *headings: str) -> Table:
    """Return an empty table; its first column is left, the others right."""
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for n, heading in enumerate(headings):
        # Names come from files: as Text, brackets in them are no markup.
        table.add_column(Text(_one_line(heading)), justify="right" if n else "left")
    return table


def _measures(evaluation: Evaluation) -> Table:
    table = _table("", "measure", "")
    low, high = evaluation.interval
    rows = {
        "texts": f"{evaluation.texts:,}",
        "without a known word": f"{evaluation.unread:,}",
        "accuracy": f"{evaluation.accuracy:.2%}",
        "95 % interval": f"{low:.2%} to {high:.2%}",
        **_f1(evaluation),
        **_error(evaluation),
        "AUROC": _number(evaluation.auroc),
        "log loss": _number(evaluation.log_loss),
        "calibration error": _number(evaluation.ece),
        "Brier score": _number(evaluation.brier),
    }
    for name, value in rows.items():
        table.add_row(Text(name), value)
    return table


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"


def _f1(evaluation: Evaluation) -> dict[str, str]:
    names = evaluation.model.labels
    if len(names) > 2:
        return {"macro-F1": _number(evaluation.macro_f1)}
    return {f"F1 of {_one_line(names[1])}": _number(evaluation.f1)}


def _error(evaluation: Evaluation) -> dict[str, str]:
    """Return how far ratings are off, where the labels are ratings."""
    error = evaluation.mean_absolute_error
    return {} if error is None else {"mean absolute error": _number(error)}


def _labels(evaluation: Evaluation) -> Table:
    table = _table("Label by label", "label", "texts", "precision", "recall", "F1")
    for one in evaluation.labels:
        shown = (_number(value) for value in (one.precision, one.recall, one.f1))
        table.add_row(Text(_one_line(one.label)), f"{one.texts:,}", *shown)
    return table


def _confusion(evaluation: Evaluation) -> Table:
    names = [_one_line(name) for name in evaluation.model.labels]
    table = _table("Answers by label", "label", *(f"called {name}" for name in names))
    for name, counts in zip(names, evaluation.confusion.rows, strict=True):
        table.add_row(Text(name), *(f"{count:,}" for count in counts))
    return table


def _mixed_up(evaluation: Evaluation) -> Table:
    """Return the wrong answers that are given most often."""
    names = [_one_line(name) for name in evaluation.model.labels]
    table = _table("Labels most often taken for others", "label", "called", "texts")
    cells = (
        (count, n, m)
        for n, counts in enumerate(evaluation.confusion.rows)
        for m, count in enumerate(counts)
        if count and n != m
    )
    for count, n, m in sorted(cells, key=lambda cell: -cell[0])[:_MOST_COLUMNS]:
        table.add_row(Text(names[n]), Text(names[m]), f"{count:,}")
    return table


def _lengths(evaluation: Evaluation) -> Table:
    table = _table("Accuracy by length", "tokens", "texts", "accuracy", "95 % interval")
    for bucket in evaluation.lengths:
        low, high = bucket.interval
        interval = f"{low:.1%} to {high:.1%}"
        table.add_row(bucket.name, f"{bucket.texts:,}", f"{bucket.accuracy:.2%}", interval)
    return table


def _mistakes(evaluation: Evaluation, count: int) -> Table:
    shown = evaluation.mistakes[:count]
    title = f"Most confident mistakes ({len(shown):,} of {len(evaluation.mistakes):,})"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for heading in ("called", "", "label"):
        table.add_column(heading, no_wrap=True)
    table.add_column("text")  # may wrap, so that it is what gives way where the terminal is narrow
    for mistake in shown:
        called, label = Text(_one_line(mistake.answer)), Text(_one_line(mistake.label))
        text = Text(_one_line(mistake.text), no_wrap=True, overflow="ellipsis")
        table.add_row(called, f"{mistake.probability:.3f}", label, text)
    return table


def _one_line(text: str) -> str:
    """Return the start of ``text`` as one line that is safe to print on any terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_LINE]).split())
