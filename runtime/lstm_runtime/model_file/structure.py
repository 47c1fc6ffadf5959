"""The structure of a model file, checked whole before ONNX Runtime sees a byte of it.

ONNX Runtime takes what it finds: before 1.24.2 weights from any file that a model names, functions
and operators of other domains from whatever is loaded beside it, and a graph of its own
``Tokenizer`` without a declared output type takes the process down. So all of a file is looked at
here, once and without copying a weight: every field is one that `lstm_runtime.model_file.messages`
lists, every operator is ONNX's own or one that we know, every value is made before it is read, and
every tensor has as much data as its shape says. What one operator makes of another's shapes is
ONNX Runtime's to check.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lstm_runtime.errors import ModelFileError
from lstm_runtime.model_file import messages, protobuf
from lstm_runtime.model_file.messages import read
from lstm_runtime.model_file.tensors import check_tensor

STRING = 8
"""Text, as an ONNX element type."""

_ONNX = ("", "ai.onnx")
_OPERATORS: Mapping[str, frozenset[str] | None] = {
    "": None,  # all of ONNX's own: a module outside of the family may have any
    "ai.onnx": None,
    "ai.onnx.ml": frozenset({"LabelEncoder"}),
    # What lstm-export writes, and what ONNX Runtime's optimiser makes of such graphs.
    "com.microsoft": frozenset(
        {
            "BiasGelu", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "FastGelu", "FusedGemm",
            "FusedMatMul", "Gelu", "MatMulIntegerToFloat", "QuickGelu", "SkipLayerNormalization",
            "Tokenizer",
        }
    ),
}  # fmt: skip
"""Operators by domain; None for all."""

_DEEPEST = 8
"""Graphs within graphs: a scan over texts, and the loops and branches of a module in it."""
_MOST_NODES = 50_000
_FEW_NODES = 500
"""More than any file of the family has."""

_TENSOR, _GRAPH = 4, 5
"""Types of attributes."""

Scopes = tuple[set[str], ...]
"""Names of values, those of the innermost graph last."""


class Interface(NamedTuple):
    """What a file takes and gives."""

    required: frozenset[str]
    "Inputs that must be fed."
    optional: frozenset[str]
    "Inputs with a default."
    outputs: frozenset[str]
    "Outputs."


class TensorType(NamedTuple):
    """An input's or output's type."""

    element: int
    "ONNX's number of the element type."
    sizes: tuple[int | None, ...]
    "Length of each axis; None where it may vary."


class Structure(NamedTuple):
    """A file's outline."""

    properties: Mapping[str, str]
    "Metadata, as it stands in the file."
    interface: Interface
    "Names of inputs and outputs."
    types: Mapping[str, TensorType]
    "Types of inputs and outputs."
    patterns: tuple[str, ...]
    """What the graph's tokenisers cut at or take, in their order: where it has several, the
    others part texts at blanks, or take characters out of tokens."""
    watched: bool
    "Whether a run needs an end: there are graphs inside the graph, or very many nodes."


def read_structure(data: bytes | memoryview) -> Structure:
    """Check the structure of a model file; return its outline.

    Raises:
        ModelFileError: says what is wrong.

    """
    model = read(memoryview(data), messages.MODEL)
    if 7 not in model:
        raise ModelFileError("not an ONNX file: it has no graph")
    _check_operator_sets(model)
    graph = read(model[7], messages.GRAPH)
    check = _Check()
    check.graph(graph, (), 1)
    inputs, outputs = _values(graph, 11), _values(graph, 12)
    stored = {protobuf.text(tensor, 8) for tensor in graph.get(5, ())}
    interface = Interface(
        frozenset(inputs.keys() - stored), frozenset(inputs.keys() & stored), frozenset(outputs)
    )
    _require_types(graph, check.tokens)
    patterns, watched = tuple(check.patterns), check.deepest > 1 or check.nodes > _FEW_NODES
    return Structure(_properties(model), interface, inputs | outputs, patterns, watched)


