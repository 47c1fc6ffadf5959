"""Vocabulary files: plain text or JSON."""

import json
from pathlib import Path

from lstm_runtime.errors import VocabularyError
from lstm_runtime.text.vocabulary import UNKNOWN_WORD, Vocabulary


def read_vocabulary(path: Path, rows: int, unknown: str | None = None) -> Vocabulary:
    """Read a vocabulary file for an embedding of ``rows`` words.

    Text: line n, counted from 0, is the word with id n. JSON (a file named ``.json``): an object,
    word to id; ids without a word are allowed, since many tutorials keep 0 for the padding.

    Args:
        path: the file, UTF-8.
        rows: rows of the model's embedding; the ids have to fill them.
        unknown: the word whose id unknown words get; None for ``<unk>`` where the vocabulary has
            it, and for dropping unknown words where it has not.

    Raises:
        VocabularyError: when the file is missing, malformed, ambiguous or does not fit.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise VocabularyError(f"{path} is not UTF-8 text (byte {error.start + 1})") from error
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror}") from error
    words = _json_words(text, path, rows) if path.suffix == ".json" else _text_words(text, path)
    if len(words) != rows:
        raise VocabularyError(
            f"{path} has ids up to {len(words) - 1}, but the model's embedding has {rows} rows"
        )
    if unknown is None and UNKNOWN_WORD in words:
        unknown = UNKNOWN_WORD
    try:
        return Vocabulary(tuple(words), unknown)
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error


def _text_words(text: str, path: Path) -> list[str]:
    words = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    if "" in words:
        raise VocabularyError(f"{path}, line {words.index('') + 1} is empty")
    return words


def _json_words(text: str, path: Path, rows: int) -> list[str]:
    try:
        ids = json.loads(text)
    except json.JSONDecodeError as error:
        raise VocabularyError(f"{path} is not JSON: {error}") from error
    if not isinstance(ids, dict) or not all(type(n) is int for n in ids.values()):
        raise VocabularyError(f"{path} must hold one JSON object, word to whole-number id")
    words = [""] * (1 + max((n for n in ids.values() if n < rows), default=-1))
    for word, n in ids.items():
        if not 0 <= n < rows:
            raise VocabularyError(
                f"{path}: {word!r} has the id {n}, but the embedding has {rows} rows"
            )
        if words[n]:
            raise VocabularyError(f"{path}: {word!r} and {words[n]!r} share the id {n}")
        words[n] = word
    return words
