"""The comparison: one model and the original on the same inputs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.inference.providers import open_session
from lstm_runtime.inference.session import SessionSettings
from lstm_runtime.model_file import contract
from numpy.typing import NDArray

from lstm_export.errors import ParityError
from lstm_export.network import Network
from lstm_export.parity.cases import Case
from lstm_export.parity.ground_truth import join
from lstm_export.parity.result import CaseParity, Parity
from lstm_export.parity.suite import ParitySuite
from lstm_export.reference.numpy_model import run_numpy
from lstm_export.reference.outputs import ModelOutput, States

NUMPY_BATCH = 5
"""Largest batch that the NumPy cell is run on: it is slow."""


def file_parity(model: Path, suite: ParitySuite) -> Parity:
    """Compare the ONNX file ``model``, run by ONNX Runtime alone, with the original's answers."""
    session = open_session(model.read_bytes(), "cpu", SessionSettings(kernel=False)).session
    return _parity(suite, [run_file(session, case) for case in suite.cases])


def kernel_parity(model: Path, suite: ParitySuite) -> "tuple[str, Parity] | None":
    """Compare the file as the runtime's int8 kernel runs it.

    Returns:
        The kernel's instruction set and the differences; None where it does not run this file.

    """
    opened = open_session(model.read_bytes(), "cpu")
    if opened.kernel is None:
        return None
    return opened.kernel, _parity(suite, [run_file(opened.session, c) for c in suite.cases])


def numpy_parity(network: Network, suite: ParitySuite) -> Parity:
    """Compare the NumPy cell with the original's answers, on the small batches (it is slow)."""
    small = suite.up_to(NUMPY_BATCH)
    return _parity(small, [run_numpy_case(network, case) for case in small.cases])


def run_file(session: Any, case: Case) -> ModelOutput:
    """Run one case as one batch through an ONNX Runtime session."""
    lengths = np.array([len(ids) for ids in case.ids], np.int32)
    outputs = [node.name for node in session.get_outputs()]
    found = dict(zip(outputs, session.run(None, _feed(session, case, lengths)), strict=True))
    if contract.TRAJECTORY not in found:
        return ModelOutput(found[contract.PROBABILITY])
    pairs = zip(found[contract.TRAJECTORY], lengths, strict=True)
    trajectory = [row[:length] for row, length in pairs]
    nothing = np.zeros(0, np.float32)
    hn, cn = (found.get(name, nothing) for name in (contract.HN, contract.CN))
    return ModelOutput(found[contract.PROBABILITY], States(trajectory, hn, cn))


def run_numpy_case(network: Network, case: Case) -> ModelOutput:
    """Run one case through the NumPy cell, each text alone."""
    runs = [
        run_numpy(network, ids, case.h0[:, n : n + 1], case.c0[:, n : n + 1])
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


def _parity(suite: ParitySuite, found: Sequence[ModelOutput]) -> Parity:
    return Parity(
        tuple(
            CaseParity(case.name, _max_abs(w, f), case.reference, _excerpt(case))
            for case, w, f in zip(suite.cases, suite.expected, found, strict=True)
        ),
        np.concatenate([answer.probability for answer in suite.expected]),
        np.concatenate([answer.probability for answer in found]),
        suite.plain,
        sum(case.reference or case.labelled for case in suite.cases),
        suite.threshold,
        suite.several,
    )


def _excerpt(case: Case) -> str:
    """Return how a reference text begins; the user's own are not told."""
    if not case.reference or not case.texts:
        return ""
    words = case.texts[0].split()
    return f", {' '.join(words[:5])!r}{' …' if len(words) > 5 else ''}"


def _max_abs(wanted: ModelOutput, found: ModelOutput) -> dict[str, float]:
    max_abs = {contract.PROBABILITY: _difference(wanted.probability, found.probability)}
    if wanted.states and found.states:
        max_abs[contract.TRAJECTORY] = _difference(
            np.concatenate(wanted.states.trajectory), np.concatenate(found.states.trajectory)
        )
        if found.states.hn.size:
            max_abs[contract.HN] = _difference(wanted.states.hn, found.states.hn)
            max_abs[contract.CN] = _difference(wanted.states.cn, found.states.cn)
    return max_abs


def _difference(wanted: Array, found: Array) -> float:
    """Return the largest difference, NaN if there is one.

    Raises:
        ParityError: when they are not of one shape, as after one token more.

    """
    if wanted.shape != found.shape:
        raise ParityError(
            f"the file gives {list(found.shape)} numbers where the original gives "
            f"{list(wanted.shape)}: it reads a text as other tokens"
        )
    # A cell state may be large, and float32 has seven digits: above 1, differences are relative.
    return float((np.abs(wanted - found) / np.maximum(1.0, np.abs(wanted))).max())
