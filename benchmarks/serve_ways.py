"""The services that benchmarks/serve.py starts, and where they log what they answered."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from http_client import Client

_EXAMPLE = Path(__file__).parents[1] / "examples" / "serve"
_RAY_PORT = 8000
_RAY = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "local", "CPUS_PER_REPLICA": "0.5"}


@dataclass(frozen=True)
class Way:
    """One way to serve."""

    title: str
    command: tuple[str, ...]
    on_ray: bool = False

    @property
    def end(self) -> str:
        """Return what happens to it in the middle of the load."""
        return "replicas replaced" if self.on_ray else "stopped"

    def answers_given(self, folder: Path) -> int:
        """Return how many answers the service says that it gave."""
        if not self.on_ray:
            return (folder / "log").read_text("utf-8").count('"POST /score HTTP/1.1" 200')
        logs = (folder / "ray").glob("session_2*/logs/serve/replica_*.log")
        # The first request may come before the replica knows its routes, and is logged as to /.
        return sum(len(re.findall(r"-- POST \S+ 200 ", log.read_text("utf-8"))) for log in logs)


FASTAPI = (
    Way("FastAPI and a Batcher, one process", ("uvicorn", "app:app")),
    Way("wait=0.001", ("uvicorn", "--factory", "serve_apps:with_wait")),
    Way("Batches off", ("uvicorn", "--factory", "serve_apps:batches_off")),
    Way("No model: a server that answers all alike", ("uvicorn", "serve_apps:constant")),
)
RAY = Way("On Ray Serve, two replicas", ("serve_on_ray",), True)


@contextmanager
def running(way: Way, folder: Path) -> Iterator[tuple[int, Callable[[], None]]]:
    """Start a service and wait until it answers; stop it at the end.

    Args:
        way: the service.
        folder: where it logs.

    Returns:
        Its port, and what asks it to end gracefully; on Ray Serve the replicas end, and others
        take their place.

    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = _RAY_PORT if way.on_ray else free.getsockname()[1]
    options = () if way.on_ray else ("--port", str(port))
    paths = os.pathsep.join((str(_EXAMPLE), str(Path(__file__).parent)))
    with (folder / "log").open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own service
            [sys.executable, "-m", *way.command, *options],
            cwd=_EXAMPLE,
            env=os.environ | {"PYTHONPATH": paths} | _RAY | {"RAY_TMPDIR": str(folder)},
            stdout=file,
            stderr=file,
        )

        def stop() -> None:
            process.send_signal(signal.SIGTERM)

        try:
            if not asyncio.run(_is_ready(port, process)):
                log = (folder / "log").read_text("utf-8")[-2000:]
                raise SystemExit(f"the service does not start: {log}")
            yield port, stop
        finally:
            stop()
            process.wait(90)
            time.sleep(3 * way.on_ray)  # the last lines of the replicas


async def _is_ready(port: int, process: "subprocess.Popen[bytes]") -> bool:
    for _ in range(1000):
        with suppress(OSError):
            if await Client(port).post(b'{"text": "ready"}') == 200:
                return True
        if process.poll() is not None:
            break
        await asyncio.sleep(0.2)
    return False
