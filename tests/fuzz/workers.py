"""Cases in forked workers: a crash, a hang or a large allocation is the worker's, and is reported.

A worker takes cases until one of them ends it; the next goes on behind that one.
"""

import json
import os
import resource
import select
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

LARGE = 500 * 2**20
"""Bytes of memory that no case may take."""
_MOST = 4 * 2**30
"""Address space of a worker beyond what it begins with: more is refused by the system."""
_CPU_SECONDS = 20
"""Of one case: beyond, it hangs."""
_WALL_SECONDS = 300

Case = Callable[[Any], str]


@dataclass
class Report:
    """What the cases came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    "How often each was seen."
    problems: list[str] = field(default_factory=list)
    "What should not have been, each with its case."

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps({"outcomes": dict(self.outcomes), "problems": self.problems}, indent=2)


def run_cases(case: Case, cases: Sequence[Any]) -> Report:
    """Run ``case`` on each; an outcome that begins with "!" is a problem."""
    report, start = Report(), 0
    while start < len(cases):
        start = _worker(case, cases, start, report)
    return report


def _worker(case: Case, cases: Sequence[Any], start: int, report: Report) -> int:
    """Run cases from ``start`` on in a child; return where the next has to go on."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _work(case, cases, start, writer)
    os.close(writer)
    done, ended = start, False
    with os.fdopen(reader, encoding="utf-8") as answers:
        while not ended:
            if not select.select([answers], [], [], _WALL_SECONDS)[0]:
                os.kill(child, signal.SIGKILL)
            line = answers.readline()
            ended = not line
            if line:
                _note(report, line.strip(), cases[done])
                done += 1
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if done < len(cases) and status:
        kind = {-signal.SIGPROF: "hang", -signal.SIGKILL: "hang"}.get(status, f"crash {status}")
        _note(report, f"!{kind}", cases[done])
        done += 1
    return done


def _note(report: Report, outcome: str, case: Any) -> None:
    report.outcomes[outcome.split(":", maxsplit=1)[0]] += 1
    if outcome.startswith("!"):
        report.problems.append(f"{outcome[1:]} in case {case!r}")


def _work(case: Case, cases: Sequence[Any], start: int, writer: int) -> None:
    """Be a worker."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        space = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (space + _MOST, space + _MOST))
    for one in cases[start:]:
        before = _peak()
        signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)
        try:
            outcome = case(one)
        except BaseException as error:
            outcome = f"!{type(error).__name__}: {error}"
        large = _peak() - before > LARGE
        line = f"!large: {outcome}" if large else outcome
        os.write(writer, (" ".join(line.split())[:300] + "\n").encode("utf-8", "replace"))
        if large:
            break  # the peak does not fall again
    os._exit(0)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
