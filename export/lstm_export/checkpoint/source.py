"""What is exported: a checkpoint or a live module, and all that is known about it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lstm_runtime.errors import VocabularyError
from lstm_runtime.model_file.contract import Interface
from lstm_runtime.model_file.labels import problem_of_labels
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_runtime.text.window import WHOLE, Window
from lstm_training.checkpoint import is_checkpoint, parse_checkpoint
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from lstm_export.checkpoint.assume import assume_network
from lstm_export.checkpoint.content import Content, read_content, unwrap
from lstm_export.checkpoint.fit import fit_weights
from lstm_export.checkpoint.hints import ArchitectureHints
from lstm_export.checkpoint.original import NO_ANSWER, OriginalModule, answers, find_original
from lstm_export.checkpoint.state_dict import read_state_dict
from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Network
from lstm_export.reference.copying import copy_module
from lstm_export.traced.network import TracedNetwork

NO_HINTS = ArchitectureHints()


@dataclass(frozen=True)
class Source:
    """A trained model on its way to ONNX."""

    network: Network | TracedNetwork
    "Its weights and how they are run, or the graph that PyTorch's exporter made of it."
    sha256: str
    "SHA-256 of the checkpoint file, or of the weights of a live module."
    original: OriginalModule | None = None
    "The user's own module; None where only weights are known."
    encoder: TextEncoder | None = None
    "Tokeniser and vocabulary; None where there are none."
    labels: tuple[str, ...] = ()
    "Label names; empty for the usual ones."
    threshold: float = 0.5
    "With one probability, from which on the second label is given."
    metrics: Mapping[str, Any] = field(default_factory=dict)
    "Measures that training wrote into the checkpoint."
    training: Mapping[str, Any] = field(default_factory=dict)
    "How the checkpoint came about."
    unused: tuple[str, ...] = ()
    "Tensors of the checkpoint that the class has no place for."

    @property
    def label_count(self) -> int:
        """Labels that the answer needs: one probability speaks of two."""
        plain = self.network.activation == "none"
        return self.network.classes if plain else max(2, self.network.classes)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, or negative and positive, or a number for each class."""
        if self.labels:
            return self.labels
        if self.label_count == 1:
            return ("value",)
        if self.network.activation != "none" and self.label_count == 2:
            return ("negative", "positive")
        return tuple(map(str, range(self.label_count)))

    @property
    def original_name(self) -> str:
        """What the exported files are compared with, for reports."""
        if self.original is None:
            return "the weights in PyTorch, run as assumed"
        return f"{self.original.name}.forward in PyTorch"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the reading, in sentences."""
        notes = []
        activation, count = self.network.activation, self.network.classes
        if self.original is None:
            notes.append(
                f"weights alone: run as {self.network.described()}; give --module FILE:CLASS to "
                "compare with the model itself"
            )
        elif self.original.returned == "logits" and activation != "none":
            of = "" if count == 1 else f" over {count} labels"
            notes.append(f"forward returns logits, taken as {activation}{of} (see --activation)")
        if isinstance(self.network, TracedNetwork):
            notes += self.network.notes
        notes += self.original.notes if self.original else ()
        if self.unused:
            notes.append(f"the class has no place for {', '.join(self.unused[:6])}: left out")
        if self.padding:
            ids = ", ".join(map(str, sorted(self.padding)))
            notes.append(f"forward leaves out the padding (id {ids}): not compared")
            if isinstance(self.network, Network) and not self.is_answerable([min(self.padding)]):
                notes.append(NO_ANSWER)
        return tuple(notes)

    @property
    def verdict(self) -> str:
        """What may be said of a file that agrees."""
        return "as assumed" if self.original is None else "equal"

    @property
    def padding(self) -> frozenset[int]:
        """Ids that the original leaves out, which no comparison may use."""
        return self.original.padding if self.original else frozenset()

    def is_answerable(self, ids: Sequence[int]) -> bool:
        """Tell whether the original can be asked at all."""
        return self.original is None or answers(self.original, ids)

    @property
    def required_encoder(self) -> TextEncoder:
        """The tokeniser and vocabulary.

        Raises:
            UnsupportedModelError: when there is none.

        """
        if self.encoder is None:
            raise UnsupportedModelError(
                "reading text needs a vocabulary and the checkpoint has none: add --vocab FILE"
            )
        return self.encoder

    def graph_encoder(self, interface: Interface | None) -> TextEncoder | None:
        """Return the encoder that goes into the graph: none for the ids interface."""
        if interface == "text":
            return self.required_encoder
        return None if interface == "ids" else self.encoder

    def with_vocabulary(
        self, vocabulary: Vocabulary, tokenizer: Tokenizer | None = None, window: Window = WHOLE
    ) -> "Source":
        """Return the same source with another vocabulary, and another tokeniser if given.

        Args:
            vocabulary: words by id.
            tokenizer: None for the checkpoint's own, or the usual one.
            window: which part of a text is read, and what short ones are filled up with.

        Raises:
            VocabularyError: when it has more words than the model has vectors.

        """
        rows = self.network.architecture.vocab_size
        if len(vocabulary) > rows:
            raise VocabularyError(
                f"the vocabulary has {len(vocabulary)} words, but the model's embedding {rows} rows"
            )
        usual = self.encoder.tokenizer if self.encoder else Tokenizer()
        encoder, network = TextEncoder(tokenizer or usual, vocabulary, window), self.network
        if isinstance(network, Network):
            network = replace(network, in_pieces=encoder.continuable)
        else:
            network.require_window(window)
        return replace(self, encoder=encoder, network=network)

    def with_labels(self, labels: tuple[str, ...]) -> "Source":
        """Return the same source with other label names.

        Raises:
            UnsupportedModelError: when their number does not fit, or no file may have such a one.

        """
        trimmed = tuple(label.strip() for label in labels)
        if len(set(trimmed)) != self.label_count or len(trimmed) != self.label_count:
            raise UnsupportedModelError(
                f"the model needs {self.label_count} different labels, not {', '.join(labels)}"
            )
        if problem := problem_of_labels(trimmed):
            raise UnsupportedModelError(problem)
        return replace(self, labels=trimmed)


def load_source(
    checkpoint: Path | Content,
    hints: ArchitectureHints = NO_HINTS,
    module: nn.Module | None = None,
) -> Source:
    """Read a checkpoint of any of the usual forms.

    Those are a ``model.pt`` of ``lstm-train``, a bare state dict, one wrapped in a dict of a
    training script (Lightning's too), a safetensors file or a folder with one, and TorchScript
    archives and ``.pt2`` programs, which are their own originals. Pickled code is never run.

    Args:
        checkpoint: its path, or its content where that has been read.
        hints: what the weights cannot tell; needed where there is no class.
        module: the user's own module; takes the weights of the checkpoint and is the original
            that every file is compared with.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.
        UnsupportedModelError: when the network is not of the family, and there is no module that
            PyTorch could export.

    """
    read = checkpoint if isinstance(checkpoint, Content) else read_content(checkpoint)
    content, path, sha256 = read.value, read.path, read.sha256
    if is_checkpoint(content):
        parsed = parse_checkpoint(content, path)
        model = parsed.model() if module is None else module
        fit_weights(model, parsed.state_dict)
        original = find_original(model, hints)
        return Source(
            original.network, sha256, original, parsed.encoder, parsed.labels, parsed.threshold,
            parsed.metrics, parsed.training,
        )  # fmt: skip
    if module is None and isinstance(content, nn.Module):
        original = find_original(content, hints)
        return Source(original.network, sha256, original)
    state = content.state_dict() if isinstance(content, nn.Module) else unwrap(content, path)
    if module is None:
        return Source(assume_network(read_state_dict(state), hints), sha256)
    unused = fit_weights(module, state)
    original = find_original(module, hints)
    return Source(original.network, sha256, original, unused=unused)


def module_source(module: nn.Module, hints: ArchitectureHints = NO_HINTS) -> Source:
    """Take a live module, which is the original that every file is compared with.

    The module itself stays as it is, in its mode and on its device: a copy is run.

    Raises:
        UnsupportedModelError: when the network is not of the family, and PyTorch cannot export it.

    """
    if any(is_lazy(weight) for weight in module.parameters()):
        raise UnsupportedModelError("the module has lazy layers: run it once before it is exported")
    digest = hashlib.sha256()
    state = {n: value for n, value in module.state_dict().items() if isinstance(value, Tensor)}
    for name in sorted(state):
        digest.update(name.encode() + state[name].detach().cpu().float().numpy().tobytes())
    original = find_original(copy_module(module).cpu(), hints)
    return Source(original.network, digest.hexdigest(), original)
