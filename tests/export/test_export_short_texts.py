"""Models of short texts: proven at the lengths that they were trained on; refusals and ways out."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lstm_export import ExportConfig, export
from lstm_export.checkpoint.source import Source, load_source
from lstm_export.errors import ParityError
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.parity.cases import random_cases
from lstm_export.parity.lengths import trained_lengths
from lstm_export.parity.result import CaseParity, Parity
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS, reference_texts
from lstm_runtime.model import SentimentModel
from lstm_training.api import train
from lstm_training.checkpoint import load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples

GOOD, BAD = "good great moving lovely superb fine", "bad poor dull awful weak flat"
SHORT = TrainingConfig(
    epochs=8, batch_size=8, embedding_dim=64, hidden_dim=64, learning_rate=0.02, gain=0.3,
    embedding_dropout=0.1, word_dropout=0.05,
)  # fmt: skip
"""Settings that learn the texts by heart: their weights are large, and rounding shows."""


def short_texts(seed: int) -> Examples:
    """Return texts of 3 to 14 words whose label is in one of them, or in that and *not*."""
    source, other = random.Random(seed), [f"word{n}" for n in range(60)]
    texts, labels = [], []
    for n in range(300):
        label = n % 2
        words = source.choices(other, k=source.randint(2, 12))
        place = source.randrange(len(words) + 1)
        words.insert(place, source.choice((GOOD if label else BAD).split()))
        if source.random() < 0.4:
            words.insert(place, "not")
            label = 1 - label
        texts.append(f"{' '.join(words)} n{n}")
        labels.append(label)
    return Examples("short", tuple(texts), tuple(labels))


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))]
)
def test_a_model_of_short_texts_is_exported_in_int8(seed: int, tmp_path: Path) -> None:
    result = train(replace(SHORT, seed=seed), short_texts(seed), tmp_path, baselines=False)
    assert result.checkpoint.metrics["accuracy"] > 0.6
    files = export(tmp_path / "model.pt", tmp_path)
    assert [file.name for file in files if file.path] == ["fp32", "int8"]


def with_lengths(path: Path, lengths: object) -> Source:
    source = load_source(path)
    return replace(source, training={**source.training, "lengths": lengths})


def test_the_cases_have_the_lengths_of_the_training_texts(checkpoint_file: Path) -> None:
    source = with_lengths(checkpoint_file, [2, 5, 9, 12, 14])
    assert trained_lengths(source) == (2, 5, 9, 12, 14)
    cases = list(random_cases(source.network, None, states=False, trained=trained_lengths(source)))
    assert [len(case.ids) for case in cases] == [1, 1, 5, 32]
    assert [max(map(len, case.ids)) for case in cases] == [1, 9, 14, 12]
    texts = reference_texts(source)
    assert {"", "Great."} < set(texts) < set(REFERENCE_TEXTS)
    assert max(len(source.required_encoder(text)) for text in texts) <= 14


@pytest.mark.parametrize("lengths", [None, [], "9", [0.5], [0]])
def test_without_lengths_all_is_as_before(checkpoint_file: Path, lengths: object) -> None:
    source = with_lengths(checkpoint_file, lengths)
    assert trained_lengths(source) == ()
    assert reference_texts(source) == REFERENCE_TEXTS


def test_the_file_carries_the_texts_that_it_was_proven_with(
    examples_trained: Path, tmp_path: Path
) -> None:
    export(examples_trained, tmp_path, config=ExportConfig(("fp32",)))
    model = SentimentModel.load(tmp_path / "model.onnx")
    longest = load_checkpoint(examples_trained).training["lengths"][-1]
    encoder = load_checkpoint(examples_trained).encoder
    assert all(len(encoder(one.text or "")) <= longest for one in model.metadata.reference)
    assert model.verify().passed


@pytest.fixture(scope="module")
def examples_trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    config = TrainingConfig(epochs=1, embedding_dim=8, hidden_dim=8, n_layers=1)
    train(config, short_texts(0), folder, baselines=False)
    return folder / "model.pt"


def result_of(name: str, difference: float, *, agree: bool = True) -> ExportResult:
    wanted = np.full((4, 1), 0.9 if agree else 0.4, np.float32)
    cases = (
        CaseParity("text 3", {"probability": difference}, True, ", 'One of the finest films' …"),
    )
    parity = Parity(cases, wanted, np.full((4, 1), 0.9, np.float32), texts=4)
    config = ExportConfig()
    return ExportResult(name, parity, tuple(parity.failures(config.tolerance("int8"))))


def test_a_refusal_names_the_text_and_the_way_out() -> None:
    with pytest.raises(ParityError) as caught:
        require_parity([result_of("fp32", 0.0), result_of("int8", 0.2)])
    told = str(caught.value)
    assert "probability (case text 3, 'One of the finest films' …) differs by 0.2" in told
    assert "--precision fp32" in told and "--atol int8=NUMBER" in told and "--agreement" in told
    with pytest.raises(ParityError) as caught:
        require_parity([result_of("fp32", 0.2), result_of("int8", 0.2)])
    assert "--atol" not in str(caught.value)  # that is no matter of rounding


def test_the_agreement_is_what_the_user_says() -> None:
    result = result_of("int8", 0.0, agree=False)
    assert any("labels agree" in failure for failure in result.failures)
    lenient = ExportConfig(agreement=0.0)
    failures = result.parity.failures(lenient.tolerance("int8"))
    assert not any("labels agree" in failure for failure in failures)
    assert lenient.tolerance("fp32").agreement == 1.0
    with pytest.raises(ValueError, match="agreement: 2 is not between 0 and 1"):
        ExportConfig(agreement=2)
