import math

import pytest
import torch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.evaluation.metrics import compute_metrics
from lstm_training.evaluation.predict import predict
from lstm_training.model import ModelConfig, SentimentRNN


def test_the_measures_are_the_textbooks() -> None:
    scores = torch.tensor([0.95, 0.85, 0.35, 0.65, 0.15, 0.05])
    labels = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    metrics = compute_metrics(scores, labels)
    chosen = [s if y else 1 - s for s, y in zip(scores.tolist(), labels.tolist(), strict=True)]
    assert metrics.loss == pytest.approx(-sum(map(math.log, chosen)) / 6)
    assert metrics.accuracy == pytest.approx(4 / 6)
    assert metrics.f1 == pytest.approx(2 / 3)  # precision and recall are both 2/3
    assert metrics.auroc == pytest.approx(8 / 9)  # one of nine pairs is the wrong way round
    # Each score is alone in its bin: the mean distance of score and label.
    assert metrics.ece == pytest.approx((0.05 + 0.15 + 0.65 + 0.65 + 0.15 + 0.05) / 6)


def test_predictions_stand_in_the_order_of_the_texts() -> None:
    torch.manual_seed(0)
    model = SentimentRNN.from_config(ModelConfig(vocab_size=30, embedding_dim=8, hidden_dim=64))
    ids = tuple(torch.randint(2, 30, (length,)) for length in (9, 1, 30, 4, 30))
    scores = predict(model, EncodedTexts(ids, torch.zeros(5)), batch_size=2, pad=0)
    assert not model.training
    for row, text in enumerate(ids):
        alone = model(text[None], model.init_hidden(1))[0]
        assert torch.allclose(scores[row], alone[0], rtol=0, atol=1e-6)
