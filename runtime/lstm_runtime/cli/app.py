"""``lstm-run``: text in, sentiment out."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from lstm_runtime.command import OneLineErrorCommand
from lstm_runtime.tables.lines import read_lines

if TYPE_CHECKING:
    from lstm_runtime.bulk.job import BulkReport
    from lstm_runtime.model import SentimentModel

EXAMPLES = """\b
Examples:
  lstm-run "One of the finest films I have ever seen."
  lstm-run --json "Good fun." "A dull, lifeless mess."
  tail -f reviews.txt | lstm-run -
  lstm-run --input reviews.csv --output scored.csv
  lstm-run --input reviews.parquet --output scored.parquet --resume
  lstm-run --trace --plot trace.png "Dull at first, but what an ending!"
  lstm-run --model model.int8.onnx --verify

\b
Shell completion (bash; also zsh_source, fish_source):
  eval "$(_LSTM_RUN_COMPLETE=bash_source lstm-run)"
"""


class Options(NamedTuple):
    """What the command line asks for; the options below say what each field means."""

    input_file: Path | None
    output_file: Path | None
    text_column: str
    prefix: str
    on_error: Literal["stop", "keep"]
    resume: bool
    max_tokens: int | None
    batch_size: int | None
    model_file: Path | None
    provider: str
    provider_options: tuple[str, ...]
    threads: int | None
    as_json: bool
    trace: bool
    plot_file: Path | None
    bench: bool
    verify: bool
    info: bool
    show_version: bool

    def modes(self) -> list[str]:
        """Return the options given that make the command do something else than answer."""
        modes = {
            "--output": self.output_file is not None,
            "--trace": self.trace,
            "--bench": self.bench,
            "--verify": self.verify,
            "--info": self.info,
            "--version": self.show_version,
        }
        return [name for name, given in modes.items() if given]

    def load(self) -> "SentimentModel":
        """Load the model."""
        from lstm_runtime.model import SentimentModel  # keeps --help instant

        pairs = [option.partition("=") for option in self.provider_options]
        return SentimentModel.load(
            self.model_file,
            self.provider,
            self.threads,
            provider_options={name: value for name, _, value in pairs} or None,
        )


@click.command(cls=OneLineErrorCommand, epilog=EXAMPLES)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input",
    "input_file",
    type=click.Path(exists=True, path_type=Path),
    help="Read texts from a UTF-8 file, one a line. With --output also .csv, .tsv, .jsonl, "
    ".parquet, or a folder of such.",
)
@click.option(
    "--output",
    "output_file",
    type=click.Path(path_type=Path),
    help="Write the rows of --input with label and score added, in the input's format.",
)
@click.option("--text-column", default="text", show_default=True, help="Column with the texts.")
@click.option("--prefix", default="", help="Put before the names of the added columns.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "keep"]),
    default="stop",
    show_default=True,
    help="A bad row: stop and name it, or write it with an empty label and count it.",
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted --output run stopped.")
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    help="Read only the last so many tokens of each text.  [default: all]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=1),
    help="Texts of like length in one run.  [default: 1 on the CPU, else 64]",
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
    "--provider-option",
    "provider_options",
    metavar="NAME=VALUE",
    multiple=True,
    help="An option of the provider, as ONNX Runtime documents it; may be given more than once.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Texts scored at once.  [default: the cores this process may use]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.option("--trace", is_flag=True, help="Show what the model thinks after each word, and why.")
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path),
    help="With --trace: draw it as .png, .svg or .pdf.",
)
@click.option(
    "--bench",
    is_flag=True,
    help="Measure speed and memory on this device, with the texts of --input if given.",
)
@click.option("--verify", is_flag=True, help="Replay the file's reference answers on this device.")
@click.option("--info", is_flag=True, help="Show versions, providers and the model's card.")
@click.option("--version", "show_version", is_flag=True, help="Show the tool's and the model's.")
def main(texts: tuple[str, ...], **options: Any) -> None:
    """Tell the sentiment of each TEXT; - reads texts from standard input, one a line."""
    asked = Options(**options)
    _check_usage(texts, asked)
    if asked.info:
        _show_info(asked)
        return
    model = asked.load()
    if asked.show_version:
        click.echo(_version_line(model))
    elif asked.verify:
        click.echo(_verify_line(model))
    elif asked.bench:
        _bench(model, asked)
    elif asked.trace:
        _trace(model, texts, asked)
    elif asked.input_file and asked.output_file:
        _score_files(model, asked.input_file, asked.output_file, asked)
    else:
        _answer(model, texts, asked)


def _check_usage(texts: tuple[str, ...], asked: Options) -> None:
    """Refuse combinations that have no meaning."""
    modes = asked.modes()
    if len(modes) > 1:
        raise click.UsageError(f"give one of {', '.join(modes)}")
    if not (texts or asked.input_file or modes):
        raise click.UsageError("give a TEXT, - for standard input, or --input FILE")
    if asked.input_file and texts:
        raise click.UsageError("give either TEXT or --input, not both")
    if texts and modes and not asked.trace:
        raise click.UsageError(f"{modes[0]} takes no TEXT")
    if asked.trace and not texts:
        raise click.UsageError("--trace needs a TEXT, or - for standard input")
    if asked.plot_file and not (asked.trace and len(texts) == 1):
        raise click.UsageError("--plot needs --trace and one TEXT")
    if asked.output_file and not asked.input_file:
        raise click.UsageError("--output needs --input FILE")
    if asked.resume and not asked.output_file:
        raise click.UsageError("--resume needs --output FILE")
    if any("=" not in option for option in asked.provider_options):
        raise click.UsageError("--provider-option is NAME=VALUE")


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


def _answer(model: "SentimentModel", texts: tuple[str, ...], asked: Options) -> None:
    """RowResult as texts come: a pipe sees each answer before its next text."""
    from lstm_runtime.cli.output import json_line, plain_line  # not for --help

    for text in _texts(texts, asked.input_file):
        result = model(text, asked.max_tokens)
        click.echo(json_line(result) if asked.as_json else plain_line(result, model.metadata))


def _trace(model: "SentimentModel", texts: tuple[str, ...], asked: Options) -> None:
    from lstm_runtime.cli.trace_view import trace_json, trace_lines  # for this mode

    for text in _texts(texts, None):
        trace = model.trace(text)
        if asked.plot_file:
            from lstm_runtime.trace.plot import plot_trace  # an extra

            plot_trace(trace, asked.plot_file, model.metadata.labels)
        lines = [trace_json(trace)] if asked.as_json else trace_lines(trace, model.metadata)
        for line in lines:
            click.echo(line)


def _score_files(model: "SentimentModel", source: Path, output: Path, asked: Options) -> None:
    from lstm_runtime.bulk.job import BulkJob, run_bulk  # for this mode

    job = BulkJob(
        source,
        output,
        asked.text_column,
        asked.prefix,
        asked.on_error,
        asked.resume,
        asked.max_tokens,
        asked.batch_size,
    )
    try:
        report = run_bulk(model, job)
    except KeyboardInterrupt:
        click.echo("stopped; --resume goes on from here", err=True)
        raise
    click.echo(json.dumps(asdict(report)) if asked.as_json else _bulk_line(report))


def _bulk_line(report: "BulkReport") -> str:
    rate = (report.rows - report.resumed) / max(report.seconds, 1e-9)
    bad = f", {report.bad:,} without an answer" if report.bad else ""
    resumed = f", {report.resumed:,} of them resumed" if report.resumed else ""
    return f"{report.rows:,} rows{resumed}{bad} in {report.seconds:.1f} s ({rate:,.0f} rows/s)"


def _bench(model: "SentimentModel", asked: Options) -> None:
    from lstm_runtime.cli.bench import benchmark_lines, run_benchmark  # for this mode

    found = run_benchmark(model, list(_texts((), asked.input_file)))
    for line in [json.dumps(asdict(found))] if asked.as_json else benchmark_lines(found):
        click.echo(line)


def _show_info(asked: Options) -> None:
    from lstm_runtime.cli.info import (  # for this mode
        environment,
        environment_json,
        environment_lines,
    )

    found = environment(asked.model_file)
    for line in [environment_json(found)] if asked.as_json else environment_lines(found):
        click.echo(line)


def _version_line(model: "SentimentModel") -> str:
    from importlib.metadata import version  # 25 ms

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
