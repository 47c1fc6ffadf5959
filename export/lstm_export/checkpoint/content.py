"""What is in a checkpoint file, without running any code in it."""

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lstm_training.checkpoint import load_content
from lstm_training.errors import CheckpointError
from torch import Tensor

from lstm_export.errors import UnsupportedModelError

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts put the weights."""


def read_content(path: Path) -> Any:
    """Return the content of a PyTorch file, or the module of a TorchScript archive.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.

    """
    if not _is_scripted(path):
        return load_content(path)
    try:
        with warnings.catch_warnings():
            # PyTorch advises authors to move on from TorchScript; our users only have the file.
            warnings.simplefilter("ignore")
            return torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise CheckpointError(f"{path} is a damaged TorchScript archive") from error


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict, without what a training script wrapped around it.

    Raises:
        UnsupportedModelError: when there is none.

    """
    if not isinstance(content, Mapping):
        raise UnsupportedModelError(f"{path} holds a {type(content).__name__}, not a state dict")
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            return unwrap(content[key], path)
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        raise UnsupportedModelError(
            f"{path} holds no state dict: neither {', '.join(WRAPPERS)} nor tensors alone, but "
            f"{', '.join(others[:6]) or 'nothing'}"
        )
    return {str(name): value for name, value in content.items()}


def _is_scripted(path: Path) -> bool:
    if not (path.is_file() and zipfile.is_zipfile(path)):
        return False
    with zipfile.ZipFile(path) as parts:
        return any(name.endswith("/constants.pkl") for name in parts.namelist())
