"""What one element of a result is, written with scalars: for each tensor op its definition, element by element.

A program is called with the opening (where the element lies, the attributes of the step) and the operands, of which it
reads elements, x[i, j], as scalars of the engine.  Linear ops have no program of their own: an element is the sum of
what the engine says its coefficients are, times the operand's elements.  Elementwise ops are themselves on scalars.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from .elements import Opening, Operand, axes_of, place_in

Program = Callable[..., Any]
SAFE = 500.0                                   # e to a power below this does not overflow


# -- products -----------------------------------------------------------------------------------------


def matmul(z: Opening, x: Operand, y: Operand) -> Any:
    batch, rest = z.at, 0
    i: tuple[int, ...] = ()
    j: tuple[int, ...] = ()
    if len(y.shape) > 1:
        batch, j = batch[:-1], batch[-1:]
    if len(x.shape) > 1:
        batch, i = batch[:-1], batch[-1:]
    rest = x.shape[-1]
    here, there = place_in(batch, x.shape[:-2]), place_in(batch, y.shape[:-2])
    return z.sum([x[(*here, *i, k)] * y[(*there, k, *j)] for k in range(rest)])


def linear(z: Opening, x: Operand, weight: Operand, bias: Operand | None = None) -> Any:
    j = z.at[-1]
    made = z.sum([x[(*z.at[:-1], k)] * weight[j, k] for k in range(x.shape[-1])])
    return made if bias is None else made + bias[j]


def contract(z: Opening, *operands: Operand) -> Any:
    left, _, out = z.attrs["subscripts"].partition("->")
    terms = left.split(",")
    fixed = dict(zip(out, z.at, strict=True))
    sizes = {c: n for t, o in zip(terms, operands, strict=True) for c, n in zip(t, o.shape, strict=True)}
    free = [c for c in dict.fromkeys(left.replace(",", "")) if c not in fixed]
    products = []
    for values in itertools.product(*[range(sizes[c]) for c in free]):
        at = fixed | dict(zip(free, values, strict=True))
        products.append(_product([o[tuple([at[c] for c in t])] for t, o in zip(terms, operands, strict=True)]))
    return z.sum(products)


def _product(factors: list[Any]) -> Any:
    made = factors[0]
    for factor in factors[1:]:
        made = made * factor
    return made


def convolution(z: Opening, x: Operand, weight: Operand, bias: Operand | None = None) -> Any:
    n, o, *place = z.at
    groups = z.attrs.get("groups", 1)
    channels, first = weight.shape[1], o // (weight.shape[0] // groups) * weight.shape[1]
    terms = []
    for c in range(channels):
        for kernel in itertools.product(*[range(s) for s in weight.shape[2:]]):
            at = _window(z.attrs, place, kernel, x.shape[2:])
            if at is not None:
                terms.append(x[(n, first + c, *at)] * weight[(o, c, *kernel)])
    # a window that lies in the padding alone sees nothing but zeros
    made = z.sum(terms) if terms else 0.0 * weight[(o, *[0] * (len(weight.shape) - 1))]
    return made if bias is None else made + bias[o]


def _window(attrs: Mapping[str, Any], place: Iterable[int], kernel: Iterable[int], shape: tuple[int, ...]
            ) -> tuple[int, ...] | None:
    """Where a place in a window lies in the operand; None in the padding."""
    at = tuple([p * s + k * d - pad[0] for p, s, k, d, pad in zip(
        place, attrs["stride"], kernel, attrs["dilation"], attrs["padding"], strict=True)])
    return at if all(0 <= a < n for a, n in zip(at, shape, strict=True)) else None


def max_pool(z: Opening, x: Operand) -> Any:
    n, c, *place = z.at
    found = [_window(z.attrs, place, kernel, x.shape[2:])
             for kernel in itertools.product(*[range(s) for s in z.attrs["kernel"]])]
    return _extreme([x[(n, c, *at)] for at in found if at is not None], "maximum")


# -- reductions ---------------------------------------------------------------------------------------


def _reduced(z: Opening, x: Operand) -> list[Any]:
    return [x[at] for at in z.along(x.shape, z.attrs.get("dim"), z.attrs.get("keepdim", False))]


def mean(z: Opening, x: Operand) -> Any:
    terms = _reduced(z, x)
    return z.sum(terms) / len(terms)


def _spread(z: Opening, x: Operand) -> Any:
    terms = _reduced(z, x)
    m = z.sum(terms) / len(terms)
    return z.sum([d * d for d in [t - m for t in terms]]) / (len(terms) - z.attrs.get("correction", 1))


def std(z: Opening, x: Operand) -> Any:
    return _spread(z, x).sqrt()


def _extreme(terms: list[Any], method: str) -> Any:
    while len(terms) > 1:
        terms = [getattr(terms[k], method)(terms[k + 1]) if k + 1 < len(terms) else terms[k]
                 for k in range(0, len(terms), 2)]
    return terms[0]


def amax(z: Opening, x: Operand) -> Any:
    return _extreme(_reduced(z, x), "maximum")


def amin(z: Opening, x: Operand) -> Any:
    return _extreme(_reduced(z, x), "minimum")


def prod(z: Opening, x: Operand) -> Any:
    return _product(_reduced(z, x))


def norm(z: Opening, x: Operand) -> Any:
    return z.sum([t * t for t in _reduced(z, x)]).sqrt()


def logsumexp(z: Opening, x: Operand) -> Any:
    places = z.along(x.shape, z.attrs.get("dim"), z.attrs.get("keepdim", False))
    shift = _shift(x, places)
    return z.sum([_power(x[at], shift) for at in places]).log() + shift if shift else \
        z.sum([x[at].exp() for at in places]).log()


def cumprod(z: Opening, x: Operand) -> Any:
    return _product([x[at] for at in _before(z, x)])


def logcumsumexp(z: Opening, x: Operand) -> Any:
    places = _before(z, x)
    shift = _shift(x, places)
    total = z.sum([_power(x[at], shift) for at in places]).log()
    return total + shift if shift else total


def _before(z: Opening, x: Operand) -> list[tuple[int, ...]]:
    if not x.shape:
        return [()]
    axis = z.attrs["dim"] % len(x.shape)
    return [(*z.at[:axis], k, *z.at[axis + 1:]) for k in range(z.at[axis] + 1)]


# -- softmax and its kin, normalisation ---------------------------------------------------------------


def _shift(x: Operand, places: list[tuple[int, ...]]) -> float:
    """What is taken from all exponents where e to their power would be too large."""
    largest = max([float(x.data[at]) for at in places])
    return largest if abs(largest) > SAFE else 0.0


def _power(t: Any, shift: float) -> Any:
    return (t - shift).exp() if shift else t.exp()


def _powers(z: Opening, x: Operand, axis: int, at: tuple[int, ...]) -> tuple[list[Any], float]:
    """e to the power of every element of a row, that of `at` first; and what was taken from the exponents."""
    places = z.line(x.shape, at, (axis,))
    shift = _shift(x, places)
    return [_power(x[p], shift) for p in _first(at, places)], shift


def _first(at: tuple[int, ...], places: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The element itself before the others, so that it is always seen."""
    return [at, *[p for p in places if p != at]]


