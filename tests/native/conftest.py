"""What the tests of the C and C++ examples need: ONNX Runtime's headers, a library, compilers."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

ROOT = Path(__file__).parents[2]
NATIVE, HERE = ROOT / "native", ROOT / "tests/native"
MODELS = ROOT / "tests/data/models"
MODEL = ROOT / "runtime" / "lstm_runtime" / "models" / "default.int8.onnx"

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wcast-qual", "-Werror"]
STRICT = ["-std=c99", "-D_DEFAULT_SOURCE", *WARNINGS, "-O1"]
STRICT_CPP = ["-std=c++17", *WARNINGS]
WATCHED = ["-fsanitize=address,undefined", "-g"]

Finished = subprocess.CompletedProcess[bytes]


@pytest.fixture(scope="session")
def headers() -> Path:
    """Return the folder of ONNX Runtime's headers: the system's, or those in an npm package."""
    folders = [
        os.environ.get("ONNXRUNTIME_INCLUDE", ""),
        "/usr/include/onnxruntime",
        "/usr/local/include/onnxruntime",
        *map(str, ROOT.glob("js/node_modules/com.github.asus4.onnxruntime/Plugins/**/Headers")),
    ]
    for folder in folders:
        if (Path(folder) / "onnxruntime_cxx_api.h").is_file():
            return Path(folder)
    pytest.skip(
        "no headers of ONNX Runtime: libonnxruntime-dev has them, or make js brings them, or "
        "ONNXRUNTIME_INCLUDE names their folder"
    )


@pytest.fixture(scope="session")
def library() -> Path:
    """Return the library inside the installed Python package: what a linked program needs too."""
    found = sorted((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so.1*"))
    if not found:
        pytest.skip(f"onnxruntime {onnxruntime.__version__} for Python holds no libonnxruntime.so")
    return found[0]


def command(*names: str) -> str:
    """Return the first of these commands that is here; skip without one."""
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no {' or '.join(names)} here")


def finish(
    *arguments: Any, library: Path | None = None, data: bytes = b"", **named: str
) -> Finished:
    """Run a program to its end."""
    if library:
        named["LSTM_EDGE_ONNXRUNTIME"] = str(library)
    named["ASAN_OPTIONS"] = "detect_leaks=0"  # ONNX Runtime keeps some for its life
    return subprocess.run(
        [str(part) for part in arguments],
        env=os.environ | named,
        input=data,
        capture_output=True,
        timeout=300,
        check=False,
    )


def numbers(finished: Finished) -> list[float]:
    """Return what a program printed at the beginning of each line."""
    assert finished.returncode == 0, finished.stderr
    return [float(line.split(b"\t")[0]) for line in finished.stdout.splitlines()]


def compiled(source: Path, headers: Path, folder: Path, *options: str) -> Path:
    """Return the program of a source in C, without a warning."""
    program = folder / source.stem
    found = finish(
        command("cc", "gcc", "clang"), *STRICT, *options, "-I", headers, "-I", NATIVE, source,
        "-o", program, "-ldl", "-lm",
    )  # fmt: skip
    assert found.returncode == 0, found.stderr.decode()
    return program


def compiled_cpp(source: Path, headers: Path, library: Path, folder: Path, *options: str) -> Path:
    """Return the program of a source in C++. The headers of ONNX Runtime's own are not clean."""
    if not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("nlohmann-json3-dev is missing")
    linked, program = folder / "libonnxruntime.so.1", folder / source.stem
    if not linked.exists():
        linked.symlink_to(library)
    found = finish(
        command("c++", "g++", "clang++"), *STRICT_CPP, *options, "-isystem", headers, "-I", NATIVE,
        "-I", NATIVE / "cpp", source, linked, f"-Wl,-rpath,{folder}", "-o", program,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr.decode()
    return program


@pytest.fixture(scope="session")
def hostile(headers: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a program that a sanitizer watches, where the compiler has one."""
    folder, source = tmp_path_factory.mktemp("hostile"), HERE / "hostile.c"
    try:
        return compiled(source, headers, folder, *WATCHED)
    except AssertionError:
        return compiled(source, headers, folder)


def _watched_cpp(source: Path, headers: Path, library: Path, folder: Path, *options: str) -> Path:
    try:
        return compiled_cpp(source, headers, library, folder, *options, *WATCHED)
    except AssertionError:
        return compiled_cpp(source, headers, library, folder, *options)


@pytest.fixture(scope="session")
def cpp_example(headers: Path, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the example in C++, which a sanitizer watches where the compiler has one."""
    folder = tmp_path_factory.mktemp("cpp")
    return _watched_cpp(NATIVE / "cpp/example.cpp", headers, library, folder)


@pytest.fixture(scope="session")
def hostile_cpp(headers: Path, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same as ``hostile`` in C++."""
    folder = tmp_path_factory.mktemp("hostile_cpp")
    return _watched_cpp(HERE / "hostile.cpp", headers, library, folder, "-O1")
