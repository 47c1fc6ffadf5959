"""The proof: an exported file and the original model on the same inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.inference.providers import open_session
from lstm_runtime.model_file import contract
from lstm_runtime.model_file.contract import Precision
from numpy.typing import NDArray

from lstm_export.network import Network
from lstm_export.parity.cases import Case
from lstm_export.parity.ground_truth import join
from lstm_export.reference.numpy_model import witness
from lstm_export.reference.outputs import Answer, States

NEAR_THRESHOLD = 0.02
WITNESS_BATCH = 5


@dataclass(frozen=True)
class Tolerance:
    """What an exported model may differ by, and still be the same model."""

    largest: float
    "Largest difference of a probability."
    mean: float
    "Mean difference of the probabilities."
    share: float = 1.0
    "Share of the texts that have to lie within ``largest``; reference texts always have to."
    agreement: float = 1.0
    "Share of texts with the same label, among those not within 0.02 of the threshold."
    trajectory: float | None = None
    "Largest difference of a probability on the way; None where it is reported only."
    states: float | None = None
    "Largest difference of the states, relative above 1; None where it is reported only."

    def scaled_to(self, largest: float) -> "Tolerance":
        """Return the same with another ``largest``, along which the bound of the mean moves."""
        return replace(self, largest=largest, mean=self.mean * largest / self.largest)


# Cells add up over hundreds of steps, and float32's rounding with them: on trained models, 9e-6 was
# measured on the way and 4e-5 in a cell. A wrong gate shows as 0.1. With coarser weights there are
# texts that the model cannot decide, where any rounding decides: in int8, up to three in a hundred
# texts of random words moved by more than 0.05 (one by 0.24), but no reference text by 0.02.
TOLERANCES: Mapping[Precision, Tolerance] = {
    "fp32": Tolerance(largest=1e-5, mean=1e-5, trajectory=1e-4, states=5e-4),
    "fp16": Tolerance(largest=5e-3, mean=5e-3, share=0.95, agreement=0.995),
    "int8": Tolerance(largest=0.05, mean=0.005, share=0.95, agreement=0.995),
}


@dataclass(frozen=True)
class CaseParity:
    """Differences in one case."""

    name: str
    "Batch and length, or which text."
    largest: dict[str, float]
    "Output to its largest difference; that of states is relative to values above 1."
    reference: bool
    "Whether it is one of the texts that the file carries as its reference."


@dataclass(frozen=True)
class Parity:
    """Differences between one model and the original over all cases."""

    cases: tuple[CaseParity, ...]
    "Case by case."
    wanted: Array
    "The original's probabilities, ``[texts, classes]``."
    found: Array
    "The other's, alike."

    @property
    def largest(self) -> dict[str, float]:
        """Largest difference of each output."""
        names = self.cases[0].largest
        return {n: float(np.max([case.largest[n] for case in self.cases])) for n in names}

    @property
    def mean(self) -> float:
        """Mean difference of the probabilities."""
        return float(np.abs(self.wanted - self.found).mean())

    def share_within(self, limit: float) -> float:
        """Share of the texts whose probabilities differ by ``limit`` at most."""
        return float((np.abs(self.wanted - self.found).max(axis=1) <= limit).mean())

    @property
    def agreement(self) -> float:
        """Share of texts with the same label, among those not within 0.02 of the threshold."""
        clear = _margin(self.wanted) > NEAR_THRESHOLD
        same = _labels(self.wanted) == _labels(self.found)
        return float(same[clear].mean()) if clear.any() else 1.0

    @property
    def worst_case(self) -> str:
        """The case with the largest difference of a probability."""
        differences = [case.largest[contract.PROBABILITY] for case in self.cases]
        return self.cases[int(np.argmax(differences))].name

    def accuracy(self, labels: Sequence[int]) -> tuple[float, float]:
        """Return the share of right answers of the original and the other.

        Args:
            labels: those of the last texts compared.

        """
        right = np.array(labels)
        end = len(right)
        before, after = (_labels(values[-end:]) == right for values in (self.wanted, self.found))
        return float(before.mean()), float(after.mean())

    def summary(self) -> dict[str, Any]:
        """Return what goes into the file's metadata."""
        return {
            "texts": len(self.wanted),
            "largest": self.largest,
            "mean": self.mean,
            "agreement": self.agreement,
            "worst_case": self.worst_case,
        }

    def failures(self, tolerance: Tolerance) -> list[str]:
        """Say what lies outside ``tolerance``; nothing when all is within. A NaN is outside."""
        largest = self.largest
        bounds = {
            contract.TRAJECTORY: tolerance.trajectory,
            contract.HN: tolerance.states,
            contract.CN: tolerance.states,
        }
        limits = [
            *self._reference_limits(tolerance.largest),
            ("mean probability", self.mean, tolerance.mean),
            *((n, largest[n], b) for n, b in bounds.items() if n in largest and b is not None),
        ]
        failures = [
            f"{name} differs by {value:.2g}, allowed is {limit:.2g}"
            for name, value, limit in limits
            if not value <= limit
        ]
        within = self.share_within(tolerance.largest)
        if not within >= tolerance.share:
            worst = f"worst is case {self.worst_case}, by {largest[contract.PROBABILITY]:.2g}"
            failures.append(
                f"{within:.2%} of the probabilities differ by {tolerance.largest:.2g} at most, "
                f"needed are {tolerance.share:.0%} ({worst})"
            )
        if not self.agreement >= tolerance.agreement:
            needed = f"needed are {tolerance.agreement:.2%}"
            failures.append(f"{self.agreement:.2%} of the labels agree, {needed}")
        return failures

    def _reference_limits(self, limit: float) -> list[tuple[str, float, float]]:
        return [
            (f"probability (case {case.name})", case.largest[contract.PROBABILITY], limit)
            for case in self.cases
            if case.reference
        ]


