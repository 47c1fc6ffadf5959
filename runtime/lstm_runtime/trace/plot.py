"""A trace as a picture: the probability along the text, and the gates below it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lstm_runtime.errors import InputError
from lstm_runtime.extras import requires_extra
from lstm_runtime.figures import drawn, save_figure
from lstm_runtime.trace.tracer import GATES, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".png", ".svg", ".pdf")

_MOST_LABELS = 150


def plot_trace(trace: Trace, path: Path, labels: tuple[str, ...]) -> None:
    """Draw ``trace`` into a PNG, SVG or PDF file.

    Raises:
        InputError: for another kind of file.
        MissingExtraError: when matplotlib is not installed.

    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: pictures are {', '.join(FORMATS)}, by the file's name")
    with requires_extra("plot"):
        from matplotlib.figure import Figure  # an extra, and half a second
    count = len(trace.tokens)
    figure = Figure(figsize=(min(max(6.0, 0.2 * count + 2), 30), 5.2), layout="constrained")
    ratios = [3, 2] if len(trace.learn) else [1]
    axes = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)[:, 0]
    top = axes[0]
    positions = np.arange(count)
    if len(labels) > 2:
        _plot_each_label(trace, top, labels)
    else:
        _plot_second_label(trace, top, labels[-1])
    top.set(ylim=(0, 1), xlim=(-0.5, count - 0.5))
    top.set_title(f"{drawn(trace.sentiment.label)} {trace.sentiment.number:.3f}", loc="left")
    if len(trace.learn):
        _plot_gates(trace, axes[1])
    if count <= _MOST_LABELS:
        axes[-1].set_xticks(positions, map(drawn, trace.tokens), rotation=90, fontsize=8)
    save_figure(figure, path, dpi=130)


def _plot_second_label(trace: Trace, top: "Axes", label: str) -> None:
    """Draw the one probability that two labels have, and which side of the middle it is on."""
    value = trace.probability[:, -1]
    positions = np.arange(len(value))
    top.axhline(0.5, color="0.6", linewidth=0.8)
    for where, color in ((value >= 0.5, "tab:green"), (value < 0.5, "tab:red")):
        top.fill_between(
            positions, 0.5, value, where=where, color=color, alpha=0.3, interpolate=True
        )
    top.plot(positions, value, color="0.2", linewidth=1.2)
    top.set_ylabel(f"probability: {drawn(label)}")


def _plot_each_label(trace: Trace, top: "Axes", labels: tuple[str, ...]) -> None:
    """Draw a line for each label."""
    for label, values in zip(labels, trace.probability.T, strict=True):
        top.plot(values, linewidth=1.2, label=drawn(label))
    top.set_ylabel("probability")
    top.legend(fontsize=8)


def _plot_gates(trace: Trace, bottom: "Axes") -> None:
    """Draw the gates as rows of colour."""
    rows = np.concatenate([getattr(trace, gate) for gate in GATES])
    # Each row from its own smallest to its own largest value: gates differ in size by far.
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    bottom.imshow((rows - low) / np.maximum(high - low, 1e-9), aspect="auto", cmap="viridis")
    layers = len(trace.learn)
    names = [f"{gate} {n + 1}" if layers > 1 else gate for gate in GATES for n in range(layers)]
    bottom.set_yticks(range(len(names)), names, fontsize=8)
    bottom.set_ylabel("gates, by layer")
