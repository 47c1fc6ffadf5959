"""The whole chain as a user runs it: reviews in a CSV, a trained model, a file, an answer."""

import csv
import json
import random
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # each test trains and exports

GOOD = ("a wonderful film", "great acting and a great story", "i loved every minute", "best fun")
BAD = ("a terrible film", "awful acting and a dull story", "i hated every minute", "worst mess")


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on made-up reviews, export, and return the folder."""
    folder = tmp_path_factory.mktemp("chain")
    choose = random.Random(0)
    with (folder / "reviews.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["review", "opinion"])
        for n in range(600):
            parts = choose.choices(GOOD if n % 2 else BAD, k=3)
            writer.writerow([f"{choose.random()} ".join(parts), "liked" if n % 2 else "disliked"])
    done = run(
        *("lstm-train", "--data", str(folder / "reviews.csv"), "-o", str(folder / "model")),
        *("--text-column=review", "--label-column=opinion", "--labels=disliked,liked"),
        *("--hidden-dim=64", "--embedding-dim=64", "--epochs=4", "--max-tokens=40"),
    )
    assert done.returncode == 0, done.stderr
    done = run("lstm-export", str(folder / "model" / "model.pt"), "-o", str(folder / "onnx"))
    assert done.returncode == 0, done.stderr
    return folder / "onnx"


@pytest.mark.parametrize("name", ["model.onnx", "model.int8.onnx"])
def test_answers_are_right_and_carry_the_users_labels(run, exported: Path, name: str) -> None:
    texts = ("what a wonderful story, I loved it", "what a terrible mess, I hated it")
    done = run("lstm-run", "--model", str(exported / name), "--json", *texts)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["label"] for answer in answers] == ["liked", "disliked"]
    assert all(answer["score"] > 0.6 for answer in answers)
    assert set(answers[0]) == {"text", "label", "score", "scores", "known"}


@pytest.mark.parametrize("name", ["model.onnx", "model.int8.onnx"])
def test_files_verify_where_they_land(run, exported: Path, name: str) -> None:
    done = run("lstm-run", "--model", str(exported / name), "--verify")
    assert done.returncode == 0 and "13 reference answers" in done.stdout


def test_measures_of_the_checkpoint_travel_along(run, exported: Path) -> None:
    done = run("lstm-run", "--model", str(exported / "model.onnx"), "--info", "--json")
    card = json.loads(done.stdout)["card"]
    assert card["metrics"]["accuracy"] > 0.9
    assert card["training"]["data"] == "own texts"  # the file's name stays where it was trained
    assert card["labels"] == ["disliked", "liked"]
