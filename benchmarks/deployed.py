"""The runtimes and number formats that `deployment.py` measures, beside eager PyTorch."""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lstm_training.checkpoint import Checkpoint
from peers import EagerTorch, Peer, megabytes_of


class HalfLstm(EagerTorch):
    """PyTorch with its LSTM in bfloat16, all else in float."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        lstm = self._module.lstm.bfloat16()
        lstm.register_forward_pre_hook(_to_half, with_kwargs=True)
        lstm.register_forward_hook(_to_float)


class DynamicQuantized(EagerTorch):
    """PyTorch's own way to int8: ``quantize_dynamic`` of the LSTM and the linear layers."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        zeros = self._module.init_hidden  # asks the float weights for their type
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._module = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
                self._module, {torch.nn.LSTM, torch.nn.Linear}
            )
        self._module.init_hidden = zeros  # type: ignore[method-assign] # as said above


class Compiled(EagerTorch):
    """PyTorch behind ``torch.compile``, for any length."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self._init = self._module.init_hidden
        self._call: Callable[..., Any] = torch.compile(self._module, dynamic=True)

    def one(self, text: str) -> float:
        """Score one text."""
        with torch.inference_mode():
            return float(self._call(torch.tensor([self._encode(text)]), self._init(1))[0])


class OpenVino:
    """OpenVINO on the file with the ids interface, one text at a time.

    It reads padding as tokens, so that batches would be wrong.
    """

    def __init__(self, path: Path, checkpoint: Checkpoint, precision: str) -> None:
        import openvino

        settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1}
        core = openvino.Core()
        self._run = core.compile_model(core.read_model(path), "CPU", settings)
        self.megabytes = megabytes_of(path)
        self._encode = checkpoint.encoder
        self._state = np.zeros(
            (checkpoint.config.n_layers, 1, checkpoint.config.hidden_dim), np.float32
        )

    def feed(self, text: str) -> dict[str, Any]:
        """Return the inputs for one text."""
        ids = np.array([self._encode(text)], np.int64)
        feed: dict[str, Any] = {"ids": ids, "lengths": np.array([ids.shape[1]], np.int32)}
        for name in {node.any_name for node in self._run.inputs} - feed.keys():
            feed[name] = self._state
        return feed

    def one(self, text: str) -> float:
        """Score one text."""
        return float(self._run(self.feed(text))["probability"][0, 0])


def _to_half(_module: Any, args: Any, kwargs: Any) -> Any:
    return torch.utils._pytree.tree_map(_half, (args, kwargs))


def _half(value: Any) -> Any:
    return (
        value.bfloat16() if isinstance(value, torch.Tensor) and value.is_floating_point() else value
    )


def _to_float(_module: Any, _args: Any, found: Any) -> Any:
    return torch.utils._pytree.tree_map(lambda value: value.float(), found)


def openvino_peers(path: Path, checkpoint: Checkpoint) -> dict[str, Peer]:
    """Return OpenVINO in two number formats; nothing where it is not installed."""
    if not importlib.util.find_spec("openvino"):
        return {}
    found = {name: OpenVino(path, checkpoint, name) for name in ("f32", "bf16")}
    return {f"OpenVINO, {k}": Peer.alone(peer.one, peer.megabytes) for k, peer in found.items()}
