"""The user's own PyTorch module: how to call it, and the network that it is found to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network
from lstm_export.reading.agreement import find_padding
from lstm_export.reading.answer import Answer, settle_activation, to_probability
from lstm_export.reading.calls import Call, usual_calls
from lstm_export.reading.head import Closest, HeadTracer
from lstm_export.reading.lstm import LstmView, read_initial, read_layers, view_lstm
from lstm_export.reading.placing import place_layers, require_answer
from lstm_export.reading.refusal import BATCH, CALL, READING, RefusalError, most_telling
from lstm_export.reading.runs import answer_of, answers_of_batch, observe_call, of_one_size
from lstm_export.reading.sources import Sources
from lstm_export.reading.steady import require_steady
from lstm_export.reading.watch import Observation
from lstm_export.reading.words import word_table
from lstm_export.readout import Readout
from lstm_export.reference.neighbours import beside_others

PROBE_LENGTHS = (1, 2, 5, 9, 23, 40)
"""Lengths of the random texts that a module is watched on."""
_STIRRINGS = ((3.0, 23), (3.0, 40), (0.3, 9), (30.0, 9), (250.0, 5))
"""Sizes of the random numbers behind the LSTM, of either sign, and lengths of the texts: a bound
shows in numbers beyond it, and means of many large ones are inexact."""


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
        notes: what the owner should know of the answer.

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
                # That it runs over the batch says only that it is not called by time.
                guess = error.rank == BATCH and "by time" in call.name
                refusals.append(RefusalError(str(error), CALL) if guess else error)
            else:
                return
        raise most_telling(refusals, self.name)

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text, as the exported file gives it."""
        return self._as_probability(self._alone(ids))

    def _read(self, hints: ArchitectureHints) -> None:
        """Find what the module does when called in one way."""
        texts = _probes(self.module)
        runs = [_run(self.module, self._call, ids) for ids in texts]
        genuine = len(runs)
        runs += _stirred(self.module, self._call, texts)
        outputs = of_one_size([run.seen for run in runs], self._call, PROBE_LENGTHS[-1])
        # An LSTM forgets its first states over a long text.
        for run in (runs[0], runs[genuine - 1]):
            require_steady(self.module, self._call, run.ids, run.seen)
        tracer, closest = HeadTracer(Sources(tuple(run.lstm for run in runs)), genuine), Closest()
        unplaced = place_layers(tracer, [run.seen for run in runs], closest)
        try:
            layers = read_layers(runs[0].lstm)
            table = word_table(
                self.module, self._call, [(run.ids, run.seen, run.lstm) for run in runs]
            )
            initial = read_initial([run.lstm for run in runs])
        except UnsupportedModelError as error:
            raise RefusalError(str(error), READING) from error
        self._answer = require_answer(self.module, outputs, tracer, closest, unplaced)
        point = self._answer.point
        readout = point.readout or Readout(())
        draft = Network(table, layers, point.head, readout, "none", initial)
        activation = settle_activation(self._answer, hints.activation, draft.classes)
        _require_agreement(readout, hints)
        self.network = Network(table, layers, point.head, readout, activation, initial)
        _require_finite(self.network)
        self.returned = self._answer.returned
        beside = partial(answers_of_batch, self.module, self._call, output=self._answer.output)
        self.notes = (*_notes(self._answer), *beside_others(beside, self._alone))
        self._as_probability = to_probability(self.returned, activation)
        self.padding = self._find_padding()

    def _alone(self, ids: Sequence[int]) -> Array:
        return answer_of(self.module, self._call, ids, self._answer.output)

    def _find_padding(self) -> frozenset[int]:
        """Return the ids that the module treats as no words, so that no comparison uses them."""
        given = {layer.padding_idx for layer in _embeddings(self.module)}
        candidates = frozenset(n for n in given if n is not None)
        return find_padding(self.network, self.probability, candidates)


def _notes(answer: Answer) -> tuple[str, ...]:
    if not answer.others:
        return ()
    left = ", ".join(answer.others)
    return (f"the answer is taken from {answer.output}; left out: {left}",)


def _run(module: nn.Module, call: Call, ids: list[int]) -> Run:
    seen = observe_call(module, call, ids)
    return Run(tuple(ids), seen, view_lstm(seen))


def _stirred(module: nn.Module, call: Call, texts: list[list[int]]) -> list[Run]:
    """Run with random numbers behind the LSTM, as large as the module bears."""
    of_length, runs = {len(ids): ids for ids in texts}, []
    for size, length in _STIRRINGS:
        for signed in (size, -size):
            ids = of_length[length]
            try:
                seen = observe_call(module, call, ids, stirred=signed)
            except RefusalError:
                continue
            if all(np.isfinite(value).all() for value in seen.outputs.values()):
                runs.append(Run(tuple(ids), seen, view_lstm(seen)))
    return runs


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
