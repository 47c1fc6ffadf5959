"""The services that benchmarks/serve.py starts, and where they log what they answered."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
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

    def stop(self, pid: int) -> None:
        """Ask for a graceful end: SIGTERM of uvicorn, Ctrl-C of `serve run`."""
        os.kill(pid, signal.SIGINT if self.on_ray else signal.SIGTERM)

    def answers_given(self, folder: Path) -> int:
        """Return how many answers the service says that it gave."""
        if not self.on_ray:
            return (folder / "log").read_text("utf-8").count('"POST /score HTTP/1.1" 200')
        logs = (folder / "ray").glob("session_2*/logs/serve/replica_*.log")
        return sum(log.read_text("utf-8").count("POST /score 200") for log in logs)


_UVICORN = ("uvicorn", "--app-dir", str(Path(__file__).parent))
FASTAPI = (
    Way("FastAPI and a Batcher, one process", ("uvicorn", "app:app")),
    Way("wait=0", (*_UVICORN, "--factory", "serve_apps:no_wait")),
    Way("Batches off", (*_UVICORN, "--factory", "serve_apps:batches_off")),
    Way("No model: a server that answers all alike", (*_UVICORN, "serve_apps:constant")),
)
RAY = Way("On Ray Serve, two replicas", ("ray.serve.scripts", "run", "replicas:service"), True)


@contextmanager
def running(way: Way, folder: Path) -> Iterator[tuple[int, int]]:
    """Start a service and wait until it answers; stop it at the end.

    Args:
        way: the service.
        folder: where it logs.

    Returns:
        Its port and its process.

    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = _RAY_PORT if way.on_ray else free.getsockname()[1]
    options = () if way.on_ray else ("--port", str(port))
    paths = os.pathsep.join((str(_EXAMPLE), os.environ.get("PYTHONPATH", "")))
    with (folder / "log").open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - our own service
            [sys.executable, "-m", *way.command, *options],
            cwd=_EXAMPLE,
            env=os.environ | {"PYTHONPATH": paths} | _RAY | {"RAY_TMPDIR": str(folder / "ray")},
            stdout=file,
            stderr=file,
        )
        try:
            asyncio.run(_ready(port, process))
            yield port, process.pid
        finally:
            if process.poll() is None:
                way.stop(process.pid)
            process.wait(90)


async def _ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with suppress(OSError):
            if await Client(port).post(b'{"text": "ready"}') == 200:
                return
        if process.poll() is not None:
            break
        await asyncio.sleep(0.2)
    raise SystemExit("the service does not start")
