"""Builds the int8 kernel (runtime/lstm_runtime/kernel/src) into the wheel.

With the machine's own C compiler; where it has none, with the one of the ``ziglang`` package;
where that cannot be had either, the wheel is pure Python and ONNX Runtime runs its own operator.

``LSTM_EDGE_KERNEL=none`` in the environment leaves the kernel out. ``LSTM_EDGE_TARGET`` names
another machine to build for, one of `TARGETS`: that takes zig.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNEL = Path("runtime/lstm_runtime/kernel")
SOURCES = KERNEL / "src"
ARITHMETIC = "layer.c"
"The one source that is compiled once for each instruction set."

# Bits depend on the middle two: a fused a * b + c, or a reordered sum, would round differently.
FLAGS = ["-O3", "-std=c11", "-ffp-contract=off", "-fno-fast-math", "-fno-math-errno",
         "-fvisibility=hidden", "-Wall", "-Wextra", "-Wno-psabi"]  # fmt: skip

_AVX2 = ["-mavx2", "-mfma"]
_AVX512 = ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx512vnni"]
INSTRUCTION_SETS: dict[str, dict[str, list[str]]] = {
    "x86_64": {
        "PORTABLE": [],
        "AVX2": _AVX2,
        "AVXVNNI": [*_AVX2, "-mavxvnni"],
        "AVX512VNNI": [*_AVX2, *_AVX512],
    },
    "aarch64": {"PORTABLE": [], "NEON": [], "NEONDOT": ["-mcpu=generic+dotprod"]},
}
"Processor to the sets worth having, with the flags that let a compiler use them."

_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Target:
    """A kind of machine to build for."""

    zig: str
    "Its name in zig; '' for the machine at hand, built by its own compiler."
    processor: str
    "A key of `INSTRUCTION_SETS`."
    tag: str
    "The wheel's platform tag."
    windows: bool = False
    "Whether a library ends in .dll there."


TARGETS = {
    "linux-x86_64": Target("x86_64-linux-gnu.2.17", "x86_64", "manylinux_2_17_x86_64"),
    "linux-aarch64": Target("aarch64-linux-gnu.2.17", "aarch64", "manylinux_2_17_aarch64"),
    "musl-x86_64": Target("x86_64-linux-musl", "x86_64", "musllinux_1_1_x86_64"),
    "musl-aarch64": Target("aarch64-linux-musl", "aarch64", "musllinux_1_1_aarch64"),
    "macos-x86_64": Target("x86_64-macos.11.0", "x86_64", "macosx_11_0_x86_64"),
    "macos-aarch64": Target("aarch64-macos.11.0", "aarch64", "macosx_11_0_arm64"),
    "windows-x86_64": Target("x86_64-windows-gnu", "x86_64", "win_amd64", windows=True),
    "windows-aarch64": Target("aarch64-windows-gnu", "aarch64", "win_arm64", windows=True),
}


class KernelHook(BuildHookInterface):  # type: ignore[type-arg] # its parameter is not exported
    """What hatchling calls before it makes a wheel, an editable one too."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for zig where it is needed."""
        needs_zig = bool(os.environ.get("LSTM_EDGE_TARGET")) or not compiler()
        return ["ziglang>=0.13"] if self._wanted() and needs_zig else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library and put it into the wheel; warn and do without where that fails."""
        target = chosen_target()
        name = "lstm_edge.dll" if target.windows else "lstm_edge.so"
        in_place = Path(self.root, KERNEL, name)
        if version == "editable":
            in_place.unlink(missing_ok=True)  # processes that have it loaded keep it
        if not self._wanted():
            return
        made = Path(self._folder.name, name)
        try:
            build(Path(self.root, SOURCES), target, made)
        except (OSError, BuildError) as error:
            self.app.display_warning(f"no int8 kernel, hence ONNX Runtime's own speed: {error}")
            return
        if version == "editable":
            shutil.copyfile(made, in_place)
        else:
            build_data["force_include"][str(made)] = f"lstm_runtime/kernel/{name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{target.tag}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was built, which is in the wheel now."""
        self._folder.cleanup()

    @cached_property
    def _folder(self) -> "TemporaryDirectory[str]":
        return TemporaryDirectory()

    def _wanted(self) -> bool:
        off = os.environ.get("LSTM_EDGE_KERNEL") == "none"
        return self.target_name == "wheel" and not off and chosen_target().processor != ""


class BuildError(Exception):
    """The library cannot be built here."""


def chosen_target() -> Target:
    """Return the target that the environment names, else the machine at hand."""
    from packaging.tags import platform_tags

    name = os.environ.get("LSTM_EDGE_TARGET")
    if name:
        return TARGETS[name]
    processor = _PROCESSORS.get(platform.machine().lower(), "")
    return Target("", processor, next(platform_tags()), sys.platform == "win32")


def compiler() -> list[str]:
    """Return the machine's C compiler; none on Windows, whose own lacks the vector types."""
    if sys.platform == "win32":
        return []
    found = next(filter(None, map(shutil.which, ("clang", "gcc", "cc"))), None)
    return [found] if found else []


def build(sources: Path, target: Target, made: Path, program: Path | None = None) -> None:
    """Compile and link the library; or, around the same objects, a ``program`` that tests them.

    Raises:
        BuildError: when there is no compiler, or it fails; its words are in the message.

    """
    command = _command(target)
    with TemporaryDirectory() as folder:
        sets = dict(_arithmetic(command, target, sources, Path(folder)))
        rest = [path.name for path in sorted(sources.glob("*.c")) if path.name != ARITHMETIC]
        names = [f"-DHAS_{name}" for name in sets]
        kind = ["-I.", str(program)] if program else ["-shared"]
        parts = [*names, *kind, *rest, *sets.values(), "-lm", "-o", str(made)]
        _run([*command, *parts], sources)


def _command(target: Target) -> list[str]:
    flags = FLAGS if target.windows else [*FLAGS, "-fPIC"]
    own = [] if target.zig else compiler()
    if own:
        return [*own, *flags]
    if find_spec("ziglang") is None:
        raise BuildError("there is no C compiler, and no ziglang package")
    named = ["-target", target.zig] if target.zig else []
    return [sys.executable, "-m", "ziglang", "cc", *named, *flags]


def _arithmetic(
    command: list[str], target: Target, sources: Path, folder: Path
) -> Iterator[tuple[str, str]]:
    """Compile the arithmetic for each instruction set that the compiler knows."""
    for name, flags in INSTRUCTION_SETS[target.processor].items():
        made = str(folder / f"{name}.o")
        try:
            _run([*command, *flags, f"-DSET_{name}", "-c", ARITHMETIC, "-o", made], sources)
        except BuildError:
            if not flags:
                raise
            continue  # an older compiler: GCC before 11 lacks -mavxvnni
        yield name, made


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise BuildError((done.stderr.strip() or "the compiler failed").splitlines()[0])
