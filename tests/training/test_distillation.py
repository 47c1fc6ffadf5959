"""The distillation as its user runs it, with made-up texts and a tiny encoder."""

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from conftest import Run
from lstm_training.checkpoint import load_checkpoint, load_content
from lstm_training.distillation.config_file import read_config
from lstm_training.distillation.context import Context
from lstm_training.distillation.pipeline import StudentPipeline
from lstm_training.distillation.teachers.scoring import score
from lstm_training.trainer.state_file import StateFile
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from training.conftest import BAD, GOOD, OTHER, made_up_reviews
from transformers import BertConfig, BertModel

pytestmark = pytest.mark.slow  # each test trains

SETTINGS = """
[corpus]
sentences = 40
[sizes]
vocab_size = 60
embedding_dim = 16
hidden_dim = 16
[transformer]
folder = {encoder}
[transformer.optimization]
epochs = 3
learning_rate = 5e-3
[language_model]
cutoffs = [20]
[language_model.optimization]
epochs = 1
batch_size = 16
[ngram_student.optimization]
epochs = 1
batch_size = 8
learning_rate = 0.02
[augmentation]
generated = 300
mined = 20
[finetuning.optimization]
batch_size = 8
learning_rate = 5e-3
[student.optimization]
epochs = {epochs}
batch_size = 8
learning_rate = 0.02
"""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a BERT-shaped encoder that knows the made-up words."""
    folder = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", *OTHER, *GOOD, *BAD]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=256,
    )
    torch.manual_seed(0)  # or each run trains another model, some too steep to prove to 1e-5
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the options that name the made-up texts; four labelled ones are test texts."""
    folder = tmp_path_factory.mktemp("texts")
    rows = made_up_reviews(400)
    parts = {
        "labelled": rows[:240],
        "unlabelled": [
            (f"{a[0]}. {b[0]}!", 0) for a, b in zip(rows[240::2], rows[241::2], strict=True)
        ],
        "test": rows[:4],
    }
    options = []
    for name, part in parts.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in part))
        options += [f"--{name}", str(path)]
    return options


def settings(folder: Path, encoder: Path, epochs: int = 4) -> str:
    path = folder / "settings.toml"
    path.write_text(SETTINGS.format(encoder=json.dumps(str(encoder)), epochs=epochs))
    return str(path)


DISTILLATION = ("python", "-m", "lstm_training.distillation")


