"""The LSTM's weights out of a model file, in the words of `lstm_runtime.trace.lstm_cell`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.arrays import Array
from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file.contract import EMBEDDING, int8_names, lstm_name, weight_names
from lstm_runtime.model_file.reader import OnnxReader
from lstm_runtime.trace.lstm_cell import CellWeights


@dataclass(frozen=True)
class TracedWeights:
    """What a word goes through: its vector, then the layers."""

    embedding: Array
    "``[vocab, embedding]``"
    layers: tuple[CellWeights, ...]
    "First layer first."


def read_weights(reader: OnnxReader, n_layers: int) -> TracedWeights:
    """Read a file of any precision; int8 becomes float by its scales.

    Raises:
        ModelFileError: when the weights are not there, or not of shapes that belong together.

    """
    found = reader.weights()
    try:
        layers = tuple(_layer(found, lstm_name(n)) for n in range(n_layers))
        return TracedWeights(_embedding(found), layers)
    except (KeyError, ValueError, IndexError) as error:
        raise ModelFileError(f"the file's weights cannot be traced: {error}") from error


def _embedding(found: dict[str, NDArray[np.generic]]) -> Array:
    if EMBEDDING in found:
        return found[EMBEDDING].astype(np.float32)
    values, scale, _ = int8_names(EMBEDDING)
    return np.asarray(found[values].astype(np.float32) * found[scale].astype(np.float32))


def _layer(found: dict[str, NDArray[np.generic]], name: str) -> CellWeights:
    """Read a layer; ONNX stacks its gates as input, output, forget, cell."""
    w_name, r_name, b_name = weight_names(name)
    w, r = _matrix(found, w_name), _matrix(found, r_name)
    bias_w, bias_r = np.split(found[b_name][0].astype(np.float32), 2)
    matrices = np.split(np.concatenate([r, w], axis=1), 4)
    biases = np.split(bias_w + bias_r, 4)
    ignore, use, forget, learn = zip(matrices, biases, strict=True)
    return CellWeights(learn=learn, ignore=ignore, forget=forget, use=use)


def _matrix(found: dict[str, NDArray[np.generic]], name: str) -> Array:
    """Return the forward direction's matrix, ``[4 * hidden, input]``."""
    if name in found:
        return np.asarray(found[name][0], np.float32)
    values_name, scale_name, _ = int8_names(name)
    values, scale = found[values_name], found[scale_name].astype(np.float32)
    return np.asarray((values[0].astype(np.float32) * scale.reshape(len(values), -1)[0]).T)
