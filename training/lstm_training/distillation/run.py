"""What the recipe leaves behind: the checkpoint, its measures, and the held-out texts."""

import json
from collections.abc import Callable
from pathlib import Path

from lstm_runtime.files import atomic_path

from lstm_training.checkpoint import save_checkpoint
from lstm_training.distillation.config import RecipeConfig
from lstm_training.distillation.context import Pantry
from lstm_training.distillation.corpus import Corpus
from lstm_training.distillation.pipeline import Kitchen

MODEL_FILE = "model.pt"


def make(config: RecipeConfig, folder: Path, stage: str, say: Callable[[str], None]) -> list[Path]:
    """Make ``stage`` and all before it; return what was written for use outside the recipe.

    Raises:
        DataError: when a source of texts is missing or malformed.
        ConfigError: when the encoder of the settings lacks a part.
        TrainingInterruptedError: when stopped by Ctrl-C or SIGTERM, after saving the state.
        CheckpointError: when an output on disk is damaged, or one cannot be written.

    """
    kitchen = Kitchen(Pantry(config, folder, say))
    if stage != "model":
        getattr(kitchen if hasattr(type(kitchen), stage) else kitchen.teachers, stage)
        return []
    checkpoint = kitchen.checkpoint()
    save_checkpoint(checkpoint, folder / MODEL_FILE)
    metrics = folder / "metrics.json"
    with atomic_path(metrics) as temporary:
        content = {"metrics": checkpoint.metrics, **checkpoint.training}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return [folder / MODEL_FILE, metrics, *_write_held_out(kitchen.pantry.corpus, folder)]


def _write_held_out(corpus: Corpus, folder: Path) -> list[Path]:
    """Write the held-out texts of each source as a file for ``lstm-evaluate``."""
    paths = []
    for source in dict.fromkeys(corpus.held_out_sources):
        path = folder / f"held_out_{Path(source).name.split('.')[0]}.jsonl"
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            rows = zip(
                corpus.held_out.texts, corpus.held_out.labels, corpus.held_out_sources, strict=True
            )
            for text, label, origin in rows:
                if origin == source:
                    file.write(json.dumps({"text": text, "label": label}) + "\n")
        paths.append(path)
    return paths
