"""Two models on the same texts: how far apart they are, beyond chance.

    python benchmarks/paired.py BEFORE AFTER --data imdb-test
    python benchmarks/paired.py BEFORE AFTER --data sample.jsonl.gz --elsewhere 0.935 --texts 19891

BEFORE and AFTER are checkpoints, files of lstm-export, or ``default``. Where it is known how BEFORE
reads other texts of the same kind, the second form estimates how AFTER reads these: by as much more
or less as on the texts at hand (Cochran, Sampling Techniques, 1977, on difference estimators).
"""

from math import sqrt

import click
import torch
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.evaluation.evaluator import align_labels
from lstm_training.evaluation.load import open_model
from torch import Tensor


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--data", required=True, help="Labelled texts, as for lstm-evaluate.")
@click.option("--elsewhere", type=float, help="Accuracy of BEFORE on other texts, 0 to 1.")
@click.option("--texts", type=int, help="How many others.")
def main(before: str, after: str, data: str, elsewhere: float | None, texts: int | None) -> None:
    """Read the texts with both models and print what they got right, and the difference."""
    first, second = right(before, data), right(after, data)
    count, won, lost = len(first), int((second & ~first).sum()), int((first & ~second).sum())
    difference = (won - lost) / count
    error = sqrt((won + lost) / count - difference**2) / sqrt(count)
    print(f"| of {count:,} texts | right |\n| --- | ---: |")
    print(f"| {before} | {int(first.sum()):,} ({first.double().mean():.2%}) |")
    print(f"| {after} | {int(second.sum()):,} ({second.double().mean():.2%}) |")
    print(f"\nwon {won}, lost {lost}: a difference of {difference:+.2%} ± {error:.2%}")
    if elsewhere is not None and texts:
        spread = error * sqrt(1 + count / texts)
        print(f"of the {texts:,} others: {elsewhere + difference:.2%} ± {spread:.2%}")


def right(model: str, data: str) -> Tensor:
    """Return which of the texts a model reads right, bool ``[texts]``."""
    predictor = open_model(model, "auto")
    scheme = LabelScheme(others=predictor.model.labels)
    examples = load_examples(data, scheme=scheme, measuring=True)
    examples = align_labels(predictor.model, examples, scheme)
    return predictor.predict(examples.texts).guesses.cpu() == torch.tensor(examples.labels)


if __name__ == "__main__":
    main()
