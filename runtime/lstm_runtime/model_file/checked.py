"""`ModelFile`: the bytes of a model file, read once and checked before anything runs them.

What is loaded, traced, hashed and sent to other processes are these bytes, whatever lies at the
file's path later.
"""

from os import PathLike, fspath
from pathlib import Path
from typing import IO, NamedTuple

from lstm_runtime.errors import InputError, ModelFileError, VocabularyError
from lstm_runtime.model_file import contract
from lstm_runtime.model_file.checksum import verify_checksum
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.model_file.parsing import parse_metadata
from lstm_runtime.model_file.structure import STRING, Interface, Structure, read_structure
from lstm_runtime.text.re2 import graph_patterns

ModelSource = str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
"""A path, the bytes of a file, or a binary file that is open for reading."""

UNNAMED = Path("<bytes>")
"""Stands for the path of a model that was given as bytes."""

_LARGEST = 2**31 - 1
"""Bytes of an ONNX file of one piece: protobuf's own limit."""

_FLOAT, _INT32, _INT64 = 1, 6, 7
_TYPES = {
    contract.TEXT: (STRING, 1),
    contract.IDS: (_INT64, 2),
    contract.LENGTHS: (_INT32, 1),
    contract.H0: (_FLOAT, 3),
    contract.C0: (_FLOAT, 3),
    contract.PROBABILITY: (_FLOAT, 2),
    contract.TRAJECTORY: (_FLOAT, 3),
    contract.TOKENS: (STRING, 2),
    contract.HN: (_FLOAT, 3),
    contract.CN: (_FLOAT, 3),
}
"""Element type and number of axes of all inputs and outputs that the contract knows."""

_INPUTS = ({contract.TEXT}, {contract.IDS, contract.LENGTHS})
_OUTPUTS = {contract.TOKENS, contract.TRAJECTORY}


class ModelFile(NamedTuple):
    """A model file in memory, as sound as can be told without running it."""

    path: Path
    "Where it was; `UNNAMED` where it was given as bytes."
    data: bytes
    "The whole file."
    digest: str
    "Its checksum, 64 hex digits: no other file has it."
    metadata: Metadata
    "What it says about itself."
    interface: Interface
    "Names of its inputs and outputs."
    watched: bool
    "Whether its runs need an end: there are graphs inside its graph, or very many nodes."


def read_model_file(source: ModelSource) -> ModelFile:
    """Read a model file and check all of it: checksum, structure, metadata.

    Raises:
        ModelFileError: when it is missing, damaged, foreign or of a newer version; says which.
        InputError: when ``source`` is none of `ModelSource`.

    """
    path, data = _bytes_of(source)
    try:
        digest = verify_checksum(data)
        structure = read_structure(data)
        metadata = parse_metadata(structure.properties)
        _check_interface(structure, metadata)
        _check_words(metadata)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    return ModelFile(path, data, digest, metadata, structure.interface, structure.watched)


def _bytes_of(source: ModelSource) -> tuple[Path, bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        return UNNAMED, bytes(source)
    if source == "":
        raise InputError("a model is a path, and not an empty one, bytes or an open file")
    if isinstance(source, str | PathLike):
        return Path(source), read_bytes(Path(fspath(source)))
    if not hasattr(source, "read"):
        raise InputError(f"a model is a path, bytes or an open file, not {type(source).__name__}")
    data = source.read()
    if not isinstance(data, bytes):
        raise InputError("a model file has to be opened in binary mode")
    name = getattr(source, "name", None)
    return Path(name) if isinstance(name, str) else UNNAMED, data


def read_bytes(path: Path) -> bytes:
    """Return the bytes of the file ``path``.

    Raises:
        ModelFileError: when there is no such file, or it cannot be read or is too large.

    """
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "no such file"
            raise ModelFileError(f"{path}: {what}")
        if path.stat().st_size > _LARGEST:
            raise ModelFileError(f"{path} is larger than an ONNX file can be (2 GiB)")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # a ValueError for a NUL in the path
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _check_interface(structure: Structure, metadata: Metadata) -> None:
    """Check inputs and outputs against the contract and the file's own metadata."""
    interface, sizes = structure.interface, metadata.architecture
    states, final = {contract.H0, contract.C0}, {contract.HN, contract.CN}
    inputs = interface.required | interface.optional
    outputs = interface.outputs
    if inputs - states not in _INPUTS or interface.optional not in (set(), states):
        raise ModelFileError(f"the inputs {_list(inputs)} are not those of a model file")
    needed = {contract.PROBABILITY} | ({contract.TOKENS} if contract.TEXT in inputs else set())
    if not needed <= outputs <= needed | final | _OUTPUTS or len(outputs & final) == 1:
        raise ModelFileError(f"the outputs {_list(outputs)} are not those of a model file")
    if len(inputs & states) == 1:
        raise ModelFileError("the file takes one of the states h0 and c0 without the other")
    wanted = {
        contract.PROBABILITY: (None, sizes.classes),
        contract.TRAJECTORY: (None, None, sizes.classes),
        **dict.fromkeys(states | final, (sizes.n_layers, None, sizes.hidden_dim)),
    }
    for name, found in structure.types.items():
        element, axes = _TYPES[name]
        pairs = zip(found.sizes, wanted.get(name, found.sizes), strict=False)
        fits = all(None in pair or pair[0] == pair[1] for pair in pairs)
        if (found.element, len(found.sizes)) != (element, axes) or not fits:
            raise ModelFileError(f"{name} is not of the type or shape that a model file has")
    _check_tokenizer(structure, metadata)


def _check_tokenizer(structure: Structure, metadata: Metadata) -> None:
    if contract.TEXT not in structure.types:
        return
    spec = metadata.tokenizer
    try:
        same = spec is not None and graph_patterns(spec.tokenizer()) == structure.patterns
    except VocabularyError as error:
        raise ModelFileError(str(error)) from error
    if not same:
        raise ModelFileError("the tokeniser in the graph is not that of the metadata")


def _check_words(metadata: Metadata) -> None:
    """Check that the pattern can run, and that the vocabulary tells its words apart."""
    spec, words = metadata.tokenizer, metadata.vocabulary
    if spec is None:
        return
    try:
        spec.tokenizer(), spec.window()
        if words is not None:
            from lstm_runtime.text.vocabulary import Vocabulary  # a file that reads text has none

            unknown = None if spec.unknown is None else words[spec.unknown]
            Vocabulary(words, unknown, metadata.aliases or ())
    except VocabularyError as error:
        raise ModelFileError(str(error)) from error


def _list(names: frozenset[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
