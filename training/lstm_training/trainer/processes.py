"""The processes of a run: those that ``torchrun`` or ``accelerate launch`` started, or this one."""

import logging
import os

import torch
from accelerate import PartialState  # type: ignore[import-untyped] # ships no types

logger = logging.getLogger(__name__)


def join_processes() -> PartialState:
    """Return this process's place among those of the run; the first call joins them.

    Without a GPU accelerate has to be told to look for others: else each process would train alone
    and write the same files.
    """
    return PartialState(cpu=not torch.accelerator.is_available())


def log_processes(batch_size: int) -> None:
    """Tell how many processes there are, where a launcher started them."""
    processes = int(join_processes().num_processes)
    if processes > 1:
        logger.info("%d processes share each batch of %d texts", processes, batch_size)
    elif {"RANK", "ACCELERATE_MIXED_PRECISION"} & os.environ.keys():
        logger.info("1 process: the launcher started no other")
