"""What a run may take: memory and time that no model file can exceed, whatever its graph asks for.

A graph needs no loop to ask for any amount of memory, since broadcasting alone multiplies sizes,
and no size in a file tells what it will be when words come in. So nothing is guessed from the
graph: ONNX Runtime's own allocator refuses what is too much, and a run of a graph with loops, or
with more nodes than any of the family, is ended.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any

from lstm_runtime.errors import AnswerError, InputError
from lstm_runtime.inference.control_groups import MOUNT, PROC, control_groups, lines_of

MEMORY_VARIABLE = "LSTM_EDGE_MEMORY"
"""Name of an environment variable: bytes that all models of the process may take together."""

SECONDS = 60.0
"""Time of a run with loops, for any text."""
SECONDS_PER_CHARACTER = 0.005
"""What is added for each character or id."""

_LEAST = 256 << 20
_LEAST_ASKED = 1 << 20
"""Of less, ONNX Runtime's allocator makes no bound at all."""
_UNTOLD = 8 << 30
"""Memory of a machine that does not say how much it has."""
_SAME_AS_REQUESTED = 1
_SHRINK = ("memory.enable_memory_arena_shrinkage", "cpu:0")


def bound_memory(runtime: Any, options: Any) -> None:
    """Let sessions made with ``options`` share one allocator of bounded size, and no other.

    ONNX Runtime keeps it beside its environment: sessions of the app around us are not concerned,
    but one that also asks for a shared allocator gets this one.

    Raises:
        InputError: when `MEMORY_VARIABLE` is no number of bytes.

    """
    _register(runtime, memory_limit())
    options.enable_cpu_mem_arena = True
    options.add_session_config_entry("session.use_env_allocators", "1")


def memory_limit() -> int:
    """Return the bytes that models may take: half of what this process can have at most.

    Raises:
        InputError: when `MEMORY_VARIABLE` is no number of bytes.

    """
    asked = os.environ.get(MEMORY_VARIABLE)
    if asked is None:
        return max(_LEAST, machine_memory() // 2)
    if not asked.isdecimal() or not _LEAST_ASKED <= int(asked) < 2**63:
        raise InputError(
            f"{MEMORY_VARIABLE} is {asked!r}: it has to be a number of bytes, from "
            f"{_LEAST_ASKED:,} on"
        )
    return int(asked)


def machine_memory(proc: Path = PROC, mount: Path = MOUNT) -> int:
    """Return the bytes of memory of this machine, or of the container that this process is in."""
    try:
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (AttributeError, ValueError, OSError):  # Windows
        found = [_UNTOLD]
    for version, group in control_groups("memory", proc, mount):
        name = "memory.max" if version == 2 else "memory.limit_in_bytes"
        found += [int(line) for line in lines_of(group / name) if line.isdecimal()]
    return min(found)


@cache
def _register(runtime: Any, limit: int) -> None:
    """Register the allocator, once: where the app has one already, sessions share that."""
    config = runtime.OrtArenaCfg({"max_mem": limit, "arena_extend_strategy": _SAME_AS_REQUESTED})
    kinds = runtime.OrtAllocatorType, runtime.OrtMemType
    info = runtime.OrtMemoryInfo("Cpu", kinds[0].ORT_ARENA_ALLOCATOR, 0, kinds[1].DEFAULT)
    try:
        runtime.create_and_register_allocator(info, config)
    except Exception as error:  # ONNX Runtime's own
        if "already" not in str(error):
            raise


class BoundedRuns:
    """Runs of one file's sessions; from any number of threads at once.

    Args:
        shared: whether `bound_memory` was applied: what a run took is given back behind it.
        watched: whether a run may need to be ended.

    """

    def __init__(self, runtime: Any, *, shared: bool, watched: bool) -> None:
        self._runtime = runtime
        self._shared = shared
        self._watched = watched
        self._options = self._new_options()

    def run(self, session: Any, outputs: Sequence[str], feed: Mapping[str, Any]) -> list[Any]:
        """Return the outputs of a run.

        Raises:
            AnswerError: when it took too long; else what ONNX Runtime raises.

        """
        if not self._watched:
            return list(session.run(list(outputs), feed, self._options))
        seconds = SECONDS + SECONDS_PER_CHARACTER * _size(feed.values())
        options = self._new_options()
        ended = Timer(seconds, setattr, (options, "terminate", True))
        ended.daemon = True
        ended.start()
        try:
            return list(session.run(list(outputs), feed, options))
        except Exception as error:
            if options.terminate:
                raise AnswerError(
                    f"the run was ended after {seconds:.0f} s: the graph has no end in sight"
                ) from error
            raise
        finally:
            ended.cancel()

    def _new_options(self) -> Any:
        options = self._runtime.RunOptions()
        if self._shared:
            options.add_run_config_entry(*_SHRINK)
        return options


def _size(arrays: Iterable[Any]) -> int:
    """Return the characters of texts and the numbers of other inputs."""
    return sum(sum(map(len, a.tolist())) if a.dtype == object else a.size for a in arrays)
