"""Values beside the weights that PyTorch's safe loader may build, since building them runs no code.

Training scripts put NumPy scalars, paths, their argparse options and Lightning's hyperparameters
into a checkpoint. ``torch.load(weights_only=True)`` refuses a whole file for one of them. Each name
here is either harmless to call, or stands for a plain container of the same content.
"""

import argparse
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, time, timedelta, timezone
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import torch
from numpy._core import multiarray

_PATHS = {"PosixPath": PurePosixPath, "WindowsPath": PureWindowsPath, "PurePath": PurePath}
_DICTS = (
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning.pytorch.utilities.parsing.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)
_ARRAY_CODES = "?bBhHiIlLqQefdgFDUSO"
"""The types of NumPy's elements, each of which has a class of its own."""


def plain_values() -> AbstractContextManager[Any]:
    """Return the context in which ``torch.load`` builds the values of this module.

    PyTorch before 2.6 cannot name a stand-in: there it is an empty context.
    """
    if not torch.__version__ >= "2.6":
        return nullcontext()
    return torch.serialization.safe_globals(_allowed())


def _empty_dict(*_factory: Any) -> dict[Any, Any]:
    """Stand in for defaultdict, which the loader cannot fill."""
    return {}


def _allowed() -> list[Any]:
    allowed: list[Any] = [np.ndarray, np.dtype, argparse.Namespace, list, dict, int, range, slice]
    allowed += [datetime, date, time, timedelta, timezone]
    allowed += [type(np.dtype(code)) for code in _ARRAY_CODES]
    # NumPy renamed its module; files name the one that wrote them.
    for home in ("numpy._core.multiarray", "numpy.core.multiarray"):
        allowed.append((multiarray.scalar, f"{home}.scalar"))
        allowed.append((multiarray._reconstruct, f"{home}._reconstruct"))
    for name, stand_in in _PATHS.items():
        allowed += [(stand_in, f"pathlib.{name}"), (stand_in, f"pathlib._local.{name}")]
    # The class itself, since the loader fills only what it knows as a dict.
    allowed += [(dict, name) for name in _DICTS]
    allowed.append((_empty_dict, "collections.defaultdict"))
    return allowed
