"""Numbers too small to matter, which the processor spends much time on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take denormal numbers for zero in the block.

    They make gates that are nearly shut many times slower, and mean nothing. Afterwards the thread
    calculates as before, since other code of the program may need them.
    """
    before = bool(torch.tensor(1e-310, dtype=torch.float64) * 1 == 0)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
