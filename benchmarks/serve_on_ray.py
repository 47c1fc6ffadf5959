"""The service of examples/serve/replicas.py, whose replicas are all replaced on SIGTERM.

That is what a new version does to them: each answers what it has taken and ends. A second SIGTERM
ends all.
"""

import os
import signal
import time

import replicas
from ray import serve

_asked: list[int] = []


def main() -> None:
    """Serve until the second SIGTERM."""
    serve.run(replicas.service)
    signal.signal(signal.SIGTERM, lambda number, _frame: _asked.append(number))
    _wait_for(1)
    share = float(os.environ["CPUS_PER_REPLICA"])
    # Another share of the processor is a new version.
    serve.run(replicas.Service.options(ray_actor_options={"num_cpus": share / 2}).bind())
    _wait_for(2)
    serve.shutdown()


def _wait_for(signals: int) -> None:
    while len(_asked) < signals:
        time.sleep(0.05)


if __name__ == "__main__":
    main()
