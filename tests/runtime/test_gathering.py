"""`ascore` from many coroutines, loops and threads, some of which end before their answers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lstm_runtime import SentimentModel
from lstm_runtime.inference import gathering


def test_loops_of_several_threads_share_a_model(int8: SentimentModel) -> None:
    texts = [f"a good film {n}" for n in range(50)]

    async def ask() -> list[Any]:
        return await asyncio.gather(*map(int8.ascore, texts))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: asyncio.run(ask()), range(8)))
    assert found == [int8(texts)] * 8


def test_what_nobody_waits_for_is_not_computed(
    int8: SentimentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    go = threading.Event()
    score_texts = gathering.score_texts

    def held(engine: Any, texts: list[str]) -> Any:
        runs.extend(texts)
        go.wait(30)
        return score_texts(engine, texts)

    monkeypatch.setattr(gathering, "score_texts", held)

    async def ask() -> None:
        first = [asyncio.create_task(int8.ascore("first")) for _ in range(int8.info.threads)]
        while len(runs) < len(first):
            await asyncio.sleep(0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(int8.ascore("late"), 0.01)
        last = asyncio.create_task(int8.ascore("last"))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*first, last)

    asyncio.run(ask())
    assert runs == ["first"] * int8.info.threads + ["last"]


def test_a_loop_whose_threads_have_ended_harms_no_other(int8: SentimentModel) -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()

    async def ask() -> None:
        asyncio.get_running_loop().set_default_executor(pool)
        await int8.ascore("good")

    for _ in range(int8.info.threads):
        with pytest.raises(RuntimeError):
            asyncio.run(ask())
    assert asyncio.run(asyncio.wait_for(int8.ascore("good"), 30)) == int8("good")
