"""The proof, once more: the file's reference answers on the device at hand."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_runtime.errors import VerificationError
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.probing import batch_difference
from lstm_runtime.kernel.library import STOCK
from lstm_runtime.model_file.contract import Reference

MEANINGLESS = 0.5
"""A tolerance from which on a label may turn without a difference being found."""


@dataclass(frozen=True)
class Verification:
    """What `SentimentModel.verify` found."""

    count: int
    "Reference inputs replayed."
    max_difference: float
    "Largest difference from the original model's probabilities."
    tolerance: float
    "Largest difference that the export allowed."
    differences: dict[str, float]
    """The largest difference of each LSTM that ran: the kernel's, by its instruction set, and
    ``none``, ONNX Runtime's own; an int8 file is replayed on both where the kernel runs."""

    batch_difference: float | None = None
    """The largest difference between answers alone and in one padded batch; None where texts run
    alone, as with a provider that is wrong about batches."""

    @property
    def passed(self) -> bool:
        """Whether every answer lies within the tolerance (a NaN does not)."""
        return self.max_difference <= self.tolerance


def verify_engine(engine: Engine) -> Verification:
    """Replay the reference answers, with the int8 kernel where it runs and without it.

    Where texts may share a run, they are also asked for in one padded batch.

    Raises:
        VerificationError: when an answer differs by more than the export allowed, and when the
            file has nothing to compare with, or allows whatever comes.

    """
    references, tolerance = engine.metadata.reference, engine.metadata.tolerance
    if not references:
        raise VerificationError(
            f"{engine.path} carries no reference answers, so nothing shows that it is right"
        )
    if tolerance >= MEANINGLESS:
        raise VerificationError(
            f"{engine.path} allows a difference of {tolerance:.2g}, which proves nothing: export "
            f"it again with a tolerance below {MEANINGLESS}"
        )
    differences = {engine.kernel or STOCK: _largest(engine, references)}
    if engine.kernel:
        differences[STOCK] = _largest(engine.open_stock(), references)
    # int8 without the kernel never shares runs on the CPU.
    together = engine.batches and (engine.kernel or engine.metadata.precision != "int8")
    batch = batch_difference(engine) if together else None
    result = Verification(
        len(references), float(np.max(list(differences.values()))), tolerance, differences, batch
    )
    if not result.passed:
        raise VerificationError(
            f"{engine.path} differs from the original model by {result.max_difference:.2g} on "
            f"{engine.provider}, where {result.tolerance:.2g} is allowed"
        )
    if batch is not None and not batch <= tolerance:
        raise VerificationError(
            f"{engine.path} answers alone as the original model does, and differs from that by "
            f"{batch:.2g} in a padded batch on {engine.provider}: score with batch_size=1 there"
        )
    return result


def _largest(engine: Engine, references: Sequence[Reference]) -> float:
    """Return the largest difference; NaN where there is one."""
    return float(np.max([_difference(engine, item) for item in references], initial=0.0))


def _difference(engine: Engine, reference: Reference) -> float:
    if reference.ids is not None:
        feed = engine.ids_feed([reference.ids])
    else:
        feed = engine.text_feed([reference.text or ""])
    found, expected = engine.probabilities(feed)[0], np.array(reference.probability)
    # Plain numbers may be large, and float32 has seven digits: above 1, differences are relative.
    return float(np.max(np.abs(found - expected) / np.maximum(1.0, np.abs(expected))))
