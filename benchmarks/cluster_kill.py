"""A job on three nodes that loses a node and is killed.

    python benchmarks/cluster_kill.py [--rows 1000000] [--words 8] [--rows-per-part 20000]

Three nodes are started on this machine. A node is killed when a tenth of the rows is in parts, the
job when it is four tenths; the job is started again, and every row compared with the local run.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from cluster import STORE, sentences, write
from pyarrow import parquet
from ray.cluster_utils import Cluster

_STARTS = 4


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
    # Where other work holds the cores, a node that is slow to answer is not a dead one, and workers
    # that let everything else go first, as Ray's do, get nowhere.
    os.environ.setdefault("RAY_health_check_timeout_ms", "60000")
    os.environ.setdefault("RAY_worker_niceness", "0")
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
    return {"num_cpus": 1, "object_store_memory": STORE}


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
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--words", type=int, default=8)
    parser.add_argument("--rows-per-part", type=int, default=20_000)
    asked = parser.parse_args()
    kill(asked.rows, asked.words, asked.rows_per_part)


if __name__ == "__main__":
    main()
