"""A folder of stages: each leaves an output, or the state it was stopped in, for a later run."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_training.checkpoint import load_content, save_content
from lstm_training.errors import CheckpointError


@dataclass(frozen=True)
class StageResult:
    """What a stage came to."""

    content: dict[str, Any]
    "Tensors and plain values."
    inputs: str
    "Digest of all that the content depends on."
    seconds: float
    "Time that it took to make."


PART = ".part.pt"
"""End of the name of a state's file."""


@dataclass(frozen=True)
class StageState:
    """The file that holds the state of a stage under way."""

    path: Path
    "Where it lies."
    inputs: str
    "Digest of all that the state depends on."

    @property
    def stage(self) -> str:
        """Name of the stage."""
        return self.path.name.removesuffix(PART)

    def save(self, state: dict[str, Any]) -> None:
        """Write ``state``, tensors and plain values, in one piece."""
        save_content({"inputs": self.inputs, "state": state}, self.path)

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, or None where there is none that came from these inputs.

        Raises:
            CheckpointError: when the file is damaged or foreign.

        """
        if not self.path.exists():
            return None
        content = load_content(self.path)
        if not isinstance(content, dict) or set(content) != {"inputs", "state"}:
            raise CheckpointError(f"{self.path} is no state of a stage: remove it")
        state: dict[str, Any] = content["state"]
        return state if content["inputs"] == self.inputs else None


Work = Callable[[StageState], dict[str, Any]]
"""What makes the content of a stage, from the state it was stopped in if there is one."""


@dataclass(frozen=True)
class StageCache:
    """The folder where the stages leave their outputs."""

    folder: Path
    "Where they lie."
    say: Callable[[str], None]
    "Takes a line for each stage."
    seconds: dict[str, int] = field(default_factory=dict)
    "Time that each stage took, of those that were asked for."

    def stage(self, name: str, inputs: dict[str, Any], work: Work) -> StageResult:
        """Return the output of a stage: the one on disk if it came from equal ``inputs``.

        Args:
            name: name of the output's file.
            inputs: all that the content depends on, as plain values.
            work: makes the content.

        Raises:
            CheckpointError: when the output on disk is damaged, or cannot be written.

        """
        output = self._output(name, inputs, work)
        self.seconds[name] = round(output.seconds)
        return output

    def _output(self, name: str, inputs: dict[str, Any], work: Work) -> StageResult:
        path = self.folder / f"{name}.pt"
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        if path.exists():
            found = _read(path)
            if found.inputs == digest:
                self.say(f"{name}: taken from {path.name}")
                return found
            self.say(f"{name}: {path.name} came from other inputs and is made again")
        start, part = time.monotonic(), StageState(self.folder / (name + PART), digest)
        made = StageResult(work(part), digest, time.monotonic() - start)
        save_content(dict(vars(made)), path)
        part.path.unlink(missing_ok=True)
        self.say(f"{name}: done in {made.seconds:.0f} s")
        return made


def _read(path: Path) -> StageResult:
    content = load_content(path)
    try:
        return StageResult(**content)
    except TypeError as error:
        raise CheckpointError(f"{path} is no result of a stage: remove it") from error
