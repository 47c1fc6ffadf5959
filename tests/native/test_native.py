"""The examples in native/: compiled and run, wherever a compiler and the headers can be had."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lstm_export import export
from lstm_export.checkpoint.source import load_source
from lstm_export.pipeline import ExportConfig, export_source
from lstm_runtime import SentimentModel
from lstm_training.api import train
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from scripts import PARTS, sentences

from .conftest import (
    HERE,
    MODEL,
    MODELS,
    NATIVE,
    ROOT,
    WATCHED,
    Finished,
    compiled,
    compiled_cpp,
    finish,
    numbers,
)  # fmt: skip

pytestmark = pytest.mark.slow  # each test compiles

GOLDEN: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "answers.json").read_text())
KERNEL_OFF = os.environ | {"LSTM_EDGE_KERNEL": "none"}
"The kernel's answers differ from those of ONNX Runtime alone, which C++ runs."


@pytest.fixture(scope="module")
def example(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(NATIVE / "example.c", headers, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="module")
def answers(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(HERE / "answers.c", headers, tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module", params=["python", "node"])
def any_library(request: pytest.FixtureRequest, library: Path) -> Path:
    """Return libraries of two releases: one program starts with either."""
    if request.param == "python":
        return library
    found = sorted(ROOT.glob("js/node_modules/onnxruntime-node/bin/*/linux/x64/libonnxruntime.so*"))
    if not found or os.uname().machine != "x86_64":
        pytest.skip("js/node_modules is missing: make js")
    return found[0]


def _record(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return f"{kind} {len(data)}\n".encode() + data


def test_every_text_gets_pythons_answer(answers: Path, any_library: Path) -> None:
    items = GOLDEN["texts"]
    data = b"".join(_record("T", item["text"]) for item in items)
    found = numbers(finish(answers, MODEL, library=any_library, data=data))
    expected = [item["probability"] for item in items]
    assert found == pytest.approx(expected, abs=GOLDEN["tolerance"]["c"])


def _known(finished: Finished) -> list[float]:
    """Return the share of known words of each text."""
    assert finished.returncode == 0, finished.stderr
    return [float(line.split(b"\t")[1]) for line in finished.stdout.splitlines()]


def test_every_text_has_pythons_share_of_known_words(
    answers: Path, any_library: Path, checkpoint_file: Path, tmp_path: Path
) -> None:
    # The shares in C are of single precision, as its probabilities.
    texts = [item["text"] for item in GOLDEN["texts"]]
    data = b"".join(_record("T", text) for text in texts)
    found = _known(finish(answers, MODEL, library=any_library, data=data))
    assert found == pytest.approx([item["known"] for item in GOLDEN["texts"]], abs=1e-7)
    source = load_source(checkpoint_file)
    dropping = replace(source.required_encoder.vocabulary, unknown_word=None)
    exported = export_source(
        source.with_vocabulary(dropping), tmp_path, ExportConfig(precisions=("fp32",))
    )
    path = list(exported)[-1].path
    assert path
    with SentimentModel.load(path, "cpu") as model:
        expected = [model(text).known for text in texts]
    found = _known(finish(answers, path, library=any_library, data=data))
    assert found == pytest.approx(expected, abs=1e-7)
    in_pieces = _known(finish(answers, MODEL, library=any_library, data=_record("P", "good ")))
    assert all(map(math.isnan, in_pieces))


def test_a_model_of_several_scripts_is_read_as_in_python(
    answers: Path, library: Path, tmp_path: Path
) -> None:
    rows = [row for language in PARTS for row in sentences(language, 60)]
    texts, labels = zip(*rows, strict=True)
    config = TrainingConfig(
        epochs=2, embedding_dim=16, hidden_dim=16, n_layers=1, learning_rate=0.02, min_count=1,
        word_scores=4,
    )  # fmt: skip
    train(config, Examples("scripts", texts, labels), tmp_path, baselines=False)
    export(tmp_path / "model.pt", tmp_path, config=ExportConfig(("int8",)))
    asked = (
        *texts[::7],
        "ÄUSSERST rührend 😀 <br/> 很好看\uff01",
        "ÜBER über Über",
        "\u0130 \u212a ß\0é",
    )
    data = b"".join(_record("T", text) for text in asked)
    found = numbers(finish(answers, tmp_path / "model.int8.onnx", library=library, data=data))
    code = (
        "import sys, json; from lstm_runtime import SentimentModel; "
        f"model = SentimentModel.load({str(tmp_path / 'model.int8.onnx')!r}); "
        "print([model(t).scores['positive'] for t in json.loads(sys.stdin.read())])"
    )
    python = subprocess.run(
        [sys.executable, "-c", code], env=KERNEL_OFF, input=json.dumps(asked), text=True,
        capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    assert max(found) - min(found) > 0.3
    assert found == pytest.approx(json.loads(python.stdout), abs=1e-5)


def test_a_file_that_asks_for_states_starts_from_zeros(
    answers: Path, cpp_example: Path, library: Path
) -> None:
    file = MODELS / "required.onnx"
    texts = ["a good plot", "awful, dull acting", ""]
    with SentimentModel.load(file, "cpu") as model:
        expected = [model(text).scores["positive"] for text in texts]
    data = b"".join(_record("T", text) for text in texts)
    assert numbers(finish(answers, file, library=library, data=data)) == pytest.approx(expected)
    assert numbers(finish(cpp_example, file, *texts)) == pytest.approx(expected)
    data = b"S 0\n" + _record("P", "awful, ") + _record("P", "dull acting")
    assert numbers(finish(answers, file, library=library, data=data))[1] == pytest.approx(
        expected[1]
    )
    streamed = numbers(finish(cpp_example, file, "--stream", "awful, ", "dull acting"))
    assert streamed[1] == pytest.approx(expected[1])


def test_every_stream_has_pythons_answers(answers: Path, any_library: Path) -> None:
    # Nothing is held back in C: pieces end between two words.
    streams = [s for s in GOLDEN["streams"] if all(p.endswith(" ") for p in s["pieces"])]
    assert len(streams) >= 2
    pieces = [b"S 0\n" + b"".join(_record("P", p) for p in s["pieces"]) for s in streams]
    found = numbers(finish(answers, MODEL, library=any_library, data=b"".join(pieces)))
    expected = [value for s in streams for value in s["probability"][:-1]]
    assert found == pytest.approx(expected, abs=GOLDEN["tolerance"]["c"])


def test_the_example_verifies_answers_and_streams(example: Path, library: Path) -> None:
    whole = finish(example, MODEL, "A dull, lifeless mess.", "Ein schöner Film 😀", library=library)
    assert b"16 reference answers, largest difference 0.0047\n" in whole.stderr
    assert len(numbers(whole)) == 2
    unknown = finish(example, MODEL, "好", "good", library=library)
    assert unknown.stderr.count(b"warning: the model knows no word of: \xe5\xa5\xbd\n") == 1
    pieces = ["A dull, ", "... ", "lifeless mess."]
    streamed = numbers(finish(example, MODEL, "--stream", *pieces, library=library))
    assert streamed[0] == streamed[1] != streamed[2]
    assert streamed[2] == pytest.approx(numbers(whole)[0], abs=GOLDEN["tolerance"]["stream"])


def test_each_of_three_labels_has_its_probability(
    example: Path, library: Path, tmp_path: Path
) -> None:
    texts = tuple(f"{('poor', 'plain', 'fine')[n % 3]} word{n % 7} number{n}" for n in range(90))
    examples = Examples("e", texts, tuple(n % 3 for n in range(90)), ("low", "middle", "high"))
    config = TrainingConfig(
        epochs=2, embedding_dim=16, hidden_dim=16, n_layers=1, learning_rate=0.02, word_scores=6
    )
    train(config, examples, tmp_path, baselines=False)
    export(tmp_path / "model.pt", tmp_path, config=ExportConfig(("fp32",)))
    file = tmp_path / "model.onnx"
    done = finish(example, file, *texts[:3], library=library)
    assert done.returncode == 0, done.stderr
    with SentimentModel.load(file, "cpu") as model:
        for line, answer in zip(done.stdout.decode().splitlines(), model(texts[:3]), strict=True):
            *found, text = line.split("\t")
            assert text == answer.text
            assert list(map(float, found)) == pytest.approx(list(answer.scores.values()), abs=1e-5)


def test_a_bad_model_or_library_is_one_line(example: Path, library: Path, tmp_path: Path) -> None:
    cut, foreign = tmp_path / "cut.onnx", tmp_path / "foreign.onnx"
    cut.write_bytes(MODEL.read_bytes()[:10_000])
    foreign.write_text("<html>")
    for model, chosen in (
        (cut, library), (foreign, library), (tmp_path / "none.onnx", library),
        (MODEL, tmp_path / "none.so"), (MODEL, Path("libm.so.6")),
    ):  # fmt: skip
        found = finish(example, model, "good", library=chosen)
        assert found.returncode == 1
        assert found.stderr.startswith(b"Error: ")
        assert found.stderr.count(b"\n") == 1
    assert finish(example).returncode == 2


def test_other_reference_answers_are_refused(example: Path, library: Path, tmp_path: Path) -> None:
    data = MODEL.read_bytes()
    start = data.index(b"[0.9", data.index(b'"probability"')) + 1  # of the first text
    changed = tmp_path / "changed.onnx"
    changed.write_bytes(data[:start] + b"0.4" + data[start + 3 :])
    found = finish(example, changed, "good", library=library)
    assert (found.returncode, found.stdout) == (1, b"")
    assert b"does not answer as the original did" in found.stderr


def test_memory_is_used_as_it_should_be(headers: Path, library: Path, tmp_path: Path) -> None:
    try:
        sanitized = compiled(HERE / "answers.c", headers, tmp_path, *WATCHED)
    except AssertionError as error:
        pytest.skip(f"no sanitizers here: {str(error).splitlines()[0]}")
    data = b"".join(
        _record("T", item["text"]) for item in GOLDEN["texts"] if len(item["text"]) < 200
    )
    data += _record("P", "good ") + _record("T", "") + b"T 4\n\xff\xc4\xe2\x84" + b"T 2\n\xed\xa0"
    found = finish(sanitized, MODEL, library=library, data=data)
    assert found.returncode == 0, found.stderr.decode()


def test_the_cards_example_in_cpp_runs(
    headers: Path, library: Path, tmp_path: Path, run: Any, checkpoint_file: Path
) -> None:
    run("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "int8")
    card = (tmp_path / "model.md").read_text(encoding="utf-8")
    code = card.split("```cpp\n")[1].split("```")[0]
    (tmp_path / "card.cpp").write_text(
        code.replace("model.int8.onnx", str(tmp_path / "model.int8.onnx"))
    )
    card_program = compiled_cpp(tmp_path / "card.cpp", headers, library, tmp_path)
    (found,) = numbers(finish(card_program))
    answer = run("lstm-run", "--json", "--model", str(tmp_path / "model.int8.onnx"),
                 "One of the finest films I have ever seen.", env=KERNEL_OFF)  # fmt: skip
    assert found == pytest.approx(json.loads(answer.stdout)["scores"]["positive"], abs=1e-3)
