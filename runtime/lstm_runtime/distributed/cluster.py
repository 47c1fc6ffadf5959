"""A connection to Ray: started where there is none, and always let go of."""

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from lstm_runtime import errors
from lstm_runtime.errors import ClusterError, InputError, LstmEdgeError
from lstm_runtime.extras import requires_extra

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_RAISED = re.compile(r"(?:\w+\.)*(\w+(?:Error|Exception)\b.*)")
"""A traceback's line with the exception."""
_OURS = re.compile(r"^lstm_runtime\.errors\.(?P<kind>\w+): (?P<message>.*)$", re.MULTILINE)

_HOST_PORT = re.compile(r"(?P<host>[^:/]+):(?P<port>\d+)")
_CONNECT_SECONDS = 5.0

_STALLED_SECONDS = 900.0
"""A run in which nothing moves for so long ends with an error instead of waiting forever."""


def import_ray() -> Any:
    """Return Ray with its data library, its reports to its makers switched off.

    Raises:
        MissingExtraError: when it is not installed.

    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with requires_extra("ray"):
        import ray
        import ray.data
    return ray


@contextmanager
def connected(address: str | None) -> Iterator[Any]:
    """Yield Ray, connected to a cluster.

    A connection that was there already is used and kept; one that is made here ends with the
    block, and so does a cluster of this machine alone, which is started where neither ``address``
    nor RAY_ADDRESS names one.

    Raises:
        MissingExtraError: when Ray is not installed.
        ClusterError: when there is no cluster at the address.

    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _require_listener(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError, ImportError, ray.exceptions.RayError) as e:
        raise ClusterError(f"no Ray cluster at {address}: {_told_by(address, e)}") from e
    try:
        yield ray
    finally:
        ray.shutdown()


def _told_by(address: str, error: Exception) -> str:
    line = str(error).strip().partition("\n")[0]
    asked = address == "local" or "RAY_AUTH_MODE" in os.environ
    return line if asked else f"{line}; where it wants a token, set RAY_AUTH_MODE=token"


def _require_listener(address: str) -> None:
    """Check that somebody listens at HOST:PORT: Ray itself would try for minutes.

    Ray's client (ray://) is refused: Ray Data does not work through it, and fails within itself.
    """
    if address.startswith("ray://"):
        raise ClusterError(
            f"Ray Data does not work through {address}: run on a machine of the cluster, with "
            "--ray-address auto, or there by ray job submit"
        )
    found = _HOST_PORT.fullmatch(address)
    if found is None:
        return
    try:
        socket.create_connection((found["host"], int(found["port"])), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster at {address}: {error}") from error


def node_resources() -> list[dict[str, Any]]:
    """Return what each living node of the cluster has."""
    ray = import_ray()
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextmanager
def data_settings(ray: Any, block_size: int, checkpoint: Any) -> Iterator[None]:
    """Give the datasets that are made in the block our settings, and leave the app's alone.

    Args:
        ray: Ray.
        block_size: bytes of a block at most.
        checkpoint: a ``ray.data.checkpoint.CheckpointConfig``, or None.

    """
    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = block_size
    context.target_min_block_size = min(block_size, context.target_min_block_size)
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = _STALLED_SECONDS
    context.checkpoint_config = checkpoint
    with _quiet(logging.getLogger("ray.data")), ray.data.DataContext.current(context):
        yield


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep a logger off the terminal; its files go on, and its errors are raised, too."""
    levels = {
        handler: handler.level
        for handler in logger.handlers
        if isinstance(handler, logging.StreamHandler)
    }
    try:
        for handler in levels:
            handler.setLevel(logging.CRITICAL)
        yield
    finally:
        for handler, level in levels.items():
            handler.setLevel(level)


@contextmanager
def family_errors() -> Iterator[None]:
    """Raise what a worker raised on purpose as itself, and what Ray raises in one line.

    Raises:
        LstmEdgeError: what a worker raised.
        ClusterError: when a node, a worker or Ray itself failed for good.

    """
    from ray.exceptions import RayError

    try:
        yield
    except Exception as error:
        if not isinstance(error, RayError) and not type(error).__module__.startswith("ray."):
            raise
        raise _told(str(error)) from error


def _told(text: str) -> LstmEdgeError:
    """Return the error that Ray's text tells of: of an exception only its traceback crosses."""
    text = _COLOUR.sub("", text)
    if found := _OURS.search(text):
        kind = getattr(errors, found["kind"], InputError)
        return cast("LstmEdgeError", kind(found["message"]))
    _, unreadable, original = text.partition("Original exception:")
    lines = [line.strip() for line in (original or text).splitlines() if line.strip()]
    # Of what failed in a task there is a traceback, whose last exception says what; so it is, too,
    # of one that Ray could not carry over. Behind it may stand Ray's advice.
    is_traceback = unreadable or text.startswith("ray::")
    raised = [found[1] for line in lines if (found := _RAISED.match(line))] if is_traceback else []
    told = (raised or lines[-1:] if is_traceback else lines[:1]) or ["failed without a word"]
    return ClusterError(f"Ray: {told[-1]}")
