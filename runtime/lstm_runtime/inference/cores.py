"""How many cores this process may use: in a container not all that the machine has.

A container's limit is a quota of processor time, which the operating system's count of cores does
not show: with all 64 cores of a host as threads and a quota of two, every thread waits.
"""

import os
from math import ceil
from pathlib import Path

from lstm_runtime.inference.control_groups import MOUNT, PROC, control_groups, lines_of


def usable_cores() -> int:
    """Return how many cores this process may use, 1 at least.

    That is what its affinity mask allows, and no more than its control groups' quota, of which a
    fraction counts as a whole core.
    """
    quota = cgroup_quota()
    allowed = _allowed_cores()
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


def cgroup_quota(proc: Path = PROC, mount: Path = MOUNT) -> float | None:
    """Return the smallest quota of the control groups that this process is in, in cores.

    Groups are nested, and each may have one: version 2 in ``cpu.max``, version 1 in two files of
    the controller ``cpu``. See the kernel's ``admin-guide/cgroup-v2.rst`` and ``sched-bwc.rst``.

    Args:
        proc: the process's groups, a line for each hierarchy: ``id:controllers:path``.
        mount: where the hierarchies are mounted.

    Returns:
        None where there is no quota.

    """
    quotas = (_QUOTAS[version](group) for version, group in control_groups("cpu", proc, mount))
    return min((quota for quota in quotas if quota is not None), default=None)


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota_v2(group: Path) -> float | None:
    words = " ".join(lines_of(group / "cpu.max")).split()
    return _ratio(*words) if len(words) == 2 else None


def _quota_v1(group: Path) -> float | None:
    quota, period = (
        "".join(lines_of(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period")
    )
    return _ratio(quota, period)


def _ratio(quota: str, period: str) -> float | None:
    """Return a quota in cores; ``max`` (version 2) and -1 (version 1) are none."""
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cores if cores > 0 else None


_QUOTAS = {1: _quota_v1, 2: _quota_v2}
