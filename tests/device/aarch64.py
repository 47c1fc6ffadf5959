"""The golden states on 64-bit ARM, under emulation: with NEON alone, and with its dot product.

    python tests/device/aarch64.py

needs the ``ziglang`` package and qemu-aarch64 (Debian: apt-get install qemu-user).
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["LSTM_EDGE_TARGET"] = "musl-aarch64"

from kernel.golden import SHA256, build_golden, digests

PROCESSORS = {"cortex-a53": {"portable", "neon"}, "max": {"portable", "neon", "neondot"}}


def main() -> None:
    """Build once, run on each processor."""
    with TemporaryDirectory() as folder:
        program = Path(folder, "golden")
        build_golden(program)
        for processor, sets in PROCESSORS.items():
            found = digests(["qemu-aarch64", "-cpu", processor, str(program)])
            assert set(found) == sets, found
            assert set(found.values()) == {SHA256}, found
            print(f"{processor}: {', '.join(found)} give the golden states")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
