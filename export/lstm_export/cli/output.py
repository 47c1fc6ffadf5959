"""What ``lstm-export`` prints and writes when the comparisons are done."""

from collections.abc import Sequence
from pathlib import Path

import click
from lstm_training.data.examples import Examples
from rich.console import Console

from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.ownership import beside_files, remove_other_models
from lstm_export.parity.self_test_texts import reference_texts
from lstm_export.report.coverage import Coverage, measure_coverage
from lstm_export.report.model_card import write_card
from lstm_export.report.plot import draw_parity
from lstm_export.report.summary import parity_table, write_report


def report_results(
    source: Source,
    results: Sequence[ExportResult],
    config: ExportConfig,
    folder: Path,
    data: Examples | None = None,
) -> None:
    """Print the table, write what goes beside the files; end with an error where one failed.

    Raises:
        ParityError: says what failed.

    """
    coverage = _coverage(source, data)
    Console().print(parity_table(source, results, coverage))
    report, picture, card = beside_files(folder, config)
    write_report(source, results, report, coverage)
    if any(result.size for result in results):
        draw_parity(source, results, picture)
    models = [result.path for result in results if result.path]
    for path in remove_other_models(folder, config, models):
        click.echo(f"note: removed {path}, which was of another checkpoint", err=True)
    require_parity(results)
    write_card(source, results, config, card)
    for path in (*models, report, picture, card):
        click.echo(path)


def _coverage(source: Source, data: Examples | None) -> Coverage | None:
    if source.encoder is None:
        return None
    return measure_coverage(
        source.encoder, (*reference_texts(source), *(data.texts if data else ()))
    )
