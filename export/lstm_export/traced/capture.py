"""The graph of a module, by PyTorch's exporters, checked at lengths that they never saw."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import torch
from onnx import ModelProto
from torch import Tensor, nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.traced.calls import module_name
from lstm_export.traced.checking import (
    ATOL,
    IDS,
    QuietSession,
    gives_own,
    probe_lengths,
    wrong_text,
)
from lstm_export.traced.forward import Forward
from lstm_export.traced.outputs import pick
from lstm_export.traced.quiet import quiet, without_prints
from lstm_export.traced.rewriting import exportable_functions, with_onnx_layers, without_packing
from lstm_export.traced.rounding import rounding_error

VALUES = "values"
EXAMPLE_LENGTH = 29
"""Of the text that the exporters see: what is frozen at it is wrong at every other."""
IR_VERSION, OPSET = 7, 13
"""As low as the family's, where the operators allow it."""
NEWER_IR_VERSION, NEWER_OPSET = 8, 18
"""The lowest of the newer exporter; ONNX Runtime reads them from 1.14 on."""


@dataclass(frozen=True)
class Capture:
    """A graph that gives the module's own values at every length."""

    model: ModelProto
    "Takes ``ids``, int64 ``[1, sequence]``; gives ``values``, float ``[classes]``."
    exporter: str
    "What made it."
    reads_padding: bool
    "Whether it gives the module's own values also for a text that ends in padding."
    reads_only_padding: bool
    "The same for padding alone; also False where the module itself has no finite values for it."


class _OneText(nn.Module):
    """``Forward`` as a module: ids ``[1, sequence]`` to values ``[classes]``."""

    def __init__(self, module: nn.Module, forward: Forward) -> None:
        super().__init__()
        self.module, self._call, self._path = module, forward.call, forward.path

    def forward(self, ids: Tensor) -> Tensor:
        return pick(self._call(self.module, ids), self._path).float().reshape(-1)


def capture(forward: Forward) -> Capture:
    """Return the graph of the first exporter whose graph holds at all lengths.

    The older exporter comes first: it writes the low opset that old devices need, and in a fifth
    of a second; of PyTorch 2.13's, it held for more of the structures tried. A module with loops
    or branches in Python is scripted next. One that works on the data of a packed sequence is
    traced without packing, which gives up texts that end in padding. The newer exporter makes what
    none of these can, such as ``nn.MultiheadAttention``, in opset 18.

    Raises:
        UnsupportedModelError: when none does; says what each failed on.

    """
    _require_operators(forward.module)
    ways: Sequence[tuple[str, Callable[[Forward], ModelProto]]] = (
        ("torch.onnx, traced", _traced),
        ("torch.onnx, scripted", _scripted),
        ("torch.onnx, unpacked", _unpacked),
        ("torch.onnx, dynamo", _dynamo),
    )
    failures = []
    for name, export in ways:
        try:
            with quiet(), torch.no_grad():
                model = _folded(export(forward))
            session = QuietSession(model)
        except Exception as error:  # exporters raise whatever they like
            failures.append(f"{name}: {_brief(error)}")
            continue
        wrong = wrong_text(session, forward)
        if wrong is None:
            padding = (gives_own(session, forward, text) for text in forward.padded())
            return Capture(model, name, *padding)
        failures.append(f"{name}: the graph {wrong}")
    _require_no_accident(forward)
    kind = module_name(forward.module)
    raise UnsupportedModelError(f"PyTorch cannot export {kind}.forward ({'; '.join(failures)})")


def _require_no_accident(forward: Forward) -> None:
    """Check that the module's own answers are more than the rounding of its sums."""
    for ids in forward.probes(probe_lengths(forward)):
        error = rounding_error(forward, ids)
        if error > ATOL:
            raise UnsupportedModelError(
                f"{module_name(forward.module)}.forward's own answer for a text of {len(ids)} "
                f"tokens moves by {error:.2g} when it is computed in double precision: its weights "
                "multiply rounding errors from word to word, so no graph gives its answers (was "
                "it trained, or did its training diverge?)"
            )


def _require_operators(module: nn.Module) -> None:
    """Check that there is no layer for which ONNX has no operator at all."""
    for name, part in module.named_modules():
        if getattr(part, "proj_size", 0):
            raise UnsupportedModelError(
                f"{name} is an LSTM with projections (proj_size), which ONNX's LSTM lacks"
            )


def _traced(forward: Forward) -> ModelProto:
    with exportable_functions():
        return _older(_OneText(forward.module, forward).eval(), _example(forward))


def _unpacked(forward: Forward) -> ModelProto:
    with without_packing():
        return _traced(forward)


def _scripted(forward: Forward) -> ModelProto:
    jit: Any = torch.jit
    module = _OneText(jit.script(forward.module), forward).eval()
    example = _example(forward)
    return _older(jit.trace(module, example, check_trace=False), example)


def _example(forward: Forward) -> Tensor:
    length = max(forward.min_tokens, EXAMPLE_LENGTH)
    return torch.tensor(forward.probes([min(length, forward.max_tokens or length)]))


def _older(module: Any, example: Tensor) -> ModelProto:
    file: Any = io.BytesIO()
    torch.onnx.export(
        module,
        (example,),
        file,
        dynamo=False,
        opset_version=OPSET,
        input_names=[IDS],
        output_names=[VALUES],
        dynamic_axes={IDS: {1: "sequence"}},
    )
    model = onnx.load_from_string(file.getvalue())
    model.ir_version = IR_VERSION
    return model


def _dynamo(forward: Forward) -> ModelProto:
    with exportable_functions(), without_prints():
        module = _OneText(with_onnx_layers(forward.module), forward).eval()
        program = torch.onnx.export(
            module,
            (_example(forward),),
            dynamo=True,
            verbose=False,
            opset_version=NEWER_OPSET,
            input_names=[IDS],
            output_names=[VALUES],
            dynamic_shapes=({1: torch.export.Dim.DYNAMIC},),
        )
    if program is None:
        raise RuntimeError("nothing was exported")
    model = program.model_proto
    model.ir_version = NEWER_IR_VERSION
    return model


def _folded(model: ModelProto) -> ModelProto:
    """Compute what is constant, so that the weights of a layer are initializers."""
    from onnxscript import optimizer

    everything = 2**31
    folded: ModelProto = optimizer.optimize(
        model, input_size_limit=everything, output_size_limit=everything
    )
    return folded


def _brief(error: Exception) -> str:
    """Return the one sentence of a long message that says most."""
    text = " ".join(str(error).split())
    if "## Exception summary" in text:
        text = text.split("## Exception summary", 1)[1]
    return text[:160] or type(error).__name__
