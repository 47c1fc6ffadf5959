"""Whether a captured graph gives a module's own values, at lengths and ids that it never saw."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.inference.session import import_onnxruntime
from onnx import ModelProto

from lstm_export.traced.forward import Forward

IDS = "ids"
"""Name of a captured graph's input."""
LENGTHS = (1, 2, 3, 5, 7, 11, 28, 30, 64, 190, 450, 513, 1025, 2100)
"""Of the texts that a graph has to be right on."""
ATOL = 1e-4
"""Largest difference of a value, relative above 1: a frozen graph is off by far more."""


class QuietSession:
    """An ONNX Runtime session of a captured graph that writes nothing anywhere."""

    def __init__(self, model: ModelProto) -> None:
        runtime = import_onnxruntime()
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        data = model.SerializeToString()
        self._session: Any = runtime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )

    def gives(self, ids: Sequence[int], wanted: Array) -> bool:
        """Tell whether the graph gives ``wanted`` for one text."""
        (found,) = self._session.run(None, {IDS: np.array([ids])})
        alike = wanted.shape == found.shape
        return alike and bool(np.allclose(wanted, found, rtol=ATOL, atol=ATOL, equal_nan=True))


def wrong_text(session: QuietSession, forward: Forward) -> str | None:
    """Say for which text a graph differs from the module; None where it holds for all."""
    for ids in forward.probes([forward.min_tokens, *probe_lengths(forward)]):
        try:
            right = session.gives(ids, forward(ids))
        except Exception:  # whatever ONNX Runtime raises, the graph does not hold
            return f"fails for a text of {len(ids)} tokens"
        if not right:
            return f"is wrong for a text of {len(ids)} tokens"
    return next(
        (
            f"is wrong for a text with the id {n}"
            for n, ids in forward.marked()
            if _is_wrong(session, forward, ids)
        ),
        None,
    )


def _is_wrong(session: QuietSession, forward: Forward, ids: list[int]) -> bool:
    try:
        wanted = forward(ids)
    except Exception:  # the module's own: there is no answer to be wrong about
        return False
    try:
        return not session.gives(ids, wanted)
    except Exception:  # whatever ONNX Runtime raises, the graph does not hold
        return True


def probe_lengths(forward: Forward) -> list[int]:
    """Return those of the usual lengths that the module reads; the only one several times."""
    if forward.min_tokens == forward.max_tokens:
        return [forward.min_tokens] * 4
    end = forward.max_tokens or max(LENGTHS)
    return [n for n in LENGTHS if forward.min_tokens <= n <= end]


def gives_own(session: QuietSession, forward: Forward, ids: list[int]) -> bool:
    """Tell whether a graph gives the module's own, finite values for a text with padding."""
    try:
        wanted = forward(ids)
        return bool(np.isfinite(wanted).all()) and session.gives(ids, wanted)
    except Exception:  # whatever either raises, there is no answer
        return False
