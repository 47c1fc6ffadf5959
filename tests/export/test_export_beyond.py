"""What short random texts do not show: bounds, long texts, ids with a sense, neighbours."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rare_models as zoo
import torch
from lstm_export import ArchitectureHints, ParityError, export
from lstm_export.checkpoint.fit import fit_weights
from lstm_export.checkpoint.source import module_source
from lstm_export.checkpoint.user_class import build_module
from lstm_export.config import ExportConfig
from lstm_export.errors import UnsupportedModelError
from lstm_export.traced import checking
from lstm_export.traced.forward import Forward
from lstm_runtime import SentimentModel
from torch import nn

pytestmark = pytest.mark.slow  # many exports

FLOAT = ExportConfig(precisions=("fp32",))


def made(cls: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return cls().eval()


def texts(words: int) -> list[list[int]]:
    random = np.random.default_rng(5)
    lengths = (1, 2, 4, 7, 8, 12, 40, 51, 301, 512, 513, 600, 1300)
    drawn = [random.integers(4, words, n).tolist() for n in lengths]
    loud = [[n] * 6 for n in range(4, min(zoo.LOUD, words - 1))]
    marked = [[17, n, 9, 11] for n in range(16)] + [[17, 9, 11, n] for n in range(16)]
    return drawn + loud + marked


def require_equal(module: nn.Module, path: Path, given: list[list[int]], *, plain: bool) -> None:
    """Compare a file with its module on texts, each alone."""
    runtime = SentimentModel.load(path, "cpu")
    for ids in given:
        with torch.inference_mode():
            wanted = module(torch.tensor([ids])).reshape(-1)
        wanted = wanted if plain else torch.sigmoid(wanted)
        found = list(runtime.score_ids(ids).scores.values())[-1]
        assert found == pytest.approx(wanted.item(), abs=1e-4), (len(ids), ids[:6])


SHOWN_BY_MORE = (
    zoo.Relu6, zoo.Hardtanh, zoo.Threshold, zoo.Stars, zoo.BoundedCells, zoo.CutAt512,
    zoo.LastFifty, zoo.OtherHeadBeyond300, zoo.CutWithAttention, zoo.EndMark,
    zoo.NothingBehindTheMark,
)  # fmt: skip


@pytest.mark.parametrize("cls", SHOWN_BY_MORE)
@pytest.mark.parametrize("scripted", [False, True], ids=["live", "scripted"])
def test_what_short_texts_do_not_show_is_exported_and_right(
    cls: type[nn.Module], scripted: bool, tmp_path: Path
) -> None:
    module = made(cls)
    plain = cls is zoo.Stars
    hints = ArchitectureHints(activation="none") if plain else None
    if scripted and cls is zoo.Threshold:
        pytest.skip("PyTorch's exporter has no threshold but zero for TorchScript")
    given = torch.jit.script(module) if scripted else module  # type: ignore[no-untyped-call] # torch's own
    with warnings.catch_warnings():
        warnings.filterwarnings("error", category=UserWarning)
        (result,) = [r for r in export(given, tmp_path, hints=hints, config=FLOAT) if r.path]
    assert result.path is not None
    require_equal(module, result.path, texts(zoo.WORDS), plain=plain)


@pytest.mark.parametrize("width", [2, 8, 16, 24, 32, 64])
def test_a_bound_shows_at_any_width(width: int, tmp_path: Path) -> None:
    module = made(lambda: zoo.Relu6(width))
    (result,) = [r for r in export(module, tmp_path, config=FLOAT) if r.path]
    assert result.path is not None
    require_equal(module, result.path, texts(zoo.WORDS), plain=False)


@pytest.mark.parametrize(
    ("cls", "padding"), [(zoo.MaskedWithoutSayingSo, 3), (zoo.PaddedWithTheLastId, 59)]
)
def test_padding_is_found_by_what_it_does(
    cls: type[nn.Module], padding: int, tmp_path: Path
) -> None:
    module = made(cls)
    source = module_source(module)
    assert source.padding == {padding}
    assert any(f"leaves out the padding (id {padding})" in note for note in source.notes)
    (result,) = [r for r in export(module, tmp_path, config=FLOAT) if r.path]
    assert result.path is not None
    given = [ids for ids in texts(59) if padding not in ids]
    require_equal(module, result.path, given, plain=False)


def test_a_forward_of_multiples_is_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="texts of 4 tokens and of 8, but not all"):
        module_source(made(zoo.Chunks))


@pytest.mark.parametrize("precisions", [("int8",), ("fp32", "int8"), ("int8", "fp32")])
def test_int8_hides_no_graph_that_is_wrong(precisions: Any, tmp_path: Path) -> None:
    config = ExportConfig(precisions=precisions)
    with pytest.raises((UnsupportedModelError, ParityError)):
        export(made(zoo.OtherwiseAtSeven), tmp_path, config=config)
    assert not list(tmp_path.iterdir())


def test_the_graph_in_float_is_compared_before_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "LENGTHS", (1, 2, 3, 29))
    monkeypatch.setattr(Forward, "marked", lambda _: iter(()))
    with pytest.raises(ParityError, match="written: fp32: "):
        export(made(zoo.OtherwiseAtSeven), tmp_path, config=ExportConfig(precisions=("int8",)))
    assert not list(tmp_path.iterdir())


def test_a_graph_that_fails_for_one_id_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    gives = checking.QuietSession.gives

    def fails(self: checking.QuietSession, ids: Any, wanted: Any) -> bool:
        if list(ids).count(5) == 1 and len(ids) == 7:
            raise RuntimeError("out of bounds")
        return gives(self, ids, wanted)

    monkeypatch.setattr(checking.QuietSession, "gives", fails)
    monkeypatch.setattr(checking, "LENGTHS", (29,))
    with pytest.raises(UnsupportedModelError, match="is wrong for a text with the id 5"):
        module_source(made(zoo.Gru))


def test_a_module_that_mixes_the_texts_of_a_batch_is_told_of() -> None:
    (told,) = [n for n in module_source(made(zoo.MixesTheBatch)).notes if "beside others" in n]
    assert "the file gives its answer to the text alone" in told
    for cls in (zoo.Relu6, zoo.MaskedWithoutSayingSo, zoo.Gru):
        assert not any("beside others" in note for note in module_source(made(cls)).notes)


ENDS: dict[str, Callable[[torch.Tensor, torch.Tensor], Any]] = {
    "": lambda logits, _: logits,
    "[1]": lambda logits, hidden: (hidden, logits),
    " [1]": lambda logits, _: (torch.zeros(()), logits),
    "[0]": lambda logits, hidden: (logits, hidden),
    "  [1]": lambda logits, _: (torch.ones(3).to_sparse(), logits),
    "   [1]": lambda logits, _: zoo.Output(
        torch.rand_like(logits).sum(1) * 0 + logits.sum(1), logits
    ),
}


@pytest.mark.parametrize("path", ENDS)
def test_the_answer_is_told_from_losses_and_states(path: str) -> None:
    source = module_source(made(lambda: zoo.Gru(ENDS[path])))
    assert source.network.classes == 3
    taken = [note for note in source.notes if "answer taken from" in note]
    assert all(note.endswith(path.strip()) for note in taken)
    # Of two tensors of which one is no answer at all, none needs to be named.
    assert bool(taken) == bool(path.strip())


def test_double_precision_is_exported_as_single(tmp_path: Path) -> None:
    (result,) = export(made(zoo.Gru).double(), tmp_path, config=FLOAT)
    assert result.path is not None


def ends(*_: Any) -> None:
    raise SystemExit(3)


def test_a_module_that_ends_the_program_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="ends the program when it is built"):
        build_module("rare_models:NeedsArguments")
    with pytest.raises(UnsupportedModelError, match=r"Gru.forward ends the program \(SystemExit\)"):
        module_source(made(lambda: zoo.Gru(ends)))


def test_a_vocabulary_of_three_words_is_counted() -> None:
    small = module_source(made(zoo.Gru))
    assert small.network.architecture.vocab_size == 60
    module = zoo.Gru()
    module.emb = nn.Embedding(3, zoo.E)
    assert module_source(module.eval()).network.architecture.vocab_size == 3


def test_an_export_leaves_the_apps_random_numbers_alone(tmp_path: Path) -> None:
    for cls in (zoo.Gru, zoo.MaskedWithoutSayingSo):
        module = made(cls)
        torch.manual_seed(7)
        wanted = torch.rand(3)
        torch.manual_seed(7)
        export(module, tmp_path, config=FLOAT)
        assert torch.equal(torch.rand(3), wanted)


def test_what_int8_leaves_in_float_is_told() -> None:
    (note,) = [n for n in module_source(made(zoo.GatesInALoop)).notes if "int8 file" in n]
    assert note == "an int8 file has its word vectors in int8, and all else in float32"


@pytest.mark.parametrize("kind", [torch.int8, torch.float8_e4m3fn, torch.complex64])
def test_numbers_that_are_no_weights_are_refused(kind: torch.dtype) -> None:
    module = made(zoo.Gru)
    state = {name: value.to(kind) for name, value in module.state_dict().items()}
    with pytest.raises(UnsupportedModelError, match=r"numbers of type \w+, which are no weights"):
        fit_weights(module, state)
