"""Targets by a teacher of n-grams: for texts with labels, and for texts that nobody labelled.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015). With few labels,
n-grams read texts better than an LSTM does; on texts without labels it learns what they know.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import torch
from lstm_runtime.text.tokenizer import TextEncoder

from lstm_training.data.digest import texts_digest
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import Dataset, EncodedTexts, encode, same_words
from lstm_training.errors import DataError
from lstm_training.transfer.ensemble import fit_ensemble
from lstm_training.transfer.ngram_config import NgramConfig
from lstm_training.transfer.ngrams import score_all

logger = logging.getLogger(__name__)

LABEL_WEIGHT = 0.7
"""Part of the label in a labelled text's target; the rest is the teacher, out of fold."""


def new_texts(texts: Iterable[str], examples: Examples) -> tuple[str, ...]:
    """Return the texts, each once, whose words are those of no labelled text, held out or not.

    Raises:
        DataError: when there is none.

    """
    known = {same_words(text) for text in examples.texts}
    found = {same_words(text): text for text in texts}
    new = tuple(text for words, text in found.items() if words and words not in known)
    if not new:
        raise DataError("every unlabelled text is empty or one of the labelled ones")
    return new


def with_soft_labels(data: Dataset, unlabelled: tuple[str, ...], max_tokens: int) -> Dataset:
    """Return ``data`` with the teacher's part in its targets, and the unlabelled texts besides.

    Args:
        data: of two labels.
        unlabelled: texts to learn from besides.
        max_tokens: tokens of a text that are read: the last ones.

    Raises:
        DataError: when there are other than two labels, or too few texts to fit a teacher.

    """
    train = data.train_examples
    fewest = min(Counter(train.labels).values())
    if len(train.label_names) != 2 or fewest < 2:
        raise DataError("a teacher of n-grams takes two labels, and two texts of each at least")
    config = NgramConfig(folds=min(NgramConfig().folds, fewest))
    others = {"unlabelled": unlabelled} if unlabelled else {}
    logits = score_all(config, train, others, data.tokenizer)
    labels, lengths = data.train.labels, torch.tensor(data.train.lengths)
    # Out of fold, it is fitted on what the teacher had not learned from.
    scale = fit_ensemble(logits["train"][:, None], lengths, labels)
    by_teacher = scale.probabilities(logits["train"][:, None], lengths)
    targets = LABEL_WEIGHT * labels + (1 - LABEL_WEIGHT) * by_teacher
    learned = EncodedTexts(data.train.ids, targets)
    if unlabelled:
        blank = Examples("unlabelled", unlabelled, (0,) * len(unlabelled), train.label_names)
        pool = encode(blank, TextEncoder(data.tokenizer, data.vocabulary), max_tokens)
        found = scale.probabilities(logits["unlabelled"][:, None], torch.tensor(pool.lengths))
        learned = EncodedTexts((*learned.ids, *pool.ids), torch.cat([targets, found]))
    logger.info(
        "learning from labels and a teacher of n-grams, and from %s texts without labels",
        f"{len(unlabelled):,}",
    )
    return replace(
        data, train=learned, unlabelled_sha256=texts_digest(unlabelled) if unlabelled else ""
    )
