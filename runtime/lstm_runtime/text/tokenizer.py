"""The tokeniser, spelled once in Python; the exported graph holds the same steps.

It exists for training, for parity and for files with the ``ids`` interface. A file with the
``text`` interface needs none of this code: ONNX Runtime runs the steps itself.
"""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from lstm_runtime.errors import InputError, VocabularyError
from lstm_runtime.text.backtracking import rereads
from lstm_runtime.text.characters import UnsafePatternError
from lstm_runtime.text.pieces import settled
from lstm_runtime.text.window import WHOLE, Window

if TYPE_CHECKING:
    from lstm_runtime.text.vocabulary import Vocabulary

DEFAULT_PATTERN = "[a-z0-9']+|[!?]"

Case = Literal["lower", "keep"]

LONGEST_FOREIGN = 50_000
"""Longest text, in characters, where the time that a model file's pattern takes may grow with the
square of it: seconds."""

MOST_PARTS = 32
"""Pieces of a token, between characters to delete, that are joined; the graph has a step for each
doubling. What a token has behind them is left out."""

_BEYOND_RE2 = r"\(\?(<?[=!]|>)|\\[1-9]"

_REPLACEMENT = "\ufffd"
_UNPORTABLE = "[\0\u0130\u212a\ud800-\udfff]"
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def has_lone_surrogate(text: str) -> bool:
    """Tell whether ``text`` holds half a character, which JSON may smuggle in and UTF-8 lacks."""
    return re.search("[\ud800-\udfff]", text) is not None


def replace_unportable(text: str) -> str:
    """Return ``text`` with U+FFFD for each character that platforms read differently.

    These are NUL, which ends a string in C and JavaScript; lone surrogates, which JSON and file
    names may smuggle in and UTF-8 cannot hold; and U+0130 and U+212A, which ONNX Runtime lowers to
    ASCII letters in WebAssembly alone. Every language's runtime replaces the same ones, one for
    one, so that positions stay; see `lstm_runtime.model_file.contract`.
    """
    if text.isascii() and "\0" not in text:  # as most are: a search takes longer
        return text
    return re.sub(_UNPORTABLE, _REPLACEMENT, text)


class Token(NamedTuple):
    """A token and its place in the text."""

    text: str
    "As the vocabulary has it."
    start: int
    "Where it begins."
    end: int
    "Where what follows begins."


