"""The n-gram teacher: logistic regression on naive-Bayes-weighted 1- to 3-grams.

Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification" (2012):
each n-gram that a text holds counts with the log ratio of its frequencies in the two classes.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from lstm_runtime.text.tokenizer import Tokenizer
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize
from torch import Tensor

from lstm_training.data.examples import Examples
from lstm_training.errors import DataError
from lstm_training.transfer.folds import fold_of
from lstm_training.transfer.ngram_config import NgramConfig

logger = logging.getLogger(__name__)


class NgramTeacher:
    """A naive-Bayes-weighted logistic regression over given count columns."""

    def __init__(self, counts: sparse.csr_matrix, labels: np.ndarray, config: NgramConfig) -> None:
        positive = 1.0 + np.asarray(counts[labels == 1].sum(0)).ravel()
        negative = 1.0 + np.asarray(counts[labels == 0].sum(0)).ravel()
        ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
        self.weights = sparse.diags(ratio.astype(np.float32))
        self.regression = LogisticRegression(
            C=config.regularization, solver="liblinear", dual=True, random_state=0
        )
        self.regression.fit(self._features(counts), labels)

    def _features(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Weight the n-grams; texts of all lengths get vectors of one norm."""
        return normalize(counts @ self.weights)

    def logits(self, counts: sparse.csr_matrix) -> np.ndarray:
        """Return the logit of each row, ``[texts]``."""
        return np.asarray(self.regression.decision_function(self._features(counts)))


def score_all(
    config: NgramConfig,
    train: Examples,
    others: Mapping[str, Sequence[str]],
    tokenizer: Tokenizer | None = None,
) -> dict[str, Tensor]:
    """Score the training texts out of fold, and ``others`` with a teacher of all training texts.

    What a token is says ``tokenizer``; the usual one when left out.

    Raises:
        DataError: when a label has fewer texts than there are folds, or texts share no words.

    Returns:
        The logits of each, float32 ``[texts]``, the training texts' under ``train``.

    """
    vectorizer = CountVectorizer(
        analyzer=_Analyzer(config.orders, tokenizer or Tokenizer()),
        binary=True,
        min_df=config.min_texts,
        dtype=np.float32,
    )
    try:
        counts = vectorizer.fit_transform(train.texts).tocsr()
    except ValueError as error:  # what it raises where it is left without a column
        raise DataError(
            f"{train.name}: no word comes in {config.min_texts} texts, so that n-grams say nothing"
        ) from error
    labels = np.array(train.labels)
    logger.info("n-grams: %s of them in %s texts", *(f"{n:,}" for n in counts.shape[::-1]))
    logits = np.empty(len(labels))
    folds = fold_of(train, config.folds)
    for fold in range(config.folds):
        learned, scored = folds != fold, folds == fold
        logits[scored] = NgramTeacher(counts[learned], labels[learned], config).logits(
            counts[scored]
        )
    logger.info("n-grams: out-of-fold accuracy %.4f", ((logits > 0) == labels).mean())
    teacher = NgramTeacher(counts, labels, config)
    scored_others = {
        name: teacher.logits(vectorizer.transform(texts).tocsr()) for name, texts in others.items()
    }
    return {
        name: torch.from_numpy(column).float()
        for name, column in {"train": logits, **scored_others}.items()
    }


class _Analyzer:
    """The n-grams of a text, over the words that the student sees."""

    def __init__(self, orders: tuple[int, int], tokenizer: Tokenizer) -> None:
        self.orders = range(orders[0], orders[1] + 1)
        self.tokenizer = tokenizer

    def __call__(self, text: str) -> list[str]:
        words = [word.lower() for word in self.tokenizer.tokens(text)]
        return [
            " ".join(words[n : n + order])
            for order in self.orders
            for n in range(len(words) - order + 1)
        ]
