"""A service's queue: bounded, with deadlines; what nobody waits for is not computed."""

import asyncio
import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from lstm_runtime import (
    ClosedError,
    DeadlineError,
    InputError,
    LstmEdgeError,
    OverloadedError,
    SentimentModel,
)
from lstm_runtime.serving import Batcher


class Held:
    """A model whose runs wait until they are let go, and that counts them."""

    def __init__(self, model: SentimentModel) -> None:
        self._model = model
        self.go = threading.Event()
        self.runs: list[list[str]] = []
        self.provider = model.provider

    def score_many(self, texts: list[str], batch_size: int) -> Iterator[Any]:
        self.runs.append(list(texts))
        self.go.wait(30)
        if "bad" in texts:
            raise InputError("bad")
        return self._model.score_many(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


@pytest.fixture
def held(fp32: SentimentModel) -> Iterator[Held]:
    model = Held(fp32)
    yield model
    model.go.set()


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def counted_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of the seconds that the loop sleeps from now on."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def counted(seconds: float) -> None:
        waits.extend([seconds] * (seconds > 0))
        await sleep(seconds)

    monkeypatch.setattr(asyncio, "sleep", counted)
    return waits


def test_answers_are_those_of_the_model(int8: SentimentModel) -> None:
    texts = [f"a good film {'not ' * n}" for n in range(40)]

    async def serve() -> list[Any]:
        async with Batcher(int8) as batcher:
            return await asyncio.gather(*map(batcher.score, texts))

    found = asyncio.run(serve())
    assert found == int8(texts)


def test_what_waits_shares_a_run(held: Held) -> None:
    async def serve() -> None:
        async with Batcher(held, batch_size=8, runs=1, wait=0) as batcher:  # type: ignore[arg-type]
            first = asyncio.create_task(batcher.score("first"))
            await until(lambda: held.runs)
            rest = [asyncio.create_task(batcher.score(f"text {n}")) for n in range(12)]
            await until(lambda: batcher.waiting == 12)
            held.go.set()
            await asyncio.gather(first, *rest)

    asyncio.run(serve())
    assert [len(run) for run in held.runs] == [1, 8, 4]


@pytest.mark.parametrize(("provider", "runs"), [("CPUExecutionProvider", [2, 2]), ("CUDA", [4])])
def test_idle_runs_share_what_waits_on_the_cpu(held: Held, provider: str, runs: list[int]) -> None:
    held.go.set()
    held.provider = provider

    async def serve() -> None:
        async with Batcher(held, batch_size=8, runs=2, wait=0) as batcher:  # type: ignore[arg-type]
            await asyncio.gather(*(batcher.score(f"text {n}") for n in range(4)))

    asyncio.run(serve())
    assert [len(run) for run in held.runs] == runs


@pytest.mark.parametrize(("provider", "waits"), [("CPUExecutionProvider", []), ("CUDA", [0.001])])
def test_only_a_gpu_waits_for_more_unless_told(
    held: Held, provider: str, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    held.go.set()
    held.provider = provider
    waited = counted_waits(monkeypatch)

    async def serve() -> None:
        async with Batcher(held, batch_size=8, runs=1) as batcher:  # type: ignore[arg-type]
            await batcher.score("alone")

    asyncio.run(serve())
    assert waited == waits


def test_a_run_waits_a_moment_for_more(held: Held) -> None:
    held.go.set()

    async def serve() -> None:
        async with Batcher(held, batch_size=8, runs=1, wait=0.05) as batcher:  # type: ignore[arg-type]
            first = asyncio.create_task(batcher.score("first"))
            await asyncio.sleep(0)
            await asyncio.gather(first, batcher.score("second"))

    asyncio.run(serve())
    assert held.runs == [["first", "second"]]


def test_requests_one_by_one_do_not_wait_for_more(
    held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.go.set()
    waits = counted_waits(monkeypatch)

    async def serve() -> None:
        async with Batcher(held, batch_size=8, runs=1, wait=0.01) as batcher:  # type: ignore[arg-type]
            for _ in range(5):
                await batcher.score("alone")
            assert waits == [0.01], "only the first could not know"
            await asyncio.gather(*map(batcher.score, ("first", "second")))
            assert waits == [0.01] * 2

    asyncio.run(serve())
    assert held.runs == [["alone"]] * 5 + [["first", "second"]]


def test_a_full_queue_is_said_at_once(held: Held) -> None:
    async def serve() -> None:
        async with Batcher(held, most_waiting=2, batch_size=1, runs=1) as batcher:  # type: ignore[arg-type]
            tasks = [asyncio.create_task(batcher.score("first"))]
            await until(lambda: held.runs)
            tasks += [asyncio.create_task(batcher.score("more")) for _ in range(2)]
            await until(lambda: batcher.waiting == 2)
            with pytest.raises(OverloadedError, match="2 texts wait already"):
                await batcher.score("too much")
            held.go.set()
            await asyncio.gather(*tasks)

    asyncio.run(serve())


def test_what_nobody_waits_for_is_not_computed(held: Held) -> None:
    async def serve() -> None:
        async with Batcher(held, batch_size=1, runs=1) as batcher:  # type: ignore[arg-type]
            first = asyncio.create_task(batcher.score("first"))
            await until(lambda: held.runs)
            cancelled = asyncio.create_task(batcher.score("cancelled"))
            await until(lambda: batcher.waiting == 1)
            cancelled.cancel()
            with pytest.raises(DeadlineError, match=r"no answer within 0\.01 s"):
                await batcher.score("late", 0.01)
            held.go.set()
            await first
            await batcher.score("last")
            assert cancelled.cancelled()

    asyncio.run(serve())
    assert held.runs == [["first"], ["last"]]


def test_a_text_that_fails_fails_alone(held: Held) -> None:
    held.go.set()

    async def serve() -> list[Any]:
        async with Batcher(held, batch_size=8, runs=1) as batcher:  # type: ignore[arg-type]
            tasks = [batcher.score(text) for text in ("good", "bad", "fine")]
            return await asyncio.gather(*tasks, return_exceptions=True)

    good, bad, fine = asyncio.run(serve())
    assert isinstance(bad, InputError)
    assert (good.text, fine.text) == ("good", "fine")


def test_closing_answers_what_waits_and_takes_no_more(held: Held) -> None:
    async def serve() -> None:
        batcher = Batcher(held, batch_size=1, runs=1)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(batcher.score(f"text {n}")) for n in range(3)]
        await until(lambda: held.runs)
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(ClosedError):
            await batcher.score("too late")
        held.go.set()
        await closing
        assert [task.result().text for task in tasks] == ["text 0", "text 1", "text 2"]

    asyncio.run(serve())


def test_impossible_numbers_are_refused(int8: SentimentModel) -> None:
    async def make(**settings: Any) -> None:
        Batcher(int8, **settings)

    nan = math.nan
    for settings in (
        {"wait": -1}, {"most_waiting": 0}, {"batch_size": 0}, {"runs": 0},
        {"wait": nan}, {"wait": math.inf}, {"batch_size": nan}, {"most_waiting": nan},
        {"runs": nan}, {"runs": 1.5}, {"batch_size": "a"}, {"batch_size": 2.5}, {"wait": "a"},
        {"most_waiting": 1.5},
    ):  # fmt: skip
        with pytest.raises(InputError):
            asyncio.run(make(**settings))
    with pytest.raises(LstmEdgeError):
        asyncio.run(_score_a_number(int8))


def test_a_close_from_another_loop_changes_nothing(int8: SentimentModel) -> None:
    async def serve() -> None:
        async with Batcher(int8) as batcher:
            await batcher.score("good", timeout=10**400)
            with pytest.raises(InputError, match="one event loop"):
                await asyncio.to_thread(asyncio.run, batcher.close())
            assert (await batcher.score("good")).text == "good"

    asyncio.run(serve())


async def _score_a_number(model: SentimentModel) -> None:
    async with Batcher(model) as batcher:
        await batcher.score(42)  # type: ignore[arg-type]


def test_who_waits_no_longer_takes_no_place(held: Held) -> None:
    async def serve() -> None:
        async with Batcher(held, most_waiting=1, batch_size=1, runs=1) as batcher:  # type: ignore[arg-type]
            first = asyncio.create_task(batcher.score("first"))
            await until(lambda: held.runs)
            for _ in range(3):
                with pytest.raises(DeadlineError):
                    await batcher.score("late", 0)
            last = asyncio.create_task(batcher.score("last"))
            await until(lambda: batcher.waiting == 1)
            held.go.set()
            await asyncio.gather(first, last)

    asyncio.run(serve())
    assert held.runs == [["first"], ["last"]]


def test_a_close_that_is_cancelled_leaves_nobody_waiting(held: Held) -> None:
    async def serve() -> list[Any]:
        batcher = Batcher(held, batch_size=1, runs=1)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(batcher.score(f"text {n}")) for n in range(3)]
        await until(lambda: held.runs)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(batcher.close(), 0.01)
        async with asyncio.timeout(30):
            return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(found) for found in asyncio.run(serve())] == [ClosedError] * 3


def test_another_event_loop_is_refused_in_words(int8: SentimentModel) -> None:
    batcher = Batcher(int8)
    asyncio.run(batcher.score("good"))
    for call in (lambda: batcher.score("good"), batcher.close):
        with pytest.raises(InputError, match="one event loop"):
            asyncio.run(asyncio.wait_for(call(), 30))


def test_a_model_that_runs_out_of_time_is_no_deadline(held: Held) -> None:
    held.go.set()

    def late(texts: list[str], batch_size: int) -> Iterator[Any]:
        raise TimeoutError("the model's own")

    held.score_many = late  # type: ignore[method-assign]

    async def serve() -> None:
        async with Batcher(held) as batcher:  # type: ignore[arg-type]
            await batcher.score("good")

    with pytest.raises(TimeoutError, match="the model's own"):
        asyncio.run(serve())


@pytest.mark.parametrize("timeout", ["a", float("nan"), [], b"1"])
def test_a_timeout_that_is_no_number_is_refused(int8: SentimentModel, timeout: Any) -> None:
    async def ask() -> None:
        async with Batcher(int8) as batcher:
            await batcher.score("good", timeout=timeout)

    with pytest.raises(InputError, match="timeout is a number of seconds"):
        asyncio.run(ask())
