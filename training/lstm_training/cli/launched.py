"""A command that several processes may run at once: one of them speaks for all."""

import os
import time
from typing import Any

import click
from lstm_runtime.command import OneLineErrorCommand

GRACE = 3.0
"""Seconds in which the first process tells of an error that all of them have."""

LOST = ("gloo", "NCCL", "closed by peer", "reset by peer", "Broken pipe")
"""Words of PyTorch's errors where a process waits for one that is no more."""


class LaunchedCommand(OneLineErrorCommand):
    """A command that ``torchrun`` or ``accelerate launch`` may start several times.

    An error that all processes have, such as a missing file, is told once: the others leave the
    first one time to tell it, upon which the launcher ends them. One that a process has alone, such
    as a disk that is full on its machine, it tells itself.
    """

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Read the command line."""
        try:
            return super().make_context(*arguments, **settings)
        except click.ClickException:
            _let_the_first_speak()
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        try:
            return self._invoke(ctx)
        except click.ClickException as error:
            if _let_the_first_speak() and not isinstance(error, click.UsageError):
                said = f"process {os.environ['RANK']}: {error.message}"
                raise click.ClickException(said) from error
            raise

    def _invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RuntimeError as error:
            if _processes() == 1 or not any(word in str(error) for word in LOST):
                raise
            raise click.ClickException(
                "another process of the run has ended: its own words, or its machine's, tell why"
            ) from error


def _let_the_first_speak() -> bool:
    """Wait in all processes but the first; tell whether this is one of them."""
    if _processes() == 1 or os.environ.get("RANK", "0") == "0":
        return False
    time.sleep(GRACE)
    return True


def _processes() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))
