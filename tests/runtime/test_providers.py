import ctypes
import json
import logging
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from lstm_runtime import MissingExtraError, ProviderError, SentimentModel, VerificationError
from lstm_runtime.inference import cuda, placement, providers, session

HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


class FakeSession:
    """A session of a build with CUDA: lists what it was told to, and fails where told to."""

    def __init__(self, provider: str, how: Any, profile: Path | None) -> None:
        self._on_cuda, self._how, self._profile = provider == session.CUDA, how, profile

    def get_providers(self) -> list[str]:
        return [session.CUDA if self._on_cuda and self._how.lists else session.CPU]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="probability")]

    def run(self, outputs: list[str], feed: dict[str, Any], _options: Any = None) -> list[Any]:
        if self._on_cuda and self._how.fails:
            raise RuntimeError(self._how.fails)
        texts = feed["text"]
        wrong = self._on_cuda and self._how.wrong_in_batches and len(texts) > 1
        answers = np.full((len(texts), 1), 0.3 if wrong else 0.9, np.float32)
        return [answers, np.zeros((len(texts), 1), np.int64)][: len(outputs)]

    def end_profiling(self) -> str:
        placed = [("Tokenizer", session.CPU), *self._how.placed]
        events = [
            {"cat": "Session", "args": {}},
            *({"cat": "Node", "args": {"op_name": o, "provider": p}} for o, p in placed),
        ]
        self._profile.write_text(json.dumps(events))
        return str(self._profile)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, model_files: dict[str, Path]) -> Any:
    """Pretend that a build with CUDA is installed; returns what decides how it behaves."""
    how = SimpleNamespace(
        lists=True,
        fails=None,
        refuses=None,
        wrong_in_batches=False,
        placed=[("LSTM", session.CUDA)],
    )

    def create(
        data: bytes, provider: str, settings: object, profile: Path | None = None
    ) -> FakeSession:
        if provider == session.CUDA and how.refuses:
            raise ProviderError(f"{provider} cannot run here: {how.refuses}")
        return FakeSession(provider, how, profile)

    runtime = SimpleNamespace(
        get_available_providers=lambda: [session.CUDA, session.CPU],
        __file__=onnxruntime.__file__,
        __version__="1",
    )
    monkeypatch.setattr(providers, "import_onnxruntime", lambda: runtime)
    monkeypatch.setattr(providers, "create_session", create)
    monkeypatch.setattr(placement, "create_session", create)
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


@pytest.mark.parametrize(
    ("placed", "why"),
    [
        ([("LSTM", session.CPU), ("MatMul", session.CUDA)], "leaves its LSTM to CPU"),
        ([("MatMul", session.CPU)], "leaves its MatMul to CPU"),
        ([("Relu", session.CPU)], "leaves all of it to CPU"),
    ],
)
def test_a_provider_that_leaves_the_work_to_another_is_refused(
    fake: Any, placed: list[tuple[str, str]], why: str
) -> None:
    fake.placed = placed
    with pytest.raises(ProviderError, match=f"does not run this model: ONNX Runtime {why}"):
        SentimentModel.load(fake.path, "cuda")
    assert SentimentModel.load(fake.path).provider == session.CPU


@pytest.mark.parametrize("placed", [[("joined_1", session.CUDA)], [("Conv", session.CUDA)]])
def test_a_provider_that_joins_nodes_or_runs_products_is_taken(fake: Any, placed: Any) -> None:
    fake.placed = placed
    assert SentimentModel.load(fake.path, "cuda").provider == session.CUDA


def test_a_provider_that_is_wrong_in_batches_runs_texts_alone(
    fake: Any, caplog: pytest.LogCaptureFixture
) -> None:
    fake.wrong_in_batches = True
    with caplog.at_level(logging.WARNING, logger="lstm_runtime"):
        model = SentimentModel.load(fake.path, "cuda")
    assert "wrong about texts that share a run" in caplog.text
    for size in (None, 8):
        found = list(model.score_many(["a", "good film"] * 9, batch_size=size))
        assert [answer.score for answer in found] == pytest.approx([0.9] * 18)


def test_azure_is_refused_since_the_cpu_does_the_work(model_files: dict[str, Path]) -> None:
    name = "AzureExecutionProvider"
    if name not in onnxruntime.get_available_providers():
        pytest.skip(f"this onnxruntime has no {name}")
    with pytest.raises(ProviderError, match="leaves its LSTM to CPUExecutionProvider"):
        SentimentModel.load(model_files["fp32"], name)


def test_provider_options_reach_the_provider_and_unknown_ones_are_errors(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    real = onnxruntime.InferenceSession

    def record(data: bytes, options: Any, providers: list[Any], **more: Any) -> Any:
        given.extend(providers)
        return real(data, options, providers=providers, **more)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    options = {"use_arena": "0"}  # an option of a session, not of the provider
    with pytest.raises(ProviderError, match="has no option 'use_arena': it has none"):
        SentimentModel.load(model_files["int8"], "cpu", provider_options=options)
    # A kernel that refuses is tried in another way, and then left out: each try gets them.
    assert given
    assert all(one == ("CPUExecutionProvider", options) for one in given)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (None, {"use_tf32": "0"}),
        ({"device_id": "1"}, {"use_tf32": "0", "device_id": "1"}),
        ({"use_tf32": "1"}, {"use_tf32": "1"}),
    ],
)
def test_cuda_keeps_all_bits_of_fp32_unless_told_otherwise(
    given: dict[str, str] | None, wanted: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def record(_data: bytes, _options: Any, providers: list[Any], **_more: Any) -> Any:
        opened.extend(providers)
        return SimpleNamespace(get_provider_options=lambda: {session.CUDA: {**wanted}})

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    settings = session.SessionSettings(provider_options=given)
    session.create_session(b"", session.CUDA, settings)
    assert opened == [(session.CUDA, wanted)]


def test_verify_also_asks_in_one_padded_batch(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SentimentModel.load(model_files["fp32"], "cpu").verify()
    assert found.batch_difference is not None
    assert found.batch_difference < 1e-6
    model = SentimentModel.load(model_files["fp32"], "cpu")
    real = model._engine.probabilities
    monkeypatch.setattr(
        model._engine, "probabilities", lambda feed: real(feed) + 0.1 * (len(feed["text"]) > 1)
    )
    with pytest.raises(VerificationError, match=r"differs from that by 0\.1 in a padded batch"):
        model.verify()


@pytest.mark.skipif(HAS_CUDA, reason="this onnxruntime has CUDA")
def test_cuda_asked_for_in_the_command_is_one_line(run: Any, model_files: dict[str, Path]) -> None:
    found = run("lstm-run", "--model", str(model_files["fp32"]), "--provider", "cuda", "good")
    assert found.returncode == 1
    assert "has no CUDA: pip uninstall" in found.stderr
    assert len(found.stderr.splitlines()) == 1
