"""Labels of the user's own: their names, their number, how they are measured and carried along."""

import csv
import json
import logging
import random
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lstm_export import ExportConfig, export
from lstm_runtime.model import SentimentModel
from lstm_training.api import train
from lstm_training.checkpoint import load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples, collect
from lstm_training.data.labels import parse_label_map, parse_names, plain_label, ratings
from lstm_training.data.prepare import prepare
from lstm_training.data.scheme import LabelledRow, LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.split import split, stratified
from lstm_training.errors import ConfigError, DataError, EvaluationError
from lstm_training.evaluation.confusion import Confusion
from lstm_training.evaluation.evaluate import evaluate
from lstm_training.evaluation.evaluator import evaluate_predictions
from lstm_training.evaluation.metrics import (
    area_under_roc,
    brier_score,
    compute_metrics,
    mean_absolute_error,
)
from lstm_training.evaluation.plots import confusion as confusion_plot
from lstm_training.evaluation.plots import reliability, save
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions, TextStats
from lstm_training.evaluation.report import tables, write_evaluation
from lstm_training.evaluation.threshold import Aim, fit_threshold
from lstm_training.model import LabelRNN, ModelConfig, SentimentRNN
from lstm_training.trainer.losses import balanced_weights, label_losses
from rich.console import Console
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

Run = Callable[..., "subprocess.CompletedProcess[str]"]

THREE = ("negative", "neutral", "positive")
MARKS = (("bad", "poor"), ("average", "ordinary"), ("good", "great"))


def made_up(count: int, values: tuple[object, ...] = (0, 1, 2)) -> list[tuple[str, object]]:
    """Return texts of one of some labels, which is in one of their words."""
    source = random.Random(0)
    marks = MARKS if len(values) == 3 else (MARKS[0], MARKS[2])
    rows = []
    for n in range(count):
        label = n % len(values)
        words = [f"word{source.randrange(30)}" for _ in range(source.randint(3, 9))]
        words.insert(source.randrange(len(words)), source.choice(marks[label]))
        rows.append((f"{' '.join(words)} number{n}", values[label]))
    return rows


def written(path: Path, rows: list[tuple[str, object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def test_names_and_maps_are_read_or_refused() -> None:
    assert parse_names("-1, 1") == ("-1", "1")
    assert parse_label_map("1,2=bad '3=so so' 4,5=good") == (
        ("1", "bad"), ("2", "bad"), ("3", "so so"), ("4", "good"), ("5", "good"),
    )  # fmt: skip
    assert parse_names('"bad, awful", "good, nice"') == ("bad, awful", "good, nice")
    assert parse_label_map("'bad, awful',b=\"x, y\" 'a=b'=z") == (
        ("bad, awful", "x, y"), ("b", "x, y"), ("a=b", "z"),
    )  # fmt: skip
    doubled = """"a ""b"", c"=d \'e""f\'=g"""
    assert parse_label_map(doubled) == (('a "b", c', "d"), ('e""f', "g"))
    for names in ("one", "a,A", "a,,b", "1,1.0"):
        with pytest.raises(ConfigError, match="two different values"):
            parse_names(names)
    with pytest.raises(ConfigError, match="new-line character"):
        parse_names("a\rb,c")
    for text in ("1=a", "1,2", "1=a 1.0=b", "=a 2=b", "1= 2=b", "1='a 2=b"):
        with pytest.raises(ConfigError):
            parse_label_map(text)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1.0, "1"),
        ("1.0", "1"),
        (" Neg ", "neg"),
        ("1.5", "1.5"),
        (True, "true"),
        ("Nicht scho\u0308n", "nicht sch\xf6n"),
    ],
)
def test_a_value_is_a_plain_word(value: object, plain: str) -> None:
    assert plain_label(value) == plain


@pytest.mark.parametrize("value", [None, "", " ", float("nan")])
def test_a_blank_label_is_a_missing_one(value: object) -> None:
    with pytest.raises(DataError, match=r"row 3: the label is missing$"):
        collect("e", [LabelledRow("row 3", "a text", value)], LabelScheme())


def test_ratings_are_rising_numbers() -> None:
    assert ratings(("1", "2.5", "10")) == (1.0, 2.5, 10.0)
    assert ratings(("1", "2")) is ratings(THREE) is ratings(("3", "2", "1")) is None


