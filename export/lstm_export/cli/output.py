"""What ``lstm-export`` prints and writes when the comparisons are done."""

from collections.abc import Sequence
from pathlib import Path

import click
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
    """Print the table, write what goes beside the files; end with an error where one failed.

    Raises:
        ParityError: says what failed.

    """
    Console().print(parity_table(source, results, reading))
    report, picture, card = beside_files(folder, config)
    write_report(source, results, report, reading)
    if any(result.size for result in results):
        draw_parity(source, results, picture)
    models = [result.path for result in results if result.path]
    for path in remove_other_models(folder, config, models):
        click.echo(f"note: removed {path}, which was of another checkpoint", err=True)
    written = [*models, *(path for path in (report, picture) if path.exists())]
    if not any(result.failures for result in results):
        write_card(source, results, config, card)
        written.append(card)
    for path in written:
        click.echo(path)
    require_parity(results)
