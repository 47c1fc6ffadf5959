"""The int8 of other runtimes, which `deployment.py` measures: ncnn, LiteRT, OpenVINO.

None of them takes a PyTorch LSTM of any length and gives it back in int8 by a command: ncnn's and
LiteRT's files are written here, with their own int8 LSTM operators, and OpenVINO's is made by NNCF
out of our fp32 file, with the first reviews to calibrate on.
"""

import importlib.util
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from deployed import OpenVino
from lstm_training.checkpoint import Checkpoint
from numpy.typing import NDArray
from peers import Peer, megabytes_of

Floats = NDArray[np.float32]

CALIBRATION = 64


def int8_peers(
    source: Checkpoint, ids_file: Path, reviews: Sequence[str], folder: Path
) -> dict[str, Peer]:
    """Return those of the runtimes that are installed."""
    found: dict[str, Ncnn | LiteRt | OpenVinoInt8] = {}
    if importlib.util.find_spec("ncnn"):
        found["ncnn, int8"] = Ncnn(source, folder)
    if importlib.util.find_spec("ai_edge_litert"):
        found["LiteRT, int8"] = LiteRt(source)
    if importlib.util.find_spec("openvino") and importlib.util.find_spec("nncf"):
        found["OpenVINO, int8 by NNCF"] = OpenVinoInt8(ids_file, source, reviews, folder)
    return {name: Peer.alone(peer.one, peer.megabytes) for name, peer in found.items()}


class OpenVinoInt8(OpenVino):
    """OpenVINO after NNCF's static quantisation of weights and activations."""

    def __init__(
        self, path: Path, checkpoint: Checkpoint, reviews: Sequence[str], folder: Path
    ) -> None:
        import nncf
        import openvino

        super().__init__(path, checkpoint, "f32")
        core = openvino.Core()
        data = nncf.Dataset(list(reviews[:CALIBRATION]), self.feed)
        quantised = nncf.quantize(core.read_model(path), data, subset_size=CALIBRATION)
        self._run = core.compile_model(quantised, "CPU", {"INFERENCE_NUM_THREADS": 1})
        saved = folder / "openvino.xml"
        openvino.save_model(quantised, saved, compress_to_fp16=False)
        self.megabytes = megabytes_of(saved, saved.with_suffix(".bin"))


class _Weights:
    """A checkpoint's arrays, and the last layer, which both runtimes leave to NumPy."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.model().state_dict()
        self.array: dict[str, Floats] = {k: v.numpy().astype(np.float32) for k, v in state.items()}
        self.layers = checkpoint.config.n_layers
        self.hidden = checkpoint.config.hidden_dim
        self.encode = checkpoint.encoder

    def layer(self, n: int) -> tuple[Floats, Floats, Floats]:
        """Return the weights of x, those of h and the bias of a layer, gates as i, f, g, o."""
        bias = self.array[f"lstm.bias_ih_l{n}"] + self.array[f"lstm.bias_hh_l{n}"]
        return self.array[f"lstm.weight_ih_l{n}"], self.array[f"lstm.weight_hh_l{n}"], bias

    def answer(self, h: Floats) -> float:
        """Return the probability for the last hidden state."""
        logit = h @ self.array["fc.weight"][0] + self.array["fc.bias"][0]
        return float(1 / (1 + np.exp(-logit)))


class Ncnn:
    """ncnn with its int8 LSTM: a scale for each row of weights, and for each step's activations."""

    _INT8 = 0x000D4B38
    "What stands before int8 weights in ncnn's files; 0 before floats."

    def __init__(self, checkpoint: Checkpoint, folder: Path) -> None:
        import ncnn

        self._ncnn, self._weights = ncnn, _Weights(checkpoint)
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        parameters, weights = folder / "ncnn.param", folder / "ncnn.bin"
        parameters.write_text(self._parameters(), encoding="ascii")
        weights.write_bytes(b"".join(self._blobs()))
        if self._net.load_param(str(parameters)) or self._net.load_model(str(weights)):
            raise SystemExit("ncnn cannot load what was written for it")
        self.megabytes = megabytes_of(parameters, weights)

    def one(self, text: str) -> float:
        """Score one text."""
        ids = np.array(self._weights.encode(text), np.int32)
        run = self._net.create_extractor()
        run.input("ids", self._ncnn.Mat(ids))
        _, steps = run.extract(f"x{self._weights.layers}")
        return self._weights.answer(np.array(steps)[-1])

    def _parameters(self) -> str:
        w = self._weights
        words, width = w.array["embedding.weight"].shape
        blobs = w.layers + 2
        lines = ["7767517", f"{blobs} {blobs}", "Input ids 0 1 ids"]
        lines.append(f"Embed embedding 1 1 ids x0 0={width} 1={words} 2=0 3={words * width}")
        for n in range(w.layers):
            size = w.layer(n)[0].size
            lines.append(f"LSTM l{n} 1 1 x{n} x{n + 1} 0={w.hidden} 1={size} 2=0 3={w.hidden} 8=2")
        return "\n".join([*lines, ""])

    def _blobs(self) -> list[bytes]:
        found = [struct.pack("<I", 0), self._weights.array["embedding.weight"].tobytes()]
        for n in range(self._weights.layers):
            w, r, bias = map(_ifog, self._weights.layer(n))
            (w_bytes, w_scale), (r_bytes, r_scale) = self._rows(w), self._rows(r)
            found += [w_bytes, struct.pack("<I", 0), bias.tobytes(), r_bytes, r_scale, w_scale]
        return found

    def _rows(self, matrix: Floats) -> tuple[bytes, bytes]:
        scale = (127 / np.abs(matrix).max(axis=1)).astype(np.float32)
        raw = np.rint(matrix * scale[:, np.newaxis]).astype(np.int8).tobytes()
        return struct.pack("<I", self._INT8) + raw + bytes(-len(raw) % 4), scale.tobytes()


def _ifog(stacked: Floats) -> Floats:
    i, f, g, o = np.split(stacked, 4)
    return np.concatenate([i, f, o, g])


class LiteRt:
    """LiteRT (TensorFlow Lite) with its hybrid LSTM: int8 weights, activations as they come."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        from ai_edge_litert.interpreter import Interpreter
        from litert_file import LiteRtFile

        self._weights = w = _Weights(checkpoint)
        file = LiteRtFile(w.array["embedding.weight"])
        for n in range(w.layers):
            file.add_lstm(*w.layer(n))
        content = file.content()
        self.megabytes = len(content) / 1e6
        self._run = Interpreter(model_content=content, num_threads=1)
        self._length = 0

    def one(self, text: str) -> float:
        """Score one text."""
        ids = np.array(self._weights.encode(text), np.int32)
        into = self._run.get_input_details()[0]["index"]
        if len(ids) != self._length:
            self._run.resize_tensor_input(into, ids.shape)
            self._run.allocate_tensors()
            self._length = len(ids)
        self._run.reset_all_variables()
        self._run.set_tensor(into, ids)
        self._run.invoke()
        steps: Any = self._run.get_tensor(self._run.get_output_details()[0]["index"])
        return self._weights.answer(steps[-1, 0])
