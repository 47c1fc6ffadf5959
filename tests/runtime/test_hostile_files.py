"""Files that are sound to their checksum and hostile otherwise, and what stands in for a file."""

import gzip
import io
import json
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import (
    AnswerError,
    InputError,
    ModelFileError,
    SentimentModel,
    Tokenizer,
    VerificationError,
    VocabularyError,
)
from lstm_runtime.model_file.checksum import remove_checksum, verify_checksum
from lstm_runtime.model_file.structure import read_structure
from lstm_runtime.text.backtracking import rereads

from .conftest import MIXED, MODELS
from .model_bytes import joined, replaced, sealed_anew, with_properties

GRAPH, NODE, INITIALIZER, OUTPUT, VALUE_INFO = 7, 1, 5, 12, 13


@pytest.fixture(scope="module")
def data() -> bytes:
    return (MODELS / "tiny.int8.onnx").read_bytes()


def test_a_file_cut_before_its_checksum_or_without_one_is_refused(data: bytes) -> None:
    for damaged, why in (
        (data.replace(b"lstm-edge-sha256:", b"lstm-edge-sha257:"), "has no checksum.*--reseal"),
        (remove_checksum(data), "never filled in.*--reseal"),
        (data[: data.index(b"lstm-edge-sha256:") - 100], "cut off"),
    ):
        with pytest.raises(ModelFileError, match=why):
            SentimentModel.load(damaged)
    assert len(verify_checksum(data)) == 64


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n", "git lfs pull"),
        (b"\n <!DOCTYPE html><html>404</html>", "web page"),
        (b"<html>", "web page"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (b"PK\x03\x04rest", "zip archive or a PyTorch checkpoint"),
        (b'{"a": 1}', "JSON"),
        (bytes(100), "zeros"),
        (b"hello", "not a model file but text"),
        ("text;note\nSchön, schön;x\n".encode(), "not a model file but text"),
        (pickle.dumps({"a": 1}, 4), "a pickle"),
        (b"\x40\0\0\0\0\0\0\0{" + b' "a": 1}', "safetensors"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"x.pt".ljust(257, b"\0") + b"ustar\0", "tar archive"),
        (b"\xfe\xff\x00\x01", "not an ONNX file"),
    ],
)
def test_what_is_no_model_file_is_named(what: bytes, why: str) -> None:
    with pytest.raises(ModelFileError, match=why):
        SentimentModel.load(what)


def _with_weights(field: int, value: "int | bytes") -> Callable[[bytes], bytes]:
    """Add a weight with one field more."""
    tensor = joined(1, 1) + joined(2, 1) + joined(8, b"more") + joined(field, value)
    return lambda data: replaced(data, GRAPH, lambda graph: graph + joined(INITIALIZER, tensor))


def _with_node(*fields: tuple[int, "int | bytes"]) -> Callable[[bytes], bytes]:
    node = b"".join(joined(number, value) for number, value in fields)
    return lambda data: replaced(data, GRAPH, lambda graph: graph + joined(NODE, node))


def _nested(depth: int) -> bytes:
    """Return a graph with a branch in a branch in …"""
    graph = joined(2, b"g")
    for _ in range(depth):
        branch = joined(1, b"then_branch") + joined(6, graph) + joined(20, 5)
        graph = joined(NODE, joined(4, b"If") + joined(5, branch))
    return graph