def test_names_of_ones_own_may_be_usual_words_in_another_sense() -> None:
    for names in (("0", "4"), ("-1", "1"), ("1", "2", "3")):
        scheme = LabelScheme(others=names)
        assert scheme.label_names == names
        assert [scheme._accepted()[name] for name in names] == list(range(len(names)))
        assert "negative" not in scheme._accepted()
    assert LabelScheme(others=("bad", "good")).label_names == ("negative", "positive")


def test_classes_find_the_models_by_name_or_else_by_order() -> None:
    scheme = LabelScheme(("Positive", "neutral", "negative"))
    assert scheme.places_in(THREE) == (2, 1, 0)
    assert scheme.places_in(("a", "b", "c")) == (0, 1, 2)
    stars = LabelScheme(values=(("1", "negative"), ("5", "positive"), ("3", "neutral")))
    assert stars.label_names == ("negative", "positive", "neutral")
    assert stars.places_in(THREE) == (0, 2, 1)
    with pytest.raises(DataError, match="differ in: good, neutral"):
        LabelScheme(("bad", "good"), values=(("1", "bad"), ("3", "neutral")))


def test_an_unknown_label_is_told_with_all_that_there_are(tmp_path: Path) -> None:
    path = written(tmp_path / "stars.csv", [("a", 1), ("b", 3), ("c", 3), ("d", 5)])
    with pytest.raises(DataError) as caught:
        load_examples(str(path))
    assert "line 3" in str(caught.value)
    assert "the column holds '1' (1), '3' (2), '5' (1)" in str(caught.value)
    found = load_examples(str(path), scheme=LabelScheme(("1", "3", "5")))
    assert (found.labels, found.counts) == ((0, 1, 1, 2), (1, 2, 1))
    many = written(tmp_path / "many.csv", [("a", f"v{n}") for n in range(40)])
    with pytest.raises(DataError, match="more than 12 different values: is --label-column the"):
        load_examples(str(many))
    names = LabelScheme(tuple(f"n{n}" for n in range(40)))
    with pytest.raises(DataError, match=r"accepted: n0 or .* or n11 … "):
        load_examples(str(many), scheme=names)


