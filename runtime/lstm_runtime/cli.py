"""``lstm-run``: text in, sentiment out."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lstm_runtime.console import EdgeCommand
from lstm_runtime.lines import read_lines

if TYPE_CHECKING:
    from lstm_runtime.model import SentimentModel
    from lstm_runtime.result import Sentiment

EXAMPLES = """\b
Examples:
  lstm-run "One of the finest films I have ever seen."
  lstm-run --json "Good fun." "A dull, lifeless mess."
  cat reviews.txt | lstm-run -
  lstm-run --model model.int8.onnx --verify
"""

COLOURS = {0: "red", 1: "green"}


@click.command(cls=EdgeCommand, epilog=EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input",
    "input_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read texts from a UTF-8 file, one a line.",
)
@click.option(
    "--model",
    "model_file",
    type=click.Path(path_type=Path),
    help="A file that lstm-export wrote.  [default: the model that comes with the package]",
)
@click.option(
    "--provider",
    default="auto",
    show_default=True,
    help="auto, cpu, cuda, or any ONNX Runtime provider. What you ask for runs or is an error.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Threads of one run.  [default: the cores this process may use]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--verify", is_flag=True, help="Replay the file's reference answers on this device.")
@click.option("--version", "show_version", is_flag=True, help="Show the tool's and the model's.")
def main(  # noqa: PLR0913, PLR0917 - one parameter per option
    texts: tuple[str, ...],
    input_file: Path | None,
    model_file: Path | None,
    provider: str,
    threads: int | None,
    as_json: bool,
    verify: bool,
    show_version: bool,
) -> None:
    """Tell the sentiment of each TEXT; - reads texts from standard input, one a line."""
    if not (texts or input_file or verify or show_version):
        raise click.UsageError("give a TEXT, - for standard input, --input FILE or --verify")
    if input_file and texts:
        raise click.UsageError("give either TEXT or --input, not both")
    from lstm_runtime.model import SentimentModel  # noqa: PLC0415 - keeps --help instant

    model = SentimentModel.load(model_file, provider, threads)
    if show_version:
        click.echo(_version_line(model))
    elif verify:
        click.echo(_verify_line(model))
    else:
        _answer(model, _texts(texts, input_file), as_json)


def _texts(texts: tuple[str, ...], input_file: Path | None) -> Iterator[str]:
    """Yield the texts of the arguments, of standard input where ``-`` stands, or of the file."""
    if input_file:
        with input_file.open("rb") as stream:
            yield from read_lines(stream, str(input_file))
    for text in texts:
        if text == "-":
            yield from read_lines(sys.stdin.buffer, "standard input")
        else:
            yield text


def _answer(model: "SentimentModel", texts: Iterable[str], as_json: bool) -> None:
    for text in texts:
        result = model(text)
        click.echo(json.dumps(asdict(result)) if as_json else _line(model, result))


def _line(model: "SentimentModel", result: "Sentiment") -> str:
    """Return label, probability and text on one line, safe to print on any terminal."""
    text = "".join(c if c.isprintable() else " " for c in result.text)
    colour = COLOURS.get(model.metadata.labels.index(result.label))
    return f"{click.style(result.label, fg=colour)}\t{result.score:.3f}\t{text}"


def _version_line(model: "SentimentModel") -> str:
    meta = model.metadata
    return (
        f"lstm-run {version('lstm-edge')}, model {model.path.name} "
        f"({meta.precision}, checkpoint {meta.source_sha256[:12]})"
    )


def _verify_line(model: "SentimentModel") -> str:
    found = model.verify()
    return (
        f"{model.path.name} verified on {model.provider}: {found.count} reference answers, "
        f"largest difference {found.max_difference:.1e} (allowed {found.tolerance:.1e})"
    )
