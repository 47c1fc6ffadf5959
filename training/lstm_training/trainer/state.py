"""Where a training run stands."""

from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from lstm_training.evaluation.metrics import Metrics


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to."""

    epoch: int
    "Number of the epoch, from 1; 0 for what the module was before the first."
    train_loss: float | None
    "Mean loss while learning, with dropout on; None where nothing was learned."
    held_out: Metrics | None
    "Measures on the held-out texts after the epoch; None where nothing is held out."
    learning_rate: float
    "Learning rate of the epoch's last step."
    seconds: float
    "Time of the epoch, held-out texts included."


def best_of(history: list[EpochRecord]) -> EpochRecord:
    """Return the epoch with the lowest held-out loss, the first of equals."""
    return min(history, key=lambda record: record.held_out.loss if record.held_out else 0)


@dataclass
class TrainerState:
    """Where a run stands: all that training changes besides weights and optimizer."""

    epoch: int = 0
    "Epochs that are complete."
    batch: int = 0
    "Batches of the current epoch that are complete."
    loss: float = 0.0
    "Sum of the losses of these batches, each times its texts."
    texts: int = 0
    "Texts in these batches."
    seconds: float = 0.0
    "Time spent in the current epoch."
    history: list[EpochRecord] = field(default_factory=list)
    "The epochs so far."
    best: dict[str, Tensor] = field(default_factory=dict)
    "Weights after the epoch with the lowest held-out loss, where they are kept."

    @property
    def is_fresh(self) -> bool:
        """Whether nothing has been learned or measured."""
        return not (self.epoch or self.batch or self.history)

    @property
    def best_epoch(self) -> EpochRecord:
        """The epoch with the lowest held-out loss, the first of equals."""
        return best_of(self.history)

    def finish_epoch(self, record: EpochRecord, weights: dict[str, Tensor] | None = None) -> None:
        """Close the current epoch, and keep ``weights``, if given, where they are the best.

        An epoch 0 is a beginning, which leaves the current epoch open.
        """
        self.history.append(record)
        if weights is not None and self.best_epoch is record:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        self.epoch, self.batch = record.epoch, 0
        self.loss, self.texts, self.seconds = 0.0, 0, 0.0

    def is_over(self, epochs: int, patience: int | None, warm_up: int = 0) -> bool:
        """Tell whether the last epoch is done, or the held-out loss has stopped falling.

        Patience counts from the end of the ``warm_up`` epochs at the earliest: while the learning
        rate still rises, a loss that rises with it says nothing.
        """
        if self.epoch >= epochs:
            return True
        if patience is None or not self.history:
            return False
        return self.epoch - max(self.best_epoch.epoch, warm_up) >= patience

    def to_plain(self) -> dict[str, Any]:
        """Return the state as tensors and plain values."""
        return {**vars(self), "history": [asdict(record) for record in self.history]}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> "TrainerState":
        """Make a `TrainerState` of what `to_plain` gave."""
        history = [
            EpochRecord(
                **{**record, "held_out": record["held_out"] and Metrics(**record["held_out"])}
            )
            for record in content["history"]
        ]
        return cls(**{**content, "history": history})
