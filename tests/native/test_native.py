"""The examples in native/: compiled and run, wherever a compiler and the headers can be had."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import pytest
from lstm_export import export
from lstm_export.checkpoint.source import load_source
from lstm_export.pipeline import ExportConfig, export_source
from lstm_runtime import SentimentModel
from lstm_training.api import train
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from runtime.model_bytes import properties, with_properties
from scripts import PARTS, sentences

from .conftest import MODEL, ROOT, command

pytestmark = pytest.mark.slow  # each test compiles

NATIVE = ROOT / "native"
GOLDEN: dict[str, Any] = json.loads((ROOT / "tests" / "golden" / "answers.json").read_text())
STRICT = ["-std=c99", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1"]

KERNEL_OFF = os.environ | {"LSTM_EDGE_KERNEL": "none"}
"The kernel's answers differ from those of ONNX Runtime alone, which C++ runs."

Finished = subprocess.CompletedProcess[bytes]


def _run(*arguments: Any, library: Path | None = None, data: bytes = b"") -> Finished:
    named = {"LSTM_EDGE_ONNXRUNTIME": str(library)} if library else {}
    named["ASAN_OPTIONS"] = "detect_leaks=0"  # ONNX Runtime keeps some for its life
    return subprocess.run(
        [str(part) for part in arguments],
        env=os.environ | named,
        input=data,
        capture_output=True,
        timeout=300,
        check=False,
    )


def _numbers(finished: Finished) -> list[float]:
    assert finished.returncode == 0, finished.stderr
    return [float(line.split(b"\t")[0]) for line in finished.stdout.splitlines()]


def _compile(source: Path, headers: Path, folder: Path, *options: str) -> Path:
    program = folder / source.stem
    found = _run(
        command("cc", "gcc", "clang"), *STRICT, *options, "-I", headers, "-I", NATIVE, source,
        "-o", program, "-ldl", "-lm",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr.decode()
    return program


@pytest.fixture(scope="module")
def example(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _compile(NATIVE / "example.c", headers, tmp_path_factory.mktemp("c"))


@pytest.fixture(scope="module")
def answers(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _compile(ROOT / "tests/native/answers.c", headers, tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def hostile(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a program that a sanitizer watches, where the compiler has one."""
    folder, source = tmp_path_factory.mktemp("hostile"), ROOT / "tests/native/hostile.c"
    try:
        return _compile(source, headers, folder, "-fsanitize=address,undefined", "-g")
    except AssertionError:
        return _compile(source, headers, folder)


