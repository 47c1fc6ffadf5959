"""The nodes that are joined in memory: the same ids, the same bits, and no other file touched."""

import gc
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel.nodes import PORTABLE, chosen, instruction_sets, needs_kernel, session_as_chosen
from lstm_export.graph.build import build_graph
from lstm_export.graph.precision import Int8Weights
from lstm_export.layers import LinearWeights
from lstm_export.network import InitialStates, LstmWeights, Network
from lstm_export.readout import LAST, Readout
from lstm_runtime import SentimentModel
from lstm_runtime.arrays import Array
from lstm_runtime.bundled import DEFAULT_CPU
from lstm_runtime.inference.session import CPU, SessionSettings, create_session
from lstm_runtime.kernel.library import VARIABLE
from lstm_runtime.model_file.front_end import find_front_end
from lstm_runtime.model_file.graph import DOMAIN
from lstm_runtime.model_file.pruning import cut_to_scores, prune_to_scores
from lstm_runtime.text.tokenizer import replace_unportable
from onnx import helper, numpy_helper

pytestmark = needs_kernel

BUNDLED = DEFAULT_CPU.read_bytes()
OWN = ["WordIds", "EmbeddedLSTM"]
WORDS = ("good", "GOOD", "bad!", "it's", "film?", "qwxzv", "9", "é", "-", ".", "'", "\u00a0", "\n")
TEXTS = st.lists(
    st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)),
    min_size=1,
    max_size=5,
)


def operators(data: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(data).graph.node]


def scores_only(data: bytes, *, joined: bool) -> bytes:
    """Return a file as the runtime cuts it down, the front end's values as outputs too."""
    return prune_to_scores(data, find_front_end(data) or (), joined=joined)


@pytest.fixture(scope="module")
def sessions() -> dict[str, Any]:
    """Return the bundled file's session as it was pruned, and with its nodes joined."""
    plain, joined = (scores_only(BUNDLED, joined=joined) for joined in (False, True))
    with chosen(instruction_sets()[0] if instruction_sets() else PORTABLE):
        return {"plain": session_as_chosen(plain), "joined": session_as_chosen(joined)}


@pytest.fixture(autouse=True)
def best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_two_nodes_take_the_place_of_twenty_four() -> None:
    pruned, joined = (scores_only(BUNDLED, joined=joined) for joined in (False, True))
    assert operators(joined)[:2] == OWN
    assert len(operators(pruned)) - len(operators(joined)) == 22
    assert [i.domain for i in onnx.load_from_string(joined).opset_import].count(DOMAIN) == 1
    assert len(joined) < len(pruned) + 1000  # nothing stands in it twice


@settings(max_examples=150, deadline=None)
@given(texts=TEXTS)
def test_ids_and_answers_are_the_same(sessions: dict[str, Any], texts: list[str]) -> None:
    feed = {"text": np.array([replace_unportable(text) for text in texts], object)}
    names = find_front_end(BUNDLED)
    assert names is not None
    wanted = ["probability", names.ids]
    for found, expected in zip(
        sessions["joined"].run(wanted, feed), sessions["plain"].run(wanted, feed), strict=True
    ):
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        assert found.tobytes() == expected.tobytes()


