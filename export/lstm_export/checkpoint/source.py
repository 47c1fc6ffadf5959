"""What is exported: a checkpoint or a live module, and all that is known about it."""

import hashlib
import warnings
import zipfile
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from lstm_runtime.model_file.contract import Interface
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.checkpoint import is_checkpoint, load_content, parse_checkpoint
from lstm_training.errors import CheckpointError
from torch import Tensor, nn

from lstm_export.checkpoint.state_dict import read_state_dict
from lstm_export.checkpoint.user_module import ArchitectureHints, UserModule
from lstm_export.errors import UnsupportedModelError
from lstm_export.network import Activation, Network, NetworkWeights

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Keys under which training scripts put the weights."""


@dataclass(frozen=True)
class Source:
    """A trained model on its way to ONNX."""

    network: Network
    "Its weights and how they are run."
    sha256: str
    "SHA-256 of the checkpoint file, or of the weights of a live module."
    original: UserModule | None = None
    "The user's own module; None where only weights are known."
    encoder: TextEncoder | None = None
    "Tokeniser and vocabulary; None where there are none."
    labels: tuple[str, ...] = ()
    "Label names; empty for the usual ones."
    metrics: Mapping[str, Any] = field(default_factory=dict)
    "Measures that training wrote into the checkpoint."
    training: Mapping[str, Any] = field(default_factory=dict)
    "How the checkpoint came about."

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels, or negative and positive, or a number for each class."""
        classes = self.network.weights.classes
        usual = ("negative", "positive") if classes <= 2 else tuple(map(str, range(classes)))
        return self.labels or usual

    @property
    def original_name(self) -> str:
        """What the exported files are compared with, for reports."""
        if self.original is None:
            return "our reading of the weights in PyTorch"
        return f"{type(self.original.module).__name__}.forward in PyTorch"

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
        self, vocabulary: Vocabulary, tokenizer: Tokenizer | None = None
    ) -> "Source":
        """Return the same source with another vocabulary, and another tokeniser if given."""
        usual = self.encoder.tokenizer if self.encoder else Tokenizer()
        return replace(self, encoder=TextEncoder(tokenizer or usual, vocabulary))

    def with_labels(self, labels: tuple[str, ...]) -> "Source":
        """Return the same source with other label names.

        Raises:
            UnsupportedModelError: when their number does not fit the network.

        """
        wanted = max(2, self.network.weights.classes)
        if len(set(labels)) != wanted:
            raise UnsupportedModelError(
                f"the model needs {wanted} different labels, not {', '.join(labels)}"
            )
        return replace(self, labels=labels)


def load_source(
    path: Path,
    options: ArchitectureHints | None = None,
    module: nn.Module | None = None,
) -> Source:
    """Read a checkpoint of any of the usual forms.

    Those are a ``model.pt`` of ``lstm-train``, a bare state dict, one wrapped in a dict of a
    training script, and a TorchScript archive. Pickled code is never run.

    Args:
        path: the checkpoint.
        options: what the weights cannot tell; needed where there is a choice and no ``module``.
        module: the user's own module; takes the weights of the checkpoint and is the original
            that every file is compared with.

    Raises:
        CheckpointError: when the file is missing, damaged or would run code.
        UnsupportedModelError: when the network is not of the family.

    """
    options = options or ArchitectureHints()
    content = _load(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if not is_checkpoint(content):
        state = _unwrap(content, path)
        original = None if module is None else _live(module, state, options)
        network = original.network if original else _network(read_state_dict(state), options)
        return Source(network, sha256, original)
    checkpoint = parse_checkpoint(content, path)
    original = _live(module or checkpoint.model(), checkpoint.state_dict, options)
    return Source(
        original.network,
        sha256,
        original,
        checkpoint.encoder,
        checkpoint.labels,
        checkpoint.metrics,
        checkpoint.training,
    )


def module_source(module: nn.Module, options: ArchitectureHints | None = None) -> Source:
    """Take a live module, which is the original that every file is compared with.

    The module itself stays as it is, in its mode and on its device: a copy is run.

    Raises:
        UnsupportedModelError: when the network is not of the family.

    """
    state = module.state_dict()
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode() + state[name].detach().cpu().float().numpy().tobytes())
    copy = deepcopy(module).cpu()
    original = UserModule(copy, read_state_dict(state), options or ArchitectureHints())
    return Source(original.network, digest.hexdigest(), original)


def _load(path: Path) -> Any:
    """Return the content of a PyTorch file, or the state dict of a TorchScript archive."""
    if not _is_scripted(path):
        return load_content(path)
    try:
        with warnings.catch_warnings():
            # PyTorch advises authors to move on from TorchScript; our users only have the file.
            warnings.simplefilter("ignore")
            archive = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise CheckpointError(f"{path} is a damaged TorchScript archive") from error
    return archive.state_dict()


def _is_scripted(path: Path) -> bool:
    if not (path.is_file() and zipfile.is_zipfile(path)):
        return False
    with zipfile.ZipFile(path) as parts:
        return any(name.endswith("/constants.pkl") for name in parts.namelist())


def _unwrap(content: Any, path: Path) -> dict[str, Tensor]:
    """Return the state dict, without what a training script wrapped around it."""
    if not isinstance(content, Mapping):
        raise UnsupportedModelError(f"{path} holds a {type(content).__name__}, not a state dict")
    for key in WRAPPERS:
        if isinstance(content.get(key), Mapping):
            return _unwrap(content[key], path)
    others = [str(name) for name, value in content.items() if not isinstance(value, Tensor)]
    if others or not content:
        raise UnsupportedModelError(
            f"{path} holds no state dict: neither {', '.join(WRAPPERS)} nor tensors alone, but "
            f"{', '.join(others[:6]) or 'nothing'}"
        )
    return {str(name): value for name, value in content.items()}


def _live(module: nn.Module, state: Mapping[str, Tensor], options: ArchitectureHints) -> UserModule:
    """Give ``module`` the weights of the checkpoint."""
    own = module.state_dict()
    prefix = _common_prefix(state, own)
    try:
        module.load_state_dict({name.removeprefix(prefix): value for name, value in state.items()})
    except RuntimeError as error:
        detail = " ".join(str(error).split())
        raise UnsupportedModelError(f"the checkpoint does not fit the class: {detail}") from error
    return UserModule(module, read_state_dict(state), options)


def _common_prefix(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Return what stands before each of the module's own names in ``state``, like ``module.``."""
    first = next(iter(own), "")
    ends = [name for name in state if name.endswith(first)]
    return ends[0].removesuffix(first) if ends else ""


def _network(weights: NetworkWeights, options: ArchitectureHints) -> Network:
    """Read weights without a module: say what cannot be known instead of guessing it."""
    if weights.bidirectional and options.readout is None:
        raise UnsupportedModelError(
            "weights cannot tell what the linear layer of a bidirectional LSTM sees: give "
            "--readout last (final states of both directions), step (output at the last token), "
            "mean or max, or --module with the class itself"
        )
    if len(weights.head) > 1 and options.between is None:
        raise UnsupportedModelError(
            f"weights cannot tell what stands between the {len(weights.head)} linear layers: give "
            "--between none, relu or tanh, or --module with the class itself"
        )
    usual: Activation = "sigmoid" if weights.classes == 1 else "softmax"
    return Network(
        weights, options.readout or "last", options.activation or usual, options.between or "none"
    )
