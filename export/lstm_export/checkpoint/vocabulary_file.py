"""Vocabulary files: words by id, made to fit a model's embedding."""

import json
import re
import shlex
from pathlib import Path

from lstm_runtime.errors import VocabularyError
from lstm_runtime.text.tokenizer import has_lone_surrogate
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary

from lstm_export.checkpoint.vocabulary_formats import Words, parse_words

UNKNOWN_WORDS = ("<unk>", "<UNK>", "[UNK]", "<OOV>", "<oov>", "[OOV]", "UNK", "unk", "<unknown>")
"""What tools call the word that unknown words become; the first that is there is taken."""

PAD_WORDS = (PAD_WORD, "<PAD>", "[PAD]", "<padding>", "PAD", "pad")
"""What tools call the padding. The last two may be words of texts, so only at the first ids."""

_PICKLE = b"\x80"
"""First byte of a pickle."""

_BRACKETED = re.compile(r"<[^<>\s/]+>|\[[^\[\]\s]+\]")
_TAGS = frozenset({"<br>", "<p>", "<b>", "<i>"})
"""Bracketed words that texts hold."""


def read_vocabulary(  # noqa: PLR0913 - keyword arguments, each with a default
    path: Path,
    rows: int,
    unknown: str | None = None,
    *,
    first_id: int = 0,
    fit: bool = False,
    unknown_id: int | None = None,
) -> Vocabulary:
    """Read a vocabulary file for an embedding of ``rows`` words.

    Text or JSON in any form of `parse_words`; ids without a word are allowed in JSON, since many
    tutorials keep 0 for the padding.

    Args:
        path: the file, UTF-8.
        rows: rows of the model's embedding; the ids have to fill them.
        unknown: the word whose id unknown words get, '' for dropping them; None for the usual
            names (`UNKNOWN_WORDS`), and for dropping them where no word in brackets may be meant.
        first_id: id of the first line, or of a list's first word.
        fit: whether words beyond the embedding are left out, to be read as unknown, and rows
            beyond the file have no word.
        unknown_id: id that unknown words get, where no word has it.

    Raises:
        VocabularyError: when the file is missing, malformed, ambiguous or does not fit.

    """
    try:
        found = parse_words(_read(path), path, first_id)
    except RecursionError as error:
        raise VocabularyError(f"{path} is nested too deeply") from error
    halves = next(filter(has_lone_surrogate, found.values()), None)
    if halves is not None:
        raise VocabularyError(f"{path}: {halves!r} has half a character, which no file can hold")
    words = _fitted(found, rows, path, fit=fit)
    pad = _padding(words)
    if pad is not None:
        words[pad] = PAD_WORD
    if unknown_id is not None:
        unknown = _name_unknown(words, unknown_id, path, unknown)
    chosen = _unknown(words, path) if unknown is None else unknown or None
    try:
        return Vocabulary(tuple(words), chosen)
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error


def _name_unknown(words: list[str], number: int, path: Path, unknown: str | None) -> str:
    """Give the unknown word an id without a word."""
    if unknown is not None:
        raise VocabularyError("--unknown and --unknown-id exclude each other")
    if number >= len(words) or words[number] or UNKNOWN_WORD in words:
        here = words[number] if number < len(words) else "no row"
        raise VocabularyError(f"{path} has {here!r} at id {number}: give --unknown WORD instead")
    words[number] = UNKNOWN_WORD
    return UNKNOWN_WORD


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # Excel and Notepad put a mark in front
    except UnicodeDecodeError as error:
        if path.read_bytes()[:1] == _PICKLE:
            old, new = json.dumps(str(path)), json.dumps(str(path.with_suffix(".json")))
            code = (
                f'import json, pickle; json.dump(pickle.load(open({old}, "rb")), open({new}, "w"))'
            )
            raise VocabularyError(
                f"{path} is a pickle, which is never run here; where you trust it, keep the words "
                f"as JSON: python -c {shlex.quote(code)}"
            ) from error
        raise VocabularyError(f"{path} is not UTF-8 text (byte {error.start + 1})") from error
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror}") from error


def _fitted(found: Words, rows: int, path: Path, *, fit: bool) -> list[str]:
    """Return ``rows`` words, '' where an id has none."""
    if fit:
        found = {number: word for number, word in found.items() if number < rows}
    for number, word in found.items():
        if not 0 <= number < rows:
            raise VocabularyError(
                f"{path}: {word!r} has the id {number}, but the embedding has {rows} rows: with "
                "--fit-vocab words beyond them count as unknown"
            )
    last = max(found, default=-1)
    if last + 1 != rows and not fit:
        raise VocabularyError(
            f"{path} has ids up to {last}, but the model's embedding has {rows} rows: give "
            "--first-id N where the first line has the id N, or --fit-vocab where the last rows "
            "have no word"
        )
    return [found.get(number, "") for number in range(rows)]


def _padding(words: list[str]) -> int | None:
    for name in PAD_WORDS:
        if name in words and (name.lower() != name.strip("<[]>").lower() or name in words[:2]):
            return words.index(name)
    return None


def _unknown(words: list[str], path: Path) -> str | None:
    """Return the word that unknown words become, None to drop them; ask where it is not clear."""
    there = set(words)
    for name in UNKNOWN_WORDS:
        if name in there:
            return name
    odd = [w for w in words if _BRACKETED.fullmatch(w) and w not in _TAGS and w != PAD_WORD]
    if odd:
        raise VocabularyError(
            f"{path} has {', '.join(odd[:5])}: give --unknown WORD for the one that unknown words "
            "become, or --unknown '' where they are left out"
        )
    return None
