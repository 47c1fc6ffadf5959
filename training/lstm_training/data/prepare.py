"""From labelled texts to ids: distinct texts, a held-out part, a vocabulary, encoded columns."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import numpy as np
import torch
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.vocabulary import build_vocabulary, extend_vocabulary
from lstm_training.data.word_pattern import WORD_PATTERN, require_letters
from lstm_training.errors import DataError


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as ids, with their labels."""

    ids: tuple[Tensor, ...]
    "Ids of each text, int32 ``[tokens]``, at least one."
    labels: Tensor
    "Labels, or probabilities of the second of two, float ``[texts]``."

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.ids)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text."""
        return [len(ids) for ids in self.ids]

    def every(self, step: int, first: int) -> "EncodedTexts":
        """Return each ``step``-th text from the ``first`` on."""
        return EncodedTexts(self.ids[first::step], self.labels[first::step])

    def length_quantiles(self) -> list[int]:
        """Return the lengths that 0, 5, 10 and so on to 100 % of the texts do not exceed."""
        found = np.quantile(self.lengths, np.linspace(0, 1, 21), method="inverted_cdf")
        return [int(length) for length in found]


@dataclass(frozen=True)
class Dataset:
    """What a training run reads."""

    vocabulary: Vocabulary
    "Words of the training part."
    train: EncodedTexts
    "Texts to learn from, cut to their last ``max_tokens`` tokens."
    held_out: EncodedTexts
    "Texts to choose and measure the model with, uncut as in use."
    copies: int
    "Texts left out because they are copies of others."
    conflicting: int
    "Texts left out because as many copies, or more, have the other label."
    sha256: str
    "Digest of the examples before anything was left out."
    train_examples: Examples
    "The texts to learn from, as they are."
    held_out_examples: Examples
    "The held-out texts, as they are."
    tokenizer: Tokenizer
    "What a token is."
    uncovered: float
    "Part of the letters that is in no token."
    unlabelled_sha256: str = ""
    "Digest of the texts without labels that are learned from; empty where there are none."


def prepare(
    examples: Examples,
    config: TrainingConfig,
    known: Vocabulary | None = None,
    unlabelled: Sequence[str] = (),
) -> Dataset:
    """Split and encode ``examples`` as ``config`` says.

    The vocabulary is that of the training texts and of the ``unlabelled`` ones, behind the words of
    ``known`` where it is given.

    Raises:
        DataError: when there are too few texts of a class, or no word occurs often enough.

    """
    _require_every_label(examples)
    tokenizer = Tokenizer(config.pattern or WORD_PATTERN)
    uncovered = require_letters(examples.name, examples.texts, tokenizer)
    distinct = drop_duplicates(examples, partial(same_words, tokenizer=tokenizer))
    kept = distinct.examples
    if config.limit is not None and config.limit < len(kept):
        kept = kept.select(stratified(kept, config.limit, config.seed))
    train, held_out = split(kept, config.holdout, config.seed)
    vocabulary = build_vocabulary(
        (tokenizer.tokens(text) for text in chain(train.texts, unlabelled)),
        config.vocab_size,
        config.min_count,
    )
    if known:
        vocabulary = extend_vocabulary(known, vocabulary, config.vocab_size)
    encoder = TextEncoder(tokenizer, vocabulary)
    return Dataset(
        vocabulary,
        encode(train, encoder, config.max_tokens),
        encode(held_out, encoder),
        distinct.copies,
        distinct.conflicting,
        examples.sha256(),
        train,
        held_out,
        tokenizer,
        uncovered,
    )


def _require_every_label(examples: Examples) -> None:
    counts = dict(zip(examples.label_names, examples.counts, strict=True))
    absent = [name for name, count in counts.items() if not count]
    if absent and len(counts) == 2:
        only = ", ".join(str(label) for label in sorted(set(examples.labels)))
        raise DataError(f"{examples.name} holds the label {only} alone; training needs 0 and 1")
    if absent:
        raise DataError(f"{examples.name} holds no text with the label {', '.join(absent)}")


@dataclass(frozen=True)
class Distinct:
    """Examples without copies."""

    examples: Examples
    "Each text once."
    copies: int
    "Texts left out because an equal one with the same label is there."
    conflicting: int
    "Texts left out because more, or as many, equal ones have the other label."


def same_words(text: str, tokenizer: Tokenizer = Tokenizer(WORD_PATTERN)) -> str:  # noqa: B008 - immutable
    """Return the words of a text in small letters, which are all that the model sees of it."""
    return " ".join(tokenizer.tokens(text)).lower() or text.strip()


def drop_duplicates(examples: Examples, key: Callable[[str], str] = same_words) -> Distinct:
    """Leave copies out, so that no text can stand on both sides of the split.

    Of copies the first stays; where their labels differ, the first with the label of most of them,
    and none where there is no such label.

    Args:
        examples: the texts.
        key: what copies have in common: their words, so that case, other marks and white space
            make no difference.

    """
    first: dict[str, dict[int, int]] = {}
    votes: dict[str, Counter[int]] = {}
    for n, (text, label) in enumerate(zip(examples.texts, examples.labels, strict=True)):
        found = key(text)
        first.setdefault(found, {}).setdefault(label, n)
        votes.setdefault(found, Counter())[label] += 1
    winners = {text: _majority(count) for text, count in votes.items()}
    kept = examples.select(
        sorted(first[text][label] for text, label in winners.items() if label is not None)
    )
    of_winners = sum(
        count[winner]
        for winner, count in zip(winners.values(), votes.values(), strict=True)
        if winner is not None
    )
    conflicting = len(examples) - of_winners
    return Distinct(kept, len(examples) - len(kept) - conflicting, conflicting)


def _majority(count: Counter[int]) -> int | None:
    """Return the label that most of some copies have; None where two are equally frequent."""
    (label, most), *others = count.most_common(2)
    return None if others and others[0][1] == most else label


def split(examples: Examples, holdout: float, seed: int) -> tuple[Examples, Examples]:
    """Return the training and the held-out part, with the classes in the same proportion."""
    classes = len(examples.label_names)
    count = min(max(round(len(examples) * holdout), classes), len(examples) - classes)
    chosen = set(stratified(examples, count, seed))
    rest = [n for n in range(len(examples)) if n not in chosen]
    return examples.select(rest), examples.select(sorted(chosen))


def stratified(examples: Examples, count: int, seed: int) -> list[int]:
    """Choose ``count`` positions at random, with each class in its proportion.

    A class has at least one text on either side.

    Raises:
        DataError: when a class has fewer than two texts, or ``count`` is less than one a class.

    """
    fewest, name = min(zip(examples.counts, examples.label_names, strict=True))
    if fewest < 2:
        raise DataError(
            f"{examples.name}: a class has {fewest} distinct text; 2 are needed (of {name})"
        )
    classes = len(examples.label_names)
    if count < classes:
        raise DataError(f"{examples.name}: {count} texts are too few for {classes} labels")
    generator = np.random.default_rng(seed)
    column = np.array(examples.labels)
    shuffled = [generator.permutation(np.flatnonzero(column == n)) for n in range(classes)]
    shares = _shares(examples.counts, count)
    return sorted(
        int(n) for rows, share in zip(shuffled, shares, strict=True) for n in rows[:share]
    )


def _shares(counts: Sequence[int], wanted: int) -> list[int]:
    """Part ``wanted`` among classes by their ``counts``; each gets one, and leaves one."""
    shares: list[int] = []
    for n, count in enumerate(counts):
        later = counts[n + 1 :]
        left = wanted - sum(shares)
        share = round(left * count / (count + sum(later)))
        least = max(1, left - sum(later) + len(later))
        shares.append(min(max(share, least), count - 1, left - len(later)))
    return shares


def encode(examples: Examples, encoder: TextEncoder, max_tokens: int | None = None) -> EncodedTexts:
    """Return ``examples`` as ids, each cut to its last ``max_tokens``.

    The end is what stays, because a review ends with its verdict.
    """
    cut = slice(None if max_tokens is None else -max_tokens, None)
    ids = tuple(torch.tensor(encoder(text)[cut], dtype=torch.int32) for text in examples.texts)
    return EncodedTexts(ids, torch.tensor(examples.labels, dtype=torch.float32))
