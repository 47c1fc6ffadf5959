"""What to score on a cluster, and how."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lstm_runtime.errors import InputError
from lstm_runtime.settings import check_settings, setting
from lstm_runtime.tables.base import Columns


@dataclass(frozen=True)
class ScoringSettings:
    """How the workers of a cluster answer, and how many there are.

    Raises:
        InputError: when a value is out of its range.

    """

    text_column: str = "text"
    "The column with the texts."
    prefix: str = ""
    "Put before the names of the added columns, ``label`` and ``score``."
    known: bool = False
    "Whether to add a third column, ``known``: the share of the text's words that the model knows."
    min_known: float | None = None
    "A text of which the model knows a smaller share of words is a bad row; None for any."
    on_error: Literal["stop", "keep"] = "stop"
    "What a bad row does: stop the run, or go out without an answer."
    max_tokens: int | None = None
    "Read only the last so many tokens of each text; None for all."
    batch_size: int | None = None
    "See `SentimentModel.score_many`."
    provider: str = "auto"
    "See `SentimentModel.load`; ``auto`` is CUDA where workers have GPUs, else the CPU."
    provider_options: Mapping[str, str] | None = None
    "Options of the provider, as ONNX Runtime documents them."
    threads: int = 1
    "Threads of a worker; each takes a core."
    workers: int | None = setting(
        None,
        "Workers at most: as many as fit start, and more as the cluster grows; None for what fits "
        "now.",
        at_least=1,
    )
    gpus_per_worker: float = setting(0.0, "GPUs of each worker, such as 1 or 0.5.", at_least=0)

    def __post_init__(self) -> None:
        """Check the values."""
        check_settings(self, InputError)

    @property
    def columns(self) -> Columns:
        """The text column and the columns to add."""
        return Columns.to_score(self.text_column, self.prefix, known=self.known)

    @property
    def device(self) -> str:
        """The provider, where ``auto`` is decided by whether workers have GPUs."""
        if self.provider != "auto":
            return self.provider
        return "cuda" if self.gpus_per_worker else "cpu"


@dataclass(frozen=True)
class ClusterJob:
    """A job for `run_cluster`.

    Raises:
        InputError: when the values do not fit each other.

    """

    source: str
    """A file, a folder, a glob or a URI (``file``, ``s3``, ``gs``, ``hdfs``) of tables. Every node
    must see it under this name."""
    output: str
    "The folder to write part files to, a path or a URI that every node sees."
    model: Path | None = None
    "A model file; None for the one that comes with the package."
    scoring: ScoringSettings = ScoringSettings()
    "How to answer."
    resume: bool = False
    "Whether to go on where an interrupted run stopped; needs ``id_column``."
    ray_address: str | None = setting(
        None,
        "The cluster: auto for the one that this machine is part of, or HOST:PORT of it; None for "
        "RAY_ADDRESS, else a cluster of this machine alone.",
    )
    id_column: str | None = setting(
        None, "A column that tells rows apart: with it, a run that was killed can be resumed."
    )
    output_format: Literal["parquet", "csv", "tsv", "jsonl"] = setting(
        "parquet", "Format of the part files."
    )
    rows_per_part: int = setting(
        20_000,
        "Rows of a part file at least, but of the last ones. What is in no part is lost by a kill; "
        "many small files are slow to list.",
        at_least=1,
    )

    def __post_init__(self) -> None:
        """Check the values."""
        check_settings(self, InputError)
        if self.resume and self.id_column is None:
            raise InputError(
                "on Ray, --resume needs --id-column: without one nobody can tell which rows are "
                "done, and a run starts anew with all of them"
            )
