"""The text front end in the graph against the tokeniser in Python."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_export.graph.builder import GraphBuilder, Value
from lstm_export.graph.tokenizer import add_text_frontend
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from onnx import TensorProto
from onnxruntime import InferenceSession

WORDS = ("good", "bad", "film", "don't", "a", "!", "?", "<pad>", "7")
VOCABULARIES = {
    "unknown": Vocabulary((PAD_WORD, UNKNOWN_WORD, *WORDS[:7])),
    "unknown last": Vocabulary((*WORDS, "[UNK]"), "[UNK]"),
    "dropped": Vocabulary(("", *WORDS[:7]), None),
}
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.lists(st.sampled_from([*WORDS, "GOOD", "zzz", "<br />", "é", "😀", "\0"])).map(" ".join),
    ),
    min_size=1,
    max_size=5,
)


def frontend(encoder: TextEncoder) -> InferenceSession:
    g = GraphBuilder()
    ids, lengths = add_text_frontend(g, encoder)
    g.output(ids, TensorProto.INT64, ["batch", "n"])
    g.output(lengths, TensorProto.INT32, ["batch"])
    g.output(Value("tokens"), TensorProto.STRING, ["batch", "n"])
    content: onnx.ModelProto = g.model()
    return InferenceSession(content.SerializeToString(), providers=["CPUExecutionProvider"])


ENCODERS = {name: TextEncoder(Tokenizer(), words) for name, words in VOCABULARIES.items()}
SESSIONS = {name: frontend(encoder) for name, encoder in ENCODERS.items()}


@pytest.mark.parametrize("name", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(texts=TEXTS)
def test_graph_reads_like_python(name: str, texts: list[str]) -> None:
    encoder = ENCODERS[name]
    ids, lengths, tokens = SESSIONS[name].run(None, {"text": np.array(texts, object)})
    assert ids.shape == tokens.shape == (len(texts), max(len(encoder(t)) for t in texts))
    for row, text in enumerate(texts):
        wanted = encoder(text)
        assert lengths[row] == len(wanted)
        assert ids[row, : len(wanted)].tolist() == wanted
        kept = encoder.tokenizer.tokens(text)
        if encoder.vocabulary.unknown is None:
            kept = [token for token in kept if token in encoder.vocabulary.plain]
        assert [token for token in tokens[row] if token] == kept
        assert not any(tokens[row, len(kept) :])
