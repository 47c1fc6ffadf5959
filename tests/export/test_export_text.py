"""The text front end in the graph against the tokeniser in Python."""

import string

import numpy as np
import pytest
from export_frontend import frontend, frontend_model, open_on_cpu
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer, replace_unportable
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from lstm_runtime.text.window import Window
from onnx import ValueInfoProto

WORDS = ("good", "bad", "film", "don't", "a", "!", "?", "<pad>", "7")
VOCABULARIES = {
    "unknown": Vocabulary((PAD_WORD, UNKNOWN_WORD, *WORDS[:7])),
    "unknown last": Vocabulary((*WORDS, "[UNK]"), "[UNK]"),
    "dropped": Vocabulary(("", *WORDS[:7]), None),
}
HARD = (
    "GOOD", "zzz", "<br />", "é", "😀", "\0", "<br", " />", "-good-", "go'od", "''",
    "film<BR />bad",
    "\x85", "\xa0", "\x0b", "]b^a[d\\", "s-l-o-w-l-y.", ".".join("abcdefghijklmnopqrstuvwxyz" * 2),
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.lists(st.sampled_from([*WORDS, *HARD]), max_size=12).map(" ".join),
    ),
    min_size=1,
    max_size=5,
)


TOKENIZERS = {
    "marks deleted": Tokenizer(r"\S+", delete=string.punctuation),
    "case kept": Tokenizer(r"[^\s\x1c-\x1f\x85\xa0]+", case="keep"),
    "blanks": Tokenizer(r"[^\s.,!]+|[.!,]", blank=("<br />", "IL"), delete='"'),
    "apostrophes deleted": Tokenizer(delete="'"),
}
WINDOWS = (
    Window(3),
    Window(3, "last"),
    Window(3, "first", 5),
    Window(3, "last", 2, "right"),
    Window(None, "first", 4),
)
ENCODERS = {name: TextEncoder(Tokenizer(), words) for name, words in VOCABULARIES.items()}
ENCODERS |= {name: TextEncoder(one, VOCABULARIES["unknown"]) for name, one in TOKENIZERS.items()}
ENCODERS |= {
    f"{name}, {window}": TextEncoder(TOKENIZERS["marks deleted"], VOCABULARIES[name], window)
    for name in ("unknown", "dropped")
    for window in WINDOWS
}
FILES = {"int8": True, "other": False}
SESSIONS = {
    (name, file): frontend(encoder, cpu_only=cpu_only)
    for name, encoder in ENCODERS.items()
    for file, cpu_only in FILES.items()
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=60, deadline=None)
@given(texts=TEXTS)
def test_graph_reads_like_python(name: str, file: str, texts: list[str]) -> None:
    encoder, texts = ENCODERS[name], [replace_unportable(text) for text in texts]
    ids, lengths, tokens = SESSIONS[name, file].run(None, {"text": np.array(texts, object)})
    assert ids.shape == (len(texts), max(len(encoder(t)) for t in texts))
    assert tokens.shape == ids.shape or encoder.window.pad_to
    for row, text in enumerate(texts):
        wanted = encoder(text)
        assert lengths[row] == len(wanted)
        assert ids[row, : len(wanted)].tolist() == wanted
        kept = encoder.tokenizer.tokens(text)
        if encoder.vocabulary.unknown is None:
            kept = [token for token in kept if token in encoder.vocabulary.plain]
        kept = encoder.window.cut(kept)
        assert [token for token in tokens[row] if token] == kept
        assert not any(tokens[row, len(kept) :])


@pytest.mark.parametrize("texts", [[""], ["", " "]])
@pytest.mark.parametrize("name", ENCODERS)
def test_no_axis_that_cuda_refuses_is_empty(name: str, texts: list[str]) -> None:
    # "Can't reduce on dim with value of 0", says CUDA, where a CPU gives a sum of nothing.
    model = frontend_model(ENCODERS[name])
    read = [
        node.input[0]
        for node in model.graph.node
        if node.op_type == "TopK" or node.op_type.startswith("Reduce")
    ]
    model.graph.output.extend(ValueInfoProto(name=value) for value in read)
    found = open_on_cpu(model).run(read, {"text": np.array(texts, object)})
    assert found
    assert all(value.size for value in found)
