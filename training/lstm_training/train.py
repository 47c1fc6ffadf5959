"""From labelled texts to a model on disk: the whole of ``lstm-train`` as one function."""

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lstm_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import Dataset, prepare
from lstm_training.errors import TrainingError
from lstm_training.evaluation.metrics import Confusion, Metrics, compute_metrics
from lstm_training.trainer.loop import train_to_the_end
from lstm_training.trainer.report import write_history, write_metrics, write_pictures
from lstm_training.trainer.state import EpochRecord, require_same
from lstm_training.trainer.trainer import Trainer

MODEL_FILE = "model.pt"


@dataclass(frozen=True)
class TrainingResult:
    """A finished training run."""

    checkpoint: Checkpoint
    "The model with the lowest held-out loss."
    files: tuple[Path, ...]
    "What was written; empty when the run was finished before."


def _quiet(_line: str) -> None:
    """Say nothing."""


def train(
    config: TrainingConfig,
    examples: Examples,
    output: Path,
    *,
    resume: bool = False,
    say: Callable[[str], None] = _quiet,
) -> TrainingResult:
    """Train a model and write it, its measures and its pictures into ``output``.

    Args:
        config: how to train.
        examples: what to train on; a part is held out to choose and measure the model.
        output: folder to write to, made when missing.
        resume: go on where an earlier run with the same arguments was stopped. With none there,
            start from the beginning.
        say: takes one line for each thing worth telling on the way.

    Returns:
        The model and the files written. Under ``accelerate launch`` every process returns the
        same model, and the main one writes the files.

    Raises:
        DataError: when the examples cannot be split or hold no words.
        TrainingError: when training fails or the earlier run was another one.
        TrainingInterruptedError: when stopped by Ctrl-C or SIGTERM, after saving the state.
        CheckpointError: when the state of the earlier run is damaged, or a file cannot be written.

    """
    output.mkdir(parents=True, exist_ok=True)
    data = prepare(examples, config)
    trainer = Trainer(config, data, output)
    say = say if trainer.accelerator.is_main_process else _quiet
    if resume and not trainer.state_path.exists() and (output / MODEL_FILE).exists():
        return _finished(output / MODEL_FILE, trainer.fingerprint(), say)
    if resume and trainer.state_path.exists():
        trainer.restore()
        say(f"going on in epoch {trainer.state.epoch + 1}, after {trainer.state.batch} batches")
    else:
        if resume:
            say(f"{output} holds no run to resume: starting from the beginning")
        trainer.save()  # a folder that cannot be written to shows now, not after an hour
    say(
        f"{len(data.train):,} texts to learn from, {len(data.held_out):,} held out, "
        f"{data.dropped:,} copies left out, {len(data.vocabulary):,} words"
    )
    try:
        train_to_the_end(trainer, say)
    except torch.cuda.OutOfMemoryError as error:
        raise TrainingError(
            "the GPU ran out of memory: try a smaller --batch-size or --max-tokens"
        ) from error
    return _write(trainer, examples, output)


def _finished(
    path: Path, fingerprint: dict[str, Any], say: Callable[[str], None]
) -> TrainingResult:
    """Return the model of a run that has nothing left to do.

    Raises:
        TrainingError: when it is the model of another run.

    """
    checkpoint = load_checkpoint(path)
    require_same(path, checkpoint.training.get("run", {}), fingerprint)
    say(f"{path} is finished: nothing to resume")
    return TrainingResult(checkpoint, ())


def _write(trainer: Trainer, examples: Examples, output: Path) -> TrainingResult:
    """Write what the run came to; the state to resume from goes last."""
    trainer.model.load_state_dict(trainer.state.best)
    held_out = trainer.data.held_out
    scores = trainer.predict(held_out)
    metrics = compute_metrics(scores, held_out.labels)
    checkpoint = _checkpoint(trainer, examples, metrics)
    if not trainer.accelerator.is_main_process:
        return TrainingResult(checkpoint, ())
    history = trainer.state.history
    report = _report(checkpoint, history, scores, held_out.labels)
    files = (
        output / MODEL_FILE,
        write_metrics(output, report),
        write_history(output, history),
        *write_pictures(output, history, scores, held_out.labels, examples.label_names),
    )
    save_checkpoint(checkpoint, output / MODEL_FILE)
    trainer.state_path.unlink()
    return TrainingResult(checkpoint, files)


def _checkpoint(trainer: Trainer, examples: Examples, metrics: Metrics) -> Checkpoint:
    data: Dataset = trainer.data
    return Checkpoint(
        config=trainer.model_config,
        state_dict=trainer.state.best,
        vocabulary=data.vocabulary,
        labels=examples.label_names,
        metrics=asdict(metrics),
        training={
            "data": examples.name,
            "rows": {
                "read": len(examples),
                "copies": data.dropped,
                "train": len(data.train),
                "held_out": len(data.held_out),
            },
            "best_epoch": trainer.state.best_epoch.epoch,
            "run": trainer.fingerprint(),
            "versions": _versions(),
        },
    )


def _report(
    checkpoint: Checkpoint, history: list[EpochRecord], scores: Tensor, labels: Tensor
) -> dict[str, Any]:
    """Return what metrics.json holds: the checkpoint's account, the confusions and the time."""
    return {
        "held_out": checkpoint.metrics,
        "confusion": asdict(Confusion.count(scores > 0.5, labels)),
        **checkpoint.training,
        "model": asdict(checkpoint.config),
        "epochs": len(history),
        "seconds": round(sum(record.seconds for record in history), 1),
    }


def _versions() -> dict[str, str]:
    names = ("lstm-edge", "torch", "accelerate", "torchmetrics", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
