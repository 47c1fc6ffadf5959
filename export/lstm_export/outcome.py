"""What came of an export: a comparison, and the file that passed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_runtime.model_file import contract

from lstm_export.errors import ParityError
from lstm_export.parity.result import Parity

_ON_THE_WAY = (contract.TRAJECTORY, contract.HN, contract.CN)


@dataclass(frozen=True)
class ExportResult:
    """One comparison with the original, and the file that came of it."""

    name: str
    "Precision, or ``numpy`` for the NumPy cell."
    parity: Parity
    "The differences."
    failures: tuple[str, ...] = ()
    "What lies outside the tolerance; empty for a file that was kept."
    kernel: tuple[str, Parity] | None = None
    "Instruction set of the runtime's int8 kernel, and the differences with it; None without one."
    path: Path | None = None
    "The file; None for the NumPy cell and for a file that failed."
    size: int | None = None
    "Bytes of the file, also of one that failed."
    accuracy: tuple[float, float] | None = None
    "Share of right answers before and after, where labelled texts were given."


def require_parity(results: Sequence[ExportResult]) -> None:
    """Check that no comparison failed.

    Raises:
        ParityError: says what failed, in which case and by how much.

    """
    failed = [f"{r.name}: {'; '.join(r.failures)}" for r in results if r.failures]
    if failed:
        told = f"not equal to the original, so not written: {' | '.join(failed)}"
        raise ParityError(told + _way_out([result for result in results if result.failures]))


def _way_out(failed: Sequence[ExportResult]) -> str:
    """Say what can be done about files that rounding moves too far."""
    names = [result.name for result in failed]
    if all(told.startswith(_ON_THE_WAY) for result in failed for told in result.failures):
        return (
            ". The answers are equal; on the way through long texts some networks multiply what "
            f"float32 rounds, in PyTorch too: allow it with --atol {names[0]}=NUMBER"
        )
    coarse = [name for name in names if name in {"int8", "fp16"}]
    if not coarse or len(coarse) < len(names):
        return ""  # float32 that answers otherwise is no matter of rounding
    name = coarse[0]
    return (
        f". Leave it out with --precision fp32, or see with --data FILE how far texts of your own "
        f"move, and allow it with --atol {name}=NUMBER or --agreement NUMBER"
    )
