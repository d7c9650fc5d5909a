"""Optimizers raced down one surface, a function of two numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Parameter, Tensor, no_grad

from .animation import Animation
from .style import MARKERS, dress, legend, legend_below, look, panel, plain
from .terrain import contours
from .values import array, whole

# name -> (function, start, the part of the plane shown, its minima)
SURFACES: dict[str, tuple[Callable[[Any, Any], Any], tuple[float, float], tuple[float, float, float, float],
                          tuple[tuple[float, float], ...]]] = {
    "rosenbrock": (lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2, (-1.5, 2.0), (-2, 2, -1, 3), ((1, 1),)),
    "himmelblau": (lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2, (0.0, -1.0), (-5, 5, -5, 5),
                   ((3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126))),
    "beale": (lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y ** 2) ** 2 + (2.625 - x + x * y ** 3) ** 2,
              (1.0, 1.5), (-4.5, 4.5, -2, 2.5), ((3, 0.5),)),
    "valley": (lambda x, y: 0.05 * x * x + y * y, (-9.0, 1.6), (-10, 4, -2, 2), ((0, 0),)),
    "saddle": (lambda x, y: x * x - y * y, (-1.5, 1e-3), (-2, 2, -2, 2), ()),
}


def optimizer_race(function: Any, optimizers: Mapping[str, Callable[..., Any]], start: Sequence[float] | None = None, *,
                   steps: int = 60, region: Sequence[float] | None = None, log: bool | None = None, every: int = 1,
                   pause: int = 80, ax: Any = None, theme: str = "light") -> Animation:
    """Several optimizers from one start down one surface, frame by frame.

        viz.optimizer_race("rosenbrock", {
            "SGD": lambda p: optim.SGD(p, lr=1e-3), "Adam": lambda p: optim.Adam(p, lr=0.1)}).save("race.gif")

    function: of two Tensors, f(x, y), made of the library's operations; or the name of a known one: "rosenbrock",
        "himmelblau", "beale", "valley" (long and narrow), "saddle".
    optimizers: name -> function that takes a list of parameters and returns an optimizer.
    start: (x, y).  region: (x from, x to, y from, y to); None shows what the paths and the start need.
    steps: how many each makes.  every: steps from one frame to the next.  log: colour by the logarithm of the height
        above the lowest point; None does, but for the saddle, which has none.

    The last frame stands alone: `race.at(-1)` is a Figure.  An optimizer that leaves the region is drawn as far as it
    is in; one that diverges stays where it was last finite and says so.
    Raises TypeError for what is no function or optimizer, ValueError for an unknown name or a start that is no point.
    """
    who, colours = "optimizer_race", look("optimizer_race", theme)
    minima: tuple[tuple[float, float], ...] = ()
    if isinstance(function, str):
        if function not in SURFACES:
            raise ValueError(f"{who}: expected a function of two tensors, or one of {', '.join(SURFACES)}; got "
                             f"{function!r}")
        log = function != "saddle" if log is None else log
        function, usual, shown, minima = SURFACES[function]
        start, region = usual if start is None else start, shown if region is None else region
    if not callable(function):
        raise TypeError(f"{who}: expected a function of two tensors; got {type(function).__name__}")
    if start is None:
        raise ValueError(f"{who}: expected a start (x, y); got none")
    log = log is None or log
    origin = array(who, "start", start).astype(float)
    if origin.shape != (2,) or not np.isfinite(origin).all():
        raise ValueError(f"{who}: expected start to be two finite numbers; got {start!r}")
    if not isinstance(optimizers, Mapping) or not optimizers:
        raise TypeError(f"{who}: expected optimizers as a dict, {{\"SGD\": lambda p: optim.SGD(p, lr=0.1)}}; got "
                        f"{type(optimizers).__name__ if optimizers else 'an empty one'}")
    count, skip = whole(who, "steps", steps, 1), whole(who, "every", every, 1)
    paths = {str(name): _run(who, function, make, origin, count, str(name)) for name, make in optimizers.items()}
    box = _box(who, region, list(paths.values()))
    drawn, axes = panel(who, ax, 5.6, 4.4, colours)
    xs, ys = np.linspace(box[0], box[1], 160), np.linspace(box[2], box[3], 160)
    with no_grad(), np.errstate(all="ignore"):
        heights = array(who, "the function", function(*(Tensor(v) for v in np.meshgrid(xs, ys)))).astype(float)
    if heights.shape != (160, 160):
        raise ValueError(f"{who}: expected a function that works number by number; for grids of (160, 160) it gave "
                         f"shape {heights.shape}")
    finite = heights[np.isfinite(heights)]
    lift = heights
    if log and finite.size:                   # a little above the lowest: its logarithm is finite
        lift = heights - float(finite.min()) + 1e-3 * max(float(finite.max() - finite.min()), 1e-300) ** 0.5
    contours(drawn, axes, xs, ys, lift, log, 18, colours, "height above the lowest" if log else "height")
    for x, y in minima:
        axes.plot(x, y, "*", color="#FFFFFF", markeredgecolor="#1B1F24", markersize=11, zorder=6, linestyle="none",
                  label="minimum" if (x, y) == minima[0] else None)
    lines = []
    tints = ("#D55E00", "#C2185B", "#111111", "#7B2FF7", "#FFFFFF", "#8A4B00", "#E3D04C", "#00A0C0")
    for k, (name, path) in enumerate(paths.items()):
        ended = "" if np.isfinite(path).all() else " (diverged)"
        hue = tints[k % len(tints)]
        edge = "#FFFFFF" if hue != "#FFFFFF" else "#1B1F24"
        back, = axes.plot([], [], color=edge, linewidth=3.0, alpha=0.8, zorder=3)
        line, = axes.plot([], [], color=hue, linewidth=1.6, zorder=4)
        head, = axes.plot([], [], marker=MARKERS[k % len(MARKERS)], color=hue, markeredgecolor=edge, markersize=8,
                          zorder=5, linestyle="none", label=plain(name + ended))
        lines.append((path, back, line, head))
    axes.plot(*origin, "P", color="#1B1F24", markeredgecolor="#FFFFFF", markersize=8, zorder=4, linestyle="none",
              label="start")
    dress(axes, colours, "step 0", "x", "y", grid=False)
    axes.set(xlim=box[:2], ylim=box[2:])
    if ax is None:
        legend_below(drawn, axes, colours)
    else:
        legend(axes, colours, loc="best")
    frames = [*range(0, count, skip), count]

    def draw(frame: int) -> None:
        t = frames[frame]
        for path, back, line, head in lines:
            done = path[:t + 1][np.isfinite(path[:t + 1]).all(1)]
            back.set_data(*done.T)
            line.set_data(*done.T)
            head.set_data(*done[-1:].T)
        axes.set_title(f"step {t}", color=colours.ink, fontsize=10)

    draw(len(frames) - 1)
    return Animation(drawn, draw, len(frames), whole(who, "pause", pause, 1),
                     f"{', '.join(paths)} raced over {count} steps")


def _run(who: str, function: Any, make: Any, origin: np.ndarray, steps: int, name: str) -> np.ndarray:
    """(steps + 1, 2): where one optimizer went."""
    point = Parameter(Tensor(origin.copy()))
    optimizer = make([point])
    if not hasattr(optimizer, "step") or isinstance(optimizer, type):
        raise TypeError(f"{who}: expected {name!r} to give an optimizer, lambda p: optim.SGD(p, lr=0.1); got "
                        f"{type(optimizer).__name__}")

    def closure() -> Any:
        optimizer.zero_grad()
        height = function(point[0], point[1])
        if not isinstance(height, Tensor) or height.shape:
            what = f"shape {tuple(height.shape)}" if isinstance(height, Tensor) else type(height).__name__
            raise TypeError(f"{who}: expected the function to give one number, as a Tensor; got {what}")
        height.backward()
        return height

    path = [origin]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            if np.isfinite(path[-1]).all():
                optimizer.step(closure)
            path.append(np.array(point.value, float))
    return np.array(path)


def _box(who: str, region: Sequence[float] | None, paths: list[np.ndarray]) -> tuple[float, float, float, float]:
    if region is not None:
        box = array(who, "region", region).astype(float)
        if box.shape != (4,) or not (np.isfinite(box).all() and box[0] < box[1] and box[2] < box[3]):
            raise ValueError(f"{who}: expected region=(x from, x to, y from, y to); got {region!r}")
        return float(box[0]), float(box[1]), float(box[2]), float(box[3])
    # who diverged does not say what is shown, unless all did; then their first steps do
    points = np.concatenate([p for p in paths if np.isfinite(p).all()] or [p[:3] for p in paths])
    points = points[np.isfinite(points).all(1) & (np.abs(points) < 1e6).all(1)]
    points = points if len(points) else paths[0][:1]
    low, high = np.percentile(points, [2, 98], axis=0)
    low, high = np.minimum(low, paths[0][0]), np.maximum(high, paths[0][0])
    edge = 0.25 * np.maximum(high - low, max(0.2 * float((high - low).max()), 1e-3 * float(np.abs(high).max()), 1e-3))
    return float(low[0] - edge[0]), float(high[0] + edge[0]), float(low[1] - edge[1]), float(high[1] + edge[1])
