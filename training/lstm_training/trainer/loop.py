"""The training loop: epochs of steps, each epoch measured on the held-out texts."""

import sys
import time
from collections.abc import Callable, Iterator

from accelerate.utils import tqdm  # type: ignore[import-untyped] # ships no types

from lstm_training.data.batching import Batch, make_batch
from lstm_training.errors import TrainingInterruptedError
from lstm_training.evaluation.metrics import compute_metrics
from lstm_training.trainer.signals import StopRequest, graceful_shutdown
from lstm_training.trainer.state import EpochRecord
from lstm_training.trainer.trainer import Trainer


def train_to_the_end(trainer: Trainer, say: Callable[[str], None]) -> None:
    """Train until the last epoch is done, or the held-out loss has stopped falling.

    Args:
        trainer: fresh or restored.
        say: takes a line after each epoch.

    Raises:
        TrainingInterruptedError: after Ctrl-C or SIGTERM, with the state saved.

    """
    # Several processes cannot stop at a common step without asking each other at each one: there
    # a signal acts at once, and the last written state is what is resumed from.
    with graceful_shutdown(enabled=trainer.accelerator.num_processes == 1) as stop:
        while not trainer.state.is_over(trainer.config.epochs, trainer.config.patience):
            _train_epoch(trainer, stop)
            say(_line(_close_epoch(trainer), trainer.config.epochs))


def _train_epoch(trainer: Trainer, stop: StopRequest) -> None:
    """Learn from the batches of the current epoch that are still to come."""
    state, before, start = trainer.state, trainer.state.seconds, time.monotonic()
    for batch in _remaining_batches(trainer):
        loss = trainer.step(batch)
        state.batch += 1
        state.loss += loss * len(batch.labels)
        state.texts += len(batch.labels)
        state.seconds = before + time.monotonic() - start
        if stop.asked:
            trainer.save()
            raise TrainingInterruptedError(
                f"stopped in epoch {state.epoch + 1} of {trainer.config.epochs}: the same command "
                "with --resume goes on from here"
            )
        if state.batch % trainer.config.checkpoint_every == 0:
            trainer.save()


def _remaining_batches(trainer: Trainer) -> Iterator[Batch]:
    """Yield the batches to come, under a progress bar where someone is watching."""
    state = trainer.state
    trainer.scorer.train()
    order = trainer.batches_of(state.epoch)
    with tqdm(
        total=sum(len(positions) for positions in order),
        initial=state.texts,
        desc=f"epoch {state.epoch + 1}/{trainer.config.epochs}",
        unit=" reviews",
        leave=False,
        disable=not sys.stderr.isatty(),
    ) as bar:
        for positions in order[state.batch :]:
            yield make_batch(trainer.data.train, positions, trainer.data.vocabulary.pad)
            bar.update(len(positions))
            bar.set_postfix(loss=f"{state.loss / state.texts:.4f}", refresh=False)


def _close_epoch(trainer: Trainer) -> EpochRecord:
    """Measure the model on the held-out texts, record the epoch and save."""
    state, held_out, start = trainer.state, trainer.data.held_out, time.monotonic()
    # Every process measures all of them: a tenth of the data, and forward only.
    scores = trainer.predict(held_out)
    record = EpochRecord(
        epoch=state.epoch + 1,
        train_loss=state.loss / state.texts,
        held_out=compute_metrics(scores, held_out.labels),
        learning_rate=float(trainer.scheduler.get_last_lr()[0]),
        seconds=state.seconds + time.monotonic() - start,
    )
    state.finish_epoch(record, trainer.model.state_dict())
    trainer.save()
    return record


def _line(record: EpochRecord, epochs: int) -> str:
    return (
        f"epoch {record.epoch}/{epochs}: loss {record.train_loss:.4f}, held-out loss "
        f"{record.held_out.loss:.4f}, accuracy {record.held_out.accuracy:.2%}, "
        f"{record.seconds:.0f} s"
    )
