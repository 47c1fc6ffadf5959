"""What benchmarks/serve.py compares the service of examples/serve with: uvicorn serve_apps:…."""

import json
from functools import partial
from typing import Any

import app as example
from lstm_runtime.serving import Batcher

_BODY = json.dumps({"label": "positive", "score": 0.5}).encode()
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]


def batches_off() -> Any:
    """Return the same service, in which each text is a run of its own."""
    return _with(batch_size=1)


def with_wait() -> Any:
    """Return the same service, in which a run waits a millisecond for more, as on a GPU."""
    return _with(wait=0.001)


def _with(**settings: Any) -> Any:
    example.Batcher = partial(Batcher, **settings)  # the same call
    return example.app


async def constant(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request alike: all that is left is the client and the server's HTTP."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
