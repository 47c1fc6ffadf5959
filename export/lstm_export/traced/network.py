"""A network that is known by what it does: its captured graph and its sizes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lstm_runtime.arrays import Array
from lstm_runtime.model_file.contract import Activation, Architecture
from lstm_runtime.text.window import Window
from onnx import ModelProto, NodeProto
from torch import nn

from lstm_export.errors import UnsupportedModelError
from lstm_export.graph.builder import all_graphs, all_nodes
from lstm_export.reference.neighbours import beside_others
from lstm_export.traced.calls import module_name
from lstm_export.traced.capture import Capture, capture
from lstm_export.traced.checking import probe_lengths
from lstm_export.traced.forward import Forward, find_forward
from lstm_export.traced.precision import RECURRENT
from lstm_export.traced.values import Answer, find_answer


@dataclass(frozen=True)
class TracedNetwork:
    """What PyTorch's exporters made of a module, for texts one at a time."""

    graph: ModelProto
    "Takes ``ids`` ``[1, sequence]``, gives ``values`` ``[classes]``, in fp32."
    exporter: str
    "Which exporter made it, and how."
    architecture: Architecture
    "Its sizes, as far as the graph shows them."
    answer: Answer
    "What its values are."
    min_tokens: int
    "Shortest text that the module reads; shorter ones are padded on the right."
    max_tokens: int | None
    "Longest text that the module reads; None for any."
    padding_id: int
    "Id that short texts are padded with."
    notes: tuple[str, ...]
    "What the owner should know: how the module was called, what it cannot read."

    @property
    def continuable(self) -> bool:
        """Whether a text can be continued: there are no states to continue from."""
        return False

    @property
    def activation(self) -> Activation:
        """What the answer is."""
        return self.answer.activation

    @property
    def classes(self) -> int:
        """Numbers in an answer."""
        return self.architecture.classes

    def require_window(self, window: Window) -> None:
        """Check that texts are cut and padded to the one length that forward reads.

        Raises:
            UnsupportedModelError: when they are not; names the options.

        """
        length = self.max_tokens
        if length == self.min_tokens and (window.max_tokens, window.pad_to) != (length, length):
            raise UnsupportedModelError(
                f"forward reads {length} tokens, neither fewer nor more: add --max-tokens {length} "
                f"--pad-left-to {length}, or --pad-right-to, as your own code pads (in Python, "
                f"window=Window(max_tokens={length}, pad_to={length}, pad_side=…))"
            )

    def described(self) -> str:
        """Return the network in words: its operators that have weights or read all steps."""
        counts = Counter(node.op_type for node in all_nodes(self.graph.graph))
        told = [f"{counts[kind]} {kind}" for kind in _TOLD if counts[kind]]
        end = self.activation if self.activation != "none" else "as it is"
        return ", ".join([*told, end])


_TOLD = ("LSTM", "GRU", "RNN", "Conv", "MatMul", "Gemm", "Softmax", "LayerNormalization")


_NO_ANSWER = (
    "forward has no answer (NaN, or an error) for padding alone (id {}), as which a text reads of "
    "which no word has an id: what the file answers to it is its own"
)

_OTHER_ANSWER = (
    "for padding alone (id {}) the graph gives another answer than forward, so a text of which no "
    "word has an id is read otherwise"
)


