"""Files with a program in them, from somebody who means harm: nothing but computing is run."""

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lstm_export.checkpoint.content import read_content
from lstm_export.checkpoint.program_checks import checked_program
from lstm_export.checkpoint.source import load_source
from lstm_export.errors import UnsupportedModelError
from lstm_training.checkpoint import load_content
from lstm_training.errors import CheckpointError
from torch import Tensor, nn


class Mean(nn.Module):
    """Small, and with sizes that are computed: a window of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.answer = nn.Linear(4, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """Answer."""
        last = self.words(ids)[:, ids.shape[1] // 2 :]
        return torch.as_tensor(self.answer(last.mean(1)).squeeze(1))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = {0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO}
    file = tmp_path_factory.mktemp("program") / "mean.pt2"
    ids = torch.ones(2, 7, dtype=torch.long)
    torch.export.save(torch.export.export(Mean().eval(), (ids,), dynamic_shapes=(sizes,)), file)
    return file


def _rewritten(path: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """Write an archive anew with its parts changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def test_a_program_that_computes_is_taken(program: Path) -> None:
    ids = torch.randint(0, 10, (3, 12))
    whole = torch.export.load(program).module()(ids)
    read = read_content(program).value(ids)
    assert torch.equal(read, whole)
    parts = zipfile.ZipFile(checked_program(program)).read("mean/models/model.json").decode()
    assert "floordiv" in parts.lower() or "FloorDiv" in parts
    assert "stack_trace" not in parts  # it names what PyTorch would import


def _system(mark: Path) -> str:
    return f"__import__('os').system('touch {mark}')"


@pytest.mark.parametrize(
    ("pattern", "hostile"),
    [
        (r'"expr_str": "[^"]*"', '"expr_str": "{}"'),
        (r'"expr_str": "[^"]*"', '"expr_str": "Symbol({})"'),
        (r'"expr_str": "[^"]*"', '"expr_str": "Integer(input())"'),
        (r'"expr_str": "[^"]*"', '"expr_str": "Pow(Integer(9), Pow(Integer(9), Integer(99)))"'),
        (r'"guards_code": \[', '"guards_code": ["{}", '),
        (r'"target": "torch[^"]*"', '"target": "torch.os.system"'),
        (r'"target": "torch[^"]*"', '"target": "torch.ops.aten.from_file"'),
        (r'"target": "torch[^"]*"', '"target": "torch.ops.symm_mem.stream_write_value32_"'),
        (r'"target": "torch[^"]*"', '"target": "_operator.call"'),
        (r'"target": "torch[^"]*"', '"target": "os.system"'),
        (r'"as_int": 1', '"as_operator": "torch.os.system"'),
        (r'"as_int": 1', '"as_operator": "torches.os.system"'),
        (r'"name": "ids"', '"name": "ids={}"'),
        (r'"name": "[^"]*"', '"name": "x\\n{}"'),
        (r'\\"context\\": \\"\[\]\\"', r"\"context\": \"[\\\"{}\\\"]\""),
    ],
)
def test_a_program_with_code_in_it_is_not_run(
    program: Path, tmp_path: Path, pattern: str, hostile: str
) -> None:
    mark = tmp_path / "ran"

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("model.json"):
            return content
        text = json.dumps(json.loads(content))
        changed, count = re.subn(pattern, lambda _: hostile.format(_system(mark)), text, count=1)
        assert count == 1, pattern
        json.loads(changed)
        return changed.encode()

    file = _rewritten(program, tmp_path / "hostile.pt2", change)
    with pytest.raises(CheckpointError, match=r"hostile\.pt2 (is never run|is a damaged)"):
        load_source(file)
    assert not mark.exists()


def test_libraries_in_a_program_are_not_loaded(program: Path, tmp_path: Path) -> None:
    file = _rewritten(program, tmp_path / "more.pt2", lambda _, content: content)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("mean/data/aotinductor/model/model.so", b"\x7fELF")
        archive.writestr("mean/extra/note", b"more")
    names = zipfile.ZipFile(checked_program(file)).namelist()
    assert names
    assert not any("aotinductor" in name or "extra" in name for name in names)
    assert read_content(file).value(torch.ones(1, 4, dtype=torch.long)).shape == (1,)


