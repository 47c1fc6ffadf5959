"""The command ``python -m lstm_training.distillation``."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from lstm_runtime.command import OneLineErrorCommand, option
from lstm_runtime.extras import requires_extra
from lstm_runtime.settings import setting_options

from lstm_training.cli.log import log_lines
from lstm_training.distillation.config import CorpusConfig, DistillationConfig
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


ABOUT = """\
Make the bundled model again, from raw texts to model.pt.

The same command goes on where it was stopped: stages that are done are taken from OUTPUT, and
one that was under way goes on after its last saved batch.
"""
"""Not in the docstring, which python -OO leaves out."""

EXAMPLES = (
    "python -m lstm_training.distillation",
    "python -m lstm_training.distillation --config mine.toml --stage ngram_student -o .work/mine",
)


@click.command(cls=OneLineErrorCommand, help=ABOUT, examples=EXAMPLES)
@setting_options(
    CorpusConfig,
    ("labelled", "unlabelled", "test", "text_column", "label_column", "labels", "label_map"),
    apply_defaults=False,
)
@option(
    "-o", "--output", group="Output", type=click.Path(file_okay=False, path_type=Path),
    default=".work/default", show_default=True, help="Folder for the stages, the log and model.pt.",
)  # fmt: skip
@option(
    "--config", group="Training", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML file with settings that differ from the defaults.",
)  # fmt: skip
@option(
    "--teacher-scores", group="Input", type=click.Path(exists=True, dir_okay=False),
    help="What an earlier run's second teacher said, teacher_scores.npz: it is not made again.",
)  # fmt: skip
@option(
    "--stage", group="Training", type=click.Choice(STAGES), default=STAGES[-1], show_default=True,
    help="Make this stage, and those that it needs, and stop there.",
)  # fmt: skip
@click.version_option(package_name="lstm-edge")
def main(
    *, output: Path, config: Path | None, teacher_scores: str | None, stage: str, **sources: Any
) -> None:
    """Run ``python -m lstm_training.distillation``."""
    settings = read_config(config) if config else DistillationConfig()
    given = {name: value for name, value in sources.items() if value}
    settings = replace(
        settings,
        corpus=replace(settings.corpus, **given),
        teacher_scores=teacher_scores or settings.teacher_scores,
    )
    output.mkdir(parents=True, exist_ok=True)
    with requires_extra("train", "distill"):
        from lstm_training.distillation.run import run_distillation
    with log_lines(logging.DEBUG, output / LOG_FILE):
        written = run_distillation(settings, output, stage)
    for path in written:
        click.echo(path)