class TracedModule:
    """A module of any kind, its captured graph, and its own answers.

    Args:
        module: in evaluation mode.
        activation: what makes probabilities of logits; None for the usual.

    Attributes:
        network: its captured graph.
        returned: what its forward returns.
        padding: ids that it leaves out or the graph reads otherwise, which no comparison uses.
        notes: what the owner should know of padding.

    Raises:
        UnsupportedModelError: when it cannot be called on a text, or PyTorch cannot export it.

    """

    def __init__(self, module: nn.Module, activation: Activation | None = None) -> None:
        self.module = module
        self.name = module_name(module)
        self._forward = find_forward(module)
        captured = capture(self._forward)
        self.network = _network(self._forward, captured, activation)
        self.returned = self.network.answer.returned
        silent = self._is_silent()
        self._padding_alone = captured.reads_only_padding
        hides = not captured.reads_padding or silent
        self.padding = frozenset({self.network.padding_id} if hides else ())
        told = _NO_ANSWER if silent else "" if self._padding_alone else _OTHER_ANSWER
        notes = (told.format(self.network.padding_id),) if told else ()
        self.notes = (*notes, *beside_others(self._forward.beside, self._forward))

    def probability(self, ids: Sequence[int]) -> Array:
        """Return the module's own answer for one text, as the exported file gives it.

        Raises:
            UnsupportedModelError: when forward fails on the text.

        """
        missing = max(0, self.network.min_tokens - len(ids))
        try:
            values = self._forward([*ids, *[self.network.padding_id] * missing])
        except Exception as error:  # forward is somebody else's code
            raise UnsupportedModelError(
                f"{self.name}.forward fails for a text of {len(ids)} tokens: "
                f"{' '.join(str(error).split())[:100]}"
            ) from error
        return self.network.answer.of(values)

    def answers(self, ids: Sequence[int]) -> bool:
        """Tell whether the module can be asked: not of too many tokens, nor of padding alone."""
        if len(ids) > (self.network.max_tokens or len(ids)):
            return False
        return self._padding_alone or not set(ids) <= self.padding

    def _is_silent(self) -> bool:
        """Tell whether the module has no answer for padding alone."""
        try:
            return not np.isfinite(self.probability([self.network.padding_id])).all()
        except UnsupportedModelError:
            return True


def _network(forward: Forward, captured: Capture, activation: Activation | None) -> TracedNetwork:
    values = [forward(ids) for ids in forward.probes(probe_lengths(forward))]
    return TracedNetwork(
        captured.model,
        captured.exporter,
        _architecture(captured.model, forward),
        find_answer(captured.model, values, activation),
        forward.min_tokens,
        forward.max_tokens,
        forward.padding_id,
        tuple(_notes(captured, forward)),
    )


def _architecture(model: ModelProto, forward: Forward) -> Architecture:
    """Return the sizes; 0 for those of parts that the network does not have."""
    layers = [node for node in all_nodes(model.graph) if node.op_type in RECURRENT]
    tables = [t.dims for part in all_graphs(model.graph) for t in part.initializer]
    widths = [dims[1] for dims in tables if len(dims) == 2 and dims[0] == forward.vocab_size]
    return Architecture(
        vocab_size=forward.vocab_size,
        embedding_dim=widths[0] if widths else 0,
        hidden_dim=max((_attribute(node, "hidden_size") for node in layers), default=0),
        n_layers=len(layers),
        classes=forward.classes,
        bidirectional=any(_is_bidirectional(node) for node in layers),
        readout="other",
    )


def _attribute(node: NodeProto, name: str) -> int:
    return next((a.i for a in node.attribute if a.name == name), 0)


def _is_bidirectional(node: NodeProto) -> bool:
    return any(a.name == "direction" and a.s == b"bidirectional" for a in node.attribute)


def _notes(captured: Capture, forward: Forward) -> list[str]:
    notes = [f"the graph was made by {captured.exporter}"]
    if forward.words != "forward(ids)" or forward.path:
        taken = f", its answer taken from {forward.path}" if forward.path else ""
        notes.append(f"called as {forward.words}{taken}")
    if forward.others:
        notes.append(f"forward returns more, which is left out: {', '.join(forward.others)}")
    if forward.min_tokens == forward.max_tokens:
        return [*notes, f"forward reads {forward.max_tokens} tokens, neither fewer nor more"]
    if forward.min_tokens > 1:
        notes.append(
            f"texts of fewer than {forward.min_tokens} tokens, which forward cannot read, are "
            f"padded on the right with id {forward.padding_id}"
        )
    if forward.max_tokens is not None:
        notes.append(f"forward reads {forward.max_tokens} tokens at most")
    if not captured.reads_padding:
        notes.append(
            f"the graph reads a text that ends in padding (id {forward.padding_id}) otherwise than "
            "forward does: give it texts without padding, or with their lengths"
        )
    kinds = {node.op_type for node in all_nodes(captured.model.graph)}
    for kind in sorted(kinds & {"GRU", "RNN"}):
        notes.append(f"its {kind} stays in float32 in an int8 file")
    if not kinds & {"LSTM", "GRU", "RNN"}:
        notes.append("an int8 file has its word vectors in int8, and all else in float32")
    return notes
