"""``parity.png``: the original's probabilities against those of each exported file."""

from collections.abc import Sequence
from pathlib import Path

from lstm_runtime.figures import drawn, save_figure
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lstm_export.checkpoint.source import Source
from lstm_export.outcome import ExportResult
from lstm_export.ownership import MARK

_COLOUR = "#2a6f97"
_GREY = "#888888"


def draw_parity(source: Source, results: Sequence[ExportResult], path: Path) -> None:
    """Draw one panel a precision; points on the diagonal are equal answers."""
    files = [result for result in results if result.size is not None]
    figure = Figure(figsize=(3.6 * len(files), 3.9), layout="constrained")
    for n, result in enumerate(files):
        axes = figure.add_subplot(1, len(files), n + 1)
        _draw(axes, result)
        if n == 0:
            axes.set_ylabel("probability, exported")
    figure.supxlabel(f"probability, {drawn(source.original_name, 60)}", fontsize="medium")
    save_figure(figure, path, dpi=120, metadata={"Software": MARK})


def _draw(axes: Axes, result: ExportResult) -> None:
    parity = result.parity
    # Plain numbers have no ends of their own.
    low, high = (float(parity.wanted.min()), float(parity.wanted.max())) if parity.plain else (0, 1)
    margin = 0.02 * (high - low) or 1.0
    axes.plot([low, high], [low, high], color=_GREY, linewidth=0.8)
    axes.scatter(parity.wanted.ravel(), parity.found.ravel(), s=9, color=_COLOUR, alpha=0.5)
    axes.set_title(
        f"{result.name}: {len(parity.wanted)} texts, max {parity.max_abs['probability']:.1e}",
        fontsize="medium",
    )
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(low - margin, high + margin)
    axes.set_aspect("equal")
