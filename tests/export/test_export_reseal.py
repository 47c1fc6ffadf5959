"""``lstm-export --reseal``: a file that another tool changed is proven again, or refused."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

pytestmark = pytest.mark.slow  # each test exports in a process of its own


@pytest.fixture
def changed(model_files: dict[str, Path], tmp_path: Path) -> Path:
    """Return a file as another tool leaves it: the same graph in other bytes."""
    model = onnx.load(model_files["int8"])
    model.producer_name = "another tool"
    path = tmp_path / "model.int8.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_a_changed_file_is_refused_until_it_is_sealed_again(run: Any, changed: Path) -> None:
    refused = run("lstm-run", "--model", str(changed), "good")
    assert refused.returncode == 1
    assert "another tool changed it" in refused.stderr and "--reseal" in refused.stderr
    sealed = run("lstm-export", "--reseal", str(changed))
    assert (sealed.returncode, sealed.stderr) == (0, "")
    assert sealed.stdout.startswith("reference answers   passed")
    assert sealed.stdout.splitlines()[-1] == str(changed)
    done = run("lstm-run", "--model", str(changed), "--verify")
    assert done.returncode == 0, done.stderr
    assert onnx.load(changed).producer_name == "another tool"


def test_a_file_that_answers_otherwise_stays_as_it_was(run: Any, changed: Path) -> None:
    model = onnx.load(changed)
    bias = next(t for t in model.graph.initializer if t.name == "lstm_1_B")
    values = np.array(numpy_helper.to_array(bias))
    bias.CopyFrom(numpy_helper.from_array(values + 1, bias.name))
    changed.write_bytes(model.SerializeToString())
    before = changed.read_bytes()
    done = run("lstm-export", "--reseal", str(changed))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: reference answers: {changed} differs")
    assert done.stderr.count("\n") == 1
    assert changed.read_bytes() == before
    assert [path.name for path in changed.parent.iterdir()] == [changed.name]


def test_a_file_that_lost_its_metadata_has_to_be_exported_again(run: Any, changed: Path) -> None:
    model = onnx.load(changed)
    del model.metadata_props[:]
    changed.write_bytes(model.SerializeToString())
    done = run("lstm-export", "--reseal", str(changed))
    assert done.returncode == 1
    assert "no place for a checksum" in done.stderr


def test_what_is_no_file_and_what_makes_no_sense(run: Any, changed: Path, tmp_path: Path) -> None:
    missing = run("lstm-export", "--reseal", str(tmp_path / "none.onnx"))
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    cut = tmp_path / "cut.onnx"
    shutil.copy(changed, cut)
    cut.write_bytes(cut.read_bytes()[:-1000])
    assert run("lstm-export", "--reseal", str(cut)).returncode == 1
    assert run("lstm-export", "--reseal", str(changed), "--name", "x").returncode == 2


def test_a_file_whose_states_were_folded_away_is_refused(run: Any, changed: Path) -> None:
    model = onnx.load(changed)
    kept = [value for value in model.graph.input if value.name not in ("h0", "c0")]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    changed.write_bytes(model.SerializeToString())
    done = run("lstm-export", "--reseal", str(changed))
    assert done.returncode == 1
    assert "lost its inputs h0 and c0" in done.stderr and "--state required" in done.stderr
