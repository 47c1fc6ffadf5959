"""The usual pipelines, read inside the graph word for word as their own rules read them."""

import numpy as np
import pytest
from export_frontend import frontend
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec
from lstm_runtime.text.tokenizer import TextEncoder
from lstm_runtime.text.vocabulary import Vocabulary
from pipelines import (
    PIPELINES,
    UDACITY_WINDOW,
    first_200_padded_left,
    reviews,
    udacity,
    vocabulary_of,
)

HARD = [
    "", " ", "...", "It's \"quoted\", well-made.<br /><br />It wasn't: 9/10; (see) it!!",
    "a.b.c.d", "<br />", "film<br />great", "don''t", "x\x85y\xa0z\x0bw", "tab\tnew\nline",
    "'", "the 'best' o'clock -- really...", "word" * 60, "[brackets] \\back ^hat a]b _under_",
    "-".join("abcdefghijklmnopqrstuvwxyzabcdef"), "naïve café quotes 😀", "<br <br / />",
]  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [*HARD, *reviews(250)[0]]


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_is_read_as_its_own_rules_read_it(name: str, texts: list[str]) -> None:
    rules, tokenizer = PIPELINES[name]
    words = vocabulary_of(rules, texts, 4000, first_id=2)
    vocabulary = Vocabulary(("<pad>", "<unk>", *words))
    encoder = TextEncoder(tokenizer, vocabulary)
    session = frontend(encoder)
    alike = 0
    for text in texts:
        wanted = [words.get(word, 1) for word in rules(text)] or [1]
        ids, lengths, _ = session.run(None, {"text": np.array([text], object)})
        assert ids[0].tolist() == encoder(text)
        assert lengths[0] == len(encoder(text))
        alike += ids[0].tolist() == wanted
    # What is left is the lower case of letters beyond ASCII.
    assert alike / len(texts) >= 0.995


@pytest.mark.parametrize("name", sorted({*PIPELINES} - {"keras"}))  # which knows ASCII's alone
def test_tokens_end_at_every_blank_of_python(name: str) -> None:
    rules, tokenizer = PIPELINES[name]
    blanks = [c for c in map(chr, range(0x110000)) if c.isspace()]
    text = "a" + "".join(f"{blank}b" for blank in blanks)
    assert len(blanks) == 29
    assert tokenizer.tokens(text) == rules(text) == ["a", *"b" * 29]
    words = Vocabulary(("<pad>", "<unk>", "a", "b"))
    found, _, _ = frontend(TextEncoder(tokenizer, words)).run(None, {"text": np.array([text])})
    assert found[0].tolist() == [2, *[3] * 29]


def test_words_without_an_id_are_dropped_and_what_is_left_cut_and_padded(texts: list[str]) -> None:
    words = vocabulary_of(udacity, texts[50:], 2000, first_id=1)
    vocabulary = Vocabulary(("", *words), None)
    encoder = TextEncoder(PIPELINES["udacity"][1], vocabulary, UDACITY_WINDOW)
    session = frontend(encoder)
    found, lengths, _ = session.run(None, {"text": np.array(texts, object)})
    wanted = [
        first_200_padded_left([words[word] for word in udacity(text) if word in words])
        for text in texts
    ]
    assert lengths.tolist() == [200] * len(texts)
    assert (found == np.array(wanted)).all(axis=1).mean() >= 0.995


@pytest.mark.parametrize("name", PIPELINES)
def test_the_metadata_says_all_that_the_encoder_does(name: str) -> None:
    vocabulary = Vocabulary(("<pad>", "<unk>", "film", "its", "it's"))
    encoder = TextEncoder(PIPELINES[name][1], vocabulary, UDACITY_WINDOW)
    spec = TokenizerSpec.of(encoder)
    read = TokenizerSpec.from_json(spec.to_json())
    assert read == spec
    assert read.encoder(vocabulary.words) == encoder
