"""Where a text that is still to go on may be cut, so that pieces have the tokens of the whole."""

from collections.abc import Iterable, Iterator

from lstm_runtime.text.automaton import automaton_of, side_of


def settled(pattern: str, text: str, spans: Iterable[tuple[int, int]]) -> int:
    """Return up to where the tokens of ``text`` are what they are, whatever follows it.

    That is not only before a last word: ``o'`` may become ``o'clock``, and ``<a href="good`` a tag.

    Args:
        pattern: what is a token.
        text: what there is, in the case in which it is read.
        spans: where its matches begin and end.

    Returns:
        A place that is in no token.

    Raises:
        UnsafePatternError: when the pattern is too large.

    """
    automaton = automaton_of(pattern)
    if automaton.asks_for_start:
        return 0  # which each piece has
    safe, reach = 0, -1
    for place in _between(spans, len(text)):
        # A word's boundary is judged by both its sides: the edge of a piece counts as no word, and
        # what reaches that edge would be judged by it.
        is_apart = place > reach and (not place or side_of(text[place - 1]) == "other")
        if is_apart or not automaton.places:
            safe = place
        if place < len(text):
            end = automaton.reach(text, place)
            if end is None:
                break
            reach = max(reach, end)
    return safe


def _between(spans: Iterable[tuple[int, int]], length: int) -> Iterator[int]:
    """Yield the places that are within no span, the end of the text with them."""
    at = 0
    for start, end in spans:
        yield from range(at, start + 1)
        at = end
    yield from range(at, length + 1)
