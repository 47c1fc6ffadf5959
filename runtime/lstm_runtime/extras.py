"""The guard that turns a missing or broken library into one line that says what mends it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from lstm_runtime.errors import MissingExtraError

_DISTRIBUTIONS = {"onnxruntime": "onnxruntime (or onnxruntime-gpu)", "sklearn": "scikit-learn"}


@contextmanager
def requires_extra(*extras: str) -> Iterator[None]:
    """Wrap imports that need optional extras of the ``lstm-edge`` distribution.

    Raises:
        MissingExtraError: when a library is missing, or there and cannot be loaded; the message is
            the pip line that mends it.

    """
    try:
        yield
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and "." not in (error.name or "."):
            wanted = ",".join(extras)
            message = f"{error.name} is not installed: pip install 'lstm-edge[{wanted}]'"
        else:
            message = broken_library(error)
        raise MissingExtraError(message) from error


def broken_library(error: ImportError) -> str:
    """Return what mends a library that is there and cannot be loaded, such as without its DLL."""
    library, frame = (error.name or "").split(".")[0], error.__traceback__
    while not library and frame is not None:
        # An error without a name comes from the library that is being loaded.
        if frame.tb_next is None:
            library = str(frame.tb_frame.f_globals.get("__name__", "")).split(".")[0]
        frame = frame.tb_next
    cause: BaseException = error
    while isinstance(cause.__cause__ or cause.__context__, ImportError):
        cause = cause.__cause__ or cause.__context__ or cause
    reason = str(cause).strip().split("\n", maxsplit=1)[0][:200]
    also = " and install Microsoft's Visual C++ runtime" if sys.platform == "win32" else ""
    return (
        f"{library or 'a library'} cannot be loaded ({reason}): pip install --force-reinstall "
        f"{_DISTRIBUTIONS.get(library, library)}{also}"
    )
