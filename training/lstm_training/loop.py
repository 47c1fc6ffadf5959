"""The training loop."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, tqdm
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from lstm_training.batches import Batch, drop_words, epoch_order, make_batch
from lstm_training.config import TrainingConfig
from lstm_training.dataset import Dataset
from lstm_training.errors import CheckpointError, TrainingError, TrainingInterruptedError
from lstm_training.evaluate import measure, predict
from lstm_training.interrupt import deferred_stop
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.progress import FILE_NAME, EpochRecord, Progress, read_state, write_state


class Scorer(nn.Module):
    """The model as accelerate wants it: gradients and precision hang on ``forward``."""

    def __init__(self, model: SentimentRNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the logit of each text, ``[batch]``; see `SentimentRNN.logits`."""
        return self.model.logits(ids, lengths)[:, -1]


class Run:
    """One training run: the parts that change, and how to save and restore them.

    Args:
        config: how to train.
        data: what to train on.
        output: folder of the state file.
        say: takes one line for each thing worth telling.

    Raises:
        TrainingError: when the device at hand cannot train as configured.

    """

    def __init__(
        self, config: TrainingConfig, data: Dataset, output: Path, say: Callable[[str], None]
    ) -> None:
        self.config, self.data, self.output, self.say = config, data, output, say
        try:
            self.accelerator = Accelerator(mixed_precision=config.mixed_precision)
        except (
            ValueError
        ) as error:  # fp16 on a CPU, or a precision that differs from an earlier run
            raise TrainingError(f"cannot train in {config.mixed_precision}: {error}") from error
        # Denormals make gates that are nearly shut many times slower, and mean nothing.
        torch.set_flush_denormal(True)
        torch.manual_seed(config.seed)
        self.model_config = ModelConfig(
            vocab_size=len(data.vocabulary),
            embedding_dim=config.embedding_dim,
            hidden_dim=config.hidden_dim,
            n_layers=config.n_layers,
            drop_prob=config.drop_prob,
        )
        self.model = SentimentRNN.from_config(self.model_config, config.embedding_dropout)
        optimizer = AdamW(
            self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.scorer, self.optimizer = self.accelerator.prepare(Scorer(self.model), optimizer)
        self.scheduler = OneCycleLR(
            optimizer,
            config.learning_rate,
            total_steps=config.epochs * len(self.batches_of(0)),
            cycle_momentum=False,
        )
        self.progress = Progress()
        # From here on random numbers are for dropout, and each process has its own.
        torch.manual_seed(config.seed + 1 + self.accelerator.process_index)

    @property
    def state_path(self) -> Path:
        """The file that `save` writes."""
        return self.output / FILE_NAME

    def identity(self) -> dict[str, Any]:
        """Return what must not change between a run and its resumption."""
        plain = asdict(self.config)
        del plain["checkpoint_every"]  # when to save has no effect on the weights
        processes = self.accelerator.num_processes
        return {**plain, "data_sha256": self.data.sha256, "processes": processes}

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch that this process trains on.

        Every process has the same number of them, or they would wait for each other for ever.
        """
        config, accelerator = self.config, self.accelerator
        order = epoch_order(self.data.train.lengths, config.batch_size, config.seed, epoch)
        processes = accelerator.num_processes
        # Fewer batches than processes: some train on the same one.
        order = order * math.ceil(processes / len(order))
        whole = len(order) - len(order) % processes
        return order[accelerator.process_index : whole : processes]

    def save(self) -> None:
        """Write everything that the rest of the run depends on; all processes take part."""
        random = gather_object([_random_state()])
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": scaler.state_dict() if scaler else {},
            "random": random,
            "progress": self.progress.to_plain(),
        }
        write_state(self.state_path, self.identity(), state)

    def restore(self) -> None:
        """Take up the state that `save` wrote.

        Raises:
            CheckpointError: when the file is damaged.
            TrainingError: when it is from a run with other data or another configuration.

        """
        state = read_state(self.state_path, self.identity())
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])
            if self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            self.progress = Progress.from_plain(state["progress"])
            _set_random_state(state["random"][self.accelerator.process_index])
        except (KeyError, TypeError, RuntimeError, ValueError) as error:
            raise CheckpointError(f"{self.state_path} is damaged: {error}") from error

    def step(self, batch: Batch) -> float:
        """Learn from one batch and return its loss."""
        config = self.config
        batch = drop_words(batch, config.word_dropout, self.data.vocabulary.unknown)
        batch = batch.to(self.accelerator.device)
        logits = self.scorer(batch.ids, batch.lengths).float()
        loss = binary_cross_entropy_with_logits(logits, batch.labels)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.scorer.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if not self.accelerator.optimizer_step_was_skipped:  # fp16 skips steps that overflow
            self.scheduler.step()
        return loss.item()

    def train_epoch(self) -> None:
        """Learn from the batches of the current epoch that are still to come."""
        progress, config, before = self.progress, self.config, self.progress.seconds
        start = time.monotonic()
        with deferred_stop(enabled=self.accelerator.num_processes == 1) as stop:
            for batch in self._remaining_batches():
                loss = self.step(batch)
                if not math.isfinite(loss):
                    raise TrainingError(
                        f"the loss became {loss} in epoch {progress.epoch + 1}: try a lower "
                        "--learning-rate, or --mixed-precision no"
                    )
                progress.batch += 1
                progress.loss += loss * len(batch.labels)
                progress.texts += len(batch.labels)
                progress.seconds = before + time.monotonic() - start
                if stop.asked:
                    self.save()
                    raise TrainingInterruptedError(
                        f"stopped in epoch {progress.epoch + 1} of {config.epochs}: the same "
                        "command with --resume goes on from here"
                    )
                if progress.batch % config.checkpoint_every == 0:
                    self.save()

    def _remaining_batches(self) -> Iterator[Batch]:
        """Yield the batches to come, under a progress bar where someone is watching."""
        progress, train = self.progress, self.data.train
        self.scorer.train()
        order = self.batches_of(progress.epoch)
        with tqdm(
            total=sum(len(positions) for positions in order),
            initial=progress.texts,
            desc=f"epoch {progress.epoch + 1}/{self.config.epochs}",
            unit=" reviews",
            leave=False,
            disable=not sys.stderr.isatty(),
        ) as bar:
            for positions in order[progress.batch :]:
                yield make_batch(train, positions, self.data.vocabulary.pad)
                bar.update(len(positions))
                bar.set_postfix(loss=f"{progress.loss / progress.texts:.4f}", refresh=False)

    def close_epoch(self) -> None:
        """Measure the model on the held-out texts and record the epoch."""
        progress, held_out, start = self.progress, self.data.held_out, time.monotonic()
        # Every process measures all of it: a tenth of the data, forward only.
        scores = predict(self.model, held_out, self.config.batch_size, self.data.vocabulary.pad)
        record = EpochRecord(
            epoch=progress.epoch + 1,
            train_loss=progress.loss / progress.texts,
            held_out=measure(scores, held_out.labels),
            learning_rate=self.scheduler.get_last_lr()[0],
            seconds=progress.seconds + time.monotonic() - start,
        )
        progress.finish_epoch(record, self.model.state_dict())
        self.save()
        self.say(
            f"epoch {record.epoch}/{self.config.epochs}: loss {record.train_loss:.4f}, held-out "
            f"loss {record.held_out.loss:.4f}, accuracy {record.held_out.accuracy:.2%}, "
            f"{record.seconds:.0f} s"
        )

    def to_the_end(self) -> None:
        """Train until the last epoch, or until the held-out loss has stopped falling."""
        while not self.progress.is_over(self.config.epochs, self.config.patience):
            self.train_epoch()
            self.close_epoch()


def _random_state() -> dict[str, Tensor]:
    """Return the states of the generators that dropout draws from."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_state(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"])
