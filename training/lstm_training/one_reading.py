"""Whether every device finds the same tokens by a pattern.

ONNX Runtime runs RE2 and asks it for the longest match; Python's ``re`` and JavaScript take the
first alternative that fits: ``good|[a-z]+`` finds *good* in *goodness*, RE2 the whole word. Where
their syntaxes differ and `lstm_runtime.text.re2` cannot translate, a pattern is refused too.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from lstm_runtime.errors import VocabularyError
from lstm_runtime.text.automaton import MATCH, Automaton, Side, automaton_of, side_of
from lstm_runtime.text.characters import OPS, UnsafePatternError, flags_of

_MOST_STATES = 5_000
_READ_DIFFERENTLY = {
    r"\[:\^?\w+:\]": "has [:name:], which RE2 takes for a class and Python for characters",
    r"(?<!\\)(?:\\\\)*\\(?:0|N\{)": r"has \0 or \N{…}, which RE2 lacks: write the character",
    r"\{(?:\d*,)?(?!1000[,}])[1-9]\d{3,}": "repeats more than 1,000 times, which RE2 does not",
}
"""Parts of patterns, and what is wrong with them."""


@lru_cache(maxsize=64)
def require_one_reading(pattern: str) -> None:
    """Check that RE2 finds in every text the tokens that ``re`` finds.

    Raises:
        VocabularyError: when it does not; with a text, where the two find different tokens.

    """
    shown = f"token pattern {pattern[:200]!r}"
    if flags_of(pattern):
        raise VocabularyError(
            f"{shown} has flags, which ONNX Runtime, Python and JavaScript read differently: write "
            "its classes out, as in [A-Za-z]"
        )
    for name, reading in _READ_DIFFERENTLY.items():
        if re.search(name, pattern):
            raise VocabularyError(f"{shown} {reading}")
    try:
        automaton = automaton_of(pattern)
        if OPS.AT_END in automaton.places:
            raise UnsafePatternError(r"has a $, which takes a last line end too: write \Z")
        if automaton.repeats_nothing:
            raise UnsafePatternError("repeats what would rather match nothing, as in (?:a*?)*")
        found = _difference(automaton)
    except UnsafePatternError as error:
        raise VocabularyError(f"{shown} {error}") from error
    if found is not None:
        raise VocabularyError(
            f"{shown} finds {_first(pattern, found)!r} in {found!r}, where ONNX Runtime, which "
            "takes the longest match, finds more: put the longer alternative first, write no lazy "
            "*? or +?, or export with --interface ids, whose app makes the tokens"
        )


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.ASCII)
    return found.group() if found else ""


class _Pair(NamedTuple):
    """Where two readings of a text stand: by preference, and of all ways."""

    preferred: tuple[int, ...]
    "What a match may go on with by Python's order, without what is less preferred than a match."
    all: frozenset[int]
    "What any match may go on with."
    before: Side
    "What was read last."
    is_behind: bool
    "Whether the longest match of all is longer than the preferred one."


def _difference(automaton: Automaton) -> str | None:
    """Return a shortest text whose longest match is not ``re``'s; None when there is none."""
    alphabet = automaton.alphabet()
    sides: tuple[Side, ...] = ("edge", "word", "other") if automaton.places else ("edge",)
    starts = [automaton.start(side) for side in sides]
    texts = {_Pair(s.nodes, frozenset(s.nodes), s.before, False): "" for s in starts}
    todo = list(texts)
    for pair in todo:
        if texts[pair] and _read(automaton, pair, "edge")[2]:
            return texts[pair]
        for character in alphabet:
            new = _next(automaton, pair, character)
            if (new.all or new.is_behind) and new not in texts:
                if len(texts) >= _MOST_STATES:
                    raise UnsafePatternError("is too large to be sure that RE2 reads it alike")
                texts[new] = texts[pair] + character
                todo.append(new)
    return None


def _next(automaton: Automaton, pair: _Pair, character: str) -> _Pair:
    side: Side = side_of(character) if automaton.places else "edge"
    preferred, all_ways, is_behind = _read(automaton, pair, side)
    return _Pair(
        automaton.after(preferred, character),
        frozenset(automaton.after(all_ways, character)),
        side,
        is_behind,
    )


def _read(automaton: Automaton, pair: _Pair, behind: Side) -> tuple[list[int], list[int], bool]:
    """Return the ways on from a place before ``behind``, and whether ``re`` lags there."""
    preferred = automaton.ways(pair.preferred, pair.before, behind)
    all_ways = automaton.ways(pair.all, pair.before, behind)
    if MATCH in preferred:
        return preferred[: preferred.index(MATCH)], all_ways, False
    return preferred, all_ways, pair.is_behind or MATCH in all_ways
