"""A file that PyTorch's exporter made: one file like the others, with our text around it."""

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import general_models as zoo
import numpy as np
import onnx
import pytest
import torch
from conftest import Run
from lstm_export.checkpoint.source import load_source, module_source
from lstm_export.config import ExportConfig
from lstm_export.errors import UnsupportedModelError
from lstm_export.pipeline import export_source
from lstm_export.traced.quiet import quiet
from lstm_runtime import InputError, SentimentModel
from lstm_runtime.model_file.checksum import PROPERTY
from lstm_runtime.text.vocabulary import Vocabulary
from lstm_training.errors import CheckpointError
from onnxruntime import InferenceSession
from torch import Tensor, nn

WORDS = ("<pad>", "<unk>", *(f"word{n}" for n in range(zoo.WORDS - 2)))
TEXTS = ["word1", "", "Word3 word4, nothing! word50", "word7 " * 90]


def made(cls: type[nn.Module]) -> nn.Module:
    torch.manual_seed(1)
    module = cls().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.4)
    return module


def export_text(module: nn.Module, folder: Path, unknown: str | None = "<unk>") -> None:
    source = module_source(module).with_vocabulary(Vocabulary(WORDS, unknown))
    results = list(export_source(source, folder, ExportConfig(("fp32", "int8", "fp16"))))
    assert not [r.failures for r in results if r.failures]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attention")
    export_text(made(zoo.BahdanauAttention), folder)
    return folder


@pytest.mark.parametrize(
    ("name", "atol"), [("model.onnx", 1e-6), ("model.int8.onnx", 0.02), ("model.fp16.onnx", 2e-3)]
)
def test_texts_in_one_batch_get_the_modules_own_answers(
    folder: Path, name: str, atol: float
) -> None:
    module, encoder = made(zoo.BahdanauAttention), Vocabulary(WORDS)
    ids = [
        encoder.lookup(text.lower().replace(",", "").replace("!", " !").split()) for text in TEXTS
    ]
    with torch.inference_mode():
        wanted = [torch.sigmoid(module(torch.tensor([i or [1]]))).item() for i in ids]
    session = InferenceSession(folder / name, providers=["CPUExecutionProvider"])
    found = session.run(["probability"], {"text": np.array(TEXTS, object)})[0]
    assert np.abs(found[:, 0] - wanted).max() < atol
    alone = [session.run(["probability"], {"text": np.array([t], object)})[0][0] for t in TEXTS]
    assert np.array_equal(found, alone)


def test_the_file_says_how_it_was_made_and_is_as_old_as_the_familys(folder: Path) -> None:
    model = onnx.load(folder / "model.int8.onnx")
    assert {o.domain: o.version for o in model.opset_import}[""] == 13
    assert model.ir_version == 7
    assert any(prop.key == PROPERTY for prop in model.metadata_props)
    with SentimentModel.load(folder / "model.int8.onnx", "cpu") as loaded:
        assert loaded.metadata.exporter == "torch.onnx, traced"
        assert not loaded.metadata.batches
        assert loaded.verify().passed


