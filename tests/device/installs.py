"""Installing with a compiler, with zig alone and with none; the wheels; old and new ONNX Runtimes.

    python tests/device/installs.py ways           # pip install in three fresh environments
    python tests/device/installs.py wheels dist    # what `make wheels` made; the native one runs
    python tests/device/installs.py runtimes dist/WHEEL 1.17.0 1.30.0 1.32.0

Needs a package index, and minutes. Each environment has to pass ``lstm-run --self-test``.
"""

import os
import re
import struct
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]

# What a library begins with, and the number of its processor and where that stands.
ELF, MACH_O, PE = b"\x7fELF", struct.pack("<I", 0xFEEDFACF), b"MZ"
PROCESSORS = {
    "manylinux_2_17_x86_64": (ELF, 18, 62),
    "manylinux_2_17_aarch64": (ELF, 18, 183),
    "musllinux_1_1_x86_64": (ELF, 18, 62),
    "musllinux_1_1_aarch64": (ELF, 18, 183),
    "macosx_11_0_x86_64": (MACH_O, 4, 0x0007),
    "macosx_11_0_arm64": (MACH_O, 4, 0x000C),
    "win_amd64": (PE, None, 0x8664),
    "win_arm64": (PE, None, 0xAA64),
}
"By the platform tag of the wheel."


class Environment:
    """A fresh virtual environment."""

    def __init__(self, folder: Path, *, compilers: bool = True) -> None:
        venv.create(folder, with_pip=True)
        self._folder = folder
        self._environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
        self._environment.pop("LSTM_EDGE_KERNEL", None)
        if not compilers:
            empty = folder / "no-compilers"
            empty.mkdir()
            self._environment["PATH"] = str(empty)

    def run(self, command: str, *arguments: str) -> str:
        """Run one of the environment's commands; return what it printed."""
        done = subprocess.run(
            [str(self._folder / "bin" / command), *arguments],
            cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def kernel(self) -> str:
        """Check the installation; return the kernel that it runs."""
        self.run("lstm-run", "--self-test")
        (kernel,) = re.findall(r"kernel (\w+)", self.run("lstm-run", "--version"))
        return kernel


def install_all_ways() -> None:
    """Install from the sources: the kernel is there with a compiler or zig, and not without."""
    for way, compilers, isolated in (
        ("the machine's compiler", True, True),
        ("zig from the package index", False, True),
        ("neither", False, False),
    ):
        with TemporaryDirectory() as folder:
            environment = Environment(Path(folder), compilers=compilers)
            if not isolated:
                environment.run("pip", "install", "hatchling")
            flags = [] if isolated else ["--no-build-isolation"]
            environment.run("pip", "install", *flags, f"{ROOT}[cpu]")
            kernel = environment.kernel()
            assert (kernel == "none") == (way == "neither"), (way, kernel)
            say(f"{way}: kernel {kernel}")


def check_wheels(folder: Path) -> None:
    """Check tags and contents of all wheels; install and run the one for this machine."""
    wheels = {path.stem.split("-")[-1]: path for path in folder.glob("*.whl")}
    assert wheels.keys() == PROCESSORS.keys(), sorted(wheels)
    for tag, path in wheels.items():
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith((".so", ".dll", ".dylib"))]
            wanted = "lstm_edge.dll" if tag.startswith("win") else "lstm_edge.so"
            assert names == [f"lstm_runtime/kernel/{wanted}"], (tag, names)
            check_library(tag, archive.read(names[0]))
            (metadata,) = (n for n in archive.namelist() if n.endswith(".dist-info/WHEEL"))
            said = archive.read(metadata).decode()
            assert f"Tag: py3-none-{tag}\n" in said, said
            assert "Root-Is-Purelib: false" in said, said
            size = archive.getinfo(names[0]).file_size
            say(f"{tag}: {path.stat().st_size:,} bytes, of them a library of {size:,}")
    native = next(tag for tag in wheels if tag == f"manylinux_2_17_{os.uname().machine}")
    with TemporaryDirectory() as made:
        environment = Environment(Path(made))
        environment.run("pip", "install", f"{wheels[native]}[cpu]")
        say(f"{native}: installed, kernel {environment.kernel()}")


def check_library(tag: str, content: bytes) -> None:
    """Check that a library is for the wheel's processor, and for no newer C library."""
    magic, at, number = PROCESSORS[tag]
    assert content.startswith(magic), tag
    if at is None:  # Windows says where its header is
        at = struct.unpack_from("<I", content, 0x3C)[0] + 4
    assert struct.unpack_from("<H", content, at) == (number,), tag
    versions = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_([\d.]+)", content)}
    assert max(versions, default=(0,)) <= (2, 17), (tag, versions)


def check_runtimes(wheel: Path, versions: list[str]) -> None:
    """Run a wheel on several versions of ONNX Runtime."""
    for version in versions:
        with TemporaryDirectory() as folder:
            environment = Environment(Path(folder))
            # Builds before 1.19 were made for NumPy 1.
            numpy = ["numpy<2"] if tuple(map(int, version.split(".")[:2])) < (1, 19) else []
            environment.run("pip", "install", str(wheel), f"onnxruntime=={version}", *numpy)
            say(f"onnxruntime {version}: kernel {environment.kernel()}")


def say(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ways"]:
            install_all_ways()
        case ["wheels", folder]:
            check_wheels(Path(folder).resolve())
        case ["runtimes", wheel, *versions]:
            check_runtimes(Path(wheel).resolve(), versions)
        case _:
            sys.exit(__doc__)
