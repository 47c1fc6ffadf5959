"""The bundled model as a checkpoint to start from, read out of its fp16 file.

The file comes with the runtime; the checkpoint that it was made of does not. Its weights differ
from the checkpoint's by the rounding to fp16: a first step of training changes them by more.
"""

import numpy as np
import torch
from lstm_runtime.bundled import DEFAULT_OTHER
from lstm_runtime.model_file.contract import EMBEDDING, lstm_name, weight_names
from lstm_runtime.model_file.reader import OnnxReader
from lstm_runtime.text.tokenizer import DEFAULT_PATTERN
from lstm_runtime.text.vocabulary import PAD_WORD, UNKNOWN_WORD, Vocabulary
from numpy.typing import NDArray
from torch import Tensor

from lstm_training.checkpoint import Checkpoint
from lstm_training.model import ModelConfig

_TORCH_ORDER = (0, 2, 3, 1)
"""ONNX stacks the gates of an LSTM as input, output, forget, cell; PyTorch has the output last."""


def bundled_checkpoint() -> Checkpoint:
    """Return the bundled model as what ``lstm-train`` would have written.

    Raises:
        ModelFileError: when the file is damaged.

    """
    reader = OnnxReader(DEFAULT_OTHER)
    metadata, weights = reader.metadata(), reader.weights()
    sizes = metadata.architecture
    words = sorted((id_, word) for word, id_ in reader.vocabulary().items() if word)
    spec = metadata.tokenizer
    return Checkpoint(
        config=ModelConfig(
            sizes.vocab_size, sizes.classes, sizes.embedding_dim, sizes.hidden_dim, sizes.n_layers
        ),
        state_dict=_state_dict(weights, sizes.n_layers),
        vocabulary=Vocabulary((PAD_WORD, UNKNOWN_WORD, *(word for _, word in words))),
        labels=metadata.labels,
        pattern=spec.pattern if spec else DEFAULT_PATTERN,
        metrics=dict(metadata.metrics or {}),
        training=dict(metadata.training or {}),
    )


def _state_dict(weights: dict[str, NDArray[np.generic]], layers: int) -> dict[str, Tensor]:
    """Return the weights under PyTorch's names and in PyTorch's order."""
    found = {
        "embedding.weight": weights[EMBEDDING],
        "fc.weight": weights["head_0_weight"].T,
        "fc.bias": weights["head_0_bias"],
    }
    for n in range(layers):
        w, r, b = (weights[name][0] for name in weight_names(lstm_name(n)))
        of_words, of_state = np.split(b, 2)
        parts = {"weight_ih": w, "weight_hh": r, "bias_ih": of_words, "bias_hh": of_state}
        for name, gates in parts.items():
            found[f"lstm.{name}_l{n}"] = np.concatenate(
                [np.split(gates, 4)[gate] for gate in _TORCH_ORDER]
            )
    return {name: torch.tensor(values.astype(np.float32)) for name, values in found.items()}
