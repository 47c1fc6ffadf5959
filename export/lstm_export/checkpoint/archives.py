"""Files that hold a program beside its weights: TorchScript archives and ``.pt2`` programs.

Both are PyTorch's own languages, not Python, and both can do more than compute: `program_checks`
refuses those that do.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lstm_training.errors import CheckpointError
from lstm_training.file_kind import zip_names
from torch import nn

from lstm_export.checkpoint.program_checks import (
    UnsafeProgramError,
    checked_program,
    checked_torchscript,
)

_ONLY_WEIGHTS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
_PICKLED_OBJECTS = ("custom_obj_", "opaque_obj_")
"""Beginnings of the names under which a ``.pt2`` file keeps Python objects."""


def load_program(path: Path) -> nn.Module | None:
    """Return the module of an archive with a program in it; None for any other file.

    Raises:
        CheckpointError: when the archive is damaged, or holds pickled Python objects.

    """
    entries = _entries(path)
    if any(name.endswith("/constants.pkl") for name in entries):
        return _torchscript(path)
    if any(name.endswith("/archive_format") for name in entries):
        return _exported_program(path, entries)
    return None


def _entries(path: Path) -> list[str]:
    return (zip_names(path) or []) if path.is_file() else []


def _torchscript(path: Path) -> nn.Module:
    try:
        with warnings.catch_warnings():
            # PyTorch advises authors to move on from TorchScript; our users only have the file.
            warnings.simplefilter("ignore")
            file = checked_torchscript(path)
            archive: nn.Module = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
    except UnsafeProgramError as error:
        raise CheckpointError(f"{path} is never run: {error}") from error
    except Exception as error:  # a damaged archive fails in whatever part reads it
        raise CheckpointError(f"{path} is a damaged TorchScript archive") from error
    return archive


def _exported_program(path: Path, entries: list[str]) -> nn.Module:
    names = [name.rsplit("/", 1)[-1] for name in entries]
    if any(name.startswith(_PICKLED_OBJECTS) for name in names):
        raise CheckpointError(f"{path} holds pickled Python objects, which are never run here")
    try:
        with _weights_only(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: Any = torch.export.load(checked_program(path)).module()
    except UnsafeProgramError as error:
        raise CheckpointError(f"{path} is never run: {error}") from error
    except Exception as error:  # a damaged archive fails in whatever part reads it
        detail = " ".join(str(error).split())[:100]
        raise CheckpointError(f"{path} is a damaged .pt2 program: {detail}") from error
    # It has one mode, that in which it was exported, and raises where another is asked for.
    module.train = module.eval = lambda _=True: module
    return module  # type: ignore[no-any-return]


@contextmanager
def _weights_only() -> Iterator[None]:
    """Keep PyTorch from its fallback, which unpickles what it cannot read as tensors."""
    before = os.environ.get(_ONLY_WEIGHTS)
    os.environ[_ONLY_WEIGHTS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ONLY_WEIGHTS]
        else:
            os.environ[_ONLY_WEIGHTS] = before
