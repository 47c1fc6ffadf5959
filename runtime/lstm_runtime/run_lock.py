"""One run at a time onto an output: a file that a run holds while it works.

The operating system lets go of the file when its process ends, however that ends; so a lock that
can be had is a dead run's. A lock of another machine, where the file system may not tell, is taken
over once it has not been renewed for a while.
"""

import json
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from lstm_runtime.errors import InputError

_RENEW_SECONDS = 1.0
_DEAD_SECONDS = 30.0
_FLAGS = (
    os.O_RDWR
    | os.O_CREAT
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_BEHIND_THE_END = 1 << 30


class RunLock:
    """Holds a file; a context manager.

    Args:
        path: the file, which is there while a run works.
        output: what it stands for, for messages.

    Raises:
        InputError: when another run holds it; names its process and its machine.

    """

    def __init__(self, path: Path, output: Path) -> None:
        self._path = path
        self._file = self._acquired(output)
        self._renewed = time.monotonic()
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": int(time.time())}
        os.ftruncate(self._file, 0)
        os.write(self._file, json.dumps(holder).encode())

    def __enter__(self) -> "RunLock":
        """Return the lock."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go, and remove the file."""
        if sys.platform == "win32":  # where an open file cannot be removed
            os.close(self._file)
            self._path.unlink(missing_ok=True)
        else:
            self._path.unlink(missing_ok=True)
            os.close(self._file)

    def renew(self) -> None:
        """Show other machines that this run is alive; once a second is enough."""
        now = time.monotonic()
        if now - self._renewed > _RENEW_SECONDS:
            self._renewed = now
            os.utime(self._path)

    def _acquired(self, output: Path) -> int:
        while True:
            file = os.open(self._path, _FLAGS, 0o600)
            try:
                self._refuse_if_held(file, output)
                # It may have been removed between the two calls by the run that let it go.
                if _is_at(file, self._path):
                    return file
            except BaseException:
                os.close(file)
                raise
            os.close(file)

    def _refuse_if_held(self, file: int, output: Path) -> None:
        age = time.time() - os.fstat(file).st_mtime
        found = os.read(file, 1000)
        os.lseek(file, 0, os.SEEK_SET)
        locked = _lock(file)
        holder = _holder(found)
        elsewhere = holder.get("host") not in {None, socket.gethostname()}
        if locked is False or (elsewhere and age < _DEAD_SECONDS):
            raise InputError(_held(holder, output))
        if locked is None and not elsewhere and _runs(holder.get("pid")):
            raise InputError(_held(holder, output))


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: int) -> bool | None:
    """Lock the file until it is closed; False where another has, None where nobody can."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, _BEHIND_THE_END, os.SEEK_SET)  # others may read what it says
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _holder(found: bytes) -> dict[str, Any]:
    try:
        holder = json.loads(found)
    except ValueError:
        return {}
    return holder if isinstance(holder, dict) else {}


def _held(holder: dict[str, Any], output: Path) -> str:
    who = f"process {holder['pid']} on {holder.get('host')}" if "pid" in holder else "another run"
    return f"{output} is being written by {who}: wait until it is done, or stop it"


def _runs(pid: Any) -> bool:
    if not isinstance(pid, int) or pid < 1 or sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
