"""A command while it is being loaded, which takes longer than many a run of it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the process in the block at once and without a word.

    While a command is being loaded nothing has begun that would need an end of its own, and Python
    would show what it was importing. A signal that is ignored, as in the background, stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_command(module: str) -> None:
    """Load the command ``main`` of a module, and run it."""
    with ended_by_ctrl_c():
        command = import_module(module).main
    command()
