"""Bulk scoring past one machine: the same answers, computed by the workers of a Ray cluster."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_runtime.distributed.job import ClusterReport, run_cluster
    from lstm_runtime.distributed.scoring import score
    from lstm_runtime.distributed.settings import ClusterJob, ScoringSettings

_HOMES = {
    "ClusterJob": "settings",
    "ClusterReport": "job",
    "ScoringSettings": "settings",
    "run_cluster": "job",
    "score": "scoring",
}

__all__ = ["ClusterJob", "ClusterReport", "ScoringSettings", "run_cluster", "score"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the command's options need none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
