"""The model file's contract: the one place that names its inputs, outputs and metadata.

Inputs, one of two interfaces:
    ``text``     string ``[batch]``
    ``ids``      int64 ``[batch, sequence]``, right-padded, and
    ``lengths``  int32 ``[batch]``, 1 to ``sequence``
and, unless the file was exported without state:
    ``h0, c0``   float ``[layers, 1 or batch, hidden]``; zeros when left out, where the file
                 was exported with optional state

Text is UTF-8, and the same on every platform only where whoever feeds it first puts U+FFFD in the
place of NUL (which ends a string in C and JavaScript), of each lone surrogate (which UTF-8 cannot
hold), of U+0130 and of U+212A (which ONNX Runtime lowers to ASCII in WebAssembly alone). The
runtimes for Python, JavaScript and C do.

Outputs:
    ``probability``  float ``[batch, classes]``; where the metadata's ``activation`` is ``none``,
                     plain numbers
    ``trajectory``   float ``[batch, tokens, classes]``, the probability after each token;
                     what stands behind the end of a shorter text has no meaning
    ``tokens``       string ``[batch, tokens]``, '' behind the end (text interface only)
    ``hn, cn``       float ``[layers, batch, hidden]``; feed them back as ``h0, c0``

A model that reads both ways, or whose readout is not ``last``, cannot be continued: its file has
no ``h0, c0, hn, cn`` and no ``trajectory``. A file exported without state has the trajectory only.
Nor has one from PyTorch's exporter; its weights stand elsewhere, in a ``Scan`` over the texts.

Metadata: the fields of `Metadata`, each a JSON value under its own name, and the file's
checksum (`lstm_runtime.model_file.checksum`).

Initializers: the weights, under the names of `EMBEDDING`, `weight_names` and `int8_names`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from lstm_runtime.model_file import checksum
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec

FORMAT_VERSION = 1

Interface = Literal["text", "ids"]
Precision = Literal["fp32", "int8", "fp16"]
Activation = Literal["sigmoid", "softmax", "none"]

TEXT = "text"
IDS = "ids"
LENGTHS = "lengths"
H0 = "h0"
C0 = "c0"
PROBABILITY = "probability"
TRAJECTORY = "trajectory"
TOKENS = "tokens"
HN = "hn"
CN = "cn"

DESCRIPTIONS: Mapping[str, str] = {
    TEXT: "Texts as UTF-8, raw: the graph lowers A to Z and tokenises.",
    IDS: "Ids of words, padded on the right; the metadata's tokenizer and vocabulary make them.",
    LENGTHS: "Ids of each text, 1 to sequence.",
    H0: "Short-term memory to continue from: the hn of the piece before; zeros for a new text.",
    C0: "Long-term memory to continue from: the cn of the piece before; zeros for a new text.",
    PROBABILITY: "One class: the probability of the second label. Several: that of each label.",
    TRAJECTORY: "The same after each token; meaningless behind the end of a shorter text.",
    TOKENS: "What the tokeniser saw, '' behind the end of a shorter text.",
    HN: "Short-term memory after the last token: feed it as h0 to continue the text.",
    CN: "Long-term memory after the last token: feed it as c0 to continue the text.",
}
"""What each input and output is, in the file itself: viewers such as Netron show it."""

FROM_WEIGHTS = "lstm-edge"
EMBEDDING = "embedding"
"""Initializer: the words' vectors, ``[vocab, embedding]``."""


def lstm_name(layer: int) -> str:
    """Return the name of the LSTM layer with that number, counted from 0, and of its output."""
    return f"lstm_{layer}"


def weight_names(lstm: str) -> tuple[str, str, str]:
    """Return the names of W, R and B, the initializers of an LSTM layer as ONNX defines them."""
    return f"{lstm}_W", f"{lstm}_R", f"{lstm}_B"


