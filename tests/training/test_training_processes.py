"""Training on several processes of one machine: the model of one process, one writer, resumable."""

import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import torch
from lstm_training.checkpoint import load_checkpoint
from training.conftest import made_up_reviews

IP = shutil.which("ip")

pytestmark = pytest.mark.slow  # each test starts several processes that load PyTorch

SETTINGS = (
    *("--epochs", "3", "--batch-size", "15", "--embedding-dim", "16", "--hidden-dim", "16"),
    *("--n-layers", "1", "--learning-rate", "0.02", "--checkpoint-every", "2", "--no-baselines"),
)
NO_DROPOUT = ("--embedding-dropout", "0", "--word-dropout", "0", "--drop-prob", "0")
# The seed model's own dropout has no option.
SCRIPT = """
import torch
torch.nn.Dropout.forward = lambda self, x: x
from lstm_training.cli.train import main
main()
"""
LAUNCHERS = {
    "torchrun 2": ("torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
    "torchrun 4": ("torch.distributed.run", "--standalone", "--nproc-per-node", "4"),
    "accelerate 2": ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
}


def command(launcher: str | None, data: Path, output: Path, *more: str) -> list[str]:
    start = ["-m", *LAUNCHERS[launcher]] if launcher else []
    what = ["-m", "lstm_training"]
    if set(NO_DROPOUT) <= set(more):
        what = [str(output.with_name(f"{output.name}.py"))]
        Path(what[0]).write_text(SCRIPT, "utf-8")
    options = ["--data", str(data), "-o", str(output), *SETTINGS, *more]
    return [sys.executable, *start, *what, *options]


def environment() -> dict[str, str]:
    # Nothing but the loopback: the processes are on this machine.
    return os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def run(launcher: str | None, data: Path, output: Path, *more: str) -> str:
    found = subprocess.run(
        command(launcher, data, output, *more),
        capture_output=True, text=True, check=False, timeout=400, env=environment(),
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    return found.stderr


@pytest.fixture(scope="module")
def alone(reviews_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("alone")
    run(None, reviews_csv, output, *NO_DROPOUT)
    return output


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_several_processes_make_the_model_of_one(
    launcher: str, reviews_csv: Path, alone: Path, tmp_path: Path
) -> None:
    cache = ("--cache", str(tmp_path.with_name("cache"))) if launcher == "torchrun 4" else ()
    log = run(launcher, reviews_csv, tmp_path, *NO_DROPOUT, *cache)
    assert log.count(f"{launcher[-1]} processes share each batch of 15 texts") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in alone.iterdir()
    )
    found, wanted = (load_checkpoint(folder / "model.pt") for folder in (tmp_path, alone))
    for name, weights in wanted.state_dict.items():
        torch.testing.assert_close(found.state_dict[name], weights, atol=1e-4, rtol=1e-3)
    assert found.metrics["accuracy"] == wanted.metrics["accuracy"]
    assert found.metrics["loss"] == pytest.approx(wanted.metrics["loss"], abs=1e-4)


def test_processes_that_are_killed_go_on_as_if_they_had_not_been(
    reviews_csv: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run("torchrun 2", reviews_csv, whole)
    with subprocess.Popen(
        command("torchrun 2", reviews_csv, killed, "--epochs", "3"),
        stderr=subprocess.DEVNULL, env=environment(),
    ) as process:  # fmt: skip
        state, deadline = killed / "resume.pt", time.monotonic() + 300
        before = None
        while time.monotonic() < deadline:  # the second writing is behind the first batches
            now = state.stat().st_mtime_ns if state.exists() else None
            if before is not None and now != before:
                break
            before = now
            time.sleep(0.001)
        # torchrun gives its processes sessions of their own.
        launcher = psutil.Process(process.pid)
        for one in [*launcher.children(recursive=True), launcher]:
            one.kill()
    assert not (killed / "model.pt").exists()
    log = run("torchrun 2", reviews_csv, killed, "--resume")
    assert "going on in epoch" in log
    found, wanted = (load_checkpoint(folder / "model.pt") for folder in (killed, whole))
    for name, weights in wanted.state_dict.items():
        assert torch.equal(found.state_dict[name], weights), name
    histories = [(folder / "history.csv").read_text().splitlines() for folder in (killed, whole)]
    losses = [[line.split(",")[:3] for line in lines] for lines in histories]
    assert losses[0] == losses[1]


def test_what_all_processes_find_is_said_once(tmp_path: Path) -> None:
    for more in (("--data", "missing.csv"), ("--epochs", "no number")):
        found = subprocess.run(
            [*command("torchrun 2", tmp_path, tmp_path / "out"), *more],
            capture_output=True, text=True, check=False, timeout=400, env=environment(),
        )  # fmt: skip
        assert found.returncode == 1
        lines = found.stderr.splitlines()
        assert sum(line.startswith("Error: ") for line in lines) == 1, found.stderr


@pytest.mark.parametrize("what", ["lstm_training", "lstm_training.cli.evaluate"])
def test_processes_with_other_texts_are_refused(
    what: str, reviews_csv: Path, tmp_path: Path
) -> None:
    texts = reviews_csv.read_text("utf-8")
    (tmp_path / "0.csv").write_text(texts, "utf-8")
    (tmp_path / "1.csv").write_text(texts.replace("bad", "poor", 1), "utf-8")
    more = "-o out --start-from none --no-baselines" if what == "lstm_training" else "default"
    script = f'exec {sys.executable} -m {what} --data "$RANK.csv" {more}'
    (tmp_path / "script").write_text(script, "utf-8")
    found = subprocess.run(
        [sys.executable, "-m", *LAUNCHERS["torchrun 2"], "--no-python", "sh", "script"],
        capture_output=True, text=True, check=False, timeout=400, env=environment(), cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 1
    assert "Error: " in found.stderr
    words = "process 1 has other texts or settings than process 0: data_sha256"
    assert (
        words if what == "lstm_training" else "the processes have different texts"
    ) in found.stderr


@pytest.mark.parametrize("killed", [0, 1])
def test_a_process_that_dies_alone_ends_the_others_in_words(
    killed: int, reviews_csv: Path, tmp_path: Path, free_port: int
) -> None:
    # Without torchrun, which would end the other one before it can say anything.
    started = []
    for rank in ("0", "1"):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
        place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port)}
        line = command(None, reviews_csv, tmp_path / "out", "--epochs", "5000")
        at = environment() | place
        started.append(subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=at))
    try:
        deadline = time.monotonic() + 300
        while not (tmp_path / "out" / "resume.pt").exists():
            assert time.monotonic() < deadline
            assert [one.poll() for one in started] == [None, None]
            time.sleep(0.05)
        started[killed].kill()
        _, words = started[1 - killed].communicate(timeout=200)
    finally:
        for one in started:
            one.kill()
            one.communicate()
    assert started[1 - killed].returncode == 1
    assert "another process of the run has ended" in words.splitlines()[-1]
    assert "Traceback" not in words


def test_what_a_process_finds_alone_it_says_itself(tmp_path: Path) -> None:
    found = subprocess.run(
        command(None, tmp_path / "missing.csv", tmp_path / "out"),
        capture_output=True, text=True, check=False, timeout=400,
        env=environment() | {"RANK": "1", "WORLD_SIZE": "2"},
    )  # fmt: skip
    assert found.returncode == 1
    assert found.stderr.startswith("Error: process 1: ")
    assert found.stderr.count("\n") == 1


def test_another_number_of_processes_does_not_go_on(reviews_csv: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        command("torchrun 2", reviews_csv, tmp_path, "--epochs", "5000"),
        stderr=subprocess.DEVNULL, env=environment(),
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 300
        while not (tmp_path / "resume.pt").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)  # Ctrl-C at the launcher
        assert process.wait(100) != 0
    found = subprocess.run(
        command(None, reviews_csv, tmp_path, "--epochs", "5000", "--resume"),
        capture_output=True, text=True, check=False, timeout=400, env=environment(),
    )  # fmt: skip
    assert found.returncode == 1
    assert "processes" in found.stderr.splitlines()[-1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def two_machines() -> Iterator[tuple[str, str]]:
    """Yield two network namespaces with a cable between them."""
    names = (f"lstm-a-{os.getpid()}", f"lstm-b-{os.getpid()}")
    cable = "link add va netns {0} type veth peer name vb netns {1}"
    lines = ["netns add {0}", "netns add {1}", cable]
    for n, end in enumerate(("va", "vb")):
        at = f"-n {{{n}}}"
        lines += [f"{at} addr add 10.77.0.{n + 1}/24 dev {end}", f"{at} link set {end} up"]
        lines += [f"{at} link set lo up"]
    try:
        for line in lines:
            made = subprocess.run([str(IP), *line.format(*names).split()], check=False)
            if made.returncode:
                pytest.skip("network namespaces cannot be made here")
        yield names
    finally:
        for name in names:
            subprocess.run([str(IP), "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


@pytest.mark.skipif(IP is None, reason="needs the command ip")
def test_two_machines_make_the_model_of_one(
    two_machines: tuple[str, str], reviews_csv: Path, alone: Path, tmp_path: Path
) -> None:
    started = []
    for n, (name, interface) in enumerate(zip(two_machines, ("va", "vb"), strict=True)):
        launcher = ["--nnodes", "2", "--node-rank", str(n), "--nproc-per-node", "1"]
        launcher += ["--master-addr", "10.77.0.1", "--master-port", "29511"]
        options = command(None, reviews_csv, tmp_path / str(n), *NO_DROPOUT)[1:]
        line = [sys.executable, "-m", "torch.distributed.run", *launcher, *options]
        started.append(
            subprocess.Popen(
                [str(IP), "netns", "exec", name, *line],
                env=environment() | {"GLOO_SOCKET_IFNAME": interface},
            )
        )
    assert [process.wait(400) for process in started] == [0, 0]
    assert not list((tmp_path / "1").iterdir()), "the first process alone writes"
    found, wanted = (load_checkpoint(f / "model.pt") for f in (tmp_path / "0", alone))
    for name, weights in wanted.state_dict.items():
        torch.testing.assert_close(found.state_dict[name], weights, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("texts", [1, 41])  # one process has fewer texts, or none
@pytest.mark.parametrize("model", ["model.pt", "default"])
def test_processes_evaluate_each_text_once_and_give_one_report(
    alone: Path, tmp_path: Path, texts: int, model: str
) -> None:
    data = tmp_path / "some.csv"
    with data.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *made_up_reviews(texts)])
    which = str(alone / model) if model.endswith(".pt") else model
    reports = []
    for launcher in ([], ["-m", *LAUNCHERS["torchrun 2"]]):
        line = [*launcher, "-m", "lstm_training.cli.evaluate", which, "--data", str(data), "--json"]
        found = subprocess.run(
            [sys.executable, *line],
            capture_output=True, text=True, check=False, timeout=400, env=environment(),
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        reports.append(found.stdout)
    # Other batches round in another way.
    wanted = json.loads(reports[0], parse_float=lambda x: pytest.approx(float(x), abs=1e-5))
    assert json.loads(reports[1]) == wanted
