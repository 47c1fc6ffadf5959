"""How many workers a cluster has room for.

Ray counts CPUs as tickets. A job whose workers hold all of them waits forever for the tasks that
read its input, without a word. So a thread of a worker holds less than a ticket, and a task that
reads or writes holds so little that every node with a worker has room for both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lstm_runtime.errors import InputError

CPUS_PER_THREAD = 0.8
"""What a thread of a worker holds of a CPU; it uses all that is there."""

CPUS_PER_TASK = 0.1
"""What a task holds that reads or writes; on one core they take a few percent of its time."""


@dataclass(frozen=True)
class WorkerPool:
    """The workers of a job."""

    start: int
    "Workers that fit now."
    most: int
    "Workers at most, when the cluster grows."
    threads: int
    "Threads of each."
    gpus: float
    "GPUs of each."

    @property
    def cpus(self) -> float:
        """CPUs that a worker holds."""
        return self.threads * CPUS_PER_THREAD


def plan_pool(
    nodes: Iterable[Mapping[str, Any]], workers: int | None, threads: int, gpus: float
) -> WorkerPool:
    """Plan the pool of workers on a cluster.

    Args:
        nodes: what each node has, as Ray counts it: ``{"CPU": 16.0, "GPU": 1.0, …}``.
        workers: workers at most; None for as many as fit.
        threads: threads of a worker, which takes a core for each.
        gpus: GPUs of a worker; may be a fraction.

    Raises:
        InputError: when not a single worker fits.

    """
    nodes = list(nodes)
    fits = sum(_workers_on(node, threads, gpus) for node in nodes)
    if not fits:
        cpus, cards = (sum(node.get(name, 0) for node in nodes) for name in ("CPU", "GPU"))
        wanted = f"{threads} CPU" + (f" and {gpus:g} GPU" if gpus else "")
        raise InputError(
            f"no worker fits: each needs {wanted} of one node, and the cluster has {len(nodes)} "
            f"nodes with {cpus:g} CPUs and {cards:g} GPUs in all"
        )
    return WorkerPool(min(workers or fits, fits), workers or fits, threads, gpus)


def _workers_on(node: Mapping[str, Any], threads: int, gpus: float) -> int:
    by_cpu = int(node.get("CPU", 0) // threads)
    return min(by_cpu, int(node.get("GPU", 0) / gpus)) if gpus else by_cpu
