"""How all plots look: colours for light and dark, safe for colour-blind readers; axes that are easy to read small."""

from __future__ import annotations

import math
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from ..theme import THEMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKERS = "osD^vPX*"


class Look(NamedTuple):
    """Colours of one theme."""

    page: str
    ink: str
    sub: str
    grid: str
    alarm: str                                # NaN, dead, wrong
    series: tuple[str, ...]                   # of curves and classes; the first four for every kind of sight
    sequential: str                           # colour maps: from little to much,
    diverging: tuple[str, str, str]           # from below through nothing to above


LOOKS = {
    "light": Look(THEMES["light"]["page"], THEMES["light"]["ink"], THEMES["light"]["sub"], THEMES["light"]["hair"],
                  "#B2182B", ("#0B5394", "#D55E00", "#007A5E", "#9C6ADE", "#6B6B00", "#30363D", "#0090A8", "#8A4B00"),
                  "viridis", ("#2166AC", "#F7F7F7", "#B2182B")),
    "dark": Look(THEMES["dark"]["page"], THEMES["dark"]["ink"], THEMES["dark"]["sub"], THEMES["dark"]["hair"],
                 "#FF6B81", ("#6CB6FF", "#FF9E57", "#8CE99A", "#B355C0", "#E3D04C", "#C9D1D9", "#4FD3E8", "#D9A066"),
                 "viridis", ("#63B3E2", "#1B2128", "#F08C79")),
}


def look(who: str, theme: Any) -> Look:
    """The colours of a theme.  Raises ValueError for an unknown one."""
    if not isinstance(theme, str) or theme not in LOOKS:
        raise ValueError(f"{who}: expected theme={' or '.join(map(repr, LOOKS))}; got {theme!r}")
    return LOOKS[theme]


def figure(width: float, height: float, colours: Look) -> Figure:
    """An empty figure of so many inches.  Raises ImportError, with what to install, where there is no matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError('plots need matplotlib; install it with: pip install "glassgrad[demo]"') from error
    return _shown()(figsize=(width, height), layout="constrained", facecolor=colours.page)


@cache
def _shown() -> type[Figure]:
    """A Figure that a notebook shows: matplotlib teaches it that only where pyplot was imported."""
    from matplotlib.figure import Figure

    class Shown(Figure):
        """matplotlib's Figure."""

        def _repr_png_(self) -> bytes:
            buffer = BytesIO()
            self.savefig(buffer, format="png", facecolor=self.get_facecolor())
            return buffer.getvalue()
    return Shown


def panel(who: str, ax: Any, width: float, height: float, colours: Look) -> tuple[Figure, Axes]:
    """(figure, axes) to draw into: the caller's axes, or new ones.  Raises TypeError for what is no Axes."""
    if ax is None:
        made = figure(width, height, colours)
        return made, made.add_subplot()
    if not hasattr(ax, "plot") or not hasattr(ax, "get_figure"):
        raise TypeError(f"{who}: expected ax to be a matplotlib Axes, or None for a figure of its own; got "
                        f"{type(ax).__name__}")
    return ax.get_figure(), ax


def dress(ax: Axes, colours: Look, title: str = "", x: str = "", y: str = "", grid: bool = True, size: float = 9
          ) -> None:
    """The common dress of axes: ink, labels, a light grid, no box."""
    ax.set_facecolor(colours.page)
    ax.set_title(plain(title), color=colours.ink, fontsize=size + 1)
    ax.set_xlabel(plain(x), color=colours.ink, fontsize=size)
    ax.set_ylabel(plain(y), color=colours.ink, fontsize=size)
    ax.tick_params(which="both", colors=colours.sub, labelsize=size - 1)
    for edge in (ax.xaxis, ax.yaxis):
        edge.get_offset_text().set(color=colours.sub, fontsize=size - 1)
    ax.spines[["top", "right"]].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(colours.sub)
    if grid:
        ax.grid(True, color=colours.grid, linewidth=0.7)
        ax.set_axisbelow(True)


def legend(ax: Axes, colours: Look, **options: Any) -> None:
    """A legend without a frame, in ink."""
    handles, _ = ax.get_legend_handles_labels()
    if handles:
        shown = ax.legend(frameon=True, framealpha=0.8, edgecolor="none", facecolor=colours.page,
                          **{"fontsize": 8, **options})
        for text in shown.get_texts():
            text.set_color(colours.ink)


def legend_below(figure: Figure, source: Axes, colours: Look, columns: int = 4) -> None:
    """A legend under everything, where it covers nothing."""
    handles, labels = source.get_legend_handles_labels()
    shown = figure.legend(handles, labels, loc="outside lower center", ncols=min(len(handles), columns), frameon=False,
                          fontsize=8)
    for text in shown.get_texts():
        text.set_color(colours.ink)


def plain(text: Any, most: int = 80) -> str:
    """Words as they are: a dollar sign starts no formula, control characters are left out, the end of many too."""
    words = "".join(c if c.isprintable() else " " for c in str(text))
    return (words if len(words) <= most else words[:most - 1] + "…").replace("$", r"\$")


def between(low: Any, middle: Any, high: Any) -> Any:
    """The colour map from one colour through another to a third."""
    from matplotlib.colors import LinearSegmentedColormap
    return LinearSegmentedColormap.from_list("between", [low, middle, high])


def grid_of(count: int, columns: int | None, who: str, wide: int = 8) -> tuple[int, int]:
    """(rows, columns) for so many panels.  Raises ValueError for columns below 1."""
    if columns is not None and (isinstance(columns, bool) or not isinstance(columns, int) or columns < 1):
        raise ValueError(f"{who}: expected columns to be an int of at least 1; got {columns!r}")
    if columns is None:
        columns = min(wide, math.ceil(math.sqrt(count * 1.6)))
        columns = -(-count // -(-count // columns))       # the last row as full as the others
    columns = min(columns, count)
    return -(-count // columns), columns


def colour_bar(figure: Figure, drawn: Any, axes: Any, colours: Look, label: str, ticks: Any = None) -> None:
    """A bar that says what the colours are."""
    bar = figure.colorbar(drawn, ax=axes, fraction=0.046, pad=0.03)
    if ticks is not None:
        bar.set_ticks(ticks, labels=[f"{t:.2g}" for t in ticks])
        bar.minorticks_off()
    bar.set_label(plain(label), color=colours.ink, fontsize=8)
    bar.ax.tick_params(colors=colours.sub, labelsize=7)
    bar.outline.set_edgecolor(colours.grid)
