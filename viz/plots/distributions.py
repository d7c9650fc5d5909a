"""What flows through a network, layer by layer: activations, weights and gradients as small histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .running import inputs_of, loss_of, module_of, no_grad, undisturbed
from .style import Look, figure, look, plain
from .values import array, spread, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = {"activations": "output of the layer", "weights": "weight", "gradients": "log10 |gradient of the weight|"}
MOST_VALUES = 200_000                         # of one layer, by strides: a histogram needs no more


def histograms(model: Any, x: Any, y: Any = None, loss_fn: Any = None, *, show: Any = None, most: int = 24,
               bins: int = 60, theme: str = "light") -> Figure:
    """One row for each layer, from the input to the output; columns share their scale, so that what shrinks or grows
    from layer to layer is seen at once.

    activations: what each innermost module gave for x.  weights: all parameters of the layer.  gradients: log10 |g| of
    these, of the loss  loss_fn(model(x), y); without loss_fn there are none.  Beside each: mean and standard deviation
    (gradients: their root mean square), the share of zeros from 1 % on, and a word where a layer is dead (nothing but
    zeros), constant, or not finite.

    show: which of "activations", "weights", "gradients"; None shows all that can be had.
    most: how many layers; more are thinned out evenly, the first and last always shown.

    The model runs in the mode it is in (training or evaluation), and is left as it was, gradients and random state too.
    Raises TypeError for what is no module or no loss, ValueError for an unknown name in `show`.
    """
    who, colours = "histograms", look("histograms", theme)
    module_of(who, model)
    wanted = [c for c in COLUMNS if c != "gradients" or loss_fn is not None] if show is None else \
        [show] if isinstance(show, str) else list(show)
    strange = [c for c in wanted if c not in COLUMNS]
    if strange or not wanted:
        raise ValueError(f"{who}: expected show among {', '.join(COLUMNS)}; got "
                         f"{', '.join(map(str, strange)) or 'none'}")
    if "gradients" in wanted and loss_fn is None:
        raise ValueError(f"{who}: expected a loss_fn, for gradients; got none: histograms(model, x, y, loss_fn)")
    whole(who, "bins", bins, 2)
    layers = gathered(who, model, x, y, loss_fn)
    rows = [(name, found) for name, found in layers.items() if any(c in found for c in wanted)]
    if not rows:
        raise ValueError(f"{who}: expected a model with layers; got none that has {' or '.join(wanted)}")
    total, limit = len(rows), whole(who, "most", most, 1)
    if total > limit:
        rows = [rows[k] for k in np.unique(np.linspace(0, total - 1, limit).round().astype(int))]
    drawn = figure(2.9 * len(wanted) + 1.4, 0.46 * len(rows) + 0.95, colours)
    grid = drawn.subplots(len(rows), len(wanted), squeeze=False, gridspec_kw={"hspace": 0.0, "wspace": 0.03})
    for j, column in enumerate(wanted):
        shown = [_scaled(found[column], column) for _, found in rows if column in found]
        limits = _limits(shown)
        for i, (name, found) in enumerate(rows):
            axes = grid[i, j]
            _row(axes, found.get(column), column, limits, bins, colours)
            axes.spines[["top", "right", "left"]].set_visible(False)
            axes.spines["bottom"].set_color(colours.grid if i < len(rows) - 1 else colours.sub)
            axes.tick_params(colors=colours.sub, labelsize=7, length=3 if i == len(rows) - 1 else 0,
                             labelbottom=i == len(rows) - 1)
            if i == len(rows) - 1:
                axes.set_xlabel(COLUMNS[column], color=colours.ink, fontsize=8)
            if i == 0:
                axes.set_title(column, color=colours.ink, fontsize=9)
            if j == 0:
                axes.set_ylabel(plain(name), rotation=0, ha="right", va="center", color=colours.ink, fontsize=8)
    if total > limit:
        drawn.suptitle(f"{len(rows)} of {total} layers", color=colours.sub, fontsize=8)
    return drawn


def gathered(who: str, model: Any, x: Any, y: Any, loss_fn: Any) -> dict[str, dict[str, np.ndarray]]:
    """layer -> "activations", "weights", "gradients" -> values, in the order in which the layers ran."""
    inner = {path: m for path, m in model.named_modules() if not any(True for _ in m.children())}
    own = {path: m for path, m in model.named_modules() if path not in inner
           and any(True for _ in m.parameters(recurse=False))}
    outputs: dict[str, list[np.ndarray]] = {}

    def keep(path: str) -> Any:
        def hook(module: Any, args: Any, out: Any) -> None:
            one = out[0] if isinstance(out, (tuple, list)) and out else out
            if hasattr(one, "shape"):
                outputs.setdefault(path, []).append(array(who, "the output of a layer", one).ravel())
        return hook

    gradients: dict[int, np.ndarray] = {}
    with undisturbed(model, loss_fn), np.errstate(all="ignore"):
        handles = [m.register_forward_hook(keep(path)) for path, m in inner.items()]
        try:
            if loss_fn is None:
                with no_grad():
                    model(*inputs_of(model, x))
            else:
                for p in model.parameters():
                    p.grad = None
                loss_of(who, model, x, y, loss_fn)().backward()
                gradients = {id(p): array(who, "a gradient", p.grad).ravel() for p in model.parameters()
                             if p.grad is not None}
        finally:
            for handle in handles:
                handle.remove()
    order, known = list(outputs), [path for path, _ in model.named_modules() if path in inner or path in own]
    for k, path in enumerate(known):          # what was not called itself stands before what comes after it
        if path not in outputs:
            follower = next((p for p in known[k + 1:] if p in outputs), None)
            order.insert(len(order) if follower is None else order.index(follower), path)
    found: dict[str, dict[str, np.ndarray]] = {}
    for path in order:
        module, row = {**inner, **own}[path], {}
        weights = list(module.parameters(recurse=False))
        if path in outputs:
            row["activations"] = np.concatenate(outputs[path]).astype(float)
        if weights:
            row["weights"] = np.concatenate([array(who, "a weight", p).ravel() for p in weights]).astype(float)
        slopes = [gradients[id(p)] for p in weights if id(p) in gradients]
        if slopes:
            row["gradients"] = np.concatenate(slopes).astype(float)
        if row:
            kind = type(module).__name__
            name = f"{path} {kind}" if path else kind
            found[name if len(name) <= 28 or not path else path] = row
    return found


def _scaled(values: np.ndarray, column: str) -> np.ndarray:
    thin = values[::-(-values.size // MOST_VALUES)] if values.size > MOST_VALUES else values
    if column != "gradients":
        return thin
    with np.errstate(all="ignore"):
        return np.log10(np.abs(thin[thin != 0]))


def _limits(shown: list[np.ndarray]) -> tuple[float, float]:
    ranges = [spread(v) for v in shown if np.isfinite(v).any()]
    if not ranges:
        return 0.0, 1.0
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    return low - 0.02 * (high - low), high + 0.02 * (high - low)


def _row(axes: Axes, values: np.ndarray | None, column: str, limits: tuple[float, float], bins: int,
         colours: Look) -> None:
    axes.set_facecolor("none")
    axes.set_yticks([])
    axes.set_xlim(*limits)
    axes.set_ylim(0, 1.75)
    if values is None:
        return
    color = colours.series[list(COLUMNS).index(column)]
    state, alarm = _state(values, column)
    scaled = _scaled(values, column)
    inside = scaled[np.isfinite(scaled) & (scaled >= limits[0]) & (scaled <= limits[1])]
    counts, edges = np.histogram(inside, bins=bins, range=limits)
    if counts.any():
        # the height is the square root of the count: a spike at zero leaves the rest visible
        height = np.sqrt(counts / counts.max())
        axes.fill_between(edges, [*height, height[-1]], step="post", color=color, alpha=0.55, linewidth=0)
        axes.step(edges, [*height, height[-1]], where="post", color=color, linewidth=0.9)
    if limits[0] < 0 < limits[1] and column != "gradients":
        axes.axvline(0, color=colours.sub, linewidth=0.6, linestyle=":")
    axes.text(0.99, 0.96, state, transform=axes.transAxes, ha="right", va="top", fontsize=6.8,
              color=colours.alarm if alarm else colours.sub, fontweight="bold" if alarm else "normal")


def _state(values: np.ndarray, column: str) -> tuple[str, bool]:
    """(what is said of a layer, whether it is bad)."""
    finite = values[np.isfinite(values)]
    broken = values.size - finite.size
    if broken:
        return f"{broken:,} of {values.size:,} not finite", True
    if not finite.size:
        return "empty", True
    zeros = float((finite == 0).mean())
    if zeros == 1:
        return ("dead: only zeros" if column != "weights" else "only zeros"), column != "weights"
    if finite.size > 1 and float(finite.min()) == float(finite.max()):
        return f"all {finite[0]:.3g}", column == "activations"
    share = f", {zeros:.0%} zeros" if zeros >= 0.01 else ""
    if column == "gradients":
        return f"rms {np.sqrt(np.mean(finite ** 2)):.2g}{share}", False
    return f"{finite.mean():.2g} ± {finite.std():.2g}{share}", False
