"""How a model is trained: the one place that holds the defaults."""

from dataclasses import dataclass
from typing import Literal, get_args

from lstm_training.errors import ConfigError

MixedPrecision = Literal["no", "fp16", "bf16"]

_AT_LEAST_ONE = (
    "epochs", "batch_size", "max_tokens", "min_count", "embedding_dim", "hidden_dim", "n_layers",
    "patience", "checkpoint_every",
)  # fmt: skip
_POSITIVE = ("learning_rate", "gradient_clip")
_DROPOUTS = ("drop_prob", "embedding_dropout", "word_dropout")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides which weights come out, besides the data.

    Raises:
        ConfigError: when a value is out of its range; names the field.

    """

    epochs: int = 7
    "Passes over the training texts."
    batch_size: int = 32
    "Texts a step, on each process."
    learning_rate: float = 3e-3
    "Peak of the one-cycle schedule."
    weight_decay: float = 0.01
    "AdamW's decoupled weight decay."
    gradient_clip: float = 1.0
    "Largest norm of the gradient; longer ones are scaled down."
    patience: int = 2
    "Epochs without a lower held-out loss after which training stops."

    vocab_size: int = 20_000
    "Most ids of the vocabulary, padding and unknown included."
    min_count: int = 2
    "Occurrences that a word needs in the training texts to get an id."
    max_tokens: int = 400
    "Tokens of a training text that are read: the last ones. Held-out texts are never cut."

    embedding_dim: int = 128
    "Length of a word's vector."
    hidden_dim: int = 128
    "Units of each LSTM layer."
    n_layers: int = 2
    "LSTM layers."
    drop_prob: float = 0.5
    "Dropout between LSTM layers."
    embedding_dropout: float = 0.4
    "Dropout on the word vectors."
    word_dropout: float = 0.1
    "Part of the words that a step reads as unknown."

    holdout: float = 0.1
    "Part of the texts that is held out to choose and measure the model."
    limit: int | None = None
    "Texts used in all, a balanced sample; None for all of them."
    seed: int = 0
    "Seed of the split, the order, the initial weights and the dropouts."
    mixed_precision: MixedPrecision = "no"
    "Precision of the forward pass; fp16 needs a GPU."
    checkpoint_every: int = 200
    "Batches between two writings of the state to resume from."

    def __post_init__(self) -> None:
        """Check every value against its range."""
        for name in _AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in _POSITIVE:
            self._require(name, getattr(self, name) > 0, "greater than 0")
        for name in _DROPOUTS:
            self._require(name, 0 <= getattr(self, name) < 1, "at least 0 and less than 1")
        self._require("weight_decay", self.weight_decay >= 0, "at least 0")
        self._require("vocab_size", self.vocab_size >= 3, "at least 3: padding, unknown, a word")
        self._require("holdout", 0 < self.holdout < 1, "between 0 and 1")
        self._require("limit", self.limit is None or self.limit >= 4, "at least 4")
        self._require("seed", 0 <= self.seed < 2**32, "at least 0 and less than 2**32")
        precisions = get_args(MixedPrecision)
        self._require(
            "mixed_precision", self.mixed_precision in precisions, " or ".join(precisions)
        )

    def _require(self, name: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ConfigError(f"{name} is {getattr(self, name)!r}; it must be {wanted}")
