"""Why CUDA cannot run here: the driver, a device, or a library that is missing."""

import ctypes
import sys
from pathlib import Path
from typing import Any

INSTALL_CUDA = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'lstm-edge[cuda]'"
"""The line that leaves one distribution of ONNX Runtime, with CUDA and cuDNN beside it."""

_WINDOWS = sys.platform == "win32"
_DRIVER = "nvcuda.dll" if _WINDOWS else "libcuda.so.1"
_PROVIDER = "onnxruntime_providers_cuda.dll" if _WINDOWS else "libonnxruntime_providers_cuda.so"


def preload(runtime: Any) -> None:
    """Load CUDA and cuDNN from the pip packages of the extra, where ONNX Runtime can do that."""
    if not hasattr(runtime, "preload_dlls"):
        return
    # It prints what it did not find; `missing_part` says that in one line. Its own module finds
    # another `print` for that long: the app's standard output is not ours to turn away.
    runtime.print = lambda *_words, **_how: None
    try:
        runtime.preload_dlls(directory="")
    finally:
        del runtime.print


def missing_part(runtime: Any) -> str:
    """Say which part is missing, driver first, and how to get it."""
    return _missing_device() or _missing_library(runtime) or "the session refused it"


def _missing_device() -> str | None:
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return (
            f"this machine has no NVIDIA driver ({_DRIVER} is missing): install one where there "
            "is a GPU, or take --provider cpu"
        )
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)) or not count.value:
        return "the NVIDIA driver finds no device (nvidia-smi -L lists them): take --provider cpu"
    return None


def _missing_library(runtime: Any) -> str | None:
    """Load the provider's own library; the loader names what it lacks."""
    library = Path(runtime.__file__).parent / "capi" / _PROVIDER
    # It is made to be loaded after this one, whose symbols it needs.
    shared = library.with_name(library.name.replace("cuda", "shared"))
    try:
        ctypes.CDLL(str(shared), mode=getattr(ctypes, "RTLD_GLOBAL", 0))
        ctypes.CDLL(str(library))
    except OSError as error:
        return f"a library is missing ({error}): {INSTALL_CUDA}"
    return None