def softmax(z: Opening, x: Operand) -> Any:
    powers, _ = _powers(z, x, z.attrs["dim"] % max(1, len(x.shape)), z.at)
    return powers[0] / z.sum(powers)


def log_softmax(z: Opening, x: Operand) -> Any:
    powers, shift = _powers(z, x, z.attrs["dim"] % max(1, len(x.shape)), z.at)
    made = x[z.at] - z.sum(powers).log()
    return made - shift if shift else made


def cross_entropy(z: Opening, logits: Operand, target: Operand) -> Any:
    labels = target.data.astype(int)
    terms = []
    for n, label in enumerate(labels):
        powers, shift = _powers(z, logits, 1, (n, int(label)))
        made = z.sum(powers).log()
        terms.append((made + shift if shift else made) - logits[n, label])
    return z.sum(terms) / len(terms)


def _standardized(z: Opening, x: Operand, axes: tuple[int, ...]) -> Any:
    places = _first(z.at, z.line(x.shape, z.at, axes))
    m = z.sum([x[p] for p in places]) / len(places)
    apart = [x[p] - m for p in places]
    variance = z.sum([d * d for d in apart]) / len(places)
    return apart[0] / (variance + z.attrs.get("eps", 1e-5)).sqrt()


def standardize(z: Opening, x: Operand) -> Any:
    return _standardized(z, x, axes_of(z.attrs["dim"], len(x.shape)))


def layer_norm(z: Opening, x: Operand, weight: Operand | None = None, bias: Operand | None = None) -> Any:
    made = _standardized(z, x, axes_of(z.attrs["dim"], len(x.shape)))
    for operand in (weight, bias):
        if operand is not None:
            element = operand[place_in(z.at, operand.shape)]
            made = made * element if operand is weight else made + element
    return made


def batch_norm(z: Opening, x: Operand, weight: Operand | None = None, bias: Operand | None = None) -> Any:
    made = _standardized(z, x, tuple([k for k in range(len(x.shape)) if k != 1]))
    made = made if weight is None else made * weight[z.at[1]]
    return made if bias is None else made + bias[z.at[1]]


# -- attention ----------------------------------------------------------------------------------------


