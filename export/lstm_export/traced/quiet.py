"""Silence: PyTorch's exporters warn of much that is checked here anyway."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_LOUD = ("torch", "onnxscript", "onnx_ir", "lstm_export")
"""Packages whose warnings and log lines are for authors of exporters, and our calls of them."""

_NEVER = logging.CRITICAL + 1


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what PyTorch's exporters warn of and log from the user's terminal.

    Nothing else is silenced: an app's other threads go on printing, logging and warning. What
    PyTorch's C++ warns of is its own to silence, by ``TORCH_CPP_LOG_LEVEL`` before it is loaded.
    """
    native: Any = torch._C
    jit: Any = torch.jit
    print_graph = native._jit_onnx_log
    loggers = list(map(logging.getLogger, _loud_loggers()))
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jit.TracerWarning)
        for package in _LOUD:
            warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")
        warnings.filterwarnings("ignore", message=".*treespec, LeafSpec", category=FutureWarning)
        for logger in loggers:
            logger.setLevel(_NEVER)
        try:
            # Prints the whole graph where an exporter fails, though another may do.
            native._jit_onnx_log = lambda *_: None
            yield
        finally:
            native._jit_onnx_log = print_graph
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def without_prints() -> Iterator[None]:
    """Keep ``torch.export`` from printing the program that it could not finish."""
    from torch.export import _trace

    names: dict[str, Any] = vars(_trace)
    names["print"] = lambda *_, **__: None
    try:
        yield
    finally:
        del names["print"]


def _loud_loggers() -> list[str]:
    """Return the packages' own loggers and those below them that are there already."""
    known = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _LOUD]
    return [*_LOUD, *(name for name in known if name not in _LOUD)]
