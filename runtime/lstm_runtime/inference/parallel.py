"""An ordered map over threads with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 4
"""Calls per thread that wait or run at a time: enough that none idles behind a long one."""


def ordered_map(
    function: Callable[[Item], Answer], items: Iterable[Item], threads: int
) -> Iterator[Answer]:
    """Yield ``function(item)`` for each item, in order, from ``threads`` threads.

    Items are taken as answers are taken: at most ``threads * AHEAD`` are under way. An error in
    ``function`` or ``items`` is raised at its place in the order. One thread, or one item, needs
    no pool.
    """
    iterator = iter(items)
    if threads == 1:
        yield from map(function, iterator)
        return
    first = list(islice(iterator, 1))
    try:
        first += islice(iterator, 1)
    except Exception:
        yield from map(function, first)
        raise
    if len(first) < 2:
        yield from map(function, first)
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # one text needs none

    failure: Exception | None = None
    pool = ThreadPoolExecutor(threads, thread_name_prefix="lstm-run")
    running: deque[Future[Answer]] = deque(pool.submit(function, item) for item in first)
    try:
        while failure is None:
            if len(running) >= threads * AHEAD:
                yield running.popleft().result()
            try:
                running.append(pool.submit(function, next(iterator)))
            except StopIteration:
                break
            except Exception as error:  # raised below, behind the answers that come before it
                failure = error
        while running:
            yield running.popleft().result()
        if failure is not None:
            raise failure
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
