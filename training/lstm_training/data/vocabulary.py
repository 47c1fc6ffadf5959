"""A model's vocabulary with the words of other texts."""

from lstm_runtime.text.vocabulary import Vocabulary


def extend_vocabulary(known: Vocabulary, own: Vocabulary, size: int) -> Vocabulary:
    """Return ``known``, whose words keep their ids, with the words of ``own`` that it lacks.

    Args:
        known: the words of the model.
        own: the words of the texts, from frequent to rare.
        size: most ids of the whole; words of ``known`` are never left out.

    """
    added = [word for word in own.words if word not in known.ids]
    return Vocabulary((*known.words, *added[: max(size - len(known), 0)]), known.unknown_word)
