"""Ray beside the local run, and a job that loses a node and is killed.

    python benchmarks/cluster.py overhead [--reviews 2000 8000] [--sentences 50000 200000]
    python benchmarks/cluster.py kill [--rows 1000000] [--words 8] [--rows-per-part 20000]

``overhead`` scores the same rows with `run_bulk` and with `run_cluster` on the same cores, in
turns, on a cluster that is up. Two sizes give a line: its slope is the rate once all workers run,
and where it meets zero rows is the start-up. ``kill`` starts three nodes on this machine, kills a
node and then the job, starts the job again, and compares every row with the local run.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import ray
from lstm_runtime import BulkJob, SentimentModel, run_bulk
from lstm_runtime.distributed import ClusterJob, run_cluster
from machine import machine
from pyarrow import parquet
from ray.cluster_utils import Cluster
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
_STORE = 200_000_000
_FILES = 4
_TURNS = 3
_STARTS = 4
_RESULTS = Path(__file__).parent / "results"

Seconds = dict[str, list[float]]


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


def overhead(sizes: dict[str, list[int]]) -> list[Table]:
    """Measure both engines for each kind of text at each size; return the tables."""
    makers: dict[str, Callable[[int], list[str]]] = {
        "reviews": lambda count: load_reviews(None, count),
        "sentences": sentences,
    }
    tables = []
    # Else Ray's workers let everything else go first, and other work on the machine slows them
    # more than it slows the local run.
    os.environ.setdefault("RAY_worker_niceness", "0")
    ray.init(
        "local",
        num_cpus=len(os.sched_getaffinity(0)),
        object_store_memory=_STORE,
        log_to_driver=False,
    )
    try:
        with TemporaryDirectory() as name, SentimentModel.load(provider="cpu") as model:
            for kind, counts in sizes.items():
                inputs = {n: write(Path(name, kind, str(n)), makers[kind](n)) for n in counts}
                found = {n: measure(model, source) for n, source in inputs.items()}
                tables.append(as_table(kind, found))
    finally:
        ray.shutdown()
    return tables


def measure(model: SentimentModel, source: Path) -> Seconds:
    """Run both in turns; return their seconds."""
    seconds: Seconds = {"local": [], "ray": []}
    for turn in range(_TURNS):
        with TemporaryDirectory() as name:
            local = run_bulk(model, BulkJob(source, Path(name, "local")))
            cluster = run_cluster(ClusterJob(str(source), f"{name}/ray"))
        seconds["local"].append(local.seconds)
        seconds["ray"].append(cluster.seconds)
        print(f"{source} turn {turn}: {local.seconds:.1f} s, Ray {cluster.seconds:.1f} s")
    return seconds


def as_table(kind: str, found: dict[int, Seconds]) -> Table:
    """Return medians by rows; the last line is the slope between the smallest and the largest."""
    rows = []
    medians = {
        n: {engine: statistics.median(values) for engine, values in seconds.items()}
        for n, seconds in found.items()
    }
    for n, by in medians.items():
        ratio = statistics.median(
            a / b for a, b in zip(found[n]["local"], found[n]["ray"], strict=True)
        )
        rows.append([f"{n:,}", f"{by['local']:.1f} s", f"{by['ray']:.1f} s", f"{ratio:.2f}"])
    few, many = min(medians), max(medians)
    if few < many:
        slopes = {e: (medians[many][e] - medians[few][e]) / (many - few) for e in medians[few]}
        start = medians[few]["ray"] - slopes["ray"] * few
        rates = [f"{1 / slopes[engine]:,.0f} rows/s" for engine in ("local", "ray")]
        rows.append(
            [f"steady, start-up {start:.0f} s", *rates, f"{slopes['local'] / slopes['ray']:.2f}"]
        )
    return Table(f"Ray and the local run: {kind}", ["rows", "local", "Ray", "local / Ray"], rows)


def kill(rows: int, words: int, rows_per_part: int) -> None:
    """Lose a node and a job, go on, and compare."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source, output = write(folder / "in", sentences(rows, words)), folder / "out"
        with three_nodes() as (cluster, node):
            command = ["--input", str(source), "--output", str(output), "--engine", "ray"]
            command += ["--ray-address", cluster.address, "--id-column", "id", "--json"]
            command += ["--rows-per-part", str(rows_per_part)]
            job = subprocess.Popen(_lstm_run(command))  # noqa: S603 - our own command
            for share, stop in (
                (0.1, lambda: cluster.remove_node(node, allow_graceful=False)),
                (0.4, lambda: job.send_signal(signal.SIGKILL)),
            ):
                print(f"{_wait(folder, job, share * rows):,} rows in parts: kill", flush=True)
                stop()
            job.wait()
            started = time.monotonic()
            subprocess.run(_lstm_run([*command, "--resume"]), check=True)  # noqa: S603 - as above
            print(f"resumed in {time.monotonic() - started:.0f} s", flush=True)
        local = folder / "local"
        subprocess.run(  # noqa: S603 - as above
            _lstm_run(["--input", str(source), "--output", str(local), "--json"]), check=True
        )
        found, expected = (_sorted(path) for path in (output, local))
        if not found.equals(expected):
            raise SystemExit(f"the outputs differ: {found.num_rows:,} rows, {rows:,} expected")
        print(f"{rows:,} rows, each there once and equal to the local run")


