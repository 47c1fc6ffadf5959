"""What a process takes before its first answer, and what has to be installed for it.

    pip install openvino ncnn ai-edge-litert
    python benchmarks/starts.py [--rounds N] [--output FOLDER]

Of other libraries the import alone is counted: a process that answers has a model to load besides,
and ids to make of the text. Those that are not installed are left out.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import click
from machine import machine
from processes import TEXT, take_turns
from table import Table, markdown, save


class Peer(NamedTuple):
    """A library to answer with."""

    module: str
    "What is imported."
    distributions: Sequence[str]
    "What has to be installed, as pip calls it."


PEERS = {
    "PyTorch": Peer("torch", ["torch"]),
    "OpenVINO": Peer("openvino", ["openvino", "numpy"]),
    "ncnn": Peer("ncnn", ["ncnn", "numpy"]),
    "LiteRT": Peer("ai_edge_litert.interpreter", ["ai-edge-litert", "numpy"]),
    "ONNX Runtime": Peer("onnxruntime", ["onnxruntime", "numpy"]),
}
OURS = "lstm-run TEXT, to its answer"


@click.command()
@click.option("--rounds", default=15, show_default=True, help="Turns of each process.")
@click.option("--output", default="benchmarks/results", type=click.Path(path_type=Path))
def main(rounds: int, output: Path) -> None:
    """Measure, print the table and write it to the output folder."""
    peers = {name: peer for name, peer in PEERS.items() if _is_installed(peer)}
    commands: dict[str, Sequence[str]] = {
        f"{name}, import": [sys.executable, "-c", f"import numpy, {peer.module}"]
        for name, peer in peers.items()
    }
    sizes = {f"{name}, import": _megabytes(peer.distributions) for name, peer in peers.items()}
    commands[OURS] = [str(Path(sys.executable).with_name("lstm-run")), TEXT]
    sizes[OURS] = _megabytes(["onnxruntime", "numpy", "click"]) + _own_megabytes()
    rows = [
        [name, f"{1e3 * cost.processor:.0f}", f"{cost.megabytes:.0f}", f"{sizes[name]:.0f}"]
        for name, cost in take_turns(commands, rounds).items()
    ]
    header = ["", "processor ms", "MB of memory", "MB installed"]
    tables = [Table(f"Processes, medians of {rounds} turns", header, rows)]
    print(markdown(tables, machine()))
    save(output, tables, machine(), "starts")


def _is_installed(peer: Peer) -> bool:
    return importlib.util.find_spec(peer.module.partition(".")[0]) is not None


def _megabytes(distributions: Sequence[str]) -> float:
    files = [file for name in distributions for file in metadata.files(name) or ()]
    found = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_size for path in found if path.is_file()) / 1e6


def _own_megabytes() -> float:
    """Return the size of the runtime with its models."""
    import lstm_runtime

    root = Path(str(lstm_runtime.__file__)).parent
    files = (path for path in root.rglob("*") if "__pycache__" not in path.parts)
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
