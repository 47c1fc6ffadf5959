"""The LSTM as a forward ran it: weights, first states and what it gave."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.network import InitialStates, Layers, LstmWeights
from lstm_export.reading.refusal import BATCH, READING, RefusalError
from lstm_export.reading.watch import LayerCall, Observation, rows

RECURRENT = (nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell, nn.RNNCell)


@dataclass(frozen=True)
class LstmView:
    """All LSTM calls of one run, seen as one stack of layers."""

    modules: tuple[nn.LSTM, ...]
    "In the order in which they ran; each reads what the one before gave."
    inputs: Array
    "What the first one read, ``[length, input]``."
    steps: Array
    "What the last one gave, ``[length, directions * hidden]``."
    h: tuple[Array, ...]
    "Final hidden states of each layer, ``[directions, hidden]``."
    c: tuple[Array, ...]
    "Final cell states, likewise."
    initial: tuple[tuple[Array, Array], ...]
    "First states of each module, ``[layers * directions, 1, hidden]``; zeros where none."


def view_lstm(observation: Observation) -> LstmView:
    """Find the LSTM in what a run showed.

    Raises:
        RefusalError: when there is none, or it is not run once over one text.

    """
    calls = [call for call in observation.calls if isinstance(call.layer, nn.LSTM)]
    if not calls:
        others = [call.kind for call in observation.calls if isinstance(call.layer, RECURRENT)]
        found = f"{others[0]} instead" if others else "other layers only"
        raise RefusalError(f"forward runs no LSTM, but {found}", READING)
    _require_one_stack(calls)
    inputs, steps, hs, cs = rows(calls[0].given[0]), rows(calls[-1].output[0]), [], []
    for call in calls:
        directions = 2 if _lstm(call).bidirectional else 1
        h, c = (state.float().numpy() for state in call.output[1])
        hs += np.split(h.reshape(-1, h.shape[-1]), len(h) // directions)
        cs += np.split(c.reshape(-1, c.shape[-1]), len(c) // directions)
    states = tuple(_initial(call) for call in calls)
    return LstmView(tuple(map(_lstm, calls)), inputs, steps, tuple(hs), tuple(cs), states)


def read_layers(view: LstmView) -> Layers:
    """Return the weights as they are after a run, reparametrisations and masks included.

    Raises:
        UnsupportedModelError: when an LSTM has projections.

    """
    return tuple(
        tuple(
            _direction(lstm, f"_l{n}{suffix}")
            for suffix in ("", "_reverse")[: 1 + lstm.bidirectional]
        )
        for lstm in view.modules
        for n in range(lstm.num_layers)
    )


def read_initial(views: Sequence[LstmView]) -> InitialStates | None:
    """Return the states that every text starts from; None for zeros.

    Raises:
        UnsupportedModelError: when they are not the same for every text.

    """
    first = views[0]
    for view in views[1:]:
        for ours, theirs in zip(first.initial, view.initial, strict=True):
            if not all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True)):
                raise UnsupportedModelError("the LSTM's first states depend on the text")
    if not any(array.any() for pair in first.initial for array in pair):
        return None
    h0, c0 = (
        tuple(
            part
            for lstm, pair in zip(first.modules, first.initial, strict=True)
            for part in np.split(pair[which], lstm.num_layers)
        )
        for which in (0, 1)
    )
    return InitialStates(h0, c0)


def _require_one_stack(calls: list[LayerCall]) -> None:
    names = [call.name for call in calls]
    if len(set(names)) < len(names):
        raise RefusalError(f"forward runs the LSTM {names[0]} {len(names)} times", READING)
    for call in calls:
        hidden = call.output[1][0]
        if hidden.dim() == 3 and hidden.shape[1] != 1:
            raise RefusalError(
                f"the LSTM {call.name} takes the words for a batch (is batch_first missing?): a "
                "text's answer would depend on its neighbours",
                BATCH,
            )
    for one, two in pairwise(calls):
        before, after = rows(one.output[0]), rows(two.given[0])
        if _lstm(one).bidirectional != _lstm(two).bidirectional or not (
            before.shape == after.shape and np.allclose(before, after, atol=1e-6)
        ):
            raise RefusalError(
                f"forward runs several LSTMs ({', '.join(names)}), and {two.name} does not read "
                f"just what {one.name} gives",
                READING,
            )


def _lstm(call: LayerCall) -> nn.LSTM:
    assert isinstance(call.layer, nn.LSTM)
    return call.layer


def _initial(call: LayerCall) -> tuple[Array, Array]:
    lstm = _lstm(call)
    shape = (lstm.num_layers * (1 + lstm.bidirectional), 1, lstm.hidden_size)
    if len(call.given) < 2 or call.given[1] is None:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    h, c = (state.float().numpy().reshape(shape) for state in call.given[1])
    return h, c


def _direction(lstm: nn.LSTM, suffix: str) -> LstmWeights:
    if lstm.proj_size:
        raise UnsupportedModelError("the LSTM has projections (proj_size), which ONNX's LSTM lacks")

    def weight(name: str) -> Array:
        found = getattr(lstm, name + suffix, None)
        if isinstance(found, Tensor):
            return np.array(found.detach().to("cpu", torch.float32).numpy())
        return np.zeros(4 * lstm.hidden_size, np.float32)  # bias=False

    return LstmWeights(*map(weight, ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))
