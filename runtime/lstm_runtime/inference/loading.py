"""From a path and a provider's name to an engine: what was asked for, or the best that runs."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lstm_runtime.bundled import DEFAULT_CPU, DEFAULT_OTHER
from lstm_runtime.errors import ProviderError
from lstm_runtime.inference.checks import require_type
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.providers import candidates, require_build
from lstm_runtime.inference.session import CPU, SessionSettings, import_onnxruntime
from lstm_runtime.log import log_info
from lstm_runtime.model_file.checked import ModelFile, ModelSource, read_model_file

Model = TypeVar("Model")


def load_engine(source: ModelSource | None, provider: str, settings: SessionSettings) -> Engine:
    """Open a model file, or the package's own, on a provider; with ``auto`` on the best.

    Raises:
        ModelFileError: when the file is missing, damaged, foreign or of a newer version.
        ProviderError: when the provider that was asked for cannot run here.
        MissingExtraError: when onnxruntime is not installed.
        InputError: when a setting is of a wrong type.

    """
    require_type("provider", provider, str)
    require_type("provider_options", settings.provider_options, Mapping)
    if settings.options is not None:
        require_type("session_options", settings.options, import_onnxruntime().SessionOptions)
    names = candidates(provider)
    reason = "" if len(names) > 1 else "the only one in this onnxruntime"
    file: ModelFile | None = None
    for name in names:
        try:
            require_build(name)  # before the file: what is missing here matters more
            if file is None or source is None:
                bundled = DEFAULT_CPU if name == CPU else DEFAULT_OTHER
                file = read_model_file(bundled if source is None else source)
            engine = open_engine(file, name, settings)
        except ProviderError as error:
            if name == names[-1]:
                raise
            reason = f"because {error}"
            continue
        if provider == "auto":
            log_info(__name__, f"auto: {name} {reason}")
        return engine
    raise ProviderError("this onnxruntime has no execution provider: install it again")


def open_engine(file: ModelFile, provider: str, settings: SessionSettings) -> Engine:
    """Open a file that was read on one provider, and see that it runs there.

    Raises:
        ModelFileError: when ONNX Runtime cannot load the file.
        ProviderError: when the provider cannot run it here.

    """
    engine = Engine.open(file, provider, settings)
    if provider != CPU:
        from lstm_runtime.inference.probing import require_running  # the CPU runs everything

        require_running(engine)
    return engine


def reopened(make: Callable[..., Model], file: ModelFile, provider: str, *more: Any) -> Model:
    """Return ``make(engine, threads, max_tokens)`` of what a pickle holds: the model's own class.

    Args:
        make: the class.
        file: what was loaded, its bytes among it.
        provider: what it ran on.
        more: the settings of its sessions, threads and ``max_tokens``.

    """
    settings, *others = more
    return make(open_engine(file, provider, settings), *others)
