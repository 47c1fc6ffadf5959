"""What the student is made of, and how it learns."""

from dataclasses import dataclass, field

from lstm_runtime.settings import setting

from lstm_training.distillation.optimization import CheckedConfig, OptimizationConfig


@dataclass(frozen=True)
class StudentSizes(CheckedConfig):
    """What the student is made of; 3 MB in int8 and the speed asked for decide."""

    vocab_size: int = setting(18_000, "Most ids, padding and unknown included.", at_least=3)
    min_count: int = setting(
        3, "Texts of the corpus in which a word has to occur at least so often.", at_least=1
    )
    embedding_dim: int = setting(112, "Length of a word's vector.", at_least=1)
    hidden_dim: int = setting(160, "Units of each LSTM layer.", at_least=1)
    n_layers: int = setting(2, "LSTM layers.", at_least=1)


@dataclass(frozen=True)
class LanguageModelConfig(CheckedConfig):
    """Pre-training on the next word."""

    window: int = setting(
        256, "Tokens of a text that are read at a time, from a random place.", at_least=2
    )
    cutoffs: tuple[int, ...] = setting(
        (1_000, 6_000), "Ids at which the adaptive softmax begins a cheaper cluster.", at_least=1
    )
    dropout: float = setting(0.1, "Dropout on the word vectors.", at_least=0, below=1)
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(3, 64, 4e-3, weight_decay=0.0)
    )
    "Over all texts, labelled and unlabelled."


@dataclass(frozen=True)
class StudentConfig(CheckedConfig):
    """Learning from labels and teachers."""

    label_weight: float = setting(
        0.7,
        "Part of the label in a labelled text's target; the rest is the teachers'.",
        at_least=0,
        at_most=1,
    )
    max_tokens: int = setting(400, "Tokens of a text that are read: the last ones.", at_least=1)
    gain: float = setting(
        0.3, "Weight of the loss along the text, against 1 for its last step.", at_least=0
    )
    drop_prob: float = setting(0.3, "Dropout between the LSTM layers.", at_least=0, below=1)
    embedding_dropout: float = setting(0.3, "Dropout on the word vectors.", at_least=0, below=1)
    word_dropout: float = setting(
        0.05, "Part of the words that a step reads as unknown.", at_least=0, below=1
    )
    span_dropout: float = setting(
        0.0, "Largest part of a long text that a step leaves out.", at_least=0, below=1
    )
    ema: float = setting(
        0.0,
        "Decay of a running mean of the weights, which is kept in their place; 0 for none.",
        at_least=0,
        below=1,
    )
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(2, 64, 3e-3)
    )
    "Over labelled texts, unlabelled texts and sentences."
