"""Every way to score reviews on this CPU, side by side, in one run.

    python benchmarks/compare.py CHECKPOINT [--data reviews.jsonl.gz] [--output FOLDER]

CHECKPOINT is a model.pt of lstm-train, best with the default sizes. All peers get the same
weights and the same reviews. Leave the machine alone meanwhile: about five minutes.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import torch
from lstm_export import export
from lstm_runtime import SentimentModel
from lstm_runtime.inference.cores import usable_cores
from lstm_training.checkpoint import Checkpoint, load_checkpoint
from machine import machine
from peak import products_per_second, products_per_token
from peers import EagerTorch, ExportedTorch, PlainOnnxRuntime
from reviews import load_reviews, typical_review
from table import Table, markdown, save
from timing import take_turns

ROUNDS = 101


@click.command()
@click.argument("checkpoint", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON Lines or .gz.")
@click.option("--reviews", "count", default=5000, show_default=True, help="Reviews in bulk.")
@click.option("--rounds", default=3, show_default=True, help="Times that bulk is measured.")
@click.option("--soak-calls", default=100_000, show_default=True, help="Calls of the memory soak.")
@click.option("--output", default="benchmarks/results", type=click.Path(path_type=Path))
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    checkpoint: Path, data: Path | None, count: int, rounds: int, soak_calls: int, output: Path
) -> None:
    """Measure, print the tables and write them to the output folder."""
    reviews = load_reviews(data, count)
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = load_checkpoint(checkpoint)
        export(checkpoint, folder)
        tables = [
            one_review(source, folder, reviews),
            bulk(source, folder, reviews, rounds),
            ceiling(source, folder, reviews),
            processes(folder),
            memory(folder, soak_calls),
        ]
    print(markdown(tables, machine()))
    save(output, tables, machine(), "cpu")


def one_review(source: Checkpoint, folder: Path, reviews: Sequence[str]) -> Table:
    """Measure one review of 230 words on one thread, text to answer."""
    torch.set_num_threads(1)
    text = typical_review(list(reviews))
    exported = ExportedTorch(source, text, folder)
    int8 = SentimentModel.load(folder / "model.int8.onnx", "cpu", threads=1)
    fp32 = SentimentModel.load(folder / "model.onnx", "cpu", threads=1)
    eager = EagerTorch(source)
    calls: dict[str, Callable[[], object]] = {
        "PyTorch, eager": lambda: eager.one(text),
        "torch.onnx.export, ONNX Runtime": lambda: exported.one(text),
    }
    for precision, ours in (("fp32", fp32), ("int8", int8)):
        plain = PlainOnnxRuntime(ours.path, one_thread=True)
        calls[f"our {precision} file, bare session.run"] = partial(plain.one, text)
        calls[f"lstm_runtime, {precision}"] = partial(ours, text)
    seconds = take_turns(calls, ROUNDS)
    base = seconds["PyTorch, eager"]
    rows = [[name, f"{1e3 * s:.2f}", f"{base / s:.1f}"] for name, s in seconds.items()]
    sample = reviews[:200]
    runs = exported.runs(sample)
    title = (
        f"One review of {len(text.split())} words, one thread, text to answer "
        f"(torch.onnx.export's graph runs {runs} of {len(sample)} reviews)"
    )
    return Table(title, ["", "ms", "times PyTorch"], rows)


def bulk(source: Checkpoint, folder: Path, reviews: Sequence[str], rounds: int) -> Table:
    """Measure all reviews at once, on all cores."""
    torch.set_num_threads(usable_cores())
    eager = EagerTorch(source)
    int8, fp32 = folder / "model.int8.onnx", folder / "model.onnx"
    plain_int8 = PlainOnnxRuntime(int8, one_thread=False)
    plain_fp32 = PlainOnnxRuntime(fp32, one_thread=False)

    def ours(path: Path, threads: int | None, batch: int | None = None) -> Callable[[], object]:
        model = SentimentModel.load(path, "cpu", threads=threads)
        return lambda: list(model.score_many(reviews, batch))

    calls: dict[str, Callable[[], object]] = {
        "PyTorch, arrival order, batches of 32": lambda: eager.arrival_order(reviews),
        "PyTorch, sorted by length, batches of 32": lambda: eager.by_length(reviews),
        "plain ONNX Runtime loop, fp32": lambda: plain_fp32.loop(reviews),
        "plain ONNX Runtime loop, int8": lambda: plain_int8.loop(reviews),
        "score_many, fp32": ours(fp32, None),
        "score_many, fp32, batches of 8": ours(fp32, None, 8),
        "score_many, int8, one thread": ours(int8, 1),
        "score_many, int8": ours(int8, None),
    }
    seconds = take_turns(calls, rounds)
    rates = {name: len(reviews) / value for name, value in seconds.items()}
    base = rates["PyTorch, arrival order, batches of 32"]
    rows = [[name, f"{rate:,.0f}", f"{rate / base:.1f}"] for name, rate in rates.items()]
    return Table(
        f"{len(reviews):,} reviews in bulk", ["", "reviews/s", "times arrival order"], rows
    )


def ceiling(source: Checkpoint, folder: Path, reviews: Sequence[str]) -> Table:
    """Set our speed against int8 matrix products alone, on one thread."""
    sizes = source.config
    text = typical_review(list(reviews))
    model = SentimentModel.load(folder / "model.int8.onnx", "cpu", threads=1)
    tokens = len(source.encoder.tokenizer.tokens(text))
    work = tokens * products_per_token(sizes.n_layers, sizes.embedding_dim, sizes.hidden_dim)
    seconds = take_turns({"ours": lambda: model(text)}, ROUNDS)["ours"]
    hidden = sizes.hidden_dim
    rates = {
        f"lstm_runtime, int8 ({tokens} tokens, {work / 1e6:.0f} million products)": work / seconds,
        "large product, 1024 x 1024 x 1024": products_per_second(1024, 1024, 1024),
        f"a text's input product, {tokens} x {hidden} x {4 * hidden}": products_per_second(
            tokens, hidden, 4 * hidden
        ),
        f"one step's recurrent product, 1 x {hidden} x {4 * hidden}": products_per_second(
            1, hidden, 4 * hidden
        ),
    }
    rows = [[name, f"{rate / 1e9:.1f}"] for name, rate in rates.items()]
    return Table("Ceiling: int8 products on one thread", ["", "billion products/s"], rows)


def processes(folder: Path) -> Table:
    """Measure whole processes and the load of the model."""
    path = folder / "model.int8.onnx"
    costs = _script("processes.py", path, 21)
    base = costs["python -c 'import numpy, onnxruntime'"]
    rows = []
    for name, cost in costs.items():
        row = [name, f"{cost['megabytes']:.0f}"]
        for key in ("seconds", "processor"):
            row += [f"{1e3 * cost[key]:.0f}", f"{cost[key] / base[key]:.2f}"]
        rows.append(row)
    load = take_turns({"load": lambda: SentimentModel.load(path, "cpu").close()}, 21)["load"]
    rows.append(["loading the model", "", f"{1e3 * load:.1f}", "", "", ""])
    header = ["", "MB", "ms", "times the import", "processor ms", "times the import"]
    return Table("Processes", header, rows)


def memory(folder: Path, calls: int) -> Table:
    """Run the soak in a process of its own."""
    found = _script("soak.py", folder / "model.int8.onnx", calls)
    row = [
        f"{found['calls']:,}", f"{found['early_mb']:.1f}", f"{found['late_mb']:.1f}",
        f"{found['growth']:.1%}",
    ]  # fmt: skip
    header = ["calls of random lengths", "MB after a twentieth", "MB at the end", "growth"]
    return Table("Memory", header, [row])


def _script(name: str, model: Path, count: int) -> Any:
    """Run a script of this folder in a process of its own; return the JSON that it prints."""
    command = [sys.executable, str(Path(__file__).with_name(name)), str(model), str(count)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)  # noqa: S603


if __name__ == "__main__":
    main()