def file_parity(model: Path, cases: Sequence[Case], wanted: Sequence[Answer]) -> Parity:
    """Compare the ONNX file ``model``, run on the CPU, with the original's answers."""
    session = open_session(model, "cpu")
    return _parity(cases, wanted, [run_file(session, case) for case in cases])


def witness_parity(network: Network, cases: Sequence[Case], wanted: Sequence[Answer]) -> Parity:
    """Compare the NumPy cell with the original's answers, on the small batches (it is slow)."""
    small = [n for n, case in enumerate(cases) if len(case.ids) <= WITNESS_BATCH]
    cases, wanted = [cases[n] for n in small], [wanted[n] for n in small]
    return _parity(cases, wanted, [run_witness(network, case) for case in cases])


def run_file(session: Any, case: Case) -> Answer:
    """Run one case as one batch through an ONNX Runtime session."""
    lengths = np.array([len(ids) for ids in case.ids], np.int32)
    outputs = [node.name for node in session.get_outputs()]
    found = dict(zip(outputs, session.run(None, _feed(session, case, lengths)), strict=True))
    if contract.TRAJECTORY not in found:
        return Answer(found[contract.PROBABILITY])
    pairs = zip(found[contract.TRAJECTORY], lengths, strict=True)
    trajectory = [row[:length] for row, length in pairs]
    nothing = np.zeros(0, np.float32)
    hn, cn = (found.get(name, nothing) for name in (contract.HN, contract.CN))
    return Answer(found[contract.PROBABILITY], States(trajectory, hn, cn))


def run_witness(network: Network, case: Case) -> Answer:
    """Run one case through the NumPy cell, each text alone."""
    runs = [
        witness(network, ids, case.h0[:, n : n + 1], case.c0[:, n : n + 1])
        for n, ids in enumerate(case.ids)
    ]
    return join(runs)


def _feed(session: Any, case: Case, lengths: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    feed: dict[str, NDArray[Any]] = {}
    if case.texts is not None:
        feed[contract.TEXT] = np.array(case.texts, object)
    else:
        ids = np.zeros((len(lengths), lengths.max()), np.int64)
        for row, text in zip(ids, case.ids, strict=True):
            row[: len(text)] = text
        feed |= {contract.IDS: ids, contract.LENGTHS: lengths}
    nodes = [*session.get_inputs(), *session.get_overridable_initializers()]
    if contract.H0 in {node.name for node in nodes}:
        feed |= {contract.H0: case.h0, contract.C0: case.c0}
    return feed


def _parity(cases: Sequence[Case], wanted: Sequence[Answer], found: Sequence[Answer]) -> Parity:
    return Parity(
        tuple(
            CaseParity(case.name, _largest(w, f), case.reference)
            for case, w, f in zip(cases, wanted, found, strict=True)
        ),
        np.concatenate([answer.probability for answer in wanted]),
        np.concatenate([answer.probability for answer in found]),
    )


def _largest(wanted: Answer, found: Answer) -> dict[str, float]:
    largest = {contract.PROBABILITY: _difference(wanted.probability, found.probability)}
    if wanted.states and found.states:
        largest[contract.TRAJECTORY] = _difference(
            np.concatenate(wanted.states.trajectory), np.concatenate(found.states.trajectory)
        )
        if found.states.hn.size:
            largest[contract.HN] = _difference(wanted.states.hn, found.states.hn)
            largest[contract.CN] = _difference(wanted.states.cn, found.states.cn)
    return largest


def _difference(wanted: Array, found: Array) -> float:
    """Return the largest difference, NaN if there is one.

    A cell state may be large, and float32 has seven digits: above 1, differences are relative.
    """
    return float((np.abs(wanted - found) / np.maximum(1.0, np.abs(wanted))).max())


def _labels(probability: Array) -> NDArray[np.int64]:
    if probability.shape[1] == 1:
        return np.asarray(probability[:, 0] >= 0.5, np.int64)
    return np.asarray(np.argmax(probability, axis=1))


def _margin(probability: Array) -> Array:
    """Return how far each text is from another label."""
    if probability.shape[1] == 1:
        return np.asarray(np.abs(probability[:, 0] - 0.5))
    ordered = np.sort(probability, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])
