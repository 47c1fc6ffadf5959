"""The original that exported files are compared with."""

from collections.abc import Sequence

import numpy as np
from lstm_runtime.arrays import Array

from lstm_export.checkpoint.source import Source
from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network
from lstm_export.parity.cases import Case
from lstm_export.reference.outputs import ModelOutput, States
from lstm_export.reference.torch_model import TorchReference


class Original:
    """The user's own module where there is one, else our reading of the weights.

    States and trajectory always come from the reading: a foreign ``forward`` need not return
    them. Where there is a module, the reading has been found equal to it; a captured network has
    the module alone.
    """

    def __init__(self, source: Source) -> None:
        network = source.network
        self._reading = TorchReference(network) if isinstance(network, Network) else None
        answering = source.original or self._reading
        if answering is None:
            raise UnsupportedModelError("a captured network needs its module to be compared with")
        self._score = answering.probability

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the probabilities of one text, ``[classes]``."""
        return self._score(ids)

    def answer(self, case: Case) -> ModelOutput:
        """Run every text of a case by itself."""
        answers = [self._answer(case, n) for n in range(len(case.ids))]
        return join(answers)

    def _answer(self, case: Case, n: int) -> ModelOutput:
        if self._reading is None or not self._reading.network.continuable:
            return ModelOutput(self.probability(case.ids[n])[np.newaxis])
        read = self._reading.answer(case.ids[n], case.h0[:, n : n + 1], case.c0[:, n : n + 1])
        if case.carried:
            return read
        return ModelOutput(self.probability(case.ids[n])[np.newaxis], read.states)


def join(answers: Sequence[ModelOutput]) -> ModelOutput:
    """Make one answer of those for each text of a batch."""
    probability = np.concatenate([answer.probability for answer in answers])
    found = [answer.states for answer in answers if answer.states is not None]
    if not found:
        return ModelOutput(probability)
    return ModelOutput(
        probability,
        States(
            [row for states in found for row in states.trajectory],
            np.concatenate([states.hn for states in found], axis=1),
            np.concatenate([states.cn for states in found], axis=1),
        ),
    )
