"""Checkpoint files as people have them: read, or named for what they are."""

import argparse
import gzip
import pickle
import shlex
import subprocess
import sys
import types
import zipfile
from collections import defaultdict
from datetime import datetime
from pathlib import Path, PosixPath
from typing import Any

import numpy as np
import pytest
import torch
from foreign_models import MeanPooled, UdacitySentiment, trained_like
from lstm_export.checkpoint.content import read_content, unwrap
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source, module_source
from lstm_export.checkpoint.user_class import build_module
from lstm_export.errors import UnsupportedModelError
from lstm_training.errors import CheckpointError
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent.parent


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return trained_like(UdacitySentiment()).state_dict()


def source_of(path: Path) -> Any:
    return load_source(path, module=UdacitySentiment())


@pytest.mark.parametrize(
    "beside",
    [
        {"best": np.float64(0.91), "step": np.int64(3), "curve": np.arange(3.0)},
        {"args": argparse.Namespace(lr=1e-3), "out": PosixPath("runs/1")},
        {"history": defaultdict(list, {"loss": [1.0]}), "saved": datetime(2026, 1, 2)},
        {"epoch": 3, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
    ],
)
def test_plain_values_beside_the_weights_do_not_block(state, beside, tmp_path: Path) -> None:
    torch.save({"state_dict": state, **beside}, tmp_path / "net.pt")
    assert source_of(tmp_path / "net.pt").original_name.startswith("UdacitySentiment.forward")


def prefixed(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {f"{prefix}{name}": value for name, value in state.items()}


WRAPPED = {
    "any key": lambda state: {"epoch": 3, "model_sd": state, "opt_sd": {"state": {}}},
    "deep": lambda state: {"meta": {"x": 1}, "checkpoint": {"inner": [{"weights_dict": state}]}},
    "tuple": lambda state: (3, state, {"state": {}, "param_groups": []}),
    "DataParallel": lambda state: {"classifier": prefixed(state, "module.")},
    "compiled": lambda state: {"best": prefixed(state, "module._orig_mod.")},
    "averaged": lambda state: {**prefixed(state, "module."), "n_averaged": torch.tensor(5)},
    "arrays": lambda state: {name: value.numpy() for name, value in state.items()},
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_weights_are_found_wherever_a_script_put_them(state, wrap, tmp_path: Path) -> None:
    torch.save(wrap(state), tmp_path / "net.pt")
    ours, theirs = source_of(tmp_path / "net.pt"), module_source(trained_like(UdacitySentiment()))
    assert ours.original.probability([5, 6, 7]) == theirs.original.probability([5, 6, 7])
    alone = load_source(tmp_path / "net.pt", ArchitectureHints("last"))
    assert np.array_equal(alone.network.embedding, ours.network.embedding)


def test_arrays_of_numpy_are_read_and_pickles_among_them_are_not(state, tmp_path: Path) -> None:
    arrays = {name: value.numpy() for name, value in state.items()}
    np.savez(tmp_path / "net.npz", **arrays)
    assert source_of(tmp_path / "net.npz").verdict == "equal"
    np.savez(tmp_path / "code.npz", weights=np.array([print], dtype=object))
    with pytest.raises(CheckpointError, match="damaged file of NumPy arrays"):
        source_of(tmp_path / "code.npz")


@pytest.mark.parametrize(("one", "other"), [("student", "teacher"), ("model", "ema")])
def test_of_two_models_in_a_file_one_is_asked_for(state, one, other, tmp_path: Path) -> None:
    """The cure works when it is pasted into a shell."""
    mean = {name: value * 0.9 for name, value in state.items()}
    torch.save({one: state, other: mean, "step": 3}, tmp_path / "it's two.pt")
    with pytest.raises(UnsupportedModelError, match=rf"of 2 models, \[\"{one}\"\] and") as asked:
        source_of(tmp_path / "it's two.pt")
    paste(str(asked.value).partition("alone: ")[2])
    assert source_of(tmp_path / "it's two.weights.pt").verdict == "equal"


def test_the_same_weights_twice_are_one_model(state, tmp_path: Path) -> None:
    torch.save({"best": state, "last": dict(state), "step": 3}, tmp_path / "net.pt")
    assert source_of(tmp_path / "net.pt").verdict == "equal"


def test_odd_keys_circles_and_depth_are_no_obstacle(state, tmp_path: Path) -> None:
    circle: list[object] = []
    circle.append(circle)
    deep: list[object] = []
    for _ in range(20_000):
        deep = [deep]
    for more in ({(1, 2): {3: 4}}, {torch.float16: [5]}, {"circle": circle}, {"deep": deep}):
        content = unwrap({"model": state, "more": more}, tmp_path)
        assert content.keys() == state.keys()
    alone: dict[str, object] = {}
    alone["model"] = alone
    with pytest.raises(UnsupportedModelError, match="holds no state dict"):
        unwrap(alone, tmp_path)


def test_a_plain_pickle_is_written_as_a_checkpoint_where_it_is_trusted(state, tmp_path) -> None:
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({n: v.numpy() for n, v in state.items()}))
    with pytest.raises(CheckpointError, match="where you trust it") as refused:
        source_of(tmp_path / "net.pkl")
    paste(str(refused.value).partition("write it as one: ")[2])
    assert source_of(tmp_path / "net.pt").verdict == "equal"


def paste(command: str) -> None:
    assert command.startswith("python -c ")
    subprocess.run([sys.executable, *shlex.split(command)[1:]], check=True)


def test_lightning_says_what_its_module_was_built_with(state, tmp_path: Path, monkeypatch) -> None:
    # Lightning is not installed: its container is made under the name that files carry.
    for name in ("lightning", "lightning.fabric", "lightning.fabric.utilities"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    home = types.ModuleType("lightning.fabric.utilities.data")
    home.AttributeDict = type("AttributeDict", (dict,), {"__module__": home.__name__})
    monkeypatch.setitem(sys.modules, home.__name__, home)
    given = home.AttributeDict(vocab_size=300, hidden=72, learning_rate=1e-3)
    content = {"state_dict": {f"net.{k}": v for k, v in state.items()}, "hyper_parameters": given}
    torch.save({**content, "pytorch-lightning_version": "2.4.0"}, tmp_path / "last.ckpt")
    monkeypatch.delitem(sys.modules, home.__name__)
    read = read_content(tmp_path / "last.ckpt")
    assert read.hyperparameters == {"vocab_size": 300, "hidden": 72, "learning_rate": 1e-3}
    module = build_module(f"{HERE}/foreign_models.py:UdacitySentiment", None, read.hyperparameters)
    assert load_source(read, module=module).network.architecture.hidden_dim == 72


def test_safetensors_and_its_folder_are_read(state, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors")
    weights = [source_of(path).network for path in (folder, folder / "model.safetensors")]
    np.testing.assert_array_equal(weights[0].embedding, state["embedding.weight"].numpy())
    np.testing.assert_array_equal(weights[1].embedding, state["embedding.weight"].numpy())
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-9])
    with pytest.raises(CheckpointError, match="damaged safetensors"):
        source_of(folder)


def a_zip(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (lambda p: p.mkdir(), "is a folder without model.safetensors or pytorch_model.bin"),
        (lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
        (lambda p: p.write_text("<!DOCTYPE html><HTML><body>404"), "is an HTML page"),
        (lambda p: p.write_bytes(b"\x89HDF\r\n\x1a\n"), "is an HDF5 file"),
        (lambda p: p.write_bytes(b"\x08\x0a\x12\x07pytorch"), "is an ONNX file"),
        (lambda p: p.write_bytes(gzip.compress(b"x")), "is a gzip file"),
        (lambda p: a_zip(p, "model.weights.h5"), "is a Keras archive"),
        (lambda p: a_zip(p, "notes.txt"), "is a zip archive"),
    ],
)
def test_any_other_file_is_named_for_what_it_is(write, kind, tmp_path: Path) -> None:
    write(tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=kind) as caught:
        load_source(tmp_path / "net.pt")
    assert "weights_only" not in str(caught.value)


def test_a_quantised_model_is_named(tmp_path: Path) -> None:
    kinds = {nn.LSTM, nn.Linear}
    model = torch.ao.quantization.quantize_dynamic(UdacitySentiment(), kinds)
    torch.save(model.state_dict(), tmp_path / "q.pt")
    with pytest.raises(CheckpointError, match="PyTorch quantised"):
        load_source(tmp_path / "q.pt")


def test_the_cure_for_pickled_code_works_when_pasted(run, tmp_path: Path) -> None:
    """A whole module, pickled, in a folder whose name needs quoting."""
    import os
    import subprocess

    folder = tmp_path / "it's mine"
    folder.mkdir()
    code = "import torch; from foreign_models import *; torch.save(UdacitySentiment(), 'net.pt')"
    paths = os.environ | {"PYTHONPATH": str(HERE)}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=paths, check=True)
    refused = run("lstm-export", "net.pt", cwd=folder)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    cure = refused.stderr.partition("save its weights alone: ")[2]
    cure = cure.replace("python -c", f"{sys.executable} -c", 1)
    subprocess.run(cure, shell=True, cwd=folder, env=paths, check=True)  # noqa: S602 - the test
    state = read_content(folder / "net.weights.pt").value
    assert set(state) == set(UdacitySentiment().state_dict())


def test_a_class_is_taken_from_a_file_anywhere(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "parts.py").write_text("UNITS = 7\n")
    (tmp_path / "net.py").write_text(
        "from dataclasses import dataclass\nfrom torch import nn\nfrom parts import UNITS\n"
        "@dataclass\nclass Sizes:\n    units: int = UNITS\n"
        "class Net(nn.Linear):\n    def __init__(self): super().__init__(Sizes().units, 1)\n"
    )
    before = list(sys.path)
    assert build_module(f"{tmp_path / 'net.py'}:Net").in_features == 7
    assert sys.path == before
    monkeypatch.syspath_prepend(HERE)
    assert isinstance(build_module("foreign_models:MeanPooled"), MeanPooled)


@pytest.mark.parametrize(
    ("script", "name", "message"),
    [
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', "
            "required=True)\np.parse_args()\nclass Net: pass",
            "net.py:Net",
            "a script that reads its command line",
        ),
        ("import no_such_library", "net.py:Net", "No module named 'no_such_library'"),
        ("1 +", "net.py:Net", "SyntaxError"),
        ("x = 1", "net.py:Net", "has no class Net"),
        ("x = 1", "net.py", "give FILE.py:Class"),
        ("def Net(): return 3", "net.py:Net", "is a int, not a module"),
        ("x = 1", "other.py:Net", "no such file"),
    ],
)
def test_a_class_that_cannot_be_had_is_one_line(
    script: str, name: str, message: str, tmp_path: Path, monkeypatch, capfd
) -> None:
    (tmp_path / "net.py").write_text(script)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["lstm-export"])
    with pytest.raises(UnsupportedModelError, match=message) as caught:
        build_module(name)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""
