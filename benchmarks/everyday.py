"""How a model reads everyday English: right answers by kind and label, and statements of fact.

    python benchmarks/everyday.py [MODEL] [--half dev]

MODEL is a file of lstm-export; the bundled one is measured where it is left out. The half "test" of
the sentences is for a finished model: what is chosen by it is no longer measured by it. So are the
"others", 155 sentences by a hand that knew neither the halves nor what a model learns from.
"""

import csv
from collections import defaultdict
from pathlib import Path

import click
from lstm_runtime import SentimentModel

DATA = Path(__file__).parents[1] / "tests/data"
NEUTRAL = (0.25, 0.75)
"""Where the probability of a statement that says nothing good or bad should be."""


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path), required=False)
@click.option(
    "--half", type=click.Choice(["dev", "test", "others"]), default="dev", show_default=True
)
def main(model: Path | None, half: str) -> None:
    """Read the sentences of one half and print what came out right."""
    with SentimentModel.load(model, provider="cpu") as sentiment:
        print(table(sentiment, half))
        if half != "others":
            print(f"\nstatements of fact: {statements(sentiment, half)}")


def table(model: SentimentModel, half: str) -> str:
    """Return the right answers of each kind and label, as rows of a Markdown table."""
    right: dict[str, list[bool]] = defaultdict(list)
    for row, is_right in judged(model, f"everyday_{half}.csv"):
        for group in (row["kind"], f"all {row['label']} ones", "all"):
            right[group].append(is_right)
    groups = sorted(right, key=lambda group: (group == "all", group.startswith("all")))
    lines = [f"| {group} | {sum(right[group])} of {len(right[group])} |" for group in groups]
    return "\n".join(["| kind | right |", "| --- | ---: |", *lines])


def judged(model: SentimentModel, name: str) -> list[tuple[dict[str, str], bool]]:
    """Return each row of a table of test sentences, and whether the model reads it as meant."""
    rows = rows_of(name)
    answers = model([row["text"] for row in rows])
    return [(row, one.label == row["label"]) for row, one in zip(rows, answers, strict=True)]


def statements(model: SentimentModel, half: str) -> str:
    """Return how many statements of fact get a probability that does not take sides."""
    texts = [row["text"] for row in rows_of("neutral_statements.csv") if row["half"] == half]
    low, high = NEUTRAL
    inside = [low <= answer.scores["positive"] <= high for answer in model(texts)]
    return f"{sum(inside)} of {len(inside)} between {low} and {high}"


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of test sentences."""
    return list(csv.DictReader((DATA / name).read_text("utf-8").splitlines()))


if __name__ == "__main__":
    main()
