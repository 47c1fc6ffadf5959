"""A fine-tuned encoder comes back from its changes; those of another encoder are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from lstm_training.distillation.teachers.weight_changes import save_changes, with_changes
from lstm_training.errors import ConfigError
from torch import Tensor


def weights() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    torch.manual_seed(0)
    before = {
        "layer.weight": torch.randn(40, 53),
        "layer.bias": torch.randn(53),
        "frozen.weight": torch.randn(8, 8),
        "still.weight": torch.randn(3, 4),
        "head.weight": torch.randn(1, 40),
        "places": torch.arange(5),
    }
    after = dict(before)
    after["layer.weight"] = before["layer.weight"] + 0.01 * torch.randn(40, 53)
    after["layer.weight"][7] = before["layer.weight"][7]
    after["layer.bias"] = before["layer.bias"] + 0.1
    after["head.weight"] = torch.randn(1, 40)
    return before, after


def test_changes_come_back(tmp_path: Path) -> None:
    before, after = weights()
    save_changes(tmp_path / "a.npz", before, after)
    # The layer on top starts from other random numbers in each run.
    found = with_changes(tmp_path / "a.npz", before | {"head.weight": torch.zeros(1, 40)})
    assert found.keys() == after.keys()
    for name in set(after) - {"layer.weight"}:
        assert torch.equal(found[name], after[name]), name
    change, kept = (w["layer.weight"] - before["layer.weight"] for w in (after, found))
    assert torch.equal(kept[7], torch.zeros(53))
    lost = (kept - change).square().sum() / change.square().sum()
    assert 0.08 < lost < 0.16, "Max (1960): 0.1175"
    save_changes(tmp_path / "b.npz", before, after)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_changes_take_two_bits_a_weight(tmp_path: Path) -> None:
    before = {"w": torch.zeros(256, 4096)}
    save_changes(tmp_path / "a.npz", before, {"w": torch.randn(256, 4096)})
    assert (tmp_path / "a.npz").stat().st_size < 256 * 4096 / 4 + 4096


@pytest.mark.parametrize("name", ["layer.weight", "layer.bias", "head.weight"])
@pytest.mark.parametrize("other", [None, torch.zeros(2, 3), torch.zeros(5)])
def test_changes_of_another_encoder_are_refused(
    tmp_path: Path, name: str, other: Tensor | None
) -> None:
    before, after = weights()
    save_changes(tmp_path / "a.npz", before, after)
    another = {key: weight for key, weight in before.items() if key != name}
    another |= {} if other is None else {name: other}
    with pytest.raises(ConfigError, match=f"of another encoder: {name}"):
        with_changes(tmp_path / "a.npz", another)


@pytest.mark.parametrize(
    "arrays",
    [
        {"layer.weight/bits": np.zeros((2, 40, 7), np.uint8)},
        {"layer.weight/scale": np.zeros((40, 1), np.float32)},
        {"layer.weight": np.zeros((40, 53), np.float32)},
        {"layer.bias": np.zeros(53)},
        {"layer.bias/bits": np.zeros(53, np.float32)},
        {"unknown": np.zeros(3, np.float32)},
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ConfigError, match="of another encoder"):
        with_changes(tmp_path / "a.npz", weights()[0])


def test_no_file_and_no_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"transformer\.changes: there is no file"):
        with_changes(tmp_path / "a.npz", {})
    (tmp_path / "a.npz").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"transformer\.changes: .* is damaged"):
        with_changes(tmp_path / "a.npz", {})
