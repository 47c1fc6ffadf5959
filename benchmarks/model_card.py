"""The measures of the bundled model's card, as its table.

    python benchmarks/model_card.py [MODEL] --test imdb-test --held-out .work/default

MODEL is a file of lstm-export; the bundled one is measured where it is left out. What was kept
apart from development (the official test, the half "test" of the everyday sentences, and "others")
is for a finished model: what is chosen by it is no longer measured by it. So nothing is said of the
texts that were misread but their kinds.
"""

from collections import Counter
from pathlib import Path

import click
from everyday import judged, statements
from lstm_runtime import SentimentModel
from lstm_training.evaluation.evaluate import evaluate

EVERYDAY = {
    "test": "150 everyday sentences kept apart from development, a label nobody would argue about",
    "others": "155 such sentences of another hand",
    "dev": "150 such sentences that were looked at during development",
}
STATEMENTS = {
    "test": "30 statements of fact kept apart, probability between 0.25 and 0.75",
    "dev": "30 that were",
}
SHORT = {
    "obvious_reviews.csv": "64 short texts of all kinds that nobody would argue about",
    "turned_reviews.csv": '70 short texts that turn a word around ("I was not bored for a second")',
}
HELD_OUT = {
    "held_out_imdb.jsonl": "IMDB reviews held out of training",
    "held_out_rotten_tomatoes.jsonl": "Rotten Tomatoes sentences held out of training",
}


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--test", help="Official test reviews: imdb-test, or a file with some of them.")
@click.option(
    "--held-out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the distillation, with the texts that it held out.",
)
def main(model: Path | None, test: str | None, held_out: Path | None) -> None:
    """Measure MODEL and print the rows of the table."""
    print("| on | accuracy | AUROC | calibration error |\n| --- | ---: | ---: | ---: |")
    if test:
        print(measured(model, test, "{} reviews of the official IMDB test set"))
    if held_out:
        for name, title in HELD_OUT.items():
            print(measured(model, str(held_out / name), title))
    with SentimentModel.load(model, provider="cpu") as sentiment:
        for half, title in EVERYDAY.items():
            print(counted(sentiment, f"everyday_{half}.csv", title))
        for half, title in STATEMENTS.items():
            print(f"| {title} | {statements(sentiment, half).split(' between')[0]} |  |  |")
        for name, title in SHORT.items():
            print(counted(sentiment, name, title, by_label=False))


def measured(model: Path | None, data: str, title: str) -> str:
    """Return the row of a set of reviews."""
    found = evaluate(model or "default", data, provider="cpu")
    cells = (f"{found.accuracy:.2%}", f"{found.auroc:.3f}", f"{found.ece:.1%}")
    shown = " | ".join(cell.replace("%", " %") for cell in cells)
    return f"| {title.format(f'{found.texts:,}')} | {shown} |"


def counted(model: SentimentModel, name: str, title: str, *, by_label: bool = True) -> str:
    """Return the row of a set of short texts and one of its labels; tell what kinds it misread."""
    rows = judged(model, name)
    wrong = Counter(row.get("kind") for row, is_right in rows if not is_right)
    click.echo(f"{name} misread: {', '.join(f'{n} {kind}' for kind, n in wrong.items())}", err=True)
    lines = [f"| {title} | {len(rows) - wrong.total()} of {len(rows)} |  |  |"]
    if by_label:
        labels = [row["label"] for row, _ in rows]
        found = [row["label"] for row, is_right in rows if is_right]
        lines.append(
            f"| {labels.count('positive')} of these that praise, {labels.count('negative')} that "
            f"blame | {found.count('positive')}, {found.count('negative')} |  |  |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
