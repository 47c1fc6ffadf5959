"""The measures of `lstm-evaluate`, by hand and against each other."""

import itertools
import json
import math
from pathlib import Path

import pytest
import torch
from foreign_models import LastStepBidirectional, MeanPooled, trained_like
from hypothesis import given
from hypothesis import strategies as st
from lstm_export import ArchitectureHints
from lstm_export.api import export
from lstm_export.checkpoint.source import load_source
from lstm_export.pipeline import ExportConfig, export_source
from lstm_runtime.model import SentimentModel
from lstm_runtime.text.tokenizer import Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.checkpoint import Checkpoint, save_checkpoint
from lstm_training.data.examples import Examples
from lstm_training.data.scheme import LabelScheme
from lstm_training.errors import CheckpointError, EvaluationError
from lstm_training.evaluation.evaluate import evaluate
from lstm_training.evaluation.evaluator import (
    Evaluation,
    LengthBucket,
    align_labels,
    evaluate_predictions,
    length_buckets,
    wilson_interval,
)
from lstm_training.evaluation.load import open_model
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions, TextStats
from lstm_training.evaluation.report import to_json, write_evaluation
from lstm_training.model import ModelConfig, SentimentRNN

MODEL = EvaluatedModel("m.onnx", "onnx", "fp32", "CPU", ("bad", "good"), threshold=0.5)
TEXTS = ("fine", "dull", "?", "great")


def answers(
    probabilities: list[float], lengths: tuple[int, ...] | None = None, threshold: float = 0.5
) -> Predictions:
    found = torch.tensor(probabilities)
    sizes = lengths or (1,) * len(probabilities)
    return Predictions(found, found >= threshold, TextStats(sizes, (True,) * len(sizes)))


def measured(
    labels: tuple[int, ...], probabilities: list[float], lengths: tuple[int, ...] | None = None
) -> Evaluation:
    texts = tuple(f"text {n}" for n in range(len(labels)))
    examples = Examples("texts", texts, labels, MODEL.labels)
    return evaluate_predictions(MODEL, examples, answers(probabilities, lengths))


def test_the_measures_of_four_texts_are_those_of_a_hand() -> None:
    found = measured((1, 1, 0, 0), [0.9, 0.2, 0.7, 0.1], (10, 11, 50, 5000))
    assert found.confusion.rows == ((1, 1), (1, 1))
    assert found.accuracy == found.f1 == 0.5
    assert found.auroc == pytest.approx(3 / 4)
    assert found.log_loss == pytest.approx(-sum(map(math.log, (0.9, 0.2, 0.3, 0.9))) / 4)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.49 + 0.01) / 4)
    assert found.ece == pytest.approx((0.1 + 0.8 + 0.7 + 0.1) / 4)  # each is alone in its bin
    assert found.lengths == (
        LengthBucket(1, 10, 1, 1), LengthBucket(11, 50, 2, 0), LengthBucket(401, None, 1, 1),
    )  # fmt: skip
    assert [bucket.name for bucket in found.lengths] == ["1-10", "11-50", "401+"]
    shown = [(m.number, m.label, m.answer, round(m.probability, 3)) for m in found.mistakes]
    assert shown == [(2, "good", "bad", 0.8), (3, "bad", "good", 0.7)]
    low, high = found.interval  # the textbook's (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1+z²/n)
    assert (low, high) == (pytest.approx(0.15004, abs=1e-5), pytest.approx(0.84996, abs=1e-5))


def test_the_models_own_rule_decides() -> None:
    examples = Examples("texts", ("a", "b"), (0, 1), MODEL.labels)
    found = evaluate_predictions(MODEL, examples, answers([0.7, 0.8], threshold=0.75))
    assert found.accuracy == 1.0


def test_texts_of_one_label_have_an_accuracy_and_no_auroc(recwarn: pytest.WarningsRecorder) -> None:
    found = measured((0, 0), [0.1, 0.2])
    assert (found.accuracy, found.auroc, found.f1) == (1.0, None, None)
    assert measured((1, 1), [0.1, 0.9]).f1 == pytest.approx(2 / 3)
    assert json.loads(to_json(found, 5))["auroc"] is None
    assert not recwarn.list


def test_sure_and_wrong_answers_stay_finite() -> None:
    found = measured((0, 1, 0), [1.0, 0.0, 0.0])
    assert found.log_loss == pytest.approx(200 / 3)
    assert json.loads(to_json(found, 1))["mistakes"][0]["probability"] == 1.0


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(EvaluationError, match="answer to 1 texts is not a number"):
        answers([0.5, float("nan")])


