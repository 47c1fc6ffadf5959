"""Token patterns: the same tokens in every engine, and in every piece of a text."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import InputError, VocabularyError
from lstm_runtime.text.re2 import graph_patterns
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN, Tokenizer
from lstm_training.data.word_pattern import WORD_PATTERN
from lstm_training.one_reading import require_one_reading
from onnx import TensorProto, helper

pytestmark = pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")

HELD_BACK = json.loads((Path(__file__).parents[1] / "golden/patterns.json").read_text("utf-8"))[
    "held back"
]
PATTERNS = (
    DEFAULT_PATTERN, WORD_PATTERN, r"\w+(?:[-']\w+)*|[^\w\s]", r"\b\w\w+\b", r"-\b|\w+", r"-\B|\w",
    "<[^>]+>|[a-z]+", r"^a|b", r"\w+@\w+\.\w+|\w+", "(?:ab){2}|a", r"[^\s]+", ".", r"\S+\Z|a",
)  # fmt: skip
TEXTS = st.text(st.sampled_from("aab b-x'c<>a\n\t\u0433_1 .@好😀[]\v"), max_size=14)
_ATOMS = st.sampled_from(
    ["a", "b", "ab", "[ab]", "[^a]", r"\w", r"\s", r"\S", ".", r"\d", r"\b", "-", r"[\s-]",
     r"[\Sx]", r"\u0430", r"[\u0430-\u0433]", "[]a]", "[^]b]", "[[a]", r"\Z", "^"]
)  # fmt: skip
_REPEATS = ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{,}", "*?", "+?", "??"]
_SHAPES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(_REPEATS)).map(lambda one: f"(?:{one[0]}){one[1]}"),
    ),
    max_leaves=6,
)


def _accepted(pattern: str) -> bool:
    try:
        Tokenizer(pattern)
        require_one_reading(pattern)
    except VocabularyError:
        return False
    return True


def _tokens_of_onnxruntime(pattern: str, texts: list[str]) -> Iterator[list[str]]:
    (expression,) = graph_patterns(Tokenizer(pattern))
    node = helper.make_node(
        "Tokenizer", ["text"], ["tokens"], domain="com.microsoft", mark=0, mincharnum=1,
        pad_value="", tokenexp=expression,
    )  # fmt: skip
    graph = helper.make_graph(
        [node], "tokens", [helper.make_tensor_value_info("text", TensorProto.STRING, [1])],
        [helper.make_tensor_value_info("tokens", TensorProto.STRING, None)],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for text in texts:
        (found,) = session.run(None, {"text": np.array([text], object)})
        yield [token for token in found.ravel() if token]


@given(_SHAPES.filter(_accepted), st.lists(TEXTS, min_size=5, max_size=20))
@settings(deadline=None, max_examples=200)
def test_what_is_taken_is_read_alike_by_re2(pattern: str, texts: list[str]) -> None:
    wanted = [Tokenizer(pattern).tokens(text) for text in texts]
    assert list(_tokens_of_onnxruntime(pattern, texts)) == wanted


@pytest.mark.parametrize("pattern", PATTERNS)
def test_usual_patterns_are_taken_and_read_alike(pattern: str) -> None:
    require_one_reading(pattern)
    texts = ["a ab abab", "o'clock-work, me@home.de", "<a b>b</a> a\v-a\n", "好x😀"]
    wanted = [Tokenizer(pattern).tokens(text) for text in texts]
    assert list(_tokens_of_onnxruntime(pattern, texts)) == wanted


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("good|[a-z]+", "finds 'good' in 'gooda', where ONNX Runtime"),
        ("un|[a-z]+", "finds 'un' in 'una'"),
        ("(?:a|ab)c?", "finds 'a' in 'ab'"),
        ("ab??", "no lazy"),
        ("[a-z]+?", "finds 'a' in 'aa'"),
        (r"\d+(?:[.,]\d+)*|\w+", "--interface ids"),
        (r"[a-z]+\b|a-b", "finds 'a' in 'a-b'"),
        ("[a-z]+$", r"write \\Z"),
        ("(?i)[a-z]+", "flags"),
        ("(?:(?s:.)|a)b", "flags"),
        ("[[:alpha:]]+", "class"),
        ("[a-z]{1,2000}", "1,000"),
        ("[a-z]{1001}", "1,000"),
        (r"\0|a", "lacks"),
        (r"a\N{DIGIT ONE}", "lacks"),
        (r"\d(?:(?:\w)??(?:[ab])*?)*", "rather match nothing"),
        ("(?:[a-z]{1,80}-){1,80}", "too long"),
    ],
)
def test_what_engines_read_differently_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(VocabularyError, match=why) as refused:
        require_one_reading(pattern)
    assert "\n" not in str(refused.value)


def _in_pieces(tokenizer: Tokenizer, text: str, sizes: list[int]) -> list[str]:
    found, pending, at = [], "", 0
    for size in [*sizes, len(text)]:
        done, pending = tokenizer.split_open(pending + text[at : at + size])
        found += tokenizer.tokens(done)
        at += size
    return found + tokenizer.tokens(pending)


@given(
    st.sampled_from(PATTERNS) | _SHAPES.filter(_accepted),
    TEXTS,
    st.lists(st.integers(1, 4), max_size=14),
)
@settings(deadline=None, max_examples=500)
def test_pieces_have_the_tokens_of_the_whole(pattern: str, text: str, sizes: list[int]) -> None:
    tokenizer = Tokenizer(pattern)
    assert _in_pieces(tokenizer, text, sizes) == tokenizer.tokens(text)


@pytest.mark.parametrize(("pattern", "text", "pending"), HELD_BACK)
def test_no_more_is_held_back_than_more_text_may_change(
    pattern: str, text: str, pending: str
) -> None:
    assert Tokenizer(pattern).split_open(text) == (text.removesuffix(pending), pending)


def test_a_pattern_that_is_too_large_is_read_whole_only() -> None:
    tokenizer = Tokenizer("(?:[a-z]{1,80}-){1,80}")
    assert tokenizer.tokens("ab-c-d") == ["ab-c-"]
    with pytest.raises(InputError, match="too long"):
        tokenizer.split_open("ab-")
