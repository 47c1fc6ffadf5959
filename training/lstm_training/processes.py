"""The processes of a run: those that ``torchrun`` or ``accelerate launch`` started, or this one."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from accelerate import PartialState  # type: ignore[import-untyped] # ships no types

logger = logging.getLogger(__name__)


def join_processes() -> PartialState:
    """Return this process's place among those of the run; the first call joins them.

    Without a GPU accelerate has to be told to look for others: else each process would train alone
    and write the same files.
    """
    return PartialState(cpu=not torch.accelerator.is_available())


@contextmanager
def first_of_machine_first() -> Iterator[None]:
    """Let the first process of each machine go through the block before its others.

    What it leaves on disk, the others find.
    """
    with join_processes().local_main_process_first():
        yield


def log_processes(batch_size: int) -> None:
    """Tell how many processes there are, where a launcher started them."""
    processes = int(join_processes().num_processes)
    if processes > 1:
        logger.info("%d processes share each batch of %d texts", processes, batch_size)
    elif {"RANK", "ACCELERATE_MIXED_PRECISION"} & os.environ.keys():
        logger.info("1 process: the launcher started no other")
