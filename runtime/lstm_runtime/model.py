"""`SentimentModel`: a model file, ready to answer."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lstm_runtime import contract
from lstm_runtime.contract import Metadata, Reference
from lstm_runtime.errors import InputError, ModelFileError, VerificationError
from lstm_runtime.providers import open_session, require_precision
from lstm_runtime.result import Sentiment, Verification, sentiment
from lstm_runtime.tokenizer import TextEncoder, Tokenizer
from lstm_runtime.vocabulary import Vocabulary

DEFAULT_MODEL = Path(__file__).parent / "models" / "default.int8.onnx"

_SURROGATES = re.compile("[\ud800-\udfff]")


class SentimentModel:
    """A sentiment LSTM in ONNX Runtime.

    Make one with `load` and keep it: calls are cheap, loading is not. One object may be called
    from many threads. A text gets the same answer alone and in a list: every text is a run of its
    own, since an int8 run's scales would depend on what else is in the batch.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self.path = path
        self.metadata = _metadata(session, path)
        # h0 and c0 are among them only in files that cannot do without.
        self._inputs = {node.name for node in session.get_inputs()}
        self._encoder = _encoder(self.metadata)

    @classmethod
    def load(
        cls, path: str | Path | None = None, provider: str = "auto", threads: int | None = None
    ) -> "SentimentModel":
        """Load a model file.

        Args:
            path: a file that ``lstm-export`` wrote; None for the model that comes with the package.
            provider: ``auto`` (CUDA if it truly runs, else CPU), ``cpu``, ``cuda``, or the name of
                any ONNX Runtime provider.
            threads: threads of one run; None for the cores that this process may use.

        Raises:
            ModelFileError: when the file is missing, damaged, foreign or of a newer version.
            ProviderError: when the provider that was asked for cannot run here.
            MissingExtraError: when onnxruntime is not installed.

        """
        if threads is not None and threads < 1:
            raise InputError(f"threads must be 1 or more, not {threads}")
        file = DEFAULT_MODEL if path is None else Path(path)
        model = cls(open_session(file, provider, threads), file)
        require_precision(model.provider, model.metadata.precision)
        return model

    @property
    def provider(self) -> str:
        """Name of the execution provider in use, as ONNX Runtime spells it."""
        return str(self._session.get_providers()[0])

    @overload
    def __call__(self, texts: str) -> Sentiment: ...  # type: ignore[overload-overlap] # str first

    @overload
    def __call__(self, texts: Sequence[str]) -> list[Sentiment]: ...

    def __call__(self, texts: str | Sequence[str]) -> Sentiment | list[Sentiment]:
        """Answer one text, or each of a sequence of texts.

        Returns:
            One `Sentiment` for a string, a list of as many for a sequence (``[]`` for none).

        Raises:
            InputError: when something other than text is given, or the file has no vocabulary.

        """
        if isinstance(texts, str):
            return self._answer(texts)
        return [self._answer(text) for text in texts]

    def verify(self) -> Verification:
        """Replay the file's reference inputs and compare with the original model's answers.

        Raises:
            VerificationError: when an answer differs by more than the file's tolerance.

        """
        references = self.metadata.reference
        differences = [self._difference(reference) for reference in references]
        result = Verification(
            len(references), float(np.max(differences, initial=0.0)), self.metadata.tolerance
        )
        if not result.passed:
            raise VerificationError(
                f"{self.path} differs from the original model by {result.max_difference:.2g} on "
                f"{self.provider}, where {result.tolerance:.2g} is allowed"
            )
        return result

    def _answer(self, text: str) -> Sentiment:
        if not isinstance(text, str):
            raise InputError(f"a text must be a str, not {type(text).__name__}")
        return sentiment(text, self._run(self._feed_text(text)).tolist(), self.metadata)

    def _difference(self, reference: Reference) -> float:
        if reference.ids is not None:
            feed = self._feed_ids(reference.ids)
        else:
            feed = self._feed_text(reference.text or "")
        return float(np.max(np.abs(self._run(feed) - np.array(reference.probability))))

    def _feed_text(self, text: str) -> dict[str, NDArray[Any]]:
        if contract.TEXT in self._inputs:
            # UTF-8 has no lone surrogates; like them, their replacement is never part of a token.
            return {contract.TEXT: np.array([_SURROGATES.sub("\ufffd", text)], object)}
        if self._encoder is None:
            raise InputError(
                f"{self.path} was exported without a vocabulary and cannot read text: "
                "lstm-export --vocab FILE puts one in"
            )
        return self._feed_ids(self._encoder(text))

    def _feed_ids(self, ids: Sequence[int]) -> dict[str, NDArray[Any]]:
        return {
            contract.IDS: np.array([ids], np.int64),
            contract.LENGTHS: np.array([len(ids)], np.int32),
        }

    def _run(self, feed: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run one text; return its probabilities, ``[classes]``."""
        if contract.H0 in self._inputs:
            sizes = self.metadata.architecture
            zeros = np.zeros((sizes.n_layers, 1, sizes.hidden_dim), np.float32)
            feed |= {contract.H0: zeros, contract.C0: zeros}
        (probability,) = self._session.run([contract.PROBABILITY], feed)
        return np.asarray(probability[0])


def _metadata(session: Any, path: Path) -> Metadata:
    try:
        return Metadata.from_props(session.get_modelmeta().custom_metadata_map)
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error


def _encoder(metadata: Metadata) -> TextEncoder | None:
    if metadata.vocabulary is None or metadata.tokenizer is None:
        return None
    spec, words = metadata.tokenizer, metadata.vocabulary
    unknown = None if spec.unknown is None else words[spec.unknown]
    return TextEncoder(Tokenizer(spec.pattern), Vocabulary(words, unknown))
