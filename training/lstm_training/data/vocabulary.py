"""The vocabulary of some texts, alone or behind that of a model."""

from collections import Counter
from collections.abc import Iterable, Set

from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary

from lstm_training.errors import DataError


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


def extend_vocabulary(known: Vocabulary, own: Vocabulary, size: int) -> Vocabulary:
    """Return ``known``, whose words keep their ids, with the words of ``own`` that it lacks.

    Args:
        known: the words of the model.
        own: the words of the texts, from frequent to rare.
        size: most ids of the whole; words of ``known`` are never left out.

    """
    added = [word for word in own.words if word not in known.ids]
    return Vocabulary((*known.words, *added[: max(size - len(known), 0)]), known.unknown_word)
