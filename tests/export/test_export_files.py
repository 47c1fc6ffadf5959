"""What an export writes, and what it leaves alone."""

import json
from pathlib import Path

import pytest
import torch
from foreign_models import UdacitySentiment, trained_like
from lstm_export import ArchitectureHints, ExportConfig, export
from lstm_export.errors import OutputError

INT8 = ExportConfig(precisions=("int8",))


def weights(path: Path, seed: int) -> Path:
    state = trained_like(UdacitySentiment()).state_dict()
    state["fc.bias"] += seed / 100
    torch.save(state, path)
    return path


def test_a_users_files_are_not_overwritten(run, checkpoint_file: Path, tmp_path: Path) -> None:
    for name in ("README.md", "model.md", "report.json", "parity.png", "model.onnx"):
        (tmp_path / name).write_text("mine")
    for name in ("model.md", "report.json", "parity.png", "model.onnx"):
        done = run("lstm-export", str(checkpoint_file), "-o", str(tmp_path))
        assert done.returncode == 1 and done.stderr.count("\n") == 1
        assert "lstm-export did not write it" in done.stderr
        assert {p.read_text() for p in tmp_path.iterdir()} == {"mine"}
        (tmp_path / name).unlink()
    done = run("lstm-export", str(checkpoint_file), "-o", str(tmp_path))
    assert done.returncode == 0
    assert (tmp_path / "README.md").read_text() == "mine"
    listed = {Path(line).name for line in done.stdout.splitlines() if line.startswith("/")}
    assert listed == {p.name for p in tmp_path.iterdir()} - {"README.md"}


def test_its_own_files_are_replaced(run, checkpoint_file: Path, tmp_path: Path) -> None:
    for precision in ("int8", "int8", "fp32"):
        done = run(
            "lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", precision
        )
        assert (done.returncode, done.stderr) == (0, "")
    # Of one checkpoint: both belong together.
    assert {p.name for p in tmp_path.glob("*.onnx")} == {"model.onnx", "model.int8.onnx"}


def test_no_two_models_share_a_name(run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for seed, precisions in ((1, ("fp32", "int8")), (2, ("int8",))):
        path = weights(tmp_path / "net.pt", seed)
        wanted = [f"--precision={p}" for p in precisions]
        done = run("lstm-export", str(path), "-o", str(folder), "--readout", "last", *wanted)
        assert done.returncode == 0
    assert "model.onnx, which was of another checkpoint" in done.stderr
    assert {p.name for p in folder.glob("*.onnx")} == {"model.int8.onnx"}
    assert json.loads((folder / "report.json").read_text())["note"] == "written by lstm-export"


def test_the_python_call_does_not_overwrite_either(tmp_path: Path) -> None:
    path = weights(tmp_path / "net.pt", 1)
    (tmp_path / "model.int8.onnx").write_bytes(b"mine")
    with pytest.raises(OutputError, match="did not write it"):
        export(path, tmp_path, hints=ArchitectureHints("last"), config=INT8)
    assert (tmp_path / "model.int8.onnx").read_bytes() == b"mine"


def test_labels_are_trimmed(run, checkpoint_file: Path, tmp_path: Path) -> None:
    command = ("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "int8")
    assert run(*command, "--labels", "bad , good ").returncode == 0
    answer = run("lstm-run", "--model", str(tmp_path / "model.int8.onnx"), "--json", "fun")
    assert set(json.loads(answer.stdout)["scores"]) == {"bad", "good"}
