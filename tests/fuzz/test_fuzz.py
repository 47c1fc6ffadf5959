"""The short version of ``make fuzz``, and whether it would see what it looks for."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz.__main__ import fuzz_files, fuzz_texts
from fuzz.workers import LARGE, run_cases

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="forks workers, and bounds them as Linux does"
)


def test_mutated_files_are_refused_or_answer_and_texts_are_answered() -> None:
    files, texts = fuzz_files(400, seed=10**6), fuzz_texts(4000, seed=10**6)
    assert not files.problems + texts.problems
    assert files.outcomes["refused"] > 200
    assert texts.outcomes["answers"] == 4


def _crash(_: int) -> str:
    os.kill(os.getpid(), signal.SIGUSR1)
    return ""


def _large(_: int) -> str:
    return f"answers {len(bytearray(os.urandom(1024)) * (LARGE // 1024 + 2**16))}"


@pytest.mark.parametrize(
    ("case", "what"),
    [
        (_crash, f"crash {-signal.SIGUSR1}"),
        (_large, "large"),
        (lambda n: 1 / n, "ZeroDivisionError"),
    ],
)
def test_what_it_looks_for_is_seen(case: Callable[[int], str], what: str) -> None:
    def mostly_right(n: int) -> str:
        return case(0) if n == 2 else "right"

    found = run_cases(mostly_right, range(5))
    assert found.outcomes["right"] == 4
    (problem,) = found.problems
    assert problem.startswith(what)
    assert problem.endswith("in case 2")


def test_a_hang_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz import workers

    monkeypatch.setattr(workers, "_CPU_SECONDS", 0.2)

    def hangs(n: int) -> str:
        while n == 1:
            time.monotonic()
        return "right"

    assert run_cases(hangs, range(3)).problems == ["hang in case 1"]
