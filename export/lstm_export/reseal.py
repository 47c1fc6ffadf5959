"""A file that another tool has changed, proven again and given a checksum that fits.

Optimisers (onnxslim, onnxsim, Olive) write a file's bytes anew. What it says about itself, its
reference answers included, they keep: so it can show whether it still answers as the original.
"""

from pathlib import Path

import onnx
from lstm_runtime import SentimentModel
from lstm_runtime.cli.self_test import Check, run_self_test
from lstm_runtime.errors import LstmEdgeError, ModelFileError, VerificationError
from lstm_runtime.files import atomic_path
from lstm_runtime.model_file import contract
from lstm_runtime.model_file.checksum import embed_checksum, remove_checksum


def reseal(path: Path) -> list[Check]:
    """Check the model file ``path`` on the CPU and write it anew with a checksum that fits.

    Returns:
        What the checks of ``lstm-run --self-test`` found, none of them failed.

    Raises:
        ModelFileError: when the file is missing, is not a model, or lost what it said about itself.
        VerificationError: when it does not answer as the original did; it stays as it was.

    """
    try:
        data = remove_checksum(path.read_bytes())
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    with atomic_path(path) as temporary:
        temporary.write_bytes(embed_checksum(data))
        try:
            checks = _passed(temporary)
        except LstmEdgeError as error:
            message = str(error).replace(str(temporary), str(path))
            raise type(error)(f"{message}; the file stays as it was") from error
    return checks


def _passed(path: Path) -> list[Check]:
    """Run the checks; raise the first that fails."""
    with SentimentModel.load(path, "cpu") as model:
        checks = list(run_self_test(model))
    for check in checks:
        if check.result == "failed":
            raise VerificationError(f"{check.name}: {check.detail}")
    _require_states(path)
    return checks


def _require_states(path: Path) -> None:
    """Refuse a file that gives states and no longer takes them.

    onnxslim and onnxsim take an input with a default for a constant and fold it away.
    """
    graph = onnx.load(path).graph
    if contract.H0 not in {value.name for value in graph.input} and contract.HN in {
        value.name for value in graph.output
    }:
        raise ModelFileError(
            f"{path} lost its inputs h0 and c0, so no text can be continued: change a file of "
            "--state required, or of --state none"
        )
