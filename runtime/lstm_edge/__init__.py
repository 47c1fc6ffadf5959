"""The front door of lstm-edge: train a sentiment LSTM, export it, run it.

>>> from lstm_edge import SentimentModel
>>> SentimentModel.load()("Not bad at all.").label
'positive'

Every public name of `lstm_runtime`, `lstm_export` and `lstm_training` can be imported from here.
None of the three is loaded before a name of theirs is asked for, and what a name needs may be an
extra: a missing one is an error with the pip line that mends it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # What a type checker sees is just what `__getattr__` finds.
    from lstm_export import *  # noqa: F403
    from lstm_runtime import *  # noqa: F403
    from lstm_training import *  # noqa: F403

_PACKAGES = ("lstm_runtime", "lstm_export", "lstm_training")
"""Where a name is looked for: the one that runs everywhere first."""


def __getattr__(name: str) -> Any:
    """Fetch a public name from the package that it is at home in."""
    if name == "__all__":
        return __dir__()
    if name == "__version__":
        return import_module("lstm_runtime").__version__
    # Tools ask every module for dunder names; none of them is a reason to load anything.
    if not name.startswith("__"):
        for package in _PACKAGES:
            module = import_module(package)
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names of the three packages."""
    return sorted({name for package in _PACKAGES for name in import_module(package).__all__})
