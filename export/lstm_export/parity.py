"""The proof: an exported file and the original model on the same inputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lstm_runtime import contract
from lstm_runtime.contract import Precision
from lstm_runtime.providers import open_session
from numpy.typing import NDArray

from lstm_export.cases import Case
from lstm_export.network import Network
from lstm_export.original import Answer, Original

Array = NDArray[np.float32]

OUTPUTS = (contract.PROBABILITY, contract.TRAJECTORY, contract.HN, contract.CN)
NEAR_THRESHOLD = 0.02
WITNESS_BATCH = 5


@dataclass(frozen=True)
class Tolerance:
    """What an exported model may differ by, and still be the same model."""

    largest: float
    "Largest difference of a probability."
    mean: float
    "Mean difference of the probabilities."
    agreement: float
    "Share of texts with the same label, among those not within 0.02 of the threshold."
    states: float | None
    "Largest difference in trajectory and states; None where they are only reported."


TOLERANCES: dict[Precision, Tolerance] = {
    "fp32": Tolerance(largest=1e-5, mean=1e-5, agreement=1.0, states=1e-5),
    "int8": Tolerance(largest=0.05, mean=0.005, agreement=0.995, states=None),
}


@dataclass(frozen=True)
class Parity:
    """Differences between one file and the original over all cases."""

    texts: int
    "Texts compared."
    largest: dict[str, float]
    "Output to its largest difference; that of states is relative to values above 1."
    mean: float
    "Mean difference of the probabilities."
    agreement: float
    "Share of texts with the same label, among those not within 0.02 of the threshold."
    worst_case: str
    "The case with the largest difference of a probability."

    def failures(self, tolerance: Tolerance) -> list[str]:
        """Say what lies outside ``tolerance``; nothing when all is within. A NaN is outside."""
        limits = [
            (
                f"probability (case {self.worst_case})",
                self.largest["probability"],
                tolerance.largest,
            ),
            ("mean probability", self.mean, tolerance.mean),
        ]
        if tolerance.states is not None:
            others = [name for name in self.largest if name != contract.PROBABILITY]
            limits += [(name, self.largest[name], tolerance.states) for name in others]
        failures = [
            f"{name} differs by {value:.2g}, allowed is {limit:.2g}"
            for name, value, limit in limits
            if not value <= limit
        ]
        if not self.agreement >= tolerance.agreement:
            failures.append(
                f"{self.agreement:.2%} of the labels agree, needed are {tolerance.agreement:.2%}"
            )
        return failures


def file_parity(model: Path, original: Original, cases: Iterable[Case]) -> Parity:
    """Compare the ONNX file ``model``, run on the CPU, with the original."""
    session = open_session(model, "cpu")
    return _parity(
        [
            (case.name, original.answer(case.ids, case.h0, case.c0), run_file(session, case))
            for case in cases
        ]
    )


def witness_parity(network: Network, original: Original, cases: Iterable[Case]) -> Parity:
    """Compare the NumPy cell with the original, on the small batches (it is slow)."""
    return _parity(
        [
            (case.name, original.answer(case.ids, case.h0, case.c0), run_witness(network, case))
            for case in cases
            if len(case.ids) <= WITNESS_BATCH
        ]
    )


def run_file(session: Any, case: Case) -> Answer:
    """Run one case as one batch through an ONNX Runtime session."""
    lengths = np.array([len(ids) for ids in case.ids], np.int32)
    if contract.TEXT in {node.name for node in session.get_inputs()}:
        feed: dict[str, NDArray[Any]] = {contract.TEXT: np.array(case.texts, object)}
    else:
        ids = np.zeros((len(lengths), lengths.max()), np.int64)
        for row, text in zip(ids, case.ids, strict=True):
            row[: len(text)] = text
        feed = {contract.IDS: ids, contract.LENGTHS: lengths}
    feed |= {contract.H0: case.h0, contract.C0: case.c0}
    probability, trajectory, hn, cn = session.run(list(OUTPUTS), feed)
    rows = [row[:n] for row, n in zip(trajectory, lengths, strict=True)]
    return Answer(probability, rows, hn, cn)


def run_witness(network: Network, case: Case) -> Answer:
    """Run one case through the NumPy cell, each text alone."""
    runs = [
        network.witness(np.array([ids]), case.h0[:, n : n + 1], case.c0[:, n : n + 1])
        for n, ids in enumerate(case.ids)
    ]
    rows = [run["trajectory"][0] for run in runs]
    hn, cn = (np.concatenate([run[name] for run in runs], axis=1) for name in ("hn", "cn"))
    return Answer(np.stack([row[-1] for row in rows]), rows, hn, cn)


def _parity(pairs: list[tuple[str, Answer, Answer]]) -> Parity:
    by_case = [_differences(wanted, found) for _, wanted, found in pairs]
    probabilities = np.concatenate([found[contract.PROBABILITY] for found in by_case])
    wanted = np.concatenate([answer.probability.ravel() for _, answer, _ in pairs])
    found = np.concatenate([answer.probability.ravel() for _, _, answer in pairs])
    clear = np.abs(wanted - 0.5) > NEAR_THRESHOLD
    same = (wanted >= 0.5) == (found >= 0.5)
    worst = int(np.argmax([found[contract.PROBABILITY].max() for found in by_case]))
    return Parity(
        texts=len(wanted),
        largest={name: float(np.max([found[name].max() for found in by_case])) for name in OUTPUTS},
        mean=float(probabilities.mean()),
        agreement=float(same[clear].mean()) if clear.any() else 1.0,
        worst_case=pairs[worst][0],
    )


def _differences(wanted: Answer, found: Answer) -> dict[str, Array]:
    """Return the differences of each output, flat."""
    pairs = {
        contract.PROBABILITY: (wanted.probability, found.probability),
        contract.TRAJECTORY: (np.concatenate(wanted.trajectory), np.concatenate(found.trajectory)),
        contract.HN: (wanted.hn, found.hn),
        contract.CN: (wanted.cn, found.cn),
    }
    # A cell state may be large, and float32 has seven digits: above 1, differences are relative.
    return {
        name: (np.abs(w - f) / np.maximum(1.0, np.abs(w))).ravel() for name, (w, f) in pairs.items()
    }
