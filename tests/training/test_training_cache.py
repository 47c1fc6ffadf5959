"""Learning from texts on disk: the results of texts in memory, and no cache but the right one."""

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from click.testing import CliRunner
from lstm_training.checkpoint import load_checkpoint
from lstm_training.cli import train as command
from lstm_training.config import TrainingConfig
from lstm_training.data.examples import Examples
from lstm_training.data.sources import load_examples
from lstm_training.data.stored_texts import BLOCK, StoredTexts
from lstm_training.errors import DataError
from lstm_training.transfer.material import learning_material
from pyarrow import parquet
from training.conftest import made_up_reviews

Command = Callable[..., "subprocess.CompletedProcess[str]"]

ODD = [
    ("", 0),
    ("caf\u00e9 \U0001f600", 1),
    ("Dull word1!", 0),
    ("dull, WORD1 !", 0),
    ("ok", 0),
    ("OK", 1),
]
"""Copies, among them some of another label, and what is more than letters."""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of more than two blocks."""
    return write(tmp_path / "reviews.csv", [*made_up_reviews(2 * BLOCK + 9), *ODD])


def write(path: Path, rows: list[tuple[Any, Any]]) -> Path:
    if path.suffix == ".parquet":
        texts, labels = zip(*rows, strict=True)
        parquet.write_table(pa.table({"text": texts, "label": labels}), path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


def material(examples: Examples, config: TrainingConfig) -> dict[str, Any]:
    """Return what is learned from, in plain values."""
    data = learning_material(examples, config, None, ())
    found = {**vars(data), "labels": (data.train.labels.tolist(), data.held_out.labels.tolist())}
    for name in ("train", "held_out"):
        part = found.pop(f"{name}_examples")
        found[name] = [ids.tolist() for ids in found[name].ids]
        found[f"{name} texts"] = (list(part.texts), part.labels, part.label_names)
    return found


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("limit", [None, 300])
def test_texts_on_disk_are_those_in_memory(
    tmp_path: Path, table: Path, suffix: str, limit: int | None
) -> None:
    path = write(table.with_suffix(suffix), [*made_up_reviews(2 * BLOCK + 9), *ODD])
    config = TrainingConfig(limit=limit, max_tokens=7)
    wanted = load_examples(str(path))
    for _ in range(2):  # written, then read again
        found = load_examples(str(path), cache=tmp_path / "cache")
        assert isinstance(found.texts, StoredTexts)
        assert (tuple(found.texts), found.labels) == (wanted.texts, wanted.labels)
        assert found.sha256() == wanted.sha256()
        assert material(found, config) == material(wanted, config)
    part = found.texts[5::BLOCK]
    assert (len(part), list(part), part[-1]) == (3, list(wanted.texts[5::BLOCK]), part[2])
    names = sorted(file.name[:5] for file in (tmp_path / "cache").iterdir())
    assert names == ["ids-" + names[0][4], "texts"]


def test_ids_of_other_settings_are_made_again(tmp_path: Path, table: Path) -> None:
    examples = load_examples(str(table), cache=tmp_path / "cache")
    few = examples.select(range(BLOCK))
    for config in (TrainingConfig(seed=1), TrainingConfig(vocab_size=20)):
        for one in (examples, few):
            wanted = Examples(one.name, tuple(one.texts), one.labels)
            assert material(one, config) == material(wanted, config)
    assert len(list((tmp_path / "cache").glob("ids-*"))) == 1


def test_a_cache_that_is_damaged_or_of_another_table_is_made_again(
    tmp_path: Path, table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "lstm_training")
    cache = tmp_path / "cache"

    def read(**more: Any) -> int:
        caplog.clear()
        return len(load_examples(str(table), cache=cache, **more))

    before = read()
    assert not caplog.messages
    assert read() == before
    assert "taken from" in caplog.text
    write(table, made_up_reviews(9))
    assert read() == 9
    assert "is not of reviews.csv as it is now: made again" in caplog.text
    stored = cache / "texts.arrow"
    stored.write_bytes(stored.read_bytes()[:-20])
    assert read() == 9
    assert "taken from" not in caplog.text


def test_a_bad_row_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [*made_up_reviews(2 * BLOCK), ("text", "7")])
    with pytest.raises(DataError, match=f"line {2 * BLOCK + 2}: unknown label '7'"):
        load_examples(str(path), cache=tmp_path / "cache")
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]
    empty = write(tmp_path / "b.csv", [])
    with pytest.raises(DataError, match="holds no text"):
        load_examples(str(empty), cache=tmp_path / "cache")


@pytest.mark.slow
def test_a_model_is_the_same_with_a_cache(
    run: Command, table: Path, tmp_path: Path, tiny_options: tuple[str, ...]
) -> None:
    logs = []
    for name, more in (
        ("memory", ["--no-baselines"]),
        ("disk", ["--cache", str(tmp_path / "cache")]),
    ):
        found = run(
            "lstm-train", "--data", str(table), "-o", str(tmp_path / name), *tiny_options, *more,
            "--start-from=none", "--epochs=1",
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        logs.append(found.stderr)
    assert "TF-IDF with logistic regression is left out" in logs[1]
    memory, disk = (load_checkpoint(tmp_path / name / "model.pt") for name in ("memory", "disk"))
    for name, weights in memory.state_dict.items():
        assert torch.equal(disk.state_dict[name], weights), name
    assert disk.metrics == memory.metrics
    assert disk.training["run"] == memory.training["run"]


@pytest.mark.slow
def test_large_tables_have_a_cache_without_asking(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(command, "LARGE", table.stat().st_size)
    options = ["--data", str(table), "-o", str(tmp_path / "out"), *tiny_options, "--epochs=1"]
    found = CliRunner().invoke(command.main, [*options, "--start-from=none"])
    assert found.exit_code == 0, found.output
    assert (tmp_path / "out" / "cache" / "texts.arrow").exists()
