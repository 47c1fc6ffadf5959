import csv
import json
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lstm_training.api import train
from lstm_training.checkpoint import Checkpoint, load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import prepare
from lstm_training.errors import CheckpointError, TrainingError, TrainingInterruptedError
from lstm_training.evaluation.metrics import Metrics
from lstm_training.trainer.classifier import Classifier
from lstm_training.trainer.config import TrainerConfig
from lstm_training.trainer.curves import curves
from lstm_training.trainer.loop import kept
from lstm_training.trainer.state import EpochRecord, TrainerState
from lstm_training.trainer.trainer import SHAPES_KEPT, Trainer
from lstm_training.transfer.material import learning_material
from lstm_training.transfer.recommend import recommended_config

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def uninterrupted(
    tiny: TrainingConfig, examples: Examples, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    return train(tiny, examples, tmp_path_factory.mktemp("whole")).checkpoint


def equal_weights(one: Checkpoint, other: Checkpoint) -> bool:
    return all(one.state_dict[name].equal(other.state_dict[name]) for name in one.state_dict)


def stop_at(steps: int, error: type[BaseException], patch: Patch) -> None:
    """Let a run die of `error` in its step number `steps`, after that step."""
    done, step = [0], Trainer.step

    def dying(trainer: Trainer, batch: object) -> float:
        loss = step(trainer, batch)  # type: ignore[arg-type] # handed on
        done[0] += 1
        if done[0] == steps:
            raise error
        return loss

    patch.setattr(Trainer, "step", dying)


def test_a_run_learns_and_leaves_all_its_files(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    result = train(replace(tiny, epochs=10, patience=10), examples, tmp_path / "new" / "out")
    assert result.checkpoint.metrics["accuracy"] > 0.9
    assert equal_weights(load_checkpoint(tmp_path / "new/out/model.pt"), result.checkpoint)
    assert sorted(result.files) == sorted((tmp_path / "new/out").iterdir())
    assert {path.name for path in result.files} == {
        "model.pt", "metrics.json", "history.csv", "curves.png", "confusion.png", "reliability.png",
    }  # fmt: skip
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in result.files if ".png" in path.name)
    assert sum("accuracy" in line for line in caplog.messages) == 10


def test_metrics_and_history_say_what_the_checkpoint_says(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    checkpoint = train(tiny, examples, tmp_path).checkpoint
    report = json.loads((tmp_path / "metrics.json").read_text())
    assert report["held_out"] == checkpoint.metrics
    confusion = report["confusion"]
    assert sum(confusion.values()) == report["rows"]["held_out"] == 24
    right = confusion["true_positive"] + confusion["true_negative"]
    assert right / 24 == pytest.approx(checkpoint.metrics["accuracy"])
    with (tmp_path / "history.csv").open(newline="") as file:
        history = list(csv.DictReader(file))
    assert [row["epoch"] for row in history] == ["1", "2", "3"]
    best = min(history, key=lambda row: float(row["held_out_loss"]))
    assert int(best["epoch"]) == report["best_epoch"]
    assert float(best["held_out_loss"]) == pytest.approx(checkpoint.metrics["loss"])


def test_equal_seeds_give_equal_files_and_other_seeds_other_weights(
    tiny: TrainingConfig, examples: Examples, uninterrupted: Checkpoint, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        train(tiny, examples, tmp_path / name)
    assert (tmp_path / "a/model.pt").read_bytes() == (tmp_path / "b/model.pt").read_bytes()
    other = train(replace(tiny, seed=1), examples, tmp_path / "c").checkpoint
    assert not equal_weights(other, uninterrupted)


@pytest.mark.parametrize("steps", [1, 5, 27, 28, 54, 60])  # 27 steps an epoch
def test_a_run_that_died_goes_on_exactly(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    monkeypatch: Patch,
    steps: int,
) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        stop_at(steps, SystemError, patch)
        train(tiny, examples, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]
    torch.rand(7)  # the generator's state in this process must not matter
    resumed = train(tiny, examples, tmp_path, resume=True)
    assert equal_weights(resumed.checkpoint, uninterrupted)
    assert resumed.checkpoint == replace(
        uninterrupted, state_dict=resumed.checkpoint.state_dict
    )  # metrics and all


def test_a_run_that_died_while_writing_its_files_finishes(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    def die(*_: object) -> None:
        raise SystemError

    with monkeypatch.context() as patch, pytest.raises(SystemError):
        patch.setattr("lstm_training.api.write_history", die)
        train(tiny, examples, tmp_path)
    assert not (tmp_path / "model.pt").exists()
    resumed = train(tiny, examples, tmp_path, resume=True)
    assert equal_weights(resumed.checkpoint, uninterrupted)
    assert not (tmp_path / "resume.pt").exists()


def test_resuming_with_nothing_there_starts(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    result = train(tiny, examples, tmp_path, resume=True)
    assert "starting from the beginning" in caplog.messages[0]
    assert equal_weights(result.checkpoint, uninterrupted)


def test_resuming_a_finished_run_says_so(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = train(tiny, examples, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    caplog.set_level(logging.INFO, "lstm_training")
    caplog.clear()
    again = train(tiny, examples, tmp_path, resume=True)
    assert caplog.messages == [f"{tmp_path / 'model.pt'} is finished: nothing to resume"]
    assert again.files == ()
    assert equal_weights(again.checkpoint, first.checkpoint)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}


@pytest.mark.parametrize("finished", [True, False])
def test_resuming_another_run_names_what_differs(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, monkeypatch: Patch, finished: bool
) -> None:
    if not finished:
        stop_at(5, SystemError, monkeypatch)
        with pytest.raises(SystemError):
            train(tiny, examples, tmp_path)
    else:
        train(tiny, examples, tmp_path)
    changed = replace(tiny, learning_rate=0.5, checkpoint_every=9)
    with pytest.raises(TrainingError, match=r"another run: learning_rate was 0\.02, is 0\.5;"):
        train(changed, examples, tmp_path, resume=True)
    if finished:
        with pytest.raises(TrainingError, match=r"epochs was 3, is 9; .* --start-from .*model\.pt"):
            train(replace(tiny, epochs=9), examples, tmp_path, resume=True)
    # Patience follows from the epochs where nobody gives it: no option that could be repeated.
    chosen, longer = (recommended_config(10**5, epochs=number) for number in (3, 9))
    data = learning_material(examples, tiny, None, ())
    old, new = (Classifier(config, data, None).fingerprint() for config in (chosen, longer))
    assert {name for name in old | new if old.get(name) != new.get(name)} == {"epochs"}
    fewer = examples.select(range(len(examples) - 2))
    with pytest.raises(TrainingError, match=r"another run: data_sha256 was .* others than"):
        train(tiny, fewer, tmp_path, resume=True)


@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_a_damaged_state_is_named(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, content: bytes | None
) -> None:
    if content is None:
        torch.save({"format": "lstm-edge-resume", "format_version": 2}, tmp_path / "resume.pt")
    else:
        (tmp_path / "resume.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"resume\.pt"):
        train(tiny, examples, tmp_path, resume=True)


def test_a_state_of_the_first_layout_says_how_to_go_on(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    content = {"format": "lstm-edge-resume", "format_version": 1, "identity": {}, "state": {}}
    torch.save(content, tmp_path / "resume.pt")
    with pytest.raises(CheckpointError, match=r"resume\.pt is of another .* start over with --"):
        train(tiny, examples, tmp_path, resume=True)
    train(tiny, examples, tmp_path, overwrite=True)


def test_an_unfinished_run_is_resumed_or_overwritten_but_not_lost(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        stop_at(30, SystemError, patch)
        train(replace(tiny, seed=5), examples, tmp_path)
    before = (tmp_path / "resume.pt").read_bytes()
    with pytest.raises(TrainingError, match=r"resume\.pt is .* unfinished .*--resume.*--overwrite"):
        train(tiny, examples, tmp_path)
    assert (tmp_path / "resume.pt").read_bytes() == before
    again = train(tiny, examples, tmp_path, overwrite=True)
    assert equal_weights(again.checkpoint, uninterrupted)


@pytest.mark.parametrize("foreign", [b"notes of mine", {"weights": torch.zeros(3)}])
def test_a_model_of_another_program_is_replaced_when_told_so_alone(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, foreign: object
) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(foreign) if isinstance(foreign, bytes) else torch.save(foreign, path)
    before = path.read_bytes()
    once = replace(tiny, epochs=1)
    with pytest.raises(TrainingError, match=r"model\.pt is there and lstm-train did not write it"):
        train(once, examples, tmp_path)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]
    train(once, examples, tmp_path, overwrite=True)
    train(once, examples, tmp_path)  # over its own, as ever


def test_a_loss_that_is_no_number_ends_the_run(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(
        "lstm_training.trainer.step_loss.label_losses",
        lambda logits, _labels: logits.sum() * float("nan"),
    )
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 1: .* with --overwrite"):
        train(tiny, examples, tmp_path)
    assert not (tmp_path / "model.pt").exists()


@pytest.mark.parametrize("error", [MemoryError(), None], ids=["Python's", "PyTorch's"])
def test_out_of_memory_is_one_line(
    tiny: TrainingConfig,
    examples: Examples,
    tmp_path: Path,
    monkeypatch: Patch,
    error: MemoryError | None,
) -> None:
    def fail(*_: object) -> float:
        raise error or MemoryError

    if error:
        monkeypatch.setattr(Trainer, "step", fail)
    # Recurrent weights of 64 TB, which no machine allocates.
    config = tiny if error else replace(tiny, hidden_dim=2_000_000)
    with pytest.raises(TrainingError, match="out of memory: try a smaller --batch-size"):
        train(config, examples, tmp_path)


def test_training_leaves_the_processor_as_it_was(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    tiniest = torch.tensor(1e-310, dtype=torch.float64)
    train(replace(tiny, epochs=1), examples, tmp_path)
    assert tiniest * 1 > 0


@pytest.mark.parametrize("own", [None, "64"])
def test_code_for_few_lengths_is_kept_unless_told_otherwise(
    own: str | None, tiny: TrainingConfig, examples: Examples, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv(SHAPES_KEPT, own or "")
    if own is None:
        monkeypatch.delenv(SHAPES_KEPT)
    train(tiny, examples, tmp_path)
    assert os.environ[SHAPES_KEPT] == (own or "16")


def test_a_loss_on_every_step_is_learned_from_and_resumed(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    config = replace(tiny, gain=0.5)
    whole = train(config, examples, tmp_path / "whole").checkpoint
    assert whole.metrics["accuracy"] > 0.6
    assert not equal_weights(whole, uninterrupted)
    assert whole.training["run"]["gain"] == 0.5
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        stop_at(5, SystemError, patch)
        train(config, examples, tmp_path / "cut")
    assert equal_weights(train(config, examples, tmp_path / "cut", resume=True).checkpoint, whole)


def test_a_running_mean_of_the_weights_is_kept_and_resumed(
    tiny: TrainingConfig,
    examples: Examples,
    uninterrupted: Checkpoint,
    tmp_path: Path,
    monkeypatch: Patch,
) -> None:
    config = replace(tiny, ema=0.9)
    whole = train(config, examples, tmp_path / "whole").checkpoint
    assert whole.state_dict.keys() == uninterrupted.state_dict.keys()
    assert not equal_weights(whole, uninterrupted)
    with monkeypatch.context() as patch, pytest.raises(SystemError):
        stop_at(30, SystemError, patch)
        train(config, examples, tmp_path / "cut")
    assert equal_weights(train(config, examples, tmp_path / "cut", resume=True).checkpoint, whole)


def test_half_precision_without_a_gpu_is_refused(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(TrainingError, match=r"fp16|another precision|mixed_precision"):
        train(replace(tiny, mixed_precision="fp16"), examples, tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()


def record(epoch: int, loss: float) -> EpochRecord:
    return EpochRecord(epoch, 1.0, Metrics(loss, 0.5, 0.5, 0.5, 0.0), 0.1, 1.0)


def test_the_weights_with_the_lowest_held_out_loss_are_kept() -> None:
    state, weights = TrainerState(), {"w": torch.zeros(1)}
    for epoch, loss in enumerate([0.5, 0.3, 0.4, 0.3], start=1):
        weights["w"].fill_(epoch)
        state.finish_epoch(record(epoch, loss), weights)
    assert state.best_epoch.epoch == 2
    assert state.best["w"].item() == 2


def test_a_run_is_over_when_the_held_out_loss_has_stopped_falling() -> None:
    state = TrainerState()
    assert not state.is_over(epochs=9, patience=2)
    for epoch, loss, over in [(1, 0.5, False), (2, 0.6, False), (3, 0.5, True)]:
        state.finish_epoch(record(epoch, loss), {})
        assert state.is_over(epochs=9, patience=2) is over
    assert not state.is_over(epochs=9, patience=3)
    assert state.is_over(epochs=3, patience=3)


def test_patience_waits_for_the_end_of_the_warm_up() -> None:
    state = TrainerState()
    for epoch, loss in enumerate([0.5, 0.6, 0.7, 0.8, 0.9], start=1):
        state.finish_epoch(record(epoch, loss), {})
        assert state.is_over(epochs=9, patience=2, warm_up=3) is (epoch == 5)


def test_an_early_stop_says_so(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    coins = tuple(n // 2 % 2 for n in range(len(examples)))  # labels that nothing tells
    result = train(replace(tiny, epochs=20, patience=1), replace(examples, labels=coins), tmp_path)
    epochs = sum(line.startswith("epoch ") for line in caplog.messages)
    assert 7 <= epochs < 20  # 6 epochs of warm-up
    best = result.checkpoint.training["best_epoch"]
    assert f"stopped early: no lower held-out loss in 1 epochs; epoch {best} is kept" in caplog.text


def test_the_picture_and_the_log_say_which_epoch_is_kept_and_why() -> None:
    history = [record(1, 0.5), record(2, 0.3), record(3, 0.4)]
    whole, longer = TrainerConfig(3, 0.1, patience=1), TrainerConfig(9, 0.1, patience=1)
    assert kept(history, whole) == "kept: epoch 2 of 3, with the lowest held-out loss (0.3000)"
    assert kept(history, longer).startswith("stopped early: no lower held-out loss in 1 epochs;")
    figure = curves(history, longer, {"TF-IDF": 0.84})
    assert figure.get_suptitle() == kept(history, longer)
    losses, accuracies = (
        {text.get_text() for text in axes.get_legend().get_texts()} for axes in figure.axes
    )
    assert losses == {"training", "held out", "learning rate rises", "kept"}
    assert accuracies == {"TF-IDF", "kept"}


def test_few_held_out_texts_and_contradictions_are_told(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lstm_training")
    texts = (*examples.texts, examples.texts[0].upper(), examples.texts[1] + " …")
    labels = (*examples.labels, 1 - examples.labels[0], examples.labels[1])
    result = train(replace(tiny, epochs=1), Examples("more", texts, labels), tmp_path)
    rows = result.checkpoint.training["rows"]
    assert (rows["copies"], rows["conflicting"]) == (1, 2)
    assert "2 texts are left out because" in caplog.text
    assert "only 24 texts are held out" in caplog.text


def test_a_model_that_answers_no_numbers_is_one_line(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path, monkeypatch: Patch
) -> None:
    nothing = torch.full((24,), float("nan"))
    monkeypatch.setattr("lstm_training.trainer.classifier.predict", lambda *_: nothing)
    with pytest.raises(TrainingError, match="no numbers any more: try a lower --learning-rate"):
        train(tiny, examples, tmp_path)


def test_processes_share_every_batch(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    trainer = Classifier(tiny, prepare(examples, tiny)).trainer(tmp_path)

    class Process:
        num_processes = 4

        def __init__(self, index: int) -> None:
            self.process_index = index

    batches, shares = trainer.batches_of(0), []
    for index in range(4):
        trainer.accelerator = Process(index)
        assert trainer.batches_of(0) == batches
        shares.append([trainer.share_of(batch) for batch in [*batches, [5, 6]]])
    for batch, parts in zip(batches, zip(*shares, strict=True), strict=False):
        assert sorted(n for part, _ in parts for n in part) == sorted(batch)
        assert sum(weight for _, weight in parts) == pytest.approx(4)
    # Two texts for four processes: two of them take one that weighs nothing.
    assert [share[-1] for share in shares] == [([5], 2), ([6], 2), ([5], 0), ([5], 0)]
    assert isinstance(TrainingInterruptedError("x"), TrainingError)


def test_each_option_of_the_model_reaches_it(tiny: TrainingConfig, examples: Examples) -> None:
    sizes: dict[str, Callable[[Classifier], object]] = {
        "embedding_dim": lambda made: made.model.embedding.embedding_dim,
        "hidden_dim": lambda made: made.model.lstm.hidden_size,
        "n_layers": lambda made: made.model.lstm.num_layers,
        "drop_prob": lambda made: made.model.lstm.dropout,
        "embedding_dropout": lambda made: made.model.embedding_dropout.p,
    }
    wanted = {"embedding_dim": 7, "hidden_dim": 9, "n_layers": 3, "drop_prob": 0.1}
    config = replace(tiny, **wanted, embedding_dropout=0.2)  # type: ignore[arg-type] # a mix
    classifier = Classifier(config, prepare(examples, config))
    for name, read in sizes.items():
        assert read(classifier) == getattr(config, name)


def test_what_a_kill_left_half_written_goes_when_the_run_ends(
    tiny: TrainingConfig, examples: Examples, tmp_path: Path
) -> None:
    for name in (".resume-0123abcd.pt", ".resume-mine.pt", "resume-0123abcd.pt"):
        (tmp_path / name).write_bytes(b"half")
    train(replace(tiny, epochs=1), examples, tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert {".resume-mine.pt", "resume-0123abcd.pt", "model.pt"} <= left
    assert not left & {".resume-0123abcd.pt", "resume.pt"}
