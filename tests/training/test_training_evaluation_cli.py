"""``lstm-evaluate`` as a process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from lstm_training.api import train
from lstm_training.checkpoint import load_checkpoint, save_checkpoint
from lstm_training.cli.evaluate import main
from lstm_training.config import TrainingConfig
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples
from lstm_training.data.tables import Columns

pytestmark = pytest.mark.slow  # each test starts PyTorch

Command = Callable[..., "subprocess.CompletedProcess[str]"]

ROWS = [
    ("a wonderful film, the best of all", 1),
    ("i loved it and would see it again", 1),
    ("a dull and terrible mess, the worst", 0),
    ("boring, awful and far too long", 0),
    ("a wonderful film, the best of all, \x1b[31mred\nlines [b]", 0),
    ("…", 0),
]


NAMES = ("spam", "ham")


def called(*arguments: str) -> object:
    """Call the command in this process, which has loaded torch; return its exit status."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return caught.value.code or 0


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.jsonl"
    path.write_text("".join(json.dumps({"text": t, "label": n}) + "\n" for t, n in ROWS))
    return path


def test_the_bundled_model_is_measured_and_shown(run: Command, reviews: Path) -> None:
    done = run("lstm-evaluate", "--data", str(reviews))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "default.int8.onnx (int8, CPUExecutionProvider) on reviews.jsonl"
    for wanted in ("accuracy", "95 % interval", "F1 of positive", "AUROC", "log loss",
                   "calibration error", "Brier score", "called positive", "1-10"):  # fmt: skip
        assert wanted in done.stdout
    assert any(line.split() == ["without", "a", "known", "word", "1"] for line in lines)
    assert "positive" in lines[-2] and "wonderful" in lines[-2] and "red lines [b]" in lines[-2]
    assert "\x1b" not in done.stdout
    assert all(len(line) <= 100 for line in lines)


