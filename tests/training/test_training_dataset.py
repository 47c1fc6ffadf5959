from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.config import TrainingConfig
from lstm_training.data.batching import (
    Batch,
    drop_spans,
    drop_words,
    epoch_order,
    length_order,
    make_batch,
)
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import (
    EncodedTexts,
    drop_duplicates,
    encode,
    prepare,
)
from lstm_training.data.split import split, stratified
from lstm_training.data.vocabulary import build_vocabulary
from lstm_training.errors import ConfigError, DataError

labelled = st.lists(st.tuples(st.text(max_size=3), st.integers(0, 1)), max_size=60)


def made(rows: list[tuple[str, int]]) -> Examples:
    """Return `rows` and two sure texts of either class."""
    sure = [("sure good", 1), ("sure great", 1), ("sure bad", 0), ("sure poor", 0)]
    texts, labels = zip(*rows, *sure, strict=True)
    return Examples("rows", texts, labels)


def test_of_copies_the_first_stays_and_of_contradictions_none() -> None:
    rows = [("a", 1), ("b", 0), ("a ", 1), ("c", 0), ("c", 1), ("d", 1)]
    distinct = drop_duplicates(made(rows))
    kept = distinct.examples
    assert (distinct.copies, distinct.conflicting) == (1, 2)
    assert kept.texts[:3] == ("a", "b", "d")
    assert kept.labels[:3] == (1, 0, 1)


def test_copies_are_told_by_their_words_and_conflicts_settled_by_majority() -> None:
    rows = [("A film!", 1), ("a  FILM !", 1), ("a film, !", 0), ("…", 0), ("¿", 1), ("b", 0)]
    distinct = drop_duplicates(made(rows))
    assert distinct.examples.texts[:4] == ("A film!", "…", "¿", "b")
    assert distinct.examples.labels[:4] == (1, 0, 1, 0)
    assert (distinct.copies, distinct.conflicting) == (1, 1)


@given(labelled, st.floats(0.01, 0.99), st.integers(0, 3))
def test_no_text_stands_on_both_sides_and_none_is_lost(
    rows: list[tuple[str, int]], holdout: float, seed: int
) -> None:
    distinct = drop_duplicates(made(rows))
    kept = distinct.examples
    assert len(kept) + distinct.copies + distinct.conflicting == len(made(rows))
    train, held_out = split(kept, holdout, seed)
    assert not set(train.texts) & set(held_out.texts)
    assert sorted(train.texts + held_out.texts) == sorted(kept.texts)


@given(labelled, st.data())
def test_a_stratified_choice_keeps_the_proportion(
    rows: list[tuple[str, int]], data: st.DataObject
) -> None:
    examples = made(rows)
    count = data.draw(st.integers(2, len(examples) - 2))
    chosen = stratified(examples, count, seed=0)
    assert len(set(chosen)) == count
    positive = sum(examples.labels[n] for n in chosen)
    assert abs(positive - count * sum(examples.labels) / len(examples)) <= 1


def test_a_sample_of_sorted_data_has_both_classes(examples: Examples) -> None:
    order = sorted(range(len(examples)), key=lambda n: examples.labels[n])
    data = prepare(examples.select(order), TrainingConfig(limit=40))
    assert len(data.train) + len(data.held_out) == 40
    assert data.train.labels.sum() == 18
    assert data.held_out.labels.sum() == 2


def test_too_few_texts_of_a_class_are_named() -> None:
    few = Examples("few.csv", ("a a", "b b", "c c"), (0, 1, 1))
    with pytest.raises(DataError, match=r"few\.csv: a class has 1 distinct text"):
        prepare(few, TrainingConfig())


def test_training_needs_both_classes() -> None:
    alone = Examples("one_class.csv", ("a", "b"), (1, 1))
    with pytest.raises(DataError, match=r"one_class\.csv holds the label positive alone"):
        prepare(alone, TrainingConfig())
    contradictory = Examples("few.csv", ("a", "b", "b", "c"), (1, 1, 0, 1))
    with pytest.raises(DataError, match="a class has 0 distinct text"):
        prepare(contradictory, TrainingConfig())
    with pytest.raises(DataError, match=r"two\.csv: every text has copies with another label"):
        prepare(Examples("two.csv", ("a", "A."), (1, 0)), TrainingConfig())


def test_equal_seeds_split_equally_and_others_differ(examples: Examples) -> None:
    first, again = split(examples, 0.2, seed=1), split(examples, 0.2, seed=1)
    assert first == again
    assert first != split(examples, 0.2, seed=2)


def test_the_vocabulary_has_the_frequent_words_in_a_fixed_order() -> None:
    texts = [["b", "a", "c"], ["a", "b", "d", "d"], ["d", "once"]]
    assert build_vocabulary(texts, 99, 2).words == ("<pad>", "<unk>", "d", "a", "b")
    assert build_vocabulary(texts, 4, 1).words == ("<pad>", "<unk>", "d", "a")
    with pytest.raises(DataError, match="no word occurs 4 times"):
        build_vocabulary(texts, 99, 4)


def test_held_out_words_are_not_in_the_vocabulary(examples: Examples) -> None:
    # number0, number1, … stand in one text each: with min_count 1 only the training ones appear.
    data = prepare(examples, TrainingConfig(min_count=1, holdout=0.25))
    numbers = [word for word in data.vocabulary.words if word.startswith("number")]
    assert len(numbers) == len(data.train) == 180


def test_training_texts_keep_their_end_and_held_out_texts_everything(examples: Examples) -> None:
    data = prepare(examples, TrainingConfig(max_tokens=3))
    assert max(data.train.lengths) == 3
    assert max(data.held_out.lengths) > 20
    words = Vocabulary(("<pad>", "<unk>", "a", "b", "c"))
    ids = encode(made([("a b b c", 1)]), TextEncoder(Tokenizer(), words), max_tokens=2).ids[0]
    assert ids.tolist() == [3, 4]


