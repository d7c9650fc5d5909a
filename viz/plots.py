"""Plots of training, with matplotlib (extra "demo"), which is imported when the first one is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAIN, VALIDATION, WRONG = "#0B5394", "#B3541E", "#B2182B"


def _figure(width: float, height: float) -> Figure:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('plots need matplotlib; install it with: pip install "glassgrad[demo]"') from error
    return Figure(figsize=(width, height), layout="constrained")     # no pyplot: no global state, no window


def training_curves(history: Any) -> Figure:
    """Every quantity of a History over the epochs, training and validation in one panel each.

    `history` is what `Model.fit` returned, or a dict of lists: {"loss": [...], "val_loss": [...], ...}.
    Raises ValueError when there is no epoch in it.
    """
    record: Mapping[str, Sequence[float]] = getattr(history, "history", history)
    names = [n for n in record if not n.startswith("val_") and len(record[n])]
    if not names:
        raise ValueError("training_curves: expected a history of at least one epoch; got an empty one: call fit first")
    figure = _figure(4.4 * len(names), 3.2)
    from matplotlib.ticker import MaxNLocator
    for k, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), k + 1)
        both = f"val_{name}" in record
        above = not both or record[name][-1] >= record[f"val_{name}"][-1]
        for key, label, color, style in ((name, "training", TRAIN, "-"),
                                         (f"val_{name}", "validation", VALIDATION, "--")):
            if key in record:
                epochs = range(1, len(record[key]) + 1)
                axes.plot(epochs, record[key], style, color=color, label=label, linewidth=1.8)
                axes.annotate(f"{record[key][-1]:.4g}", (epochs[-1], record[key][-1]), textcoords="offset points",
                              xytext=(4, 4 if above == (key == name) else -4), color=color, fontsize=8, va="center",
                              annotation_clip=False)
        axes.set_title(name)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
    return figure


def image_grid(images: Any, titles: Sequence[str] = (), columns: int = 10) -> Figure:
    """Small grey images side by side: images (N, H, W), one title each."""
    count = len(images)
    if not count:
        raise ValueError("image_grid: expected at least one image; got none")
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = _figure(0.95 * columns, 1.2 * rows)
    for k, image in enumerate(images):
        axes = figure.add_subplot(rows, columns, k + 1)
        axes.imshow(image, cmap="gray_r", interpolation="nearest")
        axes.set_axis_off()
        if k < len(titles):
            axes.set_title(titles[k], fontsize=8, color=WRONG)
    return figure
