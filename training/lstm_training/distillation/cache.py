"""A folder of stages: each leaves a result, or the state it was stopped in, for a later run."""

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lstm_training.checkpoint import load_content, save_content
from lstm_training.errors import CheckpointError
from lstm_training.processes import join_processes
from lstm_training.trainer.state_file import StateFile

logger = logging.getLogger(__name__)


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
"""End of the name of the file with the state of a stage under way."""

Work = Callable[[StateFile], dict[str, Any]]
"""What makes the content of a stage, from the state it was stopped in if there is one."""


@dataclass(frozen=True)
class StageCache:
    """The folder where the stages leave their results."""

    folder: Path
    "Where they lie."
    seconds: dict[str, int] = field(default_factory=dict)
    "Time that each stage took, of those that were asked for."

    def stage(self, name: str, inputs: dict[str, Any], work: Work) -> StageResult:
        """Return the result of a stage: the one on disk if it came from equal ``inputs``.

        Args:
            name: name of the result's file.
            inputs: all that the content depends on, as plain values.
            work: makes the content. Under ``accelerate launch`` every process does, so that those
                that train can do it together, and the main one writes.

        Raises:
            CheckpointError: when the result on disk is damaged, or cannot be written.
            TrainingError: when the stage is half done, with other inputs.

        """
        # Or a slow process would find what a fast one has just written, and train alone no more.
        join_processes().wait_for_everyone()
        result = self._result(name, inputs, work)
        self.seconds[name] = round(result.seconds)
        return result

    def _result(self, name: str, inputs: dict[str, Any], work: Work) -> StageResult:
        path = self.folder / f"{name}.pt"
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
        found = _read(path) if path.exists() else None
        join_processes().wait_for_everyone()
        if found and found.inputs == digest:
            logger.info("%s: taken from %s", name, path.name)
            return found
        if found:
            logger.info("%s: %s came from other inputs and is made again", name, path.name)
        start, part = time.monotonic(), self.state_file(name, inputs)
        made = StageResult(work(part), digest, time.monotonic() - start)
        if join_processes().is_main_process:
            save_content(dict(vars(made)), path)
            part.path.unlink(missing_ok=True)
        logger.info("%s: done in %.0f s", name, made.seconds)
        return made

    def state_file(self, name: str, inputs: dict[str, Any]) -> StateFile:
        """Return where a stage keeps the state that it was stopped in."""
        path = self.folder / (name + PART)
        return StateFile(
            path,
            {**inputs, "processes": int(join_processes().num_processes)},
            go_on="the same command goes on from here",
            start_over=f"remove {path} to start the stage anew",
        )


def _read(path: Path) -> StageResult:
    content = load_content(path)
    try:
        return StageResult(**content)
    except TypeError as error:
        raise CheckpointError(f"{path} is no result of a stage: remove it") from error
