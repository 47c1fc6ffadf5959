"""The export as one Python call."""

from pathlib import Path

from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.data.examples import Examples
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.source import load_source, module_source
from lstm_export.checkpoint.vocabulary_file import read_vocabulary
from lstm_export.config import ExportConfig
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.pipeline import export_source


def export(  # noqa: PLR0913 - keyword arguments, each with a default
    model: nn.Module | str | Path,
    output: str | Path,
    *,
    vocabulary: Vocabulary | str | Path | None = None,
    labels: tuple[str, ...] | None = None,
    hints: ArchitectureHints | None = None,
    config: ExportConfig | None = None,
    data: Examples | None = None,
) -> list[ExportResult]:
    """Write a model as ONNX files that are proven equal to it.

    Args:
        model: a live module, which is then the original that every file is compared with by its
            own ``forward``; or the path of a checkpoint.
        output: folder of the files; made when missing.
        vocabulary: words by id, or a vocabulary file; None for the checkpoint's own, or none.
        labels: label names; None for the checkpoint's own or the usual ones.
        hints: what weights cannot tell, needed for some checkpoints without their class.
        config: precisions, interface and more; fp32 and int8 when left out.
        data: labelled texts that are compared too.

    Returns:
        The witness's result and one for each file.

    Raises:
        ParityError: when a file is not equal to the original; it is not left behind.
        UnsupportedModelError: when the network is not of the family.
        CheckpointError: when a checkpoint is missing, damaged or would run code.
        VocabularyError: when the vocabulary is malformed or does not fit the model.

    """
    if isinstance(model, nn.Module):
        source = module_source(model, hints or ArchitectureHints())
    else:
        source = load_source(Path(model), hints or ArchitectureHints())
    if vocabulary is not None:
        if not isinstance(vocabulary, Vocabulary):
            rows = source.network.architecture.vocab_size
            vocabulary = read_vocabulary(Path(vocabulary), rows)
        source = source.with_vocabulary(vocabulary)
    if labels is not None:
        source = source.with_labels(labels)
    results = list(export_source(source, Path(output), config or ExportConfig(), data))
    require_parity(results)
    return results
