"""A module in training: the parts that change while it learns, and how they are saved."""

import logging
import math
import os
from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator  # type: ignore[import-untyped] # ships no types
from accelerate.utils import gather_object  # type: ignore[import-untyped] # ships no types
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from lstm_training.errors import CheckpointError, DivergenceError, TrainingError
from lstm_training.evaluation.metrics import Metrics
from lstm_training.processes import join_processes
from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.state import TrainerState
from lstm_training.trainer.state_file import StateFile, require_one_run

logger = logging.getLogger(__name__)

SHAPES_KEPT = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
"""For how many shapes oneDNN keeps its code. Batches have many lengths, so hardly any comes again
soon, and its own 1,024 take 250 MB."""

LossFunction = Callable[[nn.Module, list[int]], Tensor]
"""Gives the loss of the texts at some positions, from the module, which it has to call."""


class Trainer:
    """A module in training, with all that decides its next step.

    Args:
        module: what learns; parameters that need no gradient stay as they are.
        loss_fn: gives the loss of a batch. It calls the module that it is handed, on whose
            ``forward`` gradients and precision hang.
        batches: gives the positions of the texts in each batch of an epoch; it depends on the
            number of the epoch alone, so that a resumed run can skip what it has seen.
        config: how to train.
        state_file: where the state to resume from is kept.
        evaluate: measures the module on held-out texts after an epoch, where there are any.
        rate_of: gives the part of the learning rate that the weight of a name has; 1 when left out.
        name: goes before every line of the log, such as ``student_0: ``.

    Raises:
        TrainingError: when the device at hand cannot train as configured, or another process of the
            run has other texts or settings.

    """

    def __init__(  # noqa: PLR0913 - what learns, from what, how, and who watches
        self,
        module: nn.Module,
        loss_fn: LossFunction,
        batches: Callable[[int], list[list[int]]],
        config: TrainerConfig,
        state_file: StateFile,
        *,
        evaluate: Callable[[], Metrics] | None = None,
        rate_of: Callable[[str], float] | None = None,
        name: str = "",
    ) -> None:
        self.module, self.config, self.state_file = module, config, state_file
        self.evaluate, self.name = evaluate, name
        self._loss_fn, self._batches = loss_fn, batches
        self.accelerator = _accelerator(config)
        require_one_run(gather_object([state_file.fingerprint]))
        self.weights = [weight for weight in module.parameters() if weight.requires_grad]
        groups = _groups(module, config.learning_rate, rate_of)
        optimizer = AdamW(groups, config.learning_rate, weight_decay=config.weight_decay)
        self.scheduler = OneCycleLR(
            optimizer,
            [group["lr"] for group in groups],
            total_steps=config.epochs * len(self.batches_of(0)),
            pct_start=config.warm_up,
            cycle_momentum=config.cycle_momentum,
        )
        self.prepared, self.optimizer = self.accelerator.prepare(module, optimizer)
        self.state = TrainerState()

    def batches_of(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch; all processes go through the same ones."""
        return self._batches(epoch)

    def share_of(self, positions: list[int]) -> tuple[list[int], float]:
        """Return what this process takes of a batch, and what its loss weighs in the mean of all.

        So a batch, and the model that comes of it, is the same however many processes there are.
        """
        processes = int(self.accelerator.num_processes)
        share = positions[self.accelerator.process_index :: processes]
        # All processes meet at each step: one that has no text takes one that counts nothing.
        return share or positions[:1], len(share) * processes / len(positions)

    def step(self, positions: list[int]) -> float:
        """Learn from one batch, with all processes, and return its loss.

        Raises:
            DivergenceError: when the loss is no number, from which no run recovers.

        """
        share, weight = self.share_of(positions)
        loss = self._loss_fn(self.prepared, share) * weight
        found = float(self.accelerator.reduce(loss.detach(), "mean"))
        if not math.isfinite(found):
            epoch = self.state.epoch + 1
            raise DivergenceError(f"{self.name}the loss became {found} in epoch {epoch}")
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.weights, self.config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        if not self.accelerator.optimizer_step_was_skipped:  # fp16 skips steps that overflow
            self.scheduler.step()
        return found

    def is_over(self) -> bool:
        """Tell whether there is nothing left to do."""
        config = self.config
        warm_up = math.ceil(config.warm_up * config.epochs)
        return self.state.is_over(config.epochs, config.patience, warm_up)

    def use_best(self) -> None:
        """Give the module the weights with the lowest held-out loss, where they are kept."""
        if self.state.best:
            self.module.load_state_dict(self.state.best)

    def save(self) -> None:
        """Write everything that the rest of the run depends on; all processes take part."""
        random = gather_object([_random_state()])
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        self.state_file.save({
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": scaler.state_dict() if scaler else {},
            "random": random,
            "progress": self.state.to_plain(),
        })  # fmt: skip

    def restore(self) -> None:
        """Take up the state that `save` wrote.

        Raises:
            CheckpointError: when the file is damaged or of another version.
            TrainingError: when it is from a run with other data or another configuration.

        """
        state = self.state_file.load()
        try:
            self.module.load_state_dict(state["module"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])
            if self.accelerator.scaler:
                self.accelerator.scaler.load_state_dict(state["scaler"])
            self.state = TrainerState.from_plain(state["progress"])
            _set_random_state(state["random"][self.accelerator.process_index])
        except (KeyError, IndexError, TypeError, AttributeError, RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"{self.state_file.path} is damaged: {self.state_file.start_over}"
            ) from error
        logger.info(
            "%sgoing on in epoch %d, after %s batches",
            self.name, self.state.epoch + 1, f"{self.state.batch:,}",
        )  # fmt: skip


def _groups(
    module: nn.Module, learning_rate: float, rate_of: Callable[[str], float] | None
) -> list[dict[str, Any]]:
    """Return the weights that learn, those of one rate together, the fastest first."""
    found: dict[float, list[nn.Parameter]] = {}
    for name, weight in module.named_parameters():
        if weight.requires_grad:
            found.setdefault(rate_of(name) if rate_of else 1.0, []).append(weight)
    return [
        {"params": found[rate], "lr": learning_rate * rate} for rate in sorted(found, reverse=True)
    ]


def _accelerator(config: TrainerConfig) -> Accelerator:
    join_processes()
    os.environ.setdefault(SHAPES_KEPT, "16")
    try:
        accelerator = Accelerator(mixed_precision=config.mixed_precision)
    except ValueError as error:  # as where an earlier run in this program had another precision
        raise TrainingError(f"cannot train in {config.mixed_precision}: {error}") from error
    if config.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise TrainingError("fp16 needs a GPU, and none was found: try --mixed-precision bf16")
    return accelerator


def _random_state() -> dict[str, Tensor]:
    """Return the states of the generators that dropout draws from."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_state(states: dict[str, Any]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
