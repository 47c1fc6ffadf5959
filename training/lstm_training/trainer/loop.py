"""The training loop: epochs of steps, each epoch measured on the held-out texts."""

import sys
import time
from collections.abc import Callable, Iterator

from accelerate.utils import tqdm  # type: ignore[import-untyped] # ships no types

from lstm_training.data.batching import Batch, make_batch
from lstm_training.errors import TrainingInterruptedError
from lstm_training.evaluation.metrics import measure, predict
from lstm_training.trainer.signals import StopRequest, deferred_stop
from lstm_training.trainer.state import EpochRecord
from lstm_training.trainer.trainer import Run


def train_to_the_end(run: Run, say: Callable[[str], None]) -> None:
    """Train until the last epoch is done, or the held-out loss has stopped falling.

    Args:
        run: the run, fresh or restored.
        say: takes a line after each epoch.

    Raises:
        TrainingInterruptedError: after Ctrl-C or SIGTERM, with the state saved.

    """
    # Several processes cannot stop at a common step without asking each other at each one: there
    # a signal acts at once, and the last written state is what is resumed from.
    with deferred_stop(enabled=run.accelerator.num_processes == 1) as stop:
        while not run.progress.is_over(run.config.epochs, run.config.patience):
            _train_epoch(run, stop)
            say(_line(_close_epoch(run), run.config.epochs))


def _train_epoch(run: Run, stop: StopRequest) -> None:
    """Learn from the batches of the current epoch that are still to come."""
    progress, before, start = run.progress, run.progress.seconds, time.monotonic()
    for batch in _remaining_batches(run):
        loss = run.step(batch)
        progress.batch += 1
        progress.loss += loss * len(batch.labels)
        progress.texts += len(batch.labels)
        progress.seconds = before + time.monotonic() - start
        if stop.asked:
            run.save()
            raise TrainingInterruptedError(
                f"stopped in epoch {progress.epoch + 1} of {run.config.epochs}: the same command "
                "with --resume goes on from here"
            )
        if progress.batch % run.config.checkpoint_every == 0:
            run.save()


def _remaining_batches(run: Run) -> Iterator[Batch]:
    """Yield the batches to come, under a progress bar where someone is watching."""
    progress = run.progress
    run.scorer.train()
    order = run.batches_of(progress.epoch)
    with tqdm(
        total=sum(len(positions) for positions in order),
        initial=progress.texts,
        desc=f"epoch {progress.epoch + 1}/{run.config.epochs}",
        unit=" reviews",
        leave=False,
        disable=not sys.stderr.isatty(),
    ) as bar:
        for positions in order[progress.batch :]:
            yield make_batch(run.data.train, positions, run.data.vocabulary.pad)
            bar.update(len(positions))
            bar.set_postfix(loss=f"{progress.loss / progress.texts:.4f}", refresh=False)


def _close_epoch(run: Run) -> EpochRecord:
    """Measure the model on the held-out texts, record the epoch and save."""
    progress, held_out, start = run.progress, run.data.held_out, time.monotonic()
    # Every process measures all of them: a tenth of the data, and forward only.
    scores = predict(run.model, held_out, run.config.batch_size, run.data.vocabulary.pad)
    record = EpochRecord(
        epoch=progress.epoch + 1,
        train_loss=progress.loss / progress.texts,
        held_out=measure(scores, held_out.labels),
        learning_rate=float(run.scheduler.get_last_lr()[0]),
        seconds=progress.seconds + time.monotonic() - start,
    )
    progress.finish_epoch(record, run.model.state_dict())
    run.save()
    return record


def _line(record: EpochRecord, epochs: int) -> str:
    return (
        f"epoch {record.epoch}/{epochs}: loss {record.train_loss:.4f}, held-out loss "
        f"{record.held_out.loss:.4f}, accuracy {record.held_out.accuracy:.2%}, "
        f"{record.seconds:.0f} s"
    )
