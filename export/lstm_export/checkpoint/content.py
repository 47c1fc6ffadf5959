"""What is in a checkpoint file, without running any code in it."""

import hashlib
import json
import shlex
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lstm_training.checkpoint import load_content
from lstm_training.errors import CheckpointError
from lstm_training.file_kind import is_inflated, zip_names
from torch import Tensor

from lstm_export.checkpoint.archives import load_program
from lstm_export.errors import UnsupportedModelError

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "module", "weights")
"""Keys under which training scripts put the weights."""

_RECURRENT = ("weight_hh_l0", "weight_hh_l0_v", "weight_hh_l0_orig", "weight_hh")
"""Ends of the names by which the weights of an LSTM are known."""

_LONGEST_PLACE = 1000
"""Characters that tell how to get at weights in a file; nobody puts them deeper."""

FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")
"""What a folder of Hugging Face's libraries holds its weights in, the better form first."""


@dataclass(frozen=True)
class Content:
    """What a checkpoint file holds."""

    value: Any
    "Tensors and plain values, or the module of an archive with a program."
    path: Path
    "The file that they were in."
    sha256: str
    "SHA-256 of that file."

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """What a Lightning checkpoint says its module was built with; empty for other files."""
        found = self.value.get("hyper_parameters") if isinstance(self.value, Mapping) else None
        return {str(name): value for name, value in found.items()} if found else {}


def read_content(path: Path) -> Content:
    """Return the content of a checkpoint, whatever usual form it has.

    That is a file of ``torch.save``, an archive with a program, a safetensors file, or a folder as
    Hugging Face's libraries write it.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.

    """
    file = _file_of(path)
    read = _read_safetensors if _is_safetensors(file) else _read_arrays if _is_npz(file) else None
    value = read(file) if read else _read_torch(file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Content(value, file, digest)


def _file_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in FOLDER_FILES:
        if (path / name).is_file():
            return path / name
    raise CheckpointError(
        f"{path} is a folder without {' or '.join(FOLDER_FILES)}: name the checkpoint file"
    )


def _is_safetensors(path: Path) -> bool:
    """Tell by the file's header, 8 bytes of its length and then JSON; its name may be any."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(9)
    return len(start) == 9 and start.endswith(b"{") and not start.startswith(b"PK")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is a damaged safetensors file: {error}") from error


def _is_npz(path: Path) -> bool:
    """Tell whether a file is what ``numpy.savez`` writes."""
    names = zip_names(path) if path.is_file() else None
    return bool(names) and all(name.endswith(".npy") for name in names or ())


def _read_arrays(path: Path) -> dict[str, Any]:
    """Read NumPy's arrays by name; no pickled objects among them."""
    if is_inflated(path):
        raise CheckpointError(f"{path} unpacks to more than weights do")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: _as_tensor(arrays[name]) for name in arrays.files}
    except MemoryError:
        raise
    except Exception as error:  # damage shows as whatever the reader stumbles over
        detail = " ".join(str(error).split())[:100]
        raise CheckpointError(f"{path} is a damaged file of NumPy arrays: {detail}") from error


def _read_torch(path: Path) -> Any:
    program = load_program(path)
    return load_content(path) if program is None else program


def unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict, without what a training script wrapped around it.

    It may lie under any key, where the file holds the weights of one model: beside a running mean
    of them only their owner knows which are meant.

    Raises:
        UnsupportedModelError: when there is none, or there are several that differ.

    """
    found = dict(_wrapped(content))
    if len(found) > 1 and not _are_equal(*found.values()):
        raise UnsupportedModelError(
            f"{path} holds the weights of {len(found)} models, {' and '.join(found)}: save the one "
            f"that you want alone: {_resave(path, next(iter(found)))}"
        )
    content = next(iter(found.values())) if found else _below_usual_keys(content)
    if isinstance(content, Mapping):
        state = {str(name): _as_tensor(value) for name, value in content.items()}
        if state and all(isinstance(value, Tensor) for value in state.values()):
            return state
    if not isinstance(content, Mapping):
        raise UnsupportedModelError(f"{path} holds a {type(content).__name__}, not a state dict")
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    raise UnsupportedModelError(
        f"{path} holds no state dict: neither {', '.join(WRAPPERS)} nor tensors alone, but "
        f"{', '.join(others[:6]) or 'nothing'}"
    )


def _wrapped(content: Any) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """Yield the mappings inside ``content`` that hold the weights of an LSTM, with their places.

    Each once, without recursion: a file may nest its content as deep as it likes, or in a circle.
    """
    kinds = (Mapping, tuple, list)
    waiting, seen = deque([("", content)] if isinstance(content, kinds) else []), set[int]()
    while waiting:
        place, part = waiting.popleft()
        if id(part) in seen or len(place) > _LONGEST_PLACE:
            continue
        seen.add(id(part))
        if isinstance(part, Mapping) and any(str(name).endswith(_RECURRENT) for name in part):
            yield place, part
            continue
        items = part.items() if isinstance(part, Mapping) else enumerate(part)
        waiting.extend(
            (f"{place}[{_shown(key)}]", value) for key, value in items if isinstance(value, kinds)
        )


def _shown(key: Any) -> str:
    return json.dumps(key) if isinstance(key, str) else repr(key)


def _below_usual_keys(content: Any) -> Any:
    """Return what lies under the usual keys, of a file without an LSTM."""
    seen = set[int]()
    while isinstance(content, Mapping) and id(content) not in seen:
        seen.add(id(content))
        inside = (content[key] for key in WRAPPERS if isinstance(content.get(key), Mapping))
        content = next(inside, content)
    return content


def _are_equal(first: Mapping[Any, Any], *others: Mapping[Any, Any]) -> bool:
    """Tell whether mappings hold equal tensors under the same names."""
    weights = _tensors(first)
    return all(
        weights.keys() == found.keys()
        and all(_is_same(value, found[name]) for name, value in weights.items())
        for found in map(_tensors, others)
    )


def _tensors(content: Mapping[Any, Any]) -> dict[Any, Tensor]:
    values = {name: _as_tensor(value) for name, value in content.items()}
    return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def _is_same(first: Tensor, second: Tensor) -> bool:
    return first.dtype == second.dtype and torch.equal(first, second)


def _as_tensor(value: Any) -> Any:
    """Return an array of numbers as a tensor; all else as it is."""
    numeric = isinstance(value, np.ndarray) and value.dtype.kind in "fiub"
    return torch.from_numpy(np.array(value)) if numeric else value


def _resave(path: Path, place: str) -> str:
    """Return the shell command that saves a part of a file, in its folder."""
    old, new = (json.dumps(str(p)) for p in (path, path.with_name(f"{path.stem}.weights.pt")))
    code = f'import torch; torch.save(torch.load({old}, map_location="cpu"){place}, {new})'
    return f"python -c {shlex.quote(code)}"
