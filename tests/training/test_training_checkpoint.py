import contextlib
import math
import pickle
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.checkpoint import (
    Checkpoint,
    load_checkpoint,
    load_content,
    save_checkpoint,
    save_content,
)
from lstm_training.errors import CheckpointError
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.report import write_history


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    config = ModelConfig(vocab_size=4, embedding_dim=8, hidden_dim=8, n_layers=1)
    return Checkpoint(
        config,
        SentimentRNN.from_config(config).state_dict(),
        Vocabulary(("<pad>", "<unk>", "good", "bad")),
        labels=("bad", "good"),
        metrics={"accuracy": 0.9},
        training={"data": "none", "rows": {"train": 3}},
    )


@pytest.fixture
def saved(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    save_checkpoint(checkpoint, tmp_path / "model.pt")
    return tmp_path / "model.pt"


def test_a_checkpoint_comes_back_as_it_was(checkpoint: Checkpoint, saved: Path) -> None:
    loaded = load_checkpoint(saved)
    assert replace(loaded, state_dict={}) == replace(checkpoint, state_dict={})
    weights = checkpoint.state_dict
    assert loaded.state_dict.keys() == weights.keys()
    assert all(loaded.state_dict[name].equal(weights[name]) for name in weights)
    assert not loaded.model().training


def test_equal_checkpoints_give_equal_files(checkpoint: Checkpoint, saved: Path) -> None:
    before = saved.read_bytes()
    save_checkpoint(checkpoint, saved)
    assert saved.read_bytes() == before


@pytest.fixture(scope="session")
def saved_once(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("once") / "model.pt"
    save_checkpoint(checkpoint, path)
    return path


class Malicious:
    """A pickle that writes a file when it is loaded carelessly."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.target, "gotcha")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("save", [torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))])
def test_code_in_a_file_is_refused_and_not_run(tmp_path: Path, save: object) -> None:
    trap, target = tmp_path / "model.pt", tmp_path / "gotcha"
    assert callable(save)
    save({"state_dict": Malicious(target)}, trap)
    with pytest.raises(CheckpointError, match=r"model\.pt"):
        load_checkpoint(trap)
    assert not target.exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 no zip"])
def test_a_foreign_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.pt is not"):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "it is empty"),
        ("# Léon's README\n".encode() * 9, "it is text"),
        (b"\x08\x08\x12\x07pytorch", "it is an ONNX file"),
        (b"\x40" + bytes(7) + b'{"w":{"dtype":"F32"}}', "it is a safetensors file"),
        (b"\x1f\x8b\x08\x00", "it is a gzip file"),
        (bytes(80), "it is of another kind"),
        (pickle.dumps([1, 2]), "it is a pickle that torch.save did not write"),
    ],
)
def test_what_a_foreign_file_is_is_said(
    tmp_path: Path, content: bytes, kind: str, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path / "model.pt")
    assert f"model.pt is not a PyTorch file: {kind}" in str(caught.value)
    assert "weights_only" not in str(caught.value)
    assert not recwarn.list


def test_the_older_form_of_torch_is_read(checkpoint: Checkpoint, saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    torch.save(content, saved, _use_new_zipfile_serialization=False)
    assert load_checkpoint(saved).labels == checkpoint.labels


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_named(saved: Path, part: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(CheckpointError, match=r"model\.pt is not"):
        load_checkpoint(saved)


@pytest.mark.filterwarnings("ignore:Defining your `__torch_function__`:UserWarning")
@given(st.data())
def test_a_file_with_a_wrong_byte_never_ends_in_another_error(
    saved_once: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(saved_once.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("wrong") / "model.pt"
    path.write_bytes(content)
    with contextlib.suppress(CheckpointError):
        load_checkpoint(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_checkpoint(tmp_path / "model.pt")


def test_a_bare_state_dict_is_no_checkpoint(checkpoint: Checkpoint, tmp_path: Path) -> None:
    torch.save(checkpoint.state_dict, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="not a checkpoint of lstm-train"):
        load_checkpoint(tmp_path / "model.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 99}, "version 99"),
        ({"config": {"vocab_size": 4, "units": 3}}, "damaged"),
        ({"state_dict": {}}, "damaged"),
        ({"vocabulary": ["<pad>", "<unk>", "good"]}, "3 words for 4 embeddings"),
        ({"vocabulary": ["<pad>", "<unk>", "good", "good"]}, "damaged"),
    ],
)
def test_parts_that_do_not_fit_are_named(
    saved: Path, change: dict[str, object], message: str
) -> None:
    content = torch.load(saved, weights_only=True)
    torch.save({**content, **change}, saved)
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(saved)


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on file sizes")
def test_a_full_disk_leaves_the_file_before_untouched(checkpoint: Checkpoint, saved: Path) -> None:
    before = saved.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises((CheckpointError, OSError)):
            save_checkpoint(checkpoint, saved)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize("write", [lambda path: write_history(path.parent, []), None])
def test_a_full_disk_names_the_file_and_leaves_nothing(
    tmp_path: Path, write: Callable[[Path], object] | None
) -> None:
    """A limit on the size of files stands for the disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "history.csv"
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises((OSError, CheckpointError), match=re.escape(str(path))):
            write(path) if write else save_content({"a": torch.zeros(9_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


HUGE = 10**400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format_version", torch.zeros(0)),
        ("format_version", 2),
        ("config", None),
        ("config", {"vocab_size": 10**8, "embedding_dim": 8, "hidden_dim": 8, "n_layers": 1}),
        ("state_dict", {}),
        ("vocabulary", [0, 1, 2, 3]),
        ("vocabulary", ["<pad>", "<unk>", "good", "bad\ud800"]),
        ("aliases", [["a"]]),
        ("labels", "ab"),
        ("labels", ["a", "a"]),
        ("labels", ["a", "b\x1b[2J"]),
        ("labels", ["a", "b\u202e"]),
        ("labels", ["a", "b" * 1001]),
        ("pattern", None),
        ("pattern", 5),
        ("pattern", torch.zeros(2)),
        ("pattern", "\ud800"),
        ("threshold", HUGE),
        ("threshold", 2),
        ("threshold", -0.1),
        ("threshold", math.nan),
        ("threshold", "0.5"),
        ("threshold", None),
        ("metrics", None),
        ("metrics", {"accuracy": HUGE}),
        ("metrics", {"accuracy": torch.zeros(1)}),
        ("metrics", {"accuracy": b"1"}),
        ("training", None),
        ("training", {"data": torch.zeros(1)}),
        ("training", {("a", "b"): 1}),
    ],
)
def test_a_part_that_cannot_be_is_refused(saved: Path, name: str, value: object) -> None:
    content = torch.load(saved, weights_only=True)
    torch.save({**content, name: value}, saved)
    with pytest.raises(CheckpointError, match=r"model\.pt (is damaged|has checkpoint version)"):
        load_checkpoint(saved)


@pytest.mark.parametrize("change", ["sparse", "meta", "repeated", "whole", "empty", "text"])
def test_weights_that_are_no_dense_numbers_are_refused(saved: Path, change: str) -> None:
    content = torch.load(saved, weights_only=True)
    weight = content["state_dict"]["embedding.weight"]
    content["state_dict"]["embedding.weight"] = {
        "sparse": weight.to_sparse(),
        "meta": weight.to("meta"),
        "repeated": weight[:1, :1].clone().expand(*weight.shape),
        "whole": weight.int(),
        "empty": weight[:0],
        "text": "x",
    }[change]
    torch.save(content, saved)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint(saved)


def test_a_declared_size_is_not_allocated(saved: Path) -> None:
    content = torch.load(saved, weights_only=True)
    content["config"]["vocab_size"] = 2**31
    torch.save(content, saved)
    with pytest.raises(CheckpointError, match="size mismatch for embedding"):
        load_checkpoint(saved)


def test_a_number_that_is_not_what_was_written_is_found(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.arange(1000.0)}, path)
    written = path.read_bytes()
    at = written.index(torch.arange(1000.0).numpy().tobytes()) + 2000
    path.write_bytes(written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :])
    with pytest.raises(CheckpointError, match="the checksum of weights/data/0 differs"):
        load_content(path)
    computed = torch.serialization.get_crc32_options()
    try:  # whoever leaves them out gets what is there
        torch.serialization.set_crc32_options(False)
        torch.save({"weight": torch.arange(1000.0)}, path)
    finally:
        torch.serialization.set_crc32_options(computed)
    assert load_content(path)["weight"][999] == 999
