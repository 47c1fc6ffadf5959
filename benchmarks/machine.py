"""What was measured on: printed with every table."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_LIBRARIES = ("lstm-edge", "onnxruntime", "onnxruntime-gpu", "torch", "onnxscript", "numpy")
_INT8_FLAGS = {"avx2", "avx512_vnni", "avx_vnni", "amx_int8"}


def machine() -> dict[str, str]:
    """Return processor, cores, system and versions."""
    found = {
        "processor": _processor(),
        "int8 instructions": ", ".join(sorted(_flags() & _INT8_FLAGS)) or "unknown",
        "cores": str(len(os.sched_getaffinity(0))),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor()


def _flags() -> set[str]:
    return set(_cpuinfo("flags").split())
