"""The processes of a run: those that ``torchrun`` or ``accelerate launch`` started, or this one."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from accelerate import PartialState  # type: ignore[import-untyped] # ships no types
from lstm_runtime.files import errors_naming
from lstm_runtime.run_lock import RunLock

logger = logging.getLogger(__name__)

LOCK_FILE = ".run.lock"
"""What a run holds in its folder while it works."""


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


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold ``folder``, which is there, against another run; the first process does it for all.

    Two runs in one folder would each overwrite the state that the other resumes from.

    Raises:
        InputError: when another run works there; names its process.

    """
    if not join_processes().is_main_process:
        yield
        return
    path = folder / LOCK_FILE
    with errors_naming(folder, path):
        lock = RunLock(path, folder)
    with lock:
        yield


def log_processes(batch_size: int) -> None:
    """Tell how many processes there are, where a launcher started them."""
    processes = int(join_processes().num_processes)
    if processes > 1:
        logger.info("%d processes share each batch of %d texts", processes, batch_size)
    elif {"RANK", "ACCELERATE_MIXED_PRECISION"} & os.environ.keys():
        logger.info("1 process: the launcher started no other")
