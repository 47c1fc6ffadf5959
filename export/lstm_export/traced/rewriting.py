"""What stands in for a module's parts while it is exported, since the exporters freeze them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


@contextmanager
def exportable_functions() -> Iterator[None]:
    """Replace what both exporters freeze at the example's length.

    A pooling over all steps, as ``max_pool1d(x, x.size(2))``, has its length as a constant
    attribute in ONNX: the maximum or mean along the axis is the same and has none. PyTorch's fused
    attention has no ONNX operator at all.
    """
    fast_path = torch.backends.mha.get_fastpath_enabled()
    names = ("max_pool1d", "avg_pool1d", "max_pool2d", "avg_pool2d")
    originals = {name: getattr(functional, name) for name in names}
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        for name, original in originals.items():
            setattr(functional, name, _pool(original, int(name[-2]), maximum="max" in name))
        yield
    finally:
        for name, original in originals.items():
            setattr(functional, name, original)
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _pool(original: Callable[..., Tensor], axes: int, *, maximum: bool) -> Callable[..., Tensor]:
    def pool(x: Tensor, kernel_size: Any, *args: Any, **keywords: Any) -> Tensor:
        sizes = kernel_size if isinstance(kernel_size, tuple | list) else [kernel_size] * axes
        whole = tuple(x.shape[-axes:])
        if args or keywords or len(sizes) != axes or [int(n) for n in sizes] != [*map(int, whole)]:
            return original(x, kernel_size, *args, **keywords)
        dims = tuple(range(-axes, 0))
        return x.amax(dims, keepdim=True) if maximum else x.mean(dims, keepdim=True)

    return pool


@contextmanager
def without_packing() -> Iterator[None]:
    """Take packed sequences for what they are of one text without padding: its steps.

    The exporters write packing and unpacking in pairs alone, and nothing between them.
    """
    functions: Any = torch._VF
    own = vars(functions)
    stand_ins = {
        "_pack_padded_sequence": _pack,
        "_pad_packed_sequence": _pad,
        **{name: _recurrent(getattr(functions, name)) for name in ("lstm", "gru")},
    }
    before = {name: own[name] for name in stand_ins if name in own}
    try:
        own.update(stand_ins)
        yield
    finally:
        for name in stand_ins:
            del own[name]
        own.update(before)


def _pack(data: Tensor, _: Any, batch_first: bool) -> tuple[Tensor, Tensor]:
    steps = data[0] if batch_first else data[:, 0]
    return steps, torch.ones_like(steps[:, 0], dtype=torch.int64)


def _pad(data: Tensor, sizes: Tensor, batch_first: bool, *_: Any) -> tuple[Tensor, Tensor]:
    return data.unsqueeze(0 if batch_first else 1), torch.ones_like(sizes).sum().reshape(1)


def _recurrent(original: Callable[..., Any]) -> Callable[..., Any]:
    def run(data: Tensor, second: Any, *rest: Any) -> Any:
        if not isinstance(second, Tensor) or data.dim() != 2:  # not packed
            return original(data, second, *rest)
        steps, *states = original(data.unsqueeze(1), *rest, False)
        return steps.squeeze(1), *states

    return run


def with_onnx_layers(module: nn.Module) -> nn.Module:
    """Return a copy of ``module`` whose LSTM and GRU layers are ONNX operators.

    The newer exporter unrolls PyTorch's own, which fixes the number of steps.
    """
    copy = deepcopy(module)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.LSTM | nn.GRU) and not child.proj_size:
                setattr(parent, name, OnnxRecurrent(child))
    return copy


class OnnxRecurrent(nn.Module):
    """An ``nn.LSTM`` or ``nn.GRU`` written with ONNX's operator of that name, layer by layer."""

    def __init__(self, source: nn.LSTM | nn.GRU) -> None:
        super().__init__()
        self.kind = source.mode
        self.layers, self.hidden = source.num_layers, source.hidden_size
        self.directions = 2 if source.bidirectional else 1
        self.batch_first = source.batch_first
        for n in range(source.num_layers):
            for name, value in zip("WRB", _onnx_weights(source, n), strict=True):
                self.register_buffer(f"{name}{n}", value)

    def forward(self, x: Tensor, states: Any = None) -> tuple[Tensor, Any]:
        """Return the steps and the final states, as PyTorch's layer does."""
        x = x.transpose(0, 1) if self.batch_first else x
        lstm = self.kind == "LSTM"
        given = [] if states is None else list(states) if lstm else [states]
        finals: list[list[Tensor]] = []
        for n in range(self.layers):
            own = slice(n * self.directions, (n + 1) * self.directions)
            x, *final = self._layer(x, n, [state[own] for state in given])
            finals.append(final)
        h, *c = [torch.cat(layers) for layers in zip(*finals, strict=True)]
        return x.transpose(0, 1) if self.batch_first else x, (h, c[0]) if lstm else h

    def _layer(self, x: Tensor, n: int, states: list[Tensor]) -> tuple[Tensor, ...]:
        length, batch, _ = x.shape
        final = (self.directions, batch, self.hidden)
        shapes = [(length, *final), *[final] * (2 if self.kind == "LSTM" else 1)]
        attributes: dict[str, Any] = {
            "hidden_size": self.hidden,
            "direction": "bidirectional" if self.directions == 2 else "forward",
        }
        if self.kind == "GRU":
            attributes["linear_before_reset"] = 1
        no_lengths = None
        reads = [x, *(getattr(self, f"{name}{n}") for name in "WRB"), no_lengths, *states]
        steps, *finals = torch.onnx.ops.symbolic_multi_out(
            self.kind, reads, attributes, dtypes=[torch.float32] * len(shapes), shapes=shapes
        )
        joined = steps.transpose(1, 2).reshape(length, batch, self.directions * self.hidden)
        return joined, *finals


def _onnx_weights(source: nn.LSTM | nn.GRU, layer: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return ONNX's W, R and B of one layer; PyTorch's gates are i, f, g, o and r, z, n."""
    order = (0, 3, 1, 2) if source.mode == "LSTM" else (1, 0, 2)

    def gates(name: str, suffix: str) -> Tensor:
        stacked = getattr(source, f"{name}_l{layer}{suffix}").detach()
        parts = stacked.chunk(len(order))
        return torch.cat([parts[n] for n in order])

    suffixes = ["", "_reverse"][: 2 if source.bidirectional else 1]
    w, r = (torch.stack([gates(k, s) for s in suffixes]) for k in ("weight_ih", "weight_hh"))
    if not source.bias:
        return w, r, torch.zeros(len(suffixes), 2 * w.shape[1])
    rows = [torch.cat([gates("bias_ih", s), gates("bias_hh", s)]) for s in suffixes]
    return w, r, torch.stack(rows)
