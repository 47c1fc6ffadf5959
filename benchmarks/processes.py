"""Whole processes, their time and memory: python benchmarks/processes.py MODEL [ROUNDS].

A process of its own, and a small one: Linux counts a parent's memory at the time of the fork as
the child's.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from lstm_runtime.kernel.library import kernel_in_use, library_path
from lstm_runtime.model_file.pruning import prune_to_scores

TEXT = "One of the finest films."

BARE = f"""
import sys, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
for library in sys.argv[2:]:
    options.register_custom_ops_library(library)
session = onnxruntime.InferenceSession(sys.argv[1], options, ["CPUExecutionProvider"])
print(session.run(["probability"], {{"text": numpy.array(["{TEXT}"], object)}}))
"""
"""What an answer of the same nodes takes at least: no check of the file, no command line."""


class Cost(NamedTuple):
    """Of one process."""

    seconds: float
    "Wall time from start to end."
    processor: float
    "Processor time, which a busy machine disturbs less."
    megabytes: float
    "Most memory that it held."


def process_costs(model: Path, rounds: int) -> dict[str, Cost]:
    """Return the medians of imports, a bare answer, ``lstm-run TEXT`` and ``lstm-run --help``."""
    script, python = str(Path(sys.executable).with_name("lstm-run")), [sys.executable, "-c"]
    with TemporaryDirectory() as folder:
        graph = Path(folder, "scores.onnx")
        joined = kernel_in_use() is not None
        graph.write_bytes(prune_to_scores(model.read_bytes(), joined=joined))
        bare = [str(graph), *([str(library_path())] if joined else [])]
        commands: dict[str, Sequence[str]] = {
            "python -c 'import numpy, onnxruntime'": [*python, "import numpy, onnxruntime"],
            "a bare answer": [*python, BARE, *bare],
            "a bare answer, and click imported": [*python, f"import click\n{BARE}", *bare],
            "lstm-run TEXT": [script, "--model", str(model), TEXT],
            "lstm-run --help": [script, "--help"],
        }
        return take_turns(commands, rounds)


def take_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, Cost]:
    """Run each command ``rounds`` times, one after the other; return the medians."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            cost = run_process(command)
            if turn:  # the first one fills the file cache
                costs[name].append(cost)
    return {
        name: Cost(*map(statistics.median, zip(*found, strict=True)))
        for name, found in costs.items()
    }


def run_process(command: Sequence[str]) -> Cost:
    """Run a command to its end, which has to be a good one."""
    # The bare import would report to Microsoft, and its threads would cost time.
    quiet = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    started = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdout=subprocess.DEVNULL, env=quiet
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3)


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 21
    found = process_costs(Path(sys.argv[1]), count)
    print(json.dumps({name: cost._asdict() for name, cost in found.items()}))
