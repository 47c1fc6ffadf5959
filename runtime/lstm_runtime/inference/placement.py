"""Which provider ran which operator: a session lists providers that run nothing of it.

ONNX Runtime gives to the CPU whatever another provider does not take, without a word, and
``session.get_providers()`` names both. Where the nodes went is written in a session's profile, in
every version alike, so a session is opened once for its profile and asked for one answer.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_runtime.errors import ProviderError
from lstm_runtime.inference.session import SessionSettings, create_session
from lstm_runtime.model_file.checked import ModelFile

_LAYERS = ("LSTM", "GRU", "RNN", "DynamicQuantizeLSTM")
_PRODUCTS = ("MatMul", "Gemm", "Conv", "FusedMatMul", "FusedGemm")
"""What is most of the work: layers over all steps, or products where a network has none."""


@dataclass(frozen=True)
class Node:
    """A node that ran; several that a provider has joined are one."""

    operator: str
    "Its operator, or the provider's name for what it has joined."
    provider: str
    "Where it ran."


def require_placed(
    file: ModelFile, provider: str, settings: SessionSettings, feed: Mapping[str, Any]
) -> None:
    """Check that the work of a model is done by the provider that was asked for.

    Args:
        file: the model.
        provider: its name.
        settings: how sessions are made.
        feed: inputs of a run.

    Raises:
        ProviderError: when the LSTM, or all there is, runs elsewhere.

    """
    nodes = profile(file.data, provider, settings, feed)
    ours = [node for node in nodes if node.provider == provider]
    elsewhere = [node for node in nodes if node.provider != provider]
    heavy = next(
        (
            found
            for kinds in (_LAYERS, _PRODUCTS)
            if (found := [node for node in elsewhere if node.operator in kinds])
            or any(node.operator in kinds for node in ours)
        ),
        [],
    )
    if heavy or not ours:
        what = f"its {heavy[0].operator}" if heavy else "all of it"
        where = sorted({node.provider for node in heavy or elsewhere})
        raise ProviderError(
            f"{provider} does not run this model: ONNX Runtime leaves {what} to "
            f"{' and '.join(where) or 'nobody'}"
        )


def profile(
    data: bytes, provider: str, settings: SessionSettings, feed: Mapping[str, Any]
) -> list[Node]:
    """Run a model once; return its nodes, those inside loops too, and where each ran."""
    from tempfile import TemporaryDirectory  # with its compressors 5 ms, for CUDA only

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        session = create_session(data, provider, settings, Path(folder) / "profile")
        session.run(["probability"], feed)
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    arguments = [event["args"] for event in events if event.get("cat") == "Node"]
    return [
        Node(str(found.get("op_name")), str(found["provider"]))
        for found in arguments
        if "provider" in found
    ]
