"""Vocabulary files in the forms that tools write, and what becomes of unknown words."""

import json
import pickle
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from foreign_models import UdacitySentiment, trained_like
from lstm_export.checkpoint.vocabulary_file import UNKNOWN_WORDS, read_vocabulary
from lstm_export.report.coverage import measure_coverage
from lstm_runtime.errors import VocabularyError
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer

KERAS = {"class_name": "Tokenizer", "config": {"num_words": 3, "word_index": None}}
INDEX = json.dumps({"<OOV>": 1, "good": 2, "rare": 3})
VECTOR = " ".join(["0.1"] * 12)


@pytest.mark.parametrize(
    ("name", "content", "words", "unknown"),
    [
        ("v.tsv", "<pad>\t0\n<unk>\t1\ngood\t2", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.txt", "good 2\n<unk> 1\n<pad> 0\nbad 3", ("<pad>", "<unk>", "good", "bad"), "<unk>"),
        ("v.txt", "the\t900\nfun\t17\ngood\t17", ("the", "fun", "good"), None),
        ("v.txt", f"the {VECTOR}\ngood {VECTOR}", ("the", "good"), None),
        ("v.vec", f"2 12\nthe {VECTOR}\ngood {VECTOR}", ("the", "good"), None),
        ("v.json", '["<PAD>", "[UNK]", "good"]', ("<pad>", "[UNK]", "good"), "[UNK]"),
        ("v.json", '{"index_word": 0, "stoi": {"a": 0, "b": 1}}', ("a", "b"), None),
        ("v.json", '{"0": "a", "1": "b"}', ("a", "b"), None),
        ("v.json", '{"model": {"vocab": {"[PAD]": 0, "[UNK]": 1}}}', ("<pad>", "[UNK]"), "[UNK]"),
        (
            "tokenizer.json",
            json.dumps({**KERAS, "config": {"num_words": 3, "word_index": INDEX}}),
            ("", "<OOV>", "good"),
            "<OOV>",
        ),
        ("v.txt", "\ufeff<pad>\n<UNK>\ngood", ("<pad>", "<UNK>", "good"), "<UNK>"),
        ("v.txt", "[PAD]\n[UNK]\ngood", ("<pad>", "[UNK]", "good"), "[UNK]"),
        ("v.txt", "good\nbad\npad", ("good", "bad", "pad"), None),
        ("v.csv", "<pad>,0\n<unk>,1\ngood,2", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.csv", 'word,index\n"a ""b""",0\n",",1', ('a "b"', ","), None),
        ("v.tsv", "0\t<pad>\n1\t<unk>\n2\tgood", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.yaml", "<pad>: 0\n<unk>: 1\ngood: 2", ("<pad>", "<unk>", "good"), "<unk>"),
        ("v.json", '[["<unk>", 1], ["good", 0]]', ("good", "<unk>"), "<unk>"),
        ("v.txt", "the,\nthat,1\ngood", ("the,", "that,1", "good"), None),
    ],
)
def test_the_forms_of_tools_are_read(tmp_path: Path, name, content, words, unknown) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = read_vocabulary(tmp_path / name, len(words))
    assert (found.words, found.unknown_word) == (words, unknown)


@pytest.mark.parametrize("word", UNKNOWN_WORDS)
def test_every_usual_unknown_word_is_known(tmp_path: Path, word: str) -> None:
    (tmp_path / "v.txt").write_text(f"<pad>\n{word}\ngood")
    assert read_vocabulary(tmp_path / "v.txt", 3).unknown == 1


@pytest.mark.parametrize(
    "content",
    [
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"config":' * 3_000 + "{}" + "}" * 3_000,
        '{"a": ' + "1" * 5_000 + "}",
        '{"' + "1" * 5_000 + '": "a"}',
        '{"word_index": "not json"}',
        json.dumps({"word_index": "[" * 100_000}),
        '{"word_index": {"a": "x"}, "num_words": 5}',
        '{"word_index": {"a": null}, "num_words": 5}',
        '{"0": "<pad>", "1": "<unk>", "01": "zzz"}',
        '{"<pad>": 0, "good\\ud800": 1, "bad": 2}',
    ],
)
def test_json_that_is_no_vocabulary_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "v.json").write_text(content)
    with pytest.raises(VocabularyError, match=r"v\.json") as refused:
        read_vocabulary(tmp_path / "v.json", 3)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<s>\n<none>\ngood\nbad", "give --unknown WORD"),
        ("a 3\nb 2\nc 1\nd 0", "may be ids or counts"),
        ("a 3\nb 900\nc 1\nd 7", "neither ids"),
        ("a 0\nb 1\nc 1\nd 2", "neither ids"),
        (f"a {VECTOR}\nb\nc\nd {VECTOR}", "line 2 is no word vector"),
        ("<unk>\t0\n\u2581the\t-1.5\n\u2581of\t-2.25\ns\t-3", "pieces of words"),
        ("a\tb\tc\nd\te\tf\ng\th\ti\nj\tk\tl", "several fields in every line"),
        ('{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}}', r"pieces of words \(BPE\)"),
        ("a\nb\nc", "--first-id N .* or --fit-vocab"),
        ("a\nb\nc\nd\ne", "with --fit-vocab words beyond"),
    ],
)
def test_what_is_not_clear_is_asked_for(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "v.txt").write_text(content)
    with pytest.raises(VocabularyError, match=rf"v\.txt.*{message}"):
        read_vocabulary(tmp_path / "v.txt", 4)


def test_the_options_that_errors_name_mend_them(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_text("a\nb\nc")
    assert read_vocabulary(path, 4, first_id=1).words == ("", "a", "b", "c")
    assert read_vocabulary(path, 4, fit=True).words == ("a", "b", "c", "")
    assert read_vocabulary(path, 2, fit=True).words == ("a", "b")
    path.write_text("<s>\n<none>\ngood")
    assert read_vocabulary(path, 3, "<none>").unknown == 1
    assert read_vocabulary(path, 3, "").unknown is None


def test_coverage_counts_what_has_no_id() -> None:
    vocabulary = read_vocabulary_of("<pad>\n<unk>\ngood\nfilm")
    found = measure_coverage(TextEncoder(Tokenizer(), vocabulary), ["a good film", "a bad film!"])
    assert (found.tokens, found.without_id, found.dropped) == (7, 4, False)
    assert found.examples[0] == "a"
    assert "4 of 7 tokens of the texts at hand have no id (57.1%)" in found.sentence()


def read_vocabulary_of(text: str, rows: int = 4) -> object:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v.txt"
        path.write_text(text)
        return read_vocabulary(path, rows)


def test_the_command_says_what_has_no_id(run, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(trained_like(UdacitySentiment()).state_dict(), tmp_path / "net.pt")
    words = ["the", "and", "a", "film", *(f"word{n}" for n in range(295))]
    (tmp_path / "words.txt").write_text("\n".join(words))
    command = ["lstm-export", "net.pt", "--readout", "last", "--vocab", "words.txt", "-o", "out"]
    refused = run(*command, cwd=tmp_path)
    assert refused.returncode == 1 and "--first-id N" in refused.stderr
    done = run(*command, "--first-id", "1", "--precision", "fp32", cwd=tmp_path)
    assert done.returncode == 0
    said = " ".join(done.stdout.split())
    assert "have no id (" in said and "are left out (such as " in said
    assert json.loads((tmp_path / "out" / "report.json").read_text())["coverage"]["without_id"] > 9
    assert run(*command[:4], "--first-id", "1", cwd=tmp_path).returncode == 2


def test_the_cure_for_a_pickled_vocabulary_works_when_pasted(tmp_path: Path) -> None:
    (tmp_path / "it's.pkl").write_bytes(pickle.dumps({"<unk>": 1, "good": 0}))
    with pytest.raises(VocabularyError, match="where you trust it") as refused:
        read_vocabulary(tmp_path / "it's.pkl", 2)
    command = shlex.split(str(refused.value).partition("as JSON: ")[2])
    subprocess.run([sys.executable, *command[1:]], check=True)
    assert read_vocabulary(tmp_path / "it's.json", 2).words == ("good", "<unk>")
