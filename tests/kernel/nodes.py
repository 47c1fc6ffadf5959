"""Single ``DynamicQuantizeLSTM`` nodes of any shape, and sessions of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime
import pytest
from lstm_runtime.kernel.library import VARIABLE, library_path
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Array = NDArray[Any]
Feed = dict[str, Array]

PORTABLE = "portable"
_EVERY_SET = ("avx512vnni", "avxvnni", "avx2", "neondot", "neon")
SEVEN_BIT_SETS = ("avx2",)
"Those whose 16-bit sums take weights up to 64 only."


@dataclass(frozen=True)
class Node:
    """What a node looks like; its weights come from a generator."""

    inputs: int = 16
    hidden: int = 16
    direction: str = "forward"
    bits: int = 7
    bias: bool = True
    per_column: bool = True
    lengths: bool = False
    states: bool = False
    outputs: tuple[str, ...] = ("y", "h", "c")

    @property
    def directions(self) -> int:
        return 2 if self.direction == "bidirectional" else 1

    def weights(self, random: np.random.Generator) -> Feed:
        d, columns = self.directions, 4 * self.hidden
        limit = 64 if self.bits == 7 else 127

        def product(rows: int) -> tuple[Array, Array]:
            scale = random.uniform(0.2, 1, (d, columns) if self.per_column else (d,))
            weight = random.integers(-limit, limit + 1, (d, rows, columns))
            return weight.astype(np.int8), (scale * 2.5 / limit / rows**0.5).astype(np.float32)

        found: Feed = {}
        found["W"], found["W_scale"] = product(self.inputs)
        found["R"], found["R_scale"] = product(self.hidden)
        if self.bias:
            found["B"] = random.normal(0, 0.3, (d, 2 * columns)).astype(np.float32)
        return found

    def model(self, weights: Feed, **attributes: Any) -> bytes:
        """Return an ONNX file of this node; its inputs are X, lengths, h0 and c0."""
        zeros = {f"{n}_zero": np.zeros_like(weights[f"{n}_scale"], np.int8) for n in "WR"}
        stored = {**zeros, **weights}
        graph_inputs = [_value("X", TensorProto.FLOAT, "steps", "batch", self.inputs)]
        if self.lengths:
            graph_inputs.append(_value("lengths", TensorProto.INT32, "batch"))
        if self.states:
            shape = (self.directions, "batch", self.hidden)
            graph_inputs += [_value(name, TensorProto.FLOAT, *shape) for name in ("h0", "c0")]
        names = ["X", "W", "R", "B", "lengths", "h0", "c0", "P",
                 "W_scale", "W_zero", "R_scale", "R_zero"]  # fmt: skip
        there = {value.name for value in graph_inputs} | stored.keys()
        node = helper.make_node(
            "DynamicQuantizeLSTM",
            [name if name in there else "" for name in names],
            [name if name in self.outputs else "" for name in ("y", "h", "c")],
            domain="com.microsoft",
            **{"hidden_size": self.hidden, "direction": self.direction, **attributes},
        )
        graph = helper.make_graph(
            [node],
            "node",
            graph_inputs,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs],
            [numpy_helper.from_array(value, name) for name, value in stored.items()],
        )
        domains = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
        made = helper.make_model(graph, opset_imports=domains, ir_version=7)
        return bytes(made.SerializeToString())

    def feed(self, random: np.random.Generator, steps: int, batch: int, size: float = 1.0) -> Feed:
        found: Feed = {
            "X": (random.normal(0, 1, (steps, batch, self.inputs)) * size).astype(np.float32)
        }
        if self.lengths:
            found["lengths"] = random.integers(0, steps + 1, batch).astype(np.int32)
        if self.states:
            shape = (self.directions, batch, self.hidden)
            found["h0"] = random.uniform(-1, 1, shape).astype(np.float32)
            found["c0"] = random.normal(0, 1, shape).astype(np.float32)
        return found


def instruction_sets() -> list[str]:
    """Return the sets that this build and processor have, besides the portable one."""
    return [name for name in _EVERY_SET if library_path() and _runs(name)]


def session(model: bytes, instruction_set: str | None) -> Any:
    """Return a session on one instruction set; None for ONNX Runtime's own operator."""
    with chosen(instruction_set or ""):
        return session_as_chosen(model, with_kernel=instruction_set is not None)


def session_as_chosen(model: bytes, *, with_kernel: bool = True) -> Any:
    """Return a session on the set that the environment names."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    if with_kernel:
        options.register_custom_ops_library(str(library_path()))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextmanager
def chosen(instruction_set: str) -> Iterator[None]:
    """Let the environment name the set, as sessions read it when they are made."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = instruction_set
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


def _runs(instruction_set: str) -> bool:
    node = Node(4, 4)
    try:
        session(node.model(node.weights(np.random.default_rng(0))), instruction_set)
    except Exception as error:
        assert "LSTM_EDGE_KERNEL" in str(error), error
        return False
    return True


def _value(name: str, kind: int, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


needs_kernel = pytest.mark.skipif(
    library_path() is None, reason="the kernel was not built: no C compiler was at hand"
)
