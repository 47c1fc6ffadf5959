"""Linux's control groups, by which a container gets less than all that its machine has."""

from collections.abc import Iterator
from pathlib import Path

PROC, MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def control_groups(
    controller: str, proc: Path = PROC, mount: Path = MOUNT
) -> Iterator[tuple[int, Path]]:
    """Yield version and folder of each group that this process is in, and of those around it.

    Groups are nested, and each may set a limit. See the kernel's ``admin-guide/cgroup-v2.rst``.

    Args:
        controller: what is limited, such as ``cpu``.
        proc: the process's groups, a line for each hierarchy: ``id:controllers:path``.
        mount: where the hierarchies are mounted.

    """
    for line in lines_of(proc):
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            yield from ((2, group) for group in _around(mount, path))
        elif controller in controllers.split(","):
            for name in {controllers, controller}:
                yield from ((1, group) for group in _around(mount / name, path))


def lines_of(path: Path) -> list[str]:
    """Return the lines of one of the kernel's files; none where it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _around(root: Path, path: str) -> list[Path]:
    """Return a group's folder and those around it.

    In a container, ``path`` may be the host's name of what is mounted at ``root`` itself.
    """
    group = root / path.strip("/")
    return [group, *(around for around in group.parents if around.is_relative_to(root))]
