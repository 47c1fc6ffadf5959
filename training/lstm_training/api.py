"""From labelled texts to a model on disk: the whole of ``lstm-train`` as one function."""

import logging
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lstm_runtime.files import parents_of

from lstm_training.checkpoint import (
    Checkpoint,
    is_checkpoint,
    load_checkpoint,
    load_content,
    save_checkpoint,
)
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples, TextsOnDisk
from lstm_training.data.prepare import Dataset
from lstm_training.errors import CheckpointError, ConfigError, TrainingError
from lstm_training.evaluation.baselines import fit_baselines
from lstm_training.evaluation.held_out import HeldOutResult
from lstm_training.processes import first_of_machine_first, log_processes, only_run_in
from lstm_training.trainer.account import checkpoint_of, report_of
from lstm_training.trainer.classifier import Classifier
from lstm_training.trainer.curves import curves
from lstm_training.trainer.failures import explained_failures
from lstm_training.trainer.loop import fit
from lstm_training.trainer.report import write_history, write_metrics, write_pictures
from lstm_training.trainer.state_file import StateFile
from lstm_training.trainer.trainer import Trainer
from lstm_training.transfer.material import learning_material
from lstm_training.transfer.start import with_sizes_of

logger = logging.getLogger(__name__)

MODEL_FILE = "model.pt"
FEW_TEXTS = 100
"""Held-out texts below which a measure is hardly one: its 95 % interval is wider than 10 points."""
MOST_LABELS = 30
"""Labels that are told with the number of their texts."""


@dataclass(frozen=True)
class TrainingResult:
    """A finished training run."""

    checkpoint: Checkpoint
    "The model with the lowest held-out loss."
    files: tuple[Path, ...]
    "What was written; empty when the run was finished before."


@explained_failures()
def train(  # noqa: PLR0913 - what, from what, where to, and three ways to do so
    config: TrainingConfig,
    examples: Examples,
    output: str | Path,
    *,
    start: Checkpoint | None = None,
    unlabelled: Sequence[str] = (),
    resume: bool = False,
    overwrite: bool = False,
    baselines: bool = True,
) -> TrainingResult:
    """Train a model and write it, its measures and its pictures into ``output``.

    What is worth telling on the way goes to the logger ``lstm_training``.

    Args:
        config: how to train.
        examples: what to train on; a part is held out to choose and measure the model.
        output: folder to write to, made when missing.
        start: a finished model to start from; its sizes take the place of those of ``config``,
            and the words of the texts stand behind its own. None for fresh weights.
        unlabelled: texts without labels to learn from besides, by a teacher of n-grams that is
            fitted on the labelled ones; with any, ``config.distil`` is taken as set.
        resume: go on where an earlier run with the same arguments was stopped. With none there,
            start from the beginning.
        overwrite: start over where an earlier run was stopped; without it and without ``resume``,
            an unfinished run is an error, and so is a ``model.pt`` of another program.
        baselines: measure what is reached without a network too, on the same held-out texts:
            the more frequent label and, where scikit-learn is installed, a logistic regression on
            TF-IDF.

    Returns:
        The model and the files written. Under ``accelerate launch`` every process returns the
        same model, and the main one writes the files.

    Raises:
        DataError: when the examples cannot be split or hold no words.
        ConfigError: when a threshold is to be fitted for more than two labels.
        TrainingError: when training fails, when the earlier run was another one, or when there is
            an unfinished run, or a foreign file, that is neither to be resumed nor overwritten.
        TrainingInterruptedError: when stopped by Ctrl-C or SIGTERM, after saving the state.
        CheckpointError: when the state of the earlier run is damaged, or a file cannot be written.
        InputError: when another run is at work in ``output``.

    """
    output, labels = Path(output), len(examples.label_names)
    if labels > 2 and config.fit_threshold != "no":
        raise ConfigError(f"fit_threshold is for two labels, and {examples.name} has {labels}")
    with parents_of(output / MODEL_FILE), only_run_in(output):  # an empty folder goes again
        if not (resume or overwrite):
            _require_own(output / MODEL_FILE)
        if start:
            config = with_sizes_of(start, config)
        if unlabelled:
            config = replace(config, distil=True)
        on_disk = isinstance(examples.texts, TextsOnDisk)
        with first_of_machine_first() if on_disk else nullcontext():
            data = learning_material(examples, config, start, unlabelled)
        classifier = Classifier(config, data, start)
        trainer = classifier.trainer(output)
        if resume and not trainer.state_file.exists() and (output / MODEL_FILE).exists():
            return _finished(output / MODEL_FILE, trainer.state_file)
        if trainer.state_file.exists() and not (resume or overwrite):
            raise TrainingError(
                f"{trainer.state_file.path} is the state of an unfinished run: go on with "
                f"--resume, or {trainer.state_file.start_over}"
            )
        if resume and trainer.state_file.exists():
            trainer.restore()
        else:
            if resume:
                logger.info("%s holds no run to resume: starting from the beginning", output)
            trainer.save()  # a folder that cannot be written to shows now, not after an hour
        _log_data(data)
        log_processes(config.batch_size)
        fit(trainer)
        return _write(classifier, trainer, examples, output, baselines=baselines)


