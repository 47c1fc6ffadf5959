"""``lstm-run --self-test``: passes here, and says what is wrong where something is."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lstm_runtime import Sentiment, SentimentModel
from lstm_runtime.bundled import DEFAULT_CPU
from lstm_runtime.cli.self_test import run_self_test
from lstm_runtime.model_file.checksum import embed_checksum, remove_checksum

NAMES = ["reference answers", "odd texts", "streams", "alone and together", "threads"]


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return SentimentModel.load(provider="cpu")


class Broken:
    """A model that is wrong in one way."""

    def __init__(self, model: SentimentModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, texts: Any) -> Any:
        found = self._model(texts)
        return found if isinstance(texts, str) else [self.listed(result) for result in found]

    def listed(self, result: Sentiment) -> Sentiment:
        return result


def _off(result: Sentiment) -> Sentiment:
    label, other = result.scores
    return replace(result, scores={label: 0.123, other: 0.877})


class OtherInLists(Broken):
    def listed(self, result: Sentiment) -> Sentiment:
        return _off(result)


class OtherInThreads(Broken):
    def __call__(self, texts: Any) -> Any:
        main = threading.current_thread() is threading.main_thread()
        return super().__call__(texts) if main else _off(super().__call__(texts))


class ForgetfulStreams(Broken):
    def stream(self) -> Any:
        last: list[str] = []
        return SimpleNamespace(push=last.append, finish=lambda: self._model(last[-1]))


class EndsAtNul(Broken):
    def __call__(self, texts: Any) -> Any:
        if isinstance(texts, str):
            return super().__call__(texts.split("\0")[0])
        return super().__call__(texts)


def _failed(model: Any) -> list[str]:
    found = list(run_self_test(model))
    assert [check.name for check in found] == NAMES
    return [check.name for check in found if check.result == "failed"]


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (Broken, []),
        (OtherInLists, ["alone and together"]),
        (OtherInThreads, ["threads"]),
        (ForgetfulStreams, ["streams"]),
        (EndsAtNul, ["odd texts"]),
    ],
)
def test_each_check_finds_what_it_is_for(
    model: SentimentModel, broken: type[Broken], expected: list[str]
) -> None:
    found = _failed(broken(model))
    # A text that ends at NUL differs in lists and streams too.
    assert set(expected) <= set(found)
    assert found == expected or broken is EndsAtNul


def test_the_command_prints_a_table(run: Any) -> None:
    found = run("lstm-run", "--self-test")
    assert found.returncode == 0, found.stderr
    first, *lines = found.stdout.splitlines()
    assert first.startswith("default.int8.onnx on CPUExecutionProvider, onnxruntime 1.")
    assert [line[:19].strip() for line in lines] == NAMES
    assert all(line[20:].startswith("passed ") for line in lines)


def test_a_failed_check_is_exit_code_1_and_the_others_go_on(run: Any, tmp_path: Path) -> None:
    data = DEFAULT_CPU.read_bytes()
    start = data.index(b"[0.9", data.index(b'"probability"')) + 1  # of the first text
    changed = bytearray(data)
    changed[start : start + 3] = b"0.4"
    file = tmp_path / "changed.onnx"
    file.write_bytes(embed_checksum(remove_checksum(bytes(changed))))
    found = run("lstm-run", "--self-test", "--json", "--model", str(file))
    assert found.returncode == 1
    assert found.stderr == "Error: 1 of 5 checks failed: reference answers\n"
    report = json.loads(found.stdout)
    assert (report["passed"], len(report["checks"])) == (False, 5)
    assert [check["result"] for check in report["checks"]] == ["failed", *["passed"] * 4]


def test_files_of_every_precision_and_interface_pass(
    model_files: dict[str, Path], ids_file: Path
) -> None:
    for path in (*model_files.values(), ids_file):
        with SentimentModel.load(path, "cpu") as model:
            assert _failed(model) == [], path
