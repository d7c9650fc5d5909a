"""Products of vectors, matrices and batches of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import bilinear, linear, op
from .linear import expand, ones, reshape, sum

_MATMUL_CASES: list[Any] = [
    (((2, 3), (3, 4)), {}),
    (((3,), (3,)), {}),
    (((2, 3), (3,)), {}),
    (((3,), (3, 4)), {}),
    (((5, 2, 3), (3, 4)), {}),
    (((5, 2, 3), (5, 3, 4)), {}),
    (((2, 3), (5, 3, 4)), {}),
    (((3,), (5, 3, 4)), {}),
    (((5, 2, 3), (3,)), {}),
    (((4, 1, 2, 3), (5, 3, 2)), {}),
    (((0, 3), (3, 2)), {}),
]


@bilinear(x=lambda g, y, x_shape: _to_left(g, y, x_shape), y=lambda g, x, y_shape: _to_right(g, x, y_shape),
          shapes="(..., n, k) and (..., k, m)", category="linear", symbol="⊗", cases=_MATMUL_CASES)
def matmul(x: Any, y: Any) -> Any:
    """Matrix product of the last two axes, broadcast over the rest:  x y.  A 1-D operand is a vector.

    x (..., n, k), y (..., k, m) -> (..., n, m);  x (k,), y (k,) -> ().
    """
    try:
        return x @ y
    except ValueError:
        _explain_matmul(x, y)
        raise


def _explain_matmul(x: Any, y: Any) -> None:
    if not x.ndim or not y.ndim:
        raise ShapeError(
            f"matmul: expected operands of at least one axis; got {x.shape} and {y.shape}: use * for a product "
            "with a number"
        )
    k, other = x.shape[-1], y.shape[-2 if y.ndim > 1 else 0]
    if k != other:
        sizes = f"({'x'.join(map(str, x.shape))} and {'x'.join(map(str, y.shape))})"
        raise ShapeError(
            f"mat1 and mat2 shapes cannot be multiplied {sizes}: the last axis of the first, {k}, must equal "
            f"the {'second last' if y.ndim > 1 else 'only'} axis of the second, {other}"
        )


def _column(v: Any) -> Any:
    return reshape(v, shape=(*v.shape, 1))


def _row(v: Any) -> Any:
    return reshape(v, shape=(*v.shape[:-1], 1, v.shape[-1]))


def _to_left(g: Any, y: Any, x_shape: tuple[int, ...]) -> Any:
    if y.ndim == 1:
        return _column(g) * y if len(x_shape) > 1 else g * y
    if len(x_shape) == 1:
        return reshape(y @ _column(g), shape=(*y.shape[:-2], x_shape[0]))
    return g @ y.mT


def _to_right(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    if len(y_shape) == 1:
        return reshape(x.mT @ _column(g), shape=(*x.shape[:-2], y_shape[0])) if x.ndim > 1 else g * x
    if x.ndim == 1:
        return _column(x) * _row(g)
    if len(y_shape) == 2 and x.ndim > 2:      # one product over all batches, not one each and a sum
        return _flat(x).mT @ _flat(g)
    return x.mT * g if x.shape[-2] == 1 else x.mT @ g        # an outer product goes faster without BLAS


@linear(x=lambda g, x_shape: expand(g, shape=x_shape), shapes="(n, m)", category="reduction", symbol="Σ",
        cases=[(((4, 3),), {}), (((0, 3),), {})])
def column_sums(x: Any) -> Any:
    """Sum over the rows:  y[j] = Σ_i x[i, j].  Few elements as a product, in a third of the time of `sum`."""
    return np.dot(ones(len(x), x.dtype), x) if x.size <= 4096 else sum(x, dim=0)


@op(
    x=lambda g, weight: g @ weight,
    weight=lambda g, x: _flat(g).mT @ _flat(x),
    bias=lambda g: column_sums(_flat(g)),
    name="linear",                            # as its layer; the Python name is taken, for linear ops
    shapes="x (..., n), weight (m, n) and bias (m,)",
    category="linear",
    symbol="⊗",
    cases=[
        (((4, 3), (2, 3), (2,)), {}),
        (((5, 4, 3), (2, 3), (2,)), {}),
        (((3,), (2, 3), (2,)), {}),
        (((4, 3), (2, 3)), {}),
    ],
)
def affine(x: Any, weight: Any, bias: Any = None) -> Any:
    """Affine map of the last axis:  x W^T + b.

    x (..., n), weight W (m, n), bias b (m,) -> (..., m).
    """
    try:
        out = np.dot(x, weight.T) if x.ndim == 2 else x @ weight.T
        if bias is not None:
            out += bias
        return out
    except ValueError:
        _explain_affine(x, weight, bias)
        raise


def _explain_affine(x: Any, weight: Any, bias: Any) -> None:
    if weight.ndim == 2 and x.shape[-1:] != weight.shape[1:]:
        raise ShapeError(f"linear: expected an input of {weight.shape[1]} features on its last axis "
                         f"(weight {weight.shape}); got input {x.shape} with {x.shape[-1] if x.ndim else 'no axis'}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(f"linear: expected a bias of shape {weight.shape[:1]}; got {bias.shape}")


def _flat(v: Any) -> Any:
    return v if v.ndim == 2 else reshape(v, shape=(math.prod(v.shape[:-1]), v.shape[-1]))


@bilinear(
    operands=lambda g, i, operands, subscripts: _einsum_pull(g, i, operands, subscripts),
    category="linear",
    symbol="⊗",
    shapes="operands whose axes have the sizes that their letters have elsewhere",
    cases=[
        (((2, 3), (3, 4)), {"subscripts": "ij,jk->ik"}),
        (((2, 3), (2, 3)), {"subscripts": "ij,ij->i"}),
        (((2, 3), (3, 4), (4, 2)), {"subscripts": "ij,jk,kl->il"}),
        (((2, 3),), {"subscripts": "ij->ji"}),
    ],
)
def contract(*operands: Any, subscripts: str) -> Any:
    """Sum of products by index letters, each letter at most once an operand and not in one operand alone.

    `einsum` brings any expression into this form.
    """
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _einsum_pull(g: Any, i: int, operands: Any, subscripts: str) -> Any:
    left, out = subscripts.split("->")
    terms = left.split(",")
    others = [t for j, t in enumerate(terms) if j != i]
    return contract(
        g, *[v for j, v in enumerate(operands) if j != i], subscripts=",".join([out, *others]) + "->" + terms[i]
    )