class _Check:
    """One pass over a graph and those inside it."""

    def __init__(self) -> None:
        self.nodes = 0
        self.deepest = 1
        self.patterns: list[str] = []
        self.tokens: list[str] = []  # what each tokeniser makes

    def graph(self, graph: dict[int, Any], around: Scopes, depth: int) -> None:
        """Check a graph that may also read the values ``around`` it."""
        if depth > _DEEPEST:
            raise ModelFileError(f"graphs are nested more than {_DEEPEST} deep")
        self.deepest = max(self.deepest, depth)
        own = {check_tensor(tensor) for tensor in graph.get(5, ())}
        if len(own) != len(graph.get(5, ())):
            raise ModelFileError("two weights of a graph have the same name")
        own |= {_name(value) for value in graph.get(11, ())}
        known = (*around, own)
        for message in graph.get(1, ()):
            node = read(message, messages.NODE)
            self._node(node, known, depth)
            for name in filter(None, map(protobuf.decoded, node.get(2, ()))):
                if name in own:
                    raise ModelFileError(f"two parts of a graph make {name!r}")
                own.add(name)
        for value in graph.get(12, ()):
            if not _is_known(_name(value), known):
                raise ModelFileError(f"no node makes the output {_name(value)!r}")

    def _node(self, node: dict[int, Any], known: Scopes, depth: int) -> None:
        domain, kind = (protobuf.decoded(node.get(number, b"")) for number in (7, 4))
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            raise ModelFileError(f"the graph has more than {_MOST_NODES:,} nodes")
        operators = _OPERATORS.get(domain, frozenset())
        if operators is not None and kind not in operators:
            raise ModelFileError(f"the graph has an operator {kind!r} of {domain!r}: not known")
        for name in map(protobuf.decoded, node.get(1, ())):
            if name and not _is_known(name, known):
                raise ModelFileError(f"a {kind} reads {name!r}, which nothing makes before it")
        for message in node.get(5, ()):
            self._attribute(kind, messages.read_attribute(message), known, depth)
        if kind == "Tokenizer":
            self._tokenizer(node, depth)

    def _attribute(self, kind: str, attribute: dict[int, Any], known: Scopes, depth: int) -> None:
        type_ = attribute.get(20)
        name = protobuf.decoded(attribute.get(1, b""))
        if (5 in attribute) != (type_ == _TENSOR) or (6 in attribute) != (type_ == _GRAPH):
            raise ModelFileError(f"{name!r} of a {kind} is not of the type that it says")
        if 10 in attribute or 11 in attribute:
            raise ModelFileError(f"{name!r} of a {kind} is a list of tensors or graphs")
        if type_ == _TENSOR:
            check_tensor(attribute[5])
        if type_ == _GRAPH:
            self.graph(read(attribute[6], messages.GRAPH), known, depth + 1)
        if kind == "Tokenizer" and name == "tokenexp":
            self.patterns.append(protobuf.decoded(attribute.get(4, b"")))
        if kind == "Tokenizer" and name == "separators":
            self.patterns += map(protobuf.decoded, attribute.get(9, ()))

    def _tokenizer(self, node: dict[int, Any], depth: int) -> None:
        self.tokens += map(protobuf.decoded, node.get(2, ()))
        if depth > 1 or len(self.tokens) != len(self.patterns):
            raise ModelFileError("a tokeniser of the graph is in a loop, or has not one pattern")


def _is_known(name: str, scopes: Scopes) -> bool:
    return any(name in scope for scope in scopes)


def _require_types(graph: dict[int, Any], tokens: Iterable[str]) -> None:
    """Check that a tokeniser's output has a type: without one, ONNX Runtime crashes."""
    declared = {_name(value): value for value in graph.get(13, ())}
    for name in tokens:
        if name not in declared or _tensor(declared[name]).get(1) != STRING:
            raise ModelFileError("the type of the tokens is not declared")


def _check_operator_sets(model: dict[int, Any]) -> None:
    domains = []
    for message in model.get(8, ()):
        domains.append(protobuf.decoded(read(message, messages.OPERATOR_SET).get(1, b"")))
        if domains[-1] not in _OPERATORS:
            raise ModelFileError(f"the file has operators of {domains[-1]!r}, which is not known")
    if len(domains) != len(set(domains)) or not set(domains) & set(_ONNX):
        raise ModelFileError("the file declares no operators of ONNX, or some twice")


def _properties(model: dict[int, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for message in model.get(14, ()):
        entry = read(message, messages.ENTRY)
        name = protobuf.decoded(entry.get(1, b""))
        if name in found:
            raise ModelFileError(f"the metadata has {name!r} twice")
        found[name] = protobuf.decoded(entry.get(2, b""))
    return found


def _values(graph: dict[int, Any], number: int) -> dict[str, TensorType]:
    values = graph.get(number, ())
    found = {_name(value): _type(value) for value in values}
    if len(found) != len(values):
        raise ModelFileError("two inputs or outputs have the same name")
    return found


def _name(value: memoryview) -> str:
    return protobuf.decoded(read(value, messages.VALUE).get(1, b""))


def _tensor(value: memoryview) -> dict[int, Any]:
    """Return element type and shape of a declared value, as far as they are there."""
    type_ = read(read(value, messages.VALUE).get(2, memoryview(b"")), messages.TYPE)
    return read(type_.get(1, memoryview(b"")), messages.TENSOR_TYPE)


def _type(value: memoryview) -> TensorType:
    """Return the type of a declared value."""
    tensor = _tensor(value)
    if 1 not in tensor or 2 not in tensor:
        raise ModelFileError(f"{_name(value)!r} has no type or no shape")
    axes = [read(axis, messages.DIMENSION) for axis in read(tensor[2], messages.SHAPE).get(1, ())]
    return TensorType(tensor[1], tuple(axis.get(1) for axis in axes))