def test_folders_of_three_labels_are_read(tmp_path: Path) -> None:
    for name in ("1", "2", "3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"text {name}", encoding="utf-8")
    scheme = LabelScheme(values=(("1", "low"), ("2", "low"), ("3", "high")))
    assert load_examples(str(tmp_path), scheme=scheme).labels == (0, 0, 1)


@given(st.lists(st.integers(2, 30), min_size=2, max_size=6), st.floats(0.01, 0.99), st.data())
def test_every_label_is_on_either_side_of_a_split(
    counts: list[int], holdout: float, data: st.DataObject
) -> None:
    labels = [n for n, count in enumerate(counts) for _ in range(count)]
    labels = data.draw(st.permutations(labels))
    texts = tuple(f"t{n}" for n in range(len(labels)))
    examples = Examples("e", texts, tuple(labels), tuple("abcdef"[: len(counts)]))
    kept, held_out = split(examples, holdout, 0)
    assert min(kept.counts) > 0 and min(held_out.counts) > 0
    assert sorted(kept.texts + held_out.texts) == sorted(texts)


def test_too_few_texts_for_the_labels_are_refused() -> None:
    rows = made_up(30)
    texts, labels = zip(*rows, strict=True)
    examples = Examples("e", texts, labels, THREE)
    with pytest.raises(DataError, match="2 texts are too few for 3 labels"):
        stratified(examples, 2, 0)
    with pytest.raises(DataError, match="no text with the label neutral"):
        prepare(replace(examples, labels=tuple(2 * (n > 0) for n in labels)), TrainingConfig())


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_measures_of_labels_are_those_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, given_ = (torch.tensor(column) for column in zip(*pairs, strict=True))
    confusion = Confusion.count(given_, truth.float(), 4)
    there = sorted({*truth.tolist(), *given_.tolist()})
    options = {"labels": there, "average": None, "zero_division": 0}
    assert confusion.accuracy == pytest.approx(accuracy_score(truth, given_))
    assert confusion.macro_f1 == pytest.approx(
        f1_score(truth, given_, labels=there, average="macro")
    )
    for name, measure in (("precision", precision_score), ("recall", recall_score)):
        ours = [getattr(confusion.measures("abcd")[n], name) or 0.0 for n in there]
        assert ours == pytest.approx(measure(truth, given_, **options).tolist())


def test_one_answer_is_noticed() -> None:
    assert Confusion(((0, 3, 0), (0, 2, 0), (0, 1, 0))).one_answer == 1
    assert Confusion(((0, 3), (0, 0))).one_answer is None  # the texts have one label too
    assert Confusion(((1, 3), (0, 2))).one_answer is None


def test_the_measures_of_three_labels_are_those_of_a_hand() -> None:
    scores = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    labels = torch.tensor([0.0, 1.0, 2.0, 2.0])
    found = compute_metrics(scores, labels)
    assert found.accuracy == 0.75
    assert found.loss == pytest.approx(-sum(map(torch.log, torch.tensor([0.7, 0.5, 0.5, 0.1]))) / 4)
    assert found.ece == pytest.approx((0.3 + 0.5 + 0.5 + 0.6) / 4, abs=0.16)
    assert brier_score(scores[:1], labels[:1]) == pytest.approx(0.09 + 0.04 + 0.01)
    assert area_under_roc(scores, labels) == pytest.approx((1 + 1 + 0.625) / 3, abs=1e-6)
    assert mean_absolute_error(torch.tensor([0, 2]), torch.tensor([2.0, 2.0]), (1, 2, 5)) == 2.0


def test_a_threshold_is_where_the_measure_is_best() -> None:
    scores = torch.tensor([0.1, 0.2, 0.3, 0.35, 0.4])
    labels = torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0])
    for aim in ("accuracy", "f1"):
        threshold = fit_threshold(scores, labels, aim)
        assert ((scores >= threshold) == (labels > 0)).all()
        assert threshold == pytest.approx(0.25)
    # Rare ones: accuracy is best with none of them, F1 is not.
    scores, labels = torch.tensor([0.1] * 8 + [0.3] * 3), torch.tensor([0.0] * 10 + [1.0])
    assert fit_threshold(scores, labels, "accuracy") == 0.5
    assert fit_threshold(scores, labels, "f1") == pytest.approx(0.2)


@given(
    st.lists(st.tuples(st.floats(0, 1, width=16), st.integers(0, 1)), min_size=1, max_size=25),
    st.sampled_from(["accuracy", "f1"]),
)
def test_no_other_threshold_is_better(rows: list[tuple[float, int]], aim: Aim) -> None:
    scores, labels = (torch.tensor(column) for column in zip(*rows, strict=True))

    def measure(threshold: float) -> float:
        confusion = Confusion.count(scores >= threshold, labels)
        parts = [one.f1 or 0.0 for one in confusion.measures("ab")]
        return confusion.accuracy if aim == "accuracy" else sum(parts)

    best = measure(fit_threshold(scores, labels, aim))
    assert best >= max(measure(n / 64) for n in range(1, 64)) - 1e-9


def test_balanced_labels_weigh_the_same() -> None:
    labels = torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0, 2.0])
    weights = balanced_weights(labels, 3)[labels.long()]
    assert [float(weights[labels == n].sum()) for n in range(3)] == pytest.approx([2, 2, 2])


