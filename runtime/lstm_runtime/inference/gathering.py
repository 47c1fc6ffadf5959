"""Texts that many coroutines wait for, answered in batches.

Where the int8 kernel runs, texts that share a run cost a fifth less each and have the very same
answers. An app that awaits them one by one, such as a web server, gets that here: while the threads
are busy, what is asked for in the meantime waits together.
"""

from collections import deque
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from lstm_runtime.arrays import Array
from lstm_runtime.inference.batching import KERNEL_BATCH
from lstm_runtime.inference.checks import require_text
from lstm_runtime.inference.engine import Engine
from lstm_runtime.inference.forking import renew_in_children
from lstm_runtime.inference.results import Sentiment, sentiment
from lstm_runtime.inference.scoring import score_texts

if TYPE_CHECKING:
    import asyncio


class _Waiting(NamedTuple):
    text: str
    read: str  # what is read of it
    answer: "asyncio.Future[Sentiment]"
    loop: "asyncio.AbstractEventLoop"


class Gatherer:
    """Answers texts of any number of event loops, at most ``threads`` runs at a time."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self._engine = engine
        self._threads = threads
        self._most = KERNEL_BATCH if engine.kernel else 1
        self.renew()
        renew_in_children(self)

    def renew(self) -> None:
        """Begin with nobody waiting; see `lstm_runtime.inference.forking`."""
        self._lock = Lock()
        self._waiting: deque[_Waiting] = deque()
        self._running = 0

    async def answer(self, text: str, max_tokens: int | None = None) -> Sentiment:
        """Answer one text, or its last ``max_tokens`` tokens.

        Raises:
            InputError: when it is not a str.
            ClosedError: when the model was closed.

        """
        import asyncio  # whoever awaits has loaded it

        require_text(text)
        read = self._engine.keep_last(text, max_tokens)
        self._engine.text_feed([read])  # a bad text fails alone
        loop = asyncio.get_running_loop()
        waiting = _Waiting(text, read, loop.create_future(), loop)
        with self._lock:
            self._waiting.append(waiting)
            start = self._running < self._threads
            self._running += start
        if start:
            try:
                loop.run_in_executor(None, self._work)
            except BaseException:  # as where the loop's threads have ended
                with self._lock:
                    self._running -= 1
                raise
        return await waiting.answer

    def _work(self) -> None:
        """Answer what waits until nothing does."""
        while batch := self._take():
            try:
                texts = [waiting.read for waiting in batch]
                found, known = score_texts(self._engine, texts)
            except Exception as error:  # whatever it is, those who wait have to hear of it
                for waiting in batch:
                    _tell(waiting, error)
                continue
            for waiting, row, share in zip(batch, found, known, strict=True):
                _tell(waiting, self._sentiment(waiting.text, row, share))

    def _take(self) -> list[_Waiting]:
        """Return the next texts to run; none where this thread may end."""
        batch: list[_Waiting] = []
        with self._lock:
            while self._waiting and len(batch) < self._most:
                waiting = self._waiting.popleft()
                if not (waiting.answer.done() or waiting.loop.is_closed()):  # somebody waits
                    batch.append(waiting)
            self._running -= not batch
        return batch

    def _sentiment(self, text: str, row: Array, known: float | None) -> Sentiment:
        return sentiment(text, row.tolist(), self._engine.metadata, known)


def _tell(waiting: _Waiting, result: Sentiment | Exception) -> None:
    """Give the result to whoever waits, in their own loop; nobody may be left there."""

    def set_result() -> None:
        if waiting.answer.done():  # cancelled
            return
        if isinstance(result, Exception):
            waiting.answer.set_exception(result)
        else:
            waiting.answer.set_result(result)

    with suppress(RuntimeError):  # a loop that was closed
        waiting.loop.call_soon_threadsafe(set_result)
