"""The GPU table: this machine's CPU and its GPU on the same reviews.

    python benchmarks/gpu.py CHECKPOINT [--data reviews.jsonl.gz] [--output FOLDER]

Needs an NVIDIA GPU and pip install 'lstm-edge[cuda,export]'.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
from lstm_export import ExportConfig, export
from lstm_runtime import LstmEdgeError, SentimentModel
from machine import machine
from reviews import load_reviews, typical_review
from table import Table, markdown, save
from timing import take_turns

BATCHES = (1, 32, 64, 128, 256)


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON Lines or .gz.")
@click.option("--reviews", "count", default=5000, show_default=True, help="Reviews in bulk.")
@click.option("--output", default="benchmarks/results", type=click.Path(path_type=Path))
def main(checkpoint: Path, data: Path | None, count: int, output: Path) -> None:
    """Measure, print the table and write it to the output folder."""
    reviews = load_reviews(data, count)
    with TemporaryDirectory() as name:
        folder = Path(name)
        config = ExportConfig(precisions=("fp32", "int8", "fp16"))
        outcomes = export(checkpoint, folder, config=config)
        files = {outcome.name: outcome.path for outcome in outcomes if outcome.path}
        try:
            rows = [
                *_rows(files["int8"], "cpu", (1,), reviews),
                *_rows(files["fp32"], "cuda", BATCHES, reviews),
                *_rows(files["fp16"], "cuda", BATCHES, reviews),
            ]
        except LstmEdgeError as error:
            raise SystemExit(f"no GPU table: {error}") from error
    header = ["", "one review, ms", "in bulk, reviews/s"]
    table = Table(f"{len(reviews):,} reviews on CPU and GPU", header, rows)
    print(markdown([table], machine()))
    save(output, [table], machine(), "gpu")


def _rows(
    path: Path, provider: str, batches: tuple[int, ...], reviews: list[str]
) -> list[list[str]]:
    model = SentimentModel.load(path, provider)
    text = typical_review(reviews)
    single = take_turns({"one": lambda: model(text)}, 51)["one"]
    rows = []
    for batch in batches:
        calls = {"bulk": lambda batch=batch: list(model.score_many(reviews, batch))}
        rate = len(reviews) / take_turns(calls, 3)["bulk"]
        name = f"{model.provider.removesuffix('ExecutionProvider')} {model.metadata.precision}"
        rows.append([f"{name}, batches of {batch}", f"{1e3 * single:.2f}", f"{rate:,.0f}"])
    return rows


if __name__ == "__main__":
    main()
