"""``lstm-export``: checkpoint in, verified ONNX files out."""

import os
from pathlib import Path
from typing import Any

import click
from lstm_runtime.command import NumberIn, OneLineErrorCommand, notice, option
from lstm_runtime.extras import requires_extra
from lstm_runtime.tables.options import dialect_options

from lstm_export.cli.text_options import text_options

ABOUT = """\
Write CHECKPOINT as ONNX files that are proven equal to it.

CHECKPOINT is a model.pt of lstm-train, a state dict (bare, or inside the dict of a training
script), a TorchScript archive or a .pt2 program, of a text classifier with an LSTM; networks of
other structure are exported by PyTorch, which needs --module. Every file is compared with the
PyTorch model; one that fails is not left behind, and the command exits 1. Weights without their
class are run as you say, and nothing can be proven of that. Beside the files it writes
report.json, parity.png and a model card, model.md.
"""
"""Not in the docstring, which python -OO leaves out."""

EXAMPLES = (
    "lstm-export model/model.pt",
    "lstm-export net.pt --module net.py:Net --init '{\"words\": 9000}' --vocab words.txt",
)


@click.command(cls=OneLineErrorCommand, help=ABOUT, examples=EXAMPLES)
@click.version_option(package_name="lstm-edge")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@option(
    "--vocab",
    "vocabulary",
    group="Input",
    type=click.Path(path_type=Path),
    help="Words by id: text (line n, counted from 0, has id n; an id or a count may stand behind "
    "the word), word vectors, or JSON (word to id, a list, Keras' tokenizer).",
)
@option(
    "--first-id",
    group="Input",
    type=click.IntRange(min=0),
    help="Id of the first line of --vocab.  [default: 0]",
)
@option(
    "--fit-vocab",
    group="Input",
    is_flag=True,
    help="Words of --vocab beyond the embedding count as unknown, rows beyond the file have no "
    "word.",
)
@option(
    "--labels",
    group="Input",
    help="Label names, joined by commas.  [default: negative,positive]",
)
@text_options
@option(
    "--module",
    "module_name",
    group="Architecture",
    metavar="FILE.py:CLASS",
    help="The class that the checkpoint is of, in a file or as package.module:CLASS: the original "
    "that files are compared with.",
)
@option(
    "--init",
    group="Architecture",
    metavar="JSON",
    help="Its constructor's arguments, as a JSON object.  [default: the hyper_parameters of a "
    "Lightning checkpoint]",
)
@option(
    "--readout",
    group="Architecture",
    metavar="NAME[,NAME…]",
    help="Without --module: what the layers behind the LSTM see. last (final states), step (output "
    "at the last token), first, mean, max, cell; :reversed, :sum, :average, :forward or :backward "
    "behind it where two directions are not joined forward first; several are joined by commas.",
)
@option(
    "--between",
    group="Architecture",
    metavar="FUNCTION",
    help="Without --module: what stands between several linear layers, none, relu, tanh, sigmoid, "
    "gelu, gelu-tanh, leaky-relu, elu, silu or selu.",
)
@option(
    "--activation",
    group="Architecture",
    type=click.Choice(["sigmoid", "softmax", "none"]),
    help="What makes the answer of logits; none where the number itself is the answer, as of a "
    "regression.  [default: what forward does; sigmoid for one logit, softmax for several]",
)
@option(
    "-o",
    "--output",
    group="Output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the files.  [default: the checkpoint's]",
)
@option(
    "--name", group="Output", default="model", show_default=True, help="What the files are called."
)
@option(
    "--precision",
    "precisions",
    group="Output",
    multiple=True,
    default=("fp32", "int8"),
    show_default=True,
    type=click.Choice(["fp32", "int8", "fp16"]),
    help="Number format of the weights; may be given more than once. fp16 is for CUDA.",
)
@option(
    "--interface",
    group="Output",
    type=click.Choice(["text", "ids"]),
    help="What the file takes.  [default: text where there is a vocabulary, else ids]",
)
@option(
    "--state",
    group="Output",
    default="optional",
    show_default=True,
    type=click.Choice(["optional", "required", "none"]),
    help="required: h0 and c0 must be fed, for tools that know no inputs with a default.",
)
@option(
    "--per-channel/--per-tensor",
    group="Output",
    default=True,
    show_default=True,
    help="int8: a scale for each gate of each unit, or one for a matrix.",
)
@option(
    "--reduce-range/--full-range",
    group="Output",
    default=True,
    show_default=True,
    help="int8: 7 bits, safe on every CPU, or 8, for CPUs with VNNI or dot products.",
)
@option(
    "--notes",
    group="Output",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Markdown for the model card: licence, intended use, limits.",
)
@option(
    "--atol",
    group="Proof",
    multiple=True,
    metavar="PRECISION=NUMBER",
    help="Largest difference of a probability, for every text (fp32), or for every reference text "
    "and 95 % of all (fp16, int8).  [default: fp32=1e-5, fp16=5e-3, int8=0.05]",
)
@option(
    "--agreement",
    group="Proof",
    type=NumberIn(0, 1),
    help="Smallest share of the texts that get the same label from an int8 or fp16 file.  "
    "[default: 0.995]",
)
@option(
    "--data",
    group="Proof",
    help="Labelled texts (as for lstm-train): compared too, with the accuracy before and after.",
)
@option("--text-column", group="Proof", help="Column of --data.  [default: text]")
@option("--label-column", group="Proof", help="Column of --data.  [default: label]")
@dialect_options("Proof")
@option(
    "--label-map",
    group="Proof",
    metavar="VALUES=NAME …",
    help="Which values of that column mean which of the model's labels: '1,2=bad 4,5=good'.",
)
@option(
    "--reseal",
    group="Instead of an export",
    is_flag=True,
    help="CHECKPOINT is a model file that another tool changed: check it and seal it again.",
)
@click.pass_context
def main(
    ctx: click.Context, /, checkpoint: Path, output: Path | None, *, reseal: bool, **options: Any
) -> None:
    """Run ``lstm-export``."""
    if reseal:
        _require_alone(ctx)
        _reseal(checkpoint)
        return
    # What PyTorch's C++ warns of while its exporters are tried is no message to our users.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    with requires_extra("export", "cpu"):
        from lstm_export.cli.options import (
            check_combinations,
            check_encoding,
            load_data,
            make_config,
            make_source,
        )
        from lstm_export.cli.output import report_results
        from lstm_export.ownership import beside_files, require_own
        from lstm_export.pipeline import export_source
        from lstm_export.report.reading import measure_reading
    check_combinations(options)
    source = make_source(checkpoint, options)
    for note in source.notes:
        notice(f"note: {note}")
    config, data = make_config(options), load_data(options, source)
    folder = output or checkpoint.parent
    require_own(beside_files(folder, config))
    encoding = check_encoding(source, options, data)
    results = list(export_source(source, folder, config, data))
    reading = measure_reading(source, data, encoding)
    report_results(source, results, config, folder, reading)


def _require_alone(ctx: click.Context) -> None:
    """Refuse options that could have no effect."""
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(str(parameter.name))
        given = source is click.core.ParameterSource.COMMANDLINE
        if given and parameter.name not in ("checkpoint", "reseal"):
            raise click.UsageError(f"--reseal takes no {parameter.opts[-1]}")


def _reseal(path: Path) -> None:
    from lstm_export.reseal import reseal

    for check in reseal(path):
        click.echo(f"{check.name:<19} {check.result:<15} {check.detail}")
    click.echo(path)
