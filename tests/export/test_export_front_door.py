"""The front door: what a documented call takes, returns and raises is at the top of the package."""

import subprocess
import sys

import lstm_export
import pytest
from lstm_export import LstmEdgeError


@pytest.mark.parametrize("name", lstm_export.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert name in dir(lstm_export)
    found = getattr(lstm_export, name)
    assert not name.endswith("Error") or issubclass(found, LstmEdgeError)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'exporter'"):
        _ = lstm_export.exporter


def test_looking_at_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, lstm_export; dir(lstm_export), lstm_export.__version__\n"
        "print({'torch', 'onnx', 'numpy', 'onnxruntime', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "lstm_export", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"lstm-export, version {lstm_export.__version__}\n"
