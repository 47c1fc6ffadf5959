"""What a server does with a model: bounds, workers that are forked or spawned, a quiet guest."""

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import AnswerError, InputError, SentimentModel
from lstm_runtime.inference import cores
from lstm_runtime.inference.cores import cgroup_quota, usable_cores
from lstm_runtime.inference.parallel import AHEAD_BYTES

from .conftest import MIXED, MODELS

LONG = "awful dull boring " * 50 + MIXED


def test_a_model_reads_as_many_tokens_as_it_was_loaded_for(
    model_files: dict[str, Path], int8: SentimentModel
) -> None:
    wanted = int8(LONG, max_tokens=9)
    assert wanted.scores != int8(LONG).scores
    model = SentimentModel.load(model_files["int8"], "cpu", max_tokens=9)
    assert model.max_tokens == 9
    assert model(LONG) == model([LONG])[0] == asyncio.run(model.ascore(LONG)) == wanted
    assert next(iter(model.score_many([LONG]))) == wanted
    assert model.trace(LONG).sentiment == wanted
    # A call knows better.
    assert model(LONG, max_tokens=4) == asyncio.run(model.ascore(LONG, 4)) != wanted
    assert asyncio.run(int8.ascore(LONG, max_tokens=9)) == wanted
    for wrong in (0, -1):
        with pytest.raises(InputError, match="max_tokens"):
            SentimentModel.load(model_files["int8"], max_tokens=wrong)
        with pytest.raises(InputError, match="max_tokens"):
            asyncio.run(int8.ascore("good", wrong))


def test_ids_are_bounded_too(ids_file: Path, ids: SentimentModel) -> None:
    bounded = SentimentModel.load(ids_file, "cpu", max_tokens=2)
    assert bounded.score_ids([3, 5, 8]) == ids.score_ids([5, 8])


