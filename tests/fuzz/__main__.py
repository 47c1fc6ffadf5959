"""``make fuzz``: mutated files and hostile texts in forked workers; exits 1 on any problem."""

import argparse
import sys
import time
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from fuzz.cases import CHUNK, MODELS, prepare, try_file, try_texts
from fuzz.workers import Report, run_cases

_PROCESSES = 2


def main() -> None:
    """Run the cases that the arguments ask for; print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="mutations of model files")
    parser.add_argument("--texts", type=int, default=1_000_000, help="hostile texts")
    parser.add_argument("--seed", type=int, default=0, help="of the first mutation")
    parser.add_argument("more", nargs="*", type=Path, help="more model files to mutate")
    asked = parser.parse_args()
    started, failed = time.monotonic(), False
    for name, found in (
        ("files", fuzz_files(asked.files, asked.seed, tuple(asked.more))),
        ("texts", fuzz_texts(asked.texts, asked.seed)),
    ):
        print(name, found.to_json())  # noqa: T201 - the command's output
        failed |= bool(found.problems)
    print(f"{time.monotonic() - started:.0f} s")  # noqa: T201 - likewise
    sys.exit(failed)


def fuzz_files(count: int, seed: int = 0, more: tuple[Path, ...] = ()) -> Report:
    """Try ``count`` mutations."""
    files = (*sorted(MODELS.glob("*.onnx")), *more)
    return _spread(partial(_files, files), range(seed, seed + count))


def fuzz_texts(count: int, seed: int = 0) -> Report:
    """Try ``count`` texts."""
    return _spread(_texts, range(seed, seed + -(-count // CHUNK)))


def _files(files: tuple[Path, ...], seeds: range) -> Report:
    return run_cases(partial(try_file, files), seeds)


def _texts(seeds: range) -> Report:
    return run_cases(try_texts, seeds)


def _spread(part: "partial[Report] | object", seeds: range) -> Report:
    """Run parts of the cases beside each other."""
    prepare()
    parts = [seeds[n::_PROCESSES] for n in range(_PROCESSES)]
    total = Report()
    with get_context("fork").Pool(_PROCESSES) as pool:
        for found in pool.imap(part, parts):  # type: ignore[arg-type]
            total.outcomes += found.outcomes
            total.problems += found.problems
    return total


if __name__ == "__main__":
    main()
