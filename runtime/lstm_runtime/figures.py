"""Pictures with texts and names of the user's own in them."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_runtime.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST = 24
"""Characters of a name that leave room for the picture."""


def drawn(name: str, longest: int = _LONGEST) -> str:
    """Return ``name`` as matplotlib draws it letter by letter, the end of a long one left out.

    Dollars would begin a formula, and a line whose name begins with ``_`` has no place in a legend.
    """
    short = name if len(name) <= longest else f"{name[: longest - 1]}…"
    return short.replace("$", r"\$").lstrip("_") or " "


def save_figure(figure: "Figure", path: Path, **options: Any) -> Path:
    """Write ``figure`` to ``path`` in one piece, with the ``options`` of matplotlib, and return it.

    A character that the font lacks is drawn as a box, without a warning: nobody could act on it.
    """
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        figure.savefig(temporary, **options)
    return path
