"""The text front end in the graph against the tokeniser in Python."""

import string

import numpy as np
import pytest
from export_frontend import frontend
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer, replace_unportable
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from lstm_runtime.text.window import Window

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
SESSIONS = {name: frontend(encoder) for name, encoder in ENCODERS.items()}


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=100, deadline=None)
@given(texts=TEXTS)
def test_graph_reads_like_python(name: str, texts: list[str]) -> None:
    encoder, texts = ENCODERS[name], [replace_unportable(text) for text in texts]
    ids, lengths, tokens = SESSIONS[name].run(None, {"text": np.array(texts, object)})
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
