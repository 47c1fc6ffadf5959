"""What a process must make anew after a fork: locks that threads of its parent held.

A server loads the model, forks its workers, and no thread but one comes along. ONNX Runtime's
sessions work on in the child, for they have no threads of their own here.
"""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Something with locks."""

    def renew(self) -> None:
        """Make the locks anew, and forget what other threads were about."""


_LIVING: WeakSet[Renewable] = WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """Call ``thing.renew()`` in every process that is forked while it lives."""
    _LIVING.add(thing)


def _renew_all() -> None:
    for thing in list(_LIVING):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