labelled = st.lists(st.tuples(st.integers(1, 900), st.booleans()), max_size=50)


@given(labelled)
def test_every_text_is_in_one_bucket(texts: list[tuple[int, bool]]) -> None:
    lengths, right = [n for n, _ in texts], [ok for _, ok in texts]
    buckets = length_buckets(lengths, right)
    assert sum(bucket.texts for bucket in buckets) == len(texts)
    assert sum(bucket.right for bucket in buckets) == sum(right)
    assert all(bucket.texts for bucket in buckets)
    ends = [(bucket.shortest, bucket.longest or math.inf) for bucket in buckets]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))
    assert all(any(a <= n <= b for a, b in ends) for n in lengths)


@given(st.integers(1, 10**6), st.data())
def test_an_interval_lies_within_0_and_1_and_holds_the_accuracy(
    texts: int, data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, texts))
    low, high = wilson_interval(right, texts)
    assert 0 <= low <= right / texts <= high <= 1
    assert low < high


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=1, max_size=30))
def test_measures_agree_with_each_other(rows: list[tuple[int, float]]) -> None:
    labels, probabilities = zip(*rows, strict=True)
    found = measured(labels, list(probabilities))
    assert found.texts == len(rows)
    assert found.accuracy == pytest.approx(1 - len(found.mistakes) / len(rows))
    assert [m.probability for m in found.mistakes] == sorted(
        (m.probability for m in found.mistakes), reverse=True
    )
    assert 0 <= found.brier <= 1
    assert (found.auroc is None) == (len(set(labels)) == 1)
    json.loads(to_json(found, 3), parse_constant=pytest.fail)


def test_lengths_count_every_token_and_words_are_those_of_the_vocabulary() -> None:
    texts = ("good film!", "…", "never seen", "GOOD")
    stats = TextStats.of(texts, Tokenizer(), {"good"})
    assert stats == TextStats((3, 1, 2, 1), (True, False, False, True))


def test_labels_take_the_sense_of_the_models_names() -> None:
    examples = Examples("texts", ("a", "b", "c"), (0, 1, 1), ("negative", "positive"))
    turned = EvaluatedModel("m", "onnx", "fp32", "CPU", ("positive", "negative"), 0.5)
    assert align_labels(turned, examples, LabelScheme()).labels == (1, 0, 0)
    assert align_labels(MODEL, examples, LabelScheme()).labels == (0, 1, 1)
    own = LabelScheme(("Good", "Bad"))
    assert align_labels(MODEL, examples, own).labels == (1, 0, 0)
    assert align_labels(MODEL, examples, own).label_names == ("bad", "good")


def test_texts_that_the_model_was_made_from_are_recognised() -> None:
    examples = Examples("texts", TEXTS, (1, 0, 0, 1), MODEL.labels)
    seen = EvaluatedModel("m", "onnx", "fp32", "CPU", MODEL.labels, 0.5, examples.sha256())
    assert evaluate_predictions(seen, examples, answers([0.9, 0.1, 0.1, 0.9])).seen
    assert not evaluate_predictions(MODEL, examples, answers([0.9, 0.1, 0.1, 0.9])).seen


def test_a_checkpoint_and_its_fp32_file_measure_alike(
    checkpoint_file: Path, model_files: dict[str, Path]
) -> None:
    texts = tuple(f"the film was {word}" for word in ("good", "bad", "?", "unheard", "word7"))
    examples = Examples("texts", (*texts, "", "…", "good " * 60), (1, 0, 0, 1, 0, 1, 0, 1))
    found = []
    for path in (checkpoint_file, model_files["fp32"]):
        predictor = open_model(str(path))
        given = align_labels(predictor.model, examples, LabelScheme())
        found.append(evaluate_predictions(predictor.model, given, predictor.predict(given.texts)))
    ours, theirs = found
    assert (ours.model.kind, theirs.model.kind) == ("checkpoint", "onnx")
    assert (ours.confusion, ours.lengths, ours.unread) == (
        theirs.confusion, theirs.lengths, theirs.unread,
    )  # fmt: skip
    assert ours.unread == 2
    for name in ("accuracy", "f1", "auroc", "log_loss", "ece", "brier"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-5)
    assert [m.number for m in ours.mistakes] == [m.number for m in theirs.mistakes]


def test_names_with_dollars_and_brackets_are_drawn_as_they_are(tmp_path: Path) -> None:
    model = EvaluatedModel("m", "onnx", "fp32", "CPU", (r"$\bad$", "[red]good"), 0.5)
    examples = Examples("$x$", TEXTS, (1, 0, 0, 1), model.labels)
    given = answers([0.9, 0.1, 0.1, 0.2])
    files = write_evaluation(evaluate_predictions(model, examples, given), 1, tmp_path)
    assert sorted(files) == sorted(tmp_path.iterdir())


