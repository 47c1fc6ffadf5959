"""A token pattern as a machine that reads a text character by character.

Its nodes are Thompson's (Regular Expression Search Algorithm, 1968), and where there are several
ways on, they stand in the order in which Python's ``re`` tries them, as in Pike's machine (Cox,
Regular Expression Matching: the Virtual Machine Approach, 2009).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from lstm_runtime.text.characters import (
    ASCII_CLASSES,
    OPS,
    PARSER,
    Ranges,
    UnsafePatternError,
    characters,
    flags_of,
)

Side = Literal["edge", "word", "other", "any"]
"""What stands beside a place: the edge of the text, a word's character, another, or who knows."""

MATCH = 0
"""The node at which a token ends."""
_MOST_NODES = 5_000
_MOST_STEPS = 20_000
"""Steps that are remembered: a text may have a million different characters."""
_AT_START = frozenset({OPS.AT_BEGINNING, OPS.AT_BEGINNING_STRING})
_AT_END = frozenset({OPS.AT_END, OPS.AT_END_STRING})


class _Node(NamedTuple):
    """A place in the pattern."""

    ranges: Ranges | None
    "Characters that lead on from here; None where none is read."
    ways: list[int]
    "What follows, in order of preference."
    place: Any = None
    "What is asked of the place, such as a word's boundary."


class State(NamedTuple):
    """Where a reading stands between two characters."""

    nodes: tuple[int, ...]
    "What may come next, in order of preference."
    before: Side
    "What was read last."


def side_of(character: str) -> Side:
    """Return what a character is to a word's boundary."""
    code = ord(character)
    return "word" if _within(code, ASCII_CLASSES["WORD"]) else "other"


class Automaton:
    """The machine of one pattern.

    Raises:
        UnsafePatternError: when the pattern is too large.
        re.error: when it is no regular expression.

    """

    def __init__(self, pattern: str) -> None:
        self._flags = flags_of(pattern)
        self._nodes = [_Node(None, [])]
        self._steps: dict[tuple[State, str], State] = {}
        # Whether something is repeated that would rather match nothing: re then leaves the loop.
        self.repeats_nothing = False
        self._start = self._sequence(PARSER.parse(pattern, re.ASCII), MATCH)
        self.places = frozenset(node.place for node in self._nodes if node.place is not None)

    def start(self, before: Side) -> State:
        """Return where a match begins, behind a character of that kind."""
        return State((self._start,), before if self.places else "edge")

    def ways(self, nodes: Iterable[int], before: Side, behind: Side, end: int = MATCH) -> list[int]:
        """Return the nodes that read a character, and ``end``, in order of preference."""
        found: list[int] = []
        seen: set[int] = set()
        todo = list(nodes)[::-1]
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            node = self._nodes[number]
            if number in {MATCH, end} or node.ranges is not None:
                found.append(number)
            elif node.place is None or _holds(node.place, before, behind):
                todo += node.ways[::-1]
        return found

    def after(self, nodes: Iterable[int], character: str) -> tuple[int, ...]:
        """Return what follows those of ``nodes`` that take the character."""
        code = ord(character)
        taken = (self._nodes[n] for n in nodes if n != MATCH)
        return tuple(
            dict.fromkeys(node.ways[0] for node in taken if _within(code, node.ranges or ()))
        )

    @property
    def asks_for_start(self) -> bool:
        """Whether a token may have to stand at the start of a text."""
        return bool(self.places & _AT_START)

    def reach(self, text: str, start: int) -> int | None:
        """Return how far a match that begins at ``start`` is looked for.

        Returns:
            The place of the character that ends all ways; None where more text could still change
            what is found.

        """
        state = self.start(side_of(text[start - 1]) if start else "edge")
        for place in range(start, len(text)):
            state = self._step(state, text[place])
            if not state.nodes:
                return place
        undecided = self.places or self.ways(state.nodes, state.before, "any") != [MATCH]
        return None if undecided else len(text)

    def alphabet(self) -> list[str]:
        """Return a character of each kind that the pattern tells apart."""
        sets = {node.ranges for node in self._nodes if node.ranges is not None}
        if self.places:
            sets.add(ASCII_CLASSES["WORD"])
        borders = {0, *(b for ranges in sets for low, high in ranges for b in (low, high + 1))}
        kinds: dict[tuple[bool, ...], str] = {}
        for code in sorted(borders):
            if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                kinds.setdefault(tuple(_within(code, ranges) for ranges in sets), chr(code))
        return list(kinds.values())

    def _step(self, state: State, character: str) -> State:
        known = self._steps.get((state, character))
        if known is None:
            side = side_of(character) if self.places else "edge"
            nodes = self.after(self.ways(state.nodes, state.before, side), character)
            known = State(nodes, side)
            if len(self._steps) >= _MOST_STEPS:
                self._steps.clear()
            self._steps[state, character] = known
        return known

    def _add(self, node: _Node) -> int:
        if len(self._nodes) >= _MOST_NODES:
            raise UnsafePatternError("is too long")
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _sequence(self, items: Sequence[Any], behind: int) -> int:
        """Add pieces one behind the other; return where they begin."""
        for operator, argument in reversed(list(items)):
            behind = self._item(operator, argument, behind)
        return behind

    def _item(self, operator: Any, argument: Any, behind: int) -> int:
        if operator is OPS.SUBPATTERN:
            return self._sequence(argument[3], behind)
        if operator is OPS.BRANCH:
            return self._add(_Node(None, [self._sequence(one, behind) for one in argument[1]]))
        if operator in {OPS.MAX_REPEAT, OPS.MIN_REPEAT}:
            return self._repeat(argument, behind, lazy=operator is OPS.MIN_REPEAT)
        if operator is OPS.AT:
            return self._add(_Node(None, [behind], argument))
        return self._add(_Node(characters(operator, argument, self._flags), [behind]))

    def _repeat(self, argument: Any, behind: int, *, lazy: bool) -> int:
        least, most, items = argument
        entry = behind
        if most is OPS.MAXREPEAT:
            entry = self._add(_Node(None, []))
            body = self._body(items, entry)
            self._nodes[entry].ways.extend((behind, body) if lazy else (body, behind))
        else:
            for _ in range(int(most) - int(least)):
                body = self._body(items, entry)
                entry = self._add(_Node(None, [behind, body] if lazy else [body, behind]))
        for _ in range(int(least)):
            entry = self._sequence(items, entry)
        return entry

    def _body(self, items: Sequence[Any], end: int) -> int:
        """Add what is repeated, before ``end``."""
        body = self._sequence(items, end)
        ways = self.ways([body], "edge", "any", end)
        self.repeats_nothing |= end in ways[:-1]
        return body


@lru_cache(maxsize=64)
def automaton_of(pattern: str) -> Automaton:
    """Return the machine of a pattern, made once; raises what `Automaton` does."""
    return Automaton(pattern)


def _within(code: int, ranges: Ranges) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _holds(place: Any, before: Side, behind: Side) -> bool:
    """Tell whether a place is what is asked for; where that is not known yet, it may be."""
    if place in _AT_START:
        return before == "edge"
    if behind == "any":
        return True
    if place in _AT_END:
        return behind == "edge"
    between = (before == "word") != (behind == "word")
    return between is (place is OPS.AT_BOUNDARY)
