"""The npm package's own tests, js/test/*.test.js, so that one command runs all."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lstm_export.checkpoint.source import load_source
from lstm_export.pipeline import ExportConfig, export_source
from lstm_runtime import SentimentModel
from lstm_runtime.text.tokenizer import Tokenizer
from lstm_runtime.version import __version__
from lstm_training.checkpoint import Checkpoint, save_checkpoint
from lstm_training.data.vocabulary import build_vocabulary
from lstm_training.data.word_pattern import WORD_PATTERN
from lstm_training.model import ModelConfig, SentimentRNN
from scripts import PARTS, sentences

pytestmark = pytest.mark.slow  # each test starts Node or a browser

JS = Path(__file__).parents[2] / "js"
GOLDEN = Path(__file__).parents[1] / "golden" / "answers.json"
IN_CHROMIUM = ("browser.test.js", "package.test.js")
WITH_LETTERS = "letters.test.js"
CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))


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
    dropped = ExportConfig(precisions=("fp32",), name="dropping")
    source = load_source(checkpoint_file)
    source = source.with_vocabulary(replace(source.required_encoder.vocabulary, unknown_word=None))
    assert list(export_source(source, folder, dropped))[-1].path
    with (
        SentimentModel.load(model_file, "cpu") as model,
        SentimentModel.load(folder / "dropping.onnx", "cpu") as dropping,
    ):
        answers: list[dict[str, Any]] = [
            {
                "text": text,
                "ids": model._engine.encode(text),
                "probability": model(text).scores["positive"],
                "known": model(text).known,
                "dropped": dropping(text).known,
            }
            for text in texts
        ]
    (folder / "answers.json").write_text(json.dumps(answers))
    for state in ("required", "none"):
        other = ExportConfig(precisions=("fp32",), name=state, state=state)
        assert list(export_source(load_source(checkpoint_file), folder, other))[-1].path
    return folder


def test_the_package_answers_in_node(node: str, ids_folder: Path) -> None:
    tests = sorted({p.name for p in (JS / "test").glob("*.test.js")} - {*IN_CHROMIUM, WITH_LETTERS})
    printed = _node(
        node, "--test", *(f"test/{name}" for name in tests), LSTM_EDGE_IDS=str(ids_folder)
    )
    assert "# skipped 0" in printed


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_CHROMIUM)
def test_the_page_and_the_packed_package_answer_in_chromium(node: str, name: str) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser at {CHROMIUM} (CHROMIUM names another)")
    assert "# skipped 0" in _node(node, "--test", f"test/{name}")


def _places(tokenizer: Tokenizer, text: str) -> list[tuple[str, int, int]]:
    """Return the tokens with their places in JavaScript's UTF-16 units."""

    def units(end: int) -> int:
        return len(text[:end].encode("utf-16-le", "surrogatepass")) // 2

    return [(token, units(start), units(end)) for token, start, end in tokenizer._found(text)]


def test_texts_of_every_script_get_pythons_answers(node: str, tmp_path: Path) -> None:
    texts = [text for language in PARTS for text, _ in sentences(language, 12)]
    texts += [*map(str.upper, texts), "<b>Größe</b> ดีมาก हिन्दी に 😀👍🏽 Über"]
    texts += ["CAFÉ café", "Σ film, σ film, ΣΑΣ", "Привет ФИЛЬМ", "İ KELVIN \u212a ǅ Ⅳ Ａ 𐐀 ẞ film"]  # noqa: RUF001
    tokenizer = Tokenizer(WORD_PATTERN)
    words = build_vocabulary(map(tokenizer.tokens, texts[::2] + texts[-4:]), 999, 1)
    torch.manual_seed(0)
    config = ModelConfig(len(words), embedding_dim=16, hidden_dim=16, n_layers=1)
    state = {name: 3 * w for name, w in SentimentRNN.from_config(config).state_dict().items()}
    save_checkpoint(Checkpoint(config, state, words, pattern=WORD_PATTERN), tmp_path / "model.pt")
    wanted = {}
    for name, case in (("text", "lower"), ("ids", "lower"), ("keep", "keep")):
        reader = replace(tokenizer, case=case)
        source = load_source(tmp_path / "model.pt").with_vocabulary(words, reader)
        options = ExportConfig(("fp32",), name=name, interface="ids" if name == "ids" else "text")
        assert list(export_source(source, tmp_path, options))[-1].path
        with SentimentModel.load(tmp_path / f"{name}.onnx", "cpu") as model:
            scores = [model(text).scores["positive"] for text in texts]
        assert len(set(scores)) > len(texts) / 2
        wanted[name] = [
            {"text": text, "score": score, "places": _places(reader, text)}
            for text, score in zip(texts, scores, strict=True)
        ]
    (tmp_path / "answers.json").write_text(json.dumps(wanted))
    printed = _node(node, "--test", f"test/{WITH_LETTERS}", LSTM_EDGE_LETTERS=str(tmp_path))
    assert f"# skipped {0 if CHROMIUM.exists() else 1}" in printed


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
