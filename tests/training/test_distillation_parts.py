"""The distillation's parts, each by itself."""

import csv
import json
import logging
import math
import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lstm_training.data.batching import Batch
from lstm_training.data.examples import Examples
from lstm_training.distillation.augmentation import generate_examples, has_valence_shifter
from lstm_training.distillation.cache import PART, StageCache
from lstm_training.distillation.config import (
    AugmentationConfig,
    CorpusConfig,
    DistillationConfig,
    NgramConfig,
    OptimizationConfig,
)
from lstm_training.distillation.config_file import read_config
from lstm_training.distillation.corpus import load_corpus
from lstm_training.distillation.fit import fit_stage
from lstm_training.distillation.student.calibration import Calibration, fit_calibration, fold_into
from lstm_training.distillation.student.pretraining import LanguageModel
from lstm_training.distillation.text_key import text_key
from lstm_training.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    TrainingError,
    TrainingInterruptedError,
)
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.state_file import StateFile
from lstm_training.trainer.step_loss import loss_along
from lstm_training.trainer.trainer import LossFunction
from lstm_training.transfer.ensemble import SHORT, Ensemble, fit_ensemble
from lstm_training.transfer.folds import fold_of
from lstm_training.transfer.ngrams import score_all
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from training.conftest import made_up_reviews

CASES = sorted((Path(__file__).parents[1] / "data").glob("*_reviews.csv"))


def jsonl(path: Path, rows: list[tuple[str, int]]) -> str:
    path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in rows))
    return str(path)


# Settings


def test_settings_replace_only_what_they_name(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(
        "seeds = [3, 4, 5]\n[student]\ngain = 1\n[student.optimization]\nepochs = 3\n"
        "[ngrams]\norders = [1, 2]\n"
        '[transformer]\nfolder = "x"\n'
    )
    changed, default = read_config(path), DistillationConfig()
    assert changed.student.optimization.epochs == 3
    assert changed.student.optimization.batch_size == default.student.optimization.batch_size
    assert isinstance(changed.student.gain, float)
    assert changed.ngrams.orders == (1, 2)
    assert changed.seeds == (3, 4, 5)
    assert changed.transformer.folder == "x"
    assert changed.language_model == default.language_model


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[student", "is not TOML"),
        ("[speed]\n", "speed is no setting; there are corpus, "),
        ("student = 3\n", "student is a table of settings, not 3"),
        ('[student]\ngain = "much"\n', "student.gain is 'much'"),
        ("[student.optimization]\nepochs = 2.5\n", "student.optimization.epochs is 2.5"),
        ("[student.optimization]\nepochs = true\n", "student.optimization.epochs is True"),
        ('[ngrams]\norders = [1, "3"]\n', "ngrams.orders is [1, '3']; a value like [1, 3]"),
        ("[ngrams]\norders = [1, 2, 3]\n", "ngrams.orders is [1, 2, 3]"),
        ("[ngrams]\norders = 3\n", "ngrams.orders is 3"),
        ('seeds = ["a"]\n', "seeds is ['a']; a value like [0, 1]"),
        ("seeds = []\n", "s.toml: seeds is empty; name one or more, like [0, 1]"),
        ("seeds = 1979-05-27\n", "seeds is datetime.date(1979, 5, 27)"),
        ("seeds = [0, -1]\n", "s.toml: seeds is (0, -1); it must be at least 0"),
        (
            "[student.optimization]\nepochs = 0\n",
            "s.toml: student.optimization.epochs is 0; it must be at least 1",
        ),
        ("[student]\ngain = nan\n", "student.gain is nan"),
    ],
)
def test_settings_say_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert message in str(caught.value)


# Corpus


def test_corpus_holds_no_test_text_and_no_text_twice(tmp_path: Path) -> None:
    rows = made_up_reviews(60)
    unlabelled = [(f"<br />{text.upper()} ", 0) for text, _ in rows[:2]]  # of the test part
    unlabelled += [(f" {text}", 0) for text, _ in rows[10:12]]  # of the labelled part
    unlabelled += [("New one here. And a second sentence!", 0)] * 2
    config = CorpusConfig(
        labelled=(jsonl(tmp_path / "a.jsonl", rows[:30]), jsonl(tmp_path / "b.jsonl", rows[30:])),
        unlabelled=(jsonl(tmp_path / "u.jsonl", unlabelled),),
        test=(jsonl(tmp_path / "t.jsonl", rows[:4]),),
        holdout=0.25,
    )
    corpus = load_corpus(config)
    learned, held_out = set(corpus.train.texts), set(corpus.held_out.texts)
    assert not learned & held_out
    assert learned | held_out == {text for text, _ in rows[4:]}
    assert corpus.unlabelled == ("New one here. And a second sentence!",)
    assert set(corpus.sentences) == {"New one here.", "And a second sentence!"}
    assert corpus.excluded == 4 + 2
    b = {text for text, _ in rows[30:]}
    for text, source in zip(corpus.held_out.texts, corpus.held_out_sources, strict=True):
        assert (Path(source).name == "b.jsonl") == (text in b)


