"""The kernel's library: where it is, whether it may run, and with which instructions.

It is built with the package (``hatch_build.py``) and takes the place of ONNX Runtime's own int8
LSTM in the sessions that it is registered on. Where it is missing, files run stock: about half as
fast, and with answers that differ in the third decimal, since ONNX Runtime quantises the
activations of a whole run at once and the kernel those of each text and step.
"""

import ctypes
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from lstm_runtime.errors import ProviderError
from lstm_runtime.log import log_warning
from lstm_runtime.package_files import package_file

VARIABLE = "LSTM_EDGE_KERNEL"
"""Environment: ``none`` runs files stock; the name of an instruction set runs that one or fails."""

STOCK = "none"
"""What stands for ONNX Runtime's own operator wherever a kernel is named."""

OPERATOR = b"DynamicQuantizeLSTM"
"""The operator that the kernel replaces, as a file spells it."""

_TOO_SLOW = "portable"
_NAMES = ("lstm_edge.so", "lstm_edge.dll")


def kernel_in_use() -> str | None:
    """Return the instruction set that int8 files run on; None where they run stock.

    Raises:
        ProviderError: when the environment names an instruction set that cannot run here.

    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted == STOCK:
        return None
    library = _library()
    # The library looks at the environment too: its answer is about what was asked for.
    found = library.lstm_edge_instruction_set().decode() if library else ""
    if wanted and not found:
        why = "this processor or build lacks it" if library else "the kernel was not built"
        raise ProviderError(f"{VARIABLE}={wanted} cannot run here: {why}")
    return None if found == _TOO_SLOW and not wanted else found or None


def register_kernel(options: Any) -> None:
    """Let the kernel take the operator's place in sessions made with these ``SessionOptions``.

    To be called where `kernel_in_use` named an instruction set.
    """
    options.register_custom_ops_library(str(library_path()))


@lru_cache(maxsize=1)
def library_path() -> Path | None:
    """Return the library that was built with this package; None where none was."""
    paths = (package_file("kernel", name) for name in _NAMES)
    return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    path = library_path()
    if path is None:
        return None
    try:
        library = ctypes.CDLL(str(path))
        library.lstm_edge_instruction_set.restype = ctypes.c_char_p
    except (OSError, AttributeError) as error:
        # Built for another machine or C library: the files run stock, as without it.
        log_warning(
            __name__, f"{path.name} cannot be loaded, ONNX Runtime's own operator runs: {error}"
        )
        return None
    return library
