"""ONNX Runtime sessions, with the settings that a guest in someone's app should have."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from lstm_runtime.errors import LstmEdgeError, ModelFileError, ProviderError
from lstm_runtime.extras import requires_extra
from lstm_runtime.inference.bounds import bound_memory
from lstm_runtime.kernel.library import register_kernel

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

_FATAL_ONLY = 4

_OPTIONS = {CUDA: {"use_tf32": "0"}}
"""Options of a provider where none are given.

TF32, which ONNX Runtime allows, keeps ten bits of each factor: on an H200 the bundled model's
probabilities were up to 3e-4 away from those of a CPU. Fast and less exact is what fp16 is for.
"""

_WITHOUT_OPTIONS = (CPU, "AzureExecutionProvider")


class SessionSettings(NamedTuple):
    """How a session is made."""

    options: Any = None
    "An ``onnxruntime.SessionOptions``, used as it is; None for `default_options`."
    provider_options: dict[str, str] | None = None
    "Options of the execution provider, as ONNX Runtime documents them; on CUDA, TF32 is off."
    kernel: bool = True
    "Whether the int8 kernel may run: on the CPU, where it can, with the package's own options."
    only_scores: bool = False
    "Whether an int8 file on the CPU is cut down to what its scores need, and tokens and ids shown."


def import_onnxruntime() -> Any:
    """Return onnxruntime with its telemetry off; nothing else of it changes for the app around.

    The packages import onnxruntime nowhere else. Its official builds from 1.29 on report to
    Microsoft, and write a device's id below the home folder, unless ``ORT_DISABLE_TELEMETRY`` is
    in the environment before the library loads: afterwards is too late. An app that wants to
    report sets it to 0.

    Raises:
        MissingExtraError: when neither distribution of onnxruntime is installed.

    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    with requires_extra("cpu"):
        import onnxruntime  # the command's --help must not pay for it
    if not hasattr(onnxruntime, "InferenceSession"):
        # What is left of the folder when one of two installed distributions was removed.
        raise ProviderError(
            "the installed onnxruntime is broken: "
            "pip install --force-reinstall onnxruntime (or onnxruntime-gpu)"
        )
    if os.environ["ORT_DISABLE_TELEMETRY"] == "1":
        onnxruntime.disable_telemetry_events()  # what older builds for Windows obey
    return onnxruntime


def quiet_onnxruntime() -> None:
    """Hold ONNX Runtime's own log down to what is fatal, in this whole process.

    For our commands, which are the process; an app's log is the app's. They call it before they
    load a model, with few calls open: Python's stack grows by pieces of 16 KB, and across an edge
    every call gets a piece from the system and gives it back, a thousand times where modules
    within modules import NumPy.
    """
    import numpy  # noqa: F401 - see above; ONNX Runtime's modules would import it within them

    with suppress(LstmEdgeError):  # whoever needs it says why it is not there
        import_onnxruntime().set_default_logger_severity(_FATAL_ONLY)


def default_options(runtime: Any, provider: str) -> Any:
    """Return the ``SessionOptions`` of this package for one provider."""
    options = runtime.SessionOptions()
    # The steps of one text are too small to share: a second thread made them slower.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Waiting threads sleep: spinning ones would take the cores of the app around us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Lengths differ from text to text; both of these would keep memory for each new one.
    options.enable_mem_pattern = False
    options.enable_cpu_mem_arena = False
    # Inputs that are also initializers (h0, c0) would be warned about in every app.
    options.log_severity_level = _FATAL_ONLY
    if provider == CPU:
        bound_memory(runtime, options)
        # lstm-export writes the graph as it should run: optimising it costs a quarter of the load
        # time and makes no answer faster.
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def create_session(
    data: bytes,
    provider: str,
    settings: SessionSettings,
    profile: Path | None = None,
    apart: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """Create an ``onnxruntime.InferenceSession`` of the model ``data`` on ``provider``.

    Weights that it lacks are read where they lie, in the arrays ``apart``, by their names.
    With ``settings.kernel`` and no options of the caller's, the kernel is registered. With
    ``profile``, the beginning of a file's path, a profile is written, and the caller's options are
    left out: they are an object of theirs.

    Raises:
        ModelFileError: when the bytes are not a model that ONNX Runtime can load on the CPU.
        ProviderError: when another provider refuses.

    """
    runtime = import_onnxruntime()
    options = settings.options
    if options is None or profile:
        options = default_options(runtime, provider)
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    given = _OPTIONS.get(provider, {}) | (settings.provider_options or {})
    chosen = (provider, given) if given else provider
    try:
        if settings.kernel and settings.options is None:
            register_kernel(options)
        if apart:
            values = map(runtime.OrtValue.ortvalue_from_numpy, apart.values())
            options.add_external_initializers(list(apart), list(values))
        # Where a provider fails, it would say so on standard output and take the CPU.
        session = runtime.InferenceSession(data, options, providers=[chosen], enable_fallback=0)
    except Exception as error:  # ONNX Runtime's own classes share no base but this
        if provider == CPU:
            raise ModelFileError(
                f"not a model that ONNX Runtime {runtime.__version__} can load: {brief(error)}"
            ) from error
        raise ProviderError(f"{provider} cannot run here: {brief(error)}") from error
    session.weights_apart = apart  # for as long as the session lives, in any thread
    _check_options(session, provider, settings.provider_options or {})
    return session


def _check_options(session: Any, provider: str, given: Mapping[str, str]) -> None:
    """Check that the provider has the options that it was given.

    Most refuse others themselves; these take none, and say nothing.
    """
    known = session.get_provider_options().get(provider) or {}
    for name in given:
        if name not in known and (known or provider in _WITHOUT_OPTIONS):
            has = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise ProviderError(f"{provider} has no option {name!r}: {has}")


def brief(error: Exception) -> str:
    """Return the first line of an error of ONNX Runtime, cut to a readable length."""
    return str(error).strip().split("\n", maxsplit=1)[0][:200]
