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
from deployed import Compiled, DynamicQuantized, HalfLstm, OpenVino
from deployed_int8 import int8_peers
from lstm_export import ExportConfig, export
from lstm_runtime import SentimentModel
from lstm_runtime.inference.cores import usable_cores
from lstm_runtime.kernel.library import STOCK, VARIABLE
from lstm_training.checkpoint import load_checkpoint
from machine import machine
from peers import EagerTorch, ExportedTorch
from reviews import load_reviews, typical_review
from table import Table, markdown, save

One = Callable[[str], float]
Many = Callable[[Sequence[str]], Sequence[float]]

ONE_ROUNDS = 41
BASE = "PyTorch, eager"


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON Lines or .gz.")
@click.option("--reviews", "count", default=512, show_default=True, help="Reviews in bulk.")
@click.option("--rounds", default=3, show_default=True, help="Times that bulk is measured.")
@click.option("--output", default="benchmarks/results", type=click.Path(path_type=Path))
@click.option("--name", default="deployment", show_default=True, help="Name of the results.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    checkpoint: Path, data: Path | None, count: int, rounds: int, output: Path, name: str
) -> None:
    """Measure, print the table and write it to the output folder."""
    torch.set_num_threads(1)
    reviews = load_reviews(data, count)
    with TemporaryDirectory() as folder:
        ones, manys = _peers(checkpoint, Path(folder), reviews)
        text = typical_review(reviews)
        one = _turns({peer: partial(call, text) for peer, call in ones.items()}, ONE_ROUNDS)
        bulk = _turns({peer: partial(call, reviews) for peer, call in manys.items()}, rounds)
        answers = {peer: np.array(call(reviews)) for peer, call in manys.items()}
        whole_machine = on_all_cores(checkpoint, Path(folder) / "model.int8.onnx", reviews, rounds)
    table = _table(one, {peer: s / len(reviews) for peer, s in bulk.items()}, answers)
    tables = [table, whole_machine]
    print(markdown(tables, machine()))
    save(output, tables, machine(), name)


def _peers(
    checkpoint: Path, folder: Path, reviews: Sequence[str]
) -> tuple[dict[str, One], dict[str, Many]]:
    """Return what answers one text, and what answers many its best way."""
    source = load_checkpoint(checkpoint)
    export(checkpoint, folder)
    ids = ExportConfig(precisions=("fp32",), interface="ids")
    export(checkpoint, folder / "ids", config=ids)
    eager, half, quantized = EagerTorch(source), HalfLstm(source), DynamicQuantized(source)
    compiled = Compiled(source)
    exported = ExportedTorch(source, typical_review(list(reviews)), folder)
    fp32 = _ours(folder / "model.onnx", STOCK)
    stock, kernel = (_ours(folder / "model.int8.onnx", name) for name in (STOCK, ""))
    ones: dict[str, One] = {
        BASE: eager.one,
        "PyTorch, its LSTM in bfloat16": half.one,
        "PyTorch, quantize_dynamic": quantized.one,
        "PyTorch, torch.compile": compiled.one,
        "ONNX Runtime, torch.onnx.export": exported.one,
        "ONNX Runtime, our fp32 file": _one(fp32),
        "ONNX Runtime, our int8 file": _one(stock),
        "lstm-edge, our int8 file with the kernel": _one(kernel),
    }
    manys: dict[str, Many] = {
        BASE: eager.by_length,
        "PyTorch, its LSTM in bfloat16": half.by_length,
        "PyTorch, quantize_dynamic": quantized.by_length,
        "PyTorch, torch.compile": lambda texts: [compiled.one(text) for text in texts],
        "ONNX Runtime, torch.onnx.export": lambda texts: [exported.one(text) for text in texts],
        "ONNX Runtime, our fp32 file": _many(fp32),
        "ONNX Runtime, our int8 file": _many(stock),
        "lstm-edge, our int8 file with the kernel": _many(kernel),
    }
    for precision in ("f32", "bf16"):
        peer = OpenVino.open(folder / "ids" / "model.onnx", source, precision)
        if peer:
            ones[f"OpenVINO, {precision}"] = peer.one
            manys[f"OpenVINO, {precision}"] = lambda texts, p=peer: [p.one(t) for t in texts]  # type: ignore[misc]
    for name, call in int8_peers(source, folder / "ids" / "model.onnx", reviews, folder).items():
        ones[name] = call
        manys[name] = lambda texts, c=call: [c(t) for t in texts]  # type: ignore[misc]
    return ones, manys


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
    answers: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> Table:
    right = answers[BASE]
    rows = []
    for name in sorted(one, key=lambda name: -one[name]):
        difference = float(np.abs(answers[name] - right).max())
        changed = int(((answers[name] >= 0.5) != (right >= 0.5)).sum())
        rows.append([
            name, f"{1e3 * one[name]:.2f}", f"{one[BASE] / one[name]:.1f}",
            f"{1e3 * bulk[name]:.2f}", f"{bulk[BASE] / bulk[name]:.1f}",
            f"{difference:.1e}", str(changed),
        ])  # fmt: skip
    header = ["", "one review, ms", "times eager", "in bulk, ms a review", "times sorted",
              "largest difference", "labels changed"]  # fmt: skip
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
