"""The forms that people keep a vocabulary in, each read into words by id."""

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from lstm_runtime.errors import VocabularyError

VECTOR = 10
"""Numbers behind a word from which on a line is one of word vectors (GloVe, word2vec, fastText)."""

_MAPS = ("word_index", "word2idx", "word_to_id", "token_to_id", "stoi", "vocab", "itos", "words")
"""Names under which tools keep word to id, or words by id, inside a larger JSON object."""

_OF_PIECES = ("BPE", "Unigram", "WordPiece")
"""Kinds of Hugging Face's tokenizers that cut words into pieces."""

_PIECE = "\u2581"
"""What SentencePiece writes before a piece that begins a word."""

_MOST_DIGITS = 18
"""Of an id that stands in quotes; more would be none of a table that fits a memory."""

Words = dict[int, str]
"""Words by id."""


def parse_words(text: str, path: Path, first_id: int = 0) -> Words:
    """Read the text of a vocabulary file.

    JSON: word to id, words by id as a list, ``index_word``, or a tool's file that holds one of
    these (Keras' ``tokenizer.to_json()``, Hugging Face's ``tokenizer.json``). Other text: a word
    a line, alone or with its id or its count behind it, or a file of word vectors.

    Args:
        text: content of the file.
        path: its name, for errors.
        first_id: id of the first line or of a list's first word.

    Raises:
        VocabularyError: names file and line.

    """
    if text.lstrip()[:1] in {"{", "["}:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:  # also of a number of 5,000 digits
            if path.suffix.lower() == ".json":
                raise VocabularyError(f"{path} is not JSON: {error}") from error
        else:
            return _from_json(found, path, first_id)
    elif path.suffix.lower() == ".json":
        raise VocabularyError(f"{path} is not JSON: it begins with {text[:20]!r}")
    return _from_lines(text, path, first_id)


def _from_lines(text: str, path: Path, first_id: int) -> Words:
    lines = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    for n, line in enumerate(lines, 1):
        if not line.strip():
            raise VocabularyError(f"{path}, line {n} is empty")
    rows = [line.split("\t") if "\t" in line else line.split(" ") for line in lines]
    if len(rows[-1]) > VECTOR:
        return _from_vectors(rows, path, first_id)
    if pairs := _pairs(lines, ": "):
        return _from_pairs(pairs, path, first_id)
    if all(len(row) == 2 and _is_number(row[1]) for row in rows):
        return _from_pairs([(row[0], int(row[1])) for row in rows], path, first_id)
    pairs = _pairs(lines, "\t") or _pairs(lines, ",") or _pairs(lines, " ")
    if pairs:
        return _from_pairs(pairs, path, first_id)
    if all("\t" in line for line in lines):
        pieces = any(_PIECE in line for line in lines)
        kind = "pieces of words with their scores, as SentencePiece" if pieces else "several fields"
        raise VocabularyError(f"{path} holds {kind} in every line, but no word and its id")
    return dict(enumerate(lines, first_id))


def _pairs(lines: list[str], mark: str) -> list[tuple[str, int]]:
    """Return words and numbers that ``mark`` parts in every line but a head; nothing otherwise.

    The number stands behind the word or before it.
    """
    behind = [line.rpartition(mark)[::2] for line in lines]
    before = [line.partition(mark)[::-2] for line in lines]
    for rows in (behind, before):
        body = rows if _is_number(rows[0][1].strip()) else rows[1:]  # behind a head
        if len(body) > 1 and all(word and _is_number(number.strip()) for word, number in body):
            return [(_unquoted(word), int(number)) for word, number in body]
    return []


def _unquoted(word: str) -> str:
    """Return a word without the quotes and spaces that a table has around it."""
    word = word.strip() or word
    quoted = len(word) > 2 and word[0] == word[-1] == '"'
    return word[1:-1].replace('""', '"') if quoted else word


