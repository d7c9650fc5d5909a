"""Directions in the space of a model's weights, and walking along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .running import module_of, number, undisturbed
from .values import array

Direction = dict[str, np.ndarray]             # dotted path of a parameter -> change, of its shape


def weights_of(model: Any) -> Direction:
    """The parameters as they are, in float64 copies."""
    return {path: array("weights_of", path, p).astype(float) for path, p in model.named_parameters()}


def filter_normalised(weights: Direction, generator: np.random.Generator) -> Direction:
    """A random direction in which each filter is as long as that of the weights (Li et al. 2018, section 4):
    d_ij <- d_ij / |d_ij| |w_ij|, a filter being what makes one output; biases and scales, of one axis, stay.

    "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018, arXiv:1712.09913.
    """
    made = {}
    for path, w in weights.items():
        if w.ndim < 2:
            made[path] = np.zeros_like(w)
            continue
        d = generator.standard_normal(w.shape)
        axes = tuple(range(1, w.ndim))
        norm = np.sqrt((d * d).sum(axes, keepdims=True))
        made[path] = d * np.sqrt((w * w).sum(axes, keepdims=True)) / np.maximum(norm, 1e-30)
    if not any(d.any() for d in made.values()):          # a model of biases alone, or of zeros
        made = {path: generator.standard_normal(w.shape) for path, w in weights.items()}
    return made


def orthogonal_to(direction: Direction, other: Direction) -> Direction:
    """The part of a direction that is orthogonal to the other one, as long as before."""
    d, o = flat(direction), flat(other)
    rest = d - o * (d @ o) / max(float(o @ o), 1e-300)
    length = float(np.linalg.norm(rest))
    return shaped(rest * (float(np.linalg.norm(d)) / length if length else 0.0), direction)


def flat(weights: Direction) -> np.ndarray:
    """All of it as one vector."""
    return np.concatenate([w.ravel() for w in weights.values()]) if weights else np.zeros(0)


def shaped(vector: np.ndarray, like: Direction) -> Direction:
    """A vector, cut into arrays of these shapes."""
    made, at = {}, 0
    for path, w in like.items():
        made[path] = vector[at:at + w.size].reshape(w.shape)
        at += w.size
    return made


def direction_of(who: str, given: Any, weights: Direction) -> Direction:
    """What the user gave as a direction.  Raises ValueError where it does not fit, or is zero everywhere."""
    made = fitted(who, "a direction", given, weights)
    if not any(np.any(d) for d in made.values()):
        raise ValueError(f"{who}: expected a direction to walk in; got one that is zero everywhere")
    return made


def fitted(who: str, what: str, given: Any, weights: Direction) -> Direction:
    """A dict of arrays by path, a list of arrays in order, or one flat vector, as arrays of the parameters' shapes.

    Raises ValueError where the shapes are others.
    """
    if isinstance(given, Mapping):
        strange = [k for k in given if k not in weights]
        if strange and not any(k in weights for k in given):
            raise ValueError(f"{who}: expected {what} with paths such as {next(iter(weights))!r}; got "
                             f"{strange[0]!r}")
        made = {path: array(who, path, given[path]).astype(float) if path in given else np.zeros_like(w)
                for path, w in weights.items()}         # buffers of a state_dict are passed over
    else:
        one = given if hasattr(given, "shape") else None
        total = sum(w.size for w in weights.values())
        if one is not None:
            vector = array(who, what, one).astype(float).ravel()
            if vector.size != total:
                raise ValueError(f"{who}: expected {what} of {total} numbers, as many as the model has; got "
                                 f"{vector.size}")
            made = shaped(vector, weights)
        elif isinstance(given, Sequence) and len(given) == len(weights):
            made = {path: array(who, path, d).astype(float) for path, d in zip(weights, given)}
        else:
            raise ValueError(f"{who}: expected {what} as a dict of arrays, a list of {len(weights)} arrays or a "
                             f"vector of {total} numbers; got {type(given).__name__}")
    for path, w in weights.items():
        if made[path].shape != w.shape:
            raise ValueError(f"{who}: expected {path!r} of shape {w.shape} in {what}; got {made[path].shape}")
    return made


def place(model: Any, weights: Direction, *steps: tuple[float, Direction]) -> None:
    """Set the parameters to  w + Σ a d;  the arrays they had are left alone."""
    for path, p in model.named_parameters():
        w = weights[path]
        for a, d in steps:
            w = w + a * d[path]
        p.value = w.astype(p.dtype)


def loss_at(model: Any, loss: Any, loss_fn: Any, training: bool, weights: Direction, *steps: tuple[float, Direction]
             ) -> float:
    """The loss at  w + Σ a d;  everything is put back after."""
    with undisturbed(model, loss_fn, training=training):
        if steps:
            place(model, weights, *steps)
        return number(loss)


def start_of(who: str, model: Any) -> Direction:
    """The weights of a model that is to be walked around.  Raises as `module_of`, and ValueError where it has none."""
    weights = weights_of(module_of(who, model))
    if not weights:
        raise ValueError(f"{who}: expected a model with parameters; got one that has none")
    return weights


def snapshot(model: Any) -> Direction:
    """The parameters as they are now, copied: dotted path -> array.  `weight_trajectory` takes a list of these.

        path = [viz.snapshot(model)]
        ...                                    # after each epoch:
        path.append(viz.snapshot(model))
    """
    return weights_of(module_of("snapshot", model))


def recorded(who: str, trajectory: Any, like: Direction | None = None) -> np.ndarray:
    """(T, n): recorded weights as vectors; each is a snapshot, a state_dict, a list of arrays or a vector.

    Raises ValueError for fewer than two moments, and for weights that are not alike.
    """
    if isinstance(trajectory, (str, Mapping)) or not hasattr(trajectory, "__len__") or len(trajectory) < 2:
        what = f"{len(trajectory)} of them" if hasattr(trajectory, "__len__") else type(trajectory).__name__
        raise ValueError(f"{who}: expected weights recorded at two moments at least, a list of viz.snapshot(model); "
                         f"got {what}")
    first = trajectory[0]
    if like is None:
        if isinstance(first, Mapping):
            like = {str(k): array(who, str(k), v).astype(float) for k, v in first.items()}
        elif hasattr(first, "shape"):
            like = {"weights": array(who, "the weights", first).astype(float).ravel()}
        else:
            like = {str(k): array(who, "the weights", v).astype(float) for k, v in enumerate(first)}
    found = np.stack([flat(fitted(who, f"weights {k}", one, like)) for k, one in enumerate(trajectory)])
    broken = ~np.isfinite(found).all(1)
    if broken.any():
        raise ValueError(f"{who}: expected finite weights; those of moment {int(np.flatnonzero(broken)[0])} are not")
    return found
