"""The reports of ``lstm-run --info`` and ``--verify``: what runs here, the card, and the proof."""

import json
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from lstm_runtime.errors import LstmEdgeError
from lstm_runtime.inference.cores import usable_cores
from lstm_runtime.inference.providers import PROVIDER_WORDS, installed_distributions
from lstm_runtime.inference.session import import_onnxruntime, quiet_onnxruntime
from lstm_runtime.inference.verification import Verification
from lstm_runtime.kernel.library import STOCK, kernel_in_use
from lstm_runtime.model import SentimentModel
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.version import __version__

_CARD = ("labels", "threshold", "precision", "architecture", "tokenizer", "metrics", "training",
         "versions", "parity", "tolerance", "source_sha256", "format_version")  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """All that a bug report needs; holds no text and no name of a user."""

    lstm_edge: str
    "Version of the package."
    python: str
    "Version and implementation."
    machine: str
    "Operating system and processor architecture."
    cores: int
    "Cores that this process may use."
    numpy: str
    "Version."
    onnxruntime: tuple[str, ...]
    "Installed distributions with versions; two of them overwrite each other's files."
    providers: dict[str, str]
    "Provider word to 'runs', or to the reason why it cannot."
    kernel: str
    "Instruction set of the int8 kernel; 'none' where ONNX Runtime's own operators run."
    model: str
    "Name of the model file."
    card: dict[str, Any]
    "What the model file says about itself; empty where it cannot be loaded."


def environment(model_file: Path | None) -> Environment:
    """Look around; loads the model on every provider there is a word for."""
    quiet_onnxruntime()
    providers, loaded = {}, None
    for word in PROVIDER_WORDS:
        try:
            found = SentimentModel.load(model_file, word)
            found("a")
        except LstmEdgeError as error:
            providers[word] = str(error)
            continue
        providers[word] = "runs"
        loaded = loaded or found
    return Environment(
        lstm_edge=__version__,
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        cores=usable_cores(),
        numpy=np.__version__,
        onnxruntime=_onnxruntime(),
        providers=providers,
        kernel=kernel_in_use() or STOCK,
        model=loaded.path.name if loaded else str(model_file or "the package's own"),
        card=_card(loaded.metadata) if loaded else {},
    )


def _onnxruntime() -> tuple[str, ...]:
    """Return the installed distributions; in an app of PyInstaller there is only the library."""
    found = tuple(installed_distributions())
    if not found:
        with suppress(LstmEdgeError):
            found = (f"onnxruntime {import_onnxruntime().__version__}",)
    return found


def environment_json(found: Environment) -> str:
    """Return the report as one JSON object."""
    return json.dumps(vars(found))


def environment_lines(found: Environment) -> Iterator[str]:
    """Yield the report as lines of ``name: value``."""
    for field in fields(found):
        value = getattr(found, field.name)
        if isinstance(value, dict):
            yield f"{field.name.replace('_', '-')}:"
            yield from _nested(value, "  ")
        else:
            text = ", ".join(value) if isinstance(value, tuple) else value
            yield f"{field.name.replace('_', '-')}: {text or 'none'}"


def verification_line(model: SentimentModel, found: Verification) -> str:
    """Return in words what `SentimentModel.verify` found."""
    both = ", ".join(f"{name} {largest:.1e}" for name, largest in found.differences.items())
    kernels = f"; by kernel: {both}" if len(found.differences) > 1 else ""
    return (
        f"{model.path.name} verified on {model.provider}: {found.count} reference answers, "
        f"largest difference {found.max_difference:.1e} (allowed {found.tolerance:.1e}){kernels}"
    )


def verification_json(model: SentimentModel, found: Verification) -> str:
    """Return the fields of `Verification` with the model's name and provider."""
    where = {"model": model.path.name, "provider": model.provider}
    return json.dumps(where | vars(found) | {"passed": found.passed})


def _nested(values: dict[str, Any], indent: str) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield f"{indent}{name}:"
            yield from _nested(value, indent + "  ")
        else:
            yield f"{indent}{name}: {value}"


def _card(found: Metadata) -> dict[str, Any]:
    """Return the metadata without its long parts, in plain JSON types."""
    values = {name: json.loads(text) for name, text in found.to_props().items() if name in _CARD}
    return {name: values[name] for name in _CARD if values[name] is not None}
