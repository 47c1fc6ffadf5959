"""The services of examples/serve answer, stream, say how they are, and end without losing any."""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from lstm_runtime import SentimentModel
from prometheus_client.parser import text_string_to_metric_families
from runtime.model_bytes import properties, with_properties
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

FOLDER = Path(__file__).parents[2] / "examples" / "serve"
MODEL = Path(__file__).parents[1] / "data" / "models" / "tiny.int8.onnx"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def get(url: str, body: Any = None, timeout: float = 30) -> tuple[int, Any]:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - our own service
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - likewise
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 180
    while True:
        with contextlib.suppress(OSError):
            if get(url, {"text": "ready"})[0] == 200:
                return
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def start(command: list[str], **environment: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=FOLDER,
        env=os.environ | {"LSTM_EDGE_MODEL": str(MODEL), "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def model() -> Iterator[SentimentModel]:
    with SentimentModel.load(MODEL, "cpu") as model:
        yield model


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    port = free_port()
    process = start(["uvicorn", "app:app", "--port", str(port), "--log-level", "warning"])
    try:
        wait_for(f"http://127.0.0.1:{port}/score", process)
        yield f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_a_text_is_scored(service: str, model: SentimentModel) -> None:
    status, body = get(f"http://{service}/score", {"text": "a good film"})
    answer = model("a good film")
    assert (status, json.loads(body)) == (200, {"label": answer.label, "score": answer.score})


@pytest.mark.parametrize("body", [{}, {"text": 5}, {"text": "a" * 100_001}])
def test_what_is_no_text_is_refused(service: str, body: Any) -> None:
    assert get(f"http://{service}/score", body)[0] == 422


HOSTILE = {
    "words": (b"hello", 422),
    "nothing": (b"", 422),
    "list": (b"[]", 422),
    "nan": (b'{"text": NaN}', 422),
    "surrogate": (b'{"text": "a\\ud800b"}', 422),
    "utf8": (b'{"text": "\xff"}', 400),
    "deep": (b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "many": (json.dumps([{"text": "a"}] * 10_000).encode(), 422),
}


@pytest.mark.parametrize(("body", "status"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_body_is_refused_in_few_words(service: str, body: bytes, status: int) -> None:
    found, detail = get(f"http://{service}/score", body)
    assert found == status
    assert len(detail) < 300
    assert get(f"http://{service}/score", {"text": "good"})[0] == 200


def test_a_huge_body_is_refused_before_its_end(service: str) -> None:
    host, _, port = service.partition(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        half.sendall(b"a" * 1_000_001)
        assert half.makefile("rb").readline().split()[1] == b"413"


def test_every_answer_is_counted(service: str) -> None:
    def counts() -> dict[str, float]:
        _, body = get(f"http://{service}/metrics")
        families = text_string_to_metric_families(body)
        of = next(one for one in families if one.name == "lstm_requests")
        return {s.labels["status"]: s.value for s in of.samples if s.name.endswith("_total")}

    before = counts()
    asked = {200: {"text": "good"}, 422: {}, 400: b"\xff", 413: b"a" * 1_000_001, 405: None}
    for status, body in asked.items():
        assert get(f"http://{service}/score", body)[0] == status
    after = counts()
    told = {status: count - before.get(status, 0) for status, count in after.items()}
    assert {status: n for status, n in told.items() if n} == dict.fromkeys(map(str, asked), 1)


@pytest.mark.parametrize("body", ["a" * 100_001, "a" * 20_000, b"no text"])
def test_what_is_no_piece_ends_a_stream(service: str, body: str | bytes) -> None:
    with connect(f"ws://{service}/stream") as socket:
        ended = [json.loads(message)["word"] for message in _ended(socket, body)]
        assert socket.protocol.close_code == (1009 if isinstance(body, str) else 1000)
    assert ended == ([] if isinstance(body, str) else [""])
    with connect(f"ws://{service}/stream") as socket:
        socket.send("good film " * 1000)
        socket.socket.close()  # without a word
    assert get(f"http://{service}/score", {"text": "good"})[0] == 200


def _ended(socket: ClientConnection, body: str | bytes) -> Iterator[str | bytes]:
    """Yield what comes after ``body``, until the service closes."""
    socket.send(body)
    with contextlib.suppress(ConnectionClosed):
        yield from socket


def test_the_metrics_are_in_the_format_of_prometheus(service: str) -> None:
    families = text_string_to_metric_families(get(f"http://{service}/metrics")[1])
    kinds = {family.name: family.type for family in families}
    assert kinds["lstm_requests"] == "counter"
    assert kinds["lstm_seconds"] == "histogram"
    assert kinds["lstm_waiting"] == "gauge"


def test_a_service_that_computes_wrongly_says_so_and_ends_whoever_is_half_way(
    tmp_path: Path,
) -> None:
    data = MODEL.read_bytes()
    texts = json.loads(properties(data)["reference"])
    for text in texts:
        text["probability"] = [1 - value for value in text["probability"]]
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(with_properties(data, {"reference": json.dumps(texts)}))
    port = free_port()
    options = ["--port", str(port), "--timeout-graceful-shutdown", "1"]
    process = start(["uvicorn", "app:app", *options], LSTM_EDGE_MODEL=str(wrong))
    wait_for(f"http://127.0.0.1:{port}/score", process)
    status, body = get(f"http://127.0.0.1:{port}/healthz")
    assert status == 500
    assert json.loads(body)["detail"] == "the model does not give its reference answers"
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode in {0, -signal.SIGTERM}
    assert b"wrong.onnx" in said
    assert b"differs from the original" in said


def test_a_text_is_read_word_by_word(service: str, model: SentimentModel) -> None:
    with connect(f"ws://{service}/stream") as socket:
        socket.send("not a bad")
        socket.send(" film")
        socket.send("")
        found = [json.loads(message) for message in socket]
    assert [answer["word"] for answer in found] == ["not ", "a ", "bad", " film", "film"]
    assert found[-1]["score"] == pytest.approx(model("not a bad film").score, abs=0.01)


def test_it_says_how_it_is(service: str) -> None:
    status, body = get(f"http://{service}/healthz")
    found = json.loads(body)
    assert status == 200
    assert found["max_difference"] <= found["tolerance"]
    status, body = get(f"http://{service}/metrics")
    assert status == 200
    assert 'lstm_requests_total{status="200"}' in body
    assert "lstm_waiting 0.0" in body


def test_a_service_that_is_stopped_answers_what_it_took() -> None:
    port = free_port()
    process = start(["uvicorn", "app:app", "--port", str(port)])
    url = f"http://127.0.0.1:{port}/score"
    wait_for(url, process)
    with ThreadPoolExecutor(8) as pool:

        def ask(n: int) -> int:
            try:
                return get(url, {"text": f"a good film {n} " * 200})[0]
            except OSError:
                return 0

        found = [pool.submit(ask, n) for n in range(200)]
        while not any(one.done() for one in found):
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    statuses = {one.result() for one in found}
    assert process.returncode in {0, -signal.SIGTERM}
    assert 200 in statuses
    assert statuses <= {200, 0}, "taken and answered, or not taken"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("aiohttp") is None, reason="needs ray[serve]")
def test_replicas_answer_alike(tmp_path: Path, model: SentimentModel) -> None:
    host = f"127.0.0.1:{free_port()}"  # the command has no option for it, its file has
    config = {
        "http_options": {"port": int(host.partition(":")[2])},
        "applications": [{"name": "default", "import_path": "replicas:service"}],
    }
    (tmp_path / "serve.yaml").write_text(json.dumps(config))  # JSON is YAML
    process = start(
        ["ray.serve.scripts", "run", str(tmp_path / "serve.yaml")],
        RAY_USAGE_STATS_ENABLED="0",
        RAY_ADDRESS="local",
        CPUS_PER_REPLICA="0.2",
    )
    try:
        wait_for(f"http://{host}/score", process)
        texts = [f"a good film {'not ' * n}" for n in range(50)]
        with ThreadPoolExecutor(8) as pool:
            url = f"http://{host}/score"
            answers = list(pool.map(lambda text: get(url, {"text": text}), texts))
        assert {status for status, _ in answers} == {200}
        found = [json.loads(body)["score"] for _, body in answers]
        assert found == [answer.score for answer in model(texts)]
        for body, status in HOSTILE.values():
            found, detail = get(url, body)
            assert (found, len(detail) < 300) == (status, True), detail
        with connect(f"ws://{host}/stream") as socket:
            assert [json.loads(found)["word"] for found in _ended(socket, "a" * 100_001)] == []
        with connect(f"ws://{host}/stream") as socket:
            socket.send("good ")
            socket.send("")
            assert [json.loads(message)["word"] for message in socket] == ["good ", ""]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def test_the_examples_are_short() -> None:
    folder = Path(__file__).parents[2] / "examples" / "serve"
    assert len((folder / "app.py").read_text("utf-8").splitlines()) < 120
