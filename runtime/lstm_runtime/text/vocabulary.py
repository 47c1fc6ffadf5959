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
        VocabularyError: when a word appears twice, or ``unknown_word`` is not among the words.

    """

    words: tuple[str, ...]
    "Words by id, special words in their places; '' where an id has no word."
    unknown_word: str | None = UNKNOWN_WORD
    "The word whose id every word outside the vocabulary gets; None drops such words."
    aliases: tuple[tuple[str, str], ...] = ()
    """Other spellings, each with the word whose id it gets, such as one with a capital letter that
    the tokeniser does not lower."""

    def __post_init__(self) -> None:
        """Check that the mapping from word to id is unambiguous."""
        named = [word for word in self.words if word]
        if not named:
            raise VocabularyError("the vocabulary is empty")
        if len(self.ids) != len(named):
            twice = next(w for n, w in enumerate(self.words) if w and self.ids[w] != n)
            raise VocabularyError(f"the vocabulary has the word {twice!r} twice")
        if self.unknown_word is not None and self.unknown_word not in self.ids:
            raise VocabularyError(
                f"the vocabulary lacks the unknown word {self.unknown_word!r}: add it at the id "
                "that the model was trained with, or name another (lstm-export --unknown WORD)"
            )
        absent = [word for _, word in self.aliases if word not in self.ids]
        if absent:
            raise VocabularyError(f"the vocabulary lacks {absent[0]!r}, which has other spellings")

    @cached_property
    def ids(self) -> dict[str, int]:
        """Word to id."""
        return {word: n for n, word in enumerate(self.words) if word}

    @cached_property
    def plain(self) -> dict[str, int]:
        """Word to id with the other spellings, without special words, which no text can spell."""
        words = {w: n for w, n in self.ids.items() if w not in (PAD_WORD, self.unknown_word)}
        return {alias: self.ids[word] for alias, word in self.aliases} | words

    @property
    def pad(self) -> int:
        """Id of the padding: that of ``<pad>``, or else 0."""
        return self.ids.get(PAD_WORD, 0)

    @property
    def unknown(self) -> int | None:
        """Id that every word outside the vocabulary gets; None where they are dropped."""
        return None if self.unknown_word is None else self.ids[self.unknown_word]

    @property
    def empty(self) -> int:
        """Id of the one token that a text without tokens reads as."""
        return self.pad if self.unknown is None else self.unknown

    def __len__(self) -> int:
        """Return the number of ids, special words included."""
        return len(self.words)

    def lookup(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids of ``tokens``; unknown ones get the unknown id or are left out."""
        plain, unknown = self.plain, self.unknown
        if unknown is None:
            return [plain[token] for token in tokens if token in plain]
        return [plain.get(token, unknown) for token in tokens]
