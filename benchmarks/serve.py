"""Load on a service: python benchmarks/serve.py [--requests 10000] [--ray].

Starts examples/serve on this machine (with --ray on Ray Serve), sends reviews at rising concurrency
over kept connections, and at last stops the service under load: what it took it must answer. Client
and service share the cores; what the client can send at most is measured with a server that
answers every request alike.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from http_client import Client
from machine import machine
from reviews import load_reviews
from serve_ways import FASTAPI, RAY, Way, running
from table import Table, markdown, save

_LEVELS = (1, 4, 16, 64)
_HEADER = ("requests at once", "requests", "throughput", "p50", "p99", "client, of a core")


async def level(port: int, bodies: list[bytes], concurrency: int) -> list[float]:
    """Send all bodies; return the seconds of each answer."""
    seconds: list[float] = []
    waiting = iter(bodies)

    async def one() -> None:
        client = Client(port)
        for body in waiting:
            started = time.perf_counter()
            status = await client.post(body)
            seconds.append(time.perf_counter() - started)
            if status != 200:
                raise SystemExit(f"status {status}")
        client.close()

    await asyncio.gather(*(one() for _ in range(concurrency)))
    return seconds


def measure(port: int, bodies: list[bytes], concurrency: int) -> tuple[str, ...]:
    """Return a row of the table."""
    started, used = time.perf_counter(), time.process_time()
    found = asyncio.run(level(port, bodies, concurrency))
    wall, used = time.perf_counter() - started, time.process_time() - used
    cuts = statistics.quantiles(found, n=100)
    row: tuple[str, ...] = (str(concurrency), f"{len(found):,}", f"{len(found) / wall:,.0f}/s")
    row += tuple(f"{1e3 * cuts[q - 1]:.1f} ms" for q in (50, 99))
    row += (f"{100 * used / wall:.0f} %",)
    print(row, flush=True)
    return row


async def stopped(port: int, bodies: list[bytes], stop_it: Callable[[], None]) -> Counter[str]:
    """Stop the service in the middle of the load; return how many requests ended in which way."""
    ended: Counter[str] = Counter()

    async def one(share: list[bytes]) -> None:
        client = Client(port)
        for body in share:
            try:
                status = await client.post(body)
            except ConnectionRefusedError:
                return
            except OSError:
                ended["hung up"] += 1
                return
            ended[str(status)] += 1

    async def stop() -> None:
        while ended["200"] < len(bodies) // 4:
            await asyncio.sleep(0.001)
        stop_it()

    await asyncio.gather(stop(), *(one(bodies[n::16]) for n in range(16)))
    return ended


def load(way: Way, bodies: list[bytes]) -> Table:
    """Start a service, measure it, stop it under load and count.

    Raises:
        SystemExit: when an answer that the service gave did not come.

    """
    with tempfile.TemporaryDirectory() as folder:
        with running(way, Path(folder)) as (port, stop):
            asyncio.run(level(port, bodies[:200], 4))  # what is slow once
            share = len(bodies) // len(_LEVELS)
            rows = [measure(port, bodies[:share], concurrency) for concurrency in _LEVELS]
            ended = asyncio.run(stopped(port, bodies[: len(bodies) // 2], stop))
        came = 1 + 200 + share * len(_LEVELS) + ended["200"]
        gave = way.answers_given(Path(folder))
    title = f"{way.title}; {way.end} under load: {came:,} answers came of {gave:,} given"
    print(title, dict(ended), flush=True)
    if came != gave:
        raise SystemExit("answers were lost")
    return Table(title, _HEADER, rows)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    texts = load_reviews(None, asked.requests)
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    tables = [load(way, bodies) for way in ([RAY] if asked.ray else FASTAPI)]
    print(markdown(tables, machine()))
    if asked.output:
        save(asked.output, tables, machine(), "serve-ray" if asked.ray else "serve")


if __name__ == "__main__":
    main()