def test_no_lstm_is_left_in_float(folder: Path) -> None:
    body = onnx.load(folder / "model.int8.onnx").graph
    scan = next(node for node in body.node if node.op_type == "Scan")
    inside = next(a.g for a in scan.attribute if a.name == "body")
    kinds = [node.op_type for node in inside.node]
    assert kinds.count("DynamicQuantizeLSTM") == 1
    assert "LSTM" not in kinds
    floats = [t.dims for t in inside.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert [zoo.WORDS, zoo.E] not in floats
    assert not [dims for dims in floats if len(dims) == 3 and dims[1] == 4 * zoo.H]


def test_batches_are_split_to_single_runs(folder: Path) -> None:
    with SentimentModel.load(folder / "model.int8.onnx", "cpu") as model:
        assert list(model.score_many(TEXTS * 3, batch_size=5)) == [model(t) for t in TEXTS * 3]


def test_a_trace_is_the_answers_to_each_beginning(folder: Path) -> None:
    with SentimentModel.load(folder / "model.onnx", "cpu") as model:
        trace = model.trace("Word3 strange, word4")
        assert trace.tokens == ("word3", "strange", "word4")
        assert trace.known == (True, False, True)
        beginnings = ["word3", "word3 strange", "word3 strange word4"]
        wanted = [model(text).scores["positive"] for text in beginnings]
        assert trace.probability[:, 0].tolist() == wanted


def test_a_text_that_is_too_long_for_the_network_is_a_clear_error(tmp_path: Path) -> None:
    export_text(made(zoo.DataclassOutput), tmp_path)
    with SentimentModel.load(tmp_path / "model.onnx", "cpu") as model:
        assert model.metadata.max_tokens == 512
        long = "word5 " * 600
        with pytest.raises(InputError, match="512 tokens"):
            model(long)
        assert model(long, max_tokens=512).label == model("word5 " * 512).label


def test_a_model_that_hides_padding_keeps_its_answers_where_unknown_words_are_dropped(
    tmp_path: Path,
) -> None:
    module = made(zoo.MaskedMean)
    export_text(module, tmp_path, unknown=None)
    with SentimentModel.load(tmp_path / "model.onnx", "cpu") as model:
        with torch.inference_mode():
            wanted = torch.softmax(module(torch.tensor([[3, 9]])), -1)[0].numpy()
        found = model("word1 strange word7").scores
        assert np.abs(np.array(list(found.values())) - wanted).max() < 1e-6


def test_export_writes_nothing_to_the_terminal() -> None:
    """What PyTorch's C++ prints is silenced as the command does it: before PyTorch is loaded."""
    code = (
        "import general_models as zoo, torch; from lstm_export import module_source; "
        "torch.manual_seed(0); module_source(zoo.PackedAttention().eval()); "
        "module_source(zoo.SelfAttention().eval())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | {"TORCH_CPP_LOG_LEVEL": "ERROR", "PYTHONPATH": str(Path(zoo.__file__).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_the_users_module_and_pytorch_stay_as_they_were() -> None:
    module = made(zoo.RecurrentCnn)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    pool = nn.functional.max_pool1d
    module_source(module)
    assert nn.functional.max_pool1d is pool
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


@pytest.mark.filterwarnings("ignore:.*is deprecated")
def test_torchscript_archive_is_its_own_original(tmp_path: Path) -> None:
    module = made(zoo.StructuredSelfAttention)
    torch.jit.save(torch.jit.script(module), str(tmp_path / "scripted.pt"))
    source = load_source(tmp_path / "scripted.pt")
    assert source.original_name == "StructuredSelfAttention.forward in PyTorch"
    results = list(export_source(source, tmp_path / "out", ExportConfig()))
    assert [r.failures for r in results] == [(), ()]


class Convolution(nn.Module):
    """The only kind of network whose steps torch.export leaves open."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(zoo.WORDS, 16)
        self.conv = nn.Conv1d(16, 64, 3, padding=1)
        self.fc = nn.Linear(64, 2)

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.conv(self.embedding(ids).transpose(1, 2)).relu().amax(2))


def test_exported_program_is_its_own_original(tmp_path: Path) -> None:
    dynamic = ({1: torch.export.Dim.DYNAMIC},)
    example = (torch.ones(1, 17, dtype=torch.int64),)
    program = torch.export.export(made(Convolution), example, dynamic_shapes=dynamic)
    torch.export.save(program, tmp_path / "program.pt2")
    results = list(export_source(load_source(tmp_path / "program.pt2"), tmp_path, ExportConfig()))
    assert [r.failures for r in results] == [(), ()]
    whole = (tmp_path / "program.pt2").read_bytes()
    (tmp_path / "damaged.pt2").write_bytes(whole.replace(b"schema_version", b"schema_wersion"))
    with pytest.raises(CheckpointError, match="damaged"):
        load_source(tmp_path / "damaged.pt2")


def test_program_of_one_length_is_refused_by_name(tmp_path: Path) -> None:
    program = torch.export.export(made(zoo.MultiLabel), (torch.ones(1, 5, dtype=torch.int64),))
    torch.export.save(program, tmp_path / "program.pt2")
    with pytest.raises(UnsupportedModelError, match=r"texts of 5 tokens only.* give the class"):
        load_source(tmp_path / "program.pt2")


def test_weights_of_a_program_are_taken_by_its_class(tmp_path: Path) -> None:
    """The cure for a program whose length torch.export has fixed."""
    module, ids = made(zoo.MultiLabel), torch.ones(1, 5, dtype=torch.int64)
    torch.export.save(torch.export.export(module, (ids,)), tmp_path / "program.pt2")
    source = load_source(tmp_path / "program.pt2", module=zoo.MultiLabel())
    results = list(export_source(source, tmp_path, ExportConfig(("fp32",))))
    assert not [r.failures for r in results if r.failures]
    with torch.inference_mode():
        wanted = module(torch.tensor([[5, 6, 7]]))[0].numpy()
    assert np.allclose(source.original.probability([5, 6, 7]), wanted, atol=1e-6)


def test_second_argument_of_open_meaning_is_not_guessed() -> None:
    class Open(zoo.BahdanauAttention):
        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return super().forward(x) * y.float().sum() / y.shape[-1]

    with pytest.raises(UnsupportedModelError, match="could be"):
        module_source(made(Open))


def test_answer_that_is_always_the_same_is_refused() -> None:
    class Constant(zoo.BahdanauAttention):
        def forward(self, x: Tensor) -> Tensor:
            return torch.softmax(super().forward(x), -1)

    with pytest.raises(UnsupportedModelError, match="the same for every text"):
        module_source(made(Constant))


def test_nan_weights_are_refused() -> None:
    module = made(zoo.BahdanauAttention)
    with torch.no_grad():
        module.w.weight[0, 0] = torch.nan
    with pytest.raises(UnsupportedModelError, match="NaN"):
        module_source(module)


@pytest.mark.slow
def test_command_exports_a_class_of_another_structure_and_lstm_run_traces_it(
    run: Run, tmp_path: Path
) -> None:
    source = Path(zoo.__file__).read_text(encoding="utf-8")
    (tmp_path / "networks.py").write_text(source, encoding="utf-8")
    torch.save(made(zoo.BahdanauAttention).state_dict(), tmp_path / "weights.pt")
    (tmp_path / "words.txt").write_text("\n".join(WORDS), encoding="utf-8")
    done = run(
        "lstm-export", "weights.pt", "--module", "networks.py:BahdanauAttention",
        "--vocab", "words.txt", "-o", "out", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "made by torch.onnx, traced" in " ".join((done.stdout + done.stderr).split())
    traced = run("lstm-run", "--model", "out/model.int8.onnx", "--trace", "word3 odd", cwd=tmp_path)
    assert traced.returncode == 0, traced.stderr
    assert "(unknown word)" in traced.stdout
    refused = run(
        "lstm-export", "weights.pt", "--module", "networks.py:DropoutLeftOn", cwd=tmp_path
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("Error:")


def test_only_the_exporters_are_silenced(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """An app's other threads go on printing, logging and warning while a module is exported."""
    with quiet(), pytest.warns(UserWarning, match="of the app"):
        print("printed")  # noqa: T201 - what is tested
        os.write(2, b"written natively")
        logging.getLogger("app").warning("logged")
        warnings.warn("of the app", stacklevel=1)
        logging.getLogger("torch.onnx").error("of the exporter")
    out, err = capfd.readouterr()
    assert "printed" in out and "written natively" in err
    assert "logged" in caplog.text and "of the exporter" not in caplog.text
