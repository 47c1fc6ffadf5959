"""`Trace`: what a model does at each token of a text."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lstm_runtime.arrays import Array
from lstm_runtime.errors import AnswerError, InputError
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.results import Sentiment, sentiment
from lstm_runtime.inference.scoring import score_texts
from lstm_runtime.model_file import contract
from lstm_runtime.model_file.reader import OnnxReader
from lstm_runtime.model_file.tokenizer_spec import TokenizerSpec
from lstm_runtime.text.tokenizer import LONGEST_FOREIGN
from lstm_runtime.trace.lstm_cell import Gates, run_layers
from lstm_runtime.trace.weights import TracedWeights, read_weights

GATES = ("learn", "forget", "remember", "use")
"""The gates of a `Trace`, by name."""


@dataclass(frozen=True)
class Trace:
    """A text as the model read it.

    The probabilities are ONNX Runtime's: the file's trajectory or, where it has none, its answers
    to the text up to each token. The gates are the NumPy cell's, from the file's own weights; each
    is the mean over the units of a layer. Of a network without a trajectory (it reads both ways,
    its readout is not the last state, or PyTorch's exporter wrote it) there are none: no layers.
    """

    sentiment: Sentiment
    "The answer for the whole text."
    tokens: tuple[str, ...]
    "The tokens, as the tokeniser saw them; ('',) for a text without any."
    known: tuple[bool, ...]
    "Whether each token is in the vocabulary."
    probability: Array
    "The model's output after each token, ``[tokens, classes]``."
    learn: Array
    "Mean of |N * i|: how much goes into the long-term memory, ``[layers, tokens]``, 0 to 1."
    forget: Array
    "Mean of f: how much of the long-term memory stays, ``[layers, tokens]``, 0 to 1."
    remember: Array
    "Mean size of the long-term memory after the token, ``[layers, tokens]``, 0 or more."
    use: Array
    "Mean size of the short-term memory after the token, ``[layers, tokens]``, 0 to 1."


class Tracer:
    """Traces texts; reads the model file's weights at the first one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @cached_property
    def _weights(self) -> TracedWeights:
        engine = self._engine
        reader = OnnxReader(engine.path, engine.file.data)
        return read_weights(reader, engine.metadata.architecture.n_layers)

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        """Word to id; the graph has it, or else the metadata."""
        words = self._engine.metadata.vocabulary
        if words is None:
            reader = OnnxReader(self._engine.path, self._engine.file.data)
            words_and_padding = reader.vocabulary()
            return {word: n for word, n in words_and_padding.items() if word}
        ids = {word: n for n, word in enumerate(words) if word}
        return {alias: ids[word] for alias, word in self._engine.metadata.aliases or ()} | ids

    @property
    def _spec(self) -> TokenizerSpec:
        spec = self._engine.metadata.tokenizer
        if spec is None:
            raise InputError(f"{self._engine.path} has no tokeniser and cannot be traced")
        return spec

    def trace(self, text: str, max_tokens: int | None) -> Trace:
        """Trace one text, or its last ``max_tokens`` tokens."""
        engine = self._engine
        read = engine.keep_last(text, max_tokens)
        tokens, ids, known = self._tokens(read)
        if contract.TRAJECTORY in engine.outputs:
            outputs = [contract.PROBABILITY, contract.TRAJECTORY]
            probability, trajectory = engine.run(outputs, engine.text_feed([read]))
            gates = self._gates(ids)
            found = {name: _activity(gates, name) for name in GATES}
            trajectory = trajectory[0]
        else:
            trajectory = self._after_each_token(read)
            probability = trajectory[-1:]
            found = dict.fromkeys(GATES, np.zeros((0, len(tokens)), np.float32))
        (share,) = score_texts(engine, [read])[1]
        answer = sentiment(text, probability[0].tolist(), engine.metadata, share)
        return Trace(answer, tokens, known, trajectory, **found)

    def _after_each_token(self, text: str) -> Array:
        """Return the answers to the text up to each token, ``[tokens, classes]``."""
        engine, spec = self._engine, self._spec
        # Dropped words give no token, and change no answer.
        pairs, dropping = spec.tokenizer(LONGEST_FOREIGN).prefixes(text), spec.unknown is None
        parts = [part for word, part in pairs if not dropping or word in self._vocabulary]
        read = spec.window().cut(parts) or [text]
        return np.concatenate([engine.probabilities(engine.text_feed([part])) for part in read])

    def _tokens(self, text: str) -> tuple[tuple[str, ...], list[int], tuple[bool, ...]]:
        """Return the tokens that reach the network, their ids, and which are words we know."""
        engine, spec = self._engine, self._spec
        if engine.reads_text:
            (found,) = engine.run([contract.TOKENS], engine.text_feed([text]))
            tokens = tuple(str(token) for token in found[0])
            fallback = spec.empty if spec.unknown is None else spec.unknown
            ids = [self._vocabulary.get(token, fallback) for token in tokens]
        else:
            known_words = engine.metadata.vocabulary
            if known_words is None:
                raise InputError(f"{engine.path} has no vocabulary and cannot be traced")
            unpadded = replace(spec, pad_to=None)
            ids = unpadded.encoder(known_words, aliases=engine.metadata.aliases or ())(text)
            words = {n: word for word, n in self._vocabulary.items()}
            tokens = tuple(words.get(n, "") for n in ids)
        return tokens, ids, tuple(n not in (spec.unknown, spec.empty) for n in ids)

    def _gates(self, ids: list[int]) -> list[list[Gates]]:
        events = self._weights.embedding[np.array(ids)][:, np.newaxis]
        zero = self._engine.zero_state()
        with np.errstate(all="ignore"):  # what is no number is told below
            found = run_layers(self._weights.layers, events, zero, zero)
        last = [getattr(steps[-1], name) for steps in found if steps for name in GATES]
        if not all(np.isfinite(values).all() for values in last):
            raise AnswerError("the gates are no numbers: the file's weights are damaged")
        return found


def _activity(history: list[list[Gates]], gate: str) -> Array:
    """Return the mean absolute activity of one gate, ``[layers, tokens]``."""
    means = [[float(np.abs(getattr(step, gate)).mean()) for step in steps] for steps in history]
    return np.array(means, np.float32)
