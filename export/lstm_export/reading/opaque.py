"""A compiled module, whose layers cannot be watched: its weights are read by name and shape.

Every reading of them is then tried, and the module's own answers choose.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
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
from lstm_export.reading.agreement import find_padding
from lstm_export.reading.answer import Answer, answers_at, settle_activation, to_probability
from lstm_export.reading.calls import Call, usual_calls
from lstm_export.reading.head import Closest, Point
from lstm_export.reading.refusal import OutsideFamilyError, RefusalError, most_telling
from lstm_export.reading.runs import answer_of, answers_of_batch, observe_call, of_one_size
from lstm_export.reading.sources import Values
from lstm_export.reading.steady import require_steady
from lstm_export.readout import Readout
from lstm_export.reference.copying import copy_module
from lstm_export.reference.neighbours import beside_others
from lstm_export.reference.torch_model import TorchReference

PROBE_LENGTHS = (1, 2, 9, 23)
_FACTORS = (30.0, -30.0)
"""What the weights of a linear layer are multiplied with, to see what becomes of large numbers."""
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

    def __init__(self, module: nn.Module, hints: ArchitectureHints) -> None:
        self.module = module.eval()
        self.name = str(getattr(module, "original_name", type(module).__name__))
        try:
            weights = read_state_dict(module.state_dict())
        except UnsupportedModelError as error:
            raise OutsideFamilyError(str(error)) from error
        texts = _probes(weights)
        self._call, outputs = self._find_call(weights, texts)
        variants = list(_variants(self.module, weights, self._call, texts))
        original = _Variant(weights, texts, outputs)
        draft, self._answer = _find(original, variants, hints, self.name)
        activation = settle_activation(self._answer, hints.activation, draft.classes)
        self.network = replace(draft, activation=activation)
        self.returned = self._answer.returned
        self._as_probability = to_probability(self.returned, activation)
        beside = partial(answers_of_batch, self.module, self._call, output=self._answer.output)
        self.notes = beside_others(beside, self._alone)
        try:
            self.padding = find_padding(self.network, self.probability)
        except RefusalError as error:
            raise most_telling([error], self.name) from error

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text, as the exported file gives it."""
        return self._as_probability(self._alone(ids))

    def _alone(self, ids: Sequence[int]) -> Array:
        return answer_of(self.module, self._call, ids, self._answer.output)

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


@dataclass(frozen=True)
class _Variant:
    """The module as it is, or with other numbers in one of its layers."""

    weights: NetworkWeights
    "Its weights."
    texts: list[list[int]]
    "Texts."
    outputs: dict[str, Values]
    "What it returns for these."

    def answers(self, draft: Network, closest: Closest) -> Iterator[Answer]:
        """Yield the ways in which ``draft``, a reading of these weights, gives the answers."""
        reference = TorchReference(draft)
        values = tuple(map(reference.head_output, self.texts))
        point = Point(values, draft.head, draft.readout)
        for output, wanted in self.outputs.items():
            yield from answers_at(point, output, wanted, closest)


def _find(
    original: _Variant, variants: list[_Variant], hints: ArchitectureHints, name: str
) -> tuple[Network, Answer]:
    """Return the reading whose numbers are the module's own, also with other weights."""
    closest = Closest()
    alike = (_readings(one.weights, hints) for one in (original, *variants))
    for draft, *others in zip(*alike, strict=True):
        for answer in original.answers(draft, closest):
            wanted = _structure(answer)
            if all(
                wanted in map(_structure, variant.answers(other, Closest()))
                for variant, other in zip(variants, others, strict=True)
            ):
                return replace(draft, head=answer.point.head), answer
            closest.what = f"{_told(answer)}, which does not hold for other numbers in its layers"
    raise OutsideFamilyError(
        f"no reading of its weights gives the answers of {name}.forward: nearest is "
        f"{closest.what}, which differs by {closest.difference:.2g}; give its class as --module"
    )


def _told(answer: Answer) -> str:
    return f"readout {answer.point.readout}, {len(answer.point.head)} layers"


def _structure(answer: Answer) -> tuple[object, ...]:
    """Return what of an answer does not depend on the numbers in linear layers."""
    head = (one if isinstance(one, Elementwise) else type(one) for one in answer.point.head)
    return (answer.output, answer.activation, answer.returned, *head)


def _variants(
    module: nn.Module, weights: NetworkWeights, call: Call, texts: list[list[int]]
) -> Iterator[_Variant]:
    """Yield what a module with larger numbers in a linear layer returns, where it bears them.

    A function that bounds what it reads, such as ReLU6, shows only in numbers beyond the bound; and
    cell states grow with the word vectors.
    """
    rows = weights.embedding.shape
    tables = [name for name, tensor in module.state_dict().items() if tensor.shape == rows]
    for name, factor in product([*weights.linear, *tables], _FACTORS):
        layer = name.rpartition(".")[0]
        try:
            changed = copy_module(module)
            for key, tensor in changed.state_dict().items():
                if key.rpartition(".")[0] == layer:
                    tensor.mul_(factor)  # in place: it is the layer's own
            seen = [observe_call(changed, call, ids) for ids in texts]
            outputs = of_one_size(seen, call, len(texts[-1]))
        except UnsupportedModelError:
            continue
        yield _Variant(read_state_dict(changed.state_dict()), texts, outputs)


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
