"""``lstm-run`` as a process of its own, which begins and ends with no more work than it has to.

Of the time that one text takes, all but a hundredth goes into imports, the model and the end.
"""

import atexit
import gc
import os
import sys
import threading

from lstm_runtime.loading import ended_by_ctrl_c

_COLLECTED_AFTER = 100_000
"""New objects that a search for garbage waits for: importing makes about as many, which stay, and
by Python's own 700 they would be searched a hundred times."""

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
"""Of NumPy's products, of which a command has small ones only. Threads that wait for the first one
turn in circles, for longer than a text takes."""


def main() -> None:
    """Run ``lstm-run`` and end the process."""
    gc.set_threshold(_COLLECTED_AFTER)
    os.environ.setdefault(_BLAS_THREADS, "1")
    with ended_by_ctrl_c():
        from lstm_runtime.cli.app import main as command  # what the first line is for

    try:
        command()
    except SystemExit as end:
        if not end.code:
            _leave()
        raise


def _leave() -> None:
    """End the process with success, where nothing is left to do but to free its memory.

    Taking modules, arrays and the libraries' own objects apart takes a sixth of the whole run;
    the system takes all of it back at once. Other threads are waited for, and streams that cannot
    be written to are spoken of, in Python's own way: by returning.
    """
    run_exit_functions = getattr(atexit, "_run_exitfuncs", None)  # of which nothing public is alike
    if run_exit_functions is None or threading.active_count() > 1:
        return
    run_exit_functions()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(0)
