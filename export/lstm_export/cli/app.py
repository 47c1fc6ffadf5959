"""``lstm-export``: checkpoint in, verified ONNX files out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from lstm_runtime.command import OneLineErrorCommand
from lstm_runtime.extras import requires_extra

if TYPE_CHECKING:
    from lstm_export.checkpoint.source import Source
    from lstm_export.config import ExportConfig
    from lstm_export.outcome import ExportResult

EXAMPLES = """\b
Examples:
  lstm-export model/model.pt
  lstm-export weights.pt --vocab words.txt -o onnx --precision int8
  lstm-export net.pt --module my_code.net:Net --init '{"vocab_size": 10000}'
"""


@click.command(cls=OneLineErrorCommand, epilog=EXAMPLES)
@click.version_option(package_name="lstm-edge")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the files.  [default: the checkpoint's]",
)
@click.option("--name", default="model", show_default=True, help="What the files are called.")
@click.option(
    "--precision",
    "precisions",
    multiple=True,
    default=("fp32", "int8"),
    show_default=True,
    type=click.Choice(["fp32", "int8", "fp16"]),
    help="Number format of the weights; may be given more than once. fp16 is for CUDA.",
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
    type=click.Choice(["optional", "required", "none"]),
    help="required: h0 and c0 must be fed, as streaming in JavaScript needs it.",
)
@click.option(
    "--per-channel/--per-tensor",
    default=True,
    show_default=True,
    help="int8: a scale for each gate of each unit, or one for a matrix.",
)
@click.option(
    "--reduce-range/--full-range",
    default=True,
    show_default=True,
    help="int8: 7 bits, safe on every CPU, or 8, for CPUs with VNNI or dot products.",
)
@click.option(
    "--vocab",
    "vocabulary",
    type=click.Path(path_type=Path),
    help="Words by id: text (line n, counted from 0, has id n) or JSON (word to id).",
)
@click.option(
    "--unknown",
    help="Word of the vocabulary that unknown words become.  [default: <unk> where the "
    "vocabulary has it; else unknown words are dropped]",
)
@click.option(
    "--pattern",
    metavar="REGEX",
    help="What --vocab takes for a token, in the syntax of RE2.  [default: [a-z0-9']+|[!?]]",
)
@click.option("--labels", help="Label names, joined by commas.  [default: negative,positive]")
@click.option(
    "--readout",
    type=click.Choice(["last", "step", "mean", "max"]),
    help="What the linear layer sees: final states, output at the last token, mean or maximum.",
)
@click.option(
    "--activation",
    type=click.Choice(["sigmoid", "softmax"]),
    help="[default: sigmoid for one output, softmax for several]",
)
@click.option(
    "--between",
    type=click.Choice(["none", "relu", "tanh"]),
    help="What stands between several linear layers.",
)
@click.option(
    "--module",
    "module_name",
    metavar="FILE:CLASS",
    help="The class that the checkpoint is of: the original that files are compared with.",
)
@click.option(
    "--init", default="{}", show_default=True, help="Its constructor's arguments, as JSON."
)
@click.option(
    "--atol",
    multiple=True,
    metavar="PRECISION=NUMBER",
    help="Largest difference of a probability, for every text (fp32), or for every reference text "
    "and 95 % of all (fp16, int8).  [default: fp32=1e-5, fp16=5e-3, int8=0.05]",
)
@click.option(
    "--data",
    help="Labelled texts (as for lstm-train): compared too, with the accuracy before and after.",
)
@click.option(
    "--notes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Markdown for the model card: licence, intended use, limits.",
)
@click.option("--text-column", default="text", show_default=True, help="Column of --data.")
@click.option("--label-column", default="label", show_default=True, help="Column of --data.")
def main(checkpoint: Path, output: Path | None, **options: Any) -> None:
    """Write CHECKPOINT as ONNX files that are proven equal to it.

    CHECKPOINT is a model.pt of lstm-train, a state dict (bare, or inside the dict of a training
    script) or a TorchScript archive, of a network with one embedding, one LSTM and linear layers.
    Every file is compared with the PyTorch model; one that fails is not left behind, and the
    command exits 1. Beside the files it writes report.json, parity.png and a model card, README.md.
    """
    with requires_extra("export", "cpu"):
        from lstm_export.cli.options import load_data, make_config, make_source
        from lstm_export.pipeline import export_source  # keeps --help instant
    source = make_source(checkpoint, options)
    config = make_config(options)
    folder = output or checkpoint.parent
    results = list(export_source(source, folder, config, load_data(options)))
    _report(source, results, config, folder)


def _report(
    source: "Source", results: "list[ExportResult]", config: "ExportConfig", folder: Path
) -> None:
    """Print the table, write what goes beside the files; end with an error where one failed."""
    from rich.console import Console

    from lstm_export.outcome import require_parity
    from lstm_export.report.model_card import write_card
    from lstm_export.report.plot import draw_parity
    from lstm_export.report.summary import parity_table, write_report

    Console().print(parity_table(source, results))
    write_report(source, results, folder / "report.json")
    if any(result.size for result in results):
        draw_parity(source, results, folder / "parity.png")
    require_parity(results)
    write_card(source, results, config, folder / "README.md")
    for result in results:
        if result.path:
            click.echo(result.path)
