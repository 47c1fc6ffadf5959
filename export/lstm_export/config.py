"""What an export is to write."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from lstm_runtime.errors import InputError
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
    agreement: float | None = None
    """Smallest share of the texts that have to get the same label from an int8 or fp16 file; None
    for the default."""
    notes: str = ""
    "Markdown for the model card: what the checkpoint cannot tell of itself."

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: names the first one that makes no sense.

        """
        known = get_args(Precision)
        for name, value, allowed in (
            *(("precisions", precision, known) for precision in self.precisions),
            *(("atol", precision, known) for precision in self.atol),
            ("interface", self.interface, (None, *get_args(Interface))),
            ("state", self.state, get_args(StateForm)),
        ):
            if value not in allowed:
                raise InputError(f"{name}: {value!r} is none of {', '.join(map(str, allowed))}")
        if not self.precisions:
            raise InputError("precisions: none is given")
        if any(not 0 < bound < float("inf") for bound in self.atol.values()):
            raise InputError(f"atol: {dict(self.atol)} must hold positive numbers")
        if self.agreement is not None and not 0 <= self.agreement <= 1:
            raise InputError(f"agreement: {self.agreement} is not between 0 and 1")
        odd = set(self.name) & set("/\\") or not self.name.isprintable()
        if not self.name or odd or self.name.startswith("."):
            raise InputError(f"name: {self.name!r} is no file name")

    def file_name(self, precision: Precision) -> str:
        """Return the name of the file of one precision."""
        return f"{self.name}{SUFFIXES[precision]}.onnx"

    def tolerance(self, precision: Precision, *, plain: bool = False) -> Tolerance:
        """Return the bounds on the differences of one precision.

        Plain numbers get four times those of probabilities: the logistic function, which they do
        without, is a quarter as steep as its argument where it is steepest.
        """
        usual = TOLERANCES[precision]
        if plain:
            usual = usual.scaled_to(4 * usual.max_abs)
        if self.agreement is not None and precision != "fp32":
            usual = replace(usual, agreement=self.agreement)
        return usual.scaled_to(self.atol.get(precision, usual.max_abs))
