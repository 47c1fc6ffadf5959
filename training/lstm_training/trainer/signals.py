"""Ctrl-C between two steps instead of in the middle of one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether someone has asked the program to stop."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def graceful_shutdown(enabled: bool = True) -> Iterator[StopRequest]:
    """Turn the first Ctrl-C or SIGTERM in the block into a request that the block looks at.

    A step that is cut in two leaves weights and optimizer that no longer fit together. The second
    signal acts at once. Without ``enabled``, and outside the main thread, signals act as always.
    """
    request = StopRequest()
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def ask(_number: int, _frame: FrameType | None) -> None:
        request.asked = True
        restore()

    for number in before:
        signal.signal(number, ask)
    try:
        yield request
    finally:
        restore()
