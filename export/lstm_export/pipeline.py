"""The export: write each file, prove it, and only then give it its name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from lstm_runtime import SentimentModel
from lstm_runtime.files import atomic_path
from lstm_runtime.inference.session import import_onnxruntime
from lstm_runtime.model_file.checksum import embed_checksum
from lstm_runtime.model_file.contract import (
    Interface,
    Metadata,
    Precision,
    Reference,
    TokenizerSpec,
)
from lstm_runtime.text.tokenizer import TextEncoder
from lstm_training.data.examples import Examples
from onnx import ModelProto, helper

from lstm_export.checkpoint.source import Source
from lstm_export.errors import UnsupportedModelError
from lstm_export.graph.build import StateForm, build_graph
from lstm_export.graph.precision import FloatWeights, HalfWeights, Int8Weights, WeightWriter
from lstm_export.graph.quantize import require_quantized
from lstm_export.parity.cases import Case, random_cases, text_cases
from lstm_export.parity.compare import TOLERANCES, Parity, file_parity, witness_parity
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test import reference_ids, reference_texts
from lstm_export.parity.self_test_texts import REFERENCE_TEXTS
from lstm_export.reference.outputs import Answer

SUFFIXES: Mapping[Precision, str] = {"fp32": "", "int8": ".int8", "fp16": ".fp16"}
"""A file has one precision, and its name says which."""


@dataclass(frozen=True)
class ExportConfig:
    """What to write."""

    precisions: tuple[Precision, ...] = ("fp32", "int8")
    "One file for each."
    name: str = "model"
    "What the files are called, before precision and ``.onnx``."
    interface: Interface | None = None
    "``text`` or ``ids``; None for text where there is a vocabulary."
    state: StateForm = "optional"
    "Whether ``h0`` and ``c0`` may be left out of a run, must be given, or are not there."
    int8: Int8Weights = field(default_factory=Int8Weights)
    "Granularity and range of int8 weights."
    atol: Mapping[Precision, float] = field(default_factory=dict)
    "Largest difference of a probability, other than the default; the mean's bound moves along."
    notes: str = ""
    "Markdown for the model card: what the checkpoint cannot tell of itself."


@dataclass(frozen=True)
class Outcome:
    """One comparison with the original, and the file that came of it."""

    name: str
    "Precision, or the witness's name."
    parity: Parity
    "The differences."
    failures: tuple[str, ...] = ()
    "What lies outside the tolerance; empty for a file that was kept."
    path: Path | None = None
    "The file; None for the witness and for a file that failed."
    size: int | None = None
    "Bytes of the file, also of one that failed."
    accuracy: tuple[float, float] | None = None
    "Share of right answers before and after, where labelled texts were given."


def export_source(
    source: Source, output: Path, config: ExportConfig, data: Examples | None = None
) -> Iterator[Outcome]:
    """Write the files that ``config`` asks for into the folder ``output``.

    First the NumPy cell, which shares no code with PyTorch or ONNX Runtime, has to agree with the
    original, or nothing is written; then every file has to, before it gets its name. A file that
    fails is removed, and an earlier file of that name stays as it was.

    Args:
        source: the trained model.
        output: folder of the files; made when missing.
        config: what to write.
        data: labelled texts that are compared too, and give the accuracy before and after.

    Yields:
        An outcome for the witness and for each file, as soon as it is known.

    Raises:
        UnsupportedModelError: when the text interface is wanted without a vocabulary.

    """
    proof = _Proof(source, config, data)
    witness = proof.witness()
    yield witness
    if witness.failures:
        return
    for precision in config.precisions:
        yield proof.file(precision, output / f"{config.name}{SUFFIXES[precision]}.onnx")


class _Proof:
    """The original's answers, asked for once, and the files that have to match them."""

    def __init__(self, source: Source, config: ExportConfig, data: Examples | None) -> None:
        self._source = source
        self._config = config
        self._data = data
        # A file with the ids interface has its words in the metadata, not in the graph.
        self._encoder = _graph_encoder(source, config)
        self._original = Original(source)
        self._cases = self._unlabelled_cases()
        self._unlabelled = len(self._cases)
        if data is not None:
            self._cases += self._text_cases(data.texts, reference=False)
        self._wanted: list[Answer] = [self._original.answer(case) for case in self._cases]

    def _unlabelled_cases(self) -> list[Case]:
        network = self._source.network
        states = network.continuable and self._config.state != "none"
        cases = list(random_cases(network, self._encoder, states=states))
        if self._source.encoder is not None:
            cases += self._text_cases(REFERENCE_TEXTS, reference=True)
        return cases

    def _text_cases(self, texts: Iterable[str], *, reference: bool) -> list[Case]:
        encoder, as_text = _required_encoder(self._source), self._encoder is not None
        network = self._source.network
        return list(text_cases(network, encoder, texts, as_text=as_text, reference=reference))

    def witness(self) -> Outcome:
        """Compare the NumPy cell with the original."""
        end = self._unlabelled
        parity = witness_parity(self._source.network, self._cases[:end], self._wanted[:end])
        return Outcome("numpy", parity, tuple(parity.failures(TOLERANCES["fp32"])))

    def file(self, precision: Precision, path: Path) -> Outcome:
        """Write one file, if it is equal."""
        model = self._model(precision)
        with TemporaryDirectory() as folder:
            draft = Path(folder) / path.name
            onnx.save(model, draft)
            size = draft.stat().st_size
            parity = file_parity(draft, self._cases, self._wanted)
        outcome = Outcome(precision, parity, size=size, accuracy=self._accuracy(parity))
        tolerance = TOLERANCES[precision]
        tolerance = tolerance.scaled_to(self._config.atol.get(precision, tolerance.largest))
        failures = parity.failures(tolerance)
        if failures:
            return replace(outcome, failures=tuple(failures))
        metadata = self._metadata(precision, tolerance.largest, parity)
        helper.set_model_props(model, metadata.to_props())
        _write(model, path)
        return replace(outcome, path=path, size=path.stat().st_size)

    def _model(self, precision: Precision) -> ModelProto:
        network = self._source.network
        writers: dict[Precision, WeightWriter] = {
            "fp32": FloatWeights(),
            "fp16": HalfWeights(),
            "int8": self._config.int8,
        }
        model = build_graph(network, writers[precision], self._encoder, self._config.state)
        if precision == "int8":
            require_quantized(model, len(network.parts.layers))
        return model

    def _accuracy(self, parity: Parity) -> tuple[float, float] | None:
        if self._data is None:
            return None
        return parity.accuracy(self._data.labels)

    def _metadata(self, precision: Precision, tolerance: float, parity: Parity) -> Metadata:
        source = self._source
        spec, words = None, None
        if source.encoder is not None:
            pattern, vocabulary = source.encoder.tokenizer.pattern, source.encoder.vocabulary
            spec = TokenizerSpec(pattern, vocabulary.pad, vocabulary.unknown, vocabulary.empty)
            # Twice the words would cost a fifth of an int8 file.
            words = None if self._encoder else vocabulary.words
        return Metadata(
            labels=source.label_names,
            threshold=0.5,
            architecture=source.network.architecture,
            precision=precision,
            tolerance=tolerance,
            source_sha256=source.sha256,
            reference=self._reference,
            tokenizer=spec,
            vocabulary=words,
            metrics=source.metrics,
            training=source.training,
            versions=versions(),
            parity=parity.summary() | {"original": source.original_name},
        )

    @cached_property
    def _reference(self) -> tuple[Reference, ...]:
        if self._encoder is not None:
            return reference_texts(self._original, self._encoder)
        return reference_ids(self._original, self._source.network.architecture.vocab_size)


def versions() -> dict[str, str]:
    """Return the versions of the libraries that write and check the files."""
    found = {name: version(name) for name in ("lstm-edge", "torch", "onnx")}
    return found | {"onnxruntime": str(import_onnxruntime().__version__)}


def _write(model: ModelProto, path: Path) -> None:
    """Write ``model`` and let the runtime verify the very file, before it gets its name."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(embed_checksum(model.SerializeToString(deterministic=True)))
        SentimentModel.load(temporary, "cpu").verify()


def _graph_encoder(source: Source, config: ExportConfig) -> TextEncoder | None:
    """Return the encoder that goes into the graph: none for the ids interface."""
    if config.interface == "text":
        return _required_encoder(source)
    return None if config.interface == "ids" else source.encoder


def _required_encoder(source: Source) -> TextEncoder:
    if source.encoder is None:
        raise UnsupportedModelError(
            "reading text needs a vocabulary and the checkpoint has none: add --vocab FILE"
        )
    return source.encoder
