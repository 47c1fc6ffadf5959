"""Where a run stands, and the file that lets a killed run go on exactly there."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from lstm_training.checkpoint import load_content, save_content
from lstm_training.errors import CheckpointError, TrainingError
from lstm_training.evaluation.metrics import Metrics

FILE_NAME = "resume.pt"
FORMAT = "lstm-edge-resume"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch came to."""

    epoch: int
    "Number of the epoch, from 1."
    train_loss: float
    "Mean loss while learning, with dropout on."
    held_out: Metrics
    "Measures on the held-out texts after the epoch."
    learning_rate: float
    "Learning rate of the epoch's last step."
    seconds: float
    "Time of the epoch, held-out texts included."


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
    "Weights after the epoch with the lowest held-out loss; empty in the first epoch."

    @property
    def best_epoch(self) -> EpochRecord:
        """The epoch with the lowest held-out loss, the first of equals."""
        return min(self.history, key=lambda record: record.held_out.loss)

    def finish_epoch(self, record: EpochRecord, weights: dict[str, Tensor]) -> None:
        """Close the current epoch, and keep ``weights`` if they are the best so far."""
        self.history.append(record)
        if self.best_epoch is record:
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
        self.epoch, self.batch = self.epoch + 1, 0
        self.loss, self.texts, self.seconds = 0.0, 0, 0.0

    def is_over(self, epochs: int, patience: int) -> bool:
        """Tell whether the last epoch is done, or the held-out loss has stopped falling."""
        if self.epoch >= epochs:
            return True
        return bool(self.history) and self.epoch - self.best_epoch.epoch >= patience

    def to_plain(self) -> dict[str, Any]:
        """Return the state as tensors and plain values."""
        return {**vars(self), "history": [asdict(record) for record in self.history]}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> "TrainerState":
        """Make a `TrainerState` of what `to_plain` gave."""
        history = [
            EpochRecord(**{**record, "held_out": Metrics(**record["held_out"])})
            for record in content["history"]
        ]
        return cls(**{**content, "history": history})


def write_state(path: Path, fingerprint: dict[str, Any], state: dict[str, Any]) -> None:
    """Write the state of a run, tensors and plain values, in one piece."""
    header = {"format": FORMAT, "format_version": FORMAT_VERSION, "identity": fingerprint}
    save_content({**header, "state": state}, path)


def read_state(path: Path, fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Read what `write_state` wrote.

    Raises:
        CheckpointError: when the file is damaged, foreign or of another version.
        KeyError: when a part is missing.
        TrainingError: when it belongs to a run with another ``fingerprint``.

    """
    content = load_content(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not the state of an lstm-train run")
    if content.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(f"{path} is of another version of lstm-train: start without --resume")
    require_same(path, content["identity"], fingerprint)
    state: dict[str, Any] = content["state"]
    return state


def require_same(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    """Check that a run to be resumed is the one that ``path`` comes from.

    Raises:
        TrainingError: names every value that differs.

    """
    names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if names:
        changes = ", ".join(f"{n} was {before.get(n)!r}, is {now.get(n)!r}" for n in names)
        raise TrainingError(
            f"{path} is from another run: {changes}; repeat its options, or leave --resume out "
            "to start over"
        )