@pytest.fixture(scope="module")
def cpp_example(headers: Path, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example in C++, which a sanitizer watches where the compiler has one."""
    if not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("nlohmann-json3-dev is missing")
    folder, compiler = tmp_path_factory.mktemp("cpp"), command("c++", "g++", "clang++")
    linked = folder / "libonnxruntime.so.1"
    linked.symlink_to(library)
    built = [
        _run(
            compiler, "-std=c++17", "-O1", "-Wall", "-Wextra", "-Werror", *watched, "-I", headers,
            "-I", NATIVE, NATIVE / "cpp/example.cpp", linked, f"-Wl,-rpath,{folder}",
            "-o", folder / "example",
        )
        for watched in ([], ["-fsanitize=address,undefined", "-g"])
    ]  # fmt: skip
    assert built[0].returncode == 0, built[0].stderr.decode()
    return folder / "example"


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
    found = _numbers(_run(answers, MODEL, library=any_library, data=data))
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
    found = _known(_run(answers, MODEL, library=any_library, data=data))
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
    found = _known(_run(answers, path, library=any_library, data=data))
    assert found == pytest.approx(expected, abs=1e-7)
    in_pieces = _known(_run(answers, MODEL, library=any_library, data=_record("P", "good ")))
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
    found = _numbers(_run(answers, tmp_path / "model.int8.onnx", library=library, data=data))
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
    file = ROOT / "tests/data/models/required.onnx"
    texts = ["a good plot", "awful, dull acting", ""]
    with SentimentModel.load(file, "cpu") as model:
        expected = [model(text).scores["positive"] for text in texts]
    data = b"".join(_record("T", text) for text in texts)
    assert _numbers(_run(answers, file, library=library, data=data)) == pytest.approx(expected)
    assert _numbers(_run(cpp_example, file, *texts)) == pytest.approx(expected)
    data = b"S 0\n" + _record("P", "awful, ") + _record("P", "dull acting")
    assert _numbers(_run(answers, file, library=library, data=data))[1] == pytest.approx(
        expected[1]
    )
    streamed = _numbers(_run(cpp_example, file, "--stream", "awful, ", "dull acting"))
    assert streamed[1] == pytest.approx(expected[1])


def test_every_stream_has_pythons_answers(answers: Path, any_library: Path) -> None:
    # Nothing is held back in C: pieces end between two words.
    streams = [s for s in GOLDEN["streams"] if all(p.endswith(" ") for p in s["pieces"])]
    assert len(streams) >= 2
    pieces = [b"S 0\n" + b"".join(_record("P", p) for p in s["pieces"]) for s in streams]
    found = _numbers(_run(answers, MODEL, library=any_library, data=b"".join(pieces)))
    expected = [value for s in streams for value in s["probability"][:-1]]
    assert found == pytest.approx(expected, abs=GOLDEN["tolerance"]["c"])


def test_the_example_verifies_answers_and_streams(example: Path, library: Path) -> None:
    whole = _run(example, MODEL, "A dull, lifeless mess.", "Ein schöner Film 😀", library=library)
    assert b"16 reference answers, largest difference 0.0047\n" in whole.stderr
    assert len(_numbers(whole)) == 2
    unknown = _run(example, MODEL, "好", "good", library=library)
    assert unknown.stderr.count(b"warning: the model knows no word of: \xe5\xa5\xbd\n") == 1
    pieces = ["A dull, ", "... ", "lifeless mess."]
    streamed = _numbers(_run(example, MODEL, "--stream", *pieces, library=library))
    assert streamed[0] == streamed[1] != streamed[2]
    assert streamed[2] == pytest.approx(_numbers(whole)[0], abs=GOLDEN["tolerance"]["stream"])


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
    done = _run(example, file, *texts[:3], library=library)
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
        found = _run(example, model, "good", library=chosen)
        assert found.returncode == 1
        assert found.stderr.startswith(b"Error: ")
        assert found.stderr.count(b"\n") == 1
    assert _run(example).returncode == 2


def test_an_answer_that_is_no_number_is_an_error(
    answers: Path, library: Path, tmp_path: Path
) -> None:
    data = MODEL.read_bytes()
    name = b"head_0_bias\x4a\x04"  # and its four bytes
    place = data.index(name) + len(name)
    poisoned = tmp_path / "nan.onnx"
    poisoned.write_bytes(data[:place] + b"\0\0\xc0\x7f" + data[place + 4 :])
    found = _run(answers, poisoned, library=library, data=_record("T", "good"))
    assert (found.returncode, found.stderr) == (1, b"Error: an answer is not a number\n")


def test_other_reference_answers_are_refused(example: Path, library: Path, tmp_path: Path) -> None:
    data = MODEL.read_bytes()
    start = data.index(b"[0.9", data.index(b'"probability"')) + 1  # of the first text
    changed = tmp_path / "changed.onnx"
    changed.write_bytes(data[:start] + b"0.4" + data[start + 3 :])
    found = _run(example, changed, "good", library=library)
    assert (found.returncode, found.stdout) == (1, b"")
    assert b"does not answer as the original did" in found.stderr


def test_memory_is_used_as_it_should_be(headers: Path, library: Path, tmp_path: Path) -> None:
    sanitized = tmp_path / "answers"
    built = _run(
        command("cc", "gcc", "clang"), *STRICT, "-g", "-fsanitize=address,undefined",
        "-I", headers, "-I", NATIVE, ROOT / "tests/native/answers.c", "-o", sanitized,
        "-ldl", "-lm",
    )  # fmt: skip
    if built.returncode:
        pytest.skip(f"no sanitizers here: {built.stderr.decode().splitlines()[-1]}")
    data = b"".join(
        _record("T", item["text"]) for item in GOLDEN["texts"] if len(item["text"]) < 200
    )
    data += _record("P", "good ") + _record("T", "") + b"T 4\n\xff\xc4\xe2\x84" + b"T 2\n\xed\xa0"
    found = _run(sanitized, MODEL, library=library, data=data)
    assert found.returncode == 0, found.stderr.decode()


def test_the_example_in_cpp_is_built_by_cmake(headers: Path, library: Path, tmp_path: Path) -> None:
    command("c++", "g++", "clang++"), command("pkg-config")
    # What libonnxruntime-dev would have put where pkg-config and the linker look.
    (tmp_path / "libonnxruntime.so").symlink_to(library)
    (tmp_path / "libonnxruntime.so.1").symlink_to(library)
    (tmp_path / "libonnxruntime.pc").write_text(
        "Name: onnxruntime\nDescription: ONNX Runtime\nVersion: 1\n"
        f"Libs: -L{tmp_path} -lonnxruntime -Wl,-rpath,{tmp_path}\nCflags: -I{headers}\n"
    )
    build = tmp_path / "build"
    configured = subprocess.run(
        [command("cmake"), "-S", NATIVE / "cpp", "-B", build],
        env=os.environ | {"PKG_CONFIG_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if "nlohmann_json" in configured.stderr:
        pytest.skip("nlohmann-json3-dev is missing")
    assert configured.returncode == 0, configured.stderr
    made = _run(command("cmake"), "--build", build)
    assert made.returncode == 0, made.stdout + made.stderr
    item = GOLDEN["texts"][0]
    whole = _run(build / "example", MODEL, item["text"], item["text"] + "\u212a")
    assert b"verified" in whole.stderr and b"warning" not in whole.stderr
    assert (
        b"warning: the model knows no word of: 123" in _run(build / "example", MODEL, "123").stderr
    )
    assert _numbers(whole) == pytest.approx([item["probability"]] * 2, abs=GOLDEN["tolerance"]["c"])
    pieces = ["A dull, ", "... ", "lifeless mess."]
    streamed = _numbers(_run(build / "example", MODEL, "--stream", *pieces))
    assert streamed[0] == streamed[1] != streamed[2]
    assert _run(build / "example", tmp_path / "none.onnx").returncode == 1


def test_the_cards_example_in_cpp_runs(
    headers: Path, library: Path, tmp_path: Path, run: Any, checkpoint_file: Path
) -> None:
    compiler = command("c++", "g++", "clang++")
    if not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("nlohmann-json3-dev is missing")
    linked = tmp_path / "libonnxruntime.so.1"
    linked.symlink_to(library)
    run("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "int8")
    card = (tmp_path / "model.md").read_text(encoding="utf-8")
    code = card.split("```cpp\n")[1].split("```")[0]
    (tmp_path / "card.cpp").write_text(
        code.replace("model.int8.onnx", str(tmp_path / "model.int8.onnx"))
    )
    built = _run(
        compiler, "-std=c++17", "-O0", "-I", headers, "-I", NATIVE, "-I", NATIVE / "cpp",
        tmp_path / "card.cpp", linked, f"-Wl,-rpath,{tmp_path}", "-o", tmp_path / "card",
    )  # fmt: skip
    assert built.returncode == 0, built.stderr.decode()
    (found,) = _numbers(_run(tmp_path / "card"))
    answer = run("lstm-run", "--json", "--model", str(tmp_path / "model.int8.onnx"),
                 "One of the finest films I have ever seen.", env=KERNEL_OFF)  # fmt: skip
    assert found == pytest.approx(json.loads(answer.stdout)["scores"]["positive"], abs=1e-3)


HOSTILE: dict[str, tuple[str, object, bytes]] = {
    "many classes": ("architecture", {"classes": 64}, b"score: an output is not what"),
    "no class": ("architecture", {"classes": 0}, b"open: the model file's metadata is damaged"),
    "negative": ("architecture", {"hidden_dim": -1}, b"open: the model file's metadata is damaged"),
    "both": ("architecture", {"classes": 65, "hidden_dim": 2**61}, b"open: the model has too many"),
    "huge": ("architecture", {"hidden_dim": 2**61}, b"open: the model file's metadata is damaged"),
    "wide": ("architecture", {"hidden_dim": 4096}, b"push: Got invalid dimensions"),
    "cut": ("reference", '[{"probability": [0.5], "text": "\\u00', b"verify: the file's ref"),
    "escape": ("reference", '[{"probability": [0.5], "text": "\\u1', b"verify: the file's ref"),
    "half": ("reference", '[{"probability": [0.5], "text": "\\ud83d\\u', b"verify: the file's ref"),
}  # fmt: skip


def _lying(case: str) -> bytes:
    name, change, _ = HOSTILE[case]
    data = (ROOT / "tests/data/models/tiny.int8.onnx").read_bytes()
    if isinstance(change, dict):
        change = json.dumps(json.loads(properties(data)[name]) | change)
    return with_properties(data, {name: str(change)})


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_lies_reaches_no_memory_but_its_own(
    hostile: Path, library: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "hostile.onnx").write_bytes(_lying(case))
    found = _run(hostile, tmp_path / "hostile.onnx", library=library)
    assert (found.returncode, found.stderr) == (0, b"")
    assert HOSTILE[case][2] in found.stdout
    told, closed = found.stdout.split(b"closed\n")
    if b"open: ok" not in told:
        assert told.count(b"the model is not open") >= 4
    assert set(closed.splitlines()) <= {
        b"verify: the model is not open", b"score: the model is not open",
        b"push: the model is not open",
    }  # fmt: skip


def _with_fractional_ids(data: bytes) -> bytes:
    """Return a model file whose ids are floats where the headers look for them."""
    model = onnx.load_from_string(data)
    (encoder,) = (node for node in model.graph.node if node.op_type == "LabelEncoder")
    values = {a.name: onnx.helper.get_attribute_value(a) for a in encoder.attribute}
    kept = {name: value for name, value in values.items() if "int64" not in name}
    place, ids = list(model.graph.node).index(encoder), encoder.output[0]
    encoder.CopyFrom(
        onnx.helper.make_node(
            "LabelEncoder", encoder.input, ["fractions"], encoder.name, domain=encoder.domain,
            values_floats=[float(value) for value in values["values_int64s"]],
            default_float=float(values["default_int64"]), **kept,
        )
    )  # fmt: skip
    whole = onnx.helper.make_node("Cast", ["fractions"], [ids], to=onnx.TensorProto.INT64)
    model.graph.node.insert(place + 1, whole)
    return model.SerializeToString()


def test_ids_that_are_no_whole_numbers_are_refused(
    hostile: Path, cpp_example: Path, library: Path, tmp_path: Path
) -> None:
    tiny, file = ROOT / "tests/data/models/tiny.int8.onnx", tmp_path / "fractions.onnx"
    file.write_bytes(_with_fractional_ids(tiny.read_bytes()))
    found = _run(hostile, file, library=library)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.count(b"score: an output is not what the file says\n") == 4
    found = _run(cpp_example, file, "a good film")
    assert found.returncode == 1
    assert found.stderr == b"Error: an output is not what the file says\n"


@pytest.mark.parametrize("case", HOSTILE)
def test_in_cpp_a_file_that_lies_is_one_line(
    cpp_example: Path, library: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "hostile.onnx").write_bytes(_lying(case))
    found = _run(cpp_example, tmp_path / "hostile.onnx", "--stream", "a good ")
    assert b"Sanitizer" not in found.stderr and b"runtime error" not in found.stderr
    assert found.returncode in {0, 1}
    assert (b"Error: " in found.stderr) == (found.returncode == 1)
    if case in {"negative", "huge"}:
        assert found.stderr == b"Error: the model file's metadata is damaged\n"
