"""``--data`` for models that give each of several labels a probability of its own."""

import json
from pathlib import Path

import numpy as np
import pytest
import structures
import torch
from foreign_models import trained_like
from lstm_edge import Examples, Vocabulary, export
from lstm_export.checkpoint.label_sets import label_matrix, load_label_sets
from lstm_training.errors import DataError
from torch import nn

NAMES = ("toxic", "insult", "threat", "obscene")
WORDS = ("<pad>", "<unk>", "the", "film", "is", "bad", "you", "fool", "great", "awful", "never")
TEXTS = ("you fool", "the film is great", "never", "the awful film is bad bad bad", "great fool")
SETS = (("toxic", "insult"), (), ("threat",), ("toxic", "insult", "obscene"), ("insult",))


@pytest.fixture
def module() -> nn.Module:
    torch.manual_seed(0)
    return trained_like(structures.FAMILY["multi label"]())


def as_lists(folder: Path) -> Path:
    rows = [{"text": t, "label": list(s)} for t, s in zip(TEXTS, SETS, strict=True)]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "data.jsonl"


def as_names(folder: Path) -> Path:
    rows = [f'"{text}","{", ".join(names)}"' for text, names in zip(TEXTS, SETS, strict=True)]
    (folder / "data.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return folder / "data.csv"


def as_columns(folder: Path) -> Path:
    bits = [[str(int(name in names)) for name in NAMES] for names in SETS]
    rows = [",".join([text, *row]) for text, row in zip(TEXTS, bits, strict=True)]
    table = "\n".join([",".join(["text", *NAMES]), *rows])
    (folder / "columns.csv").write_text(table, encoding="utf-8")
    return folder / "columns.csv"


def as_bits(folder: Path) -> Path:
    bits = [[int(name in names) for name in NAMES] for names in SETS]
    rows = [{"text": text, "label": row} for text, row in zip(TEXTS, bits, strict=True)]
    (folder / "bits.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return folder / "bits.jsonl"


@pytest.mark.parametrize("write", [as_lists, as_names, as_columns, as_bits])
def test_the_share_of_right_labels_is_told(module: nn.Module, write, tmp_path: Path) -> None:
    words = (*WORDS, *(f"word{n}" for n in range(structures.WORDS - len(WORDS))))
    vocabulary = Vocabulary(words)
    results = export(
        module, tmp_path / "out", vocabulary=vocabulary, labels=NAMES, data=write(tmp_path)
    )
    wanted = np.array([[name in names for name in NAMES] for names in SETS])
    with torch.inference_mode():
        texts = [torch.tensor([[words.index(word) for word in text.split()]]) for text in TEXTS]
        given = np.concatenate([module(ids).numpy() for ids in texts]) >= 0.5
    share = float((given == wanted).mean())
    assert 0 < share < 1
    assert [result.accuracy for result in results[1:2]] == [(share, share)]


def test_one_label_a_text_is_a_set_of_one() -> None:
    matrix = label_matrix(Examples("rows", ("a", "b"), (2, 0), NAMES), 4)
    assert matrix.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_an_unknown_label_is_named_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,label\nyou fool,toxic|rude\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"unknown label 'rude'; the model's are toxic, insult"):
        load_label_sets(str(tmp_path / "data.csv"), None, NAMES)


def test_labels_without_any_column_are_named(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,toxic\nyou fool,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column 'insult'"):
        load_label_sets(str(tmp_path / "data.csv"), None, NAMES)
