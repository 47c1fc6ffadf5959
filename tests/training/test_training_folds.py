"""Cross-validation: what it leaves out, what it adds up, and how it is resumed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lstm_training.config import TrainingConfig
from lstm_training.cross_validation import cross_validate, split_folds
from lstm_training.data.examples import Examples
from lstm_training.errors import DataError


@given(st.lists(st.booleans(), min_size=4, max_size=60), st.integers(2, 6), st.integers(0, 9))
def test_every_text_is_judged_once_and_labels_are_spread(
    labels: list[bool], folds: int, seed: int
) -> None:
    texts = tuple(f"text {n}" for n in range(len(labels)))
    examples = Examples("any", texts, tuple(map(int, labels)))
    if min(sum(labels), len(labels) - sum(labels)) < folds and len(set(labels)) == 2:
        with pytest.raises(DataError, match=f"too few for {folds} folds"):
            list(split_folds(examples, folds, seed))
        return
    if len(set(labels)) < 2:
        return
    judged: list[str] = []
    for learned, left_out in split_folds(examples, folds, seed):
        assert {*learned.texts, *left_out.texts} == set(texts)
        assert not {*learned.texts} & {*left_out.texts}
        share = sum(left_out.labels) - sum(labels) / folds
        assert abs(share) <= 1
        judged += left_out.texts
    assert sorted(judged) == sorted(texts)


def test_all_texts_count_and_baselines_stand_beside(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    texts = (*examples.texts, examples.texts[0].upper())
    doubled = Examples("one twice", texts, (*examples.labels, examples.labels[0]))
    config = replace(tiny, epochs=2)
    found = cross_validate(config, doubled, tmp_path, 3)
    assert found.models.texts == 240
    assert len(found.by_fold) == 3
    assert found.models.accuracy == pytest.approx(sum(found.by_fold) / 3)
    assert [one.name for one in found.baselines] == [
        "the more frequent label", "TF-IDF with logistic regression",
    ]  # fmt: skip
    assert found.baselines[1].accuracy > 0.8
    assert {one.texts for one in found.baselines} == {240}
    written = json.loads((tmp_path / "folds.json").read_text())
    assert written["this model"]["accuracy"] == found.models.accuracy
    assert written["by_fold"] == list(found.by_fold)
    before = (tmp_path / "fold2/model.pt").stat().st_mtime_ns
    again = cross_validate(config, doubled, tmp_path, 3, resume=True, baselines=False)
    assert (again.by_fold, again.baselines) == (found.by_fold, ())
    assert (tmp_path / "fold2/model.pt").stat().st_mtime_ns == before


def test_lstm_train_measures_by_folds_before_it_trains(
    tiny_options: tuple[str, ...], reviews_csv: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    command = ("lstm-train", "--data", str(reviews_csv), *tiny_options, "--epochs=1")
    command += ("--word-scores=0",)  # with them it is no worse than TF-IDF
    done = run(*command, "--folds=2", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "fold 2 of 2" in done.stderr
    assert "--folds 5" not in done.stderr + done.stdout  # which it does already
    assert "Cross-validation of 240 texts; the folds: " in done.stdout
    assert "The model is worse than TF-IDF with logistic regression on these texts." in done.stdout
    assert {"fold1", "fold2", "folds.json", "model.pt"} <= {p.name for p in tmp_path.iterdir()}
    wrong = run(*command, "--folds=1", "-o", str(tmp_path))
    assert wrong.returncode == 2
    few = run(*command, "--no-baselines", "-o", str(tmp_path / "few"))
    assert "only 24 texts are held out" in few.stderr
    assert few.stderr.endswith("--folds 5 measures all of the texts, not the held-out ones only\n")
