"""A model measured on labelled texts: the whole of ``lstm-evaluate`` as one function."""

from pathlib import Path

from lstm_training.data.examples import Examples
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns
from lstm_training.evaluation.evaluator import Evaluation, align_labels, evaluate_predictions
from lstm_training.evaluation.load import BUNDLED, open_model
from lstm_training.evaluation.sharing import predict_in_shares


def evaluate(
    model: str | Path = BUNDLED,
    data: Examples | str | Path = "imdb-test",
    *,
    columns: Columns | None = None,
    scheme: LabelScheme | None = None,
    provider: str = "auto",
) -> Evaluation:
    """Measure a model on labelled texts, by its own threshold and reading every token.

    Under ``torchrun`` or ``accelerate launch`` the processes share the texts, and each returns the
    whole.

    Args:
        model: path of a checkpoint of ``lstm-train`` or of an ``.onnx`` file of ``lstm-export``,
            or ``default`` for the model that comes with the runtime.
        data: the texts, or where they come from, as `load_examples` takes it.
        columns: the text and the label column of a table.
        scheme: how labels are read; the usual ones and the model's own names when left out.
        provider: where an ``.onnx`` file runs, as `SentimentModel.load` takes it.

    Raises:
        EvaluationError: when the model is of no known kind, has more labels than the texts or
            fewer, or gives answers that are no numbers.
        DataError: when the texts are missing or malformed; names the file and the row.
        CheckpointError: when a checkpoint is damaged.
        ModelFileError: when an ``.onnx`` file is damaged.
        ProviderError: when the provider that was asked for cannot run here.
        MissingExtraError: when a library is not installed; names the extra.

    """
    predictor = open_model(str(model), provider)
    if isinstance(data, Examples):
        examples, scheme = data, scheme or LabelScheme(data.label_names)
    else:
        scheme = scheme or LabelScheme(others=predictor.model.labels)
        examples = load_examples(str(data), columns, scheme, measuring=True)
    examples = align_labels(predictor.model, examples, scheme)
    found = predict_in_shares(predictor.predict, examples.texts)
    return evaluate_predictions(predictor.model, examples, found)
