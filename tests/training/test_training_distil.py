"""A teacher of n-grams for the user's own texts, with and without labels."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lstm_training.api import train
from lstm_training.checkpoint import load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.digest import texts_digest
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import prepare
from lstm_training.errors import DataError, TrainingError
from lstm_training.transfer.soft_labels import LABEL_WEIGHT, new_texts, with_soft_labels
from training.conftest import made_up_reviews

ROWS = made_up_reviews(600)
FEW = Examples("few", tuple(t for t, _ in ROWS[:80]), tuple(n for _, n in ROWS[:80]))
MORE = tuple(text for text, _ in ROWS[80:])
TRUTH = torch.tensor([label for _, label in ROWS[80:]])


def test_targets_are_labels_with_the_teachers_part_and_the_teachers_alone(
    tiny: TrainingConfig,
) -> None:
    data = prepare(FEW, tiny, unlabelled=MORE)
    taught = with_soft_labels(data, MORE, 5)
    count, labels = len(data.train), data.train.labels
    assert len(taught.train) == count + len(MORE)
    by_teacher = (taught.train.labels[:count] - LABEL_WEIGHT * labels) / (1 - LABEL_WEIGHT)
    assert ((by_teacher >= 0) & (by_teacher <= 1)).all()
    assert ((by_teacher > 0.5) == (labels > 0.5)).float().mean() > 0.6  # out of fold
    assert ((taught.train.labels[count:] > 0.5) == (TRUTH > 0.5)).float().mean() > 0.8
    assert max(map(len, taught.train.ids[count:])) == 5
    assert taught.held_out is data.held_out


def test_words_of_texts_without_labels_have_ids_too(tiny: TrainingConfig) -> None:
    more = ("strange thing", "a strange one")
    assert "strange" in prepare(FEW, tiny, unlabelled=more).vocabulary.ids
    assert "strange" not in prepare(FEW, tiny).vocabulary.ids


def test_texts_that_are_labelled_already_are_left_out() -> None:
    texts = ("New!", "new!", FEW.texts[0].upper(), "", "other")
    assert new_texts(texts, FEW) == ("new!", "other")
    with pytest.raises(DataError, match="every unlabelled text is empty or one of the labelled"):
        new_texts(FEW.texts, FEW)
    assert texts_digest(("ab", "c")) != texts_digest(("a", "bc"))


def test_a_teacher_needs_two_texts_of_each_label(tiny: TrainingConfig) -> None:
    data = prepare(FEW, tiny)
    alone = replace(data.train_examples, labels=(1, *[0] * (len(data.train) - 1)))
    with pytest.raises(DataError, match="two texts of each at least"):
        with_soft_labels(replace(data, train_examples=alone), (), 5)


def test_texts_without_labels_help_where_labels_are_few(
    tiny: TrainingConfig, tmp_path: Path
) -> None:
    config = replace(tiny, epochs=4, holdout=0.5)
    alone = train(config, FEW, tmp_path / "alone").checkpoint
    taught = train(config, FEW, tmp_path / "taught", unlabelled=MORE).checkpoint
    assert taught.metrics["loss"] < alone.metrics["loss"] - 0.1
    assert taught.training["rows"]["train"] == 40
    assert taught.training["rows"]["unlabelled"] == len(MORE)
    assert taught.training["run"]["distil"] is True
    own = train(replace(config, distil=True), FEW, tmp_path / "own").checkpoint
    assert own.training["rows"]["unlabelled"] == 0
    assert not own.state_dict["fc.weight"].equal(alone.state_dict["fc.weight"])


def test_a_run_goes_on_with_the_same_texts_only(tiny: TrainingConfig, tmp_path: Path) -> None:
    train(tiny, FEW, tmp_path, unlabelled=MORE)
    assert train(tiny, FEW, tmp_path, unlabelled=MORE, resume=True).files == ()
    with pytest.raises(TrainingError, match="unlabelled_sha256 was"):
        train(tiny, FEW, tmp_path, unlabelled=MORE[1:], resume=True)
    with pytest.raises(TrainingError, match="distil was True, is None"):
        train(tiny, FEW, tmp_path, resume=True)


def test_lstm_train_reads_texts_without_labels(
    tiny_options: tuple[str, ...], reviews_csv: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    with (tmp_path / "more.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["text"], *([text] for text in MORE[200:300])])
    more = ("--unlabelled", str(tmp_path / "more.csv"), "--no-baselines")
    output = ("-o", str(tmp_path / "model"))
    done = run("lstm-train", "--data", str(reviews_csv), *tiny_options, *more, *output)
    assert done.returncode == 0, done.stderr
    assert "from labels and a teacher of n-grams, and from 100 texts without labels" in done.stderr
    assert load_checkpoint(tmp_path / "model/model.pt").training["rows"]["unlabelled"] == 100
