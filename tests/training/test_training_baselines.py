"""What stands beside the measures of a model."""

import random
import sys

import pytest
from lstm_training.data.examples import Examples
from lstm_training.evaluation.baselines import fit_baselines
from training.conftest import made_up_reviews


def split(labels: tuple[int, ...] | None = None) -> tuple[Examples, Examples]:
    texts, truth = zip(*made_up_reviews(300), strict=True)
    found = labels or truth
    return Examples("a", texts[:200], found[:200]), Examples("b", texts[200:], found[200:])


def test_words_that_decide_are_found_and_the_best_comes_last() -> None:
    worse, better = fit_baselines(*split())
    assert (worse.name, worse.accuracy) == ("the more frequent label", 0.5)
    assert better.name == "TF-IDF with logistic regression"
    assert better.accuracy > 0.9
    low, high = better.interval
    assert low < better.accuracy < high


def test_the_more_frequent_label_is_that_of_the_training_texts() -> None:
    coins = random.Random(1).choices((0, 1), weights=(1, 3), k=300)
    train, held_out = split(tuple(coins))
    found = {one.name: one for one in fit_baselines(train, held_out)}
    assert found["the more frequent label"].right == sum(held_out.labels)


def test_without_scikit_learn_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    assert [one.name for one in fit_baselines(*split())] == ["the more frequent label"]
