"""Matrices in colour with their words beside them: attention weights, confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import Look, between, colour_bar, dress, figure, grid_of, look, panel, plain
from .values import array, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WORDS = 60                               # along one side
MOST_NUMBERS = 24                             # rows with a number in each cell


def confusion_matrix(y_true: Any, y_pred: Any, labels: Sequence[Any] | None = None, *, normalize: str | None = None,
                     ax: Any = None, theme: str = "light") -> Figure:
    """How often class i (rows, true) was predicted as class j (columns): the count C_ij, or a share of it.

    y_true, y_pred: (N,) labels, numbers or words; y_pred may be scores (N, C), whose greatest counts.
    labels: the classes, in order; with classes 0, 1, ... as data also their names.  None takes those that occur.
    normalize: None for counts; "true" for shares of each row (the diagonal is recall), "pred" of each column
        (precision), "all" of the whole.

    The number in a cell is the count, or the share in percent.  Raises ValueError for lengths that differ, for labels
    that are not among the classes, and where there is nothing to count.
    """
    who, colours = "confusion_matrix", look("confusion_matrix", theme)
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(f"{who}: expected normalize=None, 'true', 'pred' or 'all'; got {normalize!r}")
    names, counts = counted(who, y_true, y_pred, labels)
    total = {None: np.ones((1, 1)), "true": counts.sum(1, keepdims=True), "pred": counts.sum(0, keepdims=True),
             "all": counts.sum(keepdims=True)}[normalize]
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    n = len(names)
    size = min(max(2.2 + 0.42 * n, 3.2), 12)
    room = 0.06 * min(max(map(len, names)), 24)          # inches that the words take
    drawn, axes = panel(who, ax, size + 0.6 + room, size + (room if room > 0.15 else 0), colours)
    most = float(shares.max()) if normalize is None else 1.0
    low = colours.page
    cmap = between(low, *(("#0B5394", "#062A52") if theme == "light" else ("#2F6FB0", "#9CD0FF")))
    image = axes.imshow(shares, cmap=cmap, vmin=0, vmax=most or 1)
    _words(axes, names, names, colours)
    right = int(np.trace(counts))
    dress(axes, colours, f"{right:,} of {int(counts.sum()):,} right ({right / counts.sum():.1%})", "predicted", "true",
          grid=False)
    if n <= MOST_NUMBERS:
        small = min(9.0, 90 / n + 2)
        for i in range(n):
            for j in range(n):
                if counts[i, j]:
                    words = f"{int(counts[i, j])}" if normalize is None else _percent(shares[i, j])
                    axes.text(j, i, words, ha="center", va="center", fontsize=small,
                              color=_ink_on(image.cmap(image.norm(shares[i, j]))),
                              fontweight="bold" if i == j else "normal")
    colour_bar(drawn, image, axes, colours, {None: "count", "true": "share of the true class",
                                             "pred": "share of the predicted class", "all": "share of all"}[normalize])
    return drawn


def counted(who: str, y_true: Any, y_pred: Any, labels: Sequence[Any] | None) -> tuple[list[str], np.ndarray]:
    """(names of the classes, counts (C, C)), rows true."""
    true, predicted = (array(who, name, v, numbers=False) for name, v in (("y_true", y_true), ("y_pred", y_pred)))
    if predicted.ndim == 2 and predicted.shape[1] > 1 and predicted.dtype.kind == "f":
        predicted = predicted.argmax(1)
    true, predicted = (v[:, 0] if v.ndim == 2 and v.shape[1] == 1 else v for v in (true, predicted))
    if true.ndim != 1 or true.shape != predicted.shape:
        raise ValueError(f"{who}: expected y_true and y_pred to be labels of the same N samples; got shapes "
                         f"{true.shape} and {predicted.shape}")
    if not len(true):
        raise ValueError(f"{who}: expected at least one sample; got none")
    if any(v.dtype.kind == "f" and np.isnan(v).any() for v in (true, predicted)):
        raise ValueError(f"{who}: expected labels; got NaN among them")
    seen = sorted({*true.tolist(), *predicted.tolist()}, key=lambda v: (str(type(v)), v) if isinstance(v, str)
                  else ("", v))
    classes = seen if labels is None else list(labels)
    names = [f"{c:g}" if isinstance(c, float) else str(c) for c in classes]
    if labels is not None and not set(seen) <= set(classes) and all(isinstance(v, (int, float)) for v in seen) \
            and all(v == int(v) and 0 <= v < len(classes) for v in seen):
        classes = list(range(len(classes)))   # the labels are names of 0, 1, ...
    strange = [v for v in seen if v not in classes]
    if strange:
        raise ValueError(f"{who}: expected labels among {', '.join(names[:20])}; got "
                         f"{', '.join(map(str, strange[:6]))} in the data")
    place = {c: k for k, c in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, ([place[v] for v in true.tolist()], [place[v] for v in predicted.tolist()]), 1)
    return names, counts


def attention_maps(weights: Any, tokens: Sequence[str] | None = None, keys: Sequence[str] | None = None, *,
                   sample: int = 0, columns: int | None = None, ax: Any = None, theme: str = "light") -> Figure:
    """Attention weights: how much each query (row) looks at each key (column), one panel for each head.

    weights: (L, S), (heads, L, S) or (N, heads, L, S), as `nn.MultiheadAttention` gives with
        average_attn_weights=False; `sample` is which of the batch is shown.
    tokens: the words of the queries, and of the keys where those have no `keys` of their own.

    Raises ValueError for other shapes, and for words that are not as many as rows or columns.
    """
    who, colours = "attention_maps", look("attention_maps", theme)
    found = array(who, "weights", weights).astype(float)
    if found.ndim not in (2, 3, 4) or not found.size:
        raise ValueError(f"{who}: expected weights (L, S), (heads, L, S) or (N, heads, L, S); got shape {found.shape}")
    if found.ndim == 4:
        if not whole(who, "sample", sample, -len(found)) < len(found):
            raise IndexError(f"{who}: expected sample to be below {len(found)}, the size of the batch; got {sample}")
        found = found[sample]
    heads = found[None] if found.ndim == 2 else found
    count, long, wide = heads.shape
    rows_words = None if tokens is None else [str(t) for t in tokens]
    keys_words = rows_words if keys is None and long == wide else None if keys is None else [str(t) for t in keys]
    for name, words, size, side in (("tokens", rows_words, long, "rows"), ("keys", keys_words, wide, "columns")):
        if words is not None and len(words) != size:
            raise ValueError(f"{who}: expected {size} {name}, one for each of the {side}; got {len(words)}")
    if ax is not None and count != 1:
        raise ValueError(f"{who}: expected one head for one ax; got {count}: give weights[head]")
    rows, across = grid_of(count, columns, who, wide=4)
    most_words = max(long, wide)
    side = min(max(1.2 + 0.2 * most_words, 2.2), 7) if count == 1 else min(max(1.0 + 0.16 * most_words, 2.0), 3.6)
    drawn = figure((side + 0.3) * across + 0.6, side * rows + 0.3, colours) if ax is None else ax.get_figure()
    finite = heads[np.isfinite(heads)]
    most = float(finite.max(initial=0)) or 1.0
    every, image = [], None
    for k, head in enumerate(heads):
        axes = panel(who, ax, 0, 0, colours)[1] if ax is not None else drawn.add_subplot(rows, across, k + 1)
        image = axes.imshow(head, cmap=colours.sequential, vmin=0, vmax=most, interpolation="nearest", aspect="auto"
                            if not 0.25 < long / wide < 4 else "equal")
        axes.set_facecolor(colours.grid)      # what is NaN
        last, first = k // across == rows - 1 or k + across >= count, k % across == 0
        _words(axes, rows_words if first else None, keys_words if last else None, colours, small=7,
               blank=(rows_words is not None and not first, keys_words is not None and not last))
        dress(axes, colours, f"head {k}" if count > 1 else "", "key" if last else "", "query" if first else "",
              grid=False, size=8)
        axes.set_facecolor(colours.grid)
        every.append(axes)
    colour_bar(drawn, image, every, colours, "attention weight")
    return drawn


def _words(axes: Axes, rows: list[str] | None, columns: list[str] | None, colours: Look, small: float = 8,
           blank: tuple[bool, bool] = (False, False)) -> None:
    """Words as ticks, thinned out where there are too many."""
    for words, axis, empty in ((rows, axes.yaxis, blank[0]), (columns, axes.xaxis, blank[1])):
        if empty:
            axis.set_ticks([])
        elif words is not None:
            step = -(-len(words) // MOST_WORDS)
            axis.set_ticks(range(0, len(words), step), [plain(w, 24) for w in words[::step]], fontsize=small)
    if columns is not None and max(map(len, columns), default=0) > 2 + 20 // max(len(columns), 1):
        steep = len(columns) > 12
        for label in axes.get_xticklabels():
            label.set(rotation=90 if steep else 45, ha="center" if steep else "right",
                      rotation_mode="default" if steep else "anchor")


def _percent(share: float) -> str:
    return "<1%" if share < 0.005 else f"{share:.0%}"


def _ink_on(rgba: Any) -> str:
    """Black or white, whichever has the greater contrast."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgba[:3])
    return "#000000" if 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 else "#FFFFFF"
