"""The module that exported files are compared with, and which of two ways into the graph it takes.

Of the family, its graph is written from the weights. Any other is exported by PyTorch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.errors import UnsupportedModelError
from lstm_export.reading.agreement import require_agreement
from lstm_export.reading.module import UserModule
from lstm_export.reading.opaque import OpaqueModule, is_opaque
from lstm_export.reading.refusal import OutsideFamilyError
from lstm_export.traced.calls import module_name
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


def _shorten_vectors(module: nn.Module) -> None:
    """Do at once what an embedding with ``max_norm`` does to each vector when it looks it up.

    It writes into its own weights, so they would change while the module is watched.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag) and layer.max_norm is not None:
            rows = torch.arange(layer.num_embeddings)
            with torch.no_grad():
                torch.embedding_renorm_(layer.weight, rows, layer.max_norm, layer.norm_type)
            layer.max_norm = None


def find_original(module: nn.Module, hints: ArchitectureHints) -> OriginalModule:
    """Find out what ``module`` does, or else have PyTorch's exporter write it down.

    Raises:
        UnsupportedModelError: when neither way leads anywhere; says why.

    """
    try:
        return _find_original(_in_single(module), hints)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:  # as sys.exit in forward
        raise UnsupportedModelError(
            f"{module_name(module)}.forward ends the program ({type(error).__name__})"
        ) from error


def _in_single(module: nn.Module) -> nn.Module:
    """Return ``module`` with weights in float32, as which they are exported.

    A CPU runs those of 16 bits with rounding errors of its own, and ids come without a type.
    """
    others = {torch.float16, torch.bfloat16, torch.float64}
    return module.float() if any(one.dtype in others for one in module.parameters()) else module


def _find_original(module: nn.Module, hints: ArchitectureHints) -> OriginalModule:
    _shorten_vectors(module)
    try:
        read = OpaqueModule(module, hints) if is_opaque(module) else UserModule(module, hints)
        require_agreement(read)
        return read
    except OutsideFamilyError as outside:
        try:
            return TracedModule(module.eval(), hints.activation)
        except UnsupportedModelError as error:
            raise UnsupportedModelError(f"{error}; nor is it of the family: {outside}") from error
