"""What native/cpp/CMakeLists.txt gives: the example, and a target for the projects of others."""

import json
import shutil
from pathlib import Path

import pytest
from lstm_runtime import __version__

from .conftest import MODEL, NATIVE, ROOT, command, finish, numbers

pytestmark = pytest.mark.slow  # each test compiles

GOLDEN = json.loads((ROOT / "tests" / "golden" / "answers.json").read_text())
ITEM, TOLERANCE = GOLDEN["texts"][0], GOLDEN["tolerance"]["c"]

CONSUMER = """\
cmake_minimum_required(VERSION 3.18)
project(consumer LANGUAGES CXX)
{how}
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE lstm_edge::lstm_edge)
"""
MAIN = """\
#include <iostream>
#include <sentiment_model.hpp>
int main(int, char** arguments) {
  std::cout << SentimentModel(arguments[1]).score(arguments[2])[0];
}
"""
FETCHED = f"""\
include(FetchContent)
FetchContent_Declare(lstm_edge SOURCE_DIR {ROOT} SOURCE_SUBDIR native/cpp)
FetchContent_MakeAvailable(lstm_edge)
"""


@pytest.fixture(scope="module")
def pkg_config(
    headers: Path, library: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Return an environment with what libonnxruntime-dev puts where pkg-config looks."""
    command("c++", "g++", "clang++"), command("pkg-config")
    if not Path("/usr/include/nlohmann/json.hpp").exists():
        pytest.skip("nlohmann-json3-dev is missing")
    folder = tmp_path_factory.mktemp("pkg_config")
    (folder / "libonnxruntime.so").symlink_to(library)
    (folder / "libonnxruntime.so.1").symlink_to(library)
    (folder / "libonnxruntime.pc").write_text(
        "Name: onnxruntime\nDescription: ONNX Runtime\nVersion: 1\n"
        f"Libs: -L{folder} -lonnxruntime -Wl,-rpath,{folder}\nCflags: -I{headers}\n"
    )
    return {"PKG_CONFIG_PATH": str(folder)}


def _build(source: Path, build: Path, environment: dict[str, str], *options: str) -> None:
    configured = finish(command("cmake"), "-S", source, "-B", build, *options, **environment)
    assert configured.returncode == 0, configured.stderr.decode()
    made = finish(command("cmake"), "--build", build)
    assert made.returncode == 0, (made.stdout + made.stderr).decode()


@pytest.fixture(scope="module")
def built(pkg_config: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which native/cpp was built on its own."""
    build = tmp_path_factory.mktemp("built")
    _build(NATIVE / "cpp", build, pkg_config)
    return build


def test_the_example_in_cpp_is_built(built: Path, tmp_path: Path) -> None:
    whole = finish(built / "example", MODEL, ITEM["text"], ITEM["text"] + "\u212a")
    assert b"verified" in whole.stderr and b"warning" not in whole.stderr
    unknown = finish(built / "example", MODEL, "123").stderr
    assert b"warning: the model knows no word of: 123" in unknown
    assert numbers(whole) == pytest.approx([ITEM["probability"]] * 2, abs=TOLERANCE)
    pieces = ["A dull, ", "... ", "lifeless mess."]
    streamed = numbers(finish(built / "example", MODEL, "--stream", *pieces))
    assert streamed[0] == streamed[1] != streamed[2]
    assert finish(built / "example", tmp_path / "none.onnx").returncode == 1


def _consume(how: str, folder: Path, environment: dict[str, str], *options: str) -> None:
    (folder / "CMakeLists.txt").write_text(CONSUMER.format(how=how))
    (folder / "main.cpp").write_text(MAIN)
    _build(folder, folder / "build", environment, *options)
    found = numbers(finish(folder / "build/consumer", MODEL, ITEM["text"]))
    assert found == pytest.approx([ITEM["probability"]], abs=TOLERANCE)
    assert not list((folder / "build").rglob("example*"))


def test_a_project_takes_it_as_a_subdirectory(pkg_config: dict[str, str], tmp_path: Path) -> None:
    _consume(FETCHED, tmp_path, pkg_config)  # which is add_subdirectory once it is there


def test_a_project_finds_it_installed_and_moved(
    built: Path, pkg_config: dict[str, str], tmp_path: Path
) -> None:
    first, moved, project = (tmp_path / name for name in ("first", "moved", "project"))
    made = finish(command("cmake"), "--install", built, "--prefix", first)
    assert made.returncode == 0, made.stderr.decode()
    shutil.move(first, moved)
    written = b"".join(path.read_bytes() for path in moved.rglob("*.cmake"))
    for place in (ROOT, built, first, Path(pkg_config["PKG_CONFIG_PATH"])):
        assert str(place).encode() not in written
    headers = {path.name for path in moved.rglob("*.h*")}
    assert headers == {path.name for path in NATIVE.rglob("*.h*")}
    project.mkdir()
    how = f"find_package(lstm_edge {__version__} REQUIRED)"
    _consume(how, project, pkg_config, f"-DCMAKE_PREFIX_PATH={moved}")
    # Without ONNX Runtime it is not found, and that is told.
    nothing = {"PKG_CONFIG_PATH": "", "PKG_CONFIG_LIBDIR": str(tmp_path)}
    options = ["-S", project, "-B", tmp_path / "without", f"-DCMAKE_PREFIX_PATH={moved}"]
    found = finish(command("cmake"), *options, **nothing)
    assert found.returncode == 1
    assert b"pkg-config does not find libonnxruntime" in found.stderr
