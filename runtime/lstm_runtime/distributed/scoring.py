"""`score`: a Ray dataset in, the same dataset with answers out."""

from pathlib import Path
from typing import Any

from lstm_runtime.bundled import DEFAULT_CPU, DEFAULT_OTHER
from lstm_runtime.distributed.cluster import import_ray, node_resources
from lstm_runtime.distributed.settings import ScoringSettings
from lstm_runtime.distributed.sizing import WorkerPool, plan_pool
from lstm_runtime.distributed.worker import ScoringWorker
from lstm_runtime.model_file.checked import ModelFile, read_model_file


def score(
    dataset: Any, model: str | Path | bytes | None = None, tally: Any = None, **settings: Any
) -> Any:
    """Add a label and a score to each row of a Ray dataset.

    The rows are answered by a pool of workers that each load the model once. Nothing runs before
    the dataset is consumed; Ray's error then tells of a bad row. Values are those of a local
    run, bit for bit on the same kind of processor.

    Args:
        dataset: a ``ray.data.Dataset``.
        model: a model file, or its bytes; None for the one that comes with the package. It travels
            to the workers as bytes.
        tally: an actor whose method ``add`` is told how many rows were answered, or None.
        settings: the fields of `ScoringSettings`, such as ``text_column="review"``.

    Returns:
        A ``ray.data.Dataset``.

    Raises:
        MissingExtraError: when Ray is not installed.
        InputError: when a setting is out of its range, or the cluster has no room for a single
            worker.
        ModelFileError: when the model file is missing, damaged or foreign.

    """
    return score_with(dataset, model, ScoringSettings(**settings), tally)


def score_with(
    dataset: Any,
    model: str | Path | bytes | None,
    scoring: ScoringSettings,
    tally: Any = None,
    *,
    audited: bool = False,
) -> Any:
    """Do what `score` does; ``audited``: with the columns that `PartSink` counts and drops."""
    ray = import_ray()
    pool = pool_for(scoring)
    return dataset.map_batches(
        ScoringWorker,
        fn_constructor_args=(model_file(model, scoring.device).data, scoring, tally),
        fn_constructor_kwargs={"audited": audited},
        batch_size=None,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=pool.start, max_size=pool.most),
        num_cpus=pool.cpus,
        num_gpus=pool.gpus or None,
        udf_modifying_row_count=False,
    )


def pool_for(scoring: ScoringSettings) -> WorkerPool:
    """Plan the workers on the cluster that Ray is connected to.

    Raises:
        InputError: when not a single one fits.

    """
    return plan_pool(node_resources(), scoring.workers, scoring.threads, scoring.gpus_per_worker)


def model_file(model: str | Path | bytes | None, device: str) -> ModelFile:
    """Read and check a model file; the package's own for a device where there is none.

    Raises:
        ModelFileError: when it is missing, damaged or foreign: here, and not on some worker.

    """
    return read_model_file(model or (DEFAULT_CPU if device == "cpu" else DEFAULT_OTHER))
