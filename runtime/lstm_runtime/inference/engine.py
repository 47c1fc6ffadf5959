"""`Engine`: a session and what its file says of itself; arrays in, arrays out."""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_runtime.arrays import Array
from lstm_runtime.errors import AnswerError, ClosedError, InputError, ModelFileError
from lstm_runtime.inference.bounds import BoundedRuns
from lstm_runtime.inference.checks import require_text
from lstm_runtime.inference.forking import renew_in_children
from lstm_runtime.inference.providers import OpenedSession, open_session, require_precision
from lstm_runtime.inference.session import CPU, SessionSettings, brief, import_onnxruntime
from lstm_runtime.model_file import contract
from lstm_runtime.model_file.checked import ModelFile
from lstm_runtime.model_file.contract import Metadata
from lstm_runtime.text.tokenizer import LONGEST_FOREIGN, TextEncoder, replace_unportable

Feed = dict[str, NDArray[Any]]


class Engine:
    """Runs the graph; knows which inputs and outputs its file has.

    May be called from many threads at once: ONNX Runtime's ``run`` allows it, and nothing here
    changes once it is open but by `close`. ``batches`` says whether texts may share a run.
    """

    def __init__(self, opened: OpenedSession, file: ModelFile, settings: SessionSettings) -> None:
        self._session = session = opened.session
        self._settings = settings
        self._whole: Any = None
        self.renew()
        renew_in_children(self)
        self._file: ModelFile | None = file
        self.path = file.path
        self.digest = file.digest
        self.metadata = file.metadata
        self.provider = str(session.get_providers()[0])
        shared = settings.options is None and self.provider == CPU
        self._runs = BoundedRuns(import_onnxruntime(), shared=shared, watched=file.watched)
        self.kernel = opened.kernel
        self.batches = file.metadata.batches
        required = file.interface.required
        self.inputs = required | file.interface.optional
        self.outputs = file.interface.outputs
        self.front_end = opened.front_end
        self._given = {node.name for node in session.get_outputs()}
        self._only_scores = not self.outputs <= self._given
        self.reads_text = contract.TEXT in self.inputs
        self._needs_state = contract.H0 in required
        spec = self.metadata.tokenizer
        self.tokenizer = None if spec is None else spec.tokenizer(LONGEST_FOREIGN)
        self._encoder = _encoder(self.metadata)

    @classmethod
    def open(cls, file: ModelFile, provider: str, settings: SessionSettings) -> "Engine":
        """Open a file on one provider.

        Raises:
            ModelFileError: when ONNX Runtime cannot load the file.
            ProviderError: when the provider cannot run it.

        """
        scores = _open(file, provider, settings._replace(only_scores=True))
        engine = cls(scores, file, settings)
        require_precision(engine.provider, engine.metadata.precision)
        return engine

    def open_stock(self) -> "Engine":
        """Open the same file once more, without the kernel."""
        return self.open(self.file, self.provider, self._settings._replace(kernel=False))

    @property
    def file(self) -> ModelFile:
        """What was loaded, whatever lies at its path by now.

        Raises:
            ClosedError: when the model was closed.

        """
        if self._file is None:
            raise _closed()
        return self._file

    def renew(self) -> None:
        """Make the lock anew; see `lstm_runtime.inference.forking`."""
        self._whole_lock = Lock()

    @property
    def opened(self) -> tuple[ModelFile, str, SessionSettings]:
        """What it was made of: the file, the provider, the settings."""
        return self.file, self.provider, self._settings

    @property
    def has_state(self) -> bool:
        """Whether a text can be continued: the file takes and gives states."""
        return contract.H0 in self.inputs and contract.HN in self.outputs

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._session is None

    def close(self) -> None:
        """Let go of the session; runs under way in other threads finish."""
        self._session = self._whole = self._file = None

    def zero_state(self, batch: int = 1) -> Array:
        """Return the state that every text starts from, ``[layers, batch, hidden]``."""
        sizes = self.metadata.architecture
        return np.zeros((sizes.n_layers, batch, sizes.hidden_dim), np.float32)

    def text_feed(self, texts: Sequence[str], max_tokens: int | None = None) -> Feed:
        """Return the inputs for texts, or for the last ``max_tokens`` tokens of each.

        Raises:
            InputError: when one is not a str, or the file has no vocabulary.

        """
        for text in texts:
            require_text(text)
        texts = [self.keep_last(text, max_tokens) for text in texts]
        if self.reads_text:
            clean = [replace_unportable(text) for text in texts]
            return {contract.TEXT: np.array(clean, object)}
        return self.ids_feed([self.encode(text) for text in texts])

    def keep_last(self, text: str, max_tokens: int | None) -> str:
        """Return the end of ``text`` with its last ``max_tokens`` tokens; None for all of it."""
        if max_tokens is None or self.tokenizer is None:
            return text
        return self.tokenizer.keep_last(text, max_tokens)

    def ids_feed(self, texts: Sequence[Sequence[int] | NDArray[np.int64]]) -> Feed:
        """Return the inputs for texts that are ids already; pads shorter ones on the right."""
        lengths = [len(ids) for ids in texts]
        if len(texts) == 1:
            row = np.asarray(texts[0], np.int64)[np.newaxis]
            return {contract.IDS: row, contract.LENGTHS: np.array(lengths, np.int32)}
        padded = np.zeros((len(texts), max(lengths)), np.int64)
        for row, ids in zip(padded, texts, strict=True):
            row[: len(ids)] = ids
        return {contract.IDS: padded, contract.LENGTHS: np.array(lengths, np.int32)}

    def run(self, outputs: Sequence[str], feed: Mapping[str, NDArray[Any]]) -> list[Any]:
        """Run the graph.

        Args:
            outputs: names of the wanted outputs, see `lstm_runtime.model_file.contract`.
            feed: inputs; states that the file needs and ``feed`` lacks are zeros.

        Raises:
            ClosedError: when the model was closed.
            InputError: when a text is longer than the network reads.
            AnswerError: when ONNX Runtime cannot run it, as for want of memory.

        """
        session = self._session
        if session is None:
            raise _closed()
        if self._only_scores:
            if self._given.issuperset(outputs) and contract.H0 not in feed:
                return self._answers(session, outputs, feed)
            session = self._whole_session()
        return self._answers(session, outputs, self.with_states(feed))

    def with_states(self, feed: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Return ``feed`` with zeros as states, where the file needs them and it has none."""
        if not self._needs_state or contract.H0 in feed:
            return feed
        zeros = self.zero_state()
        return {**feed, contract.H0: zeros, contract.C0: zeros}

    def _answers(self, session: Any, outputs: Sequence[str], feed: Mapping[str, Any]) -> list[Any]:
        try:
            return self._runs.run(session, outputs, feed)
        except AnswerError:
            raise
        except Exception as error:  # ONNX Runtime raises classes of its own
            bound = self.metadata.max_tokens
            if bound is None:
                raise AnswerError(f"ONNX Runtime cannot answer: {brief(error)}") from error
            raise InputError(
                f"the network reads {bound} tokens of a text at most: give max_tokens={bound} "
                f"(--max-tokens {bound}) to read the last ones"
            ) from error

    def probabilities(self, feed: Feed) -> Array:
        """Return ``[batch, classes]``."""
        (probability,) = self.run([contract.PROBABILITY], feed)
        return np.asarray(probability)

    def has_token(self, text: str) -> bool:
        """Whether any token of ``text`` reaches the network: unknown ones may be dropped."""
        if not self.reads_text:
            return self._encoder is not None and self._encoder.has_token(text)
        (tokens,) = self.run([contract.TOKENS], self.text_feed([text]))
        return bool(tokens[0, 0])

    def empty_probability(self) -> Array:
        """Return the answer for a text without tokens, ``[classes]``."""
        return np.asarray(self.probabilities(self.text_feed([""]))[0])

    def known_words(self, text: str) -> float | None:
        """Return the share of words with an id, by the metadata's vocabulary; None without one."""
        return None if self._encoder is None else self._encoder.known(text)

    def encode(self, text: str) -> list[int]:
        """Return the ids of ``text``, with the vocabulary of the file's metadata.

        Raises:
            InputError: when the metadata holds none.

        """
        if self._encoder is None:
            raise InputError(
                f"{self.path} was exported without a vocabulary and cannot read text: "
                "lstm-export --vocab FILE puts one in"
            )
        return self._encoder(text)

    def _whole_session(self) -> Any:
        """Return the session of the whole file, which is opened when it is first needed."""
        with self._whole_lock:
            if self._whole is None:
                self._whole = _open(self.file, self.provider, self._settings).session
            return self._whole


def _open(file: ModelFile, provider: str, settings: SessionSettings) -> OpenedSession:
    try:
        return open_session(file.data, provider, settings)
    except ModelFileError as error:
        raise ModelFileError(f"{file.path}: {error}") from error


def _closed() -> ClosedError:
    return ClosedError("the model is closed: load it again")


def _encoder(metadata: Metadata) -> TextEncoder | None:
    if metadata.vocabulary is None or metadata.tokenizer is None:
        return None
    spec, aliases = metadata.tokenizer, metadata.aliases or ()
    return spec.encoder(metadata.vocabulary, LONGEST_FOREIGN, aliases)
