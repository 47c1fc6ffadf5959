"""What a teacher said is found again by text, and a file of something else is refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from lstm_training.distillation.config import CorpusConfig
from lstm_training.distillation.corpus import load_corpus
from lstm_training.distillation.saved_scores import load_scores, save_scores
from lstm_training.errors import ConfigError

ROOT = Path(__file__).parents[2]
TEXTS = ("A fine film.", "Dull.", "So so,<br />all told.", "dull")
TWO = np.zeros(2, np.uint64)
RIGHT = {"digests": TWO, "logits": np.zeros(2, np.float16), "held_out": TWO, "mined": TWO}
HELD_OUT = ("Dull.", "never scored")
LOGITS = torch.tensor([2.5, -3.25, torch.nan, 7.0])


def test_a_text_finds_its_logit_whatever_its_markup(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    save_scores(path, TEXTS, LOGITS, HELD_OUT)
    scores = load_scores(path)
    found = scores.of(("a  fine<br /><br />film.", "So so, all told.", "another one", "DULL."))
    assert found.isnan().tolist() == [False, True, True, False]
    assert found[[0, 3]].tolist() == [2.5, -3.25], "of two copies the first counts"
    assert [scores.has(text) for text in ("a fine film", "so so, all told")] == [True, False]
    assert scores.holds_out(("dull", "a fine film", "Never<br />scored")) == [True, False, True]
    save_scores(path, TEXTS, LOGITS + 1, HELD_OUT)
    assert load_scores(path).sha256 != scores.sha256


def test_a_file_without_a_text_knows_none(tmp_path: Path) -> None:
    save_scores(tmp_path / "none.npz", TEXTS, torch.full((4,), torch.nan), HELD_OUT)
    assert load_scores(tmp_path / "none.npz").of(TEXTS).isnan().all()
    assert load_scores(tmp_path / "none.npz").of(()).shape == (0,)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {name: array for name, array in RIGHT.items() if name != "mined"},
        RIGHT | {"logits": np.zeros(3, np.float16)},
        RIGHT | {"digests": TWO[None], "logits": np.zeros((1, 2), np.float16)},
        RIGHT | {"held_out": TWO.astype(np.int64)},
        RIGHT | {"digests": np.array([object(), object()])},
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(ConfigError, match=r"other\.npz (holds no teacher's|is dam)"):
        load_scores(tmp_path / "other.npz")


@pytest.mark.parametrize("size", [0, 1, 30, 200, 400])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    save_scores(tmp_path / "whole.npz", TEXTS, LOGITS, HELD_OUT)
    content = (tmp_path / "whole.npz").read_bytes()
    assert size < len(content)
    (tmp_path / "part.npz").write_bytes(content[:size])
    with pytest.raises(ConfigError, match=r"teacher_scores: .* is damaged, or of"):
        load_scores(tmp_path / "part.npz")


def test_a_missing_file_and_a_single_array_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_scores(tmp_path / "missing.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ConfigError, match=r"teacher_scores: .* is damaged, or of"):
        load_scores(tmp_path / "one.npy")


def corpus_config(folder: Path, test: int) -> CorpusConfig:
    labelled = [{"text": f"text {n} {'fine' * (n % 2)}", "label": n % 2} for n in range(60)]
    parts = {"labelled": labelled, "test": labelled[:test]}
    parts["unlabelled"] = [{"text": f"One of {n} parts. And {n} more."} for n in range(9)]
    sources = {}
    for name, rows in parts.items():
        path = folder / f"{name}_{test}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        sources[name] = (str(path),)
    return CorpusConfig(**sources)


def test_what_was_held_out_stays_so_whatever_else_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    before = load_corpus(corpus_config(tmp_path, 4))
    scored = before.sentences[::2]
    mined = before.sentences[1:3]
    asked = (*scored, *mined)
    save_scores(path, asked, torch.zeros(len(asked)), before.held_out.texts, mined)
    other = corpus_config(tmp_path, 7)
    anew, after = load_corpus(other), load_corpus(other, load_scores(path))
    assert set(anew.held_out.texts) & set(before.train.texts), "a new choice mixes them"
    gone = {f"text {n} {'fine' * (n % 2)}" for n in range(4, 7)}
    assert set(after.held_out.texts) == set(before.held_out.texts) - gone
    assert set(after.train.texts) == set(before.train.texts) - gone
    assert set(after.sentences) == set(scored) - set(mined), "what was mined is mined again"
    assert load_scores(path).has(mined[0], mined=True)


def test_scores_of_other_texts_are_refused(tmp_path: Path) -> None:
    save_scores(tmp_path / "scores.npz", TEXTS, LOGITS, HELD_OUT)
    with pytest.raises(ConfigError, match="holds 0 of the 56 labelled texts out, and not"):
        load_corpus(corpus_config(tmp_path, 4), load_scores(tmp_path / "scores.npz"))


def test_what_the_teacher_left_is_what_the_training_page_says() -> None:
    page = (ROOT / "training/README.md").read_text("utf-8")
    said = re.search(r"it says of\s([\d,]+)\stexts", page)
    scores = load_scores(ROOT / "training/checkpoints/teacher_scores.npz")
    assert said and f"{len(scores.digests):,}" == said[1]
    assert len(scores.held_out) == 3_340
