"""``lstm-export``: checkpoint in, verified ONNX files out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from lstm_runtime.console import EdgeCommand
from lstm_runtime.extras import requires_extra

if TYPE_CHECKING:
    from lstm_export.export import Outcome

EXAMPLES = """\b
Examples:
  lstm-export model/model.pt
  lstm-export weights.pt --vocab words.txt -o onnx --precision int8
"""


@click.command(cls=EdgeCommand, epilog=EXAMPLES)
@click.version_option(package_name="lstm-edge")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the files.  [default: the checkpoint's]",
)
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    default=("fp32", "int8"),
    show_default=True,
    type=click.Choice(["fp32", "int8"]),
    help="Number format of the weights; may be given more than once.",
)
@click.option(
    "--interface",
    type=click.Choice(["text", "ids"]),
    help="What the file takes.  [default: text where there is a vocabulary, else ids]",
)
@click.option(
    "--state",
    default="optional",
    show_default=True,
    type=click.Choice(["optional", "required"]),
    help="required: h0 and c0 must be fed, as streaming in JavaScript needs it.",
)
@click.option(
    "--vocab",
    "vocabulary",
    type=click.Path(path_type=Path),
    help="Words by id: text (line n, counted from 0, has id n) or JSON (word to id).",
)
def main(checkpoint: Path, output: Path | None, vocabulary: Path | None, **options: Any) -> None:
    """Write CHECKPOINT as ONNX files that are proven equal to it.

    CHECKPOINT is a model.pt of lstm-train, or a bare state dict of the seed's SentimentRNN. Every
    file is compared with the PyTorch model; one that fails is not left behind, and the command
    exits 1.
    """
    with requires_extra("export", "cpu"):
        from lstm_export.export import ExportConfig, export  # noqa: PLC0415 - keeps --help instant
        from lstm_export.source import load_source  # noqa: PLC0415
    source = load_source(checkpoint, vocabulary)
    folder = output or checkpoint.parent
    _print(list(export(source, folder, ExportConfig(**options))))


def _print(outcomes: "list[Outcome]") -> None:
    """Print the table and the files; end with an error where something failed."""
    from rich.console import Console  # noqa: PLC0415

    from lstm_export.errors import ParityError  # noqa: PLC0415
    from lstm_export.report import parity_table  # noqa: PLC0415

    Console().print(parity_table(outcomes))
    for outcome in outcomes:
        if outcome.path:
            click.echo(outcome.path)
    failed = [f"{o.name}: {'; '.join(o.failures)}" for o in outcomes if o.failures]
    if failed:
        raise ParityError(f"not equal to the original, so not written: {' | '.join(failed)}")
