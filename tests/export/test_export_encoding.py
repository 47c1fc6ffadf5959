"""The owner's own encoding as the reference: told, counted, and refused where too much differs."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_models import trained_like
from lstm_edge import ExportConfig, InputError, ParityError, SentimentModel, export
from lstm_export import Tokenizer, Vocabulary, VocabularyError, Window, read_vocabulary
from lstm_export.checkpoint.source import module_source
from lstm_export.parity.encoding import compare_encoding, compare_source
from lstm_export.report.reading import measure_reading
from lstm_runtime.text.tokenizer import TextEncoder
from pipelines import PIPELINES, UDACITY_WINDOW, first_200_padded_left, reviews, udacity
from torch import Tensor, nn

WORDS = ("the", "a", "film", "plot", "it", "is", "not", "bad", "dont", "its", "id", "great")
IDS = {word: n for n, word in enumerate(WORDS, 1)}


class LastStep(nn.Module):
    """Udacity's network: what it makes of the last of 200 places, padding and all."""

    def __init__(self, words: int = len(WORDS) + 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, 8)
        self.lstm = nn.LSTM(8, 12, 2, batch_first=True)
        self.fc = nn.Linear(12, 1)

    def forward(self, ids: Tensor) -> Tensor:
        return torch.sigmoid(self.fc(self.lstm(self.embedding(ids))[0][:, -1]))


def encode(text: str) -> list[int]:
    """Return what Udacity's notebook feeds: words that have an id, cut, padded on the left."""
    return first_200_padded_left([IDS[word] for word in udacity(text) if word in IDS])


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    return trained_like(LastStep())


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(("", *WORDS), None)


MARKS = PIPELINES["udacity"][1]


@pytest.mark.parametrize("interface", ["text", "ids"])
def test_a_file_reads_as_its_owner_reads(net, vocabulary, interface, tmp_path: Path) -> None:
    config = ExportConfig(("fp32", "int8"), interface=interface)
    options = {"vocabulary": vocabulary, "tokenizer": MARKS, "window": UDACITY_WINDOW}
    export(net, tmp_path, **options, encode=encode, config=config)
    texts = ["It's NOT bad, don't go.", "", "...", "the " * 300 + "end", *reviews(12)[0]]
    with torch.inference_mode():
        wanted = [net(torch.tensor([encode(text)])).item() for text in texts]
    assert np.ptp(wanted) > 1e-3
    for name, limit in (("model.onnx", 1e-5), ("model.int8.onnx", 0.02)):
        model = SentimentModel.load(tmp_path / name, "cpu")
        found = [one.scores["positive"] for one in model(texts)]
        assert np.abs(np.array(found) - wanted).max() < limit
        assert not model.info.has_state


@pytest.mark.parametrize("interface", ["text", "ids"])
def test_a_cut_and_padded_text_is_traced_by_its_own_tokens(
    net, vocabulary, interface, tmp_path: Path
) -> None:
    config = ExportConfig(("fp32",), interface=interface)
    window = Window(3, "last", 6)
    export(net, tmp_path, vocabulary=vocabulary, tokenizer=MARKS, window=window, config=config)
    model = SentimentModel.load(tmp_path / "model.onnx", "cpu")
    trace = model.trace("The film, don't: it's not zzz bad!")
    assert trace.tokens == ("its", "not", "bad")
    beginnings = (
        "The film, don't: it's",
        "The film, don't: it's not",
        "The film, don't: it's not bad",
    )
    for answer, text in zip(trace.probability, beginnings, strict=True):
        assert answer[0] == pytest.approx(model(text).scores["positive"], abs=1e-6)
    with pytest.raises(InputError, match="cannot be streamed"):
        model.stream()


def test_deleted_characters_are_no_hindrance_to_streams(net, vocabulary, tmp_path: Path) -> None:
    tokenizer = Tokenizer(r"\S+", delete="'.,")
    export(net, tmp_path, vocabulary=vocabulary, tokenizer=tokenizer)
    model = SentimentModel.load(tmp_path / "model.onnx", "cpu")
    text = "The film, it's '' not bad. Don't"
    stream = model.stream()
    for letter in text:
        stream.push(letter)
    assert stream.finish().score == pytest.approx(model(text).score, abs=1e-6)
    assert model.trace(text).tokens == ("the", "film", "its", "not", "bad", "dont")


