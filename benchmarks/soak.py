"""Memory over many calls of random lengths: python benchmarks/soak.py MODEL [CALLS]."""

import json
import os
import random
import sys
from pathlib import Path

from lstm_runtime import SentimentModel

_WORDS = ("the", "film", "plot", "good", "bad", "awful", "never", "wonderful", "zebra", "!")
_LONGEST = 400


def resident_mb() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(path: Path, calls: int) -> dict[str, float]:
    """Call the model; return the memory after a twentieth of the calls and after all of them."""
    source = random.Random(0)
    model = SentimentModel.load(path, "cpu", threads=1)
    early = 0.0
    for n in range(calls):
        model(" ".join(source.choices(_WORDS, k=source.randint(0, _LONGEST))))
        if n == calls // 20:
            early = resident_mb()
    late = resident_mb()
    return {"calls": calls, "early_mb": early, "late_mb": late, "growth": late / early - 1}


if __name__ == "__main__":
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    print(json.dumps(soak(Path(sys.argv[1]), count)))
