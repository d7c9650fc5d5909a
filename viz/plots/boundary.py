"""Where a classifier of points in the plane changes its mind, and how sure it is on either side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .running import inputs_of, no_grad, undisturbed
from .style import MARKERS, Look, between, colour_bar, dress, legend, look, panel, plain
from .values import array, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BATCH = 8192


def decision_boundary(model: Any, X: Any, y: Any = None, *, steps: int = 200, margin: float = 0.15, labels: Any = None,
                      features: tuple[str, str] = ("x₁", "x₂"), ax: Any = None, theme: str = "light") -> Figure:
    """The probability that a classifier gives, over the plane, with the data on it.

    model: a module (called in evaluation mode, left as it was), anything with `predict_proba`, `decision_function` or
        `predict` (scikit-learn's estimators), or a function of points (N, 2).  What it gives:
        (N,) or (N, 1): the probability of class 1, or, where some value is outside [0, 1], its logit; whole numbers
        and words are classes.  (N, C): probabilities, or, where they do not add up to 1, logits, of C classes.
    X: (N, 2) points; they also say which part of the plane is shown.  y: (N,) their classes, numbers or words.
    steps: points of the grid along the longer side.  margin: what is shown around the data, as a share of its extent.
    labels: names of the classes in order.

    Two classes: colour is the probability, the line is at 0.5.  More: colour is the most probable class, paler the less
    sure, with lines between them.  Marks tell the classes apart too; a ring in red is a point on the wrong side.
    Raises ValueError for points that are not in the plane and for outputs of another shape.
    """
    who, colours = "decision_boundary", look("decision_boundary", theme)
    points = array(who, "X", X).astype(float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"{who}: expected X to be points of the plane, (N, 2); got shape {points.shape}: choose two "
                         "features, or project them")
    if not np.isfinite(points).all():
        raise ValueError(f"{who}: expected finite points; got {int((~np.isfinite(points)).any(1).sum())} that are not")
    known = None if y is None else _classes(who, y, len(points))
    whole(who, "steps", steps, 2)
    low, high = points.min(0), points.max(0)
    extent = np.where(high > low, high - low, 1.0)
    low, high = low - margin * extent, high + margin * extent
    across = [max(round(float(steps * e / extent.max())), 2) for e in extent]
    xs, ys = np.linspace(low[0], high[0], across[0]), np.linspace(low[1], high[1], across[1])
    mesh = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    asked = mesh.astype(array(who, "X", X).dtype if array(who, "X", X).dtype.kind == "f" else float)
    given = np.array(points, asked.dtype)
    shares, classes = scores(who, model, np.concatenate([asked, given]), None if known is None else list(known[0]))
    surface, at = shares[:len(mesh)].reshape(*reversed(across), -1), shares[len(mesh):]
    names = [plain(c) for c in (labels if labels is not None else classes)]
    if len(names) != len(classes):
        raise ValueError(f"{who}: expected {len(classes)} labels, one for each class; got {len(names)}")
    drawn, axes = panel(who, ax, 4.8, 4.2, colours)
    image = None
    if len(classes) == 2:
        image = _two(axes, xs, ys, surface[..., 1], colours)
    else:
        _several(axes, xs, ys, surface, colours)
    if known is not None:
        _points(axes, points, known[1], at.argmax(1), known[0], classes, names, colours)
    dress(axes, colours, "", features[0], features[1], grid=False)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    if image is not None:
        colour_bar(drawn, image, axes, colours, f"P(class {names[1]})")
    return drawn


def _classes(who: str, y: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(the classes, which of them each point is of)."""
    found = array(who, "y", y, numbers=False)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.shape != (count,):
        raise ValueError(f"{who}: expected y to hold a class for each of {count} points; got shape {found.shape}")
    kinds, which = np.unique(found, return_inverse=True)
    return kinds, which


def scores(who: str, model: Any, points: np.ndarray, known: list[Any] | None) -> tuple[np.ndarray, list[Any]]:
    """(probabilities (N, C), the classes) that a model gives at some points, in batches."""
    if not callable(model) and not hasattr(model, "predict"):
        raise TypeError(f"{who}: expected a module, a function of points (N, 2), or an estimator with predict; got "
                        f"{type(model).__name__}")
    ask = _asked(model)
    with undisturbed(model, training=False), no_grad(), np.errstate(all="ignore"):
        out = np.concatenate([array(who, "the output of the model", ask(points[k:k + BATCH]), numbers=False)
                              for k in range(0, len(points), BATCH)])
    classes = list(getattr(model, "classes_", ())) or None
    if len(out) != len(points) or out.ndim > 2:
        raise ValueError(f"{who}: expected the model to give (N,) or (N, C) for N points; got shape {out.shape} for "
                         f"{len(points)}")
    if out.ndim == 2 and out.shape[1] == 1:
        out = out[:, 0]
    if out.ndim == 1 and (out.dtype.kind in "iubUSO" or not (hasattr(model, "predict_proba") or classes is None
                                                             or hasattr(model, "decision_function"))):
        kinds = classes or known or list(np.unique(out))
        kinds = [*kinds, *[k for k in np.unique(out) if k not in kinds]]
        kinds = [*kinds, "other"] if len(kinds) == 1 else kinds
        return (out[:, None] == np.array(kinds, dtype=object)[None]).astype(float), kinds
    out = out.astype(float)
    if out.ndim == 1:
        if ((out < 0) | (out > 1)).any():
            out = 0.5 * (1 + np.tanh(out / 2))          # the sigmoid, without overflow
        shares = np.stack([1 - out, out], 1)
    else:
        shares = out
        if (out < 0).any() or not np.allclose(out.sum(1), 1, atol=1e-3):
            shares = np.exp(out - out.max(1, keepdims=True))
            shares /= shares.sum(1, keepdims=True)
    count = shares.shape[1]
    if classes is None:
        classes = known if known is not None and len(known) == count else list(range(count))
    return shares, list(classes)


def _asked(model: Any) -> Any:
    """The function of points that tells most."""
    for name in ("predict_proba", "decision_function"):
        if hasattr(model, name):
            return getattr(model, name)
    if hasattr(model, "named_parameters"):
        return lambda points: model(*inputs_of(model, points))
    return getattr(model, "predict", model)


def _two(axes: Axes, xs: np.ndarray, ys: np.ndarray, share: np.ndarray, colours: Look) -> Any:
    cmap = between(*(_mixed(c, colours.page, 0.65) for c in (colours.series[0], colours.page, colours.series[1])))
    image = axes.imshow(share, extent=(xs[0], xs[-1], ys[0], ys[-1]), origin="lower", cmap=cmap, vmin=0, vmax=1,
                        aspect="auto", interpolation="bilinear")
    if (share < 0.5).any() and (share > 0.5).any():
        axes.contour(xs, ys, share, levels=[0.5], colors=[colours.ink], linewidths=1.4)
    return image


def _several(axes: Axes, xs: np.ndarray, ys: np.ndarray, shares: np.ndarray, colours: Look) -> None:
    best, sure = shares.argmax(-1), shares.max(-1)
    count = shares.shape[-1]
    tints = np.array([_rgb(colours.series[k % len(colours.series)]) for k in range(count)])
    page = np.array(_rgb(colours.page))
    # nothing is left of the colour where all are equally likely
    depth = 0.65 * np.clip((sure - 1 / count) / max(1 - 1 / count, 1e-9), 0, 1)[..., None]
    pixels = tints[best] * depth + page * (1 - depth)
    axes.imshow(np.where(np.isfinite(sure)[..., None], pixels, np.array(_rgb(colours.grid))),
                extent=(xs[0], xs[-1], ys[0], ys[-1]), origin="lower", aspect="auto", interpolation="nearest")
    for k in range(count):
        others = np.delete(shares, k, -1).max(-1) if count > 1 else np.zeros_like(sure)
        lead = shares[..., k] - others
        if (lead < 0).any() and (lead > 0).any():
            axes.contour(xs, ys, lead, levels=[0], colors=[colours.ink], linewidths=1.0)


def _points(axes: Axes, points: np.ndarray, of: np.ndarray, seen: np.ndarray, kinds: np.ndarray, classes: list[Any],
            names: list[str], colours: Look) -> None:
    size = float(np.clip(900 / np.sqrt(len(points)) / 3, 6, 30))
    own = {str(c): k for k, c in enumerate(classes)}
    wrong = np.zeros(len(points), bool)
    for k, kind in enumerate(kinds):
        place = own.get(str(kind), k if k < len(names) else None)
        mine = of == k
        hue = colours.series[(k if place is None else place) % len(colours.series)]
        axes.scatter(points[mine, 0], points[mine, 1], s=size, marker=MARKERS[k % len(MARKERS)], color=hue,
                     edgecolors=colours.page, linewidths=0.6,
                     label=plain(kind if place is None else names[place]), zorder=3)
        if place is not None:
            wrong |= mine & (seen != place)
    if wrong.any():
        axes.scatter(points[wrong, 0], points[wrong, 1], s=size * 3, marker="o", facecolors="none",
                     edgecolors=colours.alarm, linewidths=1.1, label=f"wrong ({int(wrong.sum())})", zorder=4)
    legend(axes, colours, loc="best")


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[k:k + 2], 16) / 255 for k in (1, 3, 5))


def _mixed(colour: str, page: str, share: float) -> tuple[float, ...]:
    return tuple(share * a + (1 - share) * b for a, b in zip(_rgb(colour), _rgb(page)))