class AtLoading(nn.Module):
    """Writes a file when it is loaded."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        """What is kept."""
        return (self.place, self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        """Harm."""
        self.place = state[0]
        self.training = state[1]
        torch.save(torch.ones(3), self.place)

    def forward(self, ids: Tensor) -> Tensor:
        """Nothing."""
        return ids


class AtRunning(nn.Module):
    """Writes a file, or reads one, when it is run."""

    def __init__(self, place: str, reads: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.place = place
        self.reads = reads

    def forward(self, ids: Tensor) -> Tensor:
        """Answer, and harm."""
        if self.reads:
            return self.words(ids).mean(1) + torch.from_file(self.place, True, 4)
        torch.save(torch.ones(3), self.place)
        return self.words(ids).mean(1)


@pytest.mark.parametrize("when", ["load", "run", "from_file"])
def test_torchscript_that_opens_files_is_not_run(tmp_path: Path, when: str) -> None:
    mark = str(tmp_path / "ran")
    module = AtLoading(mark) if when == "load" else AtRunning(mark, when == "from_file")
    torch.jit.save(torch.jit.script(module), tmp_path / "hostile.pt")  # type: ignore[no-untyped-call]
    (tmp_path / "ran").unlink(missing_ok=True)
    with pytest.raises(CheckpointError, match=r"hostile\.pt is never run: its code has"):
        load_source(tmp_path / "hostile.pt")
    assert not (tmp_path / "ran").exists()


def _flip_in_directory(data: bytes) -> bytes:
    at = data.rindex(b"PK\x01\x02")
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _bad_name(data: bytes) -> bytes:
    at = data.rindex(b"PK\x01\x02")
    # The flag that names are UTF-8, and a byte that is none.
    return data[: at + 8] + b"\x00\x08" + data[at + 10 : at + 46] + b"\xff" + data[at + 47 :]


def _newer_zip(data: bytes) -> bytes:
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 6] + b"\xff" + data[at + 7 :]


@pytest.mark.parametrize("damage", [_flip_in_directory, _bad_name, _newer_zip])
@pytest.mark.parametrize("kind", ["weights.pt", "script.pt", "arrays.npz", "program.pt2"])
def test_a_damaged_archive_is_one_line(
    program: Path, tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / kind
    state: dict[str, Any] = Mean().state_dict()
    if kind == "weights.pt":
        torch.save(state, file)
    elif kind == "script.pt":
        torch.jit.save(torch.jit.script(Mean()), file)  # type: ignore[no-untyped-call]
    elif kind == "arrays.npz":
        np.savez_compressed(file, **{name: value.numpy() for name, value in state.items()})
    else:
        file.write_bytes(program.read_bytes())
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises((CheckpointError, UnsupportedModelError)) as raised:
        load_source(file)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_damaged_arrays_are_one_line(tmp_path: Path) -> None:
    file = tmp_path / "arrays.npz"
    np.savez(file, a=np.zeros(9, np.float32))

    def change(_: str, content: bytes) -> bytes:
        return content.replace(b"}", b"(")  # which NumPy's parser of headers never sees closed

    with pytest.raises(CheckpointError, match="is a damaged file of NumPy arrays"):
        read_content(_rewritten(file, tmp_path / "damaged.npz", change))


def test_weights_that_unpack_to_gigabytes_are_refused(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 28,)}
    np.lib.format.write_array_header_1_0(header, shape)
    for name, part in (("bomb.npz", "a.npy"), ("bomb.pt", "bomb/data.pkl")):
        with (
            zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
            file.open(part, "w", force_zip64=True) as stream,
        ):
            stream.write(header.getvalue())
            for _ in range(1 << 6):
                stream.write(bytes(1 << 24))
    for read in (read_content, load_content):
        with pytest.raises(CheckpointError, match="unpacks to more than weights do"):
            read(tmp_path / "bomb.npz")
        with pytest.raises(CheckpointError, match="unpacks to more than weights do"):
            read(tmp_path / "bomb.pt")


def test_content_nested_a_million_times_takes_no_minutes(tmp_path: Path) -> None:
    torch.save({"a": [1]}, tmp_path / "plain.pt")
    depth = 1_000_000
    nested = b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."

    def change(name: str, content: bytes) -> bytes:
        return nested if name.endswith("data.pkl") else content

    file = _rewritten(tmp_path / "plain.pt", tmp_path / "deep.pt", change)
    with pytest.raises(UnsupportedModelError, match="holds a list, not a state dict"):
        load_source(file)
