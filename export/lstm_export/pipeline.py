"""The export: write each file, prove it, and only then give it its name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from lstm_runtime import SentimentModel
from lstm_runtime.files import atomic_path
from lstm_runtime.model_file.checksum import embed_checksum
from lstm_runtime.model_file.contract import Metadata, Precision
from lstm_runtime.model_file.metadata_checks import check_metadata
from lstm_runtime.text.tokenizer import replace_unportable
from lstm_training.data.examples import Examples
from onnx import ModelProto, helper

from lstm_export.checkpoint.label_sets import label_matrix
from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.graph.build import build_graph
from lstm_export.graph.precision import FloatWeights, HalfWeights, PrecisionWriter
from lstm_export.graph.quantize import require_quantized
from lstm_export.metadata import make_metadata
from lstm_export.network import Network
from lstm_export.outcome import ExportResult
from lstm_export.ownership import require_own
from lstm_export.parity.compare import file_parity, kernel_parity, numpy_parity
from lstm_export.parity.ground_truth import Original
from lstm_export.parity.self_test import reference_answers
from lstm_export.parity.suite import ParitySuite, build_suite
from lstm_export.parity.tolerance import TOLERANCES, Tolerance
from lstm_export.traced.build import build_traced
from lstm_export.traced.network import TracedNetwork


def export_source(
    source: Source, output: Path, config: ExportConfig, data: Examples | None = None
) -> Iterator[ExportResult]:
    """Write the files that ``config`` asks for into the folder ``output``.

    First the NumPy cell, which shares no code with PyTorch or ONNX Runtime, has to agree with the
    original, or nothing is written; then every file has to, before it gets its name. A file that
    fails is removed, and an earlier file of that name stays as it was. Of a network whose graph
    PyTorch's exporter made, which the cell cannot run, the graph in fp32 has to agree first: what
    int8 may differ by would hide much.

    Args:
        source: the trained model.
        output: folder of the files; made when missing.
        config: what to write.
        data: labelled texts that are compared too, and give the accuracy before and after.

    Yields:
        A result for the NumPy cell, where it can run the network, and for each file, as soon as it
        is known.

    Raises:
        UnsupportedModelError: when the text interface is wanted without a vocabulary.
        OutputError: when a file of that name is there that something else has written.

    """
    require_own(output / config.file_name(precision) for precision in config.precisions)
    data = _answerable(source, data)
    original = Original(source)
    suite = build_suite(source, original, config, data)

    def compared(precision: Precision) -> tuple[ModelProto, ExportResult]:
        model = build_model(source, config, precision)
        tolerance = config.tolerance(precision, plain=suite.plain)
        return model, compare(model, suite, precision, tolerance, data)

    known: dict[Precision, tuple[ModelProto, ExportResult]] = {}
    if isinstance(source.network, Network):
        gate = compare_numpy(source.network, suite)
        yield gate
    else:
        known["fp32"] = compared("fp32")
        gate = known["fp32"][1]
    if gate.failures:
        if known:
            yield gate
        return
    references = reference_answers(original, source, config.interface)
    for precision in config.precisions:
        model, result = known[precision] if precision in known else compared(precision)
        metadata = make_metadata(source, config, precision, result.parity, references)
        yield write_if_equal(model, metadata, result, output / config.file_name(precision))


def _answerable(source: Source, data: Examples | None) -> Examples | None:
    """Return the labelled texts without those that the original has no answer to."""
    if data is None or source.encoder is None:
        return data
    ids = map(source.encoder, map(replace_unportable, data.texts))
    return data.select(n for n, text in enumerate(ids) if source.is_answerable(text))


def compare_numpy(network: Network, suite: ParitySuite) -> ExportResult:
    """Compare the NumPy cell with the original."""
    parity = numpy_parity(network, suite.without_data)
    return ExportResult("numpy", parity, tuple(parity.failures(TOLERANCES["fp32"])))


def build_model(source: Source, config: ExportConfig, precision: Precision) -> ModelProto:
    """Write the network in one precision.

    Raises:
        QuantizationError: when int8 leaves a part of the LSTM in float.

    """
    writers: dict[Precision, PrecisionWriter] = {
        "fp32": FloatWeights(),
        "fp16": HalfWeights(),
        "int8": config.int8,
    }
    network, encoder = source.network, source.graph_encoder(config.interface)
    if isinstance(network, TracedNetwork):
        return build_traced(network, precision, config.int8, encoder)
    model = build_graph(network, writers[precision], encoder, config.state)
    if precision == "int8":
        require_quantized(model, len(network.layers))
    return model


def compare(
    model: ModelProto,
    suite: ParitySuite,
    precision: Precision,
    tolerance: Tolerance,
    data: Examples | None,
) -> ExportResult:
    """Run ``model`` as a file on the inputs of ``suite``, int8 also with the runtime's kernel."""
    with TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.onnx"
        onnx.save(model, draft)
        size = draft.stat().st_size
        parity = file_parity(draft, suite)
        kernel = kernel_parity(draft, suite)
    accuracy = None
    if data is not None and not suite.plain:
        classes = parity.wanted.shape[1]
        accuracy = parity.accuracy(label_matrix(data, classes) if suite.several else data.labels)
    failures = parity.failures(tolerance)
    if kernel:
        name, found = kernel
        failures += [f"with the {name} kernel {failure}" for failure in found.failures(tolerance)]
    return ExportResult(
        precision, parity, tuple(failures), kernel=kernel, size=size, accuracy=accuracy
    )


def write_if_equal(
    model: ModelProto, metadata: Metadata, result: ExportResult, path: Path
) -> ExportResult:
    """Give ``model`` its name where the comparison found it equal, and let the runtime verify it.

    The very file is verified, before it gets its name.
    """
    if result.failures:
        return result
    check_metadata(metadata)
    helper.set_model_props(model, metadata.to_props())
    with atomic_path(path) as temporary:
        temporary.write_bytes(embed_checksum(model.SerializeToString(deterministic=True)))
        SentimentModel.load(temporary, "cpu").verify()
    return replace(result, path=path, size=path.stat().st_size)
