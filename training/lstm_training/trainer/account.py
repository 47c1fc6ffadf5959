"""What a run came to, and how it came about: for the checkpoint and for ``metrics.json``."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from lstm_training.checkpoint import Checkpoint
from lstm_training.data.examples import Examples
from lstm_training.evaluation.baselines import Baseline
from lstm_training.evaluation.evaluator import wilson_interval
from lstm_training.evaluation.held_out import HeldOutResult
from lstm_training.trainer.classifier import Classifier
from lstm_training.trainer.state import EpochRecord
from lstm_training.trainer.trainer import Trainer


def checkpoint_of(
    classifier: Classifier,
    trainer: Trainer,
    examples: Examples,
    measured: HeldOutResult,
    baselines: list[Baseline],
) -> Checkpoint:
    """Return the trained model with its measures and how it came about."""
    data, texts, metrics = classifier.data, len(classifier.data.held_out), measured.metrics()
    return Checkpoint(
        config=classifier.model_config,
        state_dict={name: t.cpu() for name, t in classifier.model.state_dict().items()},
        vocabulary=data.vocabulary,
        labels=examples.label_names,
        pattern=data.tokenizer.pattern,
        threshold=measured.threshold,
        metrics=metrics,
        training={
            "data": examples.name,
            "rows": {
                "read": len(examples),
                "copies": data.copies,
                "conflicting": data.conflicting,
                "train": len(data.train_examples),
                "unlabelled": len(data.train) - len(data.train_examples),
                "held_out": len(data.held_out),
            },
            "lengths": data.train.length_quantiles(),
            "best_epoch": trainer.state.best_epoch.epoch,
            "accuracy_interval": list(wilson_interval(round(metrics["accuracy"] * texts), texts)),
            "baselines": {
                one.name: {"accuracy": one.accuracy, "interval": list(one.interval)}
                for one in baselines
            },
            "run": trainer.state_file.fingerprint,
            "versions": _versions(),
        },
    )


def report_of(
    checkpoint: Checkpoint, history: list[EpochRecord], measured: HeldOutResult
) -> dict[str, Any]:
    """Return what metrics.json holds: the checkpoint's account, the confusions and the time."""
    return {
        "held_out": checkpoint.metrics,
        "threshold": measured.threshold,
        "confusion": measured.confusion.to_plain(),
        "labels": [one.to_plain() for one in measured.confusion.measures(measured.names)],
        **checkpoint.training,
        "model": asdict(checkpoint.config),
        "epochs": history[-1].epoch,
        "seconds": round(sum(record.seconds for record in history), 1),
    }


def _versions() -> dict[str, str]:
    names = ("lstm-edge", "torch", "accelerate", "torchmetrics", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
