"""The head of a model card that the Hugging Face Hub reads: tags, task and measures.

See https://huggingface.co/docs/hub/model-cards. The licence is the author's to say, so it is not
there: add it before a model is published.
"""

import json

from lstm_export.checkpoint.source import Source
from lstm_export.metadata import public_training

_METRICS = {"accuracy": "accuracy", "f1": "f1", "auroc": "roc_auc"}
"""Measures of `lstm_training` and what the Hub calls them."""


def front_matter(source: Source) -> str:
    """Return the head of the card, between its lines of dashes."""
    lines = [
        "---",
        "pipeline_tag: text-classification",
        "library_name: lstm-edge",
        "tags: [onnx, onnxruntime, lstm, sentiment-analysis]",
        *_model_index(source),
        "---",
    ]
    return "\n".join(lines)


def _model_index(source: Source) -> list[str]:
    """Return the checkpoint's measures, if it has any: they were taken on held-out texts."""
    found = {_METRICS[k]: v for k, v in source.metrics.items() if k in _METRICS}
    if not found:
        return []
    data = str(public_training(source.training).get("data", "own texts"))
    index = [
        {
            "name": "Sentiment LSTM",
            "results": [
                {
                    "task": {"type": "text-classification"},
                    "dataset": {"type": "held-out", "name": f"held out of {data}"},
                    "metrics": [{"type": name, "value": value} for name, value in found.items()],
                }
            ],
        }
    ]
    # JSON is YAML: nothing in a name can break out of it.
    return [f"model-index: {json.dumps(index)}"]
