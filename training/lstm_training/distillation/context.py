"""What every stage is made from: texts, vocabulary, held-out texts, and the folder of outputs."""

import logging
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from torch import Tensor

from lstm_training.data.prepare import encode
from lstm_training.data.vocabulary import build_vocabulary
from lstm_training.distillation.augmentation import EVERYDAY_PATTERNS, load_patterns
from lstm_training.distillation.cache import StageCache, StageResult
from lstm_training.distillation.config import DistillationConfig, plain
from lstm_training.distillation.corpus import load_corpus
from lstm_training.distillation.saved_scores import load_scores
from lstm_training.distillation.student.start import load_start
from lstm_training.evaluation.metrics import Metrics, compute_metrics

logger = logging.getLogger(__name__)

_FEWEST_RATED = 5
"""Rated sentences with a word that gets an id for their sake."""


class Context:
    """The corpus in words and ids, with the means to keep and to judge what comes of it.

    Args:
        config: every number of the distillation.
        folder: where the stages leave their outputs.

    Raises:
        DataError: when a source of texts is missing or malformed.
        ConfigError: when an earlier run's scores are missing, damaged or of other texts.

    """

    def __init__(self, config: DistillationConfig, folder: Path) -> None:
        self.config, self.cache = config, StageCache(folder)
        scores = config.teacher_scores
        self.saved_scores = load_scores(Path(scores)) if scores else None
        self.corpus = load_corpus(config.corpus, self.saved_scores)
        self.digest = self.corpus.sha256()
        self.texts = (*self.corpus.train.texts, *self.corpus.unlabelled)
        tokenizer, words = Tokenizer(), self._everyday_words()
        self.start = load_start(Path(config.start), words) if config.start else None
        self.vocabulary = (
            self.start.vocabulary
            if self.start
            else build_vocabulary(
                (tokenizer.tokens(text) for text in self.texts),
                config.sizes.vocab_size,
                config.sizes.min_count,
                words,
            )
        )
        self.encoder = TextEncoder(tokenizer, self.vocabulary)
        self.held_out = encode(self.corpus.held_out, self.encoder)

    def _everyday_words(self) -> set[str]:
        """Return the words that get an id however rare they are in reviews."""
        tokenizer, rated = Tokenizer(), self.corpus.rated
        texts = Counter(word for one in rated for word in set(tokenizer.tokens(one.text)))
        words = {word for word, count in texts.items() if count >= _FEWEST_RATED}
        if self.config.augmentation.everyday:
            words |= load_patterns(EVERYDAY_PATTERNS).vocabulary()
        return words

    def ids(self, text: str) -> Tensor:
        """Return the ids of ``text``, int32 ``[tokens]``."""
        return torch.tensor(self.encoder(text), dtype=torch.int32)

    @cached_property
    def pool_ids(self) -> tuple[Tensor, ...]:
        """Ids of each text that only the teachers label."""
        return tuple(map(self.ids, self.corpus.pool))

    def teacher_inputs(self, config: Any, *before: StageResult) -> dict[str, Any]:
        """Return all that a teacher's stage depends on: not the student's sizes and words."""
        return {
            "corpus": self.digest,
            "config": plain(config),
            "before": [output.inputs for output in before],
        }

    def inputs(self, config: Any, *before: StageResult) -> dict[str, Any]:
        """Return all that a stage with this ``config`` and these stages ``before`` depends on."""
        sizes = self.start.digest if self.start else plain(self.config.sizes)
        return self.teacher_inputs(config, *before) | {"sizes": sizes}

    def log_metrics(self, who: str, probabilities: Tensor) -> dict[str, Metrics]:
        """Measure ``probabilities`` of the held-out texts, all together and source by source."""
        sources, labels = self.corpus.held_out_sources, self.held_out.labels
        measures = {"all": compute_metrics(probabilities, labels)}
        for source in dict.fromkeys(sources):
            rows = torch.tensor([n for n, name in enumerate(sources) if name == source])
            measures[source] = compute_metrics(probabilities[rows], labels[rows])
        for name, metrics in measures.items():
            logger.info(
                "%s: held out, %s: accuracy %.4f, calibration error %.4f",
                who, name, metrics.accuracy, metrics.ece,
            )  # fmt: skip
        return measures
