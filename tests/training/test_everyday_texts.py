"""The everyday sentences and statements of fact that a model of everyday English is measured on."""

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from lstm_runtime.text.tokenizer import Tokenizer

DATA = Path(__file__).parents[1] / "data"


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / name).read_text("utf-8").splitlines()))


def words_of(text: str) -> str:
    return " ".join(Tokenizer().tokens(text))


def test_halves_hold_the_same_kinds_with_the_same_labels() -> None:
    dev, test = (
        Counter((row["kind"], row["label"]) for row in rows_of(f"everyday_{half}.csv"))
        for half in ("dev", "test")
    )
    assert dev == test
    assert sum(dev.values()) == 150
    assert sum(count for (_, label), count in dev.items() if label == "positive") == 75


def test_others_are_of_both_labels() -> None:
    counts = Counter(row["label"] for row in rows_of("everyday_others.csv"))
    assert counts == {"positive": 80, "negative": 75}


def test_statements_have_halves_too() -> None:
    halves = Counter(row["half"] for row in rows_of("neutral_statements.csv"))
    assert halves == {"dev": 30, "test": 30}


def test_no_text_is_asked_twice() -> None:
    ours = [path for path in DATA.glob("*.csv") if not path.name.endswith("_reviews.csv")]
    asked = Counter(words_of(row["text"]) for path in ours for row in rows_of(path.name))
    assert len(asked) == 515
    assert set(asked.values()) == {1}
    others = {words_of(r["text"]) for p in DATA.glob("*_reviews.csv") for r in rows_of(p.name)}
    assert len(others) > 100
    assert not others & set(asked)


def measured_by(script: str, *arguments: str | Path) -> str:
    """Return what a script of benchmarks/ prints, of the bundled model if nothing else is said."""
    command = [sys.executable, str(DATA.parents[1] / "benchmarks" / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_measure_of_the_bundled_model_is_what_the_training_page_says() -> None:
    printed = measured_by("everyday.py")
    page = (DATA.parents[1] / "training/README.md").read_text("utf-8")
    counts = re.findall(r"\| ([a-z ]+) \| (\d+) of (\d+) \|", printed)
    assert [int(of) for kind, _, of in counts if kind == "all"] == [150]
    for kind, right, of in counts:
        if not kind.startswith("all"):
            said = re.search(rf"\| {kind} \| (\d+) of {of} \|", page)
            # A sentence on the edge may fall to the other side on another processor.
            assert said and abs(int(said[1]) - int(right)) <= 1, kind
    assert re.search(r"statements of fact: \d+ of 30 between 0.25 and 0.75", printed)


def test_the_card_says_what_its_command_measures() -> None:
    printed = measured_by("model_card.py")
    card = (DATA.parents[1] / "runtime/lstm_runtime/models/README.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]*\d[^|]*) \| ([\d, of]+) \|  \|  \|$", printed, re.MULTILINE)
    assert len(rows) == 10
    for title, counts in rows:
        said = re.search(rf"^\| {re.escape(title)} \| ([\d, of]+) \|", card, re.MULTILINE)
        assert said, title
        for told, found in zip(*(re.findall(r"\d+", c) for c in (said[1], counts)), strict=True):
            # A sentence on the edge may fall to the other side on another processor.
            assert abs(int(told) - int(found)) <= 1, title


def test_two_models_are_compared_on_the_same_texts() -> None:
    before = DATA.parents[1] / "training/checkpoints/films.pt"
    table = DATA / "turned_reviews.csv"
    more = ("--data", table, "--elsewhere", "0.5", "--texts", "70")
    printed = measured_by("paired.py", before, "default", *more)
    first, second = (int(n) for n in re.findall(r"\| (\d+) \(", printed))
    page = (DATA.parents[1] / "training/README.md").read_text("utf-8")
    said = re.search(r"^\| 64 obvious, 70 turned texts \|(.*)\|$", page, re.MULTILINE)
    assert said
    counts = [int(cell.split(",")[1]) for cell in said[1].split("|") if "," in cell]
    assert abs(first - counts[0]) <= 1 and abs(second - counts[-1]) <= 1
    won, lost = (int(n) for n in re.findall(r"(?:won|lost) (\d+)", printed))
    assert won - lost == second - first
    assert f"of the 70 others: {0.5 + (won - lost) / 70:.2%} ± " in printed
    alike = measured_by("paired.py", "default", "default", "--data", table)
    assert "won 0, lost 0: a difference of +0.00% ± 0.00%" in alike
