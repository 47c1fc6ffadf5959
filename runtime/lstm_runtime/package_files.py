"""Files that come with the package, also where it runs out of an archive."""

import atexit
import os
import sys
from pathlib import Path


def package_file(folder: str, name: str) -> Path:
    """Return the path of a file in a folder of this package.

    A file in a zip archive (zipapp) is unpacked, for ONNX Runtime and the system's loader take
    files alone, and removed when the process ends. The path of a file that is not there is
    returned as well.
    """
    path = Path(__file__).parent / folder / name
    if path.is_file() or Path(__file__).exists():
        return path
    from importlib import resources  # an archive is rare

    packed = resources.files(__package__).joinpath(folder, name)
    return _unpacked(packed.read_bytes(), name) if packed.is_file() else path


def _unpacked(content: bytes, name: str) -> Path:
    import shutil
    import tempfile

    folder, owner = tempfile.mkdtemp(prefix="lstm-edge-"), os.getpid()

    def remove() -> None:
        if os.getpid() == owner:  # a forked process ends before this one
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    # Processes of multiprocessing end without what atexit has; what is not imported started none.
    if processes := sys.modules.get("multiprocessing.util"):
        processes.Finalize(None, remove, exitpriority=0)
    path = Path(folder, name)
    path.write_bytes(content)
    return path
