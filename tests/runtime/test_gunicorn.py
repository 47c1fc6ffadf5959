"""A server that loads the model before it forks its workers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from lstm_runtime import SentimentModel

from .conftest import MODELS

pytest.importorskip("gunicorn", reason="gunicorn is not installed")
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

_APP = f"""
import json, multiprocessing, os
from lstm_runtime import SentimentModel

meeting = multiprocessing.get_context("fork").Barrier(int(os.environ["WORKERS"]))

model = SentimentModel.load({str(MODELS / "tiny.int8.onnx")!r}, "cpu", threads=1, max_tokens=200)
model(["good", "loaded before the fork"])


def app(environ, start_response):
    text = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    if environ["PATH_INFO"] == "/meet":
        meeting.wait(60)
    answer = {{"score": model(text).scores["positive"], "worker": os.getpid()}}
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _gunicorn(
    folder: Path, workers: int, kind: str
) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    (folder / "server.py").write_text(_APP)
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "--preload", "--workers", str(workers),
               "--worker-class", kind, "--bind", f"127.0.0.1:{port}", "--timeout", "120",
               "--graceful-timeout", "20", "server:app"]  # fmt: skip
    if kind == "gthread":
        command[-1:-1] = ["--threads", "2"]
    environment = os.environ | {"WORKERS": str(workers)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield port, server
        finally:
            server.kill()


def _connection(port: int) -> http.client.HTTPConnection:
    for _ in range(600):
        try:
            found = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            found.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return found
    raise AssertionError("the server does not start")


def _ask(port: int, texts: list[str], path: str = "/") -> list[tuple[float, int]]:
    found = []
    connection = _connection(port)
    for text in texts:
        connection.request("POST", path, text.encode())
        answer = json.loads(connection.getresponse().read())
        found.append((answer["score"], answer["worker"]))
    connection.close()
    return found


@pytest.mark.parametrize(
    ("workers", "requests"),
    [(2, 200), pytest.param(4, 10_000, marks=pytest.mark.slow)],
)
def test_a_preloaded_model_answers_in_all_workers_which_end_at_once(
    tmp_path: Path, int8: SentimentModel, workers: int, requests: int
) -> None:
    clients = 8
    texts = [f"a good film {'dull ' * (n % 7)}{n}" for n in range(requests // clients)]
    wanted = [int8(text).scores["positive"] for text in texts]
    with _gunicorn(tmp_path, workers, "gthread") as (port, server):
        with ThreadPoolExecutor(clients) as pool:
            answers = list(pool.map(lambda _: _ask(port, texts), range(clients)))
        _ended(server)
    for found in answers:
        assert [score for score, _ in found] == wanted
    used = {worker for found in answers for _, worker in found}
    # A worker of this class takes connections while its threads are busy, and so may take them all.
    assert 1 <= len(used) <= workers


def test_every_worker_of_a_preloaded_model_answers_rightly(
    tmp_path: Path, int8: SentimentModel
) -> None:
    workers, text = 4, "a good film, dull at times"
    with _gunicorn(tmp_path, workers, "sync") as (port, server):
        _ask(port, [text])  # it is up
        with ThreadPoolExecutor(workers) as pool:
            # A worker of this class has one request at a time, and none of these ends before all
            # have begun: each is another worker's.
            met = list(pool.map(lambda _: _ask(port, [text], "/meet"), range(workers)))
        _ended(server)
    wanted = int8(text).scores["positive"]
    assert [score for ((score, _),) in met] == [wanted] * workers
    assert len({worker for ((_, worker),) in met}) == workers


def _ended(server: "subprocess.Popen[str]") -> None:
    """End the server, and see that it ends as it should."""
    server.send_signal(signal.SIGTERM)
    log = str(server.communicate(timeout=60)[1])
    assert server.returncode == 0, log
    assert "Traceback" not in log
    for sign in ("ERROR", "CRITICAL", "SIGKILL", "SIGABRT", "WORKER TIMEOUT"):
        assert sign not in log, log
