"""Pictures of how good a model is."""

from collections.abc import Sequence
from pathlib import Path

from lstm_runtime.files import atomic_path
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lstm_training.evaluation.confusion import Confusion
from lstm_training.evaluation.evaluator import LengthBucket
from lstm_training.evaluation.metrics import CALIBRATION_BINS, confidence


def save(figure: Figure, path: Path) -> Path:
    """Write ``figure`` to ``path`` in one piece and return the path."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path


def confusion(counts: Confusion, names: tuple[str, ...], title: str) -> Figure:
    """Draw how many texts of each label got which answer."""
    largest = max(map(max, counts.rows))
    size = max(4.5, 0.8 * len(names))
    figure = Figure(figsize=(size, size - 0.5), layout="constrained")
    axes: Axes = figure.subplots()
    axes.imshow(counts.rows, cmap="Blues", vmin=0)
    for row, answers in enumerate(counts.rows):
        for column, count in enumerate(answers):
            color = "white" if count > largest / 2 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    axes.set(title=title, xlabel="model", ylabel="label")
    axes.set_xticks(range(len(names)), [_escaped(name) for name in names])
    axes.set_yticks(range(len(names)), [_escaped(name) for name in names])
    return figure


def reliability(scores: Tensor, labels: Tensor, names: tuple[str, ...]) -> Figure:
    """Draw how often texts are positive against how probable the model called it.

    Of three labels and more, how often the given label is right.
    """
    positive = _escaped(names[1]) if scores.dim() == 1 else "right"
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


def _escaped(name: str) -> str:
    """Return ``name`` as matplotlib draws it letter by letter: dollars would begin a formula."""
    return name.replace("$", r"\$")
