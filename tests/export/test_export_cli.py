"""``lstm-export`` as a process."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from foreign_models import MeanPooled, UdacitySentiment, trained_like

pytestmark = pytest.mark.slow  # each test exports in a process of its own

HERE = Path(__file__).parent


def test_writes_and_proves_every_precision(run, checkpoint_file: Path, tmp_path: Path) -> None:
    precisions = [f"--precision={name}" for name in ("fp32", "int8", "fp16")]
    done = run("lstm-export", str(checkpoint_file), "-o", str(tmp_path), *precisions)
    assert (done.returncode, done.stderr) == (0, "")
    names = {"model.onnx", "model.int8.onnx", "model.fp16.onnx"}
    assert {path.name for path in tmp_path.iterdir()} == names | {
        "report.json",
        "parity.png",
        "model.md",
    }
    assert done.stdout.count("equal") == 4
    report = json.loads((tmp_path / "report.json").read_text())
    assert [entry["name"] for entry in report["outcomes"]] == ["numpy", "fp32", "int8", "fp16"]
    assert report["outcomes"][1]["largest"]["probability"] < 1e-5
    cases = {case["name"] for case in report["outcomes"][1]["cases"]}
    assert {"1 x 1", "1 x 7", "5 x 300", "32 x 230", "32 x 230, carried state"} <= cases
    assert (tmp_path / "parity.png").read_bytes().startswith(b"\x89PNG")
    card = (tmp_path / "model.md").read_text()
    assert all(name in card for name in (*names, "onnxruntime-node", "```cpp", "0.5"))
    for name in names:
        done = run("lstm-run", "--model", str(tmp_path / name), "--verify")
        assert done.returncode == 0 and "verified" in done.stdout
        assert not [t for t in onnx.load(tmp_path / name).graph.initializer if t.external_data]


def test_writes_beside_the_checkpoint_by_default(run, checkpoint_file, tmp_path) -> None:
    (tmp_path / "model.pt").write_bytes(checkpoint_file.read_bytes())
    (tmp_path / "notes.md").write_text("## Limits\n\nFür Filme.\n", encoding="utf-8-sig")
    command = ("lstm-export", str(tmp_path / "model.pt"), "--precision", "int8", "--state", "none")
    done = run(*command, "--notes", str(tmp_path / "notes.md"))
    assert done.returncode == 0
    card = (tmp_path / "model.md").read_text(encoding="utf-8")
    assert "\n\n## Limits\n\nFür Filme.\n\n## Origin\n" in card
    (tmp_path / "notes.md").write_bytes(b"\xff")
    assert run(*command, "--notes", str(tmp_path / "notes.md")).returncode == 2
    assert (tmp_path / "model.int8.onnx").exists() and not (tmp_path / "model.onnx").exists()


def test_users_own_class_is_the_original(run, tmp_path: Path) -> None:
    torch.save({"net": trained_like(MeanPooled()).state_dict()}, tmp_path / "net.pt")
    (tmp_path / "words.json").write_text(json.dumps({f"w{n}": n for n in range(300)}))
    done = run(
        *("lstm-export", "net.pt", "--module", "foreign_models:MeanPooled"),
        *("--init", '{"vocab_size": 300}', "--vocab", "words.json", "--labels", "1,2,3,4,5"),
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join([str(HERE.parent), *sys.path]), "COLUMNS": "100"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "MeanPooled.forward" in done.stdout
    done = run("lstm-run", "--model", str(tmp_path / "model.onnx"), "--json", "w4 w8 nothing w15")
    answer = json.loads(done.stdout)
    assert set(answer["scores"]) == set("12345")
    with torch.inference_mode():
        wanted = trained_like(MeanPooled())(torch.tensor([[4, 8, 15]])).exp().numpy()[0]
    assert np.allclose(list(answer["scores"].values()), wanted, atol=1e-5)


def test_pattern_of_a_foreign_tokeniser(run, tmp_path: Path) -> None:
    torch.save(trained_like(UdacitySentiment()).state_dict(), tmp_path / "net.pt")
    words = ["<pad>", "<unk>", "don", "'", "t", ".", *(f"Word-{n}" for n in range(294))]
    (tmp_path / "words.txt").write_text("\n".join(words))
    command = ("lstm-export", "net.pt", "--vocab", "words.txt", "--precision", "fp32")
    command += ("--readout", "last")
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 0
    assert "never makes 295 of the vocabulary's 300 words (such as '.', 'Word-0'" in done.stderr
    done = run(*command, "--pattern", "[A-Z]?[a-z]+-[0-9]+|[a-z]+|[.']", cwd=tmp_path)
    assert done.returncode == 0 and "294 of" in done.stderr, "only lower case is ever seen"
    done = run("lstm-run", "--model", str(tmp_path / "model.onnx"), "--trace", "Don't.")
    assert all(token in done.stdout for token in ("don", "'", "t", "."))
    for bad in ("(", "a*", "(?=a)a", "", "[a-z]+|[.']|[a-z]+-[0-9]+", "[a-z]+?"):
        done = run(*command, "--pattern", bad, cwd=tmp_path)
        told = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
        assert done.returncode == 1 and told[0].startswith("Error: token pattern"), bad
        assert len(told) == 1


def test_labelled_data_gives_accuracy_before_and_after(run, checkpoint_file, tmp_path) -> None:
    rows = [("a great film", "pos"), ("awful", "neg"), ("", "neg"), ("fun <br /> not", "pos")]
    lines = [json.dumps({"review": text, "y": label}) for text, label in rows]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    done = run(
        *("lstm-export", str(checkpoint_file), "-o", str(tmp_path / "out")),
        *("--data", str(tmp_path / "data.jsonl"), "--text-column=review", "--label-column=y"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    before, after = report["outcomes"][1]["accuracy"]
    assert before == after and before in {0.0, 0.25, 0.5, 0.75, 1.0}
    assert "row 3" in {case["name"] for case in report["outcomes"][1]["cases"]}


def test_failed_proof_exits_1_and_leaves_no_file(
    run, checkpoint_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    done = run("lstm-export", str(checkpoint_file), "-o", str(folder), "--atol", "int8=1e-9")
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert done.stderr.startswith("Error: not equal") and done.stderr.count("\n") == 1
    assert (folder / "model.onnx").exists() and not (folder / "model.int8.onnx").exists()
    assert str(folder / "model.onnx") in done.stdout.splitlines()
    for line in done.stdout.splitlines():
        assert not line.startswith(str(folder)) or Path(line).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "Missing argument"),
        (("none.pt",), 1, "no such file"),
        (("{checkpoint}", "--precision", "int4"), 2, "int4"),
        (("{checkpoint}", "--atol", "int8"), 2, "PRECISION=NUMBER"),
        (("{checkpoint}", "--atol", "int4=1"), 2, "PRECISION=NUMBER"),
        (("{checkpoint}", "--module", "no_such_module:Net"), 1, "cannot be built"),
        (("{checkpoint}", "--module", "json:loads", "--init", '{"s": "1"}'), 1, "not a module"),
        (("{checkpoint}", "--module", "json:loads", "--init", "["), 2, "not JSON"),
        (("{checkpoint}", "--unknown", "x"), 2, "add --vocab FILE"),
        (("{checkpoint}", "--init", "{{}}"), 2, "add --module FILE:CLASS"),
        (("{checkpoint}", "--label-column", "y"), 2, "add --data FILE"),
        (("{checkpoint}", "--precision", "fp32", "--full-range"), 2, "add --precision int8"),
        (("{checkpoint}", "--between", "swish"), 2, "is none of none, relu"),
        (("{checkpoint}", "--atol", "fp32=-1"), 1, "must hold positive numbers"),
        (("{checkpoint}", "--name", "../model"), 1, "is no file name"),
        (("{checkpoint}", "--name", "\udcff"), 1, "is no file name"),
        (("{checkpoint}", "--labels", "a,b,c"), 1, "2 different labels"),
        (
            ("{checkpoint}", "--labels", "a,b\x1b[2Jc"),
            1,
            "the label 'b\\x1b[2Jc' has",
        ),
        (("{checkpoint}", "--data", "none.csv"), 1, "none.csv"),
        (("{checkpoint}", "--vocab", "none.txt"), 1, "none.txt"),
        (("{checkpoint}", "-o", "/proc/nothing"), 1, "/proc/nothing"),
    ],
)
def test_wrong_use_is_one_line(run, checkpoint_file, arguments, code, message, tmp_path) -> None:
    filled = [a.format(checkpoint=checkpoint_file) if "{c" in a else a for a in arguments]
    if "-o" not in filled:
        filled += ["-o", str(tmp_path)]
    done = run("lstm-export", *filled, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr and "Traceback" not in done.stderr
    assert code == 2 or done.stderr.count("\n") == 1
    assert not list(tmp_path.glob("*.onnx"))


def test_help_groups_its_options(run) -> None:
    done = run("lstm-export", "-h")
    assert done.returncode == 0
    headings = re.findall(r"^(\w+):$", done.stdout, re.MULTILINE)
    assert headings == ["Examples", "Input", "Text", "Architecture", "Output", "Proof", "Other"]


def test_weights_alone_are_exported_as_assumed(run, tmp_path: Path) -> None:
    torch.save(trained_like(UdacitySentiment()).state_dict(), tmp_path / "net.pt")
    done = run("lstm-export", "net.pt", cwd=tmp_path)
    assert done.returncode == 1 and "--readout last" in done.stderr
    done = run("lstm-export", "net.pt", "--readout", "last", cwd=tmp_path)
    assert done.returncode == 0 and "note: weights alone: run as embedding, 2 LSTM" in done.stderr
    assert done.stdout.count("as assumed") == 4 and "equal" not in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert "as assumed" in report["original"] and report["network"].endswith(
        "linear 72 to 1, sigmoid"
    )


def test_help_is_instant() -> None:
    code = (
        "import sys; sys.argv = ['lstm-export', '--help']\n"
        "from lstm_export.cli.app import main\n"
        "try: main()\n"
        "finally: print({'torch', 'onnx', 'numpy', 'onnxruntime', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--precision" in done.stdout and done.stdout.endswith("set()\n")


@pytest.mark.parametrize("wait", [0.3, 1.5, 2.5, 3.0])
def test_kill_leaves_nothing_under_a_final_name_that_is_broken(
    checkpoint_file: Path, tmp_path: Path, wait: float
) -> None:
    command = [str(Path(sys.executable).with_name("lstm-export")), str(checkpoint_file)]
    process = subprocess.Popen([*command, "-o", str(tmp_path)], stdout=subprocess.DEVNULL)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in tmp_path.glob("[!.]*.onnx"):
        onnx.load(path)


def test_full_disk_is_one_line_and_leaves_nothing(run, checkpoint_file, tmp_path) -> None:
    """A file-size limit stands for the disk; Python turns its signal into an OSError."""
    command = f"{Path(sys.executable).with_name('lstm-export')} {checkpoint_file} -o {tmp_path}"
    done = subprocess.run(
        ["/bin/sh", "-c", f"ulimit -f 300; exec {command}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_all_is_written_before_anything_is_printed(run, checkpoint_file, tmp_path) -> None:
    """Where nothing can be printed, new models would else lie beside another model's card."""
    command = ("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "fp32")
    with Path("/dev/full").open("w") as full:
        done = run(*command, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"model.onnx", "report.json", "parity.png", "model.md"}
