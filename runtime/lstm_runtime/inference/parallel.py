"""An ordered map over threads with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AHEAD = 4
"""Calls per thread that wait or run at a time: enough that none idles behind a long one."""


AHEAD_BYTES = 16 * 2**20
"""What the items under way may hold together, whatever the number of threads; one is always."""


def ordered_map(
    function: Callable[[Item], Answer],
    items: Iterable[Item],
    threads: int,
    size: Callable[[Item], int] = lambda _item: 0,
) -> Iterator[Answer]:
    """Yield ``function(item)`` for each item, in order, from ``threads`` threads.

    Items are taken as answers are taken: at most ``threads * AHEAD`` are under way, and no more
    than hold `AHEAD_BYTES` by ``size``. An error in ``function`` or ``items`` is raised at its
    place in the order. One thread, or one item, needs no pool.
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
    running: deque[tuple[Future[Answer], int]] = deque(
        (pool.submit(function, item), size(item)) for item in first
    )
    held = sum(bytes_ for _, bytes_ in running)

    def next_answer() -> Answer:
        nonlocal held
        future, bytes_ = running.popleft()
        held -= bytes_
        return future.result()

    try:
        while failure is None:
            if len(running) >= threads * AHEAD or (running and held >= AHEAD_BYTES):
                yield next_answer()
                continue
            try:
                item = next(iterator)
                running.append((pool.submit(function, item), size(item)))
                held += running[-1][1]
            except StopIteration:
                break
            except Exception as error:  # raised below, behind the answers that come before it
                failure = error
        while running:
            yield next_answer()
        if failure is not None:
            raise failure
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
