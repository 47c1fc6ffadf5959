"""How a model is trained: the one place that holds the defaults, their help and their ranges."""

from dataclasses import dataclass
from typing import Literal

from lstm_runtime.errors import VocabularyError
from lstm_runtime.settings import check_settings, setting
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN, Tokenizer

from lstm_training.errors import ConfigError
from lstm_training.one_reading import require_one_reading

MixedPrecision = Literal["no", "fp16", "bf16"]
ClassWeight = Literal["no", "balanced"]
FitThreshold = Literal["no", "accuracy", "f1"]

_INPUT, _OUTPUT, _MODEL, _TRAINING, _DEVICE = "Input", "Output", "Model", "Training", "Device"
"""Headings of a command's help."""

CHOSEN = (
    "epochs", "batch_size", "learning_rate", "patience", "min_count", "embedding_dim", "hidden_dim",
    "n_layers", "memory", "word_scores", "drop_prob", "embedding_dropout", "word_dropout", "gain",
    "ema", "layer_decay",
)  # fmt: skip
"""Settings that `lstm-train` chooses by the number of texts and by what it starts from."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides which weights come out, besides the data.

    Raises:
        ConfigError: when a value is of the wrong type or out of its range; names the field.

    """

    epochs: int = setting(7, "Passes over the training texts.", at_least=1, group=_TRAINING)
    batch_size: int = setting(32, "Texts a step, on each process.", at_least=1, group=_TRAINING)
    learning_rate: float = setting(
        3e-3, "Peak of the one-cycle schedule.", above=0, group=_TRAINING
    )
    weight_decay: float = setting(
        0.01, "AdamW's decoupled weight decay.", at_least=0, group=_TRAINING
    )
    gradient_clip: float = setting(
        1.0, "Largest norm of the gradient; longer ones are scaled down.", above=0, group=_TRAINING
    )
    patience: int = setting(
        2, "Stop after this many epochs without a lower held-out loss.", at_least=1, group=_TRAINING
    )

    vocab_size: int = setting(
        20_000,
        "Most ids of the vocabulary, padding and unknown included, those of the model that is "
        "started from as well.",
        at_least=3,
        because="padding, unknown, a word",
        group=_MODEL,
    )
    min_count: int = setting(
        2,
        "Occurrences that a word needs in the training texts to get an id.",
        at_least=1,
        group=_MODEL,
    )

    pattern: str | None = setting(
        None,
        "What a token is, in the syntax of RE2; A to Z are lowered before.  [default: words of "
        "every script, single characters of scripts without spaces, emoji, ! and ?]",
        group=_MODEL,
        metavar="REGEX",
    )

    max_tokens: int = setting(
        400,
        "Learn from the last tokens of longer texts; held-out texts and answers use every token.",
        at_least=1,
        group=_TRAINING,
    )

    embedding_dim: int = setting(128, "Length of a word's vector.", at_least=1, group=_MODEL)
    hidden_dim: int = setting(128, "Units of each LSTM layer.", at_least=1, group=_MODEL)
    n_layers: int = setting(2, "LSTM layers.", at_least=1, group=_MODEL)

    drop_prob: float = setting(
        0.5, "Dropout between LSTM layers.", at_least=0, below=1, group=_TRAINING
    )
    embedding_dropout: float = setting(
        0.4, "Dropout on the word vectors.", at_least=0, below=1, group=_TRAINING
    )
    word_dropout: float = setting(
        0.1, "Part of the words that a step reads as unknown.", at_least=0, below=1, group=_TRAINING
    )

    gain: float = setting(
        0.0,
        "Weight of a loss on every step of a text, against 1 for the loss on its last.",
        at_least=0,
        group=_TRAINING,
    )
    ema: float = setting(
        0.0,
        "Decay of a running mean of the weights, which is kept in their place; 0 for none.",
        at_least=0,
        below=1,
        group=_TRAINING,
    )

    memory: int = setting(
        0,
        "Tokens that fresh LSTM layers are made to remember, by the biases of their gates; 0 "
        "leaves these to chance.",
        at_least=0,
        group=_MODEL,
    )
    word_scores: int = setting(
        0,
        "Numbers of a fresh word vector that say for which label the word speaks, and units of "
        "each layer that add them up.",
        at_least=0,
        group=_MODEL,
    )
    layer_decay: float = setting(
        1.0,
        "Part of a layer's learning rate that the layer below it has.",
        above=0,
        at_most=1,
        group=_TRAINING,
    )

    distil: bool = setting(
        False,
        "Fit a teacher of n-grams on the texts, and learn from labels and teacher.",
        group=_TRAINING,
    )
    class_weight: ClassWeight = setting(
        "no",
        "balanced: texts of rare labels weigh more, so that all labels weigh the same.",
        group=_TRAINING,
    )
    fit_threshold: FitThreshold = setting(
        "no",
        "Of two labels, give the second from the probability on that has the highest accuracy, or "
        "mean F1 of both labels, on the held-out texts, and not from 0.5 on.",
        group=_TRAINING,
    )

    holdout: float = setting(
        0.1,
        "Part of the texts held out to choose and measure the model.",
        above=0,
        below=1,
        group=_INPUT,
    )
    limit: int | None = setting(
        None,
        "Use this many texts only, a balanced sample.  [default: all]",
        at_least=4,
        group=_INPUT,
    )
    seed: int = setting(
        0,
        "Of the split, the order, the initial weights and the dropouts: equal seeds give equal "
        "models, with equally many threads.",
        at_least=0,
        below=2**32,
        group=_TRAINING,
    )
    mixed_precision: MixedPrecision = setting(
        "no", "Precision of the forward pass; fp16 needs a GPU.", group=_DEVICE
    )
    checkpoint_every: int = setting(
        200, "Batches between two writings of the state to resume from.", at_least=1, group=_OUTPUT
    )

    def __post_init__(self) -> None:
        """Check every value against its type and range."""
        check_settings(self, ConfigError)
        try:
            pattern = DEFAULT_PATTERN if self.pattern is None else self.pattern
            require_one_reading(Tokenizer(pattern).pattern)
        except VocabularyError as error:
            raise ConfigError(str(error)) from error
