"""Every structure of the tests, exported with its class.

``python benchmarks/tried_structures.py [GROUP]`` prints a row of Markdown for each: what wrote its
graph, and the largest difference of the files from the module's own answers on texts of 1 to 260
words, or why it is refused. Groups: family, general, further.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from lstm_export import ExportConfig, UnsupportedModelError, export_source, module_source
from lstm_runtime.inference.session import import_onnxruntime
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import foreign_models
import further_models
import general_models
import structures

PRECISIONS = {"fp32": "model.onnx", "int8": "model.int8.onnx", "fp16": "model.fp16.onnx"}
LENGTHS = (1, 2, 4, 13, 77, 260)
LONGEST_REASON = 110


def networks(group: str) -> Iterator[tuple[str, Callable[[], nn.Module]]]:
    """Yield the structures of a group, each with what makes one."""
    if group == "family":
        yield from structures.FAMILY.items()
        yield from ((name, make) for name, (make, _) in structures.OTHERS.items())
        return
    module = general_models if group == "general" else further_models
    for name, found in vars(module).items():
        own = isinstance(found, type) and found.__module__ == module.__name__
        if own and issubclass(found, nn.Module) and name != "Base":
            yield name, found


def row(name: str, make: Callable[[], nn.Module]) -> str:
    """Export one structure and return its row."""
    torch.manual_seed(0)
    try:
        pinned = name in {"weight norm", "pruned"}  # whose weights are computed
        source = module_source(make().eval() if pinned else foreign_models.trained_like(make()))
    except UnsupportedModelError as error:
        return f"| {name} | refused: {brief(str(error))} | | | |"
    with TemporaryDirectory() as folder:
        config = ExportConfig(tuple(PRECISIONS), state="none")  # type: ignore[arg-type]
        failures = [r.failures for r in export_source(source, Path(folder), config) if r.failures]
        if failures:
            return f"| {name} | not written: {brief(failures[0][0])} | | | |"
        found = [difference(source, Path(folder) / file) for file in PRECISIONS.values()]
    return f"| {name} | {source.network.exporter} | {' | '.join(f'{x:.0e}' for x in found)} |"


def difference(source: object, path: Path) -> float:
    """Return the largest difference of a file from the module's own answers."""
    original = source.original  # type: ignore[attr-defined]
    rows = source.network.architecture.vocab_size  # type: ignore[attr-defined]
    random = np.random.default_rng(3)
    session = import_onnxruntime().InferenceSession(path, providers=["CPUExecutionProvider"])
    worst = 0.0
    longest = source.network.max_tokens or max(LENGTHS)  # type: ignore[attr-defined]
    for length in (n for n in LENGTHS if n <= longest):
        ids = random.integers(2, rows, length)
        feed = {"ids": ids[np.newaxis], "lengths": np.array([length], np.int32)}
        (probability,) = session.run(["probability"], feed)
        worst = max(worst, float(np.abs(probability[0] - original.probability(ids.tolist())).max()))
    return worst


def brief(reason: str) -> str:
    """Return the beginning of a message, fit for a cell."""
    words = reason.partition("; nor is it of the family")[0].replace("|", "/")
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON]} …"


if __name__ == "__main__":
    for group in sys.argv[1:] or ("family", "general", "further"):
        for name, make in networks(group):
            print(row(name, make), flush=True)
