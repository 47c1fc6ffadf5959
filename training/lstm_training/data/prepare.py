"""From labelled texts to ids: distinct texts, a held-out part, a vocabulary, encoded columns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain

import numpy as np
import torch
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from torch import Tensor

from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.progress import watched
from lstm_training.data.split import split, stratified
from lstm_training.data.vocabulary import build_vocabulary, extend_vocabulary
from lstm_training.data.word_pattern import WORD_PATTERN, one_spelling, require_letters
from lstm_training.errors import DataError


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as ids, with their labels."""

    ids: Sequence[Tensor]
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


@dataclass(frozen=True)
class Division:
    """Examples before they are encoded; the fields are those of `Dataset`."""

    vocabulary: Vocabulary
    copies: int
    conflicting: int
    sha256: str
    train_examples: Examples
    held_out_examples: Examples
    tokenizer: Tokenizer
    uncovered: float

    def encoded(self, train: Sequence[Tensor], held_out: Sequence[Tensor]) -> Dataset:
        """Return the whole, given the ids."""
        parts = ((train, self.train_examples), (held_out, self.held_out_examples))
        texts = [
            EncodedTexts(ids, torch.tensor(part.labels, dtype=torch.float32)) for ids, part in parts
        ]
        return Dataset(train=texts[0], held_out=texts[1], **vars(self))


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
    found = divide(examples, config, known, unlabelled)
    encoder = TextEncoder(found.tokenizer, found.vocabulary)
    train = encode(found.train_examples, encoder, config.max_tokens)
    return found.encoded(train.ids, encode(found.held_out_examples, encoder).ids)


def divide(
    examples: Examples,
    config: TrainingConfig,
    known: Vocabulary | None = None,
    unlabelled: Sequence[str] = (),
) -> Division:
    """Leave copies out, split, and choose the words, as `prepare` does.

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
        (
            tokenizer.tokens(text)
            for text in watched(
                chain(train.texts, unlabelled), "words", len(train) + len(unlabelled)
            )
        ),
        config.vocab_size,
        config.min_count,
    )
    if known:
        vocabulary = extend_vocabulary(known, vocabulary, config.vocab_size)
    return Division(
        vocabulary,
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
    if absent and len(counts) - len(absent) == 1:
        only = next(name for name, count in counts.items() if count)
        needed = " and ".join(counts)
        raise DataError(f"{examples.name} holds the label {only} alone; training needs {needed}")
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
    """Return the words of a text in one spelling, which are all that the model sees of it."""
    return one_spelling(" ".join(tokenizer.tokens(text))) or text.strip()


def drop_duplicates(examples: Examples, key: Callable[[str], str] = same_words) -> Distinct:
    """Leave copies out, so that no text can stand on both sides of the split.

    Of copies the first stays; where their labels differ, the first with the label of most of them,
    and none where there is no such label.

    Args:
        examples: the texts.
        key: what copies have in common: their words, so that case, other marks and white space
            make no difference.

    Raises:
        DataError: when no text is left.

    """
    digests = bytearray()  # and no texts, of which there may be more than memory
    for text in watched(examples.texts, "copies"):
        content = key(text).encode("utf-8", "surrogatepass")
        digests += blake2b(content, digest_size=16).digest()
    # Bytes of one length: that NumPy takes no notice of zeros at the end makes no difference.
    group = np.unique(np.frombuffer(digests, "S16"), return_inverse=True)[1]
    labels = np.array(examples.labels)
    votes = np.zeros((group.max() + 1, labels.max() + 1), np.int64)
    np.add.at(votes, (group, labels), 1)
    clear = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) == 1
    agreeing = np.flatnonzero(clear[group] & (labels == votes.argmax(axis=1)[group]))
    if not len(agreeing):
        raise DataError(
            f"{examples.name}: every text has copies with another label, as many or more"
        )
    first = np.unique(group[agreeing], return_index=True)[1]
    kept = examples.select(np.sort(agreeing[first]).tolist())
    return Distinct(kept, len(agreeing) - len(kept), len(examples) - len(agreeing))


def encode(examples: Examples, encoder: TextEncoder, max_tokens: int | None = None) -> EncodedTexts:
    """Return ``examples`` as ids, each cut to its last ``max_tokens``.

    The end is what stays, because a review ends with its verdict.
    """
    ids = tuple(
        torch.tensor(found, dtype=torch.int32)
        for found in iter_ids(examples.texts, encoder, max_tokens)
    )
    return EncodedTexts(ids, torch.tensor(examples.labels, dtype=torch.float32))


def iter_ids(
    texts: Sequence[str], encoder: TextEncoder, max_tokens: int | None = None
) -> Iterator[list[int]]:
    """Yield the ids of each text, cut to its last ``max_tokens``."""
    cut = slice(None if max_tokens is None else -max_tokens, None)
    for text in watched(texts, "ids"):
        yield encoder(text)[cut]
