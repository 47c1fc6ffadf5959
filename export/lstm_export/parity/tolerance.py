"""What an exported file may differ by and still be the same model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lstm_runtime.model_file.contract import Precision


@dataclass(frozen=True)
class Tolerance:
    """Bounds on the differences between an exported model and the original."""

    max_abs: float
    "Largest difference of a probability."
    mean: float
    "Mean difference of the probabilities."
    fraction_within: float = 1.0
    "Share of the texts that have to lie within ``max_abs``; reference texts always have to."
    agreement: float = 1.0
    "Share of texts with the same label, see `lstm_export.parity.result.Parity.agreement`."
    trajectory: float | None = None
    "Largest difference of a probability on the way; None where it is reported only."
    states: float | None = None
    "Largest difference of the states, relative above 1; None where it is reported only."

    def scaled_to(self, max_abs: float) -> "Tolerance":
        """Return the same with another ``max_abs``, along which the other bounds move."""
        factor = max_abs / self.max_abs
        return replace(
            self,
            max_abs=max_abs,
            mean=self.mean * factor,
            trajectory=self.trajectory and self.trajectory * factor,
            states=self.states and self.states * factor,
        )


# Cells add up over hundreds of steps, and float32's rounding with them: on trained models, 9e-6 was
# measured on the way and 4e-5 in a cell. A wrong gate shows as 0.1. With coarser weights there are
# texts that the model cannot decide, where any rounding decides: in int8, up to three in a hundred
# texts of random words moved by more than 0.05 (one by 0.24), but no reference text by 0.02.
TOLERANCES: Mapping[Precision, Tolerance] = {
    "fp32": Tolerance(max_abs=1e-5, mean=1e-5, trajectory=1e-4, states=5e-4),
    "fp16": Tolerance(max_abs=5e-3, mean=5e-3, fraction_within=0.95, agreement=0.995),
    "int8": Tolerance(max_abs=0.05, mean=0.005, fraction_within=0.95, agreement=0.995),
}
