"""Checkpoints and vocabularies, good and bad: a right answer or one clear error, never code."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from foreign_models import LastStepBidirectional, ThreeLinear, UdacitySentiment, trained_like
from lstm_export.checkpoint.assume import assume_network
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source
from lstm_export.checkpoint.state_dict import read_state_dict
from lstm_export.checkpoint.vocabulary_file import read_vocabulary
from lstm_export.errors import UnsupportedModelError
from lstm_export.parity.cases import random_cases
from lstm_runtime.errors import LstmEdgeError, VocabularyError
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.errors import CheckpointError
from torch import Tensor, nn

LAST = ArchitectureHints("last")


def seed_state() -> dict[str, Tensor]:
    return dict(trained_like(UdacitySentiment()).state_dict())


def write(content: Any, folder: Path) -> Path:
    torch.save(content, folder / "checkpoint.pt")
    return folder / "checkpoint.pt"


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("touch executed",)


@pytest.mark.parametrize("content", [Evil(), {"state_dict": {"fc.weight": Evil()}}])
def test_pickle_with_code_is_refused_and_does_not_run(content, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="never run here"):
        load_source(write(content, tmp_path))
    assert not (tmp_path / "executed").exists()


def test_full_module_pickle_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="save its weights alone: python -c"):
        load_source(write(UdacitySentiment(), tmp_path))


@pytest.mark.parametrize("keep", [0, 1, 100, 1000, -500, -1])
@pytest.mark.parametrize("scripted", [False, True])
@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_truncated_file_is_refused(tmp_path: Path, keep: int, scripted: bool) -> None:
    path = tmp_path / "checkpoint.pt"
    if scripted:
        torch.jit.save(torch.jit.script(ThreeLinear()), str(path))
    else:
        torch.save(seed_state(), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError):
        load_source(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100), bytes(5000)])
def test_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "foreign.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"foreign\.pt"):
        load_source(tmp_path / "foreign.pt")


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        load_source(tmp_path / "none.pt")
    with pytest.raises(CheckpointError, match="is a folder without"):
        load_source(tmp_path)


@pytest.mark.parametrize("content", [[1, 2], 5, {}, {"epoch": 3}, {"state_dict": {"a": "b"}}])
def test_something_else_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(UnsupportedModelError):
        load_source(write(content, tmp_path))


@pytest.mark.parametrize("name", list(UdacitySentiment().state_dict()))
def test_every_missing_key_is_named_or_allowed(tmp_path: Path, name: str) -> None:
    state = seed_state()
    del state[name]
    if name == "fc.bias":
        assert not load_source(write(state, tmp_path), LAST).network.head[0].bias.any()
        return
    with pytest.raises(UnsupportedModelError):
        load_source(write(state, tmp_path))


@pytest.mark.parametrize("name", list(UdacitySentiment().state_dict()))
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_named(tmp_path: Path, name: str, value: float) -> None:
    state = seed_state()
    state[name] = torch.full_like(state[name], value)
    with pytest.raises(UnsupportedModelError, match=f"{name} holds NaN"):
        load_source(write(state, tmp_path))


@pytest.mark.parametrize("change", ["sparse", "meta", "repeated", "float8", "empty"])
def test_weights_that_no_file_should_hold_are_named(tmp_path: Path, change: str) -> None:
    state = seed_state()
    weight = state["embedding.weight"]
    state["embedding.weight"] = {
        "sparse": weight.to_sparse(),
        "meta": weight.to("meta"),
        "repeated": torch.zeros(1).expand(2**33, weight.shape[1]),  # would take 2 TB
        "float8": weight.to(torch.float8_e4m3fn),
        "empty": weight[:0],
    }[change]
    with pytest.raises(UnsupportedModelError, match=r"embedding\.weight is no dense tensor"):
        load_source(write(state, tmp_path))


def test_a_pattern_that_makes_no_word_is_named() -> None:
    sizes = SimpleNamespace(vocab_size=3)
    encoder = TextEncoder(Tokenizer("[A-Z]+"), Vocabulary(("<pad>", "<unk>", "good")))
    with pytest.raises(VocabularyError, match=r"\[A-Z\]\+ makes none of the vocabulary's words"):
        next(random_cases(SimpleNamespace(architecture=sizes), encoder, states=False))


@pytest.mark.parametrize("name", [n for n in UdacitySentiment().state_dict() if "embed" not in n])
def test_wrong_shape_is_refused(tmp_path: Path, name: str) -> None:
    state = seed_state()
    state[name] = state[name][..., :-1].contiguous()
    with pytest.raises(UnsupportedModelError):
        load_source(write(state, tmp_path))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_converted(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {name: tensor.to(dtype) for name, tensor in seed_state().items()}
    parts = load_source(write(state, tmp_path), LAST).network
    assert parts.embedding.dtype == np.float32
    assert np.allclose(parts.embedding, seed_state()["embedding.weight"], atol=2e-2)


def test_integer_weights_are_refused() -> None:
    state = {name: tensor.to(torch.int8) for name, tensor in seed_state().items()}
    with pytest.raises(UnsupportedModelError, match=r"torch\.int8"):
        read_state_dict(state)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"rnn": nn.GRU(8, 8)}, "GRU"),
        ({"rnn": nn.RNN(8, 8)}, "plain RNN"),
        ({"rnn": nn.LSTM(8, 8, proj_size=4)}, "projections"),
        ({"a": nn.LSTM(8, 8), "b": nn.LSTM(8, 8)}, "2 recurrent networks"),
        ({"rnn": nn.LSTMCell(8, 8)}, "LSTMCell"),
        ({"conv": nn.Conv1d(8, 8, 3)}, "no LSTM"),
        ({"rnn": nn.LSTM(8, 8), "norm": nn.LayerNorm(8)}, "norm.weight"),
        ({"rnn": nn.LSTM(9, 8)}, "no embedding with vectors of 9"),
    ],
)
def test_other_networks_are_refused_by_name(layers: dict[str, nn.Module], message: str) -> None:
    module = nn.ModuleDict({"emb": nn.Embedding(20, 8), **layers, "out": nn.Linear(8, 1)})
    with pytest.raises(UnsupportedModelError, match=message):
        read_state_dict(module.state_dict())


def test_no_linear_layer_is_refused() -> None:
    module = nn.ModuleDict({"emb": nn.Embedding(20, 8), "rnn": nn.LSTM(8, 8)})
    with pytest.raises(UnsupportedModelError, match="no linear layer"):
        read_state_dict(module.state_dict())


def test_joined_readout_is_refused() -> None:
    layers = {"emb": nn.Embedding(20, 8), "rnn": nn.LSTM(8, 8), "out": nn.Linear(16, 1)}
    with pytest.raises(UnsupportedModelError, match="takes 16 features"):
        assume_network(read_state_dict(nn.ModuleDict(layers).state_dict()), LAST)


def test_module_of_another_shape_is_refused(tmp_path: Path) -> None:
    path = write(LastStepBidirectional().state_dict(), tmp_path)
    with pytest.raises(UnsupportedModelError, match="does not fit the class"):
        load_source(path, module=ThreeLinear())


@pytest.mark.parametrize("labels", [("a",), ("a", "a"), ("a", "b", "c")])
def test_labels_have_to_fit(tmp_path: Path, labels: tuple[str, ...]) -> None:
    source = load_source(write(seed_state(), tmp_path), LAST)
    with pytest.raises(UnsupportedModelError, match="needs 2 different labels"):
        source.with_labels(labels)


@pytest.mark.parametrize("label", ["b\x1b[2J", "b\nc", "b\u202e", "\ud800", "b" * 1001])
def test_a_label_that_no_file_may_have_is_refused(tmp_path: Path, label: str) -> None:
    source = load_source(write(seed_state(), tmp_path), LAST)
    with pytest.raises(UnsupportedModelError, match=r"the label .* (control|more than)"):
        source.with_labels(("a", label))


@pytest.mark.parametrize(
    ("name", "content", "words", "unknown"),
    [
        ("v.txt", "<pad>\n<unk>\ngood\n", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.txt", "<pad>\r\n<unk>\r\ngood", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.txt", "the\na\ngood", ("the", "a", "good"), None),
        ("v.json", '{"good": 2, "<unk>": 1, "<pad>": 0}', ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.json", '{"good": 2, "bad": 1}', ("", "bad", "good"), None),
    ],
)
def test_vocabulary_files(tmp_path: Path, name, content, words, unknown) -> None:
    (tmp_path / name).write_bytes(content.encode())
    found = read_vocabulary(tmp_path / name, 3)
    assert (found.words, found.unknown_word) == (words, unknown)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.txt", b"", "line 1 is empty"),
        ("v.txt", b"a\n\nb", "line 2 is empty"),
        ("v.txt", b"a\nb", "has 3 rows"),
        ("v.txt", b"a\nb\na", "'a' twice"),
        ("v.txt", b"\xff\xfe", "not UTF-8"),
        ("v.json", b"[1]", "one JSON object"),
        ("v.json", b'{"a": "b"}', "whole-number id"),
        ("v.json", b'{"a": true}', "whole-number id"),
        ("v.json", b"{", "not JSON"),
        ("v.json", b'{"a": 0, "b": 0, "c": 2}', "share the id 0"),
        ("v.json", b'{"a": 3}', "embedding has 3 rows"),
        ("v.json", b'{"a": -1}', "embedding has 3 rows"),
        ("v.json", b'{"a": 1}', "has ids up to 1"),
        ("v.json", b"{}", "has ids up to -1"),
        ("v.json", json.dumps({"a": 10**30}).encode(), "embedding has 3 rows"),
    ],
)
def test_bad_vocabulary_files(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VocabularyError, match=message):
        read_vocabulary(tmp_path / name, 3)


def test_unknown_word_has_to_be_in_the_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("a\nb\nc")
    assert read_vocabulary(tmp_path / "v.txt", 3, "c").unknown == 2
    with pytest.raises(VocabularyError, match="lacks the unknown word 'UNK'"):
        read_vocabulary(tmp_path / "v.txt", 3, "UNK")
    with pytest.raises(VocabularyError, match="No such file"):
        read_vocabulary(tmp_path / "none.txt", 3)


def test_all_errors_are_of_the_family() -> None:
    for error in (CheckpointError, UnsupportedModelError, VocabularyError):
        assert issubclass(error, LstmEdgeError)
