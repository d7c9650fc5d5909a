"""The way that weights took during training, in the plane in which they moved most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .directions import loss_at, recorded, shaped, start_of
from .running import loss_of
from .style import DASHES, dress, legend, look, panel, plain
from .terrain import contours
from .values import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weight_trajectory(trajectory: Any, model: Any = None, x: Any = None, y: Any = None, loss_fn: Any = None, *,
                      steps: int = 25, training: bool = False, log: bool = False, levels: int = 16, ax: Any = None,
                      theme: str = "light") -> Figure:
    """Recorded weights in the plane of their two principal components, seen from the last ones (Li et al. 2018, 7.2).

    trajectory: weights at several moments, each a `viz.snapshot(model)`, a state_dict or a vector; or several runs
        from one network, {"adam": [...], "sgd": [...]}.
    model, x, y, loss_fn: with these the loss is drawn below the paths, over the same plane, by steps² runs of the
        model, which is left as it was.

    The labels say how much of the movement each axis shows: where the two add up to little, the picture does.
    Raises ValueError for fewer than two moments and for weights of other shapes.
    """
    who, colours = "weight_trajectory", look("weight_trajectory", theme)
    if model is not None and not callable(loss_fn):
        raise TypeError(f"{who}: expected a loss_fn with the model; got {type(loss_fn).__name__}: "
                        "weight_trajectory(path, model, x, y, loss_fn)")
    weights = None if model is None else start_of(who, model)
    several = isinstance(trajectory, Mapping)
    runs = {str(name): recorded(who, one, weights) for name, one in (trajectory.items() if several
                                                                    else [("", trajectory)])}
    if len({run.shape[1] for run in runs.values()}) != 1:
        raise ValueError(f"{who}: expected runs of one network; got weights of "
                         f"{', '.join(str(r.shape[1]) for r in runs.values())} numbers")
    centre = next(reversed(runs.values()))[-1]
    basis, shares = principal(np.concatenate(list(runs.values())) - centre)
    paths = {name: (run - centre) @ basis for name, run in runs.items()}
    drawn, axes = panel(who, ax, 5.0, 4.2, colours)
    everything = np.concatenate(list(paths.values()))
    low, high = everything.min(0), everything.max(0)
    reach = np.maximum((high - low) * 0.15, max(float((high - low).max()) * 0.1, 1e-12))
    low, high = (low - 1, high + 1) if not shares.any() else (low - reach, high + reach)
    if model is not None and weights is not None:
        loss = loss_of(who, model, x, y, loss_fn)
        origin, first, second = (shaped(v, weights) for v in (centre, basis[:, 0], basis[:, 1]))
        xs, ys = (np.linspace(low[k], high[k], whole(who, "steps", steps, 3)) for k in (0, 1))
        values = np.array([[loss_at(model, loss, loss_fn, training, origin, (a, first), (b, second)) for a in xs]
                           for b in ys])
        contours(drawn, axes, xs, ys, values, log, whole(who, "levels", levels, 2), colours, "loss")
    for k, (name, path) in enumerate(paths.items()):
        hue = ("#C2185B" if model is not None and len(paths) == 1 else colours.series[(k + 1) % len(colours.series)])
        if model is not None:                 # a pale edge, to be seen on any colour
            axes.plot(*path.T, color="#FFFFFF", linewidth=3.4, alpha=0.85)
        axes.plot(*path.T, color=hue, linewidth=1.6, marker=".", markersize=4, linestyle=DASHES[k % len(DASHES)],
                  label=plain(name) or "weights")
        axes.plot(*path[0], "o", color=hue, markeredgecolor="#FFFFFF", markersize=7, zorder=5,
                  label="start" if k == 0 else None)
        axes.plot(*path[-1], "s", color=hue, markeredgecolor="#FFFFFF", markersize=7, zorder=5,
                  label="end" if k == 0 else None)
    still = not shares.any()
    dress(axes, colours, "the weights never moved" if still else "",
          f"first principal component ({shares[0]:.0%} of the movement)",
          f"second principal component ({shares[1]:.0%})", grid=model is None)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    legend(axes, colours, loc="best")
    return drawn


def principal(moves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the two directions of greatest variance (n, 2), their shares of all variance): singular vectors of the centred
    moves.  Where there are fewer, the rest is zero."""
    centred = moves - moves.mean(0)
    # the smaller Gram matrix: moments are few and weights are many
    gram = centred @ centred.T
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:2]
    total = float(np.trace(gram))
    basis, shares = np.zeros((moves.shape[1], 2)), np.zeros(2)
    for k, i in enumerate(order):
        size = float(values[i])
        if size > 1e-14 * max(total, 1e-300) and total > 0:
            direction = centred.T @ vectors[:, i] / np.sqrt(size)
            direction *= np.sign(direction[np.abs(direction).argmax()]) or 1.0
            basis[:, k], shares[k] = direction, size / total
    return basis, shares
