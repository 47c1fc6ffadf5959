"""From labelled texts to ids: distinct texts, a held-out part, a vocabulary, encoded columns."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass

import numpy as np
import torch
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from torch import Tensor

from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.errors import DataError


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as ids, with their labels."""

    ids: tuple[Tensor, ...]
    "Ids of each text, int32 ``[tokens]``, at least one."
    labels: Tensor
    "Labels, float ``[texts]``."

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.ids)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text."""
        return [len(ids) for ids in self.ids]


@dataclass(frozen=True)
class Dataset:
    """What a training run reads."""

    vocabulary: Vocabulary
    "Words of the training part."
    train: EncodedTexts
    "Texts to learn from, cut to their last ``max_tokens`` tokens."
    held_out: EncodedTexts
    "Texts to choose and measure the model with, uncut as in use."
    dropped: int
    "Texts left out because they are copies of others."
    sha256: str
    "Digest of the examples before anything was left out."


def prepare(examples: Examples, config: TrainingConfig) -> Dataset:
    """Split and encode ``examples`` as ``config`` says.

    Raises:
        DataError: when there are too few texts of a class, or no word occurs often enough.

    """
    if set(examples.labels) != {0, 1}:
        only = ", ".join(str(label) for label in sorted(set(examples.labels)))
        raise DataError(f"{examples.name} holds the label {only} alone; training needs 0 and 1")
    kept = drop_duplicates(examples)
    dropped = len(examples) - len(kept)
    if config.limit is not None and config.limit < len(kept):
        kept = kept.select(stratified(kept, config.limit, config.seed))
    train, held_out = split(kept, config.holdout, config.seed)
    tokenizer = Tokenizer()
    vocabulary = build_vocabulary(
        (tokenizer.tokens(text) for text in train.texts), config.vocab_size, config.min_count
    )
    encoder = TextEncoder(tokenizer, vocabulary)
    return Dataset(
        vocabulary,
        encode(train, encoder, config.max_tokens),
        encode(held_out, encoder),
        dropped,
        examples.sha256(),
    )


def drop_duplicates(examples: Examples) -> Examples:
    """Return ``examples`` without copies, so that no text can stand on both sides of the split.

    Texts that differ in outer white space only are copies. Of copies with one label the first
    stays; of copies with different labels none does, since one of the labels is wrong.
    """
    labels: dict[str, set[int]] = {}
    first: dict[str, int] = {}
    for n, (text, label) in enumerate(zip(examples.texts, examples.labels, strict=True)):
        key = text.strip()
        labels.setdefault(key, set()).add(label)
        first.setdefault(key, n)
    return examples.select(n for key, n in first.items() if len(labels[key]) == 1)


def split(examples: Examples, holdout: float, seed: int) -> tuple[Examples, Examples]:
    """Return the training and the held-out part, with the classes in the same proportion."""
    count = min(max(round(len(examples) * holdout), 2), len(examples) - 2)
    chosen = set(stratified(examples, count, seed))
    rest = [n for n in range(len(examples)) if n not in chosen]
    return examples.select(rest), examples.select(sorted(chosen))


def stratified(examples: Examples, count: int, seed: int) -> list[int]:
    """Choose ``count`` positions at random, with each class in its proportion.

    A class has at least one text on either side.

    Raises:
        DataError: when a class has fewer than two texts.

    """
    counts = Counter(examples.labels)
    fewest = min(counts[0], counts[1])
    if fewest < 2:
        raise DataError(f"{examples.name}: a class has {fewest} distinct text; 2 are needed")
    generator = np.random.default_rng(seed)
    column = np.array(examples.labels)
    negative, positive = (generator.permutation(np.flatnonzero(column == n)) for n in (0, 1))
    share = round(count * len(negative) / len(column))
    share = min(max(share, 1, count - len(positive) + 1), len(negative) - 1, count - 1)
    return sorted([*negative[:share].tolist(), *positive[: count - share].tolist()])


def build_vocabulary(
    texts: Iterable[list[str]], size: int, min_count: int, always: Set[str] = frozenset()
) -> Vocabulary:
    """Return the most frequent words, with padding as 0 and unknown as 1.

    Words of equal count stand in alphabetical order, so that equal texts give equal ids. Those of
    ``always`` have an id however rare they are, as far as ``size`` allows.

    Raises:
        DataError: when no word occurs ``min_count`` times.

    """
    counts = Counter(token for tokens in texts for token in tokens)
    frequent = [word for word, count in counts.items() if count >= min_count]
    if not frequent:
        raise DataError(f"no word occurs {min_count} times in the training texts")

    def rank(word: str) -> tuple[int, str]:
        return -counts[word], word

    chosen = sorted({*frequent, *always}, key=lambda word: (word not in always, rank(word)))
    return Vocabulary((PAD_WORD, UNKNOWN_WORD, *sorted(chosen[: size - 2], key=rank)))


def encode(examples: Examples, encoder: TextEncoder, max_tokens: int | None = None) -> EncodedTexts:
    """Return ``examples`` as ids, each cut to its last ``max_tokens``.

    The end is what stays, because a review ends with its verdict.
    """
    cut = slice(None if max_tokens is None else -max_tokens, None)
    ids = tuple(torch.tensor(encoder(text)[cut], dtype=torch.int32) for text in examples.texts)
    return EncodedTexts(ids, torch.tensor(examples.labels, dtype=torch.float32))