def test_corpus_needs_a_new_unlabelled_text(tmp_path: Path) -> None:
    source = jsonl(tmp_path / "a.jsonl", made_up_reviews(40))
    with pytest.raises(DataError, match="every unlabelled text"):
        load_corpus(CorpusConfig((source,), (source,), ()))


# Teachers


def test_ngrams_score_training_texts_out_of_fold() -> None:
    reviews = made_up_reviews(200)
    texts = tuple(text for text, _ in reviews)
    right = Examples("right", texts, tuple(label for _, label in reviews))
    scores = score_all(NgramConfig(folds=4), right, {"same": texts})
    truth = torch.tensor(right.labels) == 1
    assert float(((scores["train"] > 0) == truth).float().mean()) > 0.9
    # Labels without sense can be learned by heart only, and out of fold that shows.
    coins = tuple(np.random.default_rng(0).integers(0, 2, 200).tolist())
    scores = score_all(NgramConfig(folds=4), Examples("coins", texts, coins), {"same": texts})
    truth = torch.tensor(coins) == 1
    assert float(((scores["same"] > 0) == truth).float().mean()) > 0.9
    assert float(((scores["train"] > 0) == truth).float().mean()) < 0.65


def test_too_few_texts_for_the_folds_are_refused() -> None:
    few = Examples("few", tuple(f"text {n}" for n in range(8)), (0, 1, 0, 1, 0, 1, 0, 0))
    assert sorted(fold_of(few, 3).tolist()) == [0, 0, 0, 1, 1, 1, 2, 2]
    with pytest.raises(DataError, match="few: a label has 3 texts, too few for 5 folds"):
        score_all(NgramConfig(), few, {})


@pytest.mark.parametrize("word", ["word{}", "…"])
def test_texts_without_a_word_in_common_are_refused(word: str) -> None:
    few = Examples("few", tuple(word.format(n) for n in range(20)), (0, 1) * 10)
    with pytest.raises(DataError, match="few: no word comes in 2 texts"):
        score_all(NgramConfig(), few, {})


def test_ensemble_trusts_the_teacher_that_is_right_on_texts_of_that_length() -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(400) % 2
    sign = labels.float() * 2 - 1
    good, noise = sign * 2, torch.randn(400, generator=generator)
    lengths = torch.where(torch.arange(400) < 200, SHORT, SHORT + 1)
    # The first teacher is good at short texts, the second at long ones.
    short = lengths <= SHORT
    logits = torch.stack([torch.where(short, good, noise), torch.where(short, noise, good)], dim=1)
    ensemble = fit_ensemble(logits, lengths, labels)
    assert ensemble.short[0] > 5 * abs(ensemble.short[1])
    assert ensemble.long[1] > 5 * abs(ensemble.long[0])
    assert bool(((ensemble.probabilities(logits, lengths) > 0.5) == (labels == 1)).all())


def test_ensemble_without_labels_to_learn_from_is_the_mean() -> None:
    ensemble = fit_ensemble(torch.ones(3, 2), torch.tensor([1, 1, 99]), torch.tensor([1, 1, 0]))
    assert ensemble == Ensemble((0.5, 0.5, 0.0), (0.5, 0.5, 0.0))


# Augmentation


def test_generated_texts_mean_what_their_labels_say() -> None:
    said = {one.text: one.stance for one in generate_examples(AugmentationConfig(joined=0.0))}
    assert len(said) > 9_000
    for text, stance in said.items():
        if match := re.fullmatch(
            r"(.*) (?:isn't|is never|is not at all) (bad|good|dull|funny)\.", text
        ):
            assert stance == (match[2] in {"bad", "dull"})
    assert 0.45 < sum(said.values()) / len(said) < 0.55


@pytest.mark.slow
def test_no_generated_text_is_a_text_of_the_tests() -> None:
    asked = {text_key(row["text"]) for path in CASES for row in csv.DictReader(path.open())}
    assert len(asked) > 100
    for seed in range(3):
        augmentation = generate_examples(AugmentationConfig(generated=100_000, seed=seed))
        assert not asked & {text_key(one.text) for one in augmentation}


def test_generated_texts_are_the_same_for_the_same_seed() -> None:
    small = AugmentationConfig(generated=500)
    assert generate_examples(small) == generate_examples(small)
    assert generate_examples(small) != generate_examples(replace(small, seed=1))


