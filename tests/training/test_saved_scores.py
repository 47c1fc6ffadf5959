"""What a teacher said is found again by text, and a file of something else is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lstm_training.distillation.teachers.saved_scores import load_scores, save_scores
from lstm_training.errors import ConfigError

TEXTS = ("A fine film.", "Dull.", "So so,<br />all told.", "dull")
LOGITS = torch.tensor([2.5, -3.25, torch.nan, 7.0])


def test_a_text_finds_its_logit_whatever_its_markup(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    save_scores(path, TEXTS, LOGITS)
    scores = load_scores(path)
    found = scores.of(("a  fine<br /><br />film.", "So so, all told.", "another one", "DULL."))
    assert found.isnan().tolist() == [False, True, True, False]
    assert found[[0, 3]].tolist() == [2.5, -3.25], "of two copies the first counts"
    save_scores(path, TEXTS, LOGITS + 1)
    assert load_scores(path).sha256 != scores.sha256


def test_a_file_without_a_text_knows_none(tmp_path: Path) -> None:
    save_scores(tmp_path / "none.npz", TEXTS, torch.full((4,), torch.nan))
    assert load_scores(tmp_path / "none.npz").of(TEXTS).isnan().all()
    assert load_scores(tmp_path / "none.npz").of(()).shape == (0,)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"digests": np.zeros(2, np.uint64)},
        {"digests": np.zeros(2, np.uint64), "logits": np.zeros(3, np.float16)},
        {"digests": np.zeros((2, 1), np.uint64), "logits": np.zeros((2, 1), np.float16)},
        {"digests": np.zeros(2, np.int64), "logits": np.zeros(2, np.float16)},
        {"digests": np.array([object()]), "logits": np.zeros(1, np.float16)},
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(
        ConfigError, match=r"teacher_scores: .*other\.npz holds no teacher's scores"
    ):
        load_scores(tmp_path / "other.npz")


@pytest.mark.parametrize("size", [0, 1, 30, 200, 400])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    save_scores(tmp_path / "whole.npz", TEXTS, LOGITS)
    content = (tmp_path / "whole.npz").read_bytes()
    assert size < len(content)
    (tmp_path / "part.npz").write_bytes(content[:size])
    with pytest.raises(ConfigError, match="holds no teacher's scores"):
        load_scores(tmp_path / "part.npz")


def test_a_missing_file_and_a_single_array_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_scores(tmp_path / "missing.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ConfigError, match="holds no teacher's scores"):
        load_scores(tmp_path / "one.npy")
