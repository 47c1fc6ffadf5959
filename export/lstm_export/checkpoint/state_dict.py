"""Reads a state dict by the shapes of its tensors: an embedding, one LSTM, linear layers.

Names differ from code to code (``lstm``, ``rnn``, ``encoder.net``, a ``module.`` in front); only
the names that ``nn.LSTM`` itself gives its weights are relied on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from lstm_runtime.arrays import Array
from lstm_training.checkpoint_content import is_dense
from torch import Tensor

from lstm_export.checkpoint.folding import fold
from lstm_export.errors import UnsupportedModelError
from lstm_export.layers import LinearWeights
from lstm_export.network import Layers, LstmWeights

_LSTM_WEIGHT = re.compile(r"(.*?)(weight|bias)_(ih|hh|hr)_l(\d+)(_reverse)?")
_CELL_WEIGHT = re.compile(r"(.*\.)?weight_hh")
_LEAST_BYTES = 2
"""Of a number; of those of one byte PyTorch computes little."""
_GATES = {4: "LSTM", 3: "GRU", 1: "plain RNN"}


@dataclass(frozen=True)
class NetworkWeights:
    """All that weights alone can tell of a network."""

    embedding: Array
    "``[vocab, embedding]``"
    layers: Layers
    "The LSTM."
    linear: Mapping[str, LinearWeights]
    "Linear layers by the names of their weights, in the order of the state dict."


class _Lstm(NamedTuple):
    """The names and sizes of the one LSTM of a state dict."""

    prefix: str
    layers: int
    directions: int
    input_size: int
    features: int


def read_state_dict(state: Mapping[str, Tensor]) -> NetworkWeights:
    """Find embedding, LSTM and linear layers in ``state`` and return them as float32 arrays.

    Weights in float16, bfloat16 or float64 are converted; weight normalisation and pruning masks
    are folded.

    Raises:
        UnsupportedModelError: when something is missing, left over, or holds NaN; the message
            says what was found.

    """
    state = {name: value for name, value in fold(state).items() if not _is_counter(value)}
    lstm = _find_lstm(state)
    rest = [name for name in state if not _belongs(name, lstm)]
    matrices = [name for name in rest if name.endswith("weight") and state[name].dim() == 2]
    embedding = _find_embedding(state, matrices, lstm)
    linear = [name for name in matrices if name != embedding]
    if not linear and rest == [embedding]:
        raise UnsupportedModelError("the model holds no linear layer")
    biases = {name: name.removesuffix("weight") + "bias" for name in linear}
    left = [name for name in rest if name not in {embedding, *linear, *biases.values()}]
    if left:
        raise UnsupportedModelError(
            f"besides embedding, LSTM and linear layers the weights hold {_what(left, state)}: "
            "what the model does with it only its class can tell (--module FILE:CLASS)"
        )
    _require_numbers(state)
    return NetworkWeights(
        _array(state[embedding]),
        _read_layers(state, lstm),
        {name: _read_linear(state, name, bias) for name, bias in biases.items()},
    )


def _is_counter(value: Tensor) -> bool:
    """Tell whether a tensor is one whole number, such as ``n_averaged``, which no forward uses."""
    return value.dim() == 0 and not value.is_floating_point()


def _what(left: list[str], state: Mapping[str, Tensor]) -> str:
    """Name what is left over, by its kind where that is known."""
    batch = [name for name in left if name.endswith("running_mean")]
    if batch:
        return f"batch normalisation ({batch[0].removesuffix('.running_mean')})"
    pairs = [
        n.removesuffix(".weight") for n in left if n.endswith(".weight") and _is_norm(n, state)
    ]
    if pairs:
        return f"layer normalisation ({_names(pairs)}; {_names(left)})"
    return f"{_names(left)} (attention, a convolution or the like)"


def _is_norm(name: str, state: Mapping[str, Tensor]) -> bool:
    bias = state.get(name.removesuffix("weight") + "bias")
    return state[name].dim() == 1 and bias is not None and bias.shape == state[name].shape


def _require_numbers(state: Mapping[str, Tensor]) -> None:
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            raise UnsupportedModelError(f"{name} holds {tensor.dtype}, not floating-point weights")
        if not is_dense(tensor) or tensor.element_size() < _LEAST_BYTES or not tensor.numel():
            raise UnsupportedModelError(
                f"{name} is no dense tensor of 16 bits a number or more, or an empty one"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise UnsupportedModelError(f"{name} holds NaN or infinite weights")


def _find_lstm(state: Mapping[str, Tensor]) -> _Lstm:
    found = [match for match in map(_LSTM_WEIGHT.fullmatch, state) if match]
    prefixes = sorted({match[1] for match in found})
    if not prefixes:
        cells = [name for name in state if _CELL_WEIGHT.fullmatch(name)]
        kind = "an LSTMCell, which a loop in Python runs" if cells else "no LSTM"
        raise UnsupportedModelError(f"the model holds {kind}, among {_names(list(state))}")
    if len(prefixes) > 1:
        raise UnsupportedModelError(
            f"the model holds {len(prefixes)} recurrent networks ({_names(prefixes)}); how they "
            "are joined only its class can tell (--module FILE:CLASS)"
        )
    prefix = prefixes[0]
    if any(match[3] == "hr" for match in found):
        raise UnsupportedModelError("the LSTM has projections (proj_size), which ONNX's LSTM lacks")
    w, r = (state.get(f"{prefix}weight_{part}_l0") for part in ("ih", "hh"))
    if w is None or r is None or w.dim() != 2 or r.dim() != 2:
        raise UnsupportedModelError(f"{prefix}weight_ih_l0 or {prefix}weight_hh_l0 is missing")
    kind = _GATES.get(len(r) // r.shape[1], "unknown recurrent network")
    if kind != "LSTM" or len(r) % r.shape[1]:
        raise UnsupportedModelError(f"the recurrent network is a {kind}, not an LSTM")
    directions = 2 if any(match[5] for match in found) else 1
    layers = 1 + max(int(match[4]) for match in found)
    return _Lstm(prefix, layers, directions, w.shape[1], directions * r.shape[1])


def _belongs(name: str, lstm: _Lstm) -> bool:
    match = _LSTM_WEIGHT.fullmatch(name)
    return match is not None and match[1] == lstm.prefix


def _find_embedding(state: Mapping[str, Tensor], matrices: list[str], lstm: _Lstm) -> str:
    """Return the one matrix without a bias whose rows are as long as the LSTM's input."""
    found = [
        name
        for name in matrices
        if name.removesuffix("weight") + "bias" not in state
        and state[name].shape[1] == lstm.input_size
    ]
    named = [name for name in found if re.search("emb|word|vec|lookup", name, re.IGNORECASE)]
    if len(found) > 1 and len(named) != 1:
        raise UnsupportedModelError(
            f"any of {_names(found)} may be the embedding: give --module FILE:CLASS"
        )
    if not found:
        raise UnsupportedModelError(
            f"no embedding with vectors of {lstm.input_size}, the LSTM's input, among "
            f"{_names(list(state))}"
        )
    return found[0] if len(found) == 1 else named[0]


