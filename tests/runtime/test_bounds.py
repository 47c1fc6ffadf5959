"""What hostile graphs may take of a server: bounded memory and bounded time."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import AnswerError, InputError, SentimentModel
from lstm_runtime.inference import bounds
from lstm_runtime.inference.bounds import MEMORY_VARIABLE, machine_memory, memory_limit

from .conftest import MODELS
from .model_bytes import joined, replaced, sealed_anew

GRAPH, NODE, INITIALIZER = 7, 1, 5
INT64, BOOL = 7, 9


def _scalar(name: str, value: int, kind: int = INT64, *sizes: int) -> bytes:
    """Return a weight of one number."""
    data = value.to_bytes(8 if kind == INT64 else 1, "little")
    shape = b"".join(joined(1, size) for size in sizes)
    return joined(INITIALIZER, shape + joined(2, kind) + joined(8, name.encode()) + joined(9, data))


def _node(operator: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = [joined(1, name.encode()) for name in inputs] + [joined(2, output.encode())]
    more = [joined(5, attribute) for attribute in attributes]
    return joined(NODE, b"".join([*names, joined(4, operator.encode()), *more]))


def _value(number: int, name: str, kind: int) -> bytes:
    tensor = joined(1, kind) + joined(2, b"")
    return joined(number, joined(1, name.encode()) + joined(2, joined(1, tensor)))


def _loop(body: bytes, name: str, count: str) -> bytes:
    """Return a loop around nodes, as a node."""
    counter, before, after = f"{name}_n", f"{name}_before", f"{name}_after"
    graph = body + _node("Identity", [before], after) + joined(2, name.encode())
    graph += _value(11, counter, INT64) + _value(11, before, BOOL) + _value(12, after, BOOL)
    graph += _node("Identity", [counter], f"{name}_out") + _value(12, f"{name}_out", INT64)
    attribute = joined(1, b"body") + joined(6, graph) + joined(20, 5)
    return _node("Loop", [count, "true"], f"{name}_found", attribute)


LONG, TRUE = _scalar("count", 2**62), _scalar("true", 1, BOOL)
ENDLESS = LONG + TRUE + _loop(b"", "one", "count")
NESTED = _scalar("count", 10**5) + TRUE + _loop(_loop(b"", "two", "count"), "one", "count")
HUGE = _scalar("size", 10**11, INT64, 1) + _node("ConstantOfShape", ["size"], "huge")
SPREAD = _scalar("size", 10**11, INT64, 1) + _node("Expand", ["size", "size"], "huge")
TILED = _scalar("size", 10**11, INT64, 1) + _node("Tile", ["size", "size"], "huge")
COUNTED = (
    _scalar("zero", 0) + _scalar("one", 1) + _scalar("end", 10**11)
    + _node("Range", ["zero", "end", "one"], "huge")
)  # fmt: skip
MULTIPLIED = (  # no operator in it is about sizes
    _scalar("start", 0) + _scalar("step", 1) + _scalar("end", 10**6) + _scalar("axis", 1, INT64, 1)
    + _node("Range", ["start", "end", "step"], "row")
    + _node("Unsqueeze", ["row", "axis"], "column")
    + _node("Add", ["row", "column"], "huge")
)  # fmt: skip


def hostile(more: bytes, name: str = "tiny.onnx") -> bytes:
    """Return a sound file whose graph does something else first."""
    data = (MODELS / name).read_bytes()
    return sealed_anew(replaced(data, GRAPH, lambda graph: more + graph))


@pytest.mark.parametrize("more", [HUGE, SPREAD, TILED, COUNTED, MULTIPLIED])
@pytest.mark.parametrize("name", ["tiny.onnx", "required.onnx"])
def test_memory_that_no_text_needs_is_an_error(more: bytes, name: str) -> None:
    model = SentimentModel.load(hostile(more, name), "cpu")
    for _ in range(2):
        with pytest.raises(AnswerError, match="cannot answer"):
            model("good")


@pytest.mark.parametrize("more", [ENDLESS, NESTED])
def test_a_run_without_an_end_is_ended(more: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "SECONDS", 0.3)
    model = SentimentModel.load(hostile(more), "cpu")
    with pytest.raises(AnswerError, match="the run was ended after 0 s"):
        model("good")
    assert list(model.score_many([])) == []


def test_many_nodes_are_watched_and_the_familys_files_are_not() -> None:
    many = b"".join(_node("Identity", ["text"], f"same_{n}") for n in range(600))
    assert SentimentModel.load(hostile(many), "cpu")._engine.file.watched
    watched = {
        path.stem
        for path in MODELS.glob("*.onnx")
        if SentimentModel.load(path)._engine.file.watched
    }
    assert watched == {"looped"}


def test_the_limit_is_the_processes_and_can_be_set(int8: SentimentModel) -> None:
    code = (
        "import sys; from lstm_runtime import SentimentModel, AnswerError\n"
        "model = SentimentModel.load(sys.argv[1], 'cpu')\n"
        "print(model('good').label)\n"
        "try: model('good ' * 200_000)\n"
        "except AnswerError as error: print('no', error)\n"
        "print(model('good').label)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(MODELS / "tiny.onnx")],
        env={MEMORY_VARIABLE: str(20 << 20)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [line.split()[0] for line in found] == [found[0], "no", found[0]]


def test_an_allocator_that_the_app_has_registered_is_taken_as_it_is() -> None:
    code = (
        "import sys, onnxruntime as ort\n"
        "arena = ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR\n"
        "info = ort.OrtMemoryInfo('Cpu', arena, 0, ort.OrtMemType.DEFAULT)\n"
        "ort.create_and_register_allocator(info, ort.OrtArenaCfg({'max_mem': 1 << 30}))\n"
        "from lstm_runtime import SentimentModel\n"
        "print(SentimentModel.load(sys.argv[1], 'cpu')('good').label)"
    )
    command = [sys.executable, "-c", code, str(MODELS / "tiny.onnx")]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.strip()) == (0, "negative"), found.stderr


def test_what_is_no_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("", "-1", "2 GB", "0", "512", "9" * 30):
        monkeypatch.setenv(MEMORY_VARIABLE, wrong)
        with pytest.raises(InputError, match=MEMORY_VARIABLE):
            memory_limit()
    monkeypatch.setenv(MEMORY_VARIABLE, "1234567")
    assert memory_limit() == 1234567


@pytest.mark.parametrize(
    ("groups", "name", "limit", "found"),
    [
        ("0::/box", "box/memory.max", "1000000", 1_000_000),
        ("0::/box", "box/memory.max", "max", None),
        ("4:memory:/box", "memory/box/memory.limit_in_bytes", "2000000", 2_000_000),
        ("4:cpu:/box", "memory/box/memory.limit_in_bytes", "2000000", None),
    ],
)
def test_a_containers_memory_is_what_it_may_have(
    tmp_path: Path, groups: str, name: str, limit: str, found: Any
) -> None:
    (tmp_path / "cgroup").write_text(groups + "\n")
    file = tmp_path / "fs" / name
    file.parent.mkdir(parents=True)
    file.write_text(limit + "\n")
    machine = machine_memory(tmp_path / "none", tmp_path / "none")
    assert machine_memory(tmp_path / "cgroup", tmp_path / "fs") == (found or machine)