def _from_vectors(rows: list[list[str]], path: Path, first_id: int) -> Words:
    """Return the words of a file of vectors, whose head of two numbers word2vec writes."""
    head = int(len(rows[0]) == 2)
    for n, row in enumerate(rows[head:], head + 1):
        if len(row) <= VECTOR:
            raise VocabularyError(f"{path}, line {n} is no word vector, as the last line is")
    return {first_id + n: row[0] for n, row in enumerate(rows[head:])}


def _from_pairs(pairs: list[tuple[str, int]], path: Path, first_id: int) -> Words:
    """Return words with ids; counts, which fall from line to line, leave the id to the line."""
    numbers = [number for _, number in pairs]
    falling = len(numbers) > 1 and all(a >= b for a, b in pairwise(numbers))
    dense = len(set(numbers)) == len(numbers) and max(numbers) <= 2 * len(numbers)
    if falling and dense:
        raise VocabularyError(
            f"{path}: the numbers behind the words may be ids or counts: keep the words alone, in "
            "the order of their ids, or a JSON object of word to id"
        )
    if falling or not dense:
        if not falling:
            raise VocabularyError(
                f"{path}: the numbers behind the words are neither ids (each once, without large "
                "gaps) nor counts (falling from line to line)"
            )
        return {first_id + n: word for n, (word, _) in enumerate(pairs)}
    return _by_id(pairs, path)


def _from_json(found: Any, path: Path, first_id: int) -> Words:
    if isinstance(found, list):
        if found and all(_is_pair(item) for item in found):
            return _by_id([(word, number) for word, number in found], path)
        if not found or not all(isinstance(word, str) for word in found):
            raise VocabularyError(
                f"{path} must hold one JSON object, word to whole-number id, or a list of words"
            )
        return dict(enumerate(found, first_id))
    model = found.get("model")
    if isinstance(model, dict) and model.get("type") in _OF_PIECES:
        raise VocabularyError(
            f"{path} holds pieces of words ({model['type']}), which no tokeniser of a file makes: "
            "leave --vocab out, and give the file the ids that your own tokeniser makes"
        )
    inner = _inner(found, path)
    if inner is not found:
        return _from_json(inner, path, first_id)
    if found and all(str(key).isdecimal() and isinstance(w, str) for key, w in found.items()):
        return _by_id([(word, _number(key, path)) for key, word in found.items()], path)
    if not all(type(number) is int for number in found.values()):
        raise VocabularyError(f"{path} must hold one JSON object, word to whole-number id")
    return _by_id(found.items(), path)


def _inner(found: Mapping[str, Any], path: Path) -> Any:
    """Return the vocabulary inside a tool's JSON; ``found`` itself where it is the vocabulary."""
    for name in ("config", "model"):
        if isinstance(found.get(name), dict):
            return _with_limit(found[name], path)
    return _with_limit(found, path)


def _with_limit(found: Mapping[str, Any], path: Path) -> Any:
    for name in _MAPS:
        inner = found.get(name)
        if isinstance(inner, str):  # Keras keeps a JSON document inside its JSON
            try:
                inner = json.loads(inner)
            except (ValueError, RecursionError) as error:
                raise VocabularyError(f"{path}: {name} is not JSON: {error}") from error
        if isinstance(inner, dict | list):
            limit = found.get("num_words")
            if isinstance(inner, dict) and isinstance(limit, int):
                return {word: n for word, n in inner.items() if type(n) is not int or n < limit}
            return inner
    return found


def _number(digits: str, path: Path) -> int:
    if len(digits) > _MOST_DIGITS:
        raise VocabularyError(f"{path}: {digits[:20]}… is no id")
    return int(digits)


def _by_id(ids: Iterable[tuple[str, int]], path: Path) -> Words:
    words: Words = {}
    for word, number in ids:
        if number in words:
            raise VocabularyError(f"{path}: {word!r} and {words[number]!r} share the id {number}")
        words[number] = word
    return words


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, list)
        and len(item) == 2
        and isinstance(item[0], str)
        and type(item[1]) is int
    )


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 19
