"""The LSTM's weights out of a model file, in the words of `lstm_runtime.trace.lstm_cell`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.model_file.reader import OnnxFile
from lstm_runtime.trace.lstm_cell import CellWeights

Array = NDArray[np.float32]


@dataclass(frozen=True)
class LstmWeights:
    """What a word goes through: its vector, then the layers."""

    embedding: Array
    "``[vocab, embedding]``"
    layers: tuple[CellWeights, ...]
    "First layer first."


def read_weights(path: Path, n_layers: int) -> LstmWeights:
    """Read a file of any precision; int8 becomes float by its scales.

    Raises:
        ModelFileError: when the file is missing or is not an ONNX file.

    """
    found = OnnxFile(path).weights()
    layers = tuple(_layer(found, f"lstm_{n}") for n in range(n_layers))
    return LstmWeights(_embedding(found), layers)


def _embedding(found: dict[str, NDArray[np.generic]]) -> Array:
    if "embedding" in found:
        return found["embedding"].astype(np.float32)
    # One scale a word, [vocab, 1].
    values, scale = found["embedding_int8"], found["embedding_scale"]
    return np.asarray(values.astype(np.float32) * scale.astype(np.float32))


def _layer(found: dict[str, NDArray[np.generic]], name: str) -> CellWeights:
    """Read a layer; ONNX stacks its gates as input, output, forget, cell."""
    w, r = _matrix(found, f"{name}_W"), _matrix(found, f"{name}_R")
    bias_w, bias_r = np.split(found[f"{name}_B"][0].astype(np.float32), 2)
    matrices = np.split(np.concatenate([r, w], axis=1), 4)
    biases = np.split(bias_w + bias_r, 4)
    ignore, use, forget, learn = zip(matrices, biases, strict=True)
    return CellWeights(learn=learn, ignore=ignore, forget=forget, use=use)


def _matrix(found: dict[str, NDArray[np.generic]], name: str) -> Array:
    """Return the forward direction's matrix, ``[4 * hidden, input]``."""
    if name in found:
        return np.asarray(found[name][0], np.float32)
    # int8 is stored transposed, [directions, input, 4 * hidden], with a scale for each column.
    values, scale = found[f"{name}_int8"], found[f"{name}_scale"].astype(np.float32)
    return np.asarray((values[0].astype(np.float32) * scale.reshape(len(values), -1)[0]).T)
