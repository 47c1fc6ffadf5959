"""What is reached without a network, on the same texts: the accuracy that a model has to beat."""

import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from lstm_runtime.text.tokenizer import Tokenizer

from lstm_training.data.examples import Examples, TextsOnDisk
from lstm_training.evaluation.evaluator import wilson_interval

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Baseline:
    """How a simple method reads the held-out texts."""

    name: str
    "The method."
    right: int
    "How many of the texts it reads right."
    texts: int
    "Number of texts."

    @property
    def accuracy(self) -> float:
        """Part of the texts that are read right."""
        return self.right / self.texts

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy."""
        return wilson_interval(self.right, self.texts)


def fit_baselines(
    train: Examples, held_out: Examples, tokenizer: Tokenizer | None = None
) -> list[Baseline]:
    """Return the baselines, the best one last.

    Without scikit-learn, or with texts on disk, which TF-IDF would take into memory, the majority
    class stands alone.
    """
    found = [_majority_class(train, held_out)]
    if isinstance(train.texts, TextsOnDisk):
        logger.info("TF-IDF with logistic regression is left out: it takes texts in memory")
        return found
    # scikit-learn is of another extra, and a baseline is no reason to fail.
    with suppress(ModuleNotFoundError):
        found.append(_tfidf(train, held_out, tokenizer or Tokenizer()))
    return sorted(found, key=lambda baseline: baseline.right)


def _majority_class(train: Examples, held_out: Examples) -> Baseline:
    label = Counter(train.labels).most_common(1)[0][0]
    return Baseline("the more frequent label", held_out.labels.count(label), len(held_out))


def _tfidf(train: Examples, held_out: Examples, tokenizer: Tokenizer) -> Baseline:
    """Fit a logistic regression on weighted single words and pairs of them.

    Settings that are usual and not tuned: Wang and Manning, "Baselines and Bigrams" (2012), show
    how strong such a model is.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(
        tokenizer=tokenizer.tokens,
        token_pattern=None,
        ngram_range=(1, 2),
        sublinear_tf=True,
        dtype=np.float32,
    )
    regression = LogisticRegression(C=10.0, max_iter=1000)
    regression.fit(vectorizer.fit_transform(train.texts), train.labels)
    answers = regression.predict(vectorizer.transform(held_out.texts))
    right = int((answers == np.array(held_out.labels)).sum())
    return Baseline("TF-IDF with logistic regression", right, len(held_out))
