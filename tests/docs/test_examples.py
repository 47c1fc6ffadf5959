"""The programs in examples/ run as their users run them."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fuzz.texts import hostile_texts
from golden.texts import ODD, UNPORTABLE
from lstm_runtime import SentimentModel

EXAMPLES = Path(__file__).parents[2] / "examples"


def python(*arguments: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
        env=os.environ | {"MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"},
    )


def test_the_help_desk_sorts_messages() -> None:
    found = python(str(EXAMPLES / "help_desk.py"), "What a wonderful film!", "A lifeless mess.")
    assert found.returncode == 0, found.stderr
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == ["thanks", "trouble"]


def test_the_stream_has_an_opinion_after_each_word() -> None:
    found = python(str(EXAMPLES / "stream.py"), "A wonderful film, and a perfect ending.")
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert [len(line.split()) for line in lines] == list(range(2, 9))
    assert float(lines[-1].split()[0]) > 0.9


@pytest.mark.slow
def test_the_ids_app_agrees_with_the_text_file(run: object, tmp_path: Path) -> None:
    checkpoint = EXAMPLES.parent / "training/checkpoints/default.pt"
    exported = run(
        "lstm-export", str(checkpoint), "-o", str(tmp_path), "--interface", "ids",
        "--precision", "int8",
    )  # fmt: skip
    assert exported.returncode == 0, exported.stderr
    texts = ["Not bad at all!", "A dull mess.", ""]
    found = python(str(EXAMPLES / "ids.py"), str(tmp_path / "model.int8.onnx"), *texts)
    assert found.returncode == 0, found.stderr
    wanted = [(answer.label, answer.score) for answer in SentimentModel.load()(texts)]
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert [line[0] for line in lines] == [label for label, _ in wanted]
    assert [float(line[1]) for line in lines] == pytest.approx([s for _, s in wanted], abs=0.03)


def test_the_ids_app_reads_texts_as_a_file_that_takes_text_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Above all those that ``str.lower`` and `re` read otherwise than every platform does."""
    monkeypatch.syspath_prepend(EXAMPLES)
    ids = importlib.import_module("ids")
    models = EXAMPLES.parent / "tests/data/models"
    texts = [*ODD, *UNPORTABLE, "<pad> good <unk>", *hostile_texts(0, 300)]
    with SentimentModel.load(models / "ids.onnx") as of_ids:
        encode = ids.encoder(of_ids.metadata)
        found = [answer.score for answer in of_ids.score_ids(list(map(encode, texts)))]
        spec = replace(of_ids.metadata.tokenizer, case="keep", delete="'")
        with pytest.raises(SystemExit, match="more than this app reads: case, delete"):
            ids.encoder(replace(of_ids.metadata, tokenizer=spec))
    with SentimentModel.load(models / "tiny.onnx") as of_text:
        assert found == pytest.approx([answer.score for answer in of_text(texts)], abs=1e-5)


def test_the_ids_app_says_how_it_is_used() -> None:
    found = python(str(EXAMPLES / "ids.py"))
    assert (found.returncode, found.stderr) == (1, "usage: python ids.py MODEL.onnx TEXT …\n")


def test_an_example_that_cannot_go_on_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "foreign.onnx").write_bytes(b"no model")
    found = python(str(EXAMPLES / "ids.py"), "foreign.onnx", "Good fun.", cwd=tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("foreign.onnx: ")
    assert found.stderr.count("\n") == 1


def cells(name: str) -> list[dict[str, object]]:
    return json.loads((EXAMPLES / name).read_text("utf-8"))["cells"]


@pytest.mark.slow
def test_the_notebook_trains_exports_proves_and_traces(tmp_path: Path) -> None:
    """Its code cells run as one script, at a size that takes seconds."""
    code = [cell for cell in cells("from_reviews_to_a_trace.ipynb") if cell["cell_type"] == "code"]
    script = "\n\n".join("".join(cell["source"]) for cell in code)
    for setting, small in (("TEXTS = 20_000", "TEXTS = 600"), ("EPOCHS = 6", "EPOCHS = 1")):
        assert setting in script
        script = script.replace(setting, small)
    (tmp_path / "notebook.py").write_text(script, "utf-8")
    found = python("notebook.py", cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "notebook/model.int8.onnx").exists()
    assert (tmp_path / "trace.png").exists()


def test_the_notebook_is_committed_without_outputs() -> None:
    for cell in cells("from_reviews_to_a_trace.ipynb"):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
