"""What is exported: a checkpoint file, read into a network and all that is known about it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.errors import VocabularyError
from lstm_runtime.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.vocabulary import Vocabulary
from lstm_training.checkpoint import is_checkpoint, load_content, parse_checkpoint
from lstm_training.model import ModelConfig, SentimentRNN
from torch import Tensor

from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network, network_from_state_dict

LABELS = ("negative", "positive")


@dataclass(frozen=True)
class Source:
    """A trained model on its way to ONNX."""

    module: SentimentRNN
    "The original, in evaluation mode: what every exported file is compared with."
    network: Network
    "Its weights as arrays."
    sha256: str
    "SHA-256 of the checkpoint file."
    encoder: TextEncoder | None = None
    "Tokeniser and vocabulary; None where the checkpoint has none."
    labels: tuple[str, ...] = LABELS
    "Label names."
    metrics: Mapping[str, Any] = field(default_factory=dict)
    "Measures that training wrote into the checkpoint."
    training: Mapping[str, Any] = field(default_factory=dict)
    "How the checkpoint came about."


def load_source(path: Path, vocabulary: Path | None = None) -> Source:
    """Read a ``model.pt`` of ``lstm-train`` or a bare state dict of the seed class.

    Args:
        path: the checkpoint.
        vocabulary: a vocabulary file, see `read_vocabulary`; replaces the checkpoint's own.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.
        UnsupportedModelError: when it holds another network than the seed's.
        VocabularyError: when the vocabulary is malformed or does not fit the embedding.

    """
    content = load_content(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if is_checkpoint(content):
        checkpoint = parse_checkpoint(content, path)
        source = Source(
            checkpoint.model(),
            network_from_state_dict(checkpoint.state_dict, checkpoint.config.n_layers),
            sha256,
            checkpoint.encoder,
            checkpoint.labels,
            checkpoint.metrics,
            checkpoint.training,
        )
    else:
        source = _from_state_dict(content, path, sha256)
    if source.network.architecture.classes != 1:
        raise UnsupportedModelError(
            f"{path} has {source.network.architecture.classes} outputs; only models with one, "
            "the probability of the positive label, can be exported"
        )
    _require_finite(source.module, path)
    return source if vocabulary is None else _with_vocabulary(source, vocabulary)


def read_vocabulary(path: Path) -> Vocabulary:
    """Read a vocabulary file.

    Text: line n, counted from 0, is the word with id n. JSON (a file named ``.json``): an object,
    word to id. Both have ``<pad>`` and ``<unk>`` in their places.

    Raises:
        VocabularyError: when the file is missing, malformed, has gaps or doubles.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise VocabularyError(f"{path} is not UTF-8 text (byte {error.start + 1})") from error
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror}") from error
    words = _json_words(text, path) if path.suffix == ".json" else _text_words(text)
    try:
        return Vocabulary(tuple(words))
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error


def _text_words(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _json_words(text: str, path: Path) -> list[str]:
    try:
        ids = json.loads(text)
    except json.JSONDecodeError as error:
        raise VocabularyError(f"{path} is not JSON: {error}") from error
    if not isinstance(ids, dict) or not all(type(n) is int for n in ids.values()):
        raise VocabularyError(f"{path} must hold one JSON object, word to whole-number id")
    words = sorted(ids, key=lambda word: int(ids[word]))
    for expected, word in enumerate(words):
        if ids[word] != expected:
            raise VocabularyError(f"{path}: no word has the id {expected} (next is {ids[word]})")
    return words


def _with_vocabulary(source: Source, path: Path) -> Source:
    vocabulary = read_vocabulary(path)
    rows = source.network.architecture.vocab_size
    if len(vocabulary) != rows:
        raise VocabularyError(
            f"{path} has {len(vocabulary)} words, but the model's embedding has {rows} rows"
        )
    tokenizer = source.encoder.tokenizer if source.encoder else Tokenizer()
    encoder = TextEncoder(tokenizer, vocabulary)
    return Source(
        source.module,
        source.network,
        source.sha256,
        encoder,
        source.labels,
        source.metrics,
        source.training,
    )


def _from_state_dict(content: Any, path: Path, sha256: str) -> Source:
    """Rebuild the seed class around a bare state dict; sizes come from the shapes."""
    if not isinstance(content, Mapping) or not content:
        raise UnsupportedModelError(f"{path} holds {type(content).__name__}, not a state dict")
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise UnsupportedModelError(f"{path} is not a bare state dict: it holds {_names(content)}")
    state = {str(name): value.float() for name, value in content.items()}
    config = _config_from_shapes(state, path)
    module = SentimentRNN.from_config(config)
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        detail = " ".join(str(error).split()[6:])
        raise UnsupportedModelError(f"{path} does not fit the seed class: {detail}") from error
    return Source(module.eval(), network_from_state_dict(state, config.n_layers), sha256)


def _config_from_shapes(state: Mapping[str, Tensor], path: Path) -> ModelConfig:
    n_layers = sum(name.startswith("lstm.weight_ih_l") for name in state)
    needed = ("embedding.weight", "lstm.weight_hh_l0", "fc.weight")
    missing = [name for name in needed if name not in state or state[name].dim() != 2]
    if missing:
        raise UnsupportedModelError(
            f"{path} is not a state dict of the seed class: no {', '.join(missing)} among "
            f"{_names(state)}"
        )
    vocab_size, embedding_dim = state["embedding.weight"].shape
    output_size, hidden_dim = state["fc.weight"].shape
    return ModelConfig(vocab_size, output_size, embedding_dim, hidden_dim, n_layers)


def _require_finite(module: SentimentRNN, path: Path) -> None:
    for name, weight in module.state_dict().items():
        if not bool(torch.isfinite(weight).all()):
            raise UnsupportedModelError(f"{path}: {name} holds NaN or infinite weights")


def _names(content: Mapping[Any, Any]) -> str:
    names = [str(name) for name in content]
    return ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
