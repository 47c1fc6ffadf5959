"""`SentimentStream`: one text that arrives in pieces."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_runtime.arrays import Array
from lstm_runtime.errors import InputError, shown
from lstm_runtime.inference.checks import require_text
from lstm_runtime.inference.engine import Engine, Feed
from lstm_runtime.inference.ids import Ids, validate_ids
from lstm_runtime.inference.results import Sentiment, sentiment
from lstm_runtime.model_file import contract

MOST_PENDING = 10_000
"""Characters that are held back at most: each push reads them again."""
_OUTPUTS = (contract.PROBABILITY, contract.HN, contract.CN)


@dataclass(frozen=True)
class StreamState:
    """Where a stream stands; may be kept, pickled and given to another stream of the same model."""

    h: Array
    "Short-term memory, float32 ``[layers, 1, hidden]``."
    c: Array
    "Long-term memory, float32 ``[layers, 1, hidden]``."
    pending: str = ""
    "The end of what was pushed, not read yet since what follows may change its words."
    probability: tuple[float, ...] | None = None
    "The model's output so far, one value per class; None before the first token."
    model: str = ""
    "Checksum of the file whose state it is; '' in one that an app made itself."


class SentimentStream:
    """Reads a text piece by piece and says at any time what it thinks so far.

    Pieces may be cut anywhere, also within a word: the end is held back until what follows shows
    that its words are complete, or `finish` is called. So the answer does not depend on the cuts,
    up to the rounding of the model's precision. Any number of streams may share a model; one
    stream is for one thread at a time.
    """

    def __init__(self, engine: Engine, state: StreamState | None = None) -> None:
        if not engine.has_state:
            raise InputError(f"{engine.path} cannot be streamed: it has no states to continue from")
        self._engine = engine
        self._tokenizer = engine.tokenizer
        if state is None:
            zero = engine.zero_state()
            self._state = StreamState(zero, zero, model=engine.digest)
        else:
            _check(state, engine)
            self._state = state

    @property
    def state(self) -> StreamState:
        """Where the stream stands now; later pushes do not change it."""
        return self._state

    def push(self, chunk: str) -> Sentiment:
        """Read the next piece of text.

        Returns:
            The result for all complete words so far; its ``text`` is this piece.

        Raises:
            InputError: when ``chunk`` is not a str or the file has no tokeniser, or when more text
                is held back than any word has: the stream is left as it was, and `finish` reads it.

        """
        require_text(chunk, "a piece of text")
        if self._tokenizer is None:
            raise InputError(f"{self._engine.path} has no tokeniser: push_ids takes ids")
        complete, pending = self._tokenizer.split_open(self._state.pending + chunk)
        if len(pending) > MOST_PENDING:
            raise InputError(
                f"{len(pending):,} characters could all be one word, and a stream holds back "
                f"{MOST_PENDING:,}: finish it"
            )
        self._read(complete)
        self._state = replace(self._state, pending=pending)
        return self._result(chunk)

    def push_ids(self, ids: Ids) -> Sentiment:
        """Read the next ids (files with the ids interface); ``[sequence]``, at least one.

        Raises:
            InputError: when the file takes text, or the ids are not as `SentimentModel.score_ids`
                wants them.

        """
        if self._engine.reads_text:
            raise InputError(f"{self._engine.path} takes text: use push")
        self._run(
            self._engine.ids_feed(
                [validate_ids(ids, self._engine.metadata.architecture.vocab_size)]
            )
        )
        return self._result("")

    def finish(self) -> Sentiment:
        """Read the word that was held back and return the result for the whole text.

        Its ``text`` is that word. Pushing more afterwards goes on behind it.
        """
        pending = self._state.pending
        self._read(pending)
        self._state = replace(self._state, pending="")
        return self._result(pending)

    def _read(self, text: str) -> None:
        """Run ``text``, unless no token of it reaches the network: that leaves the state alone."""
        if text and self._engine.has_token(text):
            self._run(self._engine.text_feed([text]))

    def _run(self, feed: Feed) -> None:
        feed |= {contract.H0: self._state.h, contract.C0: self._state.c}
        probability, h, c = self._engine.run(_OUTPUTS, feed)
        self._state = replace(self._state, h=h, c=c, probability=tuple(probability[0].tolist()))

    def _result(self, text: str) -> Sentiment:
        probability = self._state.probability
        if probability is None:
            # Nothing read so far: the same answer as for an empty text.
            probability = tuple(self._engine.empty_probability().tolist())
        return sentiment(text, probability, self._engine.metadata)


def _check(state: Any, engine: Engine) -> None:
    """Check a state that somebody kept, or made."""
    if not isinstance(state, StreamState):
        raise InputError(f"a state is a StreamState, not {type(state).__name__}")
    require_text(state.model, "the model of a state")
    require_text(state.pending, "the pending text of a state")
    if state.model not in {"", engine.digest}:
        raise InputError(
            "the state is another model's: it was made with a file whose checksum begins "
            f"with {state.model[:12]}, and {engine.path} has {engine.digest[:12]}"
        )
    shape = engine.zero_state().shape
    for name, array in (("h", state.h), ("c", state.c)):
        _check_array(name, array, shape)
    if state.probability is not None:
        found, classes = state.probability, engine.metadata.architecture.classes
        floats = isinstance(found, tuple) and all(isinstance(value, float) for value in found)
        if not floats or len(found) != classes:
            raise InputError(f"state probability must be {classes} floats, not {shown(found)}")


def _check_array(name: str, array: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.shape != shape:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
        raise InputError(f"state {name} must be float32 {shape} for this model, not {found}")
    if not np.isfinite(array).all():
        raise InputError(f"state {name} holds NaN or infinite values")
