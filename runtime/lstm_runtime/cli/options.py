"""The options of ``lstm-run``, as they are declared and as they arrive."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from lstm_runtime.cli.cluster import ENGINE_OPTIONS, SourcePath, TargetPath
from lstm_runtime.command import NumberIn, option
from lstm_runtime.tables.options import table_options, text_column_option, usable_dialect

if TYPE_CHECKING:
    from lstm_runtime.model import SentimentModel
    from lstm_runtime.tables.dialect import Dialect


STANDARD_OUTPUT = Path("-")
"""What stands for it after ``--output``."""


class Options(NamedTuple):
    """What the command line asks for; `OPTIONS` says what each field means."""

    input_file: Path | None
    text_column: str
    encoding: str | None
    delimiter: str | None
    quoting: Literal["csv", "none"] | None
    recursive: bool
    max_tokens: int | None
    output_file: Path | None
    prefix: str
    known: bool
    min_known: float | None
    on_error: Literal["stop", "keep"]
    resume: bool
    restart: bool
    as_json: bool
    plot_file: Path | None
    model_file: Path | None
    provider: str
    provider_options: dict[str, str]
    threads: int | None
    batch_size: int | None
    trace: bool
    bench: bool
    verify: bool
    self_test: bool
    info: bool
    version: bool
    engine: Literal["local", "ray"]
    ray_address: str | None
    workers: int | None
    gpus_per_worker: float
    id_column: str | None
    output_format: Literal["parquet", "csv", "tsv", "jsonl"]
    rows_per_part: int

    @property
    def dialect(self) -> "Dialect":
        """How the table of ``--input`` is written."""
        return usable_dialect(self.encoding, self.delimiter, self.quoting)

    def load(self) -> "SentimentModel":
        """Load the model."""
        from lstm_runtime.inference.session import quiet_onnxruntime  # keep --help instant

        quiet_onnxruntime()  # first: see there
        from lstm_runtime.model import SentimentModel

        return SentimentModel.load(
            self.model_file,
            self.provider,
            self.threads,
            provider_options=self.provider_options or None,
        )


def _pairs(_ctx: click.Context, _parameter: click.Parameter, given: tuple[str, ...]) -> Any:
    """Split NAME=VALUE."""
    for pair in given:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not NAME=VALUE")
    return {name: value for name, _, value in (pair.partition("=") for pair in given)}


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option(
        "--input",
        "input_file",
        group="Input",
        type=SourcePath(exists=True, path_type=Path),
        help="Read texts from a file: .csv, .tsv, .json, .jsonl, .ndjson (each also with .gz or "
        ".zst) and .parquet have a column of them; any other has one a line. With --output also a "
        "folder of such files.",
    ),
    text_column_option,
    *table_options(),
    option(
        "--recursive",
        group="Input",
        is_flag=True,
        help="Take the files in the folders of --input too.",
    ),
    option(
        "--max-tokens",
        group="Input",
        type=click.IntRange(min=1),
        help="Read only the last so many tokens of each text.  [default: all]",
    ),
    option(
        "--output",
        "output_file",
        group="Output",
        type=TargetPath(path_type=Path),
        help="Write the rows of --input with label and score added, in the input's format; - "
        "writes them to standard output.",
    ),
    option(
        "--prefix",
        group="Output",
        default="",
        help="Put before the names of the added columns.",
    ),
    option(
        "--known",
        group="Output",
        is_flag=True,
        help="Add a column too with the share of each text's words that the model knows.",
    ),
    option(
        "--min-known",
        group="Output",
        type=NumberIn(0, 1),
        help="A text is a bad row when the model knows a smaller share of its words.",
    ),
    option(
        "--on-error",
        group="Output",
        type=click.Choice(["stop", "keep"]),
        default="stop",
        show_default=True,
        help="A text without an answer: stop and name it, or write it with an empty label and "
        "go on.",
    ),
    option(
        "--resume",
        group="Output",
        is_flag=True,
        help="Go on where an interrupted --output run stopped.",
    ),
    option(
        "--restart",
        group="Output",
        is_flag=True,
        help="Throw away what an interrupted --output run left, and begin anew.",
    ),
    option("--json", "as_json", group="Output", is_flag=True, help="One JSON object a line."),
    option(
        "--plot",
        "plot_file",
        group="Output",
        type=click.Path(path_type=Path),
        help="Draw the --trace of one TEXT as .png, .svg or .pdf.",
    ),
    option(
        "--model",
        "model_file",
        group="Model",
        type=click.Path(path_type=Path),
        help="A file that lstm-export wrote.  [default: the model that comes with the package]",
    ),
    option(
        "--provider",
        group="Device",
        default="auto",
        show_default=True,
        help="auto, cpu, cuda, or any ONNX Runtime provider. What you ask for runs or is an error.",
    ),
    option(
        "--provider-option",
        "provider_options",
        group="Device",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_pairs,
        help="An option of the provider as ONNX Runtime documents it; may be given more than once.",
    ),
    option(
        "--threads",
        group="Device",
        type=click.IntRange(min=1),
        help="Texts scored at once.  [default: the cores this process may use]",
    ),
    option(
        "--batch-size",
        group="Device",
        type=click.IntRange(min=1),
        help="Texts of like length in one run.  [default: 8 with the int8 kernel, 1 on the CPU "
        "without it, else 64]",
    ),
    *ENGINE_OPTIONS,
    option(
        "--trace",
        group="Instead of answers",
        is_flag=True,
        help="Show what the model thinks after each word, and why.",
    ),
    option(
        "--bench",
        group="Instead of answers",
        is_flag=True,
        help="Measure speed and memory on this device, with the texts of --input if given.",
    ),
    option(
        "--verify",
        group="Instead of answers",
        is_flag=True,
        help="Replay the file's reference answers on this device.",
    ),
    option(
        "--self-test",
        group="Instead of answers",
        is_flag=True,
        help="Check this device: reference answers, odd texts, streams, batches, threads.",
    ),
    option(
        "--info",
        group="Instead of answers",
        is_flag=True,
        help="Show versions, providers and the model's card.",
    ),
    option(
        "--version",
        group="Instead of answers",
        is_flag=True,
        help="Show the tool's version and the model's.",
    ),
)
"""In the order of the help."""


def with_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command's function all `OPTIONS`."""
    for declare in reversed(OPTIONS):
        function = declare(function)
    return function
