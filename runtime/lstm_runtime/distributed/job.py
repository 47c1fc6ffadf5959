"""Bulk scoring on a Ray cluster: tables in, a folder of part files out, resumable by row."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_runtime.bulk.report import TOLD, BulkReport
from lstm_runtime.distributed.cluster import connected, data_settings, family_errors, node_resources
from lstm_runtime.distributed.output import OutputFolder
from lstm_runtime.distributed.places import Place, place_of, read_source
from lstm_runtime.distributed.progress import counted, estimate_rows
from lstm_runtime.distributed.scoring import model_file, pool_for, score_with
from lstm_runtime.distributed.settings import ClusterJob, ScoringSettings
from lstm_runtime.distributed.sizing import CPUS_PER_TASK
from lstm_runtime.errors import ClusterError
from lstm_runtime.log import log_warning
from lstm_runtime.tables.formats import open_table

_LARGEST_BLOCK = 8 << 20
_SMALLEST_BLOCK = 256 << 10
_BLOCKS_PER_WORKER = 8
_ATTEMPTS = 3
"""Times that a run with ids begins: a lost node may take what Ray cannot make again."""


@dataclass(frozen=True)
class ClusterReport(BulkReport):
    """What a run on a cluster did: what a local run tells, where files are part files, and more."""

    workers: int = 0
    "Workers that it started with."
    nodes: int = 0
    "Nodes of the cluster."


def run_cluster(job: ClusterJob) -> ClusterReport:
    """Score tables on a Ray cluster.

    The output folder is complete when it holds ``manifest.json``, which lists the parts and their
    rows. Rows of a part come in the order of their file, parts in any order.

    Raises:
        InputError: names the file, line or row that cannot be scored, or says what does not fit.
        ModelFileError: when the model file is missing, damaged or foreign.
        MissingExtraError: when Ray is not installed.

    """
    started = time.monotonic()
    source = read_source(job.source)
    files = source.tables
    _check_first(files, job.scoring)
    folder = OutputFolder(place_of(job.output))
    subject = _subject(job, files)
    resumes = folder.begin(subject, resume=job.resume)
    with (
        folder.forgotten_on_error(keep=job.id_column is not None),
        connected(job.ray_address) as ray,
    ):
        pool = pool_for(job.scoring)
        resumed = folder.checkpointed_rows() if resumes else 0
        with counted(ray, lambda: estimate_rows(files)) as tally:
            _attempt(job, lambda: _write_parts(ray, job, files, folder, tally))
        parts = folder.parts()
        report = ClusterReport(
            files=len(parts),
            rows=sum(part.rows for part in parts),
            bad=sum(part.bad for part in parts),
            resumed=resumed,
            seconds=time.monotonic() - started,
            unknown=sum(part.unknown for part in parts),
            problems=tuple(islice((line for part in parts for line in part.problems), TOLD)),
            skipped=source.skipped,
            workers=pool.start,
            nodes=len(node_resources()),
        )
        folder.finish(parts, {**subject, **asdict(report)})
    return report


def _check_first(files: list[tuple[Place, int]], scoring: ScoringSettings) -> None:
    """Look at the first table where it is at hand: most mistakes are in all of them."""
    place, _ = files[0]
    if place.is_local:
        open_table(Path(place.path), scoring.columns).check()


def _attempt(job: ClusterJob, write: Callable[[], None]) -> None:
    """Call ``write``, and where Ray fails, again: with ids, what is done is not done twice."""
    for left in reversed(range(_ATTEMPTS if job.id_column is not None else 1)):
        try:
            with family_errors():
                write()
            return
        except ClusterError as error:
            if not left:
                raise
            log_warning(__name__, f"{error}; going on with the rows that are left")


def _write_parts(
    ray: Any,
    job: ClusterJob,
    files: list[tuple[Place, int]],
    folder: OutputFolder,
    tally: Any,
) -> None:
    """Read, score and write all rows, but those that an earlier run has finished."""
    from lstm_runtime.distributed.sink import PartSink
    from lstm_runtime.distributed.source import TableSource

    with data_settings(ray, _block_size(files, job.scoring), _checkpoint(job, folder)):
        dataset = ray.data.read_datasource(
            TableSource(files, job.scoring.columns, job.id_column),
            num_cpus=CPUS_PER_TASK,
            override_num_blocks=len(files),
        )
        scored = score_with(dataset, job.model, job.scoring, tally, audited=True)
        sink = PartSink(folder.place, job.output_format, job.rows_per_part)
        scored.write_datasink(sink, ray_remote_args={"num_cpus": CPUS_PER_TASK})


def _block_size(files: list[tuple[Place, int]], scoring: ScoringSettings) -> int:
    """Return the bytes of a block: small enough that every worker gets several."""
    share = sum(size for _, size in files) // (pool_for(scoring).most * _BLOCKS_PER_WORKER)
    return max(_SMALLEST_BLOCK, min(_LARGEST_BLOCK, share))


def _checkpoint(job: ClusterJob, folder: OutputFolder) -> Any:
    if job.id_column is None:
        return None
    from ray.data.checkpoint import CheckpointConfig

    # Its folder is removed when the manifest is there: before, a kill would have all rows scored
    # once more.
    return CheckpointConfig(
        job.id_column,
        folder.checkpoint.path,
        override_filesystem=folder.checkpoint.filesystem,
        delete_checkpoint_on_success=False,
    )


def _subject(job: ClusterJob, files: list[tuple[Place, int]]) -> dict[str, Any]:
    """Return what decides the answers and where they are."""
    listed = json.dumps([(place.path, size) for place, size in files])
    scoring = job.scoring
    return {
        "input": hashlib.sha256(listed.encode()).hexdigest(),
        "model": model_file(job.model, scoring.device).digest,
        "provider": scoring.device,
        "--text-column": scoring.text_column,
        "--prefix": scoring.prefix,
        "--max-tokens": scoring.max_tokens,
        "--known": scoring.known,
        "--min-known": scoring.min_known,
        "--id-column": job.id_column,
        "--output-format": job.output_format,
    }
