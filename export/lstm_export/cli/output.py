"""What ``lstm-export`` prints and writes when the comparisons are done."""

from collections.abc import Sequence
from pathlib import Path

import click
from lstm_runtime.command import notice
from rich.console import Console

from lstm_export.checkpoint.source import Source
from lstm_export.config import ExportConfig
from lstm_export.outcome import ExportResult, require_parity
from lstm_export.ownership import beside_files, remove_other_models
from lstm_export.report.model_card import write_card
from lstm_export.report.plot import draw_parity
from lstm_export.report.reading import Reading
from lstm_export.report.summary import parity_table, write_report


def report_results(
    source: Source,
    results: Sequence[ExportResult],
    config: ExportConfig,
    folder: Path,
    reading: Reading,
) -> None:
    """Write what goes beside the files, then print; end with an error where a comparison failed.

    Nothing is printed before all is written: a reader that is gone, or a full disk behind it, would
    leave new models beside the card of another.

    Raises:
        ParityError: says what failed.

    """
    written = _write_beside(source, results, config, folder, reading)
    models = [result.path for result in results if result.path]
    removed = remove_other_models(folder, config, models)
    Console().print(parity_table(source, results, reading))
    for path in removed:
        notice(f"note: removed {path}, which was of another checkpoint")
    for path in (*models, *written):
        click.echo(path)
    require_parity(results)


def _write_beside(
    source: Source,
    results: Sequence[ExportResult],
    config: ExportConfig,
    folder: Path,
    reading: Reading,
) -> list[Path]:
    """Write report, picture and card, and return those that are there."""
    report, picture, card = beside_files(folder, config)
    write_report(source, results, report, reading)
    if any(result.size for result in results):
        draw_parity(source, results, picture)
    written = [path for path in (report, picture) if path.exists()]
    if not any(result.failures for result in results):
        write_card(source, results, config, card)
        written.append(card)
    return written
