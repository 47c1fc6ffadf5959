"""Execution providers: which one runs here, and if not, why and what to install.

The rule: what was asked for either runs or is an error. Only ``auto`` may choose.
"""

import logging
import os
from importlib import metadata
from pathlib import Path
from typing import Any

from lstm_runtime.contract import Precision
from lstm_runtime.errors import ModelFileError, ProviderError
from lstm_runtime.extras import requires_extra

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
PROVIDER_WORDS = {"cpu": CPU, "cuda": CUDA}

INSTALL_CUDA = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'lstm-edge[cuda]'"

_FATAL_ONLY = 4
_log = logging.getLogger(__name__)


def import_onnxruntime() -> Any:
    """Return onnxruntime, with its own log held down to what is fatal.

    Raises:
        MissingExtraError: when neither distribution of onnxruntime is installed.

    """
    with requires_extra("cpu"):
        import onnxruntime  # noqa: PLC0415 - the command's --help must not pay for it
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)
    return onnxruntime


def installed_distributions() -> list[str]:
    """Return which distributions of onnxruntime are installed; two overwrite each other's files."""
    found = []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """Return how many cores this process may use, which in a container is not all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(model: Path, provider: str, threads: int | None = None) -> Any:
    """Open ``model`` on the provider that was asked for.

    Args:
        model: path of an ``.onnx`` file.
        provider: ``auto``, ``cpu``, ``cuda`` or the name of any ONNX Runtime provider.
        threads: threads of one run; None for the cores that this process may use.

    Returns:
        An ``onnxruntime.InferenceSession`` that really runs on that provider.

    Raises:
        ModelFileError: when the file is missing or is not an ONNX model that can be loaded.
        ProviderError: when the provider cannot run here.

    """
    runtime = import_onnxruntime()
    if not model.is_file():
        raise ModelFileError(f"{model}: no such file")
    if provider == "auto":
        return _open_best(runtime, model, threads)
    name = PROVIDER_WORDS.get(provider, provider)
    _require_build(runtime, name)
    return _open(runtime, model, name, threads)


def require_precision(provider: str, precision: Precision) -> None:
    """Check that the operators of ``precision`` exist on ``provider``.

    Raises:
        ProviderError: for an int8 file on anything but the CPU, where its LSTM would silently
            run on the CPU.

    """
    if precision == "int8" and provider != CPU:
        raise ProviderError(
            f"an int8 file runs on the CPU only, not on {provider}: take the model.onnx (fp32) "
            "that lstm-export wrote beside it"
        )


def _open_best(runtime: Any, model: Path, threads: int | None) -> Any:
    """Open on CUDA where it is built in and runs, else on the CPU, and log which and why."""
    if CUDA in runtime.get_available_providers():
        try:
            return _open(runtime, model, CUDA, threads)
        except ProviderError as error:
            _log.info("auto: CPU, because %s", error)
    return _open(runtime, model, CPU, threads)


def _require_build(runtime: Any, name: str) -> None:
    """Check that the installed build of ONNX Runtime holds the provider ``name``."""
    available = runtime.get_available_providers()
    if name in available:
        return
    distributions = installed_distributions()
    if name != CUDA:
        words = ", ".join(["auto", *PROVIDER_WORDS, *available])
        raise ProviderError(f"no execution provider {name!r} in this onnxruntime; there is {words}")
    if len(distributions) > 1:
        raise ProviderError(
            f"{' and '.join(distributions)} are both installed and overwrite each other's files, "
            f"so CUDA is gone: {INSTALL_CUDA}"
        )
    raise ProviderError(
        f"the installed {' '.join(distributions) or 'onnxruntime'} has no CUDA: {INSTALL_CUDA}"
    )


def _open(runtime: Any, model: Path, name: str, threads: int | None) -> Any:
    if name == CUDA and hasattr(runtime, "preload_dlls"):
        # Finds cuDNN and cuBLAS in the pip packages of the extra; an empty string is its default.
        runtime.preload_dlls(directory="")
    try:
        session = runtime.InferenceSession(
            str(model), _session_options(runtime, threads), providers=[name]
        )
    except Exception as error:
        if name == CPU:
            raise ModelFileError(f"{model} is not a model that ONNX Runtime can load") from error
        raise ProviderError(f"{name} cannot run here: {_first_line(error)}") from error
    if name not in session.get_providers():
        raise ProviderError(
            f"{name} cannot run here: a driver, a device or one of its libraries is missing "
            f"(nvidia-smi shows the driver and the device): {INSTALL_CUDA}"
        )
    return session


def _session_options(runtime: Any, threads: int | None) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads or usable_cores()
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning ones would take the cores of the app around us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Lengths differ from text to text; both of these would keep memory for each new one.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    # Inputs that are also initializers (h0, c0) would be warned about in every app.
    options.log_severity_level = _FATAL_ONLY
    return options


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
