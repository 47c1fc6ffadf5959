"""The answers of an ``.onnx`` file, from the runtime as an app would use it.

The one module of the training part that runs a model of the runtime: what is measured here must
be what users get.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from lstm_runtime.inference.results import Sentiment
from lstm_runtime.model import SentimentModel
from lstm_runtime.model_file.reader import OnnxReader
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec
from lstm_runtime.text.vocabulary import Vocabulary

from lstm_training.errors import EvaluationError
from lstm_training.evaluation.predictions import EvaluatedModel, Predictions, TextStats, trained_on

_ROUNDING = 1e-2
"""How far the probabilities of a softmax in half precision may miss a sum of 1."""


class OnnxPredictor:
    """A file of ``lstm-export``, with its own labels, threshold and precision.

    A file with one probability gives its second label from the threshold of its metadata on; one
    with several gives the label with the largest. Of two labels the second's probability is what is
    measured.

    Args:
        path: the file; None for the model that comes with the runtime.
        provider: as `SentimentModel.load` takes it.

    Raises:
        EvaluationError: when the model answers with plain numbers, or cannot read text.
        ModelFileError: when the file is missing, damaged, foreign or of a newer version.
        ProviderError: when the provider that was asked for cannot run here.
        MissingExtraError: when onnxruntime is not installed.

    """

    def __init__(self, path: Path | None, provider: str) -> None:
        self._model = SentimentModel.load(path, provider)
        self.model = _describe(self._model)
        self._tokenizer_spec = _tokenizer_spec(self._model)

    def predict(self, texts: Sequence[str]) -> Predictions:
        """Return the answers to ``texts``, in their order.

        Raises:
            EvaluationError: when the model has a sigmoid for each label.

        """
        found = list(self._model.score_many(texts))
        if any(abs(sum(one.scores.values()) - 1) > _ROUNDING for one in found):
            raise EvaluationError(
                f"{self._model.path}: its probabilities do not add up to 1, so that a text may "
                "have several labels or none: that cannot be evaluated"
            )
        return Predictions(*self._numbers(found), self._stats(texts))

    def _numbers(self, found: Sequence[Sentiment]) -> tuple[torch.Tensor, torch.Tensor]:
        labels = self.model.labels
        given = torch.tensor([labels.index(one.label) for one in found])
        if len(labels) == 2:
            return torch.tensor([one.scores[labels[1]] for one in found]), given
        return torch.tensor([[one.scores[name] for name in labels] for one in found]), given

    def _stats(self, texts: Sequence[str]) -> TextStats:
        spec, words = self._tokenizer_spec, self._model.metadata.vocabulary
        if words is None:  # with the text interface, the graph has the words
            known = set(OnnxReader(self._model.path).vocabulary()) - {""}
        else:
            unknown = None if spec.unknown is None else words[spec.unknown]
            aliases = self._model.metadata.aliases or ()
            known = set(Vocabulary(words, unknown, aliases).plain)
        return TextStats.of(texts, spec.tokenizer(), known)


def _tokenizer_spec(model: SentimentModel) -> TokenizerSpec:
    spec = model.metadata.tokenizer
    if spec is None:
        raise EvaluationError(
            f"{model.path} was exported without a vocabulary and cannot read text: "
            "lstm-export --vocab FILE puts one in"
        )
    return spec


def _describe(model: SentimentModel) -> EvaluatedModel:
    meta = model.metadata
    if meta.activation == "none":
        raise EvaluationError(
            f"{model.path} answers with plain numbers and not with labels: that cannot be evaluated"
        )
    return EvaluatedModel(
        file=model.path.name,
        kind="onnx",
        precision=meta.precision,
        provider=model.provider,
        labels=meta.labels,
        threshold=meta.threshold if meta.architecture.classes == 1 else 0.5,
        data_sha256=trained_on(meta.training),
    )