_FUNCTION = joined(25, joined(1, b"f"))
_ELSEWHERE = joined(13, joined(1, b"location") + joined(2, b"../secret"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_with_weights(14, 1), "kept in another file"),
        (_with_weights(13, joined(1, b"location") + joined(2, b"../secret")), "another file"),
        (_with_weights(9, b"\0" * 8), "more or fewer numbers"),
        (lambda data: data + _FUNCTION, "functions of its own"),
        (lambda data: data + joined(8, joined(1, b"evil") + joined(2, 1)), "'evil'"),
        (lambda data: data + joined(7, b""), "field 7 twice"),
        (lambda data: data + joined(99, b""), "field 99"),
        (_with_node((4, b"Run"), (7, b"evil")), "an operator 'Run' of 'evil'"),
        (_with_node((4, b"Inverse"), (7, b"com.microsoft")), "'Inverse'"),
        (_with_node((1, b"nothing"), (2, b"x"), (4, b"Relu")), "reads 'nothing'"),
        (_with_node((1, b"text"), (2, b"tokens"), (4, b"Identity")), "two parts .* 'tokens'"),
        (
            _with_node((4, b"If"), (5, joined(1, b"a") + joined(6, _nested(9)) + joined(20, 5))),
            "nested more than",
        ),
        (
            _with_node(
                (4, b"Constant"), (5, joined(1, b"v") + joined(5, _ELSEWHERE) + joined(20, 4))
            ),
            "another file",
        ),
        (
            lambda data: replaced(data, GRAPH, lambda graph: graph, without=VALUE_INFO),
            "type of the tokens is not declared",
        ),
        (
            lambda data: replaced(data, GRAPH, lambda graph: graph, without=OUTPUT),
            "outputs  are not those",
        ),
    ],
)
def test_a_file_sealed_anew_with_what_no_file_of_ours_has_is_refused(
    data: bytes, change: Callable[[bytes], bytes], why: str
) -> None:
    assert SentimentModel.load(sealed_anew(data)).metadata.precision == "int8"
    with pytest.raises(ModelFileError, match=why):
        SentimentModel.load(sealed_anew(change(data)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("labels", ["no", "no"]),
        ("labels", ["no\x1b[2J", "yes"]),
        ("labels", ["no", "\u202eyes"]),
        ("labels", "ab"),
        ("labels", [1, 2]),
        ("threshold", 2),
        ("threshold", "0.5"),
        ("tolerance", -1),
        ("threshold", 10**400),
        ("tolerance", 10**400),
        ("reference", [{"text": "a", "ids": None, "probability": [10**400]}]),
        ("tolerance", float("nan")),
        ("precision", "int4"),
        ("batches", 1),
        ("max_tokens", 0),
        ("metrics", []),
        ("tokenizer", {"pattern": "(a|aa)+$", "pad": 0, "unknown": 1, "empty": 1}),
        ("tokenizer", {"pattern": "[a-z]+", "pad": 0, "unknown": 1, "empty": 1}),
        ("tokenizer", {"pattern": "[a-z0-9']+|[!?]", "pad": 0, "unknown": 10**9, "empty": 1}),
        ("reference", [{"text": "a", "ids": None, "probability": ["1"]}]),
        ("tokenizer", {"pattern": "[a-z]\ud800", "pad": 0, "unknown": 1, "empty": 1}),
        ("reference", [{"text": None, "ids": [99999], "probability": [0.5]}]),
    ],
)
def test_metadata_that_cannot_be_is_refused(data: bytes, name: str, value: object) -> None:
    with pytest.raises(ModelFileError, match=r"metadata|pattern"):
        SentimentModel.load(with_properties(data, {name: json.dumps(value)}))


def test_a_width_that_would_fill_the_memory_is_refused(data: bytes) -> None:
    spec = json.loads(read_structure(data).properties["tokenizer"]) | {"pad_to": 2**40}
    with pytest.raises(ModelFileError, match=r"pad_to is at most 1,048,576"):
        SentimentModel.load(with_properties(data, {"tokenizer": json.dumps(spec)}))


@pytest.mark.parametrize("name", ["hidden_dim", "n_layers", "vocab_size", "classes"])
@pytest.mark.parametrize("value", [-1, 2**40, 3.0, "7", True])
def test_sizes_that_cannot_be_are_refused(data: bytes, name: str, value: object) -> None:
    sizes = json.loads(read_structure(data).properties["architecture"]) | {name: value}
    with pytest.raises(ModelFileError, match=r"metadata|shape"):
        SentimentModel.load(with_properties(data, {"architecture": json.dumps(sizes)}))


def test_json_that_is_nested_without_end_is_refused(data: bytes) -> None:
    with pytest.raises(ModelFileError, match="damaged"):
        SentimentModel.load(with_properties(data, {"parity": "[" * 100_000}))


def test_an_answer_that_is_no_number_is_an_error(data: bytes) -> None:
    nan = np.array([np.nan], np.float32).tobytes()

    def poisoned(graph: bytes) -> bytes:
        at = graph.index(b"head_0_bias")
        place = graph.index(b"\x4a\x04", at)
        return graph[: place + 2] + nan + graph[place + 6 :]

    model = SentimentModel.load(sealed_anew(replaced(data, GRAPH, poisoned)), "cpu")
    for call in (
        lambda: model("good"),
        lambda: model(["good"]),
        lambda: model.trace("good"),
        lambda: model.stream().push("good "),
    ):
        with pytest.raises(AnswerError, match="answers nan, which is no answer"):
            call()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("reference", [], "no reference answers"), ("tolerance", 0.9, "proves nothing")],
)
def test_a_file_that_proves_nothing_is_not_verified(
    data: bytes, name: str, value: object, why: str
) -> None:
    model = SentimentModel.load(with_properties(data, {name: json.dumps(value)}))
    with pytest.raises(VerificationError, match=why):
        model.verify()


