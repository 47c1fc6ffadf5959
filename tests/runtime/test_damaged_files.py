"""Truncated, bit-flipped, foreign and future files, each tried in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lstm_runtime import ModelFileError, SentimentModel
from lstm_runtime.model_file.checksum import embed_checksum, verify_checksum

from .model_bytes import foreign_model, with_ir_version, with_properties

TEXT = "a good film"

# Loads each file in turn in a child of its own; prints one line per file.
_TRIALS = """
import os, sys
from lstm_runtime import LstmEdgeError, SentimentModel
for path in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            print("answer", SentimentModel.load(path)("a good film").score, flush=True)
        except LstmEdgeError as error:
            print("error", type(error).__name__, str(error).replace("\\n", " ")[:100], flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        print("crash", status, path, flush=True)
"""


@pytest.fixture(scope="module")
def sealed(model_files: dict[str, Path]) -> bytes:
    """Return an int8 file with its checksum."""
    return model_files["int8"].read_bytes()


def _flips(data: bytes) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    found = {}
    for n, at in enumerate(random.integers(0, len(data), 25)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(random.integers(8))
        found[f"flip{n}"] = bytes(flipped)
    return found


def _cuts(data: bytes) -> dict[str, bytes]:
    sizes = (0, 1, 7, 100, len(data) // 3, len(data) // 2, len(data) - 1000, len(data) - 1)
    return {f"cut{size}": data[:size] for size in sizes}


def _foreign(data: bytes) -> dict[str, bytes]:
    return {
        "text": b"hello\n" * 100,
        "zeros": bytes(1000),
        "png": b"\x89PNG\r\n\x1a\n" + data[:500],
        "onnx": foreign_model(),
        "twice": data + data,
    }


def _future(data: bytes) -> dict[str, bytes]:
    changes = {
        "format2": {"format_version": "2"},
        "formatx": {"format_version": '"new"'},
        "labels": {"labels": "[]"},
        "precision": {"architecture": json.dumps({"a": 1})},
    }
    files = {name: with_properties(data, change) for name, change in changes.items()}
    return files | {"ir99": with_properties(with_ir_version(data, 99), {})}


@pytest.mark.skipif(sys.platform == "win32", reason="forks a process for each file")
@pytest.mark.parametrize("damage", [_flips, _cuts, _foreign, _future])
def test_damage_is_a_typed_error_or_a_right_answer(
    sealed: bytes, tmp_path: Path, damage: Callable[[bytes], dict[str, bytes]]
) -> None:
    files = {"whole": sealed} | damage(sealed)
    paths = [tmp_path / f"{name}.onnx" for name in files]
    for path, data in zip(paths, files.values(), strict=True):
        path.write_bytes(data)
    found = subprocess.run(
        [sys.executable, "-c", _TRIALS, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    lines = found.stdout.splitlines()
    assert len(lines) == len(files)
    right = lines[0]
    assert right.startswith("answer ")
    for name, line in zip(files, lines, strict=True):
        assert line == right or line.startswith("error ModelFileError"), (name, line)


def test_a_changed_file_is_named_with_what_to_do(sealed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(sealed.replace(b"lstm_0_W", b"lstm_0_V", 1))
    with pytest.raises(ModelFileError, match=r"model\.onnx: the file is damaged.*copy it again"):
        SentimentModel.load(path)


def test_a_checksum_fits_its_file_only(sealed: bytes) -> None:
    verify_checksum(sealed)
    for at in (0, len(sealed) // 2, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(ModelFileError, match="checksum"):
            verify_checksum(bytes(changed))
    with pytest.raises(ModelFileError, match="once"):
        embed_checksum(b"no marker")
