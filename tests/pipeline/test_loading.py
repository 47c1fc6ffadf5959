"""Ctrl-C while a command is still being loaded."""

import signal
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

COMMANDS = sorted(
    command.value
    for command in entry_points(group="console_scripts")
    if command.name.startswith("lstm-")
)

PRESS = """
import signal, sys

class Key:
    def find_spec(self, name, *_):
        if name == "click":
            signal.raise_signal(signal.SIGINT)

{0}
sys.meta_path.insert(0, Key())
sys.argv = ["command", "--version"]
from {1} import {2} as command
command()
"""


def start(command: str, before: str) -> "subprocess.CompletedProcess[str]":
    """Run a command that is sent Ctrl-C when it imports click."""
    module, _, name = command.partition(":")
    code = PRESS.format(before, module, name)
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )


def test_there_are_four() -> None:
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_it_ends_without_a_word(command: str) -> None:
    done = start(command, "pass")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_signal_that_is_ignored_stays_so(command: str) -> None:
    done = start(command, "signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert done.returncode == 0, done.stderr
