import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_runtime import SentimentModel, VocabularyError
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary

ANY_TEXT = st.text(st.characters(), max_size=60) | st.text("abZ'!? \t\0é\ud800<>/.", max_size=60)


@given(ANY_TEXT)
@settings(deadline=None, max_examples=300)
def test_python_and_the_graph_see_the_same_tokens(fp32: SentimentModel, text: str) -> None:
    trace = fp32.trace(text)
    assert [t for t in trace.tokens if t] == Tokenizer().tokens(text)


def test_a_token_is_every_match_of_the_pattern_in_lower_case() -> None:
    text = "It's GREAT!<br />İstanbul \x85 9/10?"
    assert Tokenizer().tokens(text) == ["it's", "great", "!", "br", "stanbul", "9", "10", "?"]


@given(ANY_TEXT)
def test_split_open_cuts_within_no_token(text: str) -> None:
    complete, pending = Tokenizer().split_open(text)
    assert complete + pending == text
    assert Tokenizer().tokens(complete) + Tokenizer().tokens(pending) == Tokenizer().tokens(text)
    assert Tokenizer().tokens(complete + " x")[:-1] == Tokenizer().tokens(complete)


@given(ANY_TEXT, st.integers(1, 9))
def test_keep_last_keeps_the_last_tokens(text: str, count: int) -> None:
    tokens = Tokenizer().tokens(text)
    assert Tokenizer().tokens(Tokenizer().keep_last(text, count)) == tokens[-count:]


@pytest.mark.parametrize("pattern", ["[", "a*"])
def test_a_pattern_that_cannot_be_one_is_refused(pattern: str) -> None:
    with pytest.raises(VocabularyError):
        Tokenizer(pattern)


def test_classes_of_unicode_are_told_to_be_ranges() -> None:
    with pytest.raises(VocabularyError, match="write letters as ranges"):
        Tokenizer(r"[\p{L}\d]+")


def test_unknown_words_get_the_unknown_id_and_no_words_give_one() -> None:
    encode = TextEncoder(Tokenizer(), Vocabulary(("<pad>", "<unk>", "good")))
    assert encode("good zebra GOOD") == [2, 1, 2]
    assert encode(" ,.") == [1]


def test_unknown_words_can_be_dropped() -> None:
    encode = TextEncoder(Tokenizer(), Vocabulary(("<pad>", "good"), unknown_word=None))
    assert encode("good zebra good") == [1, 1]
    assert encode("zebra") == [0]
    assert not encode.has_token("zebra")


@pytest.mark.parametrize("words", [(), ("<pad>", "good"), ("<pad>", "<unk>", "good", "good")])
def test_an_ambiguous_vocabulary_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(VocabularyError):
        Vocabulary(words)


def test_ids_and_text_interface_agree(ids: SentimentModel, fp32: SentimentModel) -> None:
    for text in ("", "good", "a zebra of a film", "It's not GOOD!"):
        assert np.isclose(ids(text).score, fp32(text).score, atol=1e-6)
