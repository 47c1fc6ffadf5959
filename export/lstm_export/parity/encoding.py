"""The tokeniser that goes into the graph against the owner's own encoding of the same texts.

A network may be exported exactly and still answer otherwise than its owner's ``predict()``: where
its words are cut in another way. So whoever has the code that made the ids of training shows it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from lstm_runtime.errors import InputError
from lstm_runtime.text.tokenizer import TextEncoder
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.data.tables import Columns, read_table

from lstm_export.checkpoint.source import Source
from lstm_export.errors import ParityError
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS

Encode = Callable[[str], Any]
"""Text to ids: a list, an array or a tensor of whole numbers, also as one row of a batch."""

LEAST_ALIKE = 0.995
"""Share of texts that have to be read alike, unless told otherwise."""
EXAMPLES = 5
"""Differences that are told."""
LOOKED_AT = 300
"""Texts that differ and are looked at for what the differences are."""

Pair = tuple[str, list[int]]


@dataclass(frozen=True)
class EncodingParity:
    """How many texts the graph's tokeniser reads as the owner's encoder does."""

    texts: int
    "Texts that both have read."
    alike: int
    "Those of which all ids are the same."
    differences: tuple[str, ...] = ()
    "The commonest differences, in words."
    refused: int = 0
    "Texts that the owner's encoder raised an error for; not compared."
    reason: str = ""
    "The first of these errors."

    @property
    def share(self) -> float:
        """Share of the texts that are read alike."""
        return self.alike / self.texts

    def sentence(self) -> str:
        """Return it in words."""
        told = f"{self.alike:,} of {self.texts:,} texts are read as the encoder reads them"
        told += f" ({self.share:.2%})"
        if self.differences:
            told += f": {'; '.join(self.differences)}"
        if self.refused:
            told += f"; {self.refused:,} more made the encoder fail ({self.reason})"
        return told


def compare_encoding(
    encoder: TextEncoder,
    encode: Encode | str | Path,
    texts: Iterable[str],
    padding: frozenset[int] = frozenset(),
) -> EncodingParity:
    """Read texts in both ways.

    Args:
        encoder: the tokeniser, vocabulary and window that go into the graph.
        encode: the owner's function, or a table with the columns ``text`` and ``ids``, whose texts
            then take the place of ``texts``.
        texts: what the function is asked for.
        padding: ids that the network leaves out, which may stand at the end of the owner's ids.

    Raises:
        InputError: when the encoder gives something else than ids, or none of the texts any.
        DataError: when the table cannot be read; names file and row.

    """
    pairs, refused, reason = _owner_pairs(encode, texts)
    if not pairs:
        raise InputError(f"the encoder fails for every text ({reason})")
    different = []
    for text, ids in pairs:
        theirs, ours = _stripped(ids, padding), _stripped(encoder(text), padding)
        # A text without any token reads as one empty one, since no network reads nothing.
        if theirs != ours and (theirs or encoder.has_token(text)):
            different.append((theirs, ours))
    told = _told(encoder.vocabulary, different[:LOOKED_AT])
    told += _hints(encoder, pairs) if different else ()
    return EncodingParity(len(pairs), len(pairs) - len(different), told, refused, reason)


def compare_source(
    source: Source, encode: Encode | str | Path, texts: Iterable[str] = ()
) -> EncodingParity:
    """Compare a model's tokeniser with its owner's encoding, on the reference texts and ``texts``.

    Raises:
        UnsupportedModelError: when the model has no vocabulary.
        InputError, DataError: as `compare_encoding`.

    """
    every = (*REFERENCE_TEXTS, *texts)
    return compare_encoding(source.required_encoder, encode, every, source.padding)


def require_alike(found: EncodingParity, least: float) -> None:
    """Check that enough texts are read alike.

    Raises:
        ParityError: says how many are, and the commonest differences.

    """
    if not found.share >= least:
        raise ParityError(
            f"{found.sentence()}; needed are {least:.2%}: see --pattern, --case, --blank, "
            "--delete, --keep, --pad-left-to and --unknown, or give --alike SHARE"
        )


def _owner_pairs(encode: Encode | str | Path, texts: Iterable[str]) -> tuple[list[Pair], int, str]:
    """Return texts with the owner's ids, the number of failures and the first one's words."""
    if isinstance(encode, str | Path):
        rows = read_table(Path(encode), Columns("text", "ids"))
        return [(_text(row.text, row.where), _ids(row.label, row.where)) for row in rows], 0, ""
    pairs, failures = [], []
    for text in texts:
        try:
            found = encode(text)
        except Exception as error:  # somebody else's code
            failures.append(f"{type(error).__name__}: {' '.join(str(error).split())}"[:80])
            continue
        pairs.append((text, _ids(found, f"the encoder's answer to {text[:40]!r}")))
    return pairs, len(failures), failures[0] if failures else ""


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: the text is no string")
    return value


def _ids(found: Any, where: str) -> list[int]:
    if hasattr(found, "detach"):  # a tensor, wherever it is
        found = found.detach().cpu().numpy()
    try:
        array = np.asarray(found)
    except ValueError as error:
        raise InputError(f"{where} holds no ids: {error}") from error
    flat = array.reshape(-1) if array.ndim == 2 and len(array) == 1 else array
    if flat.ndim != 1 or (flat.size and flat.dtype.kind not in "iu"):
        raise InputError(f"{where} must be a list of ids, not {str(found)[:40]}")
    return [int(n) for n in flat]


def _stripped(ids: list[int], padding: frozenset[int]) -> list[int]:
    end = len(ids)
    while end and ids[end - 1] in padding:
        end -= 1
    return ids[:end]


def _told(
    vocabulary: Vocabulary, different: Sequence[tuple[list[int], list[int]]]
) -> tuple[str, ...]:
    """Return the commonest differences as the owner's words and ours, with their counts."""
    counts = Counter(pair for both in different for pair in set(_pieces(vocabulary, *both)))
    return tuple(
        f"{theirs} where the graph reads {ours} ({_texts(count)})"
        for (theirs, ours), count in counts.most_common(EXAMPLES)
    )


