"""Every package says at its top what it offers, and loads it when it is asked for."""

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import lstm_edge
import pytest

PACKAGES = ("lstm_runtime", "lstm_export", "lstm_training")


@pytest.mark.parametrize("package", [*PACKAGES, "lstm_edge"])
def test_public_names_are_listed_and_there(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is not None
    assert module.__version__ == version("lstm-edge")
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(module, "Nonsense")  # noqa: B009 - a type checker would object


def test_the_house_has_one_front_door() -> None:
    for package in PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            assert getattr(lstm_edge, name) == getattr(module, name), name
    found = {name for package in PACKAGES for name in import_module(package).__all__}
    assert found == set(dir(lstm_edge))
    assert {"SentimentModel", "export", "train", "evaluate", "LstmEdgeError"} <= found


@pytest.mark.parametrize(
    ("code", "loaded", "absent"),
    [
        ("import lstm_edge; lstm_edge.__doc__", "lstm_edge", "lstm_runtime lstm_export numpy"),
        ("from lstm_edge import SentimentModel", "lstm_runtime.model", "lstm_export torch"),
        ("import lstm_edge; dir(lstm_edge)", "lstm_export", "torch onnx onnxruntime numpy"),
        ("from lstm_edge import *", "lstm_export.api", ""),
    ],
)
def test_only_what_is_asked_for_is_loaded(code: str, loaded: str, absent: str) -> None:
    report = f"print({loaded!r} in sys.modules, [n for n in {absent.split()} if n in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; exec({code!r}); {report}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "True []\n"
