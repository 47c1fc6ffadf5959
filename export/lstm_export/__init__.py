"""Write a sentiment LSTM as ONNX files that are proven equal to the PyTorch model.

>>> from lstm_export import export
>>> outcomes = export("model.pt", "onnx")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_export.api import export

__all__ = ["export"]


def __getattr__(name: str) -> Any:
    """Import the call when it is asked for: the command's --help must not pay for torch."""
    if name == "export":
        from lstm_runtime.extras import requires_extra

        with requires_extra("export", "cpu"):
            from lstm_export.api import export
        return export
    raise AttributeError(name)