def test_no_generated_texts_are_no_error() -> None:
    assert generate_examples(AugmentationConfig(generated=0)) == ()
    assert generate_examples(AugmentationConfig(generated=3, joined=1.0)) == ()


def test_joined_texts_say_one_thing() -> None:
    config = AugmentationConfig(generated=2_000, joined=0.5)
    augmentation = generate_examples(config)
    single = {one.text: one.stance for one in augmentation[:-1_000]}
    for one in augmentation[-1_000:]:
        parts = [(one.text[:n], one.text[n + 1 :]) for n, c in enumerate(one.text) if c == " "]
        assert any(single.get(a) == single.get(b) == one.stance for a, b in parts), one.text


@pytest.mark.parametrize("text", ["Not bad.", "It isn't.", "long BUT good", "no", "Never!"])
def test_sentences_that_turn_are_told(text: str) -> None:
    assert has_valence_shifter(text)


@pytest.mark.parametrize("text", ["Nothingness is a notable button.", "good", "", "knot"])
def test_sentences_that_do_not_turn_are_told(text: str) -> None:
    assert not has_valence_shifter(text)


# Student


def batch_of(lengths: list[int], width: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(2, 20, (len(lengths), width), generator=generator, dtype=torch.int32)
    return Batch(ids, torch.tensor(lengths), torch.rand(len(lengths), generator=generator))


def small_model() -> SentimentRNN:
    torch.manual_seed(0)
    return SentimentRNN.from_config(ModelConfig(20, embedding_dim=8, hidden_dim=8)).eval()


def test_loss_along_is_the_loss_of_the_last_step_when_there_is_no_gain() -> None:
    model, batch = small_model(), batch_of([3, 7, 1], 7)
    expected = binary_cross_entropy_with_logits(
        model.logits(batch.ids, batch.lengths)[:, 0], batch.labels
    )
    torch.testing.assert_close(loss_along(model, batch, 0.0), expected)


def test_loss_along_weighs_the_steps_by_their_place() -> None:
    model, batch = small_model(), batch_of([3], 3)
    steps = model.trajectory(batch.ids)[0][0, :, 0]
    losses = binary_cross_entropy_with_logits(steps, batch.labels.expand(3), reduction="none")
    expected = losses[2] + 0.5 * (1 * losses[0] + 2 * losses[1] + 3 * losses[2]) / 6
    torch.testing.assert_close(loss_along(model, batch, 0.5), expected)


def test_loss_along_does_not_see_padding() -> None:
    model, batch = small_model(), batch_of([3, 5], 9)
    cut = Batch(batch.ids[:, :5], batch.lengths, batch.labels)
    torch.testing.assert_close(loss_along(model, batch, 0.3), loss_along(model, cut, 0.3))


@pytest.mark.parametrize("cutoffs", [[], [10_000, 20_000], [8, 3, 8]])
def test_any_vocabulary_and_texts_of_a_word_can_be_pretrained_on(cutoffs: list[int]) -> None:
    language = LanguageModel(small_model(), cutoffs)
    loss = language(torch.tensor([[2], [3]]), torch.tensor([1, 1]))
    loss.backward()
    assert loss == 0, "no word follows"
    assert language(torch.tensor([[2, 3, 4]]), torch.tensor([3])) > 0


def test_language_model_does_not_see_padding_nor_the_word_it_predicts() -> None:
    language = LanguageModel(small_model(), [10]).eval()
    ids, lengths = batch_of([4, 6], 8).ids, torch.tensor([4, 6])
    other = ids.clone()
    other[0, 4:] = 7
    torch.testing.assert_close(language(ids, lengths), language(other, lengths))
    steps, _ = language.model.lstm(language.model.embedding(ids[:1, :3]))
    expected = language.softmax(steps[0], ids[0, 1:4].long()).loss
    torch.testing.assert_close(language(ids[:1, :4], torch.tensor([4])), expected)


@given(st.floats(0.25, 4.0), st.floats(-2.0, 2.0))
def test_calibration_undoes_a_wrong_scale_and_shift(scale: float, shift: float) -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(4000, generator=generator) * 2
    labels = (torch.rand(4000, generator=generator) < honest.sigmoid()).float()
    found = fit_calibration(honest * scale + shift, labels)
    # 4,000 coins do not fall exactly as they should.
    assert found.scale * scale == pytest.approx(1.0, abs=0.15)
    assert found.scale * shift + found.shift == pytest.approx(0.0, abs=0.15)


def test_probabilities_of_one_are_calibrated_too() -> None:
    logits = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0]).logit()
    found = fit_calibration(logits, torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0, 1.0]))
    assert 0 < found.scale < 0.1, "one in three is wrong"