def int8_names(name: str) -> tuple[str, str, str]:
    """Return the names that an int8 file has in place of ``name``: values, scales, zero points.

    The embedding has one scale a word, ``[vocab, 1]``, and no zero points. W and R are stored
    transposed, ``[directions, input, 4 * hidden]``, with a scale for each column of a direction.
    """
    return f"{name}_int8", f"{name}_scale", f"{name}_zero"


@dataclass(frozen=True)
class Architecture:
    """The network's sizes, for cards and for anyone who allocates states."""

    vocab_size: int
    "Number of ids."
    embedding_dim: int
    "Length of a word's vector."
    hidden_dim: int
    "Units of each LSTM layer."
    n_layers: int
    "LSTM layers."
    classes: int
    "Probabilities per text: 1 (of the second label) or one for each label."
    bidirectional: bool = False
    "Whether the LSTM also reads from the end."
    readout: str = "last"
    """What the layers after the LSTM see: the final states (``last``), the outputs at the last
    token (``step``, which differs in bidirectional models only) or the first one, ``mean`` or
    ``max`` of all, final ``cell`` states; several joined by commas, and behind a colon which
    direction, where it is not both in their order; ``other`` where the graph is not ours."""


@dataclass(frozen=True)
class Reference:
    """One input with the original model's answer, for `SentimentModel.verify`."""

    probability: tuple[float, ...]
    "The original model's output, one value per class."
    text: str | None = None
    "The input of a file with the text interface."
    ids: tuple[int, ...] | None = None
    "The input of a file with the ids interface."


@dataclass(frozen=True)
class Metadata:
    """All that a model file says about itself."""

    labels: tuple[str, ...]
    """Label names. With one probability: (label below the threshold, label from the threshold
    on); with plain numbers, a name for each."""
    threshold: float
    "With one class: the probability from which on the second label is given."
    architecture: Architecture
    "The network's sizes."
    precision: Precision
    "Number format of the weights."
    tolerance: float
    "Largest difference from the original's probability that the export allowed."
    source_sha256: str
    "SHA-256 of the checkpoint file."
    reference: tuple[Reference, ...]
    "Inputs with the original model's answers."
    activation: Activation | None = None
    """What makes the answer of the network's last numbers: ``none`` where they are the answer, of
    a regression. None in earlier files: sigmoid for one class, softmax for several."""
    tokenizer: TokenizerSpec | None = None
    "None where the model was exported without a vocabulary."
    vocabulary: tuple[str, ...] | None = None
    "Words by id; only in files with the ids interface, where the graph does not hold them."
    aliases: tuple[tuple[str, str], ...] | None = None
    "Other spellings of these words, each with its word; None without any."
    metrics: Mapping[str, Any] | None = None
    "Measures of the checkpoint, as training wrote them."
    training: Mapping[str, Any] | None = None
    "How the checkpoint came about, as training wrote it."
    versions: Mapping[str, str] | None = None
    "Versions of the libraries that wrote the file."
    parity: Mapping[str, Any] | None = None
    "The parity report: largest and mean differences from the original model."
    exporter: str = FROM_WEIGHTS
    "What wrote the network's part of the graph: this, or one of PyTorch's exporters."
    batches: bool = True
    "Whether texts share the work of a run; else the graph reads one after the other."
    max_tokens: int | None = None
    "Longest text that the network reads; None for any."
    format_version: int = FORMAT_VERSION
    "Version of this contract."

    def to_props(self) -> dict[str, str]:
        """Return the metadata as ONNX ``metadata_props``: name to JSON text, and no checksum yet.

        `lstm_runtime.model_file.checksum.embed_checksum` fills it in when the file's bytes are
        known.
        """
        values = asdict(self) | {"tokenizer": self.tokenizer and self.tokenizer.to_json()}
        if self.aliases is None:
            del values["aliases"]
        props = {name: json.dumps(values[name], sort_keys=True) for name in sorted(values)}
        return props | {checksum.PROPERTY: checksum.BLANK}