def test_names_are_drawn_as_they_are_and_many_as_colours(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    names = ("m" * 300, "$\\frac$", "坏", "_x")
    picture = confusion_plot(Confusion(((1, 0, 0, 0),) * 4), names, "t")
    save(picture, tmp_path / "c.png")
    save(reliability(torch.tensor([0.2, 0.9]), torch.tensor([0.0, 1.0]), names[:2]), tmp_path / "r")
    assert not recwarn.list
    ticks = [tick.get_text() for tick in picture.axes[0].get_xticklabels()]
    assert ticks == ["m" * 23 + "…", r"\$\frac\$", "坏", "x"]
    assert len(picture.axes[0].texts) == 16
    many = confusion_plot(Confusion(((1,) * 400,) * 400), tuple(map(str, range(400))), "t")
    assert many.get_figwidth() <= 16 and not many.axes[0].texts


def test_of_many_labels_those_are_shown_that_are_mixed_up(examples: Examples) -> None:
    model = EvaluatedModel("m", "onnx", "fp32", "cpu", tuple(f"n{n}" for n in range(40)), 0.5)
    few = examples.select(range(4))
    scores = torch.eye(40)[[3, 3, 2, 1]]
    stats = TextStats((1, 1, 1, 1), (True,) * 4)
    answers = Predictions(scores, scores.argmax(dim=1), stats)
    found = evaluate_predictions(model, replace(few, labels=(5, 5, 7, 1)), answers)
    console = Console(width=80)
    with console.capture() as printed:
        console.print(*tables(found, 0))
    shown = re.sub(" +", " ", printed.get())
    assert "n5 n3 2" in shown and "n7 n2 1" in shown and "n1 n1" not in shown
    assert "called n39" not in shown


def test_one_logit_and_two_have_the_same_loss() -> None:
    logits, labels = torch.randn(7, 1), torch.tensor([0.0, 1, 1, 0, 1, 0, 0])
    both = torch.cat([torch.zeros(7, 1), logits], dim=1)
    assert torch.allclose(label_losses(logits, labels), label_losses(both, labels), atol=1e-6)


def test_a_network_of_several_logits_gives_each_a_probability() -> None:
    model = SentimentRNN.from_config(ModelConfig(9, 3, 4, 4, 1)).eval()
    found, _ = model(torch.tensor([[1, 2], [3, 4]]), model.init_hidden(2))
    assert isinstance(model, LabelRNN)
    assert found.shape == (2, 3) and torch.allclose(found.sum(1), torch.ones(2))


@pytest.fixture(scope="module")
def three(tiny: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train on three labels, and return the folder."""
    folder = tmp_path_factory.mktemp("three")
    path = written(folder / "three.csv", made_up(240, THREE))
    examples = load_examples(str(path), scheme=LabelScheme(THREE))
    train(replace(tiny, epochs=6, class_weight="balanced", gain=0.3), examples, folder)
    return folder


def test_three_labels_are_learned_and_measured(three: Path, tmp_path: Path) -> None:
    found = evaluate(three / "model.pt", three / "three.csv")
    assert found.model.labels == THREE
    assert found.accuracy > 0.8 and found.seen
    assert found.mean_absolute_error is None
    assert [one.texts for one in found.labels] == [80, 80, 80]
    report = json.loads((three / "metrics.json").read_text())
    assert len(report["confusion"]["rows"]) == 3
    assert [one["label"] for one in report["labels"]] == list(THREE)
    assert len(write_evaluation(found, 3, tmp_path)) == 5


def test_a_file_of_three_labels_answers_as_the_checkpoint(three: Path, tmp_path: Path) -> None:
    results = export(three / "model.pt", tmp_path, data=three / "three.csv")
    ours = evaluate(three / "model.pt", three / "three.csv")
    for result in results[1:]:
        theirs = evaluate(str(result.path), str(three / "three.csv"))
        assert result.accuracy == (ours.accuracy, theirs.accuracy)
        assert theirs.macro_f1 == pytest.approx(ours.macro_f1, abs=0.03)
    scores = SentimentModel.load(tmp_path / "model.int8.onnx")("a great film").scores
    assert tuple(scores) == THREE
    assert sum(scores.values()) == pytest.approx(1, abs=1e-5)


def test_three_labels_fill_tables_and_are_traced(three: Path, run: Run, tmp_path: Path) -> None:
    export(three / "model.pt", tmp_path, config=ExportConfig(("int8",)))
    file, rows = str(tmp_path / "model.int8.onnx"), made_up(30)
    table = written(tmp_path / "in.csv", rows)
    done = run("lstm-run", "--model", file, "--input", str(table), "--output",
               str(tmp_path / "out.csv"), "--prefix", "found_")  # fmt: skip
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out.csv").open(newline="") as found:
        answers = list(csv.DictReader(found))
    model = SentimentModel.load(file)
    for (text, _), row in zip(rows, answers, strict=True):
        answer = model(text)
        assert (row["text"], row["found_label"]) == (text, answer.label)
        assert float(row["found_score"]) == pytest.approx(max(answer.scores.values()), abs=1e-4)
    traced = run("lstm-run", "--model", file, "--trace", rows[0][0])
    assert traced.returncode == 0, traced.stderr
    assert set(THREE) & set(re.findall(r"[a-z]+", traced.stdout))


def test_texts_of_two_labels_cannot_measure_three(three: Path, reviews_csv: Path) -> None:
    with pytest.raises(DataError, match="accepted: negative or neutral or positive"):
        evaluate(three / "model.pt", reviews_csv)
    with pytest.raises(EvaluationError, match=r"tells 3 labels apart .* has 2 \(0, 1\)"):
        evaluate(three / "model.pt", reviews_csv, scheme=LabelScheme(("0", "1")))


@pytest.mark.parametrize("names", [("0", "4"), ("-1", "1")])
def test_numbers_of_ones_own_go_all_the_way(
    names: tuple[str, str], tiny: TrainingConfig, tmp_path: Path
) -> None:
    path = written(tmp_path / "own.csv", made_up(60, names))
    examples = load_examples(str(path), scheme=LabelScheme(names))
    config = replace(tiny, epochs=1, fit_threshold="f1", learning_rate=1e-4)
    train(config, examples, tmp_path, baselines=False)
    checkpoint = load_checkpoint(tmp_path / "model.pt")
    assert (checkpoint.labels, evaluate(tmp_path / "model.pt", path).texts) == (names, 60)
    fp32 = ExportConfig(("fp32",))
    _, result = export(tmp_path / "model.pt", tmp_path / "out", data=path, config=fp32)
    assert result.accuracy and result.accuracy[0] == evaluate(tmp_path / "model.pt", path).accuracy
    model = SentimentModel.load(result.path)
    assert model.metadata.threshold == checkpoint.threshold != 0.5
    answers = model([text for text, _ in made_up(60, names)])
    given_ = [one.scores[names[1]] >= checkpoint.threshold for one in answers]
    assert [one.label == names[1] for one in answers] == given_


def test_one_label_for_all_is_a_warning(
    examples: Examples, tiny: TrainingConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = replace(tiny, epochs=1, learning_rate=1e-9)
    with caplog.at_level(logging.INFO, "lstm_training"):
        train(config, examples, tmp_path, baselines=False)
    assert "this model gives one label only" in caplog.text
    assert "labels of the texts to learn from: 108 negative, 108 positive" in caplog.text


def test_a_threshold_is_for_two_labels(tiny: TrainingConfig, tmp_path: Path) -> None:
    texts, labels = zip(*made_up(30), strict=True)
    with pytest.raises(ConfigError, match="fit_threshold is for two labels"):
        train(replace(tiny, fit_threshold="f1"), Examples("e", texts, labels, THREE), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow  # three commands, each of which starts PyTorch
def test_stars_from_csv_to_answers(run: Run, tiny_options: tuple[str, ...], tmp_path: Path) -> None:
    data = written(tmp_path / "stars.csv", made_up(90, (1, 3, 5)))
    trained = run(
        "lstm-train", f"--data={data}", "--labels=1,3,5", "-o", str(tmp_path / "m"), *tiny_options
    )
    assert trained.returncode == 0, trained.stderr
    assert "mae" in trained.stdout and "27 1, 27 3, 27 5" in trained.stderr
    mapped = "1=low 3,5=high"
    measured = run("lstm-evaluate", str(tmp_path / "m/model.pt"), f"--data={data}", "--json")
    assert json.loads(measured.stdout)["mean_absolute_error"] >= 0
    exported = run("lstm-export", str(tmp_path / "m/model.pt"), f"--data={data}")
    assert exported.returncode == 0, exported.stderr
    answer = run("lstm-run", "--model", str(tmp_path / "m/model.int8.onnx"), "--json", "so good")
    assert set(json.loads(answer.stdout)["scores"]) == {"1", "3", "5"}
    two = run("lstm-train", f"--data={data}", "--label-map", mapped, "-o", str(tmp_path / "n"),
              *tiny_options)  # fmt: skip
    assert two.returncode == 0, two.stderr
    assert load_checkpoint(tmp_path / "n/model.pt").labels == ("low", "high")


def test_a_label_that_no_model_file_may_have_is_refused_before_training() -> None:
    for name in ("b\x1b[2J", "b\u202e", "\ud800", "b" * 1001):
        with pytest.raises(DataError, match="the label "):
            Examples("texts", ("good", "bad"), (1, 0), ("a", name))
