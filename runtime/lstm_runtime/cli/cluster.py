"""``lstm-run --engine ray``: its options, and what they ask for."""

from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lstm_runtime.command import NumberIn, notice, option

if TYPE_CHECKING:
    from lstm_runtime.cli.options import Options

_OF_WORKERS = ("workers", "gpus_per_worker")
_OF_SCORING = (
    *("text_column", "prefix", "known", "min_known", "on_error", "max_tokens", "batch_size"),
    *("provider", "provider_options", *_OF_WORKERS),
)
_OF_THE_JOB = ("ray_address", "id_column", "output_format", "rows_per_part")
_NOT_ON_RAY = {"--delimiter", "--encoding", "--quoting", "--recursive", "--restart"}
_ANYWHERE = ("://", "*", "?", "[")


class SourcePath(click.Path):
    """A path that exists, or a URI or a glob, which stays as it was given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Path`, or the string of a URI or a glob."""
        text = str(value)
        if text == "-":
            self.fail("standard input is a TEXT: lstm-run - (a table has a name)", param, ctx)
        if any(sign in text for sign in _ANYWHERE) and not Path(text).exists():
            return text
        return super().convert(value, param, ctx)


class TargetPath(click.Path):
    """A path, or a URI, which stays as it was given."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Path`, or the string of a URI."""
        return value if "://" in str(value) else super().convert(value, param, ctx)


ENGINE_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    option(
        "--engine",
        group="Ray",
        type=click.Choice(["local", "ray"]),
        default="local",
        show_default=True,
        help="What runs --output: this process, or the workers of a Ray cluster, which writes part "
        "files into a folder. --input may then be a glob or a URI.",
    ),
    option(
        "--workers",
        group="Ray",
        type=click.IntRange(min=1),
        help="Workers at most: as many as fit start, and more as the cluster grows.  [default: "
        "what fits now]",
    ),
    option(
        "--gpus-per-worker",
        group="Ray",
        type=NumberIn(min=0),
        default=0.0,
        show_default=True,
        help="GPUs of each worker, such as 1 or 0.5.",
    ),
    option(
        "--ray-address",
        group="Ray",
        help="The cluster: auto for the one that this machine is part of, or HOST:PORT of it.  "
        "[default: RAY_ADDRESS, else a cluster of this machine alone]",
    ),
    option(
        "--id-column",
        group="Ray",
        help="A column that tells rows apart: with it, --resume goes on where a run was killed.",
    ),
    option(
        "--output-format",
        group="Ray",
        type=click.Choice(["parquet", "csv", "tsv", "jsonl"]),
        default="parquet",
        show_default=True,
        help="Format of the part files.",
    ),
    option(
        "--rows-per-part",
        group="Ray",
        type=click.IntRange(min=1),
        default=20_000,
        show_default=True,
        help="Rows of a part file at least, but of the last ones. What is in no part is lost by a "
        "kill; many small files are slow to list.",
    ),
)
"""With the bounds and defaults of the job's settings, which one text does not import."""


def require_engine(asked: "Options", given: Set[str]) -> None:
    """Refuse what only Ray takes where Ray was not asked for, and what Ray does not take.

    Raises:
        click.UsageError: names the option.

    """
    if asked.engine == "ray":
        for flag in sorted(_NOT_ON_RAY & given):
            raise click.UsageError(f"--engine ray takes no {flag}")
        return
    for name in (*_OF_WORKERS, *_OF_THE_JOB):
        flag = "--" + name.replace("_", "-")
        if flag in given:
            raise click.UsageError(f"{flag} needs --engine ray")
    for path in (asked.input_file, asked.output_file):
        if isinstance(path, str):
            raise click.UsageError(f"{path}: a URI or a glob needs --engine ray")


def score_on_ray(_texts: Sequence[str], asked: "Options") -> Iterable[str]:
    """Run the job; return the line that reports it."""
    from lstm_runtime.cli.output import bulk_line, bulk_notices, json_object
    from lstm_runtime.distributed.job import run_cluster
    from lstm_runtime.distributed.settings import ClusterJob, ScoringSettings

    scoring = ScoringSettings(
        threads=asked.threads or 1, **{name: getattr(asked, name) for name in _OF_SCORING}
    )
    job = ClusterJob(
        str(asked.input_file),
        str(asked.output_file),
        asked.model_file,
        scoring,
        asked.resume,
        **{name: getattr(asked, name) for name in _OF_THE_JOB},
    )
    try:
        report = run_cluster(job)
    except KeyboardInterrupt:
        if job.id_column is not None:
            notice("stopped; --resume goes on from here")
        raise
    for line in bulk_notices(report):
        notice(line)
    return [json_object(report) if asked.as_json else bulk_line(report)]
