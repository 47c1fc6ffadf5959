"""Every Python and console block of the README, the site and the cards does what it says.

A page is one test: its blocks run in order, in a folder that looks like a clone, and share their
names. Blocks of these kinds are run:

- `python`: executed as it stands (examples/ that a page shows are run by test_examples.py);
- `pycon`: a session with `>>>`, whose answers are compared;
- `console`: each line after `$ ` is run by bash as a process, and what follows it is compared.

`…` stands for any text. Numbers with a decimal point may differ by 0.02: int8 rounds differently
from processor to processor. `<!-- skip: next "reason" -->` leaves the next block out.
"""

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
import traceback
from pathlib import Path
from unittest import SkipTest

import pytest
from sybil import Document, Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser, SkipParser

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "runtime/lstm_runtime/models/README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
# These train or export.
SLOW = {
    "README.md",
    "CONTRIBUTING.md",
    "docs/guides/app.md",
    "docs/guides/checkpoint.md",
    "docs/guides/cluster.md",
    "docs/guides/own-data.md",
    "docs/guides/precision.md",
    "docs/start/quick-start.md",
    "docs/start/tutorial.md",
}
RUN = {"python", "pycon", "console"}
SHOWN = {"text", "toml", "json", "js", "cpp", "c", "html", "yaml", "sh", ""}
"Kinds that are not run; `sh` is for what would change the reader's machine: it has no output."

_NUMBER = re.compile(r"\d+\.\d+(?:e[-+]?\d+)?")
_TOLERANCE = 0.005
"What another processor, or stock ONNX Runtime in the kernel's place, may differ by."
# What takes minutes is run at a size that takes seconds.
_SMALLER = {"--limit 20000": "--limit 600", "--epochs 6": "--epochs 1"}


def agree(expected: str, found: str) -> bool:
    """Whether the text is the expected one, where `…` is anything and numbers are nearly equal."""
    parts = re.split(r"(…|\d+\.\d+(?:e[-+]?\d+)?)", tidy(expected))
    pattern = "".join(
        ".*?" if part == "…" else f"({_NUMBER.pattern})" if n % 2 else re.escape(part)
        for n, part in enumerate(parts)
    )
    match = re.fullmatch(pattern, tidy(found), re.DOTALL)
    numbers = [part for n, part in enumerate(parts) if n % 2 and part != "…"]
    return match is not None and all(
        abs(float(a) - float(b)) <= _tolerance(a)
        for a, b in zip(numbers, match.groups(), strict=True)
    )


def _tolerance(number: str) -> float:
    """Return what the last digit shown may differ by, and a little more."""
    return _TOLERANCE + (10.0 ** -len(number.partition(".")[2]) if "e" not in number else 0.0)


def tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def difference(what: str, expected: str, found: str) -> str:
    return f"{what}\n--- the page says\n{tidy(expected)}\n--- there came\n{tidy(found)}\n"


def run_python(example: Example) -> None:
    if not str(example.parsed).startswith("--8<--"):
        PythonEvaluator()(example)


def run_console(example: Example) -> str:
    """Run the commands of a block and compare what each of them prints."""
    for part in re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)[1:]:
        command, expected = split_command(part)
        for large, small in _SMALLER.items():
            command = command.replace(large, small)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        fails = re.search(r"^Error: ", expected, re.MULTILINE) is not None
        if (done.returncode != 0) != fails:
            return difference(f"{command}: exit {done.returncode}", expected, done.stdout)
        if expected.strip() and not agree(expected, done.stdout):
            return difference(command, expected, done.stdout)
    return ""


def split_command(part: str) -> tuple[str, str]:
    """Split what follows a `$ ` into the command, with lines that go on, and the output."""
    lines = part.splitlines(keepends=True)
    command = [lines.pop(0)]
    while lines and (
        command[-1].endswith("\\\n") or lines[0].startswith("> ") or lines[0] == ">\n"
    ):
        command.append(lines.pop(0).removeprefix(">").removeprefix(" "))
    return "".join(command), "".join(lines)


def run_session(example: Example) -> str:
    """Run a session with `>>>` and compare each answer."""
    for step in doctest.DocTestParser().get_examples(str(example.parsed)):
        out, raised = io.StringIO(), ""
        with contextlib.redirect_stdout(out):
            try:
                exec(compile(step.source, example.path, "single"), example.namespace)  # noqa: S102 - our own pages
            except Exception as error:
                raised = "".join(traceback.format_exception_only(error))
        expected, found = (step.exc_msg, raised) if step.exc_msg else (step.want, out.getvalue())
        if (raised and not step.exc_msg) or not agree(expected or "", found or raised):
            return difference(step.source, expected or "", found or raised)
    return ""


def parse(page: Path) -> Document:
    parsers = [
        CodeBlockParser("python", run_python),
        CodeBlockParser("pycon", run_session),
        CodeBlockParser("console", run_console),
        SkipParser(),
    ]
    return Sybil(parsers, patterns=["*.md"]).parse(page)


def case(page: Path) -> object:
    name = page.relative_to(ROOT).as_posix()
    return pytest.param(page, marks=pytest.mark.slow if name in SLOW else (), id=name)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: what a page finds in a clone, to write into."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for name in ("training", "benchmarks", "tests", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for file in (ROOT / "runtime/lstm_runtime/models").glob("*.onnx"):
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["page"])
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("clone")
@pytest.mark.parametrize("page", [case(page) for page in PAGES])
def test_blocks_of_a_page_do_what_they_say(page: Path) -> None:
    for example in parse(page).examples():
        with contextlib.suppress(SkipTest):
            example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_of_a_known_kind(page: Path) -> None:
    text = page.read_text("utf-8")
    opened = re.findall(r"^ *```(\S*)(?: .*)?\n.*?^ *```\n?", text, re.MULTILINE | re.DOTALL)
    assert set(opened) <= RUN | SHOWN
    assert not re.findall(r"<!-- skip: \w+ -->", text), "a skipped block says why"


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("positive\t0.991\tGood.", "positive\t0.987\tGood.\n", True),
        ("positive\t0.991\tGood.", "positive\t0.981\tGood.\n", False),
        ("negative\t0.991\tGood.", "positive\t0.991\tGood.\n", False),
        ("one\n…\nfour", "one\ntwo\nthree\nfour\n", True),
        ("one\n…\nfour", "one\ntwo\n", False),
        ("12 rows in … s", "12 rows in 0.3 s", True),
        ("12 rows in … s", "13 rows in 0.3 s", False),
    ],
)
def test_what_counts_as_the_same_output(expected: str, found: str, same: bool) -> None:
    assert agree(expected, found) is same


@pytest.mark.parametrize(
    "block",
    [
        '```console\n$ echo "1"\n2\n```',
        "```console\n$ false\n```",
        "```console\n$ true\nError: no such file\n```",
        "```pycon\n>>> 1 + 1\n3\n```",
        "```pycon\n>>> 1 / 0\n0\n```",
        "```python\nassert False\n```",
    ],
)
def test_a_wrong_block_fails(block: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(block, "utf-8")
    with pytest.raises(AssertionError):
        for example in parse(page).examples():
            example.evaluate()
