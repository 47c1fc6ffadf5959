"""The modes of ``lstm-run``: what chooses each, and which options it takes.

Any other option is a usage error: a command never ignores what it was told.
"""

from collections.abc import Sequence, Set
from typing import NamedTuple

import click

TEXT = "TEXT"

_MODEL = {"--model", "--json"}
_DEVICE = _MODEL | {"--provider", "--provider-option"}
_TABLE = {"--input", "--text-column", "--encoding", "--delimiter", "--quoting"}
_ROWS = {"--max-tokens", "--min-known", "--on-error"}
_CLUSTER = {
    "--engine",
    "--ray-address",
    "--workers",
    "--gpus-per-worker",
    "--id-column",
    "--output-format",
    "--rows-per-part",
}


class Mode(NamedTuple):
    """One thing that the command can do."""

    name: str
    "What it is called."
    chosen_by: str
    "The argument or option that asks for it."
    takes: frozenset[str]
    "All arguments and options that it takes; it refuses others."
    needs: frozenset[str] = frozenset()
    "Those that it cannot do without."


def _mode(name: str, chosen_by: str, takes: Set[str], needs: Set[str] = frozenset()) -> Mode:
    return Mode(name, chosen_by, frozenset({chosen_by, *takes, *needs}), frozenset(needs))


_ANSWER = _mode("answer", TEXT, _DEVICE | _ROWS)
_TABLE_ANSWER = _mode("table", "--input", _DEVICE | _TABLE | _ROWS)
_BULK = {"--recursive", "--prefix", "--known", "--resume", "--restart", "--threads", "--batch-size"}
_CHOSEN = (
    _mode(
        "bulk",
        "--output",
        _DEVICE | _TABLE | _ROWS | _BULK | _CLUSTER,
        {"--input"},
    ),
    _mode("trace", "--trace", _DEVICE | {"--max-tokens", "--plot"}, {TEXT}),
    _mode("bench", "--bench", _DEVICE | _TABLE | {"--threads"}),
    _mode("verify", "--verify", _DEVICE),
    _mode("self-test", "--self-test", _DEVICE | {"--threads"}),
    _mode("info", "--info", _MODEL),
    _mode("version", "--version", _MODEL),
)

MODES = (_ANSWER, _TABLE_ANSWER, *_CHOSEN)
"""Answers to texts, answers to a table's texts, and what an option of its own asks for."""


def choose_mode(given: Sequence[str]) -> Mode:
    """Return the mode that ``given`` asks for: names of options, and TEXT where there is one.

    Raises:
        click.UsageError: when it asks for none or several, or for what the mode does not take.

    """
    asked = [mode for mode in _CHOSEN if mode.chosen_by in given]
    if len(asked) > 1:
        raise click.UsageError(f"give one of {', '.join(mode.chosen_by for mode in asked)}")
    if not asked and TEXT in given and "--input" in given:
        raise click.UsageError("give either TEXT or --input, not both")
    asked = asked or [mode for mode in (_ANSWER, _TABLE_ANSWER) if mode.chosen_by in given]
    if not asked:
        raise click.UsageError(_nothing_to_do(given))
    (mode,) = asked
    for name in given:
        if name not in mode.takes:
            raise click.UsageError(f"{mode.chosen_by} takes no {name}{_where(name)}")
    for name in mode.needs:
        if name not in given:
            raise click.UsageError(f"{mode.chosen_by} needs {_spelled(name)}")
    for name in _TABLE - {"--input"}:
        if name in given and "--input" not in given:
            raise click.UsageError(f"{name} needs --input FILE")
    if "--resume" in given and "--restart" in given:
        raise click.UsageError("give either --resume or --restart, not both")
    return mode


def mode_table() -> list[tuple[str, ...]]:
    """Return a table of all options and modes, for documentation: a row for each option.

    The first row names the modes by what asks for them. Cells say "needed", "taken" or "", which
    is a usage error.
    """
    options = {name for mode in MODES for name in mode.takes} - {TEXT}
    header = ("", *(mode.chosen_by for mode in MODES))
    return [
        header,
        *((name, *(_cell(mode, name) for mode in MODES)) for name in [TEXT, *sorted(options)]),
    ]


def _cell(mode: Mode, name: str) -> str:
    if name == mode.chosen_by or name in mode.needs:
        return "needed"
    return "taken" if name in mode.takes else ""


def _where(name: str) -> str:
    """Say which modes take an option; '' for TEXT."""
    if name == TEXT:
        return ""
    takers = [mode.chosen_by for mode in MODES if name in mode.takes and mode.chosen_by != name]
    return f"; it goes with {' or '.join(takers)}"


def _nothing_to_do(given: Sequence[str]) -> str:
    for name in given:
        takers = [mode.chosen_by for mode in MODES if name in mode.takes]
        if name not in _DEVICE and takers:
            return f"{name} needs {' or '.join(map(_spelled, takers))}"
    return "give a TEXT, - for standard input, or --input FILE"


def _spelled(name: str) -> str:
    return {
        TEXT: "a TEXT, or - for standard input",
        "--input": "--input FILE",
        "--output": "--output FILE",
    }.get(name, name)
