"""The kernel inside a model: where it runs, what it changes, and what is left as it was."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from kernel.nodes import instruction_sets, needs_kernel
from lstm_runtime import InputError, SentimentModel
from lstm_runtime.bulk.job import BulkJob, run_bulk
from lstm_runtime.kernel import library
from lstm_runtime.kernel.library import STOCK, VARIABLE
from lstm_runtime.model_file.checksum import BLANK, embed_checksum
from lstm_runtime.model_file.pruning import prune_to_scores
from lstm_runtime.model_file.structure import read_structure
from onnx import numpy_helper

pytestmark = [
    needs_kernel,
    pytest.mark.skipif(not instruction_sets(), reason="no instruction set of the kernel runs here"),
]

TEXTS = [f"the film {'was great fun ' * (n % 9)}word{n} {'awful !' * (n % 4)}" for n in range(70)]
TEXTS += ["", "a", "good " * 400]


@pytest.fixture(autouse=True)
def best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.fixture
def model(model_files: dict[str, Path]) -> Iterator[SentimentModel]:
    with SentimentModel.load(model_files["int8"], "cpu") as loaded:
        yield loaded


@pytest.fixture
def stock(model_files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> SentimentModel:
    with monkeypatch.context() as patched:
        patched.setenv(VARIABLE, STOCK)
        return SentimentModel.load(model_files["int8"], "cpu")


def test_a_text_has_one_answer_alone_in_batches_and_in_pieces(model: SentimentModel) -> None:
    assert model.info.kernel in instruction_sets()
    alone = [model(text) for text in TEXTS]
    for size in (None, 1, 2, 3, 8, 64):
        assert list(model.score_many(TEXTS, batch_size=size)) == alone
    for text, expected in zip(TEXTS, alone, strict=True):
        stream = model.stream()
        for start in range(0, len(text), 7):
            stream.push(text[start : start + 7])
        assert stream.finish().scores == expected.scores


def test_answers_are_near_those_of_onnx_runtime(
    model: SentimentModel, stock: SentimentModel
) -> None:
    assert stock.info.kernel is None
    ours, theirs = model(TEXTS), stock(TEXTS)
    assert ours != theirs
    differences = [abs(a.score - b.score) for a, b in zip(ours, theirs, strict=True)]
    assert max(differences) < 0.02


def test_it_runs_int8_files_on_our_own_options_only(model_files: dict[str, Path]) -> None:
    assert SentimentModel.load(model_files["fp32"], "cpu").info.kernel is None
    options = onnxruntime.SessionOptions()
    theirs = SentimentModel.load(model_files["int8"], "cpu", session_options=options)
    assert theirs.info.kernel is None


def test_verify_proves_both(model: SentimentModel, stock: SentimentModel) -> None:
    both = model.verify()
    assert set(both.differences) == {model.info.kernel, STOCK}
    assert both.max_difference == max(both.differences.values())
    assert both.differences[STOCK] == stock.verify().max_difference


def test_the_command_names_it(run: Any) -> None:
    name = instruction_sets()[0]
    assert f"kernel {name}" in run("lstm-run", "--version").stdout
    assert f"kernel: {name}" in run("lstm-run", "--info").stdout
    assert f"{name} " in run("lstm-run", "--verify").stdout


@pytest.mark.skipif("avx2" not in instruction_sets(), reason="no AVX2")
def test_a_file_that_it_refuses_runs_stock_and_says_so_once(
    model_files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(VARIABLE, "avx2")
    refused = tmp_path / "eight-bits.int8.onnx"
    _give_a_weight_eight_bits(model_files["int8"], refused)
    with caplog.at_level(logging.WARNING, logger="lstm_runtime"):
        loaded = SentimentModel.load(refused, "cpu")
    assert loaded.info.kernel is None
    assert "weights must have seven bits" in caplog.text
    assert len(caplog.records) == 1
    assert 0 <= loaded("good").score <= 1


def test_a_library_that_is_gone_by_now_is_done_without(
    model_files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library is in this process, as where a reinstallation is under way.
    monkeypatch.setattr(library, "library_path", lambda: tmp_path / "lstm_edge.so")
    assert SentimentModel.load(model_files["int8"], "cpu").info.kernel is None


def test_a_library_of_another_machine_is_left_alone(
    model_files: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    foreign = tmp_path / "lstm_edge.so"
    foreign.write_bytes(b"\x7fELF of some other machine")
    monkeypatch.setattr(library, "library_path", lambda: foreign)
    library._library.cache_clear()
    try:
        with caplog.at_level(logging.WARNING, logger="lstm_runtime"):
            assert SentimentModel.load(model_files["int8"], "cpu").info.kernel is None
        assert "lstm_edge.so cannot be loaded" in caplog.text
    finally:
        library._library.cache_clear()


def test_the_whole_graph_is_opened_when_more_than_a_score_is_wanted(
    model: SentimentModel, model_files: dict[str, Path]
) -> None:
    whole = model_files["int8"].read_bytes()
    pruned = onnx.load_from_string(prune_to_scores(whole))
    assert len(pruned.graph.node) < len(onnx.load_from_string(whole).graph.node)
    assert [value.name for value in pruned.graph.output] == ["probability"]
    assert read_structure(whole).interface.optional == {"h0", "c0"}
    model("good")
    assert model._engine._whole is None
    assert model.trace("good fun").probability[-1] == pytest.approx(
        model("good fun").scores["positive"], abs=1e-6
    )
    assert model._engine._whole is not None


def test_a_file_that_changed_since_it_was_loaded_is_not_mixed_in(
    model: SentimentModel, model_files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "model.int8.onnx"
    path.write_bytes(model_files["int8"].read_bytes())
    loaded = SentimentModel.load(path, "cpu")
    path.write_bytes(model_files["fp32"].read_bytes())
    stream = loaded.stream()
    stream.push("good fun")
    assert stream.finish().scores == model("good fun").scores
    path.unlink()
    assert loaded.trace("good fun").sentiment == model("good fun")
    assert loaded.verify() == model.verify()


def test_ascore_gathers_texts_that_wait(
    model: SentimentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    probabilities = model._engine.probabilities
    monkeypatch.setattr(
        model._engine, "probabilities", lambda feed: runs.append(1) or probabilities(feed)
    )

    async def scenario() -> list[Any]:
        wrong = model.ascore(None)  # type: ignore[arg-type]
        late = asyncio.ensure_future(model.ascore("nobody waits for this one"))
        answers = asyncio.gather(*map(model.ascore, TEXTS), wrong, return_exceptions=True)
        await asyncio.sleep(0)
        late.cancel()
        return list(await answers)

    for _ in range(2):  # a second event loop finds the model as good as new
        *answers, wrong = asyncio.run(scenario())
        assert isinstance(wrong, InputError)
        assert answers == [model(text) for text in TEXTS]
    assert len(runs) < 2 * (len(TEXTS) + len(TEXTS))


def test_a_bulk_run_is_not_resumed_on_the_other_one(
    model: SentimentModel, stock: SentimentModel, tmp_path: Path
) -> None:
    source = tmp_path / "in.txt"
    source.write_bytes(b"good\n" * 300 + b"\xff\n")
    with pytest.raises(InputError, match="not UTF-8"):
        run_bulk(stock, BulkJob(source, tmp_path / "out.txt"))
    with pytest.raises(InputError, match="another kernel"):
        run_bulk(model, BulkJob(source, tmp_path / "out.txt", resume=True))


def _give_a_weight_eight_bits(source: Path, target: Path) -> None:
    """Write ``source`` with a weight that AVX2's 16-bit sums could not hold."""
    model = onnx.load(source)
    for initializer in model.graph.initializer:
        if initializer.name == "lstm_0_R_int8":
            weights = numpy_helper.to_array(initializer).copy()
            weights[0, 0, 0] = 127
            initializer.CopyFrom(numpy_helper.from_array(weights, initializer.name))
    (seal,) = (prop for prop in model.metadata_props if prop.key == "seal")
    seal.value = BLANK
    target.write_bytes(embed_checksum(model.SerializeToString()))


def test_export_proves_int8_with_the_kernel_and_without(
    run: Any, checkpoint_file: Path, tmp_path: Path
) -> None:
    done = run("lstm-export", str(checkpoint_file), "-o", str(tmp_path), "--precision", "int8")
    assert done.returncode == 0, done.stderr
    (report,) = tmp_path.glob("*.json")
    (*_, entry) = json.loads(report.read_text())["outcomes"]
    name = instruction_sets()[0]
    assert entry["kernel"]["instruction_set"] == name
    assert entry["kernel"]["largest"] != entry["largest"]
    assert entry["kernel"]["largest"]["probability"] < 0.05
    (card,) = tmp_path.glob("*.md")
    assert f"kernel ({name})" in card.read_text()