def _require_own(path: Path) -> None:
    """Check that a run replaces no model but that of an earlier run.

    Raises:
        TrainingError: when something else has written the file.

    """
    with suppress(CheckpointError):
        if not path.exists() or is_checkpoint(load_content(path)):
            return
    raise TrainingError(
        f"{path} is there and lstm-train did not write it: give another folder (-o), move it "
        "away, or replace it with --overwrite"
    )


def _log_data(data: Dataset) -> None:
    """Tell how many texts there are."""
    counts = (len(data.train_examples), len(data.held_out), data.copies, len(data.vocabulary))
    logger.info(
        "%s texts to learn from, %s held out, %s copies left out, %s words",
        *(f"{count:,}" for count in counts),
    )
    names, numbers = data.train_examples.label_names, data.train_examples.counts
    told = [f"{count:,} {name}" for name, count in zip(names, numbers, strict=True)]
    rest = [f"and {len(told) - MOST_LABELS:,} more"] if len(told) > MOST_LABELS else []
    logger.info("labels of the texts to learn from: %s", ", ".join(told[:MOST_LABELS] + rest))
    logger.info("%.1f%% of the letters are in no token", 100 * data.uncovered)
    if data.conflicting:
        logger.info(
            "%s texts are left out because as many of their copies, or more, have another label",
            f"{data.conflicting:,}",
        )


def _finished(path: Path, state_file: StateFile) -> TrainingResult:
    """Return the model of a run that has nothing left to do.

    Raises:
        TrainingError: when it is the model of another run.

    """
    checkpoint = load_checkpoint(path)
    try:
        state_file.require_same(checkpoint.training.get("run", {}), path)
    except TrainingError as error:
        raise TrainingError(f"{error}; to train on from it: --start-from {path}") from error
    logger.info("%s is finished: nothing to resume", path)
    return TrainingResult(checkpoint, ())


def _write(
    classifier: Classifier, trainer: Trainer, examples: Examples, output: Path, *, baselines: bool
) -> TrainingResult:
    """Write what the run came to; the state to resume from goes last."""
    trainer.use_best()
    data, history = classifier.data, trainer.state.history
    names, aim = examples.label_names, classifier.config.fit_threshold
    measured = HeldOutResult.fitted(classifier.predict(), data.held_out.labels, names, aim)
    measured.warn_of_one_answer()
    if len(data.held_out) < FEW_TEXTS:
        logger.warning(
            "only %d texts are held out, so the measures say little: see their intervals",
            len(data.held_out),
        )
    parts = data.train_examples, data.held_out_examples
    wanted = baselines and trainer.accelerator.is_main_process
    beside = fit_baselines(*parts, data.tokenizer) if wanted else []
    accuracies = {one.name: one.accuracy for one in beside}
    learning = curves(history, trainer.config, accuracies)
    checkpoint = checkpoint_of(classifier, trainer, examples, measured, beside)
    if not trainer.accelerator.is_main_process:
        return TrainingResult(checkpoint, ())
    files = (
        output / MODEL_FILE,
        write_metrics(output, report_of(checkpoint, history, measured)),
        write_history(output, history),
        *write_pictures(output, learning, measured),
    )
    save_checkpoint(checkpoint, output / MODEL_FILE)
    trainer.state_file.remove()
    return TrainingResult(checkpoint, files)
