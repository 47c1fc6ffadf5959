"""A compiled module, whose layers cannot be watched: its weights are read by name and shape.

Every reading of them is then tried, and the module's own answers choose.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product

import numpy as np
import torch
from lstm_runtime.arrays import Array
from torch import nn

from lstm_export.checkpoint.assume import linear_orders
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.state_dict import NetworkWeights, read_state_dict
from lstm_export.errors import UnsupportedModelError
from lstm_export.layers import FUNCTIONS, Elementwise, HeadLayer
from lstm_export.network import Network
from lstm_export.reading.answer import Answer, answers_at, settle_activation, to_probability
from lstm_export.reading.calls import Call, usual_calls
from lstm_export.reading.head import Closest, Point
from lstm_export.reading.refusal import OutsideFamilyError, RefusalError, most_telling
from lstm_export.reading.runs import answer_of, observe_call, of_one_size
from lstm_export.reading.sources import Values
from lstm_export.reading.steady import require_steady
from lstm_export.readout import Readout
from lstm_export.reference.torch_model import TorchReference

PROBE_LENGTHS = (1, 2, 9, 23)
POOLS = ("last", "step", "mean", "max", "first", "cell")


def is_opaque(content: object) -> bool:
    """Tell whether ``content`` is a module that Python cannot look into."""
    return isinstance(content, torch.jit.ScriptModule)


class OpaqueModule:
    """A compiled module together with the way to call it.

    Args:
        module: takes and returns what a `UserModule` may.
        hints: narrow the readings that are tried.

    Raises:
        UnsupportedModelError: when it cannot be called, or no reading of its weights gives its
            answers.

    """

    padding: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def __init__(self, module: nn.Module, hints: ArchitectureHints) -> None:
        self.module = module.eval()
        self.name = str(getattr(module, "original_name", type(module).__name__))
        try:
            weights = read_state_dict(module.state_dict())
        except UnsupportedModelError as error:
            raise OutsideFamilyError(str(error)) from error
        texts = _probes(weights)
        self._call, outputs = self._find_call(weights, texts)
        draft, self._answer = _find(weights, hints, texts, outputs, self.name)
        activation = settle_activation(self._answer, hints.activation, draft.classes)
        self.network = replace(draft, activation=activation)
        self.returned = self._answer.returned
        self._as_probability = to_probability(self.returned, activation)

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text, as the exported file gives it."""
        return self._as_probability(answer_of(self.module, self._call, ids, self._answer.output))

    def _find_call(
        self, weights: NetworkWeights, texts: list[list[int]]
    ) -> tuple[Call, dict[str, Values]]:
        """Return the first way to call the module that gives one answer for texts of any length."""
        layers = weights.layers
        shape = (len(layers) * len(layers[0]), 1, layers[0][0].hidden)
        refusals: list[RefusalError] = []
        for call in usual_calls(self.module, shape):
            try:
                seen = [observe_call(self.module, call, ids) for ids in texts]
                outputs = of_one_size(seen, call, len(texts[-1]))
                for n in (0, -1):
                    require_steady(self.module, call, texts[n], seen[n])
            except RefusalError as error:
                refusals.append(error)
            else:
                return call, outputs
        raise most_telling(refusals, self.name)


def _find(
    weights: NetworkWeights,
    hints: ArchitectureHints,
    texts: list[list[int]],
    outputs: dict[str, Values],
    name: str,
) -> tuple[Network, Answer]:
    """Return the reading whose numbers are the module's own."""
    closest = Closest()
    for draft in _readings(weights, hints):
        reference = TorchReference(draft)
        point = Point(tuple(map(reference.head_output, texts)), draft.head, draft.readout)
        for output, values in outputs.items():
            for answer in answers_at(point, output, values, closest):
                return replace(draft, head=answer.point.head), answer
    raise OutsideFamilyError(
        f"no reading of its weights gives the answers of {name}.forward: nearest is "
        f"{closest.what}, which differs by {closest.difference:.2g}; give its class as --module"
    )


def _readings(weights: NetworkWeights, hints: ArchitectureHints) -> Iterator[Network]:
    """Yield the readings that weights and hints leave open, the most usual first."""
    both = len(weights.layers[0]) == 2
    functions: list[Elementwise | None] = [None, *map(Elementwise.usual, FUNCTIONS)]
    for text in [hints.readout] if hints.readout else _readouts(both=both):
        readout = Readout.parse(text, bidirectional=both)
        draft = Network(weights.embedding, weights.layers, (), readout)
        for order in linear_orders(weights.linear, draft.features):
            linear = [weights.linear[name] for name in order]
            betweens = functions if len(linear) > 1 else [None]
            for before, between in product(functions, betweens):
                yield replace(draft, head=_head(linear, before, between))


def _head(
    linear: Sequence[HeadLayer], before: Elementwise | None, between: Elementwise | None
) -> tuple[HeadLayer, ...]:
    head: list[HeadLayer] = []
    for layer in linear:
        gap = between if head else before
        head += [layer] if gap is None else [gap, layer]
    return tuple(head)


def _readouts(*, both: bool) -> Iterator[str]:
    sides = ("", ":reversed", ":sum", ":average", ":forward", ":backward") if both else ("",)
    yield from (f"{pool}{side}" for pool, side in product(POOLS, sides))
    for count in (2, 3):
        yield from (",".join(pools) for pools in permutations(("last", "mean", "max"), count))


def _probes(weights: NetworkWeights) -> list[list[int]]:
    rows = len(weights.embedding)
    first = 2 if rows > 4 else 0  # padding usually has one of the first two ids
    random = np.random.default_rng(2)
    return [random.integers(first, rows, length).tolist() for length in PROBE_LENGTHS]
