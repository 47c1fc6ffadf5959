"""The bulk run of ``lstm-run``: files in, files or standard output out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from lstm_runtime.bulk.job import BulkJob, run_bulk, write_bulk
from lstm_runtime.bulk.report import BulkReport
from lstm_runtime.cli.options import STANDARD_OUTPUT, Options
from lstm_runtime.cli.output import bulk_line, bulk_notices, json_object
from lstm_runtime.command import notice, require_stdout


def bulk_lines(asked: Options) -> Iterator[str]:
    """Run, and yield the line of the report, which goes to standard error beside the rows."""
    job = BulkJob(
        source=cast("Path", asked.input_file),  # `choose_mode` has seen to it
        output=cast("Path", asked.output_file),
        text_column=asked.text_column,
        prefix=asked.prefix,
        on_error=asked.on_error,
        resume=asked.resume,
        max_tokens=asked.max_tokens,
        batch_size=asked.batch_size,
        dialect=asked.dialect,
        known=asked.known,
        min_known=asked.min_known,
        recursive=asked.recursive,
        restart=asked.restart,
    )
    to_output = job.output == STANDARD_OUTPUT
    report = _written(asked, job) if to_output else _run(asked, job)
    for line in bulk_notices(report):
        notice(line)
    line = json_object(report) if asked.as_json else bulk_line(report)
    if to_output:
        notice(line)
    else:
        yield line


def _run(asked: Options, job: BulkJob) -> BulkReport:
    try:
        return run_bulk(asked.load(), job)
    except KeyboardInterrupt:
        notice("stopped; --resume goes on from here")
        raise


def _written(asked: Options, job: BulkJob) -> BulkReport:
    require_stdout()
    sys.stdout.flush()
    report = write_bulk(asked.load(), job, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return report