@dataclass(frozen=True)
class Tokenizer:
    """Lower-case A to Z, then take every match of a pattern, from left to right.

    Only ASCII letters are lowered: that is what ONNX's ``StringNormalizer`` does in the locale
    ``C``, the one locale that exists on every device.

    Raises:
        VocabularyError: when the pattern is not a regular expression, needs what RE2 lacks,
            matches the empty string, or could take Python for ever; when the case is none of the
            two.

    """

    pattern: str = DEFAULT_PATTERN
    "A regular expression that ``re`` and RE2 read alike: no look-around, no back-reference."
    longest: int | None = None
    "Longest text, in characters, for a pattern whose time may grow with its square; None for any."
    case: Case = "lower"
    "Whether A to Z are lowered."
    blank: tuple[str, ...] = ()
    "Character strings that part tokens and belong to none, such as ``<br />``."
    delete: str = ""
    "Characters taken out of tokens; a token of nothing else is none. See `MOST_PARTS`."

    def __post_init__(self) -> None:
        """Compile the pattern, so that a bad one fails here and not at the first text."""
        if has_lone_surrogate("".join((self.pattern, self.delete, *self.blank))):
            raise VocabularyError(
                f"token pattern {self.pattern!r} or what parts tokens is no UTF-8"
            )
        if re.search(_BEYOND_RE2, self.pattern):
            raise VocabularyError(
                f"token pattern {self.pattern!r} uses look-around or a back-reference, which RE2, "
                "the regular expressions of ONNX Runtime, does not have"
            )
        try:
            rereads(self.pattern)
            re.compile(self.pattern, re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            # RE2 has it, but Python's re does not.
            hint = "; write letters as ranges, such as [a-zà-ɏ]" if r"\p" in self.pattern else ""
            raise VocabularyError(f"token pattern {self.pattern!r}: {error}{hint}") from error
        except UnsafePatternError as error:
            raise VocabularyError(f"token pattern {self.pattern!r} {error}") from error
        if self.case not in get_args(Case) or "" in self.blank:
            raise VocabularyError(f"case is lower or keep, not {self.case!r}; blanks are not ''")

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        # RE2's classes (\w, \d, \b) are those of ASCII.
        return re.compile(self.pattern, re.ASCII)

    @cached_property
    def blanks(self) -> tuple[str, ...]:
        """The blanks as they stand in a text whose case is settled."""
        return tuple(map(self._in_case, self.blank))

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        return re.compile(f"[^{re.escape(self.delete)}]+")

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of ``text``; a text without any gives an empty list."""
        return [token.text for token in self._found(text)]

    def prefixes(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each token and the text up to its end."""
        for token in self._found(text):
            yield token.text, text[: token.end]

    def split_open(self, text: str) -> tuple[str, str]:
        """Split off the end of ``text`` that more text may read otherwise, see `settled`.

        Raises:
            InputError: when the pattern is too large for that.

        """
        spans = [(token.start, token.end) for token in self._matches(text)]
        try:
            cut = settled(self.pattern, self._in_case(replace_unportable(text)), spans)
        except UnsafePatternError as error:
            shown = f"token pattern {self.pattern[:200]!r}"
            raise InputError(f"{shown} {error} to read a text in pieces") from error
        return text[:cut], text[cut:]

    def keep_last(self, text: str, count: int) -> str:
        """Return the end of ``text`` that holds its last ``count`` tokens."""
        if len(text) <= count:
            return text
        last = deque(self._found(text), maxlen=count + 1)
        return text[last[1].start :] if len(last) > count else text

    def _found(self, text: str) -> Iterator[Token]:
        """Yield what is left of the matches without the characters to delete."""
        if not self.delete:
            yield from self._matches(text)
            return
        for match in self._matches(text):
            parts = self._kept.findall(match.text)
            if parts:
                yield Token("".join(parts[:MOST_PARTS]), match.start, match.end)

    def _matches(self, text: str) -> Iterator[Token]:
        if self.longest is not None and len(text) > self.longest and rereads(self.pattern):
            raise InputError(
                f"a text of {len(text):,} characters: with this file's token pattern, "
                f"{self.longest:,} can be read in reasonable time"
            )
        for start, part in self._parts(0, self._in_case(replace_unportable(text)), self.blanks):
            for match in self._regex.finditer(part):
                yield Token(match.group(), start + match.start(), start + match.end())

    def _in_case(self, text: str) -> str:
        return text if self.case == "keep" else text.translate(_ASCII_LOWER)

    def _parts(self, start: int, text: str, blanks: tuple[str, ...]) -> Iterator[tuple[int, str]]:
        """Yield what stands between blanks, with its place; one kind of blank after the other."""
        if not blanks:
            yield start, text
            return
        for part in text.split(blanks[0]):
            yield from self._parts(start, part, blanks[1:])
            start += len(part) + len(blanks[0])


@dataclass(frozen=True)
class TextEncoder:
    """A tokeniser and a vocabulary: text in, ids out."""

    tokenizer: Tokenizer
    vocabulary: "Vocabulary"
    window: Window = WHOLE
    "Which part of a text is read, and what it is filled up with."

    def __call__(self, text: str) -> list[int]:
        """Return the ids of ``text``, at least one: see `Vocabulary.empty`."""
        ids = self.vocabulary.lookup(self.tokenizer.tokens(text))
        return self.window.of(ids, self.vocabulary.pad) or [self.vocabulary.empty]

    @property
    def continuable(self) -> bool:
        """Whether a text may be read in pieces: neither cut nor filled up, nor parted by blanks."""
        return self.window == WHOLE and not self.tokenizer.blank

    def has_token(self, text: str) -> bool:
        """Whether any token of ``text`` has an id."""
        return bool(self.vocabulary.lookup(self.tokenizer.tokens(text)))

    def known(self, text: str) -> float:
        """Return the share of the tokens of ``text`` that have an id of their own; 0 of none."""
        tokens = self.tokenizer.tokens(text)
        return sum(token in self.vocabulary.plain for token in tokens) / max(len(tokens), 1)