def test_bytes_and_open_files_are_models(data: bytes, int8: SentimentModel) -> None:
    wanted = int8(MIXED)
    with (MODELS / "tiny.int8.onnx").open("rb") as file:
        opened = SentimentModel.load(file, "cpu")
    assert (opened(MIXED), opened.path.name) == (wanted, "tiny.int8.onnx")
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        model = SentimentModel.load(source, "cpu")
        assert model(MIXED) == wanted
        assert str(model.path) == "<bytes>"
        assert model.trace(MIXED).sentiment == wanted
    for wrong in (5, io.StringIO("x")):
        with pytest.raises(InputError, match="a model"):
            SentimentModel.load(wrong)  # type: ignore[arg-type]
    for path in ("nope.onnx", "a\0b", MODELS):
        with pytest.raises(ModelFileError):
            SentimentModel.load(path)


def test_what_was_loaded_is_what_is_read_later(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    model = SentimentModel.load(path, "cpu")
    wanted = model.trace(MIXED)
    other = SentimentModel.load(path, "cpu")
    path.write_bytes((MODELS / "dropping.onnx").read_bytes())
    found = other.trace(MIXED)
    assert found.sentiment == wanted.sentiment
    assert np.array_equal(found.remember, wanted.remember)


def test_a_state_is_refused_by_another_model(int8: SentimentModel, fp32: SentimentModel) -> None:
    stream = int8.stream()
    stream.push(MIXED)
    state = pickle.loads(pickle.dumps(stream.state))  # noqa: S301 - our own bytes
    assert int8.stream(state).finish() == stream.finish()
    with pytest.raises(InputError, match="another model's"):
        fp32.stream(state)


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("the pattern hangs")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


PATTERNS = json.loads((Path(__file__).parents[1] / "golden/patterns.json").read_text("utf-8"))
"""What JavaScript takes and refuses, too: js/test/tokenizer.test.js."""


@pytest.mark.parametrize(
    "pattern",
    [
        *PATTERNS["refused"],
        r"(?i)(a|AA)+$",
        "a" + "(?:(?:b?)?)" * 60 + "c",
        "(?:" * 3000 + "a" + ")" * 3000,
    ],
)
def test_patterns_that_could_hang_are_refused(pattern: str) -> None:
    with _at_most(5), pytest.raises(VocabularyError, match="token pattern"):
        Tokenizer(pattern)


@pytest.mark.parametrize("square", [False, True])
def test_patterns_that_people_use_are_taken(square: bool) -> None:
    for pattern in PATTERNS["square" if square else "linear"]:
        assert Tokenizer(pattern).pattern == pattern
        assert rereads(pattern) is square, pattern


_ATOMS = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", "ab", "$", r"\b"])
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2,3}", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=7,
)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarm on this system")
@given(_PATTERNS)
@settings(deadline=None, max_examples=300)
def test_no_pattern_that_is_taken_hangs(pattern: str) -> None:
    try:
        tokenizer = Tokenizer(pattern)
    except VocabularyError:
        return
    # Two to the power of forty steps would be hours.
    with _at_most(5):
        for text in ("a" * 40 + "!", "ab" * 20 + "!", "b" * 40 + "\n", "a" * 300, "aab" * 100):
            tokenizer.tokens(text)


def test_a_long_text_is_refused_where_the_files_pattern_would_take_for_ever(data: bytes) -> None:
    pattern = "<[^>]+>|[a-z]+"
    assert Tokenizer(pattern, 1000).tokens("<b>good") == ["<b>", "good"]
    with pytest.raises(InputError, match="can be read in reasonable time"):
        Tokenizer(pattern, 1000).tokens("<" * 1001)
    assert len(Tokenizer("[a-z]+", 1000).tokens("a " * 1001)) == 1001


def test_a_file_that_lost_its_vocabulary_cannot_be_traced() -> None:
    changed = with_properties((MODELS / "ids.onnx").read_bytes(), {"vocabulary": "null"})
    with pytest.raises(InputError, match="no vocabulary"):
        SentimentModel.load(changed, "cpu").trace("good")
