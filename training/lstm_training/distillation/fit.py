"""Training steps, as three stages need it: one-cycle AdamW, resumable to the batch."""

import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from lstm_training.data.batching import epoch_order
from lstm_training.distillation.cache import StageState
from lstm_training.distillation.config import OptimizationConfig
from lstm_training.errors import TrainingInterruptedError
from lstm_training.trainer.signals import graceful_shutdown

_SAVE_EVERY = 200
"""Batches between two lines in the log, each with a writing of the state."""


class StageTrainer:
    """A module in training.

    Args:
        module: what learns; parameters that need no gradient stay as they are.
        config: how long and how fast.
        lengths: tokens of each text; a batch holds texts of like length.
        part: the state to resume from, under the stage's name.
        say: takes a line now and then.

    """

    def __init__(
        self,
        module: nn.Module,
        config: OptimizationConfig,
        lengths: Sequence[int],
        part: StageState,
        say: Callable[[str], None],
    ) -> None:
        self.module, self.config, self.part, self.say = module, config, part, say
        self.name = part.stage
        self.weights = [weight for weight in module.parameters() if weight.requires_grad]
        self.optimizer = AdamW(self.weights, config.learning_rate, weight_decay=config.weight_decay)
        self.batches = [
            (epoch, batch)
            for epoch in range(config.epochs)
            for batch in epoch_order(lengths, config.batch_size, config.seed, epoch)
        ]
        self.schedule = OneCycleLR(
            self.optimizer,
            config.learning_rate,
            total_steps=len(self.batches),
            pct_start=config.warm_up,
        )
        self.done = 0

    def run(
        self, loss_of: Callable[[list[int]], Tensor], after_epoch: Callable[[], str] = str
    ) -> None:
        """Train to the end, from the saved state if there is one.

        Args:
            loss_of: gives the loss of the texts at the given positions.
            after_epoch: gives what the log says at the end of an epoch.

        Raises:
            TrainingInterruptedError: after Ctrl-C or SIGTERM, with the state saved.

        """
        self._restore()
        start, losses = time.monotonic(), []
        with graceful_shutdown() as stop:
            for epoch, positions in self.batches[self.done :]:
                losses.append(self._step(loss_of, positions))
                closed = self.done == len(self.batches) or self.batches[self.done][0] > epoch
                if stop.asked or closed or self.done % _SAVE_EVERY == 0:
                    self._save()
                if stop.asked:
                    raise TrainingInterruptedError(
                        f"{self.name}: stopped after batch {self.done} of {len(self.batches)}; "
                        "the same command goes on from here"
                    )
                if closed or self.done % _SAVE_EVERY == 0:
                    self.say(
                        f"  {self.name}: epoch {epoch + 1}, batch {self.done:,} of "
                        f"{len(self.batches):,}, loss {sum(losses) / len(losses):.4f}, "
                        f"{time.monotonic() - start:.0f} s{after_epoch() if closed else ''}"
                    )
                    losses.clear()

    def _step(self, loss_of: Callable[[list[int]], Tensor], positions: list[int]) -> float:
        self.module.train()
        loss = loss_of(positions)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it untyped
        nn.utils.clip_grad_norm_(self.weights, self.config.gradient_clip)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.done += 1
        return loss.item()

    def _save(self) -> None:
        self.part.save(
            {
                "module": self.module.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "random": torch.get_rng_state(),
                "done": self.done,
            }
        )

    def _restore(self) -> None:
        state = self.part.load()
        if state is None:
            return
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self.done = state["done"]
        self.say(f"  {self.name}: going on after batch {self.done:,} of {len(self.batches):,}")