@contextmanager
def three_nodes() -> Iterator[tuple[Cluster, Any]]:
    """Start three nodes on this machine; yield their cluster, and one that is not its head."""
    # Where other work holds the cores, a node that is slow to answer is not a dead one.
    os.environ.setdefault("RAY_health_check_timeout_ms", "60000")
    cluster = _tried(lambda: Cluster(initialize_head=True, head_node_args=_node()))
    try:
        _tried(lambda: cluster.add_node(**_node()))
        yield cluster, _tried(lambda: cluster.add_node(**_node()))
    finally:
        cluster.shutdown()


def _tried(start: Callable[[], Any]) -> Any:
    """Return what starts; once more where it misses the half minute that Ray grants it."""
    for _ in range(_STARTS - 1):
        try:
            return start()
        except Exception as error:  # Ray raises just this
            print(f"not started, once more: {error}", file=sys.stderr)
    return start()


def _node() -> dict[str, int]:
    return {"num_cpus": 1, "object_store_memory": _STORE}


def _lstm_run(arguments: list[str]) -> list[str]:
    return [str(Path(sys.executable).with_name("lstm-run")), *arguments]


def _wait(folder: Path, job: "subprocess.Popen[bytes]", rows: float) -> int:
    """Wait until so many rows are checkpointed."""
    while True:
        if job.poll() is not None:
            raise SystemExit("the job ended before it was killed: take more --rows")
        done = sum(_rows(path) for path in _committed(folder))
        if done >= rows:
            return done
        time.sleep(0.2)


def _committed(folder: Path) -> Iterator[Path]:
    parts = (folder / ".out.checkpoint").glob("*.parquet")
    return (path for path in parts if not path.name.endswith(".pending.parquet"))


def _rows(path: Path) -> int:
    return int(parquet.read_metadata(path).num_rows)


def _sorted(folder: Path) -> pa.Table:
    return parquet.read_table(sorted(folder.glob("*.parquet"))).sort_by("id")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    sizes = commands.add_parser("overhead")
    sizes.add_argument("--reviews", type=int, nargs="*", default=[2_000, 8_000])
    sizes.add_argument("--sentences", type=int, nargs="*", default=[50_000, 200_000])
    killed = commands.add_parser("kill")
    killed.add_argument("--rows", type=int, default=1_000_000)
    killed.add_argument("--words", type=int, default=8)
    killed.add_argument("--rows-per-part", type=int, default=20_000)
    asked = parser.parse_args()
    if asked.command == "kill":
        kill(asked.rows, asked.words, asked.rows_per_part)
        return
    tables = overhead({"reviews": asked.reviews, "sentences": asked.sentences})
    save(_RESULTS, tables, machine() | {"ray": ray.__version__}, "cluster")


if __name__ == "__main__":
    main()