def test_distillation_makes_a_model_and_takes_up_what_is_done(
    run: Run, tmp_path: Path, encoder: Path, sources: list[str]
) -> None:
    command = (*DISTILLATION, "--config", settings(tmp_path, encoder), "-o", "out", *sources)
    first = run(*command, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "4 left out because they are test texts" in first.stderr
    checkpoint = load_checkpoint(tmp_path / "out/model.pt")
    assert checkpoint.metrics["accuracy"] > 0.8
    assert checkpoint.training["rows"]["excluded"] == 4
    written = first.stdout.splitlines()
    files = ("model.pt", "metrics.json", "held_out_labelled.jsonl")
    assert written == [f"out/{name}" for name in (*files, "teacher_scores.npz")]
    assert json.loads((tmp_path / "out/metrics.json").read_text())["calibration"]["scale"] > 0
    again = run(*command, cwd=tmp_path)
    assert again.stderr.count(": taken from ") == 12
    smaller = (tmp_path / "settings.toml").read_text().replace("hidden_dim = 16", "hidden_dim = 12")
    (tmp_path / "smaller.toml").write_text(smaller)
    other = (*DISTILLATION, "--config", "smaller.toml", "-o", "out", *sources)
    teachers = run(*other, "--stage", "transformer_scores", cwd=tmp_path)
    assert teachers.stderr.count(": taken from ") == 2, "another student has the same teachers"
    assert load_checkpoint(tmp_path / "out/model.pt").metrics == checkpoint.metrics
    assert "student: done" in (tmp_path / "out/distillation.log").read_text()
    exported = run("lstm-export", "out/model.pt", "--precision", "fp32", cwd=tmp_path)
    assert exported.returncode == 0, exported.stderr
    evaluated = run("lstm-evaluate", "out/model.onnx", "--data", written[2], "--json", cwd=tmp_path)
    accuracy = json.loads(evaluated.stdout)["accuracy"]
    assert accuracy == pytest.approx(checkpoint.metrics["accuracy"])
    start = 'start = "out/model.pt"\nscored_reviews = 5\nscored_labelled = 7\nseeds = [0]\n'
    folds = (tmp_path / "settings.toml").read_text()
    folds = folds.replace("[transformer]\n", "[transformer]\nfolds = 2\n")
    (tmp_path / "more.toml").write_text(start + folds)
    command = (*DISTILLATION, "--config", "more.toml", "-o", "more", *sources)
    more = run(*command, cwd=tmp_path)
    assert more.returncode == 0, more.stderr
    assert {path.stem for path in (tmp_path / "more").glob("*.pt")} == {
        *("ngrams", "transformer_0", "transformer_1", "transformer_scores", "augmentation"),
        *("finetuning", "finetuning_0", "model"),
    }
    scores = load_content(tmp_path / "more/transformer_scores.pt")["content"]["pool"]
    doubt = load_content(tmp_path / "more/ngrams.pt")["content"]["pool"][:80].abs()
    assert set(doubt.argsort()[:5].tolist()) == set((~scores[:80].isnan()).nonzero()[:, 0].tolist())
    assert not scores[80:].isnan().any(), "every sentence is scored"
    check_labelled_soft_labels(tmp_path / "more.toml", tmp_path / "more", sources)
    check_saved_scores(run, tmp_path, sources)
    went_on = load_checkpoint(tmp_path / "more/model.pt")
    assert went_on.vocabulary == checkpoint.vocabulary
    assert went_on.metrics["accuracy"] > 0.8


def check_labelled_soft_labels(config_file: Path, folder: Path, sources: list[str]) -> None:
    """Check that seven labelled texts have both teachers' word, and the others the first's."""
    config = read_config(config_file)
    given = {name[2:]: (path,) for name, path in zip(sources[::2], sources[1::2], strict=True)}
    config = replace(config, corpus=replace(config.corpus, **given), start=str(folder / "model.pt"))
    pipeline = StudentPipeline(Context(config, folder))
    by, labels = pipeline.soft_labels, torch.tensor(pipeline.context.corpus.train.labels)
    alone = by.labelled_by_ngrams
    doubt = load_content(folder / "ngrams.pt")["content"]["train"]
    assert torch.equal(alone, doubt.sigmoid())
    scored = ~load_content(folder / "transformer_scores.pt")["content"]["train"].isnan()
    assert set(doubt.abs().argsort()[:7].tolist()) == set(scored.nonzero()[:, 0].tolist())
    assert torch.equal(by.labelled_by_both != alone, scored)
    targets = pipeline.ensemble_training_set(config.finetuning).labels[: len(labels)]
    torch.testing.assert_close(targets, 0.7 * labels + 0.3 * by.labelled_by_both)
    check_folds(pipeline, scored, folder)


def check_folds(pipeline: StudentPipeline, scored: Tensor, folder: Path) -> None:
    """Check that a labelled text has the word of the encoder that has not learned from it."""
    encoders, said = pipeline.teachers.encoders, pipeline.teachers.transformer_scores.content
    texts, held_out = pipeline.context.corpus.train.texts, pipeline.context.corpus.held_out.texts
    rows = scored.nonzero()[:, 0].tolist()
    asked = [*(texts[n] for n in rows), *held_out[:5]]
    state = StateFile(folder / "none.pt", {}, "", "")
    loads = [partial(encoders._load, stage) for stage in encoders.stages]
    every = [range(len(asked))] * 2
    found = score(loads, every, asked, pipeline.config.transformer, state)
    assert set(encoders.folds.tolist()) == {0, 1}
    own = found[encoders.folds[rows], torch.arange(len(rows))]
    torch.testing.assert_close(said["train"][rows], own, rtol=0.02, atol=0.02)
    mean = found[:, len(rows) :].mean(0)
    torch.testing.assert_close(said["held_out"][:5], mean, rtol=0.02, atol=0.02)
    assert (found[0] - found[1]).abs().max() > 0.1, "the encoders differ"


def check_saved_scores(run: Run, folder: Path, sources: list[str]) -> None:
    """Check that another run learns from what the first one's encoder said, with no encoder."""
    lines = [
        "folder = 'x'" if line.startswith("folder =") else line
        for line in (folder / "more.toml").read_text().splitlines()
        if not line.startswith("scored_")
    ]
    saved = folder / "saved.toml"
    saved.write_text("\n".join(lines))
    command = (*DISTILLATION, "--config", str(saved), "-o", "saved", *sources)
    refused = run(*command, "--stage", "augmentation", cwd=folder)
    assert refused.returncode == 1
    assert "x holds no config.json" in refused.stderr
    command = (*command, "--teacher-scores", "more/teacher_scores.npz")
    done = run(*command, "--stage", "augmentation", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert not (folder / "saved/transformer.pt").exists()
    assert said_in(folder / "saved") == pytest.approx(said_in(folder / "more"), abs=1e-3)
    (folder / "more/teacher_scores.npz").write_bytes(b"PK no scores")
    refused = run(*command, "--stage", "augmentation", cwd=folder)
    assert refused.returncode == 1
    assert "teacher_scores: more/teacher_scores.npz is damaged" in refused.stderr


def said_in(folder: Path) -> dict[str, float]:
    """Return what is said of each text, in whatever order the sentences were cut."""
    scores = load_content(folder / "transformer_scores.pt")["content"]
    short = load_content(folder / "augmentation.pt")["content"]
    said = {f"{part} {n}": scores[part][n] for part in ("held_out", "train") for n in range(20)}
    said |= {f"pool {n}": scores["pool"][n] for n in range(80)}
    said |= {f"sentence {n}": x for n, x in enumerate(scores["pool"][80:].sort().values)}
    said |= dict(zip(short["texts"], short["targets"], strict=True))
    return {name: -99.0 if value.isnan() else float(value) for name, value in said.items()}


def test_several_processes_share_the_scoring(
    run: Run, tmp_path: Path, encoder: Path, sources: list[str]
) -> None:
    options = ["--config", settings(tmp_path, encoder), *sources, "--stage"]
    alone = run(*DISTILLATION, "-o", "alone", *options, "transformer", cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    shutil.copytree(tmp_path / "alone", tmp_path / "shared")
    launcher = ("torchrun", "--standalone", "--nproc-per-node", "2", "-m", DISTILLATION[-1])
    for start, output in ((DISTILLATION, "alone"), (launcher, "shared")):
        done = run(*start, "-o", output, *options, "transformer_scores", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, two = (
        load_content(tmp_path / name / "transformer_scores.pt")["content"]
        for name in ("alone", "shared")
    )
    for name in ("held_out", "pool"):
        assert not two[name].isnan().any()
        torch.testing.assert_close(one[name], two[name], rtol=0.02, atol=0.02)


def test_distillation_goes_on_after_ctrl_c(
    run: Run, tmp_path: Path, encoder: Path, sources: list[str]
) -> None:
    command = (
        *DISTILLATION,
        "--config",
        settings(tmp_path, encoder, epochs=60),
        "-o",
        "out",
        *sources,
    )
    process = subprocess.Popen(
        [sys.executable, *command[1:]], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "student_0: epoch 1/60:" in line:
            process.send_signal(signal.SIGINT)
            break
    said = process.stderr.read()
    assert process.wait() == 1
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    again = run(*command, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "student_0: going on in epoch" in again.stderr
    assert not list((tmp_path / "out").glob("*.part.pt"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--unlabelled", "nowhere.jsonl"), "nowhere.jsonl: no such file"),
        (("--labelled", "nowhere.csv"), "nowhere.csv: no such file"),
    ],
)
def test_distillation_names_a_missing_source(
    run: Run, tmp_path: Path, sources: list[str], change: tuple[str, str], message: str
) -> None:
    done = run(*DISTILLATION, "-o", "out", *sources, *change, cwd=tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_distillation_refuses_settings_that_there_are_not(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[student]\nspeed = 3\n")
    done = run(*DISTILLATION, "--config", "s.toml", cwd=tmp_path)
    assert done.returncode == 1
    assert "s.toml: student.speed is no setting" in done.stderr


def test_distillation_says_what_an_encoder_lacks(
    run: Run, tmp_path: Path, sources: list[str]
) -> None:
    (tmp_path / "s.toml").write_text('[transformer]\nfolder = "."\n')
    done = run(*(*DISTILLATION, "--config", "s.toml", "-o", "out", *sources), cwd=tmp_path)
    assert done.returncode == 1
    assert "transformer.folder: . holds no config.json and no model.safetensors" in done.stderr
    assert not list((tmp_path / "out").glob("*.pt")), "said before the first stage"
    assert "Traceback" not in done.stderr


def test_distillation_help_answers_at_once(run: Run) -> None:
    done = run(*DISTILLATION, "--help")
    assert done.returncode == 0
    assert "--unlabelled" in done.stdout
    assert "torch" not in run("python", "-X", "importtime", *DISTILLATION[1:], "--help").stderr
