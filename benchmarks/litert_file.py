"""A LiteRT file of an embedding and LSTM layers (TensorFlow's schema.fbs).

Written with the classes of the schema that the package ai-edge-litert carries; a conversion would
need PyTorch's and TensorFlow's converters, which unroll an LSTM for one length.
"""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_Type, _Operator = schema.TensorType, schema.BuiltinOperator
_ANY_LENGTH = -1
_LEFT_OUT = -1


class LiteRtFile:
    """Ids, int32 [steps], to the last layer's hidden states, [steps, 1, hidden]."""

    def __init__(self, embedding: NDArray[np.float32]) -> None:
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version = 3
        self._model.buffers, self._model.operatorCodes = [schema.BufferT()], []
        self._model.subgraphs = [self._graph]
        self._graph.tensors, self._graph.operators = [], []
        width = embedding.shape[1]
        ids = self._tensor([1], [_ANY_LENGTH], _Type.INT32)
        self._graph.inputs = [ids]
        words = self._tensor([1, width], [_ANY_LENGTH, width])
        self._node(_Operator.EMBEDDING_LOOKUP, 3, [ids, self._int8(embedding)], words)
        shape = self._constant(np.array([_ANY_LENGTH, 1, width], np.int32), _Type.INT32)
        self._steps = self._tensor([1, 1, width], [_ANY_LENGTH, 1, width])
        self._node(_Operator.RESHAPE, 1, [words, shape], self._steps)

    def add_lstm(
        self, w: NDArray[np.float32], r: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> None:
        """Add a layer, its gates stacked as i, f, g, o."""
        hidden = r.shape[1]
        options = schema.UnidirectionalSequenceLSTMOptionsT()
        options.fusedActivationFunction = schema.ActivationFunctionType.TANH
        options.timeMajor, options.cellClip, options.projClip = True, 0.0, 0.0
        options.asymmetricQuantizeInputs = False
        gates = [*map(self._int8, np.split(w, 4)), *map(self._int8, np.split(r, 4))]
        biases = [self._constant(b, _Type.FLOAT32) for b in np.split(bias, 4)]
        states = [self._tensor([1, hidden], variable=True) for _ in range(2)]
        no = [_LEFT_OUT]
        inputs = [self._steps, *gates, *no * 3, *biases, *no * 2, *states, *no * 4]
        self._steps = self._tensor([1, 1, hidden], [_ANY_LENGTH, 1, hidden])
        node = self._node(_Operator.UNIDIRECTIONAL_SEQUENCE_LSTM, 3, inputs, self._steps)
        node.builtinOptionsType = schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
        node.builtinOptions = options

    def content(self) -> bytes:
        """Return the file."""
        self._graph.outputs = [self._steps]
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _tensor(
        self,
        shape: list[int],
        signature: list[int] | None = None,
        kind: int = _Type.FLOAT32,
        *,
        variable: bool = False,
    ) -> int:
        tensor = schema.TensorT()
        tensor.shape, tensor.shapeSignature, tensor.type = shape, signature, kind
        tensor.name, tensor.buffer = f"t{len(self._graph.tensors)}", 0
        tensor.isVariable = variable
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, values: NDArray[Any], kind: int) -> int:
        place = self._tensor(list(values.shape), kind=kind)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        self._graph.tensors[place].buffer = len(self._model.buffers) - 1
        return place

    def _int8(self, matrix: NDArray[np.float32]) -> int:
        scale = float(np.abs(matrix).max()) / 127
        place = self._constant(np.rint(matrix / scale).astype(np.int8), _Type.INT8)
        quantization = schema.QuantizationParametersT()
        quantization.scale, quantization.zeroPoint = [scale], [0]
        self._graph.tensors[place].quantization = quantization
        return place

    def _node(self, operator: int, version: int, inputs: list[int], output: int) -> Any:
        code = schema.OperatorCodeT()
        code.builtinCode, code.version = operator, version
        code.deprecatedBuiltinCode = min(operator, 127)
        self._model.operatorCodes.append(code)
        node = schema.OperatorT()
        node.opcodeIndex = len(self._model.operatorCodes) - 1
        node.inputs, node.outputs = inputs, [output]
        self._graph.operators.append(node)
        return node
