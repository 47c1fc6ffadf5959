"""The everyday sentences and statements of fact that a model of everyday English is measured on."""

import csv
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


def test_statements_have_halves_too() -> None:
    halves = Counter(row["half"] for row in rows_of("neutral_statements.csv"))
    assert halves == {"dev": 30, "test": 30}


def test_no_text_is_asked_twice() -> None:
    ours = [path for path in DATA.glob("*.csv") if not path.name.endswith("_reviews.csv")]
    asked = Counter(words_of(row["text"]) for path in ours for row in rows_of(path.name))
    assert len(asked) == 360
    assert set(asked.values()) == {1}
    others = {words_of(r["text"]) for p in DATA.glob("*_reviews.csv") for r in rows_of(p.name)}
    assert len(others) > 100
    assert not others & set(asked)
