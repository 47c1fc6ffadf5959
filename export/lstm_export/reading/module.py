"""The user's own PyTorch module: how to call it, and the network that it is found to be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network
from lstm_export.reading.answer import Answer, find_answer, settle_activation, to_probability
from lstm_export.reading.calls import Call, usual_calls
from lstm_export.reading.head import Closest, HeadTracer
from lstm_export.reading.leaves import head_layer, values_of
from lstm_export.reading.lstm import LstmView, read_initial, read_layers, view_lstm
from lstm_export.reading.refusal import READING, RefusalError, most_telling
from lstm_export.reading.runs import answer_of, observe_call, of_one_size
from lstm_export.reading.sources import Sources, Values, difference
from lstm_export.reading.steady import require_steady
from lstm_export.reading.watch import LayerCall, Observation
from lstm_export.reading.words import word_table
from lstm_export.readout import Readout
from lstm_export.reference.torch_model import TorchReference

PROBE_LENGTHS = (1, 2, 5, 9, 23, 40)
"""Lengths of the random texts that a module is watched on."""


@dataclass(frozen=True)
class Run:
    """One text and what was seen of it."""

    ids: tuple[int, ...]
    "The text."
    seen: Observation
    "Every layer's call."
    lstm: LstmView
    "The LSTM's."


class UserModule:
    """A module in evaluation mode together with the way to call it.

    Args:
        module: any module that takes int ids, ``[1, sequence]`` or ``[sequence, 1]``, alone or
            with lengths, a mask or states, and returns probabilities, logits or log-probabilities,
            alone or among other things.
        hints: what the user says of it, which has to agree with what it does.

    Attributes:
        network: what it is found to be.
        returned: what its forward returns.
        padding: ids that it leaves out, wherever they stand.

    Raises:
        UnsupportedModelError: when it cannot be called so, answers differently twice, or does
            something that no `Network` does; the message names it.

    """

    def __init__(self, module: nn.Module, hints: ArchitectureHints) -> None:
        self.module = module.eval()
        self.name = type(module).__name__
        refusals: list[RefusalError] = []
        for call in usual_calls(module, _state_shape(module)):
            try:
                self._call = call
                self._read(hints)
            except RefusalError as error:
                refusals.append(error)
            else:
                return
        raise most_telling(refusals, self.name)

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text, as the exported file gives it."""
        return self._as_probability(answer_of(self.module, self._call, ids, self._answer.output))

    def _read(self, hints: ArchitectureHints) -> None:
        """Find what the module does when called in one way."""
        texts = _probes(self.module)
        runs = [_run(self.module, self._call, ids) for ids in texts]
        genuine = len(runs)
        runs += _stirred(self.module, self._call, texts[-2:])
        outputs = of_one_size([run.seen for run in runs], self._call, PROBE_LENGTHS[-1])
        # An LSTM forgets its first states over a long text.
        for run in (runs[0], runs[genuine - 1]):
            require_steady(self.module, self._call, run.ids, run.seen)
        tracer, closest = HeadTracer(Sources(tuple(run.lstm for run in runs)), genuine), Closest()
        unplaced = _place(tracer, [run.seen for run in runs], closest)
        try:
            layers = read_layers(runs[0].lstm)
            table = word_table(
                self.module, self._call, [(run.ids, run.seen, run.lstm) for run in runs]
            )
            initial = read_initial([run.lstm for run in runs])
        except UnsupportedModelError as error:
            raise RefusalError(str(error), READING) from error
        self._answer = _find(self, outputs, tracer, closest, unplaced)
        point = self._answer.point
        readout = point.readout or Readout(())
        draft = Network(table, layers, point.head, readout, "none", initial)
        activation = settle_activation(self._answer, hints.activation, draft.classes)
        _require_agreement(readout, hints)
        self.network = Network(table, layers, point.head, readout, activation, initial)
        _require_finite(self.network)
        self.returned = self._answer.returned
        self._as_probability = to_probability(self.returned, activation)
        self.padding = self._find_padding()

    def _find_padding(self) -> frozenset[int]:
        """Return the ids that the module treats as no words, so that no comparison uses them."""
        rows = len(self.network.embedding)
        reference, word = TorchReference(self.network), rows - 1
        given = {layer.padding_idx for layer in _embeddings(self.module)}
        candidates = {0, 1, *(n for n in given if n is not None)} - {word}
        return frozenset(n for n in candidates if n < rows and self._skips(n, word, reference))

    def _skips(self, n: int, word: int, reference: TorchReference) -> bool:
        for ids in ([word, n, word], [word, word, n], [n, word]):
            try:
                theirs = self.probability(ids)
            except UnsupportedModelError:
                return True
            if difference([reference.probability(ids)], [theirs]) > 1e-4:
                return True
        return False


