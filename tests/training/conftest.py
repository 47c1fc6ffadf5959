"""Helpers of the training tests: tiny labelled data, tiny settings, lstm-train to be killed."""

import csv
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples

StartTrain = Callable[..., "subprocess.Popen[str]"]

GOOD, BAD = ("good", "great", "moving"), ("bad", "poor", "dull")
OTHER = tuple(f"word{n}" for n in range(40))


def made_up_reviews(count: int) -> list[tuple[str, int]]:
    """Return distinct texts whose label is in one of their words."""
    source = random.Random(0)
    rows = []
    for n in range(count):
        label = n % 2
        words = source.choices(OTHER, k=source.randint(3, 30))
        words.insert(source.randrange(len(words)), source.choice(GOOD if label else BAD))
        rows.append((f"{' '.join(words)} number{n}", label))
    return rows


@pytest.fixture(scope="session")
def reviews_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "reviews.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *made_up_reviews(240)])
    return path


@pytest.fixture(scope="session")
def examples() -> Examples:
    texts, labels = zip(*made_up_reviews(240), strict=True)
    return Examples("made up", texts, labels)


@pytest.fixture(scope="session")
def tiny() -> TrainingConfig:
    """Settings that run through in a second and learn the made-up reviews."""
    return TrainingConfig(
        epochs=3,
        batch_size=8,
        embedding_dim=16,
        hidden_dim=16,
        n_layers=1,
        learning_rate=0.02,
        embedding_dropout=0.1,
        word_dropout=0.05,
        checkpoint_every=2,
    )


@pytest.fixture(scope="session")
def tiny_options() -> tuple[str, ...]:
    """The same as options of lstm-train."""
    return (
        "--epochs=3", "--batch-size=8", "--embedding-dim=16", "--hidden-dim=16", "--n-layers=1",
        "--learning-rate=0.02", "--checkpoint-every=2",
    )  # fmt: skip


@pytest.fixture
def start_train() -> Iterator[StartTrain]:
    """Start lstm-train without waiting for it; what still runs after the test is killed."""
    started = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("lstm-train")), *arguments],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
