r"""Whether Python's ``re`` runs a pattern in a time that its texts can be read in.

ONNX Runtime has RE2, whose time is linear whatever the pattern is. Python goes back and tries
again: ``(a|aa)+$`` takes as long as the universe for forty letters. A pattern comes with a model
file, so it is looked at before it runs.

Each alternative of a pattern is turned into positions and what may follow each (Glushkov's
automaton). Where the next character decides what follows, there is one way only, and nothing to go
back to. Where it does not, going back is harmless in two cases: whatever follows is a whole match
already (``\d+\.?\d*``), or the place is passed once a match, and there are few of them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Set
from functools import lru_cache
from itertools import combinations
from typing import Any, NamedTuple

from lstm_runtime.text.characters import (
    OPS,
    PARSER,
    Ranges,
    UnsafePatternError,
    characters,
    flags_of,
)

_MOST_POSITIONS = 400
_MOST_COPIES = 4 * _MOST_POSITIONS  # of what is repeated: of nothing, there could be any number
_MOST_FORKS = 4
"""Places with two ways that are passed once: each may double the work."""


class _Part(NamedTuple):
    """A piece of a pattern."""

    empty: int
    "In how many ways it matches nothing at all: 0, 1, or 2 for more than one."
    first: list[int]
    "Positions that it can begin with, once for each way."
    last: list[int]
    "Positions that it can end with, once for each way."


class _Automaton:
    """The positions of one alternative."""

    def __init__(self) -> None:
        self.sets: list[Ranges] = []  # the characters of each position
        # The positions that may come behind each, once for each way: Python tries all of them.
        self.follow: list[list[int]] = []
        # Whether something other than a character is asked for, such as a word's boundary.
        self.asserts = False
        self._copies = 0

    def position(self, characters: Ranges) -> _Part:
        """Add a position."""
        if len(self.sets) >= _MOST_POSITIONS:
            raise UnsafePatternError("is too long")
        self.sets.append(characters)
        self.follow.append([])
        place = len(self.sets) - 1
        return _Part(0, [place], [place])

    def copy(self) -> None:
        """Count a copy of what is repeated."""
        self._copies += 1
        if self._copies > _MOST_COPIES:
            raise UnsafePatternError("is too long")

    def link(self, before: Iterable[int], after: Iterable[int]) -> None:
        """Let some positions follow others."""
        behind = list(after)
        for place in before:
            self.follow[place] = _twice_at_most(self.follow[place] + behind)

    def behind(self, places: Iterable[int], within: Set[int] | None = None) -> set[int]:
        """Return the positions that can be reached from ``places``, on a way through ``within``."""
        found: set[int] = set()
        todo = list(places)
        while todo:
            new = set(self.follow[todo.pop()]) - found
            new = new if within is None else new & within
            found |= new
            todo += new
        return found


@lru_cache(maxsize=64)
def rereads(pattern: str) -> bool:
    """Check a pattern; return whether a text may be read more than a few times.

    Where it may, time grows with the square of the length at worst, as for ``<[^>]+>`` on ``<<<``;
    else with the length.

    Raises:
        UnsafePatternError: when it may grow faster, or needs what RE2 lacks, or can match nothing.
        re.error: when it is no regular expression.

    """
    tree = PARSER.parse(pattern, re.ASCII)
    flags = flags_of(pattern)
    branches = [tree]
    if len(tree) == 1 and tree[0][0] is OPS.BRANCH:
        branches = tree[0][1][1]
    found = [_rereads(branch, flags) for branch in branches]
    return any(found)


def _rereads(branch: Any, flags: frozenset[str]) -> bool:
    automaton = _Automaton()
    whole = _sequence(automaton, branch, flags)
    if whole.empty:
        raise UnsafePatternError("can match nothing at all, and a token has a character")
    accepting = set() if automaton.asserts else set(whole.last)
    forks = 0
    for place, followers in ((None, whole.first), *enumerate(automaton.follow)):
        if not _overlap(automaton, followers):
            continue
        if automaton.behind(followers) | set(followers) <= accepting:
            continue
        forks += 1
        if (place is not None and place in automaton.behind([place])) or forks > _MOST_FORKS:
            raise UnsafePatternError(
                "can match a text in many ways, which Python's re would try one by one: write it "
                r"so that the next character tells what follows, as in \d+(?:\.\d+)?"
            )
    unsure = set(range(len(automaton.sets))) - accepting
    return any(place in automaton.behind([place], unsure) for place in unsure)


def _sequence(automaton: _Automaton, items: Any, flags: frozenset[str]) -> _Part:
    """Add pieces one behind the other."""
    found = _Part(1, [], [])
    for operator, argument in items:
        found = _joined(automaton, found, _item(automaton, operator, argument, flags))
    return found


def _joined(automaton: _Automaton, one: _Part, two: _Part) -> _Part:
    automaton.link(one.last, two.first)
    return _Part(
        min(one.empty * two.empty, 2),
        _twice_at_most(one.first + two.first * one.empty),
        _twice_at_most(one.last * two.empty + two.last),
    )


def _twice_at_most(places: Iterable[int]) -> list[int]:
    """Return positions for as many ways as there are, or two: more are as bad, and could double."""
    return [place for place, ways in Counter(places).items() for _ in range(min(ways, 2))]


def _item(automaton: _Automaton, operator: Any, argument: Any, flags: frozenset[str]) -> _Part:
    if operator is OPS.SUBPATTERN:
        return _sequence(automaton, argument[3], flags)
    if operator is OPS.BRANCH:
        parts = [_sequence(automaton, branch, flags) for branch in argument[1]]
        return _Part(
            min(sum(part.empty for part in parts), 2),
            [place for part in parts for place in part.first],
            [place for part in parts for place in part.last],
        )
    if operator in {OPS.MAX_REPEAT, OPS.MIN_REPEAT}:
        return _repeat(automaton, argument, flags)
    if operator is OPS.AT:
        automaton.asserts = True
        return _Part(1, [], [])
    return automaton.position(characters(operator, argument, flags))


def _repeat(automaton: _Automaton, argument: Any, flags: frozenset[str]) -> _Part:
    """Add as many copies as there must be, and a loop for those that there may be."""
    least, most, items = argument
    found = _Part(1, [], [])
    for _ in range(min(int(least), _MOST_POSITIONS + 1)):
        automaton.copy()
        found = _joined(automaton, found, _sequence(automaton, items, flags))
    if most == least:
        return found
    automaton.copy()
    loop = _sequence(automaton, items, flags)
    if int(most) - int(least) > 1:
        automaton.link(loop.last, loop.first)
    # A body that may be empty is also tried so once more, at the end.
    ways = min(1 + loop.empty, 2)
    return _joined(automaton, found, _Part(ways, loop.first, loop.last * ways))


def _overlap(automaton: _Automaton, places: Iterable[int]) -> bool:
    """Whether two of the positions have a character in common."""
    sets = [automaton.sets[place] for place in places]
    return any(
        low_a <= high_b and low_b <= high_a
        for a, b in combinations(sets, 2)
        for low_a, high_a in a
        for low_b, high_b in b
    )
