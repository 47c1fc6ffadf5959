import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from lstm_training.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow  # each test trains

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Options = tuple[str, ...]


def test_a_run_prints_its_measures_and_files(
    run: Command, reviews_csv: Path, tiny_options: Options, tmp_path: Path
) -> None:
    result = run("lstm-train", "--data", str(reviews_csv), "-o", str(tmp_path), *tiny_options)
    assert result.returncode == 0, result.stderr
    assert "accuracy" in result.stdout
    checkpoint = load_checkpoint(tmp_path / "model.pt")
    assert f"{checkpoint.metrics['accuracy']:.4f}" in result.stdout
    for wanted in ("TF-IDF with logistic regression", "the more frequent label", "this model"):
        assert wanted in result.stdout
    baseline = checkpoint.training["baselines"]["TF-IDF with logistic regression"]["accuracy"]
    worse = "The model is worse than TF-IDF with logistic regression on these texts."
    assert (worse in result.stdout) == (checkpoint.metrics["accuracy"] < baseline)
    written = [Path(line) for line in result.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert sorted(written) == sorted(tmp_path.iterdir())
    # Without a terminal: what was chosen, lines for the data, the start and each epoch, no bar.
    told = [line.split()[0] for line in result.stderr.splitlines()]
    assert told == ["chosen", "216", "labels", "0.0%", *["epoch"] * 4, "kept:", "only", "--folds"]


def test_columns_and_labels_can_be_named(
    run: Command, tiny_options: Options, tmp_path: Path
) -> None:
    lines = [f"{'ham' if n % 2 else 'spam'};x" for n in range(8)]
    rows = [f"{line.split(';')[0]}\tsome words {n}" for n, line in enumerate(lines)]
    (tmp_path / "mail.tsv").write_text("\n".join(["kind\tbody", *rows]))
    result = run(
        "lstm-train", "--data", str(tmp_path / "mail.tsv"), "-o", str(tmp_path / "out"),
        "--text-column=body", "--label-column=kind", "--labels=spam,ham", *tiny_options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert load_checkpoint(tmp_path / "out/model.pt").labels == ("spam", "ham")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--data", "nowhere.csv"], 1, "nowhere.csv: no such file"),
        (["--data", "bad.csv"], 1, "bad.csv, line 3: unknown label"),
        (["--data", "good.csv", "-o", "bad.csv"], 2, "bad.csv"),
        (["--data", "good.csv", "-o", "bad.csv/out"], 1, "bad.csv"),
        (["--epochs", "0"], 2, "epochs is 0; it must be at least 1"),
        (["--epochs", "many"], 2, "not a valid integer"),
        (["--learning-rate", "inf"], 2, "learning_rate is inf; it must be a finite number"),
        (["--data", ""], 1, "'': no such file or folder"),
        (["--labels", "one"], 2, "two different values"),
        (["--resume", "--overwrite"], 2, "choose one"),
        (["--mixed-precision", "int8"], 2, "int8"),
        (["--unknown"], 2, "No such option"),
    ],
)
def test_a_mistake_is_one_line(
    run: Command, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    (tmp_path / "bad.csv").write_text("text,label\na,1\nb,maybe\n")
    (tmp_path / "good.csv").write_text("text,label\na b,1\nb a,0\nc a,1\nd a,0\n")
    result = run("lstm-train", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert [line for line in result.stderr.splitlines() if "Error" in line] == [
        result.stderr.splitlines()[-1]
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


def test_help_and_version_do_not_load_torch() -> None:
    code = (
        "import sys; from lstm_training.cli.train import main\n"
        "try: main(['--help'])\n"
        "finally: assert not {'torch', 'accelerate', 'matplotlib', 'pyarrow'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "--resume" in result.stdout


@pytest.mark.parametrize(
    "module", ["lstm_training", "lstm_training.cli.evaluate", "lstm_training.distillation"]
)
def test_commands_are_modules_too(run: Command, module: str) -> None:
    result = run("python", "-m", module, "--version")
    assert result.returncode == 0, result.stderr
    assert version("lstm-edge") in result.stdout


def test_a_missing_library_names_the_extra(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        f"from lstm_training.cli.train import main; main(['-o', {str(tmp_path)!r}])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert result.stderr == ("Error: torch is not installed: pip install 'lstm-edge[train]'\n")


def wait_for_batches(state: Path, batches: int) -> None:
    """Wait until a run in its first epoch has saved its state after so many batches."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if state.exists():
            progress = torch.load(state, weights_only=True)["state"]["progress"]
            if progress["epoch"] or progress["batch"] >= batches:
                return
        time.sleep(0.01)
    pytest.fail(f"{state} did not come to batch {batches}")


# Long enough to be met in the middle: some 900 steps.
LONG: Options = (
    "--epochs=4", "--batch-size=1", "--embedding-dim=16", "--hidden-dim=16", "--patience=4",
    "--checkpoint-every=7",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(
    run: Command, reviews_csv: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, torch.Tensor]:
    """Return the weights of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    result = run("lstm-train", "--data", str(reviews_csv), "-o", str(folder), *LONG)
    assert result.returncode == 0, result.stderr
    return load_checkpoint(folder / "model.pt").state_dict


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_resumes_to_the_same_weights(
    start_train: Callable[..., "subprocess.Popen[str]"],
    run: Command,
    reviews_csv: Path,
    whole: dict[str, torch.Tensor],
    tmp_path: Path,
    signal_: signal.Signals,
) -> None:
    command = ("--data", str(reviews_csv), "-o", str(tmp_path), *LONG)
    process = start_train(*command)
    wait_for_batches(tmp_path / "resume.pt", 14)
    process.send_signal(signal_)
    out, err = process.communicate(timeout=60)
    assert not (tmp_path / "model.pt").exists(), "the run was over before the signal"
    assert out == ""
    if signal_ == signal.SIGINT:
        assert process.returncode == 1
        assert err.splitlines()[-1].startswith("Error: stopped in epoch ")
        assert "--resume" in err
    else:
        assert process.returncode == -signal.SIGKILL

    result = run("lstm-train", *command, "--resume")
    assert result.returncode == 0, result.stderr
    assert "going on in epoch" in result.stderr
    resumed = load_checkpoint(tmp_path / "model.pt").state_dict
    assert all(resumed[name].equal(whole[name]) for name in whole)
    names = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert "resume.pt" not in names
