import ctypes
import logging
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from lstm_runtime import MissingExtraError, ProviderError, SentimentModel
from lstm_runtime.inference import cuda, providers, session

HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


class FakeSession:
    """A session of a build with CUDA: lists what it was told to, and fails where told to."""

    def __init__(self, listed: list[str], failure: str | None) -> None:
        self._listed, self._failure = listed, failure

    def get_providers(self) -> list[str]:
        return self._listed

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="probability")]

    def run(self, outputs: list[str], feed: dict[str, Any]) -> list[Any]:
        if self._failure:
            raise RuntimeError(self._failure)
        answers = np.full((len(feed["text"]), 1), 0.9, np.float32)
        return [answers, np.zeros((len(feed["text"]), 1), np.int64)][: len(outputs)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, model_files: dict[str, Path]) -> Any:
    """Pretend that a build with CUDA is installed; returns what decides how it behaves."""
    how = SimpleNamespace(lists=True, fails=None, refuses=None)

    def create(data: bytes, provider: str, settings: object) -> FakeSession:
        on_cuda = provider == session.CUDA
        if on_cuda and how.refuses:
            raise ProviderError(f"{provider} cannot run here: {how.refuses}")
        listed = [provider] if how.lists or not on_cuda else [session.CPU]
        return FakeSession(listed, how.fails if on_cuda else None)

    runtime = SimpleNamespace(
        get_available_providers=lambda: [session.CUDA, session.CPU],
        __file__=onnxruntime.__file__,
        __version__="1",
    )
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: runtime)
    monkeypatch.setattr(providers, "create_session", create)
    how.path = model_files["fp32"]
    return how


def test_auto_takes_cuda_where_it_runs(fake: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="lstm_runtime"):
        assert SentimentModel.load(fake.path).provider == session.CUDA
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "trouble", [{"lists": False}, {"fails": "cuDNN is gone"}, {"refuses": "out of memory"}]
)
def test_auto_falls_back_and_logs_one_line_why(
    fake: Any, trouble: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    vars(fake).update(trouble)
    with caplog.at_level(logging.INFO, logger="lstm_runtime"):
        assert SentimentModel.load(fake.path).provider == session.CPU
    assert len(caplog.records) == 1
    assert "CPUExecutionProvider because CUDAExecutionProvider" in caplog.text


def test_cuda_that_fails_in_the_lstm_is_an_error(fake: Any) -> None:
    fake.fails = "cuDNN is gone\nmore lines"
    with pytest.raises(ProviderError, match=r"fails in this model: cuDNN is gone$"):
        SentimentModel.load(fake.path, "cuda")


def test_cuda_that_the_session_drops_is_an_error(fake: Any) -> None:
    fake.lists = False
    with pytest.raises(ProviderError, match="CUDAExecutionProvider cannot run here"):
        SentimentModel.load(fake.path, "cuda")


def test_cuda_scores_in_batches_by_length(fake: Any) -> None:
    model = SentimentModel.load(fake.path, "cuda")
    texts = [f"text {'long ' * (n % 7)}{n}" for n in range(300)]
    assert [answer.text for answer in model.score_many(texts)] == texts


def test_int8_on_cuda_names_the_other_files(fake: Any, model_files: dict[str, Path]) -> None:
    with pytest.raises(ProviderError, match=r"int8 file runs on the CPU only.*model\.fp16\.onnx"):
        SentimentModel.load(model_files["int8"], "cuda")


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
@pytest.mark.parametrize(
    ("installed", "message"),
    [
        (["onnxruntime"], r"installed onnxruntime 1\.2 has no CUDA: pip uninstall"),
        (["onnxruntime-gpu"], r"installed onnxruntime-gpu 1\.2 has no CUDA: pip uninstall"),
        (
            ["onnxruntime", "onnxruntime-gpu"],
            r"onnxruntime 1\.2 and onnxruntime-gpu 1\.2 are both installed.*pip uninstall",
        ),
    ],
)
def test_a_build_without_cuda_says_what_to_install(
    model_files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    installed: list[str],
    message: str,
) -> None:
    from importlib import metadata

    def version(name: str) -> str:
        if name in installed:
            return "1.2"
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(ProviderError, match=message):
        SentimentModel.load(model_files["fp32"], "cuda")


@pytest.mark.parametrize(
    ("provider", "error", "extra"),
    [
        ("cpu", MissingExtraError, "cpu"),
        ("auto", MissingExtraError, "cpu"),
        ("cuda", ProviderError, "cuda"),
    ],
)
def test_no_onnxruntime_at_all_names_the_extra(
    model_files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    error: type[Exception],
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # type: ignore[arg-type]
    with pytest.raises(error, match=rf"pip install 'lstm-edge\[{extra}\]'"):
        SentimentModel.load(model_files["fp32"], provider)


def test_a_broken_onnxruntime_is_named(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", SimpleNamespace())  # type: ignore[arg-type]
    with pytest.raises(ProviderError, match="broken: pip install --force-reinstall"):
        SentimentModel.load(model_files["fp32"], "cpu")


class FakeDriver:
    def __init__(self, devices: int) -> None:
        self._devices = devices

    def cuInit(self, _flags: int) -> int:  # noqa: N802 - CUDA's name
        return 0

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802 - CUDA's name
        count._obj.value = self._devices
        return 0


@pytest.mark.parametrize(
    ("devices", "library_error", "message"),
    [
        (None, None, "no NVIDIA driver"),
        (0, None, "finds no device"),
        (1, "libcudnn.so.9: cannot open", r"library is missing \(libcudnn.*pip uninstall"),
        (1, None, "the session refused it"),
    ],
)
def test_the_missing_part_of_cuda_is_named(
    monkeypatch: pytest.MonkeyPatch,
    devices: int | None,
    library_error: str | None,
    message: str,
) -> None:
    def load(name: str, mode: int = 0) -> Any:
        if "providers" not in name:
            if devices is None:
                raise OSError("no such library")
            return FakeDriver(devices)
        if library_error:
            raise OSError(library_error)
        return object()

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert re.search(message, cuda.missing_part(onnxruntime))


def test_preloading_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    runtime = ModuleType("onnxruntime")
    code = "def preload_dlls(directory): print('no', directory); calls.append(sys.stdout)"
    exec(code, vars(runtime))  # noqa: S102 - its globals are the module's, as in ONNX Runtime
    vars(runtime).update(calls=[], sys=sys)
    ours = sys.stdout
    cuda.preload(runtime)
    assert capsys.readouterr().out == ""
    assert runtime.calls == [ours]
    assert not hasattr(runtime, "print")


def test_any_provider_of_the_build_can_be_asked_for(model_files: dict[str, Path]) -> None:
    model = SentimentModel.load(model_files["int8"], "CPUExecutionProvider")
    assert model("good") == SentimentModel.load(model_files["int8"], "cpu")("good")


def test_provider_options_reach_the_provider(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    real = onnxruntime.InferenceSession

    def record(data: bytes, options: Any, providers: list[Any]) -> Any:
        given.extend(providers)
        return real(data, options, providers=providers)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    SentimentModel.load(model_files["int8"], "cpu", provider_options={"use_arena": "0"})
    assert given == [("CPUExecutionProvider", {"use_arena": "0"})]


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
def test_cuda_asked_for_in_the_command_is_one_line(run: Any, model_files: dict[str, Path]) -> None:
    found = run("lstm-run", "--model", str(model_files["fp32"]), "--provider", "cuda", "good")
    assert found.returncode == 1
    assert "has no CUDA: pip uninstall" in found.stderr
    assert len(found.stderr.splitlines()) == 1
