# ruff: noqa: RUF001 - characters of other scripts are what is tested
"""Texts of any script: what a token is, how capitals are read, and from a table to int8 answers."""

import json
import subprocess
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lstm_export import ExportConfig, export
from lstm_runtime.errors import VocabularyError
from lstm_runtime.model import SentimentModel
from lstm_runtime.text.tokenizer import TextEncoder, Tokenizer, replace_unportable
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.api import train
from lstm_training.checkpoint import load_checkpoint
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.prepare import prepare
from lstm_training.data.vocabulary import build_vocabulary, extend_vocabulary
from lstm_training.data.word_pattern import (
    WORD_PATTERN,
    spellings,
    uncovered_letters,
    without_accents,
)
from lstm_training.errors import ConfigError, DataError
from lstm_training.evaluation.evaluate import evaluate
from scripts import PARTS, sentences, write_sentences

Run = Callable[..., "subprocess.CompletedProcess[str]"]

TOKENS = Tokenizer(WORD_PATTERN)

EXOTIC = {
    *map(chr, (0x130, 0x212A)),  # read as U+FFFD, since platforms lower them differently
    *map(chr, (*range(0x2C6, 0x2D2), *range(0x2E0, 0x2EF), 0xF00, 0x2E2F)),  # of phonetics
    *map(chr, (*range(0x2071, 0x209D), *range(0x2102, 0x2185))),  # of formulas
}
"""Letters that no token covers."""


def test_every_letter_is_in_a_token_and_no_mark_of_a_living_script() -> None:
    letters = (chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000)
    found = {c for c in letters if unicodedata.category(c)[0] == "L" and not TOKENS.tokens(c)}
    assert found <= EXOTIC
    marks = "،؛؟۔।॥՞։־׀׃።፣·„“”‘’«»…—–-_.,;:()[]{}<>/|*#%&@^~`、。，：；（）《》「」・།་"
    assert not TOKENS.tokens(f'{marks}\u200b\ufeff\ufe0f\u200d"\\')


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's NOT bad!", ["it's", "not", "bad", "!"]),
        ("Größe, Straße", ["größe", "straße"]),
        ("Это хорошо?", ["Это", "хорошо", "?"]),
        ("这部电影很好！", ["这", "部", "电", "影", "很", "好", "\uff01"]),
        ("素晴らしい", ["素", "晴", "ら", "し", "い"]),
        ("ดีมาก", ["ดี", "ม", "า", "ก"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("영화가 좋다", ["영화가", "좋다"]),
        ("so 😀👍🏽", ["so", "😀", "👍"]),
        ("end.<br /><BR/><a href='x'>link</a> a<b", ["end", "<br />", "<br/>", "<a href='x'>",
                                                      "link", "</a>", "a", "b"]),
    ],
)  # fmt: skip
def test_tokens_of_scripts(text: str, tokens: list[str]) -> None:
    assert TOKENS.tokens(text) == tokens


def test_words_are_one_in_capitals_and_small_letters_and_tags_are_none() -> None:
    texts = ["Über über ÜBER <br /> gut", "Gut хороший Хороший", "straße <br />"]
    found = build_vocabulary(map(TOKENS.tokens, texts), 99, 1)
    assert found.words[2:] == ("über", "gut", "хороший", "straße")
    encoder = TextEncoder(TOKENS, found)
    assert encoder("Über über ÜBER") == [2, 2, 2]
    assert encoder("ХОРОШИЙ STRASSE") == [found.ids["хороший"], found.ids["straße"]]
    assert encoder("хОрОшИй <br />") == [1, 1]  # spellings that no text has
    assert spellings("good") == ()


