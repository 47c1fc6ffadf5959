"""Load on a service: python benchmarks/serve.py [--requests 10000] [--ray].

Starts examples/serve on this machine (with --ray on Ray Serve), sends reviews at rising concurrency
over kept connections, and at last stops the service under load: what it took it must answer. Client
and service share the cores.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from machine import machine
from reviews import load_reviews
from table import Table, save

_ROOT = Path(__file__).parents[1]
_LEVELS = (1, 4, 16, 64)
_RAY_PORT = 8000
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "CPUS_PER_REPLICA": "0.5"}


class Client:
    """A connection to the service that is kept."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> int:
        """Send a request to /score and return the status.

        Raises:
            OSError: when the service does not listen, or hangs up without an answer.

        """
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = "POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            await reader.readexactly(int(answer.partition("content-length: ")[2].split()[0]))
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError(len(error.partial)) from error
        if "connection: close" in answer:
            self.close()
        return int(answer.split()[1])

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


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


async def stopped(port: int, bodies: list[bytes], process: "subprocess.Popen[bytes]") -> int:
    """Stop the service in the middle of the load; return how many answers came."""
    answered = 0

    async def one(share: list[bytes]) -> None:
        nonlocal answered
        client = Client(port)
        for body in share:
            try:
                status = await client.post(body)
            except OSError:
                return
            answered += status == 200

    async def stop() -> None:
        while answered < len(bodies) // 4:
            await asyncio.sleep(0.001)
        process.send_signal(signal.SIGTERM)

    await asyncio.gather(stop(), *(one(bodies[n::16]) for n in range(16)))
    return answered


@contextmanager
def service(log: Path, *, on_ray: bool) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Start the service and wait until it answers; stop it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = _RAY_PORT if on_ray else free.getsockname()[1]
    command = ["serve", "run", "replicas:service"] if on_ray else ["uvicorn", "app:app"]
    script = str(Path(sys.executable).with_name(command[0]))
    options = [] if on_ray else ["--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own service
            [script, *command[1:], *options],
            cwd=_ROOT / "examples" / "serve",
            env=os.environ | _ENVIRONMENT,
            stdout=file,
            stderr=file,
        )
        try:
            asyncio.run(_ready(port))
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


async def _ready(port: int) -> None:
    for _ in range(3000):
        with suppress(OSError):
            if await Client(port).post(b'{"text": "ready"}') == 200:
                return
        await asyncio.sleep(0.2)
    raise SystemExit("the service does not start")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--ray", action="store_true")
    asked = parser.parse_args()
    texts = load_reviews(None, asked.requests)
    bodies = [json.dumps({"text": text}).encode() for text in texts]
    rows, answered = [], 1
    log = Path(tempfile.mkdtemp()) / "log"
    with service(log, on_ray=asked.ray) as (port, process):
        for concurrency in _LEVELS:
            started = time.perf_counter()
            found = asyncio.run(level(port, bodies[: asked.requests // len(_LEVELS)], concurrency))
            answered += len(found)
            rate = len(found) / (time.perf_counter() - started)
            cuts = statistics.quantiles(found, n=100)
            rows.append(
                [str(concurrency), f"{len(found):,}", f"{rate:,.0f}/s"]
                + [f"{1e3 * cuts[q - 1]:.1f} ms" for q in (50, 99)]
            )
            print(rows[-1], flush=True)
        if not asked.ray:
            answered += asyncio.run(stopped(port, bodies, process))
    if not asked.ray:
        taken = log.read_text().count('"POST /score HTTP/1.1" 200')
        print(f"stopped under load: {answered:,} answers of {taken:,} that it gave", flush=True)
        if answered != taken:
            raise SystemExit("answers were lost")
    name = "serve-ray" if asked.ray else "serve"
    header = ["requests at once", "requests", "throughput", "p50", "p99"]
    title = "On Ray Serve, two replicas" if asked.ray else "FastAPI and a Batcher, one process"
    save(Path(__file__).parent / "results", [Table(title, header, rows)], machine(), name)


if __name__ == "__main__":
    main()