def test_calibration_of_logits_that_part_the_labels_is_bounded() -> None:
    labels = torch.tensor([0.0, 1.0]).repeat(50)
    found = fit_calibration(2 * labels - 1, labels)
    # The most that 50 texts of a label can say is 51 of 52.
    assert found.scale == pytest.approx(math.log(51), rel=0.02)
    assert found.shift == pytest.approx(0, abs=0.02)


def test_folded_calibration_changes_the_logits() -> None:
    model, batch = small_model(), batch_of([3, 7], 7)
    before = model.logits(batch.ids, batch.lengths)
    fold_into(Calibration(0.4, -0.1), model)
    torch.testing.assert_close(model.logits(batch.ids, batch.lengths), 0.4 * before - 0.1)


# Training and stages


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))


def fit_network(module: nn.Module, loss_fn: LossFunction, path: Path, inputs: str = "a") -> None:
    state_file = StageCache(path.parent).state_file(path.name.removesuffix(PART), {"in": [inputs]})
    fit_stage(module, loss_fn, [5] * 40, OptimizationConfig(3, 4, 1e-2), state_file)


def test_interrupted_training_comes_to_the_same_weights(tmp_path: Path) -> None:
    data = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    calls = 0

    def train(path: Path, stop_at: int | None) -> nn.Module:
        nonlocal calls
        calls = 0

        def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
            nonlocal calls
            calls += 1
            if calls == stop_at:
                os.kill(os.getpid(), signal.SIGINT)
            return ((module(data[positions])[:, 0] - data[positions, 0]) ** 2).mean()

        module = network()
        fit_network(module, loss_fn, path)
        return module

    whole = train(tmp_path / "a.part.pt", None)
    assert calls == 30
    with pytest.raises(TrainingInterruptedError, match="b: stopped in epoch 2 of 3, after batch 3"):
        train(tmp_path / "b.part.pt", 13)
    resumed = train(tmp_path / "b.part.pt", None)
    assert calls == 17
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name])


def test_training_goes_on_only_from_a_state_of_its_inputs(tmp_path: Path) -> None:
    path, calls = tmp_path / "one.part.pt", []

    def train(inputs: str) -> None:
        calls.clear()

        def loss_fn(module: nn.Module, positions: list[int]) -> Tensor:
            calls.append(positions)
            return torch.as_tensor(module(torch.ones(len(positions), 4)).sum())

        fit_network(network(), loss_fn, path, inputs)

    train("a")
    assert len(calls) == 30
    train("a")
    assert not calls
    message = (
        r"one\.part\.pt is from another run: in\.0 was 'a', is 'other'; .* or remove .*part\.pt"
    )
    with pytest.raises(TrainingError, match=message):
        train("other")
    path.unlink()
    train("other")
    assert len(calls) == 30


def test_state_of_a_stage_that_is_damaged_or_foreign_is_named(tmp_path: Path) -> None:
    part = StageCache(tmp_path).state_file("one", {})
    for content in (b"", b"PK\x03\x04 cut"):
        part.path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"one\.part\.pt"):
            part.load()
    for foreign in ([1], {"inputs": "digest", "state": {}}):
        torch.save(foreign, part.path)
        with pytest.raises(CheckpointError, match=r"one\.part\.pt is not the state .* remove "):
            part.load()


def test_stage_is_made_once_for_equal_inputs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    cache, made = StageCache(tmp_path), iter(range(10))

    def stage(inputs: dict[str, int]) -> object:
        return cache.stage("one", inputs, lambda _part: {"number": next(made)}).content["number"]

    assert [stage({"a": 1}), stage({"a": 1}), stage({"a": 2}), stage({"a": 2})] == [0, 0, 1, 1]
    assert any("other inputs" in line for line in caplog.messages)


def test_state_is_there_until_the_result_is(tmp_path: Path) -> None:
    cache, seen = StageCache(tmp_path), []

    def work(part: StateFile) -> dict[str, int]:
        seen.append(part.load() if part.exists() else None)
        part.save({"done": 3})
        if len(seen) < 2:
            raise KeyboardInterrupt
        return {"number": 7}

    with pytest.raises(KeyboardInterrupt):
        cache.stage("one", {"a": 1}, work)
    assert cache.stage("one", {"a": 1}, work).content == {"number": 7}
    assert seen == [None, {"done": 3}]
    assert [path.name for path in tmp_path.iterdir()] == ["one.pt"]


def test_stage_refuses_a_damaged_output(tmp_path: Path) -> None:
    cache = StageCache(tmp_path)
    (tmp_path / "one.pt").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(CheckpointError, match=r"one\.pt"):
        cache.stage("one", {}, lambda _part: {})
    torch.save([1], tmp_path / "one.pt")
    with pytest.raises(CheckpointError, match=r"one\.pt"):
        cache.stage("one", {}, lambda _part: {})
