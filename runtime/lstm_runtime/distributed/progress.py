"""Rows that all workers have answered so far, on a terminal."""

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from lstm_runtime.bulk.progress_bar import ProgressBar
from lstm_runtime.distributed.places import Place
from lstm_runtime.tables.packing import is_packed

_SECONDS = 0.5
_SAMPLE = 1 << 18


class Tally:
    """Counts rows; an actor of its own, since workers live on many machines."""

    def __init__(self) -> None:
        self._rows = 0

    def add(self, rows: int) -> None:
        """Count some more rows."""
        self._rows += rows

    def rows(self) -> int:
        """Return the rows so far."""
        return self._rows


@contextmanager
def counted(ray: Any, total: Callable[[], int]) -> Iterator[Any]:
    """Yield a tally for the workers, and show it on a terminal; None where there is no terminal.

    Args:
        ray: Ray.
        total: returns the number of rows, as near as it is known.

    """
    if not sys.stderr.isatty():
        yield None
        return
    tally = ray.remote(num_cpus=0)(Tally).remote()
    ended = Event()
    watcher = Thread(target=_watch, args=(ray, tally, total, ended), daemon=True)
    watcher.start()
    try:
        yield tally
    finally:
        ended.set()
        watcher.join()


def _watch(ray: Any, tally: Any, total: Callable[[], int], ended: Event) -> None:
    bar, shown = ProgressBar(sys.stderr, total, 0), 0
    try:
        while not ended.wait(_SECONDS):
            found = ray.get(tally.rows.remote())
            bar.step(found - shown)
            shown = found
    finally:
        bar.close()


def estimate_rows(files: list[tuple[Place, int]]) -> int:
    """Return about how many rows the tables have: by the first file's lines, or exactly."""
    first, _ = files[0]
    size = sum(size for _, size in files)
    if first.path.lower().endswith(".parquet"):
        return sum(_parquet_rows(place) for place, _ in files)
    with first.filesystem.open_input_stream(first.path, compression=None) as file:
        sample = bytes(file.read(_SAMPLE))
    read = len(sample)
    if is_packed(Path(first.path)):
        sample = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(sample)
    return round(sample.count(b"\n") / max(read, 1) * size)


def _parquet_rows(place: Place) -> int:
    import pyarrow.parquet

    with place.filesystem.open_input_file(place.path) as file:
        return int(pyarrow.parquet.read_metadata(file).num_rows)
