"""Every way that a user would run this model on this CPU, side by side, in one run.

    pip install openvino nncf ncnn ai-edge-litert
    python benchmarks/deployment.py CHECKPOINT [--data reviews.jsonl.gz] [--output FOLDER]

CHECKPOINT is a model.pt of lstm-train. All peers get the same weights and texts and take turns;
what is counted is the processor time of the process, on one thread, so that a busy machine
disturbs the figures little. Peers that are not installed are left out.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import torch
from deployed import Compiled, DynamicQuantized, HalfLstm, openvino_peers
from deployed_int8 import int8_peers
from lstm_export import ExportConfig, export
from lstm_runtime import SentimentModel
from lstm_runtime.inference.cores import usable_cores
from lstm_runtime.kernel.library import STOCK, VARIABLE
from lstm_training.checkpoint import load_checkpoint
from machine import machine
from peers import EagerTorch, ExportedTorch, Many, One, Peer, megabytes_of
from reviews import load_reviews, typical_review
from table import Table, markdown, save

ONE_ROUNDS = 41
BASE = "PyTorch, eager"


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON Lines or .gz.")
@click.option("--reviews", "count", default=512, show_default=True, help="Reviews in bulk.")
@click.option("--rounds", default=3, show_default=True, help="Times that bulk is measured.")
@click.option("--output", default="benchmarks/results", type=click.Path(path_type=Path))
@click.option("--name", default="deployment", show_default=True, help="Name of the results.")
@click.option("--cores/--no-cores", default=True, help="Also all cores: needs a free machine.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    checkpoint: Path,
    data: Path | None,
    count: int,
    rounds: int,
    output: Path,
    name: str,
    cores: bool,
) -> None:
    """Measure, print the tables and write each to the output folder."""
    torch.set_num_threads(1)
    reviews = load_reviews(data, count)
    with TemporaryDirectory() as folder:
        peers = _peers(checkpoint, Path(folder), reviews)
        text = typical_review(reviews)
        one = _turns({name: partial(peer.one, text) for name, peer in peers.items()}, ONE_ROUNDS)
        bulk = _turns({name: partial(peer.many, reviews) for name, peer in peers.items()}, rounds)
        answers = {name: np.array(peer.many(reviews)) for name, peer in peers.items()}
        sizes = {name: peer.megabytes for name, peer in peers.items()}
        each = {name: seconds / len(reviews) for name, seconds in bulk.items()}
        tables = {name: _table(one, each, sizes, answers)}
        if cores:
            file = Path(folder) / "model.int8.onnx"
            tables[f"{name}-cores"] = on_all_cores(checkpoint, file, reviews, rounds)
    for name_of_table, table in tables.items():
        print(markdown([table], machine()))
        save(output, [table], machine(), name_of_table)


def _peers(checkpoint: Path, folder: Path, reviews: Sequence[str]) -> dict[str, Peer]:
    """Return all that is installed."""
    source = load_checkpoint(checkpoint)
    export(checkpoint, folder)
    ids = ExportConfig(precisions=("fp32",), interface="ids")
    export(checkpoint, folder / "ids", config=ids)
    torches = {
        BASE: EagerTorch(source),
        "PyTorch, its LSTM in bfloat16": HalfLstm(source),
        "PyTorch, quantize_dynamic": DynamicQuantized(source),
    }
    compiled = Compiled(source)
    exported = ExportedTorch(source, typical_review(list(reviews)), folder)
    fp32, int8 = folder / "model.onnx", folder / "model.int8.onnx"
    return {
        **{name: Peer(way.one, way.by_length, way.megabytes) for name, way in torches.items()},
        "PyTorch, torch.compile": Peer.alone(compiled.one, compiled.megabytes),
        "ONNX Runtime, torch.onnx.export": Peer.alone(exported.one, exported.megabytes),
        "ONNX Runtime, our fp32 file": _peer(fp32, STOCK),
        "ONNX Runtime, our int8 file": _peer(int8, STOCK),
        "lstm-edge, our int8 file with the kernel": _peer(int8, ""),
        **openvino_peers(folder / "ids" / "model.onnx", source),
        **int8_peers(source, folder / "ids" / "model.onnx", reviews, folder),
    }


def _peer(path: Path, kernel: str) -> Peer:
    model = _ours(path, kernel)
    return Peer(_one(model), _many(model), megabytes_of(path))


def on_all_cores(checkpoint: Path, file: Path, reviews: Sequence[str], rounds: int) -> Table:
    """Measure bulk on all cores: reviews a second, and what they cost of all cores together."""
    cores = usable_cores()
    torch.set_num_threads(cores)
    calls: dict[str, Many] = {
        BASE: EagerTorch(load_checkpoint(checkpoint)).by_length,
        "ONNX Runtime, our int8 file": _many(_ours(file, STOCK, cores)),
        "lstm-edge, our int8 file with the kernel": _many(_ours(file, "", cores)),
    }
    wall: dict[str, list[float]] = {name: [] for name in calls}
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            started, processor = time.perf_counter(), time.process_time()
            call(reviews)
            if turn:
                wall[name].append((time.perf_counter() - started) / len(reviews))
                spent[name].append((time.process_time() - processor) / len(reviews))
    each, cost = ({k: statistics.median(v) for k, v in found.items()} for found in (wall, spent))
    rows = [
        [name, f"{1 / each[name]:,.0f}", f"{each[BASE] / each[name]:.1f}",
         f"{1e3 * cost[name]:.2f}", f"{cost[BASE] / cost[name]:.1f}"]
        for name in calls
    ]  # fmt: skip
    header = ["", "reviews/s", "times PyTorch", "processor ms a review", "times PyTorch"]
    return Table(f"In bulk on {cores} cores, sorted by length", header, rows)


def _ours(path: Path, kernel: str, threads: int = 1) -> SentimentModel:
    with _environment(VARIABLE, kernel):
        return SentimentModel.load(path, "cpu", threads)


def _one(model: SentimentModel) -> One:
    positive = model.metadata.labels[1]
    return lambda text: model(text).scores[positive]


def _many(model: SentimentModel) -> Many:
    positive = model.metadata.labels[1]
    return lambda texts: [answer.scores[positive] for answer in model.score_many(texts)]


def _turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median processor seconds of each call, after one to warm up."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            started = time.process_time()
            call()
            if turn:
                seconds[name].append(time.process_time() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def _table(
    one: Mapping[str, float],
    bulk: Mapping[str, float],
    sizes: Mapping[str, float],
    answers: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> Table:
    right = answers[BASE]
    rows = []
    for name in sorted(one, key=lambda name: -one[name]):
        difference = float(np.abs(answers[name] - right).max())
        changed = int(((answers[name] >= 0.5) != (right >= 0.5)).sum())
        rows.append([
            name, f"{1e3 * one[name]:.2f}", f"{one[BASE] / one[name]:.1f}",
            f"{1e3 * bulk[name]:.2f}", f"{1 / bulk[name]:,.0f}", f"{bulk[BASE] / bulk[name]:.1f}",
            f"{sizes[name]:.1f}", f"{difference:.1e}", str(changed),
        ])  # fmt: skip
    header = ["", "one review, ms", "times eager", "in bulk, ms a review", "reviews/s",
              "times sorted", "model, MB", "largest difference", "labels changed"]  # fmt: skip
    title = f"Processor time on one thread, {len(right):,} reviews"
    return Table(title, header, rows)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


if __name__ == "__main__":
    main()
