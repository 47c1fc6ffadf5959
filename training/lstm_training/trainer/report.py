"""What a training run leaves beside the model: measures, history and pictures."""

import csv
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

from lstm_runtime.files import atomic_path
from matplotlib.figure import Figure

from lstm_training.evaluation.held_out import HeldOutResult
from lstm_training.evaluation.plots import confusion, reliability, save
from lstm_training.trainer.state import EpochRecord

HISTORY_COLUMNS = (
    "epoch", "train_loss", "held_out_loss", "accuracy", "f1", "auroc", "ece", "learning_rate",
    "seconds",
)  # fmt: skip


def write_metrics(output: Path, report: dict[str, Any]) -> Path:
    """Write ``metrics.json`` and return its path."""
    return write_json(output / "metrics.json", report)


def write_json(path: Path, report: dict[str, Any]) -> Path:
    """Write ``report`` and return its path."""
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
            held_out = astuple(record.held_out) if record.held_out else ("",) * 5
            rest = (record.learning_rate, round(record.seconds, 1))
            writer.writerow([record.epoch, record.train_loss, *held_out, *rest])
    return path


def write_pictures(
    output: Path,
    learning: Figure,
    measured: HeldOutResult,
) -> list[Path]:
    """Draw confusion matrix and reliability diagram, save them and the curves; return the paths.

    Args:
        output: folder to write to.
        learning: the learning curves.
        measured: the answers to the held-out texts.

    """
    names = measured.names
    return [
        save(learning, output / "curves.png"),
        save(confusion(measured.confusion, names, "Held-out texts"), output / "confusion.png"),
        save(reliability(measured.scores, measured.labels, names), output / "reliability.png"),
    ]
