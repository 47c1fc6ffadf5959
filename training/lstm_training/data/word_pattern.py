"""What counts as a word in any script: the usual token pattern of a new model.

Python's ``re`` has no class for the letters of every script, and RE2's word characters are those of
ASCII, so the classes are written out as ranges of characters, which both read alike, and JavaScript
with them. They follow the general categories of Unicode 14 (letters, marks and digits; tests hold
them to it) and leave out what stands between words in the scripts that are in use.
"""

import unicodedata
from collections.abc import Sequence

from lstm_runtime.text.tokenizer import Tokenizer

from lstm_training.errors import DataError

_LETTERS = (
    "a-z", "\xaa", "\xb5", "\xba", "\xc0-\xd6", "\xd8-\xf6", "\xf8-\u02c1",  # Latin
    "\u0300-\u037d", "\u037f-\u0386", "\u0388-\u0559", "\u0560-\u0588",  # Greek to Armenian
    "\u0591-\u05bd", "\u05bf", "\u05c1\u05c2", "\u05c4\u05c5", "\u05c7-\u05f2",  # Hebrew
    "\u0610-\u061a", "\u0620-\u0669", "\u066e-\u06d3", "\u06d5-\u06ff",  # Arabic
    "\u0710-\u07f5", "\u07fa-\u082d", "\u0840-\u085b", "\u0860-\u0963",  # Syriac to Devanagari
    "\u0966-\u096f", "\u0971-\u09fc", "\u09fe-\u0a75", "\u0a81-\u0aef", "\u0af9-\u0c6f",
    "\u0c80-\u0c83", "\u0c85-\u0df3", "\u0f18-\u0f39", "\u0f3e-\u0f84", "\u0f86-\u0fbc",  # Tibetan
    "\u10a0-\u10fa", "\u10fc-\u135f", "\u1380-\u167f", "\u1681-\u169a",  # Georgian to Ogham
    "\u16a0-\u16ea", "\u16ee-\u1734", "\u1740-\u1773", "\u180b-\u193b", "\u1946-\u194f",
    "\u1a00-\u1a1b", "\u1ab0-\u1cbf", "\u1cd0-\u1fff", "\u2c00-\u2cf3", "\u2d00-\u2dff",
    "\u3105-\u318e", "\u31a0-\u31bf", "\ua000-\ua4fd", "\ua500-\ua60c", "\ua610-\ua6f1",
    "\ua717-\ua873", "\ua880-\ua8c5", "\ua8d0-\ua9c0", "\ua9cf-\ua9d9", "\uaa00-\uaa59",
    "\uaae0-\uabea", "\uabec-\ud7fb",  # Hangul
    "\ufb00-\ufd3d", "\ufd50-\ufdfb", "\ufe20-\ufe2f", "\ufe70-\ufefc",  # other forms
    "\uff10-\uff19", "\uff21-\uff3a", "\uff41-\uff5a", "\uffa0-\uffdc",  # wide and narrow ones
    "\U00010000-\U0001afef", "\U0001b170-\U0001cfff", "\U0001d400-\U0001d7ff",
    "\U0001df00-\U0001efff",
)  # fmt: skip
"""Letters, marks and digits of scripts with spaces between words; A to Z are lowered before."""

_ALONE = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e50-\u0e59",  # Thai
    "\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0ed0-\u0edf",  # Lao
    "\u1000-\u102a\u103f-\u1049\u1050-\u1055\u105a-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f",  # Burmese
    "\u1780-\u17b3\u17d7\u17dc\u17e0-\u17e9",  # Khmer
    "\u1950-\u19da\u1a20-\u1aa7\uaa80-\uaadd",  # Tai
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff",  # Han
    "\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff",  # Kana
    "\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff",
    "\u203c\u2049\u2600-\u27bf\u2b50\u2b55",  # symbols and emoji, without their skin tones
    "\U0001f1e6-\U0001f1ff\U0001f300-\U0001f3fa\U0001f400-\U0001faff",
)
"""What is a token by itself: characters of scripts without spaces, and emoji."""

_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u1056-\u1059"
    "\u17b4-\u17d3\u17dd\u3099\u309a\ua9e5"
)
"""Vowels and tones that are written on such a character."""

_TAG = "<[!/]?[a-z][^<>]*>"
"""A tag of HTML, one token whatever is in it. It gets no id, and so reads as an unknown word."""

WORD_PATTERN = f"{_TAG}|[0-9'{''.join(_LETTERS)}]+|[{''.join(_ALONE)}][{_MARKS}]*|[!?\uff01\uff1f]"
"""Words of every script, single characters where there are no spaces, emoji, and ! and ?."""

_GREEK_ACCENTS = "\u0300\u0301\u0313\u0314\u0342"
"""Accents and breathings."""

MOST_UNCOVERED = 0.5
"""Part of the letters of all texts that may be in no token, for a model to make sense."""
_SAMPLE = 2_000
"""Texts that are looked at to tell."""


def is_tag(token: str) -> bool:
    """Tell a tag of HTML from a word."""
    return token.startswith("<") and token.endswith(">") and len(token) > 2


def uncovered_letters(texts: Sequence[str], tokenizer: Tokenizer) -> float:
    """Return which part of the letters of some texts is in no token, 0 to 1.

    Of many texts, a sample is looked at, the same each time.
    """
    letters = covered = 0
    for text in texts[:: max(len(texts) // _SAMPLE, 1)]:
        letters += _letters(text)
        covered += sum(map(_letters, tokenizer.tokens(text)))
    return (letters - covered) / letters if letters else 0.0


def require_letters(name: str, texts: Sequence[str], tokenizer: Tokenizer) -> float:
    """Return which part of the letters of some texts is in no token, see `uncovered_letters`.

    Raises:
        DataError: when it is more than `MOST_UNCOVERED`; says what the texts are called.

    """
    uncovered = uncovered_letters(texts, tokenizer)
    if uncovered > MOST_UNCOVERED:
        raise DataError(
            f"{name}: {uncovered:.0%} of the letters are in no token of the pattern "
            f"{tokenizer.pattern:.40}, which was made for another script: give another --pattern, "
            "or leave it out"
        )
    return uncovered


def one_spelling(text: str) -> str:
    """Return ``text`` in small letters, with accents in the letters that they stand on (NFC)."""
    return unicodedata.normalize("NFC", text.lower())


def spellings(word: str) -> tuple[str, ...]:
    """Return how a word in one spelling may also stand in a text of which A to Z were lowered.

    Those are the word with a capital letter and in capitals, and each of them with its accents as
    characters of their own (NFD), as macOS and some PDF readers write them. Of a word of ASCII's
    letters there are none, since the tokeniser lowers those.
    """
    if word.isascii():
        return ()
    cased = (word, word.capitalize(), word.title(), word.upper())
    forms = (unicodedata.normalize(form, one) for form in ("NFC", "NFD") for one in cased)
    return tuple(form for form in dict.fromkeys(map(_lower_ascii, forms)) if form != word)


def without_accents(word: str) -> tuple[str, ...]:
    """Return how a Greek word with accents stands in capitals, which have none there.

    A diaeresis stays, on its letter (NFC) or as a character of its own (NFD).
    """
    if not any("\u0370" <= c <= "\u03ff" or "\u1f00" <= c <= "\u1fff" for c in word):
        return ()
    apart = unicodedata.normalize("NFD", word.upper())
    bare = "".join(c for c in apart if c not in _GREEK_ACCENTS)
    return tuple({unicodedata.normalize("NFC", bare): 0, bare: 0}) if bare != apart else ()


def _lower_ascii(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))
