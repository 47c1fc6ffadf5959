"""Where the time of one review goes, by ONNX Runtime's own profiler.

    python benchmarks/operators.py MODEL [--data reviews.jsonl.gz] [--runs 300]

Prints the operators of one run, the most expensive first, as a Markdown table. The profiler itself
costs some 10 %.
"""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from lstm_runtime.inference.session import import_onnxruntime
from reviews import load_reviews, typical_review

onnxruntime = import_onnxruntime()


@click.command()
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="JSON Lines or .gz.")
@click.option("--runs", default=300, show_default=True, help="Runs of one review.")
def main(model: Path, data: Path | None, runs: int) -> None:
    """Profile MODEL on a review of typical length, on one thread."""
    feed = {"text": np.array([typical_review(load_reviews(data, 1000))], object)}
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(model), options)
        for _ in range(runs):
            session.run(["probability"], feed)
        events = json.loads(Path(session.end_profiling()).read_text())
    spent: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += event["dur"]
    print("| operator | µs a run | share |")
    print("| --- | ---: | ---: |")
    for name, micros in spent.most_common(6):
        print(f"| {name} | {micros / runs:.0f} | {micros / spent.total():.0%} |")


if __name__ == "__main__":
    main()
