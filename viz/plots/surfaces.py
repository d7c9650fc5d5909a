"""The loss around the weights of a model: along a line, and over a plane (Li et al. 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .directions import (
    Direction,
    direction_of,
    filter_normalised,
    flat,
    loss_at,
    orthogonal_to,
    recorded,
    start_of,
)
from .running import loss_of, undisturbed
from .style import Look, dress, legend, look, panel
from .terrain import contours, walked
from .values import positive, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def loss_slice(model: Any, x: Any, y: Any, loss_fn: Any, direction: Any = None, *, span: float = 1.0, steps: int = 51,
               seed: int = 0, training: bool = False, log: bool = False, ax: Any = None, theme: str = "light"
               ) -> Figure:
    """The loss along a line through the weights:  L(w + α d)  for α from -span to span.

    direction: None for a random one whose filters are as long as those of the weights (Li et al. 2018);
        "gradient" for minus the gradient, as long as the weights; or a dict of arrays by parameter path, a list of
        arrays, or one vector: `w_other - w` shows the way to another model, which lies at α = 1.
    training: whether the model runs in training mode; buffers and random numbers start from the same state each time.
    log: a logarithmic scale for the loss.

    Where the loss is not finite a mark stands on the upper edge.  The model is left as it was.
    Raises TypeError for what is no module or no loss, ValueError for a direction that does not fit.
    """
    who, colours = "loss_slice", look("loss_slice", theme)
    half = positive(who, "span", span)
    count = whole(who, "steps", steps, 3)
    weights = start_of(who, model)
    loss = loss_of(who, model, x, y, loss_fn)
    named = isinstance(direction, str)
    if named and direction != "gradient":
        raise ValueError(f"{who}: expected direction=None, 'gradient' or arrays; got {direction!r}")
    d = filter_normalised(weights, np.random.default_rng(seed)) if direction is None else \
        _downhill(who, model, loss, weights, loss_fn, training) if named else direction_of(who, direction, weights)
    alphas = np.linspace(-half, half, count)
    losses = np.array([loss_at(model, loss, loss_fn, training, weights, (a, d)) for a in alphas])
    here = loss_at(model, loss, loss_fn, training, weights)
    drawn, axes = panel(who, ax, 4.6, 3.2, colours)
    finite = np.isfinite(losses)
    axes.plot(alphas[finite], losses[finite], color=colours.series[0], linewidth=1.8)
    if np.isfinite(here):
        axes.plot([0], [here], "o", color=colours.series[1], markersize=6, zorder=4, label=f"here: {here:.4g}")
    _mark_broken(axes, alphas[~finite], colours)
    if log and finite.any() and losses[finite].min() > 0:
        axes.set_yscale("log")
    dress(axes, colours, "", "step α" + (" (down the gradient, in lengths of w)" if named else
                                         " (in lengths of the filters)" if direction is None else ""), "loss")
    legend(axes, colours)
    return drawn


def loss_plane(model: Any, x: Any, y: Any, loss_fn: Any, directions: Any = None, *, trajectory: Any = None,
               span: float = 1.0, steps: int = 25, seed: int = 0, training: bool = False, log: bool = False,
               levels: int = 16, ax: Any = None, theme: str = "light") -> Figure:
    """The loss over a plane through the weights:  L(w + α d₁ + β d₂).

    directions: None for two random ones, at right angles, whose filters are as long as those of the weights
        (Li et al. 2018); or two, each a dict of arrays by parameter path, a list of arrays, or one vector.
    trajectory: weights recorded on the way, `viz.snapshot(model)` of several steps: their projections are drawn as a
        path.
    span: α and β go from -span to span; more where the trajectory needs it.  steps: points along each.
    log: colour and contours by the logarithm.

    steps² runs of the model.  What is not finite stays empty.  The model is left as it was.  Raises as `loss_slice`.
    """
    who, colours = "loss_plane", look("loss_plane", theme)
    half = positive(who, "span", span)
    count = whole(who, "steps", steps, 3)
    whole(who, "levels", levels, 2)
    weights = start_of(who, model)
    loss = loss_of(who, model, x, y, loss_fn)
    if directions is None:
        draw = np.random.default_rng(seed)
        first = filter_normalised(weights, draw)
        second = orthogonal_to(filter_normalised(weights, draw), first)
    elif isinstance(directions, (list, tuple)) and len(directions) == 2:
        first, second = (direction_of(who, d, weights) for d in directions)
    else:
        raise ValueError(f"{who}: expected two directions, or None; got {type(directions).__name__}")
    path = None if trajectory is None else _projected(who, trajectory, weights, first, second)
    reach = half if path is None else max(half, 1.1 * float(np.abs(path).max()))
    grid = np.linspace(-reach, reach, count)
    losses = np.array([[loss_at(model, loss, loss_fn, training, weights, (a, first), (b, second)) for a in grid]
                       for b in grid])
    drawn, axes = panel(who, ax, 5.0, 4.2, colours)
    contours(drawn, axes, grid, grid, losses, log, levels, colours, "loss")
    if path is not None:
        walked(axes, path, colours)
    axes.plot([0], [0], "*", color=colours.series[1], markersize=11, markeredgecolor=colours.page, zorder=5,
              label="the weights", linestyle="none")
    dress(axes, colours, "", "step α along d₁", "step β along d₂", grid=False)
    legend(axes, colours, loc="upper right")
    return drawn


def _downhill(who: str, model: Any, loss: Any, weights: Direction, loss_fn: Any, training: bool) -> Direction:
    with undisturbed(model, loss_fn, training=training), np.errstate(all="ignore"):
        for p in model.parameters():
            p.grad = None
        loss().backward()
        g = {path: np.zeros(p.shape) if p.grad is None else np.array(p.grad.value, float)
             for path, p in model.named_parameters()}
    norm = float(np.linalg.norm(flat(g)))
    if not 0 < norm < np.inf:
        raise ValueError(f"{who}: expected a gradient to walk down; its length is {norm:g}")
    scale = (float(np.linalg.norm(flat(weights))) or 1.0) / norm
    return {path: -scale * d for path, d in g.items()}


def _projected(who: str, trajectory: Any, weights: Direction, first: Direction, second: Direction) -> np.ndarray:
    """(T, 2): the α and β nearest to each of the recorded weights, by least squares."""
    points = recorded(who, trajectory, weights)
    basis = np.stack([flat(first), flat(second)], 1)
    return np.linalg.lstsq(basis, (points - flat(weights)).T, rcond=None)[0].T


def _mark_broken(axes: Axes, at: np.ndarray, colours: Look) -> None:
    if len(at):
        axes.plot(at, np.ones(len(at)), "x", transform=axes.get_xaxis_transform(), clip_on=False, color=colours.alarm,
                  markersize=5, label="not finite")
