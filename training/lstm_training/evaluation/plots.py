"""Pictures of how good a model is."""

from collections.abc import Sequence
from pathlib import Path

from lstm_runtime.figures import drawn, save_figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lstm_training.evaluation.confusion import Confusion
from lstm_training.evaluation.evaluator import LengthBucket
from lstm_training.evaluation.metrics import CALIBRATION_BINS, confidence

_MOST_NUMBERS = 30
"""Labels up to which each cell of a confusion matrix has its number; of more there are colours."""
_LARGEST = 16.0
"""Inches that a picture of many labels has."""


def save(figure: Figure, path: Path) -> Path:
    """Write ``figure`` to ``path`` in one piece and return the path."""
    return save_figure(figure, path, dpi=120)


def confusion(counts: Confusion, names: tuple[str, ...], title: str) -> Figure:
    """Draw how many texts of each label got which answer."""
    size = min(max(4.5, 0.8 * len(names)), _LARGEST)
    figure = Figure(figsize=(size, size - 0.5), layout="constrained")
    axes: Axes = figure.subplots()
    axes.imshow(counts.rows, cmap="Blues", vmin=0)
    axes.set(title=title, xlabel="model", ylabel="label")
    if len(names) <= _MOST_NUMBERS:
        _name_cells(axes, counts, [drawn(name) for name in names])
    return figure


def _name_cells(axes: Axes, counts: Confusion, names: list[str]) -> None:
    """Write the number into each cell and the labels beside the rows and columns."""
    largest = max(map(max, counts.rows))
    for row, answers in enumerate(counts.rows):
        for column, count in enumerate(answers):
            color = "white" if count > largest / 2 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    slanted = max(map(len, names)) > 9  # longer ones would run into each other
    axes.set_xticks(range(len(names)), names, rotation=30 if slanted else 0)
    axes.set_yticks(range(len(names)), names)


def reliability(scores: Tensor, labels: Tensor, names: tuple[str, ...]) -> Figure:
    """Draw how often texts are positive against how probable the model called it.

    Of three labels and more, how often the given label is right.
    """
    positive = drawn(names[1]) if scores.dim() == 1 else "right"
    if scores.dim() == 2:
        scores, labels = confidence(scores, labels)
    bins = (scores * CALIBRATION_BINS).long().clamp(max=CALIBRATION_BINS - 1)
    used = [n for n in range(CALIBRATION_BINS) if bool((bins == n).any())]
    figure = Figure(figsize=(4.5, 5), layout="constrained")
    diagram, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    diagram.plot([0, 1], [0, 1], "--", color="gray", label="perfect")
    diagram.plot(
        [float(scores[bins == n].mean()) for n in used],
        [float(labels[bins == n].mean()) for n in used],
        "o-",
        label="model",
    )
    diagram.set(title="Reliability", ylabel=f"part that is {positive}", xlim=(0, 1), ylim=(0, 1))
    diagram.legend()
    counts.hist(scores.numpy(), bins=CALIBRATION_BINS, range=(0, 1))
    counts.set(xlabel=f"probability of {positive}", ylabel="texts")
    return figure


def accuracy_by_length(buckets: Sequence[LengthBucket]) -> Figure:
    """Draw the accuracy in each bucket with its 95 % interval, and how many texts it rests on."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes: Axes = figure.subplots()
    names = [f"{bucket.name}\n{bucket.texts:,} texts" for bucket in buckets]
    heights = [bucket.accuracy for bucket in buckets]
    below = [bucket.accuracy - bucket.interval[0] for bucket in buckets]
    above = [bucket.interval[1] - bucket.accuracy for bucket in buckets]
    axes.bar(names, heights, yerr=(below, above), capsize=4, color="C0")
    axes.set(title="Accuracy by length", xlabel="tokens", ylabel="accuracy", ylim=(0, 1))
    return figure