def test_examples_in_memory_are_measured_in_their_own_sense(checkpoint_file: Path) -> None:
    examples = Examples("mine", ("good film", "bad film", "?"), (0, 1, 1), ("positive", "negative"))
    found = evaluate(checkpoint_file, examples)
    assert found.examples.labels == (1, 0, 0)
    assert found.model.labels == ("negative", "positive")
    assert found.texts == len(found.predictions.probabilities) == 3


class TwoSigmoids(LastStepBidirectional):
    """Two labels that a text may both have."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(ids).sigmoid()


def exported(network: torch.nn.Module, labels: tuple[str, ...], folder: Path, **options) -> Path:
    folder.mkdir(exist_ok=True)
    words = folder / "words.txt"
    words.write_text("\n".join(["<pad>", "<unk>", *(f"w{n}" for n in range(298))]))
    config = ExportConfig(("fp32",), **options)
    export(network, folder, vocabulary=words, labels=labels, config=config)
    return folder / "model.onnx"


@pytest.mark.parametrize("interface", ["text", "ids"])
def test_the_second_of_two_classes_is_measured(tmp_path: Path, interface: str) -> None:
    network = trained_like(LastStepBidirectional())
    with torch.no_grad():  # so that either class gets some of the texts
        network.linear.bias -= network(torch.randint(2, 300, (99, 3))).mean(dim=0)
    path = exported(network, ("bad", "good"), tmp_path, interface=interface)
    texts = (*(f"w{n} w{7 * n} w{3 * n}" for n in range(40)), "unheard of")
    predictor = open_model(str(path))
    found = predictor.predict(texts)
    scores = SentimentModel.load(path)(texts)
    assert found.probabilities.tolist() == pytest.approx([one.scores["good"] for one in scores])
    assert found.guesses.tolist() == [one.label == "good" for one in scores]
    assert {*found.guesses.tolist()} == {True, False}
    assert found.stats.known == (True,) * 40 + (False,)
    assert (predictor.model.labels, predictor.model.threshold) == (("bad", "good"), 0.5)


def test_texts_of_other_labels_and_free_ones_are_refused(tmp_path: Path) -> None:
    five = exported(trained_like(MeanPooled()), ("a", "b", "c", "d", "e"), tmp_path / "five")
    two = Examples("two", ("w1", "w2"), (0, 1), ("bad", "good"))
    with pytest.raises(EvaluationError, match=r"tells 5 labels apart \(a, b, c, d, e\), two has 2"):
        evaluate(five, two)
    free = exported(trained_like(TwoSigmoids()), ("a", "b"), tmp_path / "free")
    with pytest.raises(EvaluationError, match="do not add up to 1"):
        open_model(str(free)).predict(("w1 w2", "w9"))


def saved(path: Path, labels: tuple[str, ...] = ("bad", "good"), outputs: int = 1) -> Path:
    config = ModelConfig(4, output_size=outputs, embedding_dim=4, hidden_dim=4, n_layers=1)
    words = Vocabulary(("<pad>", "<unk>", "good", "bad"))
    weights = SentimentRNN.from_config(config).state_dict()
    save_checkpoint(Checkpoint(config, weights, words, labels=labels), path)
    return path


def test_a_checkpoint_whose_labels_do_not_fit_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.pt", ("a", "b", "c"), outputs=3)
    assert open_model(str(path)).model.labels == ("a", "b", "c")
    with pytest.raises(CheckpointError, match="2 labels for 3 logits"):
        open_model(str(saved(tmp_path / "odd.pt", ("a", "b"), outputs=3)))
    with pytest.raises(EvaluationError, match="--provider is for"):
        open_model(str(path), "cpu")


def test_a_file_without_words_is_refused(checkpoint_file: Path, tmp_path: Path) -> None:
    torch.save(torch.load(checkpoint_file, weights_only=True)["state_dict"], tmp_path / "w.pt")
    source = load_source(tmp_path / "w.pt", ArchitectureHints("last"))
    list(export_source(source, tmp_path, ExportConfig(("fp32",))))
    with pytest.raises(EvaluationError, match="lstm-export --vocab FILE"):
        open_model(str(tmp_path / "model.onnx"))
    with pytest.raises(CheckpointError, match="of it with lstm-export"):
        open_model(str(tmp_path / "w.pt"))
