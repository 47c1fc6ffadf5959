"""The training loop: epochs of steps, each epoch measured on the held-out texts."""

import logging
import sys
import time
from collections.abc import Iterator

from accelerate.utils import tqdm  # type: ignore[import-untyped] # ships no types

from lstm_training.errors import TrainingInterruptedError
from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.denormals import flushed_denormals
from lstm_training.trainer.signals import StopRequest, graceful_shutdown
from lstm_training.trainer.state import EpochRecord, best_of
from lstm_training.trainer.trainer import Trainer

logger = logging.getLogger(__name__)


def fit(trainer: Trainer) -> None:
    """Train until the last epoch is done, or the held-out loss has stopped falling.

    The log gets a line after each epoch and, for those who listen for ``DEBUG``, at each writing
    of the state.

    Args:
        trainer: fresh or restored.

    Raises:
        TrainingInterruptedError: after Ctrl-C or SIGTERM, with the state saved.
        DivergenceError: when the loss is no number.

    """
    # Several processes cannot stop at a common step without asking each other at each one: there
    # a signal acts at once, and the last written state is what is resumed from.
    alone = trainer.accelerator.num_processes == 1
    with flushed_denormals(), graceful_shutdown(enabled=alone) as stop:
        if trainer.config.measure_start and trainer.state.is_fresh:
            _close_epoch(trainer, 0)
        while not trainer.is_over():
            _train_epoch(trainer, stop)
            _close_epoch(trainer, trainer.state.epoch + 1)
    if trainer.config.keep_best:
        logger.info("%s%s", trainer.name, kept(trainer.state.history, trainer.config))


def kept(history: list[EpochRecord], config: TrainerConfig) -> str:
    """Say which epoch's weights are kept, and why."""
    best = best_of(history)
    if history[-1].epoch < config.epochs:
        return (
            f"stopped early: no lower held-out loss in {config.patience} epochs; "
            f"epoch {best.epoch} is kept"
        )
    loss = f" ({best.held_out.loss:.4f})" if best.held_out else ""
    if not best.epoch:
        return f"kept: the model as it began, since no epoch had a lower held-out loss{loss}"
    return f"kept: epoch {best.epoch} of {config.epochs}, with the lowest held-out loss{loss}"


def _train_epoch(trainer: Trainer, stop: StopRequest) -> None:
    """Learn from the batches of the current epoch that are still to come."""
    state, before, start = trainer.state, trainer.state.seconds, time.monotonic()
    order = trainer.batches_of(state.epoch)
    for positions in _remaining(trainer, order):
        loss = trainer.step(positions)
        state.batch += 1
        state.loss += loss * len(positions)
        state.texts += len(positions)
        state.seconds = before + time.monotonic() - start
        if stop.asked:
            trainer.save()
            raise TrainingInterruptedError(
                f"{trainer.name}stopped in epoch {state.epoch + 1} of {trainer.config.epochs}, "
                f"after batch {state.batch:,} of {len(order):,}: {trainer.state_file.go_on}"
            )
        if state.batch % trainer.config.checkpoint_every == 0:
            trainer.save()
            logger.debug(
                "%sepoch %d, batch %s of %s: loss %.4f, %.0f s",
                trainer.name, state.epoch + 1, f"{state.batch:,}", f"{len(order):,}",
                state.loss / state.texts, state.seconds,
            )  # fmt: skip


def _remaining(trainer: Trainer, order: list[list[int]]) -> Iterator[list[int]]:
    """Yield the batches to come, under a progress bar where someone is watching."""
    state = trainer.state
    trainer.prepared.train()
    with tqdm(
        total=sum(len(positions) for positions in order),
        initial=state.texts,
        desc=f"{trainer.name}epoch {state.epoch + 1}/{trainer.config.epochs}",
        unit=" texts",
        leave=False,
        disable=not sys.stderr.isatty(),
    ) as bar:
        for positions in order[state.batch :]:
            yield positions
            bar.update(len(positions))
            bar.set_postfix(loss=f"{state.loss / state.texts:.4f}", refresh=False)


def _close_epoch(trainer: Trainer, epoch: int) -> None:
    """Measure the module on the held-out texts, record the epoch, save and tell."""
    state, start = trainer.state, time.monotonic()
    record = EpochRecord(
        epoch=epoch,
        train_loss=state.loss / state.texts if state.texts else None,
        held_out=trainer.evaluate() if trainer.evaluate else None,
        learning_rate=float(trainer.scheduler.get_last_lr()[0]),
        seconds=state.seconds + time.monotonic() - start,
    )
    state.finish_epoch(record, trainer.module.state_dict() if trainer.config.keep_best else None)
    trainer.save()
    logger.info("%s%s", trainer.name, _line(record, trainer.config.epochs))


def _line(record: EpochRecord, epochs: int) -> str:
    held_out = record.held_out
    measured = (
        f", held-out loss {held_out.loss:.4f}, accuracy {held_out.accuracy:.2%}" if held_out else ""
    )
    learned = f"loss {record.train_loss:.4f}" if record.train_loss is not None else "at the start"
    return f"epoch {record.epoch}/{epochs}: {learned}{measured}, {record.seconds:.0f} s"
