"""What an export is to write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lstm_runtime.model_file.contract import Interface, Precision

from lstm_export.graph.build import StateForm
from lstm_export.graph.precision import Int8Weights
from lstm_export.parity.tolerance import TOLERANCES, Tolerance

SUFFIXES: Mapping[Precision, str] = {"fp32": "", "int8": ".int8", "fp16": ".fp16"}
"""A file has one precision, and its name says which."""


@dataclass(frozen=True)
class ExportConfig:
    """What to write."""

    precisions: tuple[Precision, ...] = ("fp32", "int8")
    "One file for each."
    name: str = "model"
    "What the files are called, before precision and ``.onnx``."
    interface: Interface | None = None
    "``text`` or ``ids``; None for text where there is a vocabulary."
    state: StateForm = "optional"
    "Whether ``h0`` and ``c0`` may be left out of a run, must be given, or are not there."
    int8: Int8Weights = field(default_factory=Int8Weights)
    "Granularity and range of int8 weights."
    atol: Mapping[Precision, float] = field(default_factory=dict)
    "Largest difference of a probability, other than the default; the mean's bound moves along."
    notes: str = ""
    "Markdown for the model card: what the checkpoint cannot tell of itself."

    def file_name(self, precision: Precision) -> str:
        """Return the name of the file of one precision."""
        return f"{self.name}{SUFFIXES[precision]}.onnx"

    def tolerance(self, precision: Precision) -> Tolerance:
        """Return the bounds on the differences of one precision."""
        usual = TOLERANCES[precision]
        return usual.scaled_to(self.atol.get(precision, usual.max_abs))
