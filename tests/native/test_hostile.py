"""Files that lie or lack something, and a locale with a comma: one line each, no memory lost."""

import json
import math
import subprocess
from pathlib import Path

import onnx
import pytest
from runtime.model_bytes import properties, with_properties

from .conftest import HERE, MODEL, MODELS, command, compiled, finish, numbers

pytestmark = pytest.mark.slow  # programs are compiled

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
    "few": ("architecture", {"classes": 2}, b"verify: the file's reference answers are damaged"),
    "no reference": ("reference", "[]", b"verify: the file carries no reference answers, so"),
    "generous": ("tolerance", "1e9", b"verify: the file allows a difference of 1"),
    "half a turn": ("tolerance", "0.5", b"verify: the file allows a difference of 0.5, which"),
    "no tolerance": ("tolerance", "\"0.1\"", b"verify: the model file's metadata is damaged"),
}  # fmt: skip


def _lying(case: str) -> bytes:
    name, change, _ = HOSTILE[case]
    data = (MODELS / "tiny.int8.onnx").read_bytes()
    if isinstance(change, dict):
        change = json.dumps(json.loads(properties(data)[name]) | change)
    return with_properties(data, {name: str(change)})


@pytest.mark.parametrize("case", HOSTILE)
def test_a_file_that_lies_reaches_no_memory_but_its_own(
    hostile: Path, library: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "hostile.onnx").write_bytes(_lying(case))
    found = finish(hostile, tmp_path / "hostile.onnx", library=library)
    assert (found.returncode, found.stderr) == (0, b"")
    assert HOSTILE[case][2] in found.stdout
    told, closed = found.stdout.split(b"closed\n")
    if b"open: ok" not in told:
        assert told.count(b"the model is not open") >= 4
    assert set(closed.splitlines()) <= {
        b"verify: the model is not open", b"score: the model is not open",
        b"push: the model is not open", b"state: as it was",
        b"freed: the model is not open",
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
    tiny, file = MODELS / "tiny.int8.onnx", tmp_path / "fractions.onnx"
    file.write_bytes(_with_fractional_ids(tiny.read_bytes()))
    found = finish(hostile, file, library=library)
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.count(b"score: an output is not what the file says\n") == 4
    found = finish(cpp_example, file, "a good film")
    assert found.returncode == 1
    assert found.stderr == b"Error: an output is not what the file says\n"


@pytest.mark.parametrize("case", HOSTILE)
def test_in_cpp_a_file_that_lies_is_one_line(
    cpp_example: Path, library: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "hostile.onnx").write_bytes(_lying(case))
    found = finish(cpp_example, tmp_path / "hostile.onnx", "--stream", "a good ")
    assert b"Sanitizer" not in found.stderr and b"runtime error" not in found.stderr
    assert found.returncode in {0, 1}
    assert (b"Error: " in found.stderr) == (found.returncode == 1)
    if case in {"negative", "huge"}:
        assert found.stderr == b"Error: the model file's metadata is damaged\n"
    if case in {"no reference", "generous", "half a turn"}:
        said = HOSTILE[case][2].removeprefix(b"verify: ")
        assert found.stderr.startswith(b"Error: " + said) and found.stderr.count(b"\n") == 1
    if case == "no tolerance":
        assert found.returncode == 1


def test_ids_and_texts_that_cannot_be_continued_are_one_line(
    hostile: Path, hostile_cpp: Path, library: Path, tmp_path: Path
) -> None:
    no_words, no_states = tmp_path / "no_words.onnx", MODELS / "both_ways.onnx"
    data = (MODELS / "ids.onnx").read_bytes()
    no_words.write_bytes(with_properties(data, {"tokenizer": "null", "vocabulary": "null"}))
    said = b"open: the model file takes ids, not text\n"
    for file in (MODELS / "ids.onnx", no_words):
        assert said in finish(hostile, file, library=library).stdout
        assert said in finish(hostile_cpp, file).stdout
    said = b"push: the model file has no states: it cannot continue a text\n"
    found = finish(hostile, no_states, library=library)
    assert found.returncode == 0 and said in found.stdout
    assert b"verify: ok\nscore: ok\n" in found.stdout
    found = finish(hostile_cpp, no_states)
    assert said in found.stdout and b"new_" + said.replace(b"push", b"state") in found.stdout
    assert b"verify: ok\nscore: ok\n" in found.stdout


def test_an_answer_that_is_no_number_leaves_the_state_as_it_was(
    hostile: Path, hostile_cpp: Path, library: Path, tmp_path: Path
) -> None:
    data = MODEL.read_bytes()
    name = b"head_0_bias\x4a\x04"  # and its four bytes
    place = data.index(name) + len(name)
    poisoned = tmp_path / "nan.onnx"
    poisoned.write_bytes(data[:place] + b"\0\0\xc0\x7f" + data[place + 4 :])
    for program in (hostile, hostile_cpp):
        told = finish(program, poisoned, library=library).stdout.split(b"closed\n")[0]
        for call in (b"verify", b"score", b"push"):
            assert call + b": an answer is not a number\n" in told
        assert b"\nstate: as it was\n" in told
        told = finish(program, MODEL, library=library).stdout
        assert b"verify: ok\n" in told and b"\nstate: moved\n" in told


def test_a_freed_state_is_refused(hostile: Path, library: Path) -> None:
    found = finish(hostile, MODELS / "tiny.onnx", library=library)
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"freed: the state is not there" in found.stdout


def test_a_file_that_does_not_open_leaves_nothing_behind(
    headers: Path, library: Path, tmp_path: Path
) -> None:
    program = compiled(HERE / "reopen.c", headers, tmp_path)
    changed = json.loads(properties(MODEL.read_bytes())["architecture"]) | {"classes": 65}
    file = tmp_path / "many.onnx"
    file.write_bytes(with_properties(MODEL.read_bytes(), {"architecture": json.dumps(changed)}))
    found = finish(program, file, library=library)
    assert found.stderr == b"the model has too many classes for this header\n"
    assert numbers(found)[0] < file.stat().st_size / 10  # a session has all of the file in it


@pytest.fixture(scope="module")
def comma(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a locale that writes numbers with a comma."""
    folder = tmp_path_factory.mktemp("locale")
    made = subprocess.run(
        [command("localedef"), "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"],
        capture_output=True,
        text=True,
        check=False,
    )
    if not (folder / "de_DE.UTF-8").exists():
        pytest.skip(f"localedef makes no locale here: {made.stderr.strip()}")
    return {"LOCPATH": str(folder), "LC_ALL": "de_DE.UTF-8", "LANGUAGE": ""}


def test_a_file_is_verified_where_numbers_have_a_comma(
    hostile: Path, hostile_cpp: Path, library: Path, comma: dict[str, str]
) -> None:
    for program in (hostile, hostile_cpp):
        for file in (MODEL, MODELS / "tiny.onnx"):
            told = finish(program, file, library=library, **comma).stdout
            assert told.startswith(b"point: ,\n")
            assert b"\nverify: ok\n" in told


def test_numbers_are_read_as_in_json(headers: Path, tmp_path: Path) -> None:
    program = compiled(HERE / "numbers.c", headers, tmp_path)
    texts = (
        "0 -0 7 1e-05 0.6450111865997314 1.1920928955078125e-07 -12.5E+3 1e300 2.5e-300 1e-999 "
        "0.99999999999999999999999999 123456789012345678901234567890 0.00000000000000000000001"
    ).split()
    found = finish(program, *texts)
    assert numbers(found) == pytest.approx([json.loads(text) for text in texts], rel=1e-15, abs=0)
    assert [line.split(b"\t")[1] for line in found.stdout.splitlines()] == [b""] * len(texts)
    none = ("", "-", "e5", ".5", "nan", "inf", '"1"', "1e", "null")
    found = finish(program, *none)
    assert all(map(math.isnan, numbers(found)))
    behind = [line.split(b"\t")[1].decode() for line in found.stdout.splitlines()]
    assert behind == list(none)
    assert finish(program, "0.5, 1]", "1.5.3").stdout == b"0.5\t, 1]\n1.5\t.3\n"
