"""The guard that turns a missing or broken library into one line that says what mends it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lstm_runtime.errors import MissingExtraError

_DISTRIBUTIONS = {"onnxruntime": "onnxruntime (or onnxruntime-gpu)", "sklearn": "scikit-learn"}

_BACKEND = "MPLBACKEND"


@contextmanager
def requires_extra(*extras: str) -> Iterator[None]:
    """Wrap imports that need optional extras of the ``lstm-edge`` distribution.

    Raises:
        MissingExtraError: when a library is missing, or there and cannot be loaded; the message is
            the pip line that mends it.

    """
    try:
        with _without_backend():
            yield
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and "." not in (error.name or "."):
            wanted = ",".join(extras)
            message = f"{error.name} is not installed: pip install 'lstm-edge[{wanted}]'"
        else:
            message = broken_library(error)
        raise MissingExtraError(message) from error
    except UnicodeDecodeError as error:
        library = _raised_by(error)
        if library.startswith("lstm_"):
            raise
        # Matplotlib logs which file, such as a matplotlibrc in the working folder.
        raise MissingExtraError(f"{library} cannot be loaded: its settings: {error}") from error


@contextmanager
def _without_backend() -> Iterator[None]:
    """Let matplotlib be imported whatever window ``MPLBACKEND`` asks for: we open none.

    Jupyter names one of its own to all that it starts, in environments too that do not have it.
    A program that does open windows gets the one that it asked for.
    """
    wanted = os.environ.pop(_BACKEND, "")
    if not wanted:
        yield
        return
    before = "matplotlib" in sys.modules
    try:
        yield
    finally:
        os.environ[_BACKEND] = wanted
        if not before and "matplotlib" in sys.modules:
            with suppress(ValueError):  # one that is not there
                sys.modules["matplotlib"].rcParams["backend"] = wanted


def broken_library(error: ImportError) -> str:
    """Return what mends a library that is there and cannot be loaded, such as without its DLL."""
    library = (error.name or "").split(".")[0] or _raised_by(error)
    cause: BaseException = error
    while isinstance(cause.__cause__ or cause.__context__, ImportError):
        cause = cause.__cause__ or cause.__context__ or cause
    reason = str(cause).strip().split("\n", maxsplit=1)[0][:200]
    also = " and install Microsoft's Visual C++ runtime" if sys.platform == "win32" else ""
    return (
        f"{library or 'a library'} cannot be loaded ({reason}): pip install --force-reinstall "
        f"{_DISTRIBUTIONS.get(library, library)}{also}"
    )


def _raised_by(error: Exception) -> str:
    """Return the library, none of Python's own, that an error comes from."""
    library, frame = "", error.__traceback__
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__", "")).split(".")[0]
        library = library if module in sys.stdlib_module_names else module
        frame = frame.tb_next
    return library
