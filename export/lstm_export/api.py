"""The export as one Python call."""

from pathlib import Path

import torch
from lstm_runtime.errors import InputError
from lstm_runtime.text.tokenizer import Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_runtime.text.window import WHOLE, Window
from lstm_training.data.examples import Examples
from torch import nn

from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.labelled import load_labelled
from lstm_export.checkpoint.source import Source, load_source, module_source
from lstm_export.checkpoint.vocabulary_file import read_vocabulary
from lstm_export.config import ExportConfig
from lstm_export.errors import OutputError
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.parity.encoding import LEAST_ALIKE, Encode, compare_source, require_alike
from lstm_export.pipeline import export_source


def export(  # noqa: PLR0913 - keyword arguments, each with a default
    model: nn.Module | str | Path,
    output: str | Path,
    *,
    module: nn.Module | None = None,
    vocabulary: Vocabulary | str | Path | None = None,
    unknown: str | None = None,
    pattern: str | None = None,
    tokenizer: Tokenizer | None = None,
    window: Window = WHOLE,
    encode: Encode | str | Path | None = None,
    alike: float = LEAST_ALIKE,
    labels: tuple[str, ...] | None = None,
    hints: ArchitectureHints | None = None,
    config: ExportConfig | None = None,
    data: Examples | str | Path | None = None,
) -> list[ExportResult]:
    """Write a model as ONNX files that are proven equal to it.

    Args:
        model: a live module, which is then the original that every file is compared with by its
            own ``forward``; or the path of a checkpoint.
        output: folder of the files; made when missing.
        module: an instance of the class that the checkpoint ``model`` is of; it takes the weights
            and is the original that every file is compared with.
        vocabulary: words by id, or a vocabulary file; None for the checkpoint's own, or none.
        unknown: the word of a vocabulary file that unknown words become; None for ``<unk>`` where
            the file has it, else unknown words are dropped.
        pattern: what the vocabulary takes for a token, in the syntax of RE2; None for the
            checkpoint's own, or the usual one.
        tokenizer: the same with all that can be said of a tokeniser, in the place of ``pattern``.
        window: which ids of a text are read, and what short texts are filled up with.
        encode: your own text to ids, or a table (``.jsonl``) of ``text`` and ``ids``: the
            tokeniser that goes into the file is compared with it on the reference texts and
            ``data``, or on the table's texts.
        alike: share of the texts, 0 to 1, that have to get the very same ids.
        labels: label names; None for the checkpoint's own or the usual ones.
        hints: what weights cannot tell, needed for some checkpoints without their class.
        config: precisions, interface and more; fp32 and int8 when left out.
        data: labelled texts that are compared too, or a file of them as for ``lstm-train``.

    Returns:
        The NumPy cell's result and one for each file.

    Raises:
        ParityError: when a file is not equal to the original; it is not left behind. Also when
            fewer texts than ``alike`` are read as ``encode`` reads them.
        UnsupportedModelError: when the network is not of the family.
        CheckpointError: when a checkpoint is missing, damaged or would run code.
        VocabularyError: when the vocabulary is malformed or does not fit the model.
        InputError: when an argument makes no sense.
        OutputError: when a file cannot be read or written.

    """
    try:
        with torch.random.fork_rng(devices=[]):  # an app's own numbers go on as they were
            source = _source(model, module, hints or ArchitectureHints())
            if pattern is not None:
                if tokenizer:
                    raise InputError("pattern is a part of tokenizer: give one of the two")
                tokenizer = Tokenizer(pattern)
            source = _with_words(source, vocabulary, unknown, tokenizer, window)
            if labels is not None:
                source = source.with_labels(tuple(labels))
            examples = load_labelled(source, str(data)) if isinstance(data, str | Path) else data
            if encode is not None:
                texts = examples.texts if examples else ()
                require_alike(compare_source(source, encode, texts), alike)
            results = list(export_source(source, Path(output), config or ExportConfig(), examples))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise OutputError(f"{where}{error.strerror or error}") from error
    require_parity(results)
    return results


def _source(
    model: nn.Module | str | Path, module: nn.Module | None, hints: ArchitectureHints
) -> Source:
    if isinstance(model, nn.Module):
        return module_source(model, hints)
    if not isinstance(model, str | Path):
        raise InputError(f"model must be a module or a path, not a {type(model).__name__}")
    return load_source(Path(model), hints, module)


def _with_words(
    source: Source,
    vocabulary: Vocabulary | str | Path | None,
    unknown: str | None,
    tokenizer: Tokenizer | None,
    window: Window,
) -> Source:
    if vocabulary is None:
        if tokenizer or unknown or window != WHOLE:
            raise InputError("unknown, pattern, tokenizer and window belong to a vocabulary")
        return source
    if isinstance(vocabulary, str | Path):
        rows = source.network.architecture.vocab_size
        vocabulary = read_vocabulary(Path(vocabulary), rows, unknown)
    elif not isinstance(vocabulary, Vocabulary):
        kind = type(vocabulary).__name__
        raise InputError(f"vocabulary must be a path or a Vocabulary, not a {kind}")
    return source.with_vocabulary(vocabulary, tokenizer, window)