def _read_layers(state: Mapping[str, Tensor], lstm: _Lstm) -> Layers:
    suffixes = ("", "_reverse")[: lstm.directions]
    return tuple(
        tuple(_read_direction(state, lstm, n, suffix) for suffix in suffixes)
        for n in range(lstm.layers)
    )


def _read_direction(
    state: Mapping[str, Tensor], lstm: _Lstm, layer: int, suffix: str
) -> LstmWeights:
    hidden = lstm.features // lstm.directions
    inputs = lstm.input_size if layer == 0 else lstm.features
    biased = any(f"{lstm.prefix}bias_" in name for name in state)
    shapes = {"weight_ih": (4 * hidden, inputs), "weight_hh": (4 * hidden, hidden)}
    biases = {"bias_ih": (4 * hidden,), "bias_hh": (4 * hidden,)}
    arrays = {}
    for part, shape in (shapes | biases).items():
        name = f"{lstm.prefix}{part}_l{layer}{suffix}"
        if part in biases and not biased:
            arrays[part] = np.zeros(shape, np.float32)
            continue
        if name not in state:
            raise UnsupportedModelError(f"{name} is missing")
        arrays[part] = _array(state[name])
        if arrays[part].shape != shape:
            raise UnsupportedModelError(
                f"{name} is {list(arrays[part].shape)}, where {list(shape)} fits the other layers"
            )
    return LstmWeights(**arrays)


def _read_linear(state: Mapping[str, Tensor], name: str, bias: str) -> LinearWeights:
    weight = _array(state[name])
    shift = _array(state[bias]) if bias in state else np.zeros(len(weight), np.float32)
    if shift.shape != (len(weight),):
        raise UnsupportedModelError(f"{name} has {len(weight)} outputs and {shift.shape} biases")
    return LinearWeights(weight, shift)


def _array(tensor: Tensor) -> Array:
    return tensor.detach().to("cpu", torch.float32).contiguous().numpy()


def _names(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