def test_a_difference_is_told_and_refused(net, vocabulary, tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        export(net, tmp_path, vocabulary=vocabulary, encode=encode)
    message = str(caught.value)
    assert "0 of 16 texts are read as the encoder reads them" in message
    assert "--pad-left-to 200" in message
    assert not list(tmp_path.iterdir())

    window = UDACITY_WINDOW
    with pytest.raises(ParityError, match=r"'(its|dont|id)' where the graph reads padding"):
        export(net, tmp_path, vocabulary=vocabulary, window=window, encode=encode)
    export(net, tmp_path, vocabulary=vocabulary, window=window, encode=encode, alike=0.5)
    assert (tmp_path / "model.onnx").exists()


def test_an_encoding_may_stand_in_a_table(net, vocabulary, tmp_path: Path) -> None:
    table = tmp_path / "ids.jsonl"
    texts = ["It's not bad", "the film", "don't"]
    rows = [json.dumps({"text": text, "ids": encode(text)}) for text in texts]
    table.write_text("\n".join(rows), encoding="utf-8")
    source = module_source(net).with_vocabulary(vocabulary, MARKS, UDACITY_WINDOW)
    found = compare_source(source, table)
    assert (found.texts, found.alike) == (3, 3)


@pytest.mark.parametrize(
    "give",
    [
        lambda ids: np.array([ids]),
        torch.tensor,
        tuple,
        lambda ids: np.array(ids, np.int32),
    ],
)
def test_ids_come_in_many_containers(give, vocabulary) -> None:
    encoder = TextEncoder(MARKS, vocabulary, UDACITY_WINDOW)
    assert compare_encoding(encoder, lambda text: give(encode(text)), ["It's", ""]).alike == 2


def test_padding_that_the_network_leaves_out_is_no_difference(vocabulary) -> None:
    encoder = TextEncoder(MARKS, vocabulary)

    def padded(text: str) -> list[int]:
        return [*encoder(text), 0, 0, 0]

    assert compare_encoding(encoder, padded, ["film"]).alike == 0
    assert compare_encoding(encoder, padded, ["film"], frozenset({0})).alike == 1


def test_an_encoder_that_fails_for_some_texts_is_told_of(vocabulary) -> None:
    encoder = TextEncoder(MARKS, vocabulary)

    def strict(text: str) -> list[int]:
        return [IDS[word] for word in udacity(text)]

    found = compare_encoding(encoder, strict, ["the film", "zebra"])
    assert (found.texts, found.alike, found.refused) == (1, 1, 1)
    assert "KeyError: 'zebra'" in found.sentence()
    with pytest.raises(InputError, match="fails for every text"):
        compare_encoding(encoder, strict, ["zebra"])


@pytest.mark.parametrize("answer", ["text", {"ids": [1]}, [[1], [2, 3]], [1.5], None])
def test_an_encoder_that_gives_no_ids_is_an_error(answer, vocabulary) -> None:
    with pytest.raises(InputError, match="ids"):
        compare_encoding(TextEncoder(MARKS, vocabulary), lambda _: answer, ["film"])


def test_two_answers_show_the_order_of_the_labels(net, vocabulary) -> None:
    source = module_source(net).with_vocabulary(vocabulary, MARKS, UDACITY_WINDOW)
    texts = ("One of the finest films I have ever seen.", "A dull, lifeless mess.")
    with torch.inference_mode():
        positive = [net(torch.tensor([encode(text)])).item() for text in texts]
    for labels in (("negative", "positive"), ("positive", "negative")):
        told = measure_reading(source.with_labels(labels)).sentences()[-1]
        for text, value in zip(texts, positive, strict=True):
            label = labels[value > 0.5]
            assert f"{text!r}: {label} {max(value, 1 - value):.2f}" in told
        assert (
            f"(0 is {labels[0]}, 1 is {labels[1]}: as labelled; --labels gives the order; " in told
        )
        assert told.endswith(" of their 13 words have no id)")
    assert "1 is positive: assumed" in measure_reading(source).sentences()[-1]


def test_a_model_of_other_words_is_shown_no_english_example() -> None:
    """Its answers to words without an id would tell nothing of its labels."""
    words = ("<pad>", "<unk>", *(f"wort{n}" for n in range(len(WORDS) - 1)))
    source = module_source(LastStep()).with_vocabulary(Vocabulary(words))
    assert measure_reading(source).answers == ()
    assert "positive" not in " ".join(measure_reading(source).sentences())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--vocab", "v.txt", "--keep", "last"], "--keep belongs to --max-tokens"),
        (["--delete", "punctuation", "--blank", "<br />"], "belong to a vocabulary"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(run, options, message, tmp_path) -> None:
    torch.save(LastStep().state_dict(), tmp_path / "net.pt")
    (tmp_path / "v.txt").write_text("\n".join(["<pad>", *WORDS]), encoding="utf-8")
    arguments = ["net.pt", "--readout", "step", *options]
    done = run("lstm-export", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pt", "v.txt"]


@pytest.mark.parametrize("encoder", ["owner.py:nothing", "no.jsonl"])
def test_an_encoder_that_is_not_there_is_one_line(run, encoder, tmp_path) -> None:
    torch.save(LastStep().state_dict(), tmp_path / "net.pt")
    (tmp_path / "v.txt").write_text("\n".join(["<pad>", *WORDS]), encoding="utf-8")
    (tmp_path / "owner.py").write_text("def encode(text):\n    return [1]\n", encoding="utf-8")
    command = ("net.pt", "--readout", "step", "--vocab", "v.txt", "--encoder", encoder)
    done = run("lstm-export", *command, "-o", "out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr and encoder.partition(":")[0] in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_unknown_id_may_have_no_word(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text(json.dumps(IDS), encoding="utf-8")
    found = read_vocabulary(tmp_path / "v.json", len(IDS) + 1, unknown_id=0)
    assert (found.unknown, found.pad, found.ids["the"]) == (0, 0, 1)
    for number, unknown in ((1, None), (99, None), (0, "the")):
        with pytest.raises(VocabularyError, match="--unknown"):
            read_vocabulary(tmp_path / "v.json", len(IDS) + 1, unknown, unknown_id=number)