def _attended(z: Opening, q: list[Any], k: list[list[Any]], v: list[Any], mask: list[float], keep: list[float],
              scale: float) -> Any:
    """One element:  Σ_s softmax_s(scale q · k_s + mask_s) keep_s v_s.  What the mask hides is no term."""
    seen = [s for s, m in enumerate(mask) if m != -math.inf]
    if not seen:
        return 0.0 * v[0]
    scores = [z.sum([a * b for a, b in zip(q, k[s], strict=True)]) * scale for s in seen]
    scores = [t + mask[s] if mask[s] else t for t, s in zip(scores, seen, strict=True)]
    largest = max([float(t.detach().numpy()) for t in scores])
    powers = [_power(t, largest if abs(largest) > SAFE else 0.0) for t in scores]
    total = z.sum(powers)
    weights = [p / total for p in powers]
    return z.sum([(w if keep[s] == 1 else w * keep[s]) * v[s] for w, s in zip(weights, seen, strict=True)])


def _row(operand: Operand | None, shape: tuple[int, ...], at: tuple[int, ...], otherwise: float) -> list[float]:
    """A row of a mask, spread over the axes in front."""
    if operand is None:
        return [otherwise] * shape[-1]
    return [float(m) for m in np.broadcast_to(operand.data, shape)[at]]


def attention(z: Opening, q: Operand, k: Operand, v: Operand, mask: Operand | None = None, keep: Operand | None = None
              ) -> Any:
    *batch, i, e = z.at
    at, n = tuple(batch), k.shape[-2]
    here = [place_in(at, o.shape[:-2]) for o in (q, k, v)]
    scores = (*np.broadcast_shapes(q.shape[:-2], k.shape[:-2]), q.shape[-2], n)
    return _attended(
        z, [q[(*here[0], i, d)] for d in range(q.shape[-1])],
        [[k[(*here[1], s, d)] for d in range(k.shape[-1])] for s in range(n)], [v[(*here[2], s, e)] for s in range(n)],
        _row(mask, scores, (*at, i), 0.0), _row(keep, scores, (*at, i), 1.0), z.attrs["scale"])


def self_attention(z: Opening, qkv: Operand, mask: Operand | None = None, keep: Operand | None = None) -> Any:
    first = z.attrs.get("batch_first", True)
    heads, wide = z.attrs["heads"], qkv.shape[2] // 3
    n, b = qkv.shape[1 if first else 0], z.at[0 if first else 1]
    i, (h, e), each = z.at[1 if first else 0], divmod(z.at[2], wide // heads), wide // heads
    scores = (qkv.shape[0 if first else 1], heads, n, n)

    def element(which: int, s: int, d: int) -> Any:
        return qkv[(*((b, s) if first else (s, b)), which * wide + h * each + d)]
    return _attended(
        z, [element(0, i, d) for d in range(each)], [[element(1, s, d) for d in range(each)] for s in range(n)],
        [element(2, s, e) for s in range(n)], _row(mask, scores, (b, h, i), 0.0), _row(keep, scores, (b, h, i), 1.0),
        1 / math.sqrt(each))


# -- elementwise ops with a definition in simpler ones ------------------------------------------------


def _here(z: Opening, x: Operand) -> Any:
    return x[place_in(z.at, x.shape)]


def sigmoid(z: Opening, x: Operand) -> Any:
    return 1 / (1 + (-_here(z, x)).exp())


def silu(z: Opening, x: Operand) -> Any:
    t = _here(z, x)
    return t / (1 + (-t).exp())


def softsign(z: Opening, x: Operand) -> Any:
    t = _here(z, x)
    return t / (1 + t.abs())


def hypot(z: Opening, x: Operand, y: Operand) -> Any:
    a, b = _here(z, x), _here(z, y)
    return (a * a + b * b).sqrt()


PROGRAMS: dict[str, Program] = {
    "matmul": matmul, "linear": linear, "contract": contract, "convolution": convolution, "max_pool": max_pool,
    "mean": mean, "var": _spread, "std": std, "amax": amax, "amin": amin, "prod": prod, "norm": norm,
    "logsumexp": logsumexp, "cumprod": cumprod, "logcumsumexp": logcumsumexp, "softmax": softmax,
    "log_softmax": log_softmax, "cross_entropy": cross_entropy, "standardize": standardize, "layer_norm": layer_norm,
    "batch_norm": batch_norm, "attention": attention, "self_attention": self_attention, "sigmoid": sigmoid,
    "silu": silu, "softsign": softsign, "hypot": hypot,
}
TAME = {"sigmoid": 300.0, "silu": 300.0}       # larger operands overflow in the simple definition


def program_of(op: str, operands: list[Any]) -> Program | None:
    """The program of an op that holds for these operands; None where there is none."""
    most = TAME.get(op, math.inf)
    if op in TAME and any(np.abs(v).max(initial=0.0) > most for v in operands):
        return None
    if op == "cross_entropy" and np.asarray(operands[1]).dtype.kind not in "iu":
        return None
    return PROGRAMS.get(op)