def test_a_run_that_fails_is_an_error_of_the_family(
    model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SentimentModel.load(model_files["int8"], "cpu")

    class Failing:
        def run(self, *_: Any) -> Any:
            raise RuntimeError("bad allocation\nat some line")

    monkeypatch.setattr(model._engine, "_session", Failing())
    with pytest.raises(AnswerError, match=r"cannot answer: bad allocation$"):
        model("good")
    with pytest.raises(AnswerError):
        asyncio.run(model.ascore("good"))
    with pytest.raises(AnswerError):
        list(model.score_many(["good"] * 3))


def test_long_texts_are_not_taken_far_ahead(int8: SentimentModel) -> None:
    model = SentimentModel.load(MODELS / "tiny.int8.onnx", "cpu", threads=64, max_tokens=3)
    size, taken = 2**20, 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(60):
            taken += 1
            yield "x" * size

    answers = model.score_many(texts())
    next(answers)
    assert taken <= AHEAD_BYTES // size + 2
    assert len(list(answers)) == 59


def test_a_model_is_pickled_with_its_bytes(tmp_path: Path, int8: SentimentModel) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((MODELS / "tiny.int8.onnx").read_bytes())
    packed = pickle.dumps(SentimentModel.load(path, "cpu", threads=3, max_tokens=5))
    path.unlink()
    found = pickle.loads(packed)  # noqa: S301 - our own bytes
    assert found(LONG) == int8(LONG, max_tokens=5)
    assert (found.info.threads, found.path, found.max_tokens) == (3, path, 5)
    assert found.trace("good").sentiment == int8("good")


_SPAWN = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from lstm_runtime import SentimentModel
if __name__ == "__main__":
    model = SentimentModel.load(sys.argv[1], "cpu")
    texts = ["a good film", "awful"]
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert list(pool.map(model, texts)) == model(texts)
    print("equal")
"""


def _run(code: str, tmp_path: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    script = tmp_path / "script.py"
    script.write_text(code)
    command = [sys.executable, str(script), str(MODELS / "tiny.int8.onnx"), *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_a_model_is_sent_to_a_spawned_process(tmp_path: Path) -> None:
    done = _run(_SPAWN, tmp_path)
    assert (done.stdout, done.stderr) == ("equal\n", "")


_FORK = """
import asyncio, os, sys, threading, time
from lstm_runtime import SentimentModel
model = SentimentModel.load(sys.argv[1], "cpu", threads=2)
texts = ["a good film", "awful", "dull fun"] * 20
wanted = model(texts)
asyncio.run(model.ascore("good"))
# As if other threads were within at the time of the fork.
model._gatherer._lock.acquire()
model._gatherer._running = 2
model._engine._whole_lock.acquire()
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        assert model(texts) == wanted
        assert asyncio.run(model.ascore(texts[0])) == wanted[0]
        model.stream().push("good ")
        sys.exit(7)
    children.append(child)
for child in children:
    started = time.monotonic()
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() - started > 60:
            sys.exit("a child hangs")
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(found[1]) == 7, found
print("ended")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_children_that_are_forked_after_loading_answer_and_end(tmp_path: Path) -> None:
    done = _run(_FORK, tmp_path)
    assert (done.stdout, done.stderr) == ("ended\n", "")


_GUEST = """
import csv, os, sys
import onnxruntime
calls = []
onnxruntime.set_default_logger_severity = calls.append
umask = os.umask(0o027)
out, err, limit = sys.stdout, sys.stderr, csv.field_size_limit()
from lstm_runtime import SentimentModel
model = SentimentModel.load(sys.argv[1], "cpu")
model(["good"] * 3); model.trace("good"); model.verify()
assert not calls
assert (out, err, limit) == (sys.stdout, sys.stderr, csv.field_size_limit())
assert os.umask(umask) == 0o027
print("unchanged")
"""


def test_loading_changes_nothing_for_the_app_around(tmp_path: Path) -> None:
    done = _run(_GUEST, tmp_path)
    assert (done.stdout, done.stderr) == ("unchanged\n", "")


def _tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("groups", "files", "quota"),
    [
        ("0::/", {"cpu.max": "200000 100000"}, 2.0),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {}, None),
        ("0::/", {"cpu.max": "nonsense"}, None),
        # The smallest of nested groups.
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, 1.5),
        ("0::/a/b", {"a/b/cpu.max": "50000 100000", "cpu.max": "400000 100000"}, 0.5),
        # In a container the path is the host's; what is mounted is the group itself.
        ("0::/docker/0123", {"cpu.max": "300000 100000"}, 3.0),
        (
            "4:cpu,cpuacct:/kube/pod\n0::/",
            {
                "cpu,cpuacct/kube/pod/cpu.cfs_quota_us": "-1",
                "cpu,cpuacct/kube/pod/cpu.cfs_period_us": "100000",
                "cpu,cpuacct/kube/cpu.cfs_quota_us": "250000",
                "cpu,cpuacct/kube/cpu.cfs_period_us": "100000",
            },
            2.5,
        ),
        ("3:cpu:/", {"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "0"}, None),
    ],
)
def test_quotas_of_control_groups_are_read(
    tmp_path: Path, groups: str, files: dict[str, str], quota: float | None
) -> None:
    (tmp_path / "cgroup").write_text(groups + "\n")
    assert cgroup_quota(tmp_path / "cgroup", _tree(tmp_path / "fs", files)) == quota
    assert cgroup_quota(tmp_path / "none", tmp_path / "none") is None


@pytest.mark.parametrize(
    ("quota", "count"), [(None, 8), (0.2, 1), (1.0, 1), (1.5, 2), (3.0, 3), (64.0, 8)]
)
def test_a_quota_bounds_the_cores(
    monkeypatch: pytest.MonkeyPatch, quota: float | None, count: int
) -> None:
    monkeypatch.setattr(cores, "cgroup_quota", lambda: quota)
    monkeypatch.setattr(cores, "_allowed_cores", lambda: 8)
    assert usable_cores() == count
