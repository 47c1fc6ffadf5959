"""A forward has to answer the same text twice alike."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lstm_export.reading.calls import Call
from lstm_export.reading.refusal import UNSTEADY, RefusalError
from lstm_export.reading.watch import Observation, observe


def require_steady(module: nn.Module, call: Call, ids: Sequence[int], first: Observation) -> None:
    """Run ``module`` again on a text that it has answered.

    Raises:
        RefusalError: when the answers differ; says what is random or kept.

    """
    second = observe(module, call, ids)
    if _same(first, second):
        return
    states = "random first states" if _states_differ(first, second) else "a dropout left on"
    if not _same(*(_seeded(module, call, ids) for _ in range(2))):
        raise RefusalError(
            "forward answers differently each time: it keeps states from call to call; let it "
            "start every text anew",
            UNSTEADY,
        )
    raise RefusalError(
        f"forward answers differently each time, though the module is in evaluation mode: {states} "
        "(give dropout training=self.training; start from zeros)",
        UNSTEADY,
    )


def _seeded(module: nn.Module, call: Call, ids: Sequence[int]) -> Observation:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return observe(module, call, ids)


def _same(one: Observation, two: Observation) -> bool:
    return all(
        np.allclose(value, two.outputs[name], rtol=1e-6, atol=1e-7, equal_nan=True)
        for name, value in one.outputs.items()
    )


def _states_differ(one: Observation, two: Observation) -> bool:
    def states(observation: Observation) -> list[torch.Tensor]:
        return [
            state
            for call in observation.calls
            if isinstance(call.layer, nn.LSTM) and len(call.given) > 1 and call.given[1] is not None
            for state in call.given[1]
        ]

    first, second = states(one), states(two)
    if len(first) != len(second):
        return True
    return any(not torch.equal(a, b) for a, b in zip(first, second, strict=True))
