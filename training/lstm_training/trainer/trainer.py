"""A training run: the parts that change while it learns, and how they are saved and restored."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator  # type: ignore[import-untyped] # ships no types
from accelerate.utils import gather_object  # type: ignore[import-untyped] # ships no types
from lstm_runtime.text.vocabulary import UNKNOWN_WORD
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from lstm_training.config import TrainingConfig
from lstm_training.data.batching import Batch, drop_words, epoch_order
from lstm_training.data.prepare import Dataset, EncodedTexts
from lstm_training.errors import CheckpointError, TrainingError
from lstm_training.evaluation.predict import predict
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.state import FILE_NAME, TrainerState, read_state, write_state


class Scorer(nn.Module):
    """The model as accelerate wants it: gradients and precision hang on ``forward``."""

    def __init__(self, model: SentimentRNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the logit of each text, ``[batch]``; see `SentimentRNN.logits`."""
        return self.model.logits(ids, lengths)[:, -1]


class Trainer:
    """A model in training, with all that decides its next step.

    Args:
        config: how to train.
        data: what to train on.
        output: folder of the state file.

    Raises:
        TrainingError: when the device at hand cannot train as configured.

    """

    def __init__(self, config: TrainingConfig, data: Dataset, output: Path) -> None:
        self.config, self.data = config, data
        self.state_path = output / FILE_NAME
        self.accelerator = _accelerator(config)
        # Denormals make gates that are nearly shut many times slower, and mean nothing.
        torch.set_flush_denormal(True)
        torch.manual_seed(config.seed)
        self.model_config = _model_config(config, data)
        self.model = SentimentRNN.from_config(self.model_config, config.embedding_dropout)
        optimizer = AdamW(
            self.model.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.scheduler = OneCycleLR(
            optimizer,
            config.learning_rate,
            total_steps=config.epochs * len(self.batches_of(0)),
            cycle_momentum=False,
        )
        self.scorer, self.optimizer = self.accelerator.prepare(Scorer(self.model), optimizer)
        self.state = TrainerState()
        # From here on random numbers are for dropout, and each process has its own.
        torch.manual_seed(config.seed + 1 + self.accelerator.process_index)

    def fingerprint(self) -> dict[str, Any]:
        """Return what must not change between a run and its resumption."""
        plain = asdict(self.config)
        del plain["checkpoint_every"]  # when to save has no effect on the weights
        processes = self.accelerator.num_processes
        return {**plain, "data_sha256": self.data.sha256, "processes": processes}

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch that this process trains on.

        Every process has the same number of them, or they would wait for each other for ever.
        """
        config, processes = self.config, int(self.accelerator.num_processes)
        order = epoch_order(self.data.train.lengths, config.batch_size, config.seed, epoch)
        # With fewer batches than processes, some train on the same one.
        order = order * math.ceil(processes / len(order))
        whole = len(order) - len(order) % processes
        return order[self.accelerator.process_index : whole : processes]

    def step(self, batch: Batch) -> float:
        """Learn from one batch and return its loss.

        Raises:
            TrainingError: when the loss is no number, from which no run recovers.

        """
        config = self.config
        batch = drop_words(batch, config.word_dropout, self.data.vocabulary.ids[UNKNOWN_WORD])
        batch = batch.to(self.accelerator.device)
        logits = self.scorer(batch.ids, batch.lengths).float()
        loss = binary_cross_entropy_with_logits(logits, batch.labels)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"the loss became {loss.item()} in epoch {self.state.epoch + 1}: try a lower "
                "--learning-rate, or --mixed-precision no"
            )
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.scorer.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if not self.accelerator.optimizer_step_was_skipped:  # fp16 skips steps that overflow
            self.scheduler.step()
        return loss.item()

    def predict(self, texts: EncodedTexts) -> Tensor:
        """Return the positive probability of each text, float32 ``[texts]`` on the CPU."""
        return predict(self.model, texts, self.config.batch_size, self.data.vocabulary.pad)

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
            "progress": self.state.to_plain(),
        }
        write_state(self.state_path, self.fingerprint(), state)

    def restore(self) -> None:
        """Take up the state that `save` wrote.

        Raises:
            CheckpointError: when the file is damaged.
            TrainingError: when it is from a run with other data or another configuration.

        """
        try:
            state = read_state(self.state_path, self.fingerprint())
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])
            if self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            self.state = TrainerState.from_plain(state["progress"])
            _set_random_state(state["random"][self.accelerator.process_index])
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise CheckpointError(f"{self.state_path} is damaged: {error!r}") from error


def _accelerator(config: TrainingConfig) -> Accelerator:
    try:
        accelerator = Accelerator(mixed_precision=config.mixed_precision)
    except ValueError as error:  # as where an earlier run in this program had another precision
        raise TrainingError(f"cannot train in {config.mixed_precision}: {error}") from error
    if config.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise TrainingError("fp16 needs a GPU, and none was found: try --mixed-precision bf16")
    return accelerator


def _model_config(config: TrainingConfig, data: Dataset) -> ModelConfig:
    return ModelConfig(
        vocab_size=len(data.vocabulary),
        embedding_dim=config.embedding_dim,
        hidden_dim=config.hidden_dim,
        n_layers=config.n_layers,
        drop_prob=config.drop_prob,
    )


def _random_state() -> dict[str, Tensor]:
    """Return the states of the generators that dropout draws from."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_state(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