def test_a_text_without_a_word_is_one_unknown() -> None:
    words = Vocabulary(("<pad>", "<unk>", "a"))
    ids = encode(made([("…", 1)]), TextEncoder(Tokenizer(), words)).ids[0]
    assert ids.tolist() == [1]


lengths = st.lists(st.integers(1, 500), min_size=1, max_size=300)


@given(lengths, st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_has_every_text_once(sizes: list[int], batch_size: int, epoch: int) -> None:
    order = epoch_order(sizes, batch_size, seed=0, epoch=epoch)
    assert sorted(n for batch in order for n in batch) == list(range(len(sizes)))
    assert all(len(batch) <= batch_size for batch in order)
    assert order == epoch_order(sizes, batch_size, seed=0, epoch=epoch)


def test_batches_hold_texts_of_like_length_in_another_order_each_epoch() -> None:
    sizes = list(range(1, 401))
    first, second = (epoch_order(sizes, 8, seed=0, epoch=n) for n in (0, 1))
    assert first != second
    assert all(max(batch) - min(batch) < 16 for batch in first)
    assert [min(batch) for batch in first] != sorted(min(batch) for batch in first)


def test_a_batch_is_padded_on_the_right(examples: Examples) -> None:
    data = prepare(examples, TrainingConfig())
    positions = next(iter(length_order(data.train, 4)))
    batch = make_batch(data.train, positions, pad=0)
    for row, n in enumerate(positions):
        length = int(batch.lengths[row])
        assert batch.ids[row, :length].equal(data.train.ids[n])
        assert not batch.ids[row, length:].any()
        assert batch.labels[row] == data.train.labels[n]


def test_measuring_batches_are_bounded_by_tokens() -> None:
    ids = tuple(torch.zeros(n, dtype=torch.int32) for n in (5, 90, 1, 40, 6, 300))
    texts = EncodedTexts(ids, torch.zeros(6))
    assert list(length_order(texts, 3, most_tokens=100)) == [[2, 0, 4], [3], [1], [5]]
    assert list(length_order(texts, 9)) == [[2, 0, 4, 3, 1, 5]]


def test_word_dropout_takes_its_part_of_the_words() -> None:
    torch.manual_seed(0)
    batch = Batch(torch.full((100, 100), 7), torch.full((100,), 100), torch.zeros(100))
    dropped = drop_words(batch, 0.2, unknown=1).ids == 1
    assert 0.18 < dropped.float().mean() < 0.22
    assert drop_words(batch, 0.0, unknown=1).ids.equal(batch.ids)


@given(
    st.lists(st.integers(1, 150), min_size=1, max_size=8), st.floats(0, 0.99), st.integers(0, 99)
)
def test_a_span_is_left_out_of_long_texts_alone(lengths: list[int], most: float, seed: int) -> None:
    torch.manual_seed(seed)
    ids = tuple(torch.arange(1, length + 1, dtype=torch.int32) for length in lengths)
    batch = make_batch(EncodedTexts(ids, torch.arange(len(ids)) / 8), range(len(ids)), 0)
    found = drop_spans(batch, most, 0)
    assert found.labels.equal(batch.labels)
    assert found.ids.shape == (len(ids), int(found.lengths.max()))
    for row, whole, length in zip(found.ids, ids, found.lengths.tolist(), strict=True):
        assert not row[length:].any()
        assert 1 <= length <= len(whole)
        assert length >= (1 - most) * len(whole) if len(whole) >= 60 else length == len(whole)
        gaps = row[:length].diff() - 1
        assert row[0] == 1 or not gaps.any(), "one span, at the beginning or further on"
        assert (gaps > 0).sum() <= 1


def test_the_span_that_is_left_out_differs_from_step_to_step() -> None:
    texts = EncodedTexts((torch.arange(1, 201, dtype=torch.int32),), torch.zeros(1))
    torch.manual_seed(0)
    steps = [drop_spans(make_batch(texts, [0], 0), 0.5, 0) for _ in range(400)]
    assert 45 < sum(200 - int(step.lengths) for step in steps) / 400 < 55
    kept = torch.cat([step.ids[0] for step in steps]).bincount(minlength=201)[1:]
    assert kept.min() > 200, "no part of a text is left out for good"
    assert (kept < 400).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0), ("batch_size", 0), ("learning_rate", float("nan")), ("vocab_size", 2),
        ("word_dropout", 1.0), ("embedding_dropout", -0.1), ("holdout", 0.0), ("holdout", 1.0),
        ("limit", 3), ("seed", -1), ("mixed_precision", "int8"), ("weight_decay", -1.0),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{name} is "):
        replace(TrainingConfig(), **{name: value})  # type: ignore[arg-type] # wrong on purpose


def test_the_digest_tells_examples_apart() -> None:
    base = made([("ab", 1), ("c", 0)])
    assert base.sha256() == made([("ab", 1), ("c", 0)]).sha256()
    others = [made([("a", 1), ("bc", 0)]), made([("ab", 1), ("c", 1)]), made([("c", 0), ("ab", 1)])]
    others.append(replace(base, label_names=("spam", "ham")))
    assert base.sha256() not in {other.sha256() for other in others}
    assert made([("\ud800", 1)]).sha256()


def test_a_name_that_is_no_utf8_can_be_kept_in_a_checkpoint() -> None:
    found = Examples("caf\udce9.csv", ("good", "bad"), (1, 0))
    assert found.name == found.select([0]).name == r"caf\udce9.csv"