@pytest.mark.parametrize(
    "text", ["Der schöne Film", "Хороший сериал", "Ωραία ταινία", "がんばる", "영화"]
)
def test_accents_of_their_own_are_those_on_letters(text: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    for learned in (text, apart):
        encoder = TextEncoder(TOKENS, build_vocabulary([TOKENS.tokens(learned)], 99, 1))
        ids = encoder(learned)
        assert 1 not in ids
        for other in (text, apart):
            assert encoder(other) == encoder(other.upper()) == ids
    copies = Examples("e", (text, apart, "a b", "c d", "e f", "g h"), (1, 1, 0, 0, 1, 0))
    assert prepare(copies, TrainingConfig(min_count=1)).copies == 1


def test_words_of_ones_own_keep_their_spellings_behind_a_models() -> None:
    known = Vocabulary(("<pad>", "<unk>", "über"), aliases=(("Über", "über"),))
    own = build_vocabulary([["Фильм", "фильм", "über"]], 99, 1)
    found = extend_vocabulary(known, own, 99)
    assert found.words == ("<pad>", "<unk>", "über", "фильм")
    assert found.lookup(["Über", "ФИЛЬМ", "Фильм"]) == [2, 3, 3]
    assert extend_vocabulary(known, own, 3).lookup(["Über", "Фильм"]) == [2, 1]
    with pytest.raises(VocabularyError, match="lacks 'b'"):
        Vocabulary(("<pad>", "<unk>"), aliases=(("B", "b"),))


def test_greek_capitals_have_no_accents() -> None:
    texts = ["Κακός κακός ή καλή Η καλή, η μαΐου", "ΜΑΪΟΥ ΚΑΚΟΣ απλα απλά απλά"]
    found = build_vocabulary(map(TOKENS.tokens, texts), 99, 1)
    encoder = TextEncoder(TOKENS, found)
    assert set(found.words[2:]) == {"κακός", "ή", "καλή", "η", "μαΐου", "απλα", "απλά"}
    for capitals in ("ΚΑΚΟΣ ΚΑΛΗ ΜΑΪΟΥ", "ΚΑΚΌΣ ΚΑΛΉ ΜΑΪ́ΟΥ", "ΚΑΚΟΣ ΚΑΛΗ ΜΑΪΟΥ"):
        assert encoder(capitals) == encoder("κακός καλή μαΐου")
    # Words that are written without accents are themselves.
    assert encoder("Η ΑΠΛΑ") == encoder("η απλα")
    assert encoder("Ή ΑΠΛΆ") == encoder("ή απλά")
    assert without_accents("über") == without_accents("καλος") == ()


def test_a_text_in_capitals_is_a_copy() -> None:
    texts = ("Фильм был хорош", "ФИЛЬМ, БЫЛ ХОРОШ.", "плохо, скучно", "тоска", "прекрасно")
    found = prepare(Examples("e", texts, (1, 1, 0, 0, 1)), TrainingConfig(min_count=1))
    assert found.copies == 1


def test_letters_that_no_token_covers_are_counted_and_too_many_refused() -> None:
    ascii_only = Tokenizer("[a-z]+")
    assert uncovered_letters(["abc где", "..."], ascii_only) == 0.5
    assert uncovered_letters(["abc где", "..."], TOKENS) == 0.0
    assert uncovered_letters(["...", ""], TOKENS) == 0.0
    texts, labels = zip(*sentences("russian"), strict=True)
    with pytest.raises(DataError, match="100% of the letters are in no token"):
        prepare(Examples("ru", texts, labels), TrainingConfig(pattern="[a-z]+"))
    with pytest.raises(ConfigError, match="look-around"):
        TrainingConfig(pattern="(?=a)a")


@pytest.fixture(scope="module", params=PARTS)
def folder(
    request: pytest.FixtureRequest, tiny: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Train on a language and export the model as text and as ids."""
    folder = tmp_path_factory.mktemp(request.param)
    write_sentences(request.param, folder / "data.csv")
    texts, labels = zip(*sentences(request.param), strict=True)
    config = replace(tiny, epochs=6, min_count=1)
    train(config, Examples("own", texts, labels), folder, baselines=False)
    export(folder / "model.pt", folder, data=folder / "data.csv")
    ids = ExportConfig(("fp32",), interface="ids", name="ids")
    export(folder / "model.pt", folder, config=ids, data=folder / "data.csv")
    return folder


def test_a_language_is_learned_and_its_int8_file_answers_alike(folder: Path) -> None:
    ours, theirs = (
        evaluate(folder / name, folder / "data.csv") for name in ("model.pt", "model.int8.onnx")
    )
    assert ours.accuracy > 0.9
    assert theirs.accuracy == ours.accuracy
    assert ours.unread == theirs.unread == 0


def test_files_with_either_interface_know_capitals(folder: Path) -> None:
    text, ids = (SentimentModel.load(folder / name) for name in ("model.onnx", "ids.onnx"))
    for row, _ in sentences(folder.name.rstrip("0123456789"))[:20]:
        found = [model(row).scores["positive"] for model in (text, ids)]
        assert found[0] == pytest.approx(found[1], abs=1e-6)
        if "ß" in row or "SS" in row:
            continue  # an ß in capitals is another word, where the training texts have it
        for spelled in (row.upper(), row.lower()):
            for model in (text, ids):
                assert model(spelled).scores["positive"] == pytest.approx(found[0], abs=1e-6)
    known = load_checkpoint(folder / "model.pt").vocabulary
    assert (ids.metadata.aliases or ()) == known.aliases
    assert text.metadata.aliases is None  # the graph has them


PIECES = "aZ'0 ß Äé<br/>!? фИ это 电影很 ดีที่ हि नी 한국 にカ 😀👍🏽\u200d\ufe0f。、؟\u0301\n"
mixed = st.text(st.sampled_from(PIECES) | st.characters(), max_size=30)


@given(mixed)
@settings(max_examples=60, deadline=None)
def test_the_graph_cuts_as_python_does(session: onnxruntime.InferenceSession, text: str) -> None:
    clean = replace_unportable(text)
    (tokens,) = session.run(["tokens"], {"text": np.array([clean], object)})
    assert [token for token in tokens[0] if token] == TOKENS.tokens(text)


@pytest.fixture(scope="module")
def session(
    tiny: TrainingConfig, tmp_path_factory: pytest.TempPathFactory
) -> onnxruntime.InferenceSession:
    folder = tmp_path_factory.mktemp("graph")
    texts, labels = zip(*sentences("german"), strict=True)
    train(replace(tiny, epochs=1), Examples("own", texts, labels), folder, baselines=False)
    export(folder / "model.pt", folder, config=ExportConfig(("fp32",)))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(folder / "model.onnx"), options)


PAIRS = {
    "german": ("Der Film ist wirklich öde", "DER FILM IST WIRKLICH ÖDE"),
    "russian": ("Фильм был скучным", "ФИЛЬМ БЫЛ СКУЧНЫМ"),
    "chinese": ("这部电影真的很无聊", "<b>这部电影真的很无聊</b>"),
}
"""Two texts of each language, the second of which has other letters and the same meaning."""


def test_a_pattern_of_ones_own_goes_all_the_way(tiny: TrainingConfig, tmp_path: Path) -> None:
    texts = tuple(f"word{n % 7} #{('bad', 'good')[n % 2]} good bad no{n}" for n in range(80))
    examples = Examples("tags", texts, tuple(n % 2 for n in range(80)))
    config = replace(tiny, pattern="#?[a-z0-9]+", epochs=6)
    train(config, examples, tmp_path, baselines=False)
    assert load_checkpoint(tmp_path / "model.pt").pattern == config.pattern
    export(tmp_path / "model.pt", tmp_path)
    for file in ("model.onnx", "model.int8.onnx"):
        answers = SentimentModel.load(tmp_path / file)(["word3 #Good bad", "word3 #BAD, good"])
        assert [answer.label for answer in answers] == ["positive", "negative"]


@pytest.mark.slow  # three commands, each of which starts PyTorch
@pytest.mark.parametrize("language", PARTS)
def test_from_csv_to_answers_by_commands(
    language: str, run: Run, tiny_options: tuple[str, ...], tmp_path: Path
) -> None:
    data = write_sentences(language, tmp_path / "own.csv")
    model = str(tmp_path / "m/model.pt")
    trained = run("lstm-train", f"--data={data}", "-o", str(tmp_path / "m"), *tiny_options)
    assert trained.returncode == 0, trained.stderr
    assert "0.0% of the letters are in no token" in trained.stderr
    exported = run("lstm-export", model, f"--data={data}")
    assert exported.returncode == 0, exported.stderr
    file = str(tmp_path / "m/model.int8.onnx")
    answers = run("lstm-run", "--model", file, "--json", *PAIRS[language])
    one, other = map(json.loads, answers.stdout.splitlines())
    assert one["label"] == other["label"] == "negative"
    if language != "chinese":  # where a tag stands for an unknown word
        assert one["scores"] == other["scores"]
    measured = run("lstm-evaluate", file, f"--data={data}", "--json")
    assert json.loads(measured.stdout)["accuracy"] > 0.9
    if language != "russian":
        return
    refused = run("lstm-train", f"--data={data}", "--pattern=[a-z]+", "-o", str(tmp_path / "n"))
    assert refused.returncode == 1
    assert "are in no token of the pattern [a-z]+" in refused.stderr
    wrong = run("lstm-train", f"--data={data}", "--pattern=[", "-o", str(tmp_path / "n"))
    assert wrong.returncode == 2
