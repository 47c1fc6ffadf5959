"""`Batcher`: texts that many requests wait for, answered in batches, with a bound on the queue."""

import asyncio
import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from lstm_runtime.errors import ClosedError, DeadlineError, InputError, OverloadedError, shown
from lstm_runtime.inference.batching import KERNEL_BATCH
from lstm_runtime.inference.checks import require_count, require_text
from lstm_runtime.inference.results import Sentiment
from lstm_runtime.inference.session import CPU
from lstm_runtime.model import SentimentModel

_GPU_BATCH = 64
_GPU_WAIT = 0.001
_LONGEST = 1e9
"""Seconds, 32 years: more is for ever, and may be more than an event loop can count."""


@dataclass(frozen=True, eq=False)  # two that wait for the same text are two
class _Waiting:
    text: str
    answer: "asyncio.Future[Sentiment]"


class Batcher:
    """A queue in front of a model, for the one event loop in which it is first asked.

    A run takes what waits, up to ``batch_size``; on the CPU, runs that are idle share it. On a GPU,
    a run that could take more waits a moment for it, unless requests come one by one. Who was
    cancelled, or waits no longer, is not computed.

    ::

        async with Batcher(model) as batcher:
            answer = await batcher.score("Good fun.", timeout=0.5)

    Args:
        model: the model, which stays open.
        wait: seconds that a run waits for more texts; it does not where the last wait was in vain
            and no request has met another since. None for 0 on the CPU, where waiting gains
            nothing (`benchmarks/serve.py`), and for a millisecond elsewhere.
        most_waiting: texts in the queue at most.
        batch_size: texts of a run at most; None for what makes answers faster and never changes
            them: 8 with the int8 kernel and 1 on the CPU without it; 64 elsewhere.
        runs: runs at a time; None for the model's threads.

    Raises:
        InputError: when a number is out of its range.

    """

    def __init__(
        self,
        model: SentimentModel,
        *,
        wait: float | None = None,
        most_waiting: int = 1024,
        batch_size: int | None = None,
        runs: int | None = None,
    ) -> None:
        self._model = model
        on_cpu = model.provider == CPU
        self._wait = wait if wait is not None else 0.0 if on_cpu else _GPU_WAIT
        self._shares = on_cpu  # a GPU answers one run of all sooner than two of halves
        self._most_waiting = require_count("most_waiting", most_waiting) or 1
        self._size = require_count("batch_size", batch_size) or _default_batch(model)
        self._runs = require_count("runs", runs) or model.info.threads
        # Not a number is neither below nor above, and a wait without an end answers nothing.
        if not isinstance(self._wait, float | int) or not 0 <= self._wait < math.inf:
            raise InputError(f"wait is a number of seconds from 0, not {shown(wait)}")
        self._queue: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._asked = 0
        self._running = 0
        self._in_company = True  # do requests meet others?
        self._closed = False
        self._pool = ThreadPoolExecutor(self._runs, thread_name_prefix="lstm-serve")
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> "Batcher":
        """Return the batcher; the end of the block closes it."""
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Close the batcher."""
        await self.close()

    @property
    def waiting(self) -> int:
        """Texts in the queue now."""
        return len(self._queue)

    async def score(self, text: str, timeout: float | None = None) -> Sentiment:
        """Answer one text.

        Args:
            text: the text.
            timeout: seconds that an answer is worth waiting for; None for as long as it takes.

        Raises:
            InputError: when it is no str, or asked from another event loop than the first time.
            OverloadedError: when the queue is full.
            DeadlineError: when ``timeout`` is over.
            ClosedError: after `close`.

        """
        require_text(text)
        if not isinstance(timeout, float | int | None) or math.isnan(min(timeout or 0, _LONGEST)):
            raise InputError(f"timeout is a number of seconds, not {shown(timeout)}")
        timeout = None if timeout is not None and timeout > _LONGEST else timeout
        if self._closed:
            raise _ended()
        if len(self._queue) >= self._most_waiting:
            raise OverloadedError(f"{self._most_waiting} texts wait already: ask again later")
        waiting = _Waiting(text, self._own_loop().create_future())
        self._in_company |= self._asked > 0
        self._asked += 1
        self._queue.append(waiting)
        self._arrived.set()
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._work()) for _ in range(self._runs)]
        try:
            async with asyncio.timeout(timeout) as deadline:
                return await waiting.answer
        except TimeoutError as error:
            if deadline.expired():
                raise DeadlineError(f"no answer within {timeout:g} s") from error
            raise  # the model's own
        finally:
            self._asked -= 1
            if waiting.answer.cancelled():  # nobody waits any more: it takes no place
                with suppress(ValueError):
                    self._queue.remove(waiting)

    async def close(self) -> None:
        """Take no more texts, answer those that wait, and let go of the threads."""
        if self._tasks:
            self._own_loop()
        self._closed = True
        self._arrived.set()
        try:
            await asyncio.gather(*self._tasks)
        finally:  # a close that is cancelled leaves nobody waiting for ever
            self._pool.shutdown(wait=False)
            for waiting in self._queue:
                _fail(waiting, _ended())

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop, which has to be the one of the first time."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        if self._loop is not loop:
            raise InputError(
                "a Batcher serves one event loop: make one in each (one model will do)"
            )
        return loop

    async def _work(self) -> None:
        """Answer batches until the batcher is closed and nothing waits."""
        while not (self._closed and not self._queue):
            if not self._queue:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            if len(self._queue) < self._size and self._wait and not self._closed:
                await self._wait_for_more()
            if batch := self._take():
                self._running += 1
                try:
                    await self._answer(batch)
                finally:
                    self._running -= 1

    async def _wait_for_more(self) -> None:
        if self._in_company:
            waiting = len(self._queue)
            await asyncio.sleep(self._wait)
            self._in_company = len(self._queue) > waiting or self._asked > 1

    def _take(self) -> list[_Waiting]:
        """Return the next texts that somebody still waits for, an idle run's share of them."""
        batch: list[_Waiting] = []
        most = self._size
        if self._shares:
            most = min(most, -(-len(self._queue) // (self._runs - self._running)))
        while self._queue and len(batch) < most:
            waiting = self._queue.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._pool, self._score, [w.text for w in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                _fail(waiting, _ended())
            raise
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0], error)
                return
            for waiting in batch:  # one text that cannot be read fails alone
                await self._answer([waiting])
            return
        for waiting, answer in zip(batch, found, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    def _score(self, texts: list[str]) -> list[Sentiment]:
        return list(self._model.score_many(texts, len(texts)))


def _ended() -> ClosedError:
    return ClosedError("the service is ending: it takes no more texts")


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.answer.done():
        waiting.answer.set_exception(error)


def _default_batch(model: SentimentModel) -> int:
    if not model.metadata.batches:
        return 1
    if model.provider != CPU:
        return _GPU_BATCH
    return KERNEL_BATCH if model.info.kernel else 1
