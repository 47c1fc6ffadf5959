"""`SentimentModel`: a model file, ready to answer."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from lstm_runtime.inference.batching import answer_ids, answer_many
from lstm_runtime.inference.checks import require_count
from lstm_runtime.inference.cores import usable_cores
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.gathering import Gatherer
from lstm_runtime.inference.ids import Ids, is_one_text
from lstm_runtime.inference.loading import load_engine, reopened
from lstm_runtime.inference.results import Sentiment, sentiment
from lstm_runtime.inference.scoring import score_texts
from lstm_runtime.inference.session import SessionSettings
from lstm_runtime.model_file.contract import Metadata

if TYPE_CHECKING:
    from pathlib import Path

    from lstm_runtime.inference.info import ModelInfo
    from lstm_runtime.inference.streaming import SentimentStream, StreamState
    from lstm_runtime.inference.verification import Verification
    from lstm_runtime.model_file.checked import ModelSource
    from lstm_runtime.trace.tracer import Trace, Tracer


class SentimentModel:
    """A sentiment LSTM in ONNX Runtime.

    Make one with `load` and keep it: calls are cheap, loading is not. One object may be called
    from many threads. On the CPU a text gets the very same answer alone and in a list: the int8
    kernel gives each text of a batch its own scales; where it is missing, every text is a run of
    its own, since the scales of ONNX Runtime's int8 depend on what else is in a run.
    """

    def __init__(self, engine: Engine, threads: int, max_tokens: int | None = None) -> None:
        self._engine = engine
        self._threads = threads
        self._max_tokens = max_tokens
        self._gatherer = Gatherer(engine, threads)

    @classmethod
    def load(  # noqa: PLR0913, PLR0917 - what a session may be told, and nothing else
        cls,
        path: "ModelSource | None" = None,
        provider: str = "auto",
        threads: int | None = None,
        session_options: Any = None,
        provider_options: dict[str, str] | None = None,
        max_tokens: int | None = None,
    ) -> "SentimentModel":
        """Load a model file.

        Args:
            path: a file that ``lstm-export`` wrote: its path, its bytes, or an open binary file,
                read once. None for the package's own model, int8 on the CPU and fp16 elsewhere.
            provider: ``auto`` (CUDA if it truly runs, else CPU; logs which and why), ``cpu``,
                ``cuda``, or the name of any ONNX Runtime provider.
            threads: texts that are scored at once when there are many, each on one thread; None
                for the cores that this process may use.
            session_options: an ``onnxruntime.SessionOptions`` to use instead of the package's.
            provider_options: options of the provider, as ONNX Runtime documents them.
            max_tokens: read only the last so many tokens of each text, where a call does not say;
                None for all. A server's bound: tokens take memory and time.

        Raises:
            ModelFileError: when the file is missing, damaged, foreign or of a newer version.
            ProviderError: when the provider that was asked for cannot run here.
            MissingExtraError: when onnxruntime is not installed.
            InputError: when an argument is none of these, or a number below 1.

        """
        threads = require_count("threads", threads)
        max_tokens = require_count("max_tokens", max_tokens)
        engine = load_engine(path, provider, SessionSettings(session_options, provider_options))
        return cls(engine, threads or usable_cores(), max_tokens)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the file's bytes and how they were loaded: another process opens them anew."""
        return reopened, (SentimentModel, *self._engine.opened, self._threads, self._max_tokens)

    def close(self) -> None:
        """Free the session; calls under way finish, later ones raise `ClosedError`."""
        self._engine.close()

    def __enter__(self) -> "SentimentModel":
        """Return the model; the end of the block closes it."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the model."""
        self.close()

    @property
    def metadata(self) -> Metadata:
        """What the file says about itself."""
        return self._engine.metadata

    @property
    def path(self) -> "Path":
        """The model file; ``<bytes>`` where it was given as such."""
        return self._engine.path

    @property
    def provider(self) -> str:
        """Name of the execution provider in use, as ONNX Runtime spells it."""
        return self._engine.provider

    @property
    def max_tokens(self) -> int | None:
        """How many tokens of a text are read where a call does not say; None for all."""
        return self._max_tokens

    @cached_property
    def info(self) -> "ModelInfo":
        """What the model is and what it runs on."""
        from lstm_runtime.inference.info import model_info  # an answer needs none

        return model_info(self._engine, self._threads)

    @overload
    def __call__(  # type: ignore[overload-overlap] # a str is a Sequence[str]: it comes first
        self, texts: str, max_tokens: int | None = None
    ) -> Sentiment: ...

    @overload
    def __call__(self, texts: Sequence[str], max_tokens: int | None = None) -> list[Sentiment]: ...

    def __call__(
        self, texts: str | Sequence[str], max_tokens: int | None = None
    ) -> Sentiment | list[Sentiment]:
        """Answer one text, or each of a sequence of texts.

        Args:
            texts: a text, or a sequence of them.
            max_tokens: read only the last so many tokens of each text; None for what `load` got.

        Returns:
            One `Sentiment` for a string, a list of as many for a sequence (``[]`` for none).

        Raises:
            InputError: when something other than strings is given, or the file has no vocabulary.
            ClosedError: after `close`.

        """
        if isinstance(texts, str):
            found, known = score_texts(self._engine, [texts], self._limit(max_tokens))
            return sentiment(texts, found[0].tolist(), self.metadata, known[0])
        return list(self.score_many(texts, max_tokens=max_tokens))

    def score_many(
        self,
        texts: Iterable[str],
        batch_size: int | None = None,
        max_tokens: int | None = None,
    ) -> Iterator[Sentiment]:
        """Answer any number of texts, in order, on all threads, with bounded memory.

        Args:
            texts: may be endless; some hundreds a thread are taken ahead of their answers, and no
                more than 16 MiB of them.
            batch_size: texts of like length in one run. None for 8 with the int8 kernel, 1 on the
                CPU without it, so that no answer depends on its neighbours, and 64 elsewhere. fp32
                on the CPU is half as fast again from 8, at differences around 1e-7. int8 without
                the kernel takes 1 only: of 4,949 reviews in batches of 8, six changed their label.
            max_tokens: as in a call.

        Raises:
            InputError: at a text that is not a str, for a single str, for a wrong batch size.
            ClosedError: after `close`.

        """
        return answer_many(self._engine, texts, batch_size, self._limit(max_tokens), self._threads)

    async def ascore(self, text: str, max_tokens: int | None = None) -> Sentiment:
        """Answer one text while the event loop goes on; texts that wait share a run."""
        return await self._gatherer.answer(text, self._limit(max_tokens))

    @overload
    def score_ids(self, ids: Ids, lengths: None = None) -> Sentiment: ...

    @overload
    def score_ids(
        self, ids: Sequence[Ids] | Any, lengths: Sequence[int] | Any = None
    ) -> list[Sentiment]: ...

    def score_ids(self, ids: Any, lengths: Any = None) -> Sentiment | list[Sentiment]:
        """Answer texts that an app's own tokeniser made ids of (files with the ids interface).

        Args:
            ids: whole numbers from 0 to ``vocab_size - 1``: those of one text ``[sequence]``, a
                list of such, or right-padded ``[batch, sequence]`` with ``lengths``.
            lengths: ids of each text, ``[batch]``, 1 to ``sequence``; for padded ids only.

        Returns:
            One `Sentiment` for one text, else a list. Its ``text`` is ''.

        Raises:
            InputError: when the file takes text, or ids or lengths are not as said above.

        """
        answers = answer_ids(self._engine, ids, lengths, self._max_tokens)
        return answers[0] if lengths is None and is_one_text(ids) else answers

    def stream(self, state: "StreamState | None" = None) -> "SentimentStream":
        """Return a reader for one text that arrives in pieces.

        Args:
            state: what an earlier stream of this model had as `SentimentStream.state`.

        Raises:
            InputError: when the model cannot be continued, or the state is another model's.

        """
        from lstm_runtime.inference.streaming import SentimentStream  # one text needs none

        return SentimentStream(self._engine, state)

    def trace(self, text: str, max_tokens: int | None = None) -> "Trace":
        """Return what happens at each token of ``text``: probabilities and the four gates.

        Raises:
            InputError: when the model gives no answer after each token, as bidirectional ones.

        """
        return self._tracer.trace(text, self._limit(max_tokens))

    def verify(self) -> "Verification":
        """Replay the file's reference answers on this device.

        Raises:
            VerificationError: when an answer differs by more than the export allowed.

        """
        from lstm_runtime.inference.verification import verify_engine  # an answer needs none

        return verify_engine(self._engine)

    def _limit(self, max_tokens: int | None) -> int | None:
        """Return how many tokens are read where a call says ``max_tokens``."""
        return require_count("max_tokens", max_tokens) or self._max_tokens

    @cached_property
    def _tracer(self) -> "Tracer":
        from lstm_runtime.trace.tracer import Tracer  # one text needs none

        return Tracer(self._engine)
