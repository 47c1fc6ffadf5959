"""A service: uvicorn app:app. LSTM_EDGE_MODEL names a model file; without it, the bundled one."""

import logging
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from bounded_bodies import BoundedBodies
from counted_answers import CountedAnswers
from fastapi import FastAPI, HTTPException, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.exceptions import RequestValidationError
from lstm_runtime import LstmEdgeError, Sentiment, SentimentModel, Verification, errors
from lstm_runtime.serving import Batcher
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

DEADLINE = 5.0  # seconds after which nobody waits any more
MOST_CHARACTERS = 100_000
MOST_BYTES = 1_000_000  # of a body: JSON may write a character in six bytes
STATUS = {errors.OverloadedError: 503, errors.DeadlineError: 504, errors.InputError: 422}

REQUESTS = Counter("lstm_requests_total", "Requests of /score", ["status"])
SECONDS = Histogram(
    "lstm_seconds", "Time to an answer of /score", buckets=(0.002, 0.01, 0.05, 0.2, 1, 5)
)
WAITING = Gauge("lstm_waiting", "Texts in the queue")


class Ask(BaseModel):
    """What /score takes."""

    text: Annotated[str, Field(max_length=MOST_CHARACTERS)]


class Answer(BaseModel):
    """What /score gives."""

    label: str
    score: float


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    threads = int(os.environ.get("OMP_NUM_THREADS", "0")) or None  # Ray sets it for a replica
    with SentimentModel.load(os.environ.get("LSTM_EDGE_MODEL"), threads=threads) as model:
        # Leaving the block answers what waits: uvicorn has stopped listening by then.
        async with Batcher(model) as batcher:
            app.state.model, app.state.batcher = model, batcher
            WAITING.set_function(lambda: batcher.waiting)
            yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(BoundedBodies, most=MOST_BYTES)
app.add_middleware(CountedAnswers, path="/score", counter=REQUESTS)


@app.exception_handler(LstmEdgeError)
async def refuse(_request: Request, error: LstmEdgeError) -> JSONResponse:
    status = STATUS.get(type(error), 500)
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse({"detail": str(error)}, status, headers)


@app.exception_handler(RequestValidationError)
async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Say what is wrong without the input, which may be long, or what JSON cannot hold."""
    found = [{key: one[key] for key in ("type", "loc", "msg")} for one in error.errors()]
    return JSONResponse({"detail": found}, 422)


@app.post("/score")
async def score(ask: Ask, request: Request) -> Answer:
    with SECONDS.time():
        found = await request.app.state.batcher.score(ask.text, DEADLINE)
    return Answer(label=found.label, score=found.number)


@app.websocket("/stream")
async def stream(socket: WebSocket) -> None:
    """Take a text in pieces; answer after each word with the opinion so far. "" ends the text."""
    await socket.accept()
    reader = socket.app.state.model.stream()
    try:
        while piece := (await socket.receive()).get("text"):
            if len(piece) > MOST_CHARACTERS:
                raise errors.InputError("a piece is too long")
            for word in re.findall(r"\s*\S+\s?|\s+", piece):
                await send(socket, await run_in_threadpool(reader.push, word))
        await send(socket, await run_in_threadpool(reader.finish))
        await socket.close()
    except errors.InputError as error:  # a piece that is too long, or a word without an end
        await socket.close(1009, str(error))
    except WebSocketDisconnect:
        return


async def send(socket: WebSocket, found: Sentiment) -> None:
    await socket.send_json({"word": found.text, "label": found.label, "score": found.number})


@app.get("/healthz")
async def healthz(request: Request) -> Verification:
    """Replay the model's reference answers: 500 where one is wrong, the reason in the log."""
    try:
        return await run_in_threadpool(request.app.state.model.verify)
    except errors.VerificationError as error:
        logging.getLogger("uvicorn.error").error("%s", error)
        raise HTTPException(500, "the model does not give its reference answers") from error


@app.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
