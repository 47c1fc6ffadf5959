"""The file that lets a killed run go on exactly where it stood, and only as the same run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_training.checkpoint import load_content, save_content
from lstm_training.errors import CheckpointError, TrainingError

FORMAT = "lstm-edge-resume"
FORMAT_VERSION = 2
_RANDOM = "[0-9a-f]" * 8
"""What `atomic_path` puts into the name of a file that is being written."""


@dataclass(frozen=True)
class StateFile:
    """Where a run keeps its state, and which run it is."""

    path: Path
    "Where the file lies."
    fingerprint: dict[str, Any]
    "All that must not change between a run and its resumption: settings, digests of inputs."
    go_on: str
    "What the user does to go on after an interruption, for the message."
    start_over: str
    "What the user does to start anew instead, for the message."

    def exists(self) -> bool:
        """Tell whether there is a state to resume from."""
        return self.path.exists()

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state``, tensors and plain values, in one piece.

        Raises:
            CheckpointError: when it cannot be written, as on a full disk.

        """
        header = {"format": FORMAT, "format_version": FORMAT_VERSION}
        save_content({**header, "fingerprint": self.fingerprint, "state": state}, self.path)

    def remove(self) -> None:
        """Remove the file, and what a kill in the middle of writing it left beside it."""
        self.path.unlink(missing_ok=True)
        for left in self.path.parent.glob(f".{self.path.stem}-{_RANDOM}{self.path.suffix}"):
            left.unlink(missing_ok=True)

    def load(self) -> dict[str, Any]:
        """Read what `save` wrote.

        Raises:
            CheckpointError: when the file is damaged, foreign or of another version.
            TrainingError: when it belongs to a run with another fingerprint; names what differs.

        """
        content = load_content(self.path)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise CheckpointError(
                f"{self.path} is not the state of a training run: {self.start_over}"
            )
        if content.get("format_version") != FORMAT_VERSION:
            raise CheckpointError(
                f"{self.path} is of another version of lstm-train, and cannot be resumed by this "
                f"one: {self.start_over}"
            )
        if not {"fingerprint", "state"} <= content.keys():
            raise CheckpointError(f"{self.path} is damaged: {self.start_over}")
        self.require_same(content["fingerprint"])
        state: dict[str, Any] = content["state"]
        return state

    def require_same(self, before: dict[str, Any], path: Path | None = None) -> None:
        """Check that the fingerprint of an earlier run is this run's.

        Args:
            before: the earlier run's.
            path: the file that it comes from, where that is not this one.

        Raises:
            TrainingError: names every value that differs.

        """
        differences = _differences(before, self.fingerprint)
        if differences:
            changes = ", ".join(f"{n} was {old!r}, is {new!r}" for n, old, new in differences)
            if any(name == "data_sha256" for name, *_ in differences):
                changes += " (the texts or labels are others than before)"
            raise TrainingError(
                f"{path or self.path} is from another run: {changes}; repeat its options, or "
                f"{self.start_over}"
            )


def require_one_run(fingerprints: list[dict[str, Any]]) -> None:
    """Check that all processes of a run train from the same inputs with the same settings.

    Args:
        fingerprints: those of all processes, in their order.

    Raises:
        TrainingError: names the first process that has others than the first, and all of them.

    """
    first, *others = fingerprints
    for number, other in enumerate(others, 1):
        if found := _differences(first, other):
            listed = ", ".join(f"{name} is {b!r} instead of {a!r}" for name, a, b in found)
            raise TrainingError(
                f"process {number} has other texts or settings than process 0: {listed}; "
                "all need the same files and options"
            )


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return the dotted name and both values of all that differs."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return [(name, old.get(name), new.get(name)) for name in names]


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested dicts and lists with its dotted name."""
    if isinstance(value, list | tuple):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}.{key}" if name else str(key))
