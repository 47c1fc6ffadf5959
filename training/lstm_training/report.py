"""What a training run leaves beside the model: measures, history and pictures."""

import csv
import json
from pathlib import Path
from typing import Any

from lstm_runtime.files import atomic_path
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor
from torchmetrics.functional.classification import binary_confusion_matrix

from lstm_training.evaluate import CALIBRATION_BINS
from lstm_training.progress import EpochRecord

HISTORY_COLUMNS = (
    "epoch", "train_loss", "held_out_loss", "accuracy", "f1", "auroc", "ece", "learning_rate",
    "seconds",
)  # fmt: skip


def write_metrics(output: Path, report: dict[str, Any]) -> Path:
    """Write ``metrics.json`` and return its path."""
    path = output / "metrics.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return path


def write_history(output: Path, history: list[EpochRecord]) -> Path:
    """Write ``history.csv``, one row an epoch, and return its path."""
    path = output / "history.csv"
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HISTORY_COLUMNS)
        for record in history:
            held_out = record.held_out
            writer.writerow([
                record.epoch, record.train_loss, held_out.loss, held_out.accuracy, held_out.f1,
                held_out.auroc, held_out.ece, record.learning_rate, round(record.seconds, 1),
            ])  # fmt: skip
    return path


def write_pictures(
    output: Path,
    history: list[EpochRecord],
    scores: Tensor,
    labels: Tensor,
    names: tuple[str, str],
) -> list[Path]:
    """Draw learning curves, confusion matrix and reliability diagram; return their paths.

    Args:
        output: folder to write to.
        history: the epochs.
        scores: positive probability of each held-out text, ``[texts]``.
        labels: their labels, 0 or 1, ``[texts]``.
        names: what 0 and 1 are called.

    """
    return [
        _save(_curves(history), output / "curves.png"),
        _save(_confusion(scores, labels, names), output / "confusion.png"),
        _save(_reliability(scores, labels, names[1]), output / "reliability.png"),
    ]


def _save(figure: Figure, path: Path) -> Path:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)
    return path


def _curves(history: list[EpochRecord]) -> Figure:
    """Draw loss and accuracy over the epochs."""
    # A Figure of one's own, instead of pyplot's, needs no display and leaves no global state.
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [record.epoch for record in history]
    losses.plot(epochs, [record.train_loss for record in history], "o-", label="training")
    losses.plot(epochs, [record.held_out.loss for record in history], "o-", label="held out")
    losses.set(title="Loss", xlabel="epoch")
    losses.legend()
    accuracies.plot(epochs, [record.held_out.accuracy for record in history], "o-", color="C1")
    accuracies.set(title="Held-out accuracy", xlabel="epoch")
    for axes in (losses, accuracies):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _confusion(scores: Tensor, labels: Tensor, names: tuple[str, str]) -> Figure:
    """Draw how many texts of each label got which answer."""
    counts = binary_confusion_matrix(scores, labels.int()).numpy()
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes: Axes = figure.subplots()
    axes.imshow(counts, cmap="Blues", vmin=0)
    for row in range(2):
        for column in range(2):
            count = int(counts[row, column])
            color = "white" if count > int(counts.max()) / 2 else "black"
            axes.text(column, row, f"{count:,}", ha="center", va="center", color=color)
    axes.set(title="Held-out texts", xlabel="model", ylabel="label")
    axes.set_xticks([0, 1], names)
    axes.set_yticks([0, 1], names)
    return figure


def _reliability(scores: Tensor, labels: Tensor, positive: str) -> Figure:
    """Draw how often texts are positive against how probable the model called it."""
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
