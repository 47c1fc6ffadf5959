"""The npm package's own tests, js/test/*.test.js, so that one command runs all."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lstm_export.checkpoint.source import load_source
from lstm_export.pipeline import ExportConfig, export_source
from lstm_runtime import SentimentModel
from lstm_runtime.version import __version__

pytestmark = pytest.mark.slow  # each test starts Node or a browser

JS = Path(__file__).parents[2] / "js"
GOLDEN = Path(__file__).parents[1] / "golden" / "answers.json"
IN_CHROMIUM = ("browser.test.js", "package.test.js")


def _node(node: str, *arguments: str, **environment: str) -> str:
    """Run node in js/; return what it printed."""
    found = subprocess.run(
        [node, *arguments],
        cwd=JS,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


@pytest.fixture(scope="module")
def ids_folder(checkpoint_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a file that takes ids, and Python's answers from it."""
    folder = tmp_path_factory.mktemp("ids")
    config = ExportConfig(precisions=("fp32",), interface="ids")
    outcomes = export_source(load_source(checkpoint_file), folder, config)
    assert [outcome.path for outcome in outcomes if outcome.path]
    model_file = folder / "model.onnx"
    texts = [item["text"] for item in json.loads(GOLDEN.read_text())["texts"]]
    with SentimentModel.load(model_file, "cpu") as model:
        answers: list[dict[str, Any]] = [
            {
                "text": text,
                "ids": model._engine.encode(text),
                "probability": model(text).scores["positive"],
            }
            for text in texts
        ]
    (folder / "answers.json").write_text(json.dumps(answers))
    for state in ("required", "none"):
        other = ExportConfig(precisions=("fp32",), name=state, state=state)
        assert list(export_source(load_source(checkpoint_file), folder, other))[-1].path
    return folder


def test_the_package_answers_in_node(node: str, ids_folder: Path) -> None:
    tests = sorted({p.name for p in (JS / "test").glob("*.test.js")} - {*IN_CHROMIUM})
    printed = _node(
        node, "--test", *(f"test/{name}" for name in tests), LSTM_EDGE_IDS=str(ids_folder)
    )
    assert "# skipped 0" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CHROMIUM)
def test_the_page_and_the_packed_package_answer_in_chromium(node: str, name: str) -> None:
    chromium = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    if not chromium.exists():
        pytest.skip(f"no browser at {chromium} (CHROMIUM names another)")
    assert "# skipped 0" in _node(node, "--test", f"test/{name}")


def test_its_types_are_strict(node: str) -> None:
    _node(node, "node_modules/typescript/bin/tsc", "-p", ".", "--noEmit")


def test_the_lock_file_names_no_registry(node: str) -> None:
    assert '"resolved"' not in (JS / "package-lock.json").read_text()


def test_versions_are_those_of_the_distribution() -> None:
    package = json.loads((JS / "package.json").read_text())
    assert package["version"] == __version__


def test_the_cards_example_runs(node: str, run: Any, checkpoint_file: Path, tmp_path: Path) -> None:
    done = run("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "int8")
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "model.md").read_text(encoding="utf-8")
    code = (
        card.split("```js\n")[1]
        .split("```")[0]
        .replace("model.int8.onnx", f"{tmp_path}/model.int8.onnx")
    )
    printed = _node(node, "--input-type=module", "-e", code)
    assert "label: 'positive'" in printed or "label: 'negative'" in printed
