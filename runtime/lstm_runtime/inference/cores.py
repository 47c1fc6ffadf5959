"""How many cores this process may use: in a container not all that the machine has.

A container's limit is a quota of processor time, which the operating system's count of cores does
not show: with all 64 cores of a host as threads and a quota of two, every thread waits.
"""

import os
from math import ceil
from pathlib import Path

_PROC, _MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Return how many cores this process may use, 1 at least.

    That is what its affinity mask allows, and no more than its control groups' quota, of which a
    fraction counts as a whole core.
    """
    quota = cgroup_quota()
    allowed = _allowed_cores()
    return allowed if quota is None else max(1, min(allowed, ceil(quota)))


def cgroup_quota(proc: Path = _PROC, mount: Path = _MOUNT) -> float | None:
    """Return the smallest quota of the control groups that this process is in, in cores.

    Groups are nested, and each may have one: version 2 in ``cpu.max``, version 1 in two files of
    the controller ``cpu``. See the kernel's ``admin-guide/cgroup-v2.rst`` and ``sched-bwc.rst``.

    Args:
        proc: the process's groups, a line for each hierarchy: ``id:controllers:path``.
        mount: where the hierarchies are mounted.

    Returns:
        None where there is no quota.

    """
    found = []
    for line in _lines(proc):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            found += [_quota_v2(group) for group in _groups(mount, path)]
        elif "cpu" in controllers.split(","):
            for name in {controllers, "cpu"}:
                found += [_quota_v1(group) for group in _groups(mount / name, path)]
    return min((quota for quota in found if quota is not None), default=None)


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(root: Path, path: str) -> list[Path]:
    """Return a group's folder and those around it.

    In a container, ``path`` may be the host's name of what is mounted at ``root`` itself.
    """
    group = root / path.strip("/")
    return [group, *(around for around in group.parents if around.is_relative_to(root))]


def _quota_v2(group: Path) -> float | None:
    words = " ".join(_lines(group / "cpu.max")).split()
    return _ratio(*words) if len(words) == 2 else None


def _quota_v1(group: Path) -> float | None:
    quota, period = ("".join(_lines(group / f"cpu.cfs_{name}_us")) for name in ("quota", "period"))
    return _ratio(quota, period)


def _ratio(quota: str, period: str) -> float | None:
    """Return a quota in cores; ``max`` (version 2) and -1 (version 1) are none."""
    try:
        cores = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return cores if cores > 0 else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
