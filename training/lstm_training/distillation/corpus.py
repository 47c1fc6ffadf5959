"""What is learned from: labelled texts, unlabelled texts, and sentences cut out of them."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass

import numpy as np
from lstm_runtime.text.tokenizer import Tokenizer

from lstm_training.data.digest import add_texts
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import drop_duplicates
from lstm_training.data.scheme import read_scheme
from lstm_training.data.sources import load_examples, load_texts
from lstm_training.data.split import split
from lstm_training.data.tables import Columns
from lstm_training.distillation.config import CorpusConfig
from lstm_training.distillation.rated import RatedText, load_rated
from lstm_training.distillation.saved_scores import SavedScores
from lstm_training.distillation.text_key import text_key
from lstm_training.errors import ConfigError, DataError

logger = logging.getLogger(__name__)

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|<br\s*/?>")


@dataclass(frozen=True)
class Corpus:
    """The texts of the distillation; none of them has the words of a test text."""

    train: Examples
    "Labelled texts to learn from."
    held_out: Examples
    "Labelled texts to choose and measure with; no stage learns from them."
    held_out_sources: tuple[str, ...]
    "Where each held-out text comes from."
    unlabelled: tuple[str, ...]
    "Whole texts without labels."
    sentences: tuple[str, ...]
    "Sentences of the unlabelled texts, so that short texts are learned too."
    rated: tuple[RatedText, ...]
    "Everyday sentences with ratings."
    excluded: int
    "Texts left out because they are test texts."

    @property
    def pool(self) -> tuple[str, ...]:
        """The texts that only the teachers label: unlabelled texts, then sentences."""
        return self.unlabelled + self.sentences

    def sha256(self) -> str:
        """Return a digest of all texts and labels."""
        digest = hashlib.sha256(f"{self.train.sha256()} {self.held_out.sha256()}".encode())
        add_texts(digest, (*self.pool, *(f"{one.rating} {one.text}" for one in self.rated)))
        return digest.hexdigest()


def load_corpus(config: CorpusConfig, saved: SavedScores | None = None) -> Corpus:
    """Read the texts and take every test text out of them before anything else is done.

    Args:
        config: what to read.
        saved: an earlier run's scores: what that run held out is held out, and sentences are among
            those that it scored.

    Raises:
        ConfigError: when the earlier run read other texts.
        DataError: when a source is missing or malformed, or holds test texts only.

    """
    texts_only = Columns(config.text_column, None)
    test = {text_key(text) for source in config.test for text in load_texts(source, texts_only)}
    labelled, source_of = _labelled(config)
    kept = labelled.select(n for n, text in enumerate(labelled.texts) if text_key(text) not in test)
    train, held_out = _split(kept, config, saved)
    texts = [text for source in config.unlabelled for text in load_texts(source, texts_only)]
    unlabelled = _new_texts(texts, test | {text_key(text) for text in kept.texts})
    most, tokens, wanted = config.sentences, config.sentence_tokens, saved.has if saved else bool
    sentences = cut_sentences(unlabelled, most, tokens, config.seed, wanted)
    rated = {text_key(one.text): one for source in config.rated for one in load_rated(source)}
    corpus = Corpus(
        train,
        held_out,
        tuple(source_of[text] for text in held_out.texts),
        unlabelled,
        tuple(sentence for sentence in sentences if text_key(sentence) not in test),
        tuple(one for key, one in rated.items() if key and key not in test),
        len(labelled) - len(kept) + sum(text_key(text) in test for text in texts),
    )
    parts: tuple[Sized, ...] = (train, held_out, unlabelled, corpus.sentences, corpus.rated)
    logger.info(
        "%s labelled texts to learn from, %s held out, %s unlabelled, %s sentences of these, "
        "%s rated ones; %s left out because they are test texts",
        *(f"{count:,}" for count in (*map(len, parts), corpus.excluded)),
    )
    return corpus


def _split(
    kept: Examples, config: CorpusConfig, saved: SavedScores | None
) -> tuple[Examples, Examples]:
    """Return the labelled texts to learn from and those held out.

    An earlier run's teacher, and the student that it taught, have learned from all others than that
    run held out: a new choice would measure what they know by heart.
    """
    if not saved:
        return split(kept, config.holdout, config.seed)
    held = saved.holds_out(kept.texts)
    sides = {(is_held, label) for is_held, label in zip(held, kept.labels, strict=True)}
    if len(sides) < 2 * len(kept.label_names):
        raise ConfigError(
            f"teacher_scores: the file holds {sum(held):,} of the {len(kept):,} labelled texts "
            "out, and not some of each label: it comes from other texts"
        )
    train, held_out = (
        kept.select(n for n, is_held in enumerate(held) if is_held == wanted)
        for wanted in (False, True)
    )
    return train, held_out


def _labelled(config: CorpusConfig) -> tuple[Examples, dict[str, str]]:
    """Return the distinct texts of all labelled sources, and which source each comes from."""
    columns = Columns(config.text_column, config.label_column)
    scheme = read_scheme(config.labels, config.label_map)
    parts = {source: load_examples(source, columns, scheme) for source in config.labelled}
    names = {part.label_names for part in parts.values()}
    if len(names) != 1:
        raise DataError(f"the labelled sources have different labels: {sorted(names)}")
    source_of = {text: source for source, part in parts.items() for text in part.texts}
    together = Examples(
        " + ".join(parts),
        tuple(text for part in parts.values() for text in part.texts),
        tuple(label for part in parts.values() for label in part.labels),
        *names,
    )
    # Not by their words: the split of the bundled model would change.
    return drop_duplicates(together, str.strip).examples, source_of


def _new_texts(texts: Iterable[str], known: set[str]) -> tuple[str, ...]:
    """Return the texts, each once, whose words are not among ``known``."""
    found = tuple({key: text for text in texts if (key := text_key(text)) not in known}.values())
    if not found:
        raise DataError("every unlabelled text is also a labelled or a test text")
    return found


def cut_sentences(
    texts: Iterable[str],
    most: int,
    tokens: tuple[int, int],
    seed: int,
    wanted: Callable[[str], bool] = bool,
) -> tuple[str, ...]:
    """Choose sentences of ``texts`` at random, each once.

    Args:
        texts: whole reviews.
        most: sentences to choose; all if there are fewer.
        tokens: fewest and most tokens of a sentence.
        seed: of the choice.
        wanted: tells whether a sentence may be chosen.

    """
    tokenizer = Tokenizer()
    shortest, longest = tokens
    found = {
        sentence.strip()
        for text in texts
        for sentence in _SENTENCE_END.split(text)
        if wanted(sentence) and shortest <= len(tokenizer.tokens(sentence)) <= longest
    }
    ordered = sorted(found)  # a set has no order that two runs would share
    count = min(most, len(ordered))
    chosen = np.random.default_rng(seed).choice(len(ordered), count, replace=False)
    return tuple(ordered[n] for n in chosen.tolist())
