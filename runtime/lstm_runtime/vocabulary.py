"""The vocabulary: which word has which id."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from lstm_runtime.errors import VocabularyError

PAD_WORD = "<pad>"
UNKNOWN_WORD = "<unk>"


@dataclass(frozen=True)
class Vocabulary:
    """An ordered list of words; the word at position n has id n.

    Raises:
        VocabularyError: when a word appears twice, or ``<pad>`` or ``<unk>`` is missing.

    """

    words: tuple[str, ...]
    "All words by id, ``<pad>`` and ``<unk>`` in their places."

    def __post_init__(self) -> None:
        """Check that the mapping from word to id is unambiguous."""
        missing = [word for word in (PAD_WORD, UNKNOWN_WORD) if word not in self.words]
        if missing:
            raise VocabularyError(
                f"the vocabulary lacks {' and '.join(missing)}: add it at the id that the model "
                "was trained with"
            )
        if len(self.ids) != len(self.words):
            twice = next(w for n, w in enumerate(self.words) if self.ids[w] != n)
            raise VocabularyError(f"the vocabulary has the word {twice!r} twice")

    @cached_property
    def ids(self) -> dict[str, int]:
        """Word to id."""
        return {word: n for n, word in enumerate(self.words)}

    @cached_property
    def plain(self) -> dict[str, int]:
        """Word to id without the two special words, which no text can spell."""
        return {w: n for w, n in self.ids.items() if w not in (PAD_WORD, UNKNOWN_WORD)}

    @property
    def pad(self) -> int:
        """Id of the padding, never a word of a text."""
        return self.ids[PAD_WORD]

    @property
    def unknown(self) -> int:
        """Id that every word outside the vocabulary gets."""
        return self.ids[UNKNOWN_WORD]

    def __len__(self) -> int:
        """Return the number of ids, special words included."""
        return len(self.words)

    def lookup(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of ``tokens``; unknown words get the unknown id."""
        ids, unknown = self.plain, self.unknown
        return [ids.get(token, unknown) for token in tokens]
