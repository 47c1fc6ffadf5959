"""The module that exported files are compared with, and which of two ways into the graph it takes.

Of the family, its graph is written from the weights. Any other is exported by PyTorch.
"""

from collections.abc import Sequence

import numpy as np
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.errors import UnsupportedModelError
from lstm_export.reading.module import UserModule
from lstm_export.reading.opaque import OpaqueModule, is_opaque
from lstm_export.reading.refusal import OutsideFamilyError
from lstm_export.traced.network import TracedModule

OriginalModule = UserModule | OpaqueModule | TracedModule

NO_ANSWER = (
    "forward has no answer (NaN, or an error) for padding alone, as which a text reads of which no "
    "word has an id: the file's answer to it is its own"
)


def answers(original: OriginalModule, ids: Sequence[int]) -> bool:
    """Tell whether a module can be asked for one text.

    Of padding alone many a forward has no answer: no lengths, or a mean of nothing.
    """
    if isinstance(original, TracedModule):
        return original.answers(ids)
    if not set(ids) <= original.padding:
        return True
    try:
        return bool(np.isfinite(original.probability(ids)).all())
    except UnsupportedModelError:
        return False


def find_original(module: nn.Module, hints: ArchitectureHints) -> OriginalModule:
    """Find out what ``module`` does, or else have PyTorch's exporter write it down.

    Raises:
        UnsupportedModelError: when neither way leads anywhere; says why.

    """
    try:
        return OpaqueModule(module, hints) if is_opaque(module) else UserModule(module, hints)
    except OutsideFamilyError as outside:
        try:
            return TracedModule(module.eval(), hints.activation)
        except UnsupportedModelError as error:
            raise UnsupportedModelError(f"{error}; nor is it of the family: {outside}") from error
