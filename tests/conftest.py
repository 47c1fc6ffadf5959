"""What all tests share: small models with weights as large as trained ones, and their files.

Nothing here loads PyTorch before a test asks for a checkpoint: those in tests/runtime never do.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# Before any library loads ONNX Runtime, which reports to Microsoft otherwise.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
import pytest
from structure_page import StructurePage

WORDS = tuple(
    "the a and of to is it in this that was film movie i not but with one good bad great awful "
    "fun dull best worst plot acting boring love hate don't it's wonderful terrible never ever "
    "br ! ?".split(" ")
)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-structures",
        action="store_true",
        help="write what the tests of structures find into docs/concepts/structures.md",
    )


@pytest.fixture
def page(pytestconfig: pytest.Config) -> StructurePage:
    """Return the page of structures, against which each of their tests holds what it finds."""
    return StructurePage(write=pytestconfig.getoption("--write-structures"))


def pytest_report_header() -> list[str]:
    providers = ", ".join(onnxruntime.get_available_providers())
    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = "is not installed"
    return [f"onnxruntime {onnxruntime.__version__} ({providers}), torch {torch}"]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run one of our commands as a process: run("lstm-run", "text", …)."""

    def run(*command: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        script = Path(sys.executable).with_name(command[0])
        defaults: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 300}
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        return subprocess.run(
            [str(script), *command[1:]], check=False, **{"env": environment, **defaults, **options}
        )

    return run


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model.pt with 2,000 words, 128 units and answers that differ from text to text."""
    import torch
    from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
    from lstm_training.checkpoint import Checkpoint, save_checkpoint
    from lstm_training.model import ModelConfig, SentimentRNN

    torch.manual_seed(0)
    config = ModelConfig(vocab_size=2000, embedding_dim=64, hidden_dim=128)
    model = SentimentRNN.from_config(config)
    # PyTorch's initial weights give 0.5 for everything; trained ones are larger.
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.mul_({"lstm": 1.5, "fc": 8.0}.get(name.split(".")[0], 1.0))
    fill = [f"word{n}" for n in range(2000 - len(WORDS) - 2)]
    checkpoint = Checkpoint(
        config,
        model.state_dict(),
        Vocabulary((PAD_WORD, UNKNOWN_WORD, *WORDS, *fill)),
        metrics={"accuracy": 0.5},
        training={"data": "none"},
    )
    path = tmp_path_factory.mktemp("checkpoint") / "model.pt"
    save_checkpoint(checkpoint, path)
    return path


@pytest.fixture(scope="session")
def model_files(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the exported files of `checkpoint_file`, by precision."""
    from lstm_export.checkpoint.source import load_source
    from lstm_export.config import ExportConfig
    from lstm_export.pipeline import export_source

    folder = tmp_path_factory.mktemp("exported")
    config = ExportConfig(precisions=("fp32", "int8", "fp16"))
    outcomes = list(export_source(load_source(checkpoint_file), folder, config))
    assert not [outcome.failures for outcome in outcomes if outcome.failures]
    return {outcome.name: outcome.path for outcome in outcomes if outcome.path}
