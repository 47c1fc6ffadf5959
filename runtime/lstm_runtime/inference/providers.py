"""Execution providers: which one runs here, and if not, why and what to install.

The rule: what was asked for either runs or is an error. Only ``auto`` may choose.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from lstm_runtime.errors import MissingExtraError, ModelFileError, ProviderError
from lstm_runtime.inference import cuda
from lstm_runtime.inference.cuda import INSTALL_CUDA
from lstm_runtime.inference.session import (
    CPU,
    CUDA,
    SessionSettings,
    create_session,
    import_onnxruntime,
)
from lstm_runtime.kernel.library import OPERATOR, kernel_in_use
from lstm_runtime.log import log_warning
from lstm_runtime.model_file.contract import Precision
from lstm_runtime.model_file.front_end import FrontEnd, find_front_end, with_outputs
from lstm_runtime.model_file.pruning import Cut, cut_to_scores

__all__ = ["CPU", "CUDA", "import_onnxruntime", "open_session"]

PROVIDER_WORDS = {"cpu": CPU, "cuda": CUDA}


def candidates(provider: str) -> list[str]:
    """Return the providers that ``provider`` stands for, best first.

    Raises:
        MissingExtraError: when onnxruntime is not installed.

    """
    if provider != "auto":
        return [PROVIDER_WORDS.get(provider, provider)]
    return [name for name in (CUDA, CPU) if name in import_onnxruntime().get_available_providers()]


class OpenedSession(NamedTuple):
    """A session, and what it was made of."""

    session: Any
    "An ``onnxruntime.InferenceSession`` that lists the wanted provider first."
    kernel: str | None
    "The instruction set of the int8 kernel; None where ONNX Runtime's own operators run."
    front_end: FrontEnd | None = None
    "Two outputs more of a session of scores only: what its graph made of the texts."


def open_session(
    model: bytes, provider: str, settings: SessionSettings | None = None
) -> OpenedSession:
    """Open ``model`` on one provider.

    Args:
        model: an ONNX file that is our own, or that was checked: `ModelFile.data`.
        provider: ``cpu``, ``cuda`` or the name of any ONNX Runtime provider.
        settings: how the session is made; None for the defaults.

    Raises:
        ModelFileError: when ONNX Runtime cannot load it.
        ProviderError: when the provider cannot run here; the message says why and what to do.

    """
    name = PROVIDER_WORDS.get(provider, provider)
    runtime = require_build(name)
    if name == CUDA:
        cuda.preload(runtime)
    opened = _open(model, name, settings or SessionSettings())
    if name not in opened.session.get_providers():
        why = cuda.missing_part(runtime) if name == CUDA else "a device or a library is missing"
        raise ProviderError(f"{name} cannot run here: {why}")
    return opened


def _open(data: bytes, provider: str, settings: SessionSettings) -> OpenedSession:
    """Open with the kernel where it runs, else stock."""
    int8_on_cpu = provider == CPU and OPERATOR in data
    may_run = int8_on_cpu and settings.kernel and settings.options is None
    kernel = kernel_in_use() if may_run else None
    front_end = find_front_end(data) if settings.only_scores else None
    is_cut = int8_on_cpu and settings.only_scores

    def cut(*, joined: bool) -> Cut:
        """Return what a session of these settings needs of the file."""
        if is_cut:
            return cut_to_scores(data, front_end or (), joined=joined, apart=joined)
        return Cut(with_outputs(data, front_end) if front_end else data, {})

    session = _open_with_kernel(cut, provider, settings) if kernel else None
    if session is None:
        kernel = None
        stock = settings._replace(kernel=False)
        session = create_session(cut(joined=False).data, provider, stock)
    return OpenedSession(session, kernel, front_end)


def _open_with_kernel(cut: Callable[..., Cut], provider: str, settings: SessionSettings) -> Any:
    """Return a session on the kernel, its nodes joined where they can be; None where it refuses."""
    for joined in (True, False) if settings.only_scores else (False,):
        try:
            found = cut(joined=joined)
            return create_session(found.data, provider, settings, apart=found.apart)
        except ModelFileError as error:
            refused = error
    log_warning(__name__, f"ONNX Runtime's own LSTM runs, since the kernel refused: {refused}")
    return None


def require_build(name: str) -> Any:
    """Check that the installed build of ONNX Runtime holds the provider ``name``; return it.

    Raises:
        ProviderError: when it does not; tells a missing, a doubled and a CPU-only install apart.
        MissingExtraError: when the CPU is wanted and onnxruntime is not installed.

    """
    try:
        runtime = import_onnxruntime()
    except MissingExtraError as error:
        if name != CUDA:
            raise
        raise ProviderError("no onnxruntime is installed: pip install 'lstm-edge[cuda]'") from error
    available = runtime.get_available_providers()
    if name in available:
        return runtime
    if name == CUDA:
        raise ProviderError(_no_cuda(installed_distributions()))
    words = ", ".join(["auto", *PROVIDER_WORDS, *available])
    raise ProviderError(f"no execution provider {name!r} in this onnxruntime; there is {words}")


def require_precision(provider: str, precision: Precision) -> None:
    """Check that the operators of ``precision`` exist on ``provider``.

    Raises:
        ProviderError: for an int8 file on anything but the CPU, where its LSTM would silently
            run on the CPU.

    """
    if precision == "int8" and provider != CPU:
        raise ProviderError(
            f"an int8 file runs on the CPU only, not on {provider}: take the model.fp16.onnx or "
            "model.onnx that lstm-export wrote beside it"
        )


def installed_distributions() -> list[str]:
    """Return which distributions of onnxruntime are installed; two overwrite each other's files."""
    from importlib import metadata  # 25 ms, needed for reports only

    found = []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _no_cuda(distributions: list[str]) -> str:
    if len(distributions) > 1:
        return (
            f"{' and '.join(distributions)} are both installed and overwrite each other's files, "
            f"so CUDA is gone: {INSTALL_CUDA}"
        )
    return f"the installed {' '.join(distributions) or 'onnxruntime'} has no CUDA: {INSTALL_CUDA}"