def _pieces(
    vocabulary: Vocabulary, theirs: list[int], ours: list[int]
) -> Iterator[tuple[str, str]]:
    matcher = SequenceMatcher(None, theirs, ours, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield _words(vocabulary, theirs[a:b]), _words(vocabulary, ours[c:d])


def _words(vocabulary: Vocabulary, ids: list[int]) -> str:
    """Return ids as words, the padding in short."""
    words, read = vocabulary.words, [n for n in ids if n != vocabulary.pad]
    named = [repr(words[n]) if 0 <= n < len(words) and words[n] else f"id {n}" for n in read[:3]]
    return (" ".join(named) + (" …" if len(read) > 3 else "")) or ("padding" if ids else "nothing")


def _hints(encoder: TextEncoder, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Tell of a width that all of the owner's ids have, where the graph's have not."""
    widths, pad = Counter(len(ids) for _, ids in pairs), encoder.vocabulary.pad
    width, count = widths.most_common(1)[0]
    if encoder.window.pad_to is None and count == len(pairs) and len(pairs) > 1:
        left = sum(ids[:1] == [pad] for _, ids in pairs)
        right = sum(ids[-1:] == [pad] for _, ids in pairs)
        side = "left" if left >= right else "right"
        return (f"the encoder gives {width} ids for every text: --pad-{side}-to {width}",)
    longest = max(widths)
    if encoder.window.max_tokens is None and any(len(encoder(t)) > longest for t, _ in pairs):
        return (f"the encoder gives {longest} ids at most: --max-tokens {longest}",)
    return ()


def _texts(count: int) -> str:
    return f"{count:,} text{'' if count == 1 else 's'}"