def test_long_texts_in_batches_are_the_same(sessions: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    words = ["film", "was", "good", "the", "not", "ever", "fun!", "a", "slow", "zzz"]
    texts = [" ".join(random.choice(words, n)) for n in (1, 700, 300, 40, 999, 0, 256, 257)]
    feed = {"text": np.array(texts, object)}
    found, expected = (sessions[n].run(["probability"], feed)[0] for n in ("joined", "plain"))
    assert found.tobytes() == expected.tobytes()


def test_large_weights_are_read_where_they_lie() -> None:
    data = bytes(bytearray(BUNDLED))
    found = cut_to_scores(data, joined=True, apart=True)
    assert len(found.data) < 0.2 * len(data)
    assert {values.dtype for values in found.apart.values()} == {np.dtype(np.int8)}
    whole = np.frombuffer(data, np.uint8)
    assert all(np.shares_memory(values, whole) for values in found.apart.values())
    with chosen(PORTABLE):
        made = create_session(found.data, CPU, SessionSettings(), apart=found.apart)
        expected = session_as_chosen(prune_to_scores(data, joined=True))
    del data, whole, found
    gc.collect()
    bytearray(2 * len(BUNDLED))  # would lie over what nobody holds
    feed = {"text": np.array(["One of the finest films.", "", "a slow, dull qwxzv"], object)}
    (answers,), (wanted,) = (s.run(["probability"], feed) for s in (made, expected))
    assert answers.tobytes() == wanted.tobytes()
    assert isinstance(made.weights_apart["embedding_int8"].base.base.obj, bytes)


def test_the_runtime_sets_large_weights_apart() -> None:
    session = SentimentModel.load(provider="cpu")._engine._session
    assert set(session.weights_apart) >= {"embedding_int8", "lstm_0_W_int8"}


def network(
    sizes: tuple[int, ...], *, ways: int = 1, readout: Readout = LAST, initial: bool = False
) -> Network:
    """Return random weights: a vector's size, then each layer's."""
    random = np.random.default_rng(len(sizes))

    def draw(*shape: int) -> Array:
        return random.normal(0, 0.3, shape).astype(np.float32)

    def direction(inputs: int, units: int) -> LstmWeights:
        return LstmWeights(
            draw(4 * units, inputs), draw(4 * units, units), draw(4 * units), draw(4 * units)
        )

    inputs = [sizes[0], *(ways * size for size in sizes[1:-1])]
    layers = tuple(
        tuple(direction(i, units) for _ in range(ways))
        for i, units in zip(inputs, sizes[1:], strict=True)
    )
    made = Network(draw(300, sizes[0]), layers, (), readout)
    states = tuple(draw(1, 1, size) for size in sizes[1:])
    made = replace(made, initial=InitialStates(states, states) if initial else None)
    return replace(made, head=(LinearWeights(draw(1, made.features), draw(1)),))


def reads(text: str, *, both_ways: bool = False) -> Readout:
    return Readout.parse(text, bidirectional=both_ways)


NETWORKS = {
    "one layer": (network((24, 40)), 1),
    "two layers, one small": (network((7, 33, 5)), 2),
    "three layers": (network((16, 16, 48, 20)), 3),
    "the mean of all steps": (
        network((16, 16, 24), readout=reads("mean")),
        2,
    ),
    "the ends of two layers": (
        network((16, 24, 24), readout=reads("last@0,last")),
        1,
    ),
    "both ways": (
        network((16, 24, 24), ways=2, readout=reads("last", both_ways=True)),
        0,
    ),
    "first states of its own": (network((16, 24), initial=True), 0),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_give_the_same_bits(name: str) -> None:
    built, layers = NETWORKS[name]
    whole = build_graph(built, Int8Weights()).SerializeToString()
    pruned, joined = (scores_only(whole, joined=joined) for joined in (False, True))
    nodes = [n for n in onnx.load_from_string(joined).graph.node if n.op_type == "EmbeddedLSTM"]
    assert [node.attribute[0].i for node in nodes] == ([layers] if layers else [])
    random = np.random.default_rng(1)
    for batch, steps in ((1, 1), (1, 300), (5, 70), (300, 3)):
        feed = {
            "ids": random.integers(0, 300, (batch, steps)) ** 2 // 300,  # some more often
            "lengths": random.integers(1, steps + 1, batch).astype(np.int32),
        }
        expected = None
        for instruction_set in (*instruction_sets(), PORTABLE):
            with chosen(instruction_set):
                for data in (pruned, joined):
                    (found,) = session_as_chosen(data).run(["probability"], feed)
                    assert found.tobytes() == (found if expected is None else expected).tobytes()
                    expected = found


@pytest.mark.parametrize(
    ("op", "attribute", "value"),
    [
        ("Tokenizer", "tokenexp", "[a-z]+"),
        ("StringNormalizer", "case_change_action", "NONE"),
        ("Cast", "to", 6),
        ("ReduceSum", "keepdims", 1),
    ],
)
def test_a_front_end_of_another_kind_is_left(op: str, attribute: str, value: Any) -> None:
    model = onnx.load_from_string(BUNDLED)
    node = next(node for node in model.graph.node if node.op_type == op)
    kept = [found for found in node.attribute if found.name != attribute]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(attribute, value)])
    assert "WordIds" not in operators(scores_only(model.SerializeToString(), joined=True))


def test_a_value_that_is_wanted_elsewhere_keeps_its_node() -> None:
    model = onnx.load_from_string(BUNDLED)
    shown = [n.output[0] for n in model.graph.node if n.op_type in {"StringNormalizer", "Mul"}]
    joined = prune_to_scores(BUNDLED, shown, joined=True)
    assert operators(joined) == operators(prune_to_scores(BUNDLED, shown))
    assert {value.name for value in onnx.load_from_string(joined).graph.output} >= set(shown)


def test_an_id_outside_the_embedding_is_an_error() -> None:
    model = onnx.load_from_string(scores_only(BUNDLED, joined=True))
    words = next(node for node in model.graph.node if node.op_type == "WordIds")
    for attribute in words.attribute:
        attribute.i = 1 << 40  # unknown and empty
    made = session_as_chosen(model.SerializeToString())
    with pytest.raises(Exception, match="an id is outside the embedding"):
        made.run(["probability"], {"text": np.array(["qwxzv"], object)})


def test_a_vocabulary_that_is_none_is_refused() -> None:
    model = onnx.load_from_string(scores_only(BUNDLED, joined=True))
    for initializer in model.graph.initializer:
        if initializer.name == "lstm_edge_keys":
            cut = numpy_helper.to_array(initializer)[:-1]
            initializer.CopyFrom(numpy_helper.from_array(cut, initializer.name))
    with pytest.raises(Exception, match="no vocabulary"):
        session_as_chosen(model.SerializeToString())


@pytest.mark.parametrize("wrong", [-1, 1 << 31])
def test_ids_of_more_than_31_bits_are_refused(wrong: int) -> None:
    model = onnx.load_from_string(scores_only(BUNDLED, joined=True))
    (values,) = (n for n in model.graph.initializer if n.name == "lstm_edge_values")
    attribute = onnx.AttributeProto.FromString(numpy_helper.to_array(values).tobytes())
    attribute.ints[-1] = wrong
    changed = np.frombuffer(attribute.SerializeToString(), np.uint8)
    values.CopyFrom(numpy_helper.from_array(changed, values.name))
    with pytest.raises(Exception, match="no vocabulary"):
        session_as_chosen(model.SerializeToString())


def test_the_runtime_joins_nodes_with_the_kernel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Great fun! Not."
    inputs = SentimentModel.load(provider="cpu")
    answer = inputs(text)
    stream = inputs.stream()
    stream.push(text)
    assert stream.finish().scores == answer.scores  # by the whole file, whose nodes are apart
    monkeypatch.setenv(VARIABLE, "none")
    assert SentimentModel.load(provider="cpu")(text).known == answer.known
