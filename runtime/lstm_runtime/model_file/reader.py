"""What an ``.onnx`` file holds besides its operators: metadata, weights and vocabulary.

The field numbers are those of ONNX's ``onnx.proto``, which never change.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import protobuf
from lstm_runtime.model_file.contract import Metadata

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OP, _NODE_ATTRIBUTE = 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTS, _ATTRIBUTE_STRINGS = 1, 8, 9
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9

_TYPES = {1: np.float32, 3: np.int8, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}


class OnnxReader:
    """The graph of a model file, read without the onnx package.

    Raises:
        ModelFileError: when the file is missing or is not an ONNX file.

    """

    def __init__(self, path: Path) -> None:
        try:
            data = memoryview(path.read_bytes())
        except FileNotFoundError as error:
            raise ModelFileError(f"{path}: no such file") from error
        graph = next(protobuf.iter_messages(data, _MODEL_GRAPH), None)
        if graph is None:
            raise ModelFileError(f"{path} is not an ONNX file: it has no graph")
        self._path = path
        self._data = data
        self._graph = graph

    def metadata(self) -> Metadata:
        """Return what the file says about itself.

        Raises:
            ModelFileError: as `Metadata.from_props`, and naming the file.

        """
        entries = protobuf.iter_messages(self._data, _MODEL_METADATA)
        try:
            return Metadata.from_props(
                {protobuf.text(e, _ENTRY_KEY): protobuf.text(e, _ENTRY_VALUE) for e in entries}
            )
        except ModelFileError as error:
            raise ModelFileError(f"{self._path}: {error}") from error

    def weights(self) -> dict[str, NDArray[np.generic]]:
        """Return the numeric initializers by name; they share the file's memory."""
        found = {}
        for tensor in protobuf.iter_messages(self._graph, _GRAPH_INITIALIZER):
            (kind,) = protobuf.integers(tensor, _TENSOR_TYPE)
            raw = next(protobuf.iter_messages(tensor, _TENSOR_RAW), None)
            # Weights are always stored raw; what else there is, such as strings, is no weight.
            if raw is not None and kind in _TYPES:
                values = np.frombuffer(raw, np.dtype(_TYPES[kind]).newbyteorder("<"))
                shape = protobuf.integers(tensor, _TENSOR_DIMS)
                found[protobuf.text(tensor, _TENSOR_NAME)] = values.reshape(shape)
        return found

    def vocabulary(self) -> dict[str, int]:
        """Return word to id, as the graph's ``LabelEncoder`` has it; empty without one."""
        for node in protobuf.iter_messages(self._graph, _GRAPH_NODE):
            if protobuf.text(node, _NODE_OP) == "LabelEncoder":
                attributes = {
                    protobuf.text(attribute, _ATTRIBUTE_NAME): attribute
                    for attribute in protobuf.iter_messages(node, _NODE_ATTRIBUTE)
                }
                words = protobuf.iter_messages(attributes["keys_strings"], _ATTRIBUTE_STRINGS)
                ids = protobuf.integers(attributes["values_int64s"], _ATTRIBUTE_INTS)
                return dict(zip((bytes(word).decode("utf-8") for word in words), ids, strict=True))
        return {}
