"""The part of the metadata that tells how text becomes ids."""

from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from lstm_runtime.text.tokenizer import Case, TextEncoder, Tokenizer
from lstm_runtime.text.window import End, Side, Window


@dataclass(frozen=True)
class TokenizerSpec:
    """How text becomes ids, so that any language can redo it.

    ASCII letters are lowered, every match of ``pattern`` from left to right is a token, unknown
    tokens get the id ``unknown`` or are dropped, and a text of which nothing is left reads as one
    token with the id ``empty``. What follows ``empty`` here stands in a file only where it differs
    from the default.
    """

    pattern: str
    "A regular expression that RE2, Python, JavaScript and Java read alike."
    pad: int
    "Id behind the end of shorter texts."
    unknown: int | None
    "Id of every token outside the vocabulary; None where such tokens are dropped."
    empty: int
    "Id of the one token that a text without tokens reads as."
    case: Case = "lower"
    "``keep`` where A to Z are not lowered."
    blank: tuple[str, ...] = ()
    "Character strings, lowered too, at which a text is cut before tokens are taken, one by one."
    delete: str = ""
    "Characters taken out of tokens; a token of nothing else is none."
    max_tokens: int | None = None
    "Ids that are kept of a text, dropped ones not counted; None for all."
    keep: End = "first"
    "Which of them."
    pad_to: int | None = None
    "Ids to which shorter texts are filled up with ``pad``; one without tokens is padding alone."
    pad_side: Side = "left"
    "Where the padding stands."

    @classmethod
    def of(cls, encoder: TextEncoder) -> "TokenizerSpec":
        """Return what a file says of an encoder."""
        words, tokenizer, window = encoder.vocabulary, encoder.tokenizer, encoder.window
        return cls(
            tokenizer.pattern,
            words.pad,
            words.unknown,
            words.empty,
            tokenizer.case,
            tokenizer.blank,
            tokenizer.delete,
            window.max_tokens,
            window.keep,
            window.pad_to,
            window.pad_side,
        )

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "TokenizerSpec":
        """Read what `to_json` wrote."""
        return cls(**values | {"blank": tuple(values.get("blank", ()))})

    def to_json(self) -> dict[str, Any]:
        """Return the fields without those that have their defaults."""
        usual = {field.name: field.default for field in fields(self)}
        return {k: v for k, v in asdict(self).items() if usual[k] is MISSING or v != usual[k]}

    def tokenizer(self, longest: int | None = None) -> Tokenizer:
        """Return the tokeniser, with the bound on the length of texts of `Tokenizer`."""
        return Tokenizer(self.pattern, longest, self.case, self.blank, self.delete)

    def window(self) -> Window:
        """Return which part of a text is read."""
        return Window(self.max_tokens, self.keep, self.pad_to, self.pad_side)

    def encoder(
        self,
        words: Sequence[str],
        longest: int | None = None,
        aliases: tuple[tuple[str, str], ...] = (),
    ) -> TextEncoder:
        """Return the encoder of a file whose metadata holds the vocabulary ``words``."""
        from lstm_runtime.text.vocabulary import Vocabulary  # a file that reads text has none

        unknown = None if self.unknown is None else words[self.unknown]
        vocabulary = Vocabulary(tuple(words), unknown, aliases)
        return TextEncoder(self.tokenizer(longest), vocabulary, self.window())
