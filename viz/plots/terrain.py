"""A function of two numbers as coloured contours, and paths over it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .style import Look, colour_bar

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def contours(drawn: Any, axes: Axes, xs: np.ndarray, ys: np.ndarray, values: np.ndarray, log: bool, levels: int,
             colours: Look, label: str) -> None:
    """Filled contours with a bar; what is not finite stays empty, and a flat surface is said to be flat."""
    from matplotlib.ticker import MaxNLocator
    shown = np.ma.masked_invalid(values)
    axes.set_facecolor(colours.page)
    if not shown.count():
        axes.text(0.5, 0.5, f"the {label} is nowhere finite", transform=axes.transAxes, ha="center", fontsize=9,
                  color=colours.alarm)
        return
    low, high = float(shown.min()), float(shown.max())
    if high - low <= 1e-12 * max(abs(high), 1e-300):
        axes.text(0.5, 0.6, f"the {label} is {low:.4g} everywhere", transform=axes.transAxes, ha="center",
                  color=colours.sub, fontsize=9)
        return
    if log and low > 0:
        ladder: Any = np.geomspace(low, high, levels + 1)
        from matplotlib.colors import LogNorm
        image = axes.contourf(xs, ys, shown, ladder, cmap=colours.sequential, norm=LogNorm(low, high))
        colour_bar(drawn, image, axes, colours, f"{label} (log)", ladder[:: max(levels // 4, 1)])
    else:
        ladder = MaxNLocator(levels).tick_values(low, high)
        image = axes.contourf(xs, ys, shown, ladder, cmap=colours.sequential)
        colour_bar(drawn, image, axes, colours, label)
    axes.contour(xs, ys, shown, ladder, colors=["#FFFFFF"], linewidths=0.5, alpha=0.6)


def walked(axes: Axes, path: np.ndarray, colours: Look, name: str = "trajectory") -> None:
    """A path (T, 2) with its start and end."""
    axes.plot(*path.T, color="#FFFFFF", linewidth=3.2, zorder=3, alpha=0.85)
    axes.plot(*path.T, color="#C2185B", linewidth=1.6, marker=".", markersize=4, zorder=4, label=name)
    for moment, marker, word in ((path[0], "o", "start"), (path[-1], "s", "end")):
        axes.plot(*moment, marker=marker, color="#C2185B", markeredgecolor="#FFFFFF", markersize=7, zorder=5,
                  linestyle="none", label=word)
