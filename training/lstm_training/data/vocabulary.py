"""The words that get an id: those of the training texts, and a model's with those of others."""

from collections import Counter
from collections.abc import Iterable, Set

from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary

from lstm_training.data.word_pattern import is_tag, one_spelling, spellings, without_accents
from lstm_training.errors import DataError


def extend_vocabulary(known: Vocabulary, own: Vocabulary, size: int) -> Vocabulary:
    """Return ``known``, whose words keep their ids, with the words of ``own`` that it lacks.

    Args:
        known: the words of the model.
        own: the words of the texts, from frequent to rare.
        size: most ids of the whole; words of ``known`` are never left out.

    """
    added = [word for word in own.words if word not in known.ids]
    words = (*known.words, *added[: max(size - len(known), 0)])
    there = set(words)
    spelled = dict(own.aliases) | dict(known.aliases)
    aliases = tuple((alias, word) for alias, word in spelled.items() if word in there)
    return Vocabulary(words, known.unknown_word, aliases)


def build_vocabulary(
    texts: Iterable[list[str]], size: int, min_count: int, always: Set[str] = frozenset()
) -> Vocabulary:
    """Return the most frequent words, with padding as 0 and unknown as 1.

    Words of equal count stand in alphabetical order, so that equal texts give equal ids. Those of
    ``always`` have an id however rare they are, as far as ``size`` allows. Words that differ in
    capital letters, or in how accents are written, are one, in all its spellings; tags of HTML are
    no words.

    Raises:
        DataError: when no word occurs ``min_count`` times.

    """
    written = Counter(token for tokens in texts for token in tokens if not is_tag(token))
    spelled = _in_one_spelling(written)
    counts: Counter[str] = Counter()
    for token, count in written.items():
        counts[spelled[token]] += count
    frequent = [word for word, count in counts.items() if count >= min_count]
    if not frequent:
        raise DataError(
            f"no word occurs {min_count} times in the training texts: add texts, or try a lower "
            "--min-count"
        )

    def rank(word: str) -> tuple[int, str]:
        return -counts[word], word

    chosen = sorted({*frequent, *always}, key=lambda word: (word not in always, rank(word)))
    words = (PAD_WORD, UNKNOWN_WORD, *sorted(chosen[: size - 2], key=rank))
    return Vocabulary(words, aliases=_aliases(words, spelled))


def _in_one_spelling(written: Counter[str]) -> dict[str, str]:
    """Return the word that each token is, and of Greek ones the capitals that it may stand in.

    Capitals without accents are the word with them, the most frequent one, unless the texts have
    them in small letters too.
    """
    found = {token: one_spelling(token) for token in written}
    for token in sorted(written, key=lambda token: (written[token], token)):
        for capitals in without_accents(token):
            if one_spelling(capitals) not in written:
                found[capitals] = one_spelling(token)
    return found


def _aliases(words: tuple[str, ...], spelled: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the spellings of ``words`` in the texts, and those that they may have in others."""
    there, found = set(words), dict(spelled)
    for word in words:
        found |= dict.fromkeys(spellings(word), word)
    return tuple(
        (alias, word) for alias, word in found.items() if word in there and alias not in there
    )
