"""What an ``.onnx`` file holds besides its operators: metadata, weights and vocabulary.

The field numbers are those of ONNX's ``onnx.proto``, which never change.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import protobuf
from lstm_runtime.model_file.checked import read_bytes
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.model_file.parsing import parse_metadata
from lstm_runtime.model_file.tensors import check_tensor

_MODEL_GRAPH, _MODEL_METADATA = 7, 14
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_GRAPH_NODE, _GRAPH_INITIALIZER = 1, 5
_NODE_OP, _NODE_ATTRIBUTE = 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INTS, _ATTRIBUTE_STRINGS = 1, 8, 9
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_RAW = 1, 2, 9

_TYPES = {1: np.float32, 3: np.int8, 6: np.int32, 7: np.int64, 10: np.float16, 11: np.float64}


class OnnxReader:
    """The graph of a model file, read without the onnx package.

    Args:
        path: the file.
        data: its bytes, where they are at hand; whatever lies at ``path`` is not looked at then.

    Raises:
        ModelFileError: when the file is missing or is not an ONNX file.

    """

    def __init__(self, path: Path, data: bytes | None = None) -> None:
        whole = memoryview(read_bytes(path) if data is None else data)
        graph = next(protobuf.iter_messages(whole, _MODEL_GRAPH), None)
        if graph is None:
            raise ModelFileError(f"{path} is not an ONNX file: it has no graph")
        self._path = path
        self._data = whole
        self._graph = graph

    def metadata(self) -> Metadata:
        """Return what the file says about itself.

        Raises:
            ModelFileError: as `parse_metadata`, and naming the file.

        """
        entries = protobuf.iter_messages(self._data, _MODEL_METADATA)
        try:
            return parse_metadata(
                {protobuf.text(e, _ENTRY_KEY): protobuf.text(e, _ENTRY_VALUE) for e in entries}
            )
        except ModelFileError as error:
            raise ModelFileError(f"{self._path}: {error}") from error

    def weights(self) -> dict[str, NDArray[np.generic]]:
        """Return the numeric initializers by name; they share the file's memory.

        Raises:
            ModelFileError: when one has not the data of its shape.

        """
        found = {}
        for tensor in protobuf.iter_messages(self._graph, _GRAPH_INITIALIZER):
            name = check_tensor(tensor)
            (kind,) = protobuf.integers(tensor, _TENSOR_TYPE)
            raw = next(protobuf.iter_messages(tensor, _TENSOR_RAW), None)
            # Weights are always stored raw; what else there is, such as strings, is no weight.
            if raw is not None and kind in _TYPES:
                values = np.frombuffer(raw, np.dtype(_TYPES[kind]).newbyteorder("<"))
                found[name] = values.reshape(protobuf.integers(tensor, _TENSOR_DIMS))
        return found

    def vocabulary(self) -> dict[str, int]:
        """Return word to id, as the graph's ``LabelEncoder`` has it; empty without one.

        Raises:
            ModelFileError: when it has not as many ids as words.

        """
        for node in protobuf.iter_messages(self._graph, _GRAPH_NODE):
            if protobuf.text(node, _NODE_OP) == "LabelEncoder":
                attributes = {
                    protobuf.text(attribute, _ATTRIBUTE_NAME): attribute
                    for attribute in protobuf.iter_messages(node, _NODE_ATTRIBUTE)
                }
                nothing = memoryview(b"")
                keys, values = (
                    attributes.get(name, nothing) for name in ("keys_strings", "values_int64s")
                )
                words = list(protobuf.iter_messages(keys, _ATTRIBUTE_STRINGS))
                ids = protobuf.integers(values, _ATTRIBUTE_INTS)
                if len(words) != len(ids):
                    raise ModelFileError(f"{self._path}: {len(words)} words, {len(ids)} ids")
                return dict(zip(map(protobuf.decoded, words), ids, strict=True))
        return {}
