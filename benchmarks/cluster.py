"""Ray beside the local run.

    python benchmarks/cluster.py [--reviews 15000] [--sentences 200000]

Scores the same rows with `run_bulk` and with `run_cluster` on the same cores, in turns, on a
cluster that is up. Beside the seconds of the whole run stand the rate while all workers run, which
is what a long job has, and the processor time of a row over all processes, which other work on the
machine moves less.
"""

import argparse
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import psutil  # type: ignore[import-untyped] # it has no types
import pyarrow as pa
import ray
from lstm_runtime import BulkJob, SentimentModel, run_bulk
from lstm_runtime.distributed import ClusterJob, job, run_cluster
from lstm_runtime.distributed.progress import Tally
from machine import machine
from pyarrow import parquet
from reviews import load_reviews
from table import Table, save

_WORDS = [
    "the",
    "a",
    "film",
    "plot",
    "was",
    "good",
    "bad",
    "great",
    "awful",
    "fun",
    "dull",
    "best",
    "worst",
    "love",
    "hate",
    "boring",
]
STORE = 200_000_000
"""Bytes of the object store of a node."""

_FILES = 4
_TURNS = 3
_WINDOW = (0.15, 0.9)
"""The share of rows between which all workers run."""

_SECONDS = 0.2
_RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Sample:
    """What a run has done so far."""

    rows: int
    "Rows answered."
    time: float
    "Seconds of a clock."
    cpu: Counter[int]
    "Processor seconds by process."


@dataclass(frozen=True)
class Measured:
    """One run."""

    seconds: float
    "Of the whole run."
    rate: float
    "Rows a second while all workers run."
    cpu: float
    "Processor milliseconds a row, of all processes."


def sentences(count: int, words: int = 8) -> list[str]:
    """Return texts of eight words, or of those again and again."""
    eights = (" ".join(_WORDS[(n // 5**k) % len(_WORDS)] for k in range(8)) for n in range(count))
    return [" ".join([eight] * (words // 8)) for eight in eights]


def write(folder: Path, texts: list[str]) -> Path:
    """Write the texts with ids into a few Parquet files."""
    folder.mkdir(parents=True)
    share = -(-len(texts) // _FILES)
    for start in range(0, len(texts), share):
        part = texts[start : start + share]
        ids = range(start, start + len(part))
        parquet.write_table(pa.table({"id": ids, "text": part}), folder / f"{start:08}.parquet")
    return folder


def overhead(sizes: dict[str, int]) -> list[Table]:
    """Measure both engines for each kind of text; return the tables."""
    makers: dict[str, Callable[[int], list[str]]] = {
        "reviews": lambda count: load_reviews(None, count),
        "sentences": sentences,
    }
    # Else Ray's workers let everything else go first, and other work on the machine slows them
    # more than it slows the local run.
    os.environ.setdefault("RAY_worker_niceness", "0")
    cores = len(os.sched_getaffinity(0))
    ray.init("local", num_cpus=cores, object_store_memory=STORE, log_to_driver=False)
    try:
        with TemporaryDirectory() as name, SentimentModel.load(provider="cpu") as model:
            return [
                measure(model, kind, write(Path(name, kind), makers[kind](rows)), rows)
                for kind, rows in sizes.items()
            ]
    finally:
        ray.shutdown()


def measure(model: SentimentModel, kind: str, source: Path, rows: int) -> Table:
    """Run both in turns; return the medians."""
    turns = []
    for _ in range(_TURNS):
        with TemporaryDirectory() as name:
            turns.append((_local(model, source, name), _on_ray(source, name, rows)))
        print(kind, *turns[-1], flush=True)
    medians = [
        Measured(*(statistics.median(getattr(run, field) for run in runs) for field in _FIELDS))
        for runs in zip(*turns, strict=True)
    ]
    local, cluster = medians
    return Table(
        f"Ray and the local run: {rows:,} {kind}",
        ["", "local", "Ray", "Ray / local"],
        [
            _row("rows a second, all workers running", "{:,.0f}", local.rate, cluster.rate),
            _row("processor time a row", "{:.3f} ms", local.cpu, cluster.cpu, inverse=True),
            _row("the whole run", "{:.1f} s", local.seconds, cluster.seconds, inverse=True),
        ],
    )


_FIELDS = ("seconds", "rate", "cpu")


def _row(name: str, form: str, local: float, cluster: float, *, inverse: bool = False) -> list[str]:
    ratio = local / cluster if inverse else cluster / local
    return [name, form.format(local), form.format(cluster), f"{ratio:.2f}"]


def _local(model: SentimentModel, source: Path, name: str) -> Measured:
    before = time.process_time()
    report = run_bulk(model, BulkJob(source, Path(name, "local")))
    cpu = time.process_time() - before
    return Measured(report.seconds, report.rows / report.seconds, cpu / report.rows * 1e3)


def _on_ray(source: Path, name: str, rows: int) -> Measured:
    with sampled() as samples:
        report = run_cluster(ClusterJob(str(source), f"{name}/ray"))
    low, high = (share * rows for share in _WINDOW)
    first = next(sample for sample in samples if sample.rows >= low)
    last = [sample for sample in samples if sample.rows <= high][-1]
    done = last.rows - first.rows
    cpu = sum((last.cpu - first.cpu).values())
    return Measured(report.seconds, done / (last.time - first.time), cpu / done * 1e3)


@contextmanager
def sampled() -> Iterator[list[Sample]]:
    """Yield a list that grows with the runs in the block: the progress bar's count, taken over."""
    samples: list[Sample] = []

    @contextmanager
    def counted(*_: Any) -> Iterator[Any]:
        tally, ended = ray.remote(num_cpus=0)(Tally).remote(), Event()

        def watch() -> None:
            while not ended.wait(_SECONDS):
                rows = ray.get(tally.rows.remote())
                samples.append(Sample(rows, time.monotonic(), processor_seconds()))

        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield tally
        finally:
            ended.set()
            watcher.join()

    with patch.object(job, "counted", counted):
        yield samples


def processor_seconds() -> Counter[int]:
    """Return the processor time of this process and of Ray's, which are its children."""
    found: Counter[int] = Counter()
    this = psutil.Process()
    for process in (this, *this.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has ended meanwhile
            continue
        found[process.pid] = times.user + times.system
    return found


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reviews", type=int, default=15_000)
    parser.add_argument("--sentences", type=int, default=200_000)
    asked = parser.parse_args()
    tables = overhead({"reviews": asked.reviews, "sentences": asked.sentences})
    save(_RESULTS, tables, machine() | {"ray": ray.__version__}, "cluster")


if __name__ == "__main__":
    main()