def _find(
    user: UserModule,
    outputs: dict[str, Values],
    tracer: HeadTracer,
    closest: Closest,
    unplaced: list[str],
) -> Answer:
    try:
        return find_answer(outputs, tracer, closest)
    except UnsupportedModelError as error:
        left = [*unplaced, *_loose_parameters(user.module)]
        tail = f"; not placed: {_some(left)}" if left else ""
        raise RefusalError(
            f"no reading of its weights gives the answers of {user.name}.forward: it does "
            "something that embedding, LSTM and the layers behind it alone do not, such as "
            f"attention or a convolution; nearest is {closest.what}, which differs by "
            f"{closest.difference:.2g}{tail}",
            READING,
        ) from error


def _run(module: nn.Module, call: Call, ids: list[int]) -> Run:
    seen = observe_call(module, call, ids)
    return Run(tuple(ids), seen, view_lstm(seen))


def _stirred(module: nn.Module, call: Call, texts: list[list[int]]) -> list[Run]:
    """Run with random numbers behind the LSTM, where the module bears it."""
    try:
        seen = [observe_call(module, call, ids, stirred=True) for ids in texts]
    except RefusalError:
        return []
    values = [value for run in seen for value in run.outputs.values()]
    if not all(np.isfinite(value).all() for value in values):
        return []
    return [Run(tuple(ids), run, view_lstm(run)) for ids, run in zip(texts, seen, strict=True)]


def _place(tracer: HeadTracer, runs: list[Observation], closest: Closest) -> list[str]:
    """Place all layers behind the LSTM; return those that have no place."""
    unplaced: list[str] = []
    behind = [_behind_lstm(run) for run in runs]
    if len({tuple(call.name for call in calls) for calls in behind}) > 1:
        return ["layers that run for some lengths only"]
    for calls in zip(*behind, strict=True):
        layer = head_layer(calls[0].layer)
        if layer is None:
            if any(True for _ in calls[0].layer.parameters()):
                unplaced.append(calls[0].kind)
            continue
        given = tuple(values_of(call.layer, call.given[0]) for call in calls)
        returned = tuple(values_of(call.layer, call.output) for call in calls)
        near = tracer.place(layer, given, returned)
        if near is not None:
            unplaced.append(calls[0].kind)
            if near.difference < closest.difference:
                closest.difference, closest.what = near.difference, near.what
    return unplaced


def _behind_lstm(run: Observation) -> list[LayerCall]:
    last = max(n for n, call in enumerate(run.calls) if isinstance(call.layer, nn.LSTM))
    return run.calls[last + 1 :]


def _require_finite(network: Network) -> None:
    arrays = [network.embedding, *(w.weight_hh for layer in network.layers for w in layer)]
    if not all(np.isfinite(array).all() for array in arrays):
        raise UnsupportedModelError("the embedding or the LSTM holds NaN or infinite weights")


def _require_agreement(readout: Readout, hints: ArchitectureHints) -> None:
    if hints.readout is None:
        return
    wanted = Readout.parse(hints.readout, bidirectional=readout.bidirectional)
    if wanted != readout:
        raise UnsupportedModelError(
            f"forward reads {readout} of the LSTM, not {hints.readout}: leave --readout out"
        )


def _probes(module: nn.Module) -> list[list[int]]:
    rows = max((layer.num_embeddings for layer in _embeddings(module)), default=0)
    if not rows:
        raise RefusalError("forward looks the words up in no nn.Embedding", READING)
    padding = {0, 1, *(layer.padding_idx for layer in _embeddings(module))}
    words = [n for n in range(rows) if n not in padding] or list(range(rows))
    random = np.random.default_rng(2)
    return [random.choice(words, length).tolist() for length in PROBE_LENGTHS]


def _embeddings(module: nn.Module) -> list[nn.Embedding]:
    return [layer for layer in module.modules() if isinstance(layer, nn.Embedding)]


def _state_shape(module: nn.Module) -> tuple[int, int, int] | None:
    for layer in module.modules():
        if isinstance(layer, nn.LSTM):
            return layer.num_layers * (1 + layer.bidirectional), 1, layer.hidden_size
    return None


def _loose_parameters(module: nn.Module) -> list[str]:
    """Return weights that belong to no layer of PyTorch's."""
    return [
        f"{name} {list(weight.shape)}"
        for name, weight in module.named_parameters()
        if not type(module.get_submodule(name.rpartition(".")[0])).__module__.startswith("torch.")
    ]


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
