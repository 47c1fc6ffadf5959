"""Our hand-written part of ONNX Runtime's C interface against its header, where there is one."""

import os
import subprocess
from pathlib import Path

import pytest
from kernel.golden import ROOT, build_hook

HEADER = "onnxruntime_c_api.h"
FOLDERS = (
    os.environ.get("ONNXRUNTIME_INCLUDE", ""),
    # What `make js` installs has it.
    *map(str, ROOT.glob("js/node_modules/*onnxruntime*/Plugins/**/Headers")),
    "/usr/include/onnxruntime",
    "/usr/local/include/onnxruntime",
    "/usr/include/onnxruntime/core/session",
)


def test_the_slots_are_where_the_header_has_them(tmp_path: Path) -> None:
    hook = build_hook()
    folder = next((name for name in FOLDERS if name and Path(name, HEADER).is_file()), None)
    if folder is None or not hook.compiler():
        pytest.skip(f"no {HEADER} or no C compiler here; ONNXRUNTIME_INCLUDE names its folder")
    source = Path(__file__).parent / "c" / "ort_slots.c"
    command = [*hook.compiler(), "-std=c11", "-I", str(ROOT / hook.SOURCES), "-I", folder]
    command += ["-c", str(source), "-o", str(tmp_path / "slots.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
