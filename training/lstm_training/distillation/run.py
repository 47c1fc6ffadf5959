"""What the distillation leaves behind: the checkpoint, its measures, and the held-out texts."""

import json
from pathlib import Path

from lstm_runtime.files import atomic_path, parents_of

from lstm_training.checkpoint import save_checkpoint
from lstm_training.distillation.config import DistillationConfig
from lstm_training.distillation.context import Context
from lstm_training.distillation.corpus import Corpus
from lstm_training.distillation.pipeline import StudentPipeline
from lstm_training.distillation.teachers.encoder import encoder_folder
from lstm_training.distillation.teachers.stages import Teachers
from lstm_training.processes import join_processes, only_run_in
from lstm_training.trainer.denormals import flushed_denormals

MODEL_FILE = "model.pt"
SCORES_FILE = "teacher_scores.npz"
WITHOUT_ENCODER = ("ngrams", "language_model", "ngram_student")
"""The stages that do not need the sentence encoder."""

WITH_AUGMENTATION = ("augmentation", "finetuning", "model")
"""The stages by which the encoder has been asked about all that it is ever asked about."""


def run_distillation(config: DistillationConfig, folder: Path, stage: str) -> list[Path]:
    """Make ``stage`` and all before it; return what was written for use outside of it.

    Raises:
        DataError: when a source of texts is missing or malformed.
        ConfigError: when the encoder of the settings lacks a part.
        MissingExtraError: when the package that brings the encoder is not installed.
        TrainingError: when a stage is half done, with other settings.
        TrainingInterruptedError: when stopped by Ctrl-C or SIGTERM, after saving the state.
        CheckpointError: when an output on disk is damaged, or one cannot be written.
        InputError: when another run is at work in ``folder``.

    """
    # What is missing shows now, not after an hour: the texts, which are read here, and the encoder.
    with parents_of(folder / MODEL_FILE), only_run_in(folder), flushed_denormals():
        context = Context(config, folder)
        if stage not in WITHOUT_ENCODER and not context.saved_scores:
            encoder_folder(config.transformer.folder, folder)
        return _run(StudentPipeline(context), folder, stage)


def _run(pipeline: StudentPipeline, folder: Path, stage: str) -> list[Path]:
    if stage != "model":
        getattr(pipeline if hasattr(type(pipeline), stage) else pipeline.teachers, stage)
        return _write_teacher(pipeline.teachers, folder, stage)
    checkpoint = pipeline.checkpoint()
    if not join_processes().is_main_process:
        return []
    save_checkpoint(checkpoint, folder / MODEL_FILE)
    metrics = folder / "metrics.json"
    with atomic_path(metrics) as temporary:
        content = {"metrics": checkpoint.metrics, **checkpoint.training}
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    written = [folder / MODEL_FILE, metrics, *_write_held_out(pipeline.context.corpus, folder)]
    return written + _write_teacher(pipeline.teachers, folder, stage)


def _write_teacher(teachers: Teachers, folder: Path, stage: str) -> list[Path]:
    """Write what the encoders said of the texts in this run: other runs take it."""
    is_main = join_processes().is_main_process
    if stage not in WITH_AUGMENTATION or teachers.context.saved_scores or not is_main:
        return []
    teachers.save_scores(folder / SCORES_FILE)
    return [folder / SCORES_FILE]


def _write_held_out(corpus: Corpus, folder: Path) -> list[Path]:
    """Write the held-out texts of each source as a file for ``lstm-evaluate``."""
    paths = []
    for source in dict.fromkeys(corpus.held_out_sources):
        path = folder / f"held_out_{Path(source).name.split('.')[0]}.jsonl"
        with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
            rows = zip(
                corpus.held_out.texts, corpus.held_out.labels, corpus.held_out_sources, strict=True
            )
            names = corpus.held_out.label_names
            for text, label, origin in rows:
                if origin == source:
                    # The model's own names, where 0 and 1 may mean something else.
                    shown = label if names == ("negative", "positive") else names[label]
                    file.write(json.dumps({"text": text, "label": shown}) + "\n")
        paths.append(path)
    return paths
