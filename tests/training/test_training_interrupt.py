import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from lstm_runtime.errors import InputError
from lstm_training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from lstm_training.cli.train import main
from lstm_training.distillation.config import DistillationConfig
from lstm_training.distillation.run import run_distillation
from lstm_training.processes import only_run_in
from lstm_training.trainer.signals import graceful_shutdown

pytestmark = pytest.mark.slow  # each test trains


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_acts(number: signal.Signals) -> None:
    def act(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(number, act)
    try:
        with graceful_shutdown() as stop:
            assert not stop.asked
            signal.raise_signal(number)
            assert stop.asked
            with pytest.raises(InterruptedError):
                signal.raise_signal(number)
        assert signal.getsignal(number) is act
    finally:
        signal.signal(number, before)


def test_signals_act_at_once_where_they_are_not_deferred() -> None:
    with graceful_shutdown(enabled=False), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def body() -> None:
        with graceful_shutdown() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.asked))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [(before, False)]


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not path.exists():
        time.sleep(0.01)


def press_ctrl_c(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)


def press_ctrl_c_halfway(checkpoint: Checkpoint, path: Path) -> None:
    def save(_: object, file: BinaryIO) -> None:
        file.write(b"PK")
        press_ctrl_c()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.save", save)
        save_checkpoint(checkpoint, path)


@pytest.mark.parametrize(
    ("where", "press"),
    [
        ("api.HeldOutResult.fitted", press_ctrl_c),  # the last measures
        ("evaluation.baselines._tfidf", press_ctrl_c),
        ("trainer.report.confusion", press_ctrl_c),  # a picture
        ("api.save_checkpoint", press_ctrl_c_halfway),
    ],
)
def test_ctrl_c_after_the_last_epoch_ends_quietly_and_loses_nothing(
    where: str,
    press: Callable[..., None],
    reviews_csv: Path,
    tiny_options: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def called(*more: str) -> object:
        with pytest.raises(SystemExit) as end:
            main([f"--data={reviews_csv}", "-o", str(tmp_path), *tiny_options, "--epochs=1", *more])
        return end.value.code or 0

    with monkeypatch.context() as patch:
        patch.setattr(f"lstm_training.{where}", press)
        assert called() == 1
    printed, told = capfd.readouterr()
    assert (printed, "Traceback" in told, "rror" in told) == ("", False, False)
    left = {path.name for path in tmp_path.iterdir()}
    assert "resume.pt" in left and "model.pt" not in left
    assert not [name for name in left if name.startswith(".")]
    assert called("--resume") == 0
    assert load_checkpoint(tmp_path / "model.pt").metrics["accuracy"] > 0
    assert "epoch 1/1" not in capfd.readouterr().err  # which was learned before


def test_a_second_run_in_a_folder_is_told_of_the_first(
    start_train: Callable[..., "subprocess.Popen[str]"],
    reviews_csv: Path,
    tiny_options: tuple[str, ...],
    tmp_path: Path,
) -> None:
    command = (f"--data={reviews_csv}", "-o", str(tmp_path), *tiny_options)
    first = start_train(*command, "--epochs=10000", "--patience=10000")
    wait_for(tmp_path / "resume.pt")
    for more in ((), ("--resume",), ("--overwrite",)):
        second = start_train(*command, *more)
        told = second.communicate(timeout=200)[1]
        assert second.returncode == 1
        assert f"{tmp_path} is being written by process {first.pid} on " in told
    assert first.poll() is None
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=200)
    assert [path.name for path in tmp_path.iterdir()] == ["resume.pt"]
    last = start_train(*command, "--overwrite")
    last.communicate(timeout=200)
    assert last.returncode == 0


def test_a_distillation_holds_its_folder(tmp_path: Path) -> None:
    with only_run_in(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} on "):
        run_distillation(DistillationConfig(), tmp_path, "model")
