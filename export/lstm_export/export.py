"""The export: write each file, prove it, and only then give it its name."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from lstm_runtime import SentimentModel
from lstm_runtime.contract import Interface, Metadata, Precision, Reference, TokenizerSpec
from lstm_runtime.files import atomic_path
from lstm_runtime.providers import import_onnxruntime
from lstm_runtime.tokenizer import TextEncoder
from onnx import ModelProto, helper

from lstm_export.cases import Case, parity_cases
from lstm_export.errors import UnsupportedModelError
from lstm_export.graph import StateForm, build_graph
from lstm_export.original import Original
from lstm_export.parity import TOLERANCES, Parity, file_parity, witness_parity
from lstm_export.quantize import require_quantized
from lstm_export.reference import reference_ids, reference_texts
from lstm_export.source import Source
from lstm_export.weights import FloatWeights, Int8Weights, WeightWriter

FILE_NAMES: dict[Precision, str] = {"fp32": "model.onnx", "int8": "model.int8.onnx"}
WRITERS: dict[Precision, WeightWriter] = {"fp32": FloatWeights(), "int8": Int8Weights()}


@dataclass(frozen=True)
class ExportConfig:
    """What to write."""

    precisions: tuple[Precision, ...] = ("fp32", "int8")
    "One file for each."
    interface: Interface | None = None
    "``text`` or ``ids``; None for text where there is a vocabulary."
    state: StateForm = "optional"
    "Whether ``h0`` and ``c0`` may be left out of a run."


@dataclass(frozen=True)
class Outcome:
    """One comparison with the original, and the file that came of it."""

    name: str
    "Precision, or the witness's name."
    parity: Parity
    "The differences."
    failures: tuple[str, ...]
    "What lies outside the tolerance; empty for a file that was kept."
    path: Path | None = None
    "The file; None for the witness and for a file that failed."
    size: int | None = None
    "Bytes of the file, also of one that failed."


def export(source: Source, output: Path, config: ExportConfig) -> Iterator[Outcome]:
    """Write the files that ``config`` asks for into the folder ``output``.

    First the NumPy cell, which shares no code with PyTorch or ONNX Runtime, has to agree with the
    original; then every file has to, before it gets its name. A file that fails is removed, and
    an earlier file of that name stays as it was.

    Yields:
        An outcome for the witness and for each file, as soon as it is known.

    Raises:
        UnsupportedModelError: when the text interface is wanted without a vocabulary.

    """
    encoder = _graph_encoder(source, config)
    original = Original(source.module)
    cases = list(parity_cases(source.network, encoder))
    witness = witness_parity(source.network, original, cases)
    yield Outcome("numpy", witness, tuple(witness.failures(TOLERANCES["fp32"])))
    references = (
        reference_texts(original, encoder)
        if encoder
        else reference_ids(original, source.network.architecture.vocab_size)
    )
    for precision in config.precisions:
        model = build_graph(source.network, WRITERS[precision], encoder, config.state)
        if precision == "int8":
            require_quantized(model, source.network.architecture.n_layers)
        metadata = _metadata(source, precision, references, encoder)
        yield _write(model, metadata, output / FILE_NAMES[precision], original, cases)


def _graph_encoder(source: Source, config: ExportConfig) -> TextEncoder | None:
    """Return the encoder that goes into the graph: none for the ids interface."""
    if config.interface == "text" and source.encoder is None:
        raise UnsupportedModelError(
            "the text interface needs a vocabulary and the checkpoint has none: "
            "add --vocab FILE, or use --interface ids"
        )
    return None if config.interface == "ids" else source.encoder


def _write(
    model: ModelProto, metadata: Metadata, path: Path, original: Original, cases: Sequence[Case]
) -> Outcome:
    with TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        onnx.save(model, draft)
        size = draft.stat().st_size
        parity = file_parity(draft, original, cases)
    failures = parity.failures(TOLERANCES[metadata.precision])
    if failures:
        return Outcome(metadata.precision, parity, tuple(failures), None, size)
    proven = replace(metadata, parity=asdict(parity))
    helper.set_model_props(model, proven.to_props())
    with atomic_path(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        SentimentModel.load(temporary, "cpu").verify()
    return Outcome(metadata.precision, parity, (), path, path.stat().st_size)


def _metadata(
    source: Source,
    precision: Precision,
    references: tuple[Reference, ...],
    encoder: TextEncoder | None,
) -> Metadata:
    spec, words = None, None
    if source.encoder is not None:
        vocabulary = source.encoder.vocabulary
        spec = TokenizerSpec(
            source.encoder.tokenizer.pattern, vocabulary.pad, vocabulary.unknown, vocabulary.empty
        )
        # The text interface holds the words in its graph; twice would cost a fifth of an int8 file.
        words = vocabulary.words if encoder is None else None
    return Metadata(
        labels=source.labels,
        threshold=0.5,
        architecture=source.network.architecture,
        precision=precision,
        tolerance=TOLERANCES[precision].largest,
        source_sha256=source.sha256,
        reference=references,
        tokenizer=spec,
        vocabulary=words,
        metrics=source.metrics,
        training=source.training,
        versions={name: version(name) for name in ("lstm-edge", "torch", "onnx")}
        | {"onnxruntime": import_onnxruntime().__version__},
    )