def test_any_text_can_be_shown_anywhere(run: Command, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,label\n" + "a dull film \u6620 " * 20 + ",1\n", "utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = run("lstm-evaluate", f"--data={tmp_path / 'a.csv'}", env=environment, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a dull film" in done.stdout


def test_json_is_one_strict_document(run: Command, reviews: Path, model_files) -> None:
    done = run(
        "lstm-evaluate", str(model_files["fp32"]), "--data", str(reviews), "--json",
        "--provider=cpu", "--mistakes=1",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout, parse_constant=pytest.fail)
    assert found["model"]["precision"] == "fp32"
    assert (found["texts"], found["without_known_word"]) == (6, 1)
    counts = found["confusion"]
    assert sum(counts.values()) == sum(bucket["texts"] for bucket in found["lengths"]) == 6
    assert found["accuracy"] == (counts["true_negative"] + counts["true_positive"]) / 6
    assert found["accuracy_interval"][0] <= found["accuracy"] <= found["accuracy_interval"][1]
    assert len(found["mistakes"]) == 1
    assert found["mistakes"][0]["text"] == ROWS[found["mistakes"][0]["number"] - 1][0]


def test_a_checkpoint_leaves_its_measures_in_a_folder(
    run: Command, reviews: Path, checkpoint_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folder = tmp_path / "new" / "folder"
    done = run(
        "lstm-evaluate", str(checkpoint_file), "--data", str(reviews), "-o", str(folder),
        "--mistakes=0",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    written = {Path(line) for line in done.stdout.splitlines() if line.startswith(str(folder))}
    assert written == set(folder.iterdir())
    assert {path.name for path in written} == {
        "evaluation.json", "mistakes.jsonl", "confusion.png", "reliability.png",
        "accuracy_by_length.png",
    }  # fmt: skip
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in written if path.suffix == ".png")
    found = json.loads((folder / "evaluation.json").read_text())
    assert (found["model"]["provider"], found["mistakes"]) == ("PyTorch", [])
    assert "Most confident" not in done.stdout
    mistakes = (folder / "mistakes.jsonl").read_text().splitlines()
    counts = found["confusion"]
    assert len(mistakes) == counts["false_negative"] + counts["false_positive"] > 0
    # The mistakes are labelled texts themselves, and every one of them is a mistake.
    assert called(str(checkpoint_file), f"--data={folder / 'mistakes.jsonl'}", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 0


def test_a_models_own_names_are_labels(
    reviews_csv: Path, tiny: TrainingConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.tsv"
    rows = (line.rpartition(",") for line in reviews_csv.read_text().splitlines()[1:])
    lines = [f"{'ham' if label == '1' else 'spam'}\t{text}" for text, _, label in rows]
    own.write_text("\n".join(["kind\tbody", *lines]))
    train(tiny, load_examples(str(own), Columns("body", "kind"), LabelScheme(NAMES)), tmp_path)
    command = [str(tmp_path / "model.pt"), f"--data={own}"]
    command += ["--text-column=body", "--label-column=kind"]
    for labels in ((), ("--labels=spam,ham",), ("--labels=ham,spam",)):
        assert called(*command, *labels, "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["accuracy"] > 0.7
        assert tuple(found["model"]["labels"]) == NAMES
    assert called(*command) == 0
    shown = capsys.readouterr().out
    assert "made from these very texts" in shown and "called spam" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "Missing option '--data'"),
        (["--data", "nowhere.csv"], 1, "nowhere.csv: no such file"),
        (["--data", "empty.csv"], 1, "empty.csv is empty"),
        (["--data", "other.csv"], 1, "no column 'text'"),
        (["--data", "good.csv", "--labels", "one"], 2, "two different values"),
        (["--data", "good.csv", "--provider", "abacus"], 1, "no execution provider 'abacus'"),
        (["--data", "good.csv", "-o", "empty.csv"], 2, "empty.csv"),
        (["--data", "good.csv", "-o", "empty.csv/out"], 1, "empty.csv"),
        (["nowhere.pt", "--data", "good.csv"], 1, "nowhere.pt: no such file"),
        ([".", "--data", "good.csv"], 1, "is a folder"),
        (["good.csv", "--data", "good.csv"], 1, "neither a model.pt of lstm-train nor an .onnx"),
        (["empty.onnx", "--data", "good.csv"], 1, "empty.onnx"),
        (["empty.pt", "--data", "good.csv"], 1, "empty.pt is not a"),
        (["cut.pt", "--data", "good.csv"], 1, "cut.pt is not a complete PyTorch file"),
        (["cut.onnx", "--data", "good.csv"], 1, "cut.onnx"),
        (["model.pt", "--data", "good.csv", "--provider", "cpu"], 1, "--provider is for .onnx"),
        (["nan.pt", "--data", "good.csv"], 1, "the model's answer to 2 texts is not a number"),
    ],
)
def test_a_mistake_is_one_line(
    checkpoint_file: Path, model_files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str,
) -> None:  # fmt: skip
    (tmp_path / "good.csv").write_text("text,label\na b,1\nb a,0\n")
    (tmp_path / "other.csv").write_text("body,label\na b,1\n")
    for name in ("empty.csv", "empty.onnx", "empty.pt"):
        (tmp_path / name).write_bytes(b"")
    for name, path in (("pt", checkpoint_file), ("onnx", model_files["int8"])):
        (tmp_path / f"cut.{name}").write_bytes(path.read_bytes()[:-5000])
    (tmp_path / "model.pt").write_bytes(checkpoint_file.read_bytes())
    broken = load_checkpoint(checkpoint_file)
    broken.state_dict["fc.bias"].fill_(float("nan"))
    save_checkpoint(broken, tmp_path / "nan.pt")
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    assert called(*arguments) == code
    output, errors = capsys.readouterr()
    assert (output, message in errors) == ("", True), errors
    assert [line for line in errors.splitlines() if "Error" in line] == [errors.splitlines()[-1]]
    assert sorted(tmp_path.iterdir()) == before


def in_python(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_help_does_not_load_what_is_slow() -> None:
    done = in_python(
        "import sys; from lstm_training.cli.evaluate import main\n"
        "try: main(['--help'])\n"
        "finally: assert not {'torch', 'rich', 'matplotlib', 'numpy'} & set(sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    assert "--mistakes" in done.stdout


@pytest.mark.parametrize(("library", "extra"), [("torch", "train"), ("onnxruntime", "cpu")])
def test_a_missing_library_names_the_extra(library: str, extra: str, reviews: Path) -> None:
    done = in_python(
        f"import sys; sys.modules[{library!r}] = None\n"
        "from lstm_training.cli.evaluate import main; main()",
        "--data", str(reviews),
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"Error: {library} is not installed: pip install 'lstm-edge[{extra}]'\n"


def test_a_checkpoint_needs_no_onnxruntime(checkpoint_file: Path, reviews: Path) -> None:
    done = in_python(
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from lstm_training.cli.evaluate import main; main()",
        str(checkpoint_file), "--data", str(reviews),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_quietly_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "many.csv").write_text("text,label\n" + f"{'word ' * 300},1\n" * 20_000)
    code = (
        "import os, signal, sys, threading; from lstm_training.cli.evaluate import main\n"
        "import lstm_training.evaluation.onnx_predictor as answers\n"
        "ask = answers.OnnxPredictor.predict\n"
        "def answer(self, texts):\n"
        "    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    return ask(self, texts)\n"
        "answers.OnnxPredictor.predict = answer\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--data", "many.csv", "-o", "out"],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the stream")
def test_measures_for_a_closed_output_are_refused(reviews: Path) -> None:
    script = Path(sys.executable).with_name("lstm-evaluate")
    for json_too in ("", "--json"):
        command = ["bash", "-c", f"{script} --data {reviews} {json_too} >&-"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (1, "Error: standard output is closed\n")
