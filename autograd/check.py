"""Is a derivative right?  Against central differences in float64, with the worst element named.

A complex number counts as two real ones, of an input and of an output alike.

Source: the tolerances are PyTorch's (torch.autograd.gradcheck): eps 1e-6, atol 1e-5, rtol 1e-3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import gradients
from .errors import GradientError
from .modes import enable_grad, no_grad
from .tensor import Tensor, wrap


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _fresh(inputs: Any) -> list[Any]:
    """The inputs as leaves of their own, in float64 where they are to be differentiated."""
    made = []
    for x in _tuple(inputs):
        if isinstance(x, Tensor) and x.requires_grad:
            made.append(Tensor(np.array(x.value, np.complex128 if x.is_complex() else np.float64), requires_grad=True))
        elif (isinstance(x, np.ndarray) and x.dtype.kind in "fc") or isinstance(x, (float, complex)):
            made.append(Tensor(np.array(x, np.complex128 if np.iscomplexobj(x) else np.float64), requires_grad=True))
        else:
            made.append(x)
    if not any(isinstance(x, Tensor) and x.requires_grad for x in made):
        raise GradientError(
            "gradcheck: no input requires a gradient; pass float arrays, or tensors with requires_grad=True"
        )
    return made


def _outputs(f: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    return [y for y in _tuple(f(*inputs)) if isinstance(y, Tensor) and y.dtype.kind in "fc"]


def _reals(x: Any) -> Any:
    """The elements in C order as one axis of real numbers; a complex one as its two parts, one after the other."""
    x = np.ascontiguousarray(x).reshape(-1)
    return x.view(x.real.dtype)


def gradcheck(f: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True) -> bool:
    """Whether the gradients of f at the inputs agree with central differences, every element of every output.

    Inputs that are arrays of real or complex numbers, or tensors with requires_grad, are differentiated, in double
    precision.  Raises GradientError naming the worst element with both values (or returns False); it says so where
    the element sits on a kink, a jump of the slope, at which no derivative is the one right answer.
    """
    return _agree("gradcheck", f, inputs, eps, atol, rtol, raise_exception)


def _agree(who: str, f: Callable[..., Any], inputs: Any, eps: float, atol: float, rtol: float,
           raise_exception: bool) -> bool:
    leaves = _fresh(inputs)
    with enable_grad():
        outs = _outputs(f, leaves)
        if not outs:
            raise GradientError(
                f"{who}: the function must return float tensors computed from its inputs; it returned none"
            )
        for k, x in enumerate(leaves):
            if not (isinstance(x, Tensor) and x.requires_grad):
                continue
            numeric = _differences(f, leaves, k, [_reals(y.value).size for y in outs], eps)
            for n, y in enumerate(outs):
                exact = _derivatives(y, x, numeric[n])
                wrong = np.abs(exact - numeric[n]) > atol + rtol * np.abs(numeric[n])
                wrong |= np.isnan(exact) != np.isnan(numeric[n])
                if wrong.any():
                    if not raise_exception:
                        return False
                    raise GradientError(who + _worst(f, leaves, k, n, y, exact, numeric[n], eps))
    return True


def _differences(f: Callable[..., Any], leaves: list[Any], k: int, sizes: list[int], eps: float) -> list[Any]:
    """For each output, d output / d input k by central differences: a row for each number of the output."""
    shape = leaves[k].shape
    base = np.array(leaves[k].value, order="C").reshape(-1)       # whatever the order of the input in memory
    flat = base.view(base.real.dtype)
    numeric = [np.empty((size, flat.size)) for size in sizes]
    for j in range(flat.size):
        kept, sides = flat[j], []
        for h in (eps, -eps):
            flat[j] = kept + h
            sides.append(_moved(f, leaves, k, base.reshape(shape)))
        flat[j] = kept
        for column, up, down in zip(numeric, *sides, strict=True):
            column[:, j] = (up - down) / (2 * eps)
    return numeric


def _moved(f: Callable[..., Any], leaves: list[Any], k: int, value: Any) -> list[Any]:
    """The outputs, as axes of real numbers, with another value of input k."""
    args = [v.detach() if isinstance(v, Tensor) else v for v in leaves]
    args[k] = wrap(value[()].copy())
    with no_grad():
        return [_reals(y.value) for y in _outputs(f, args)]


def _derivatives(y: Tensor, x: Tensor, like: Any) -> Any:
    """The same by the rules: the gradient of each number of the output."""
    exact = np.zeros_like(like)
    if y.requires_grad:
        for i in range(len(exact)):
            seed = np.zeros(y.shape, y.dtype).reshape(-1)
            seed.view(seed.real.dtype)[i] = 1                     # 1 for a real part, i for an imaginary one
            g, = gradients(y, x, wrap(seed.reshape(y.shape)[()]), retain_graph=True, allow_unused=True)
            if g is not None:
                exact[i] = _reals(g.value)
    return exact


def _place(x: Tensor, i: int) -> str:
    """The index of the i-th number of a tensor."""
    part = ""
    if x.is_complex():
        i, imaginary = divmod(i, 2)
        part = " (imaginary part)" if imaginary else " (real part)"
    return f"{[int(v) for v in np.unravel_index(i, x.shape)] if x.shape else []}{part}"


def _worst(f: Callable[..., Any], leaves: list[Any], k: int, n: int, y: Tensor, exact: Any, numeric: Any,
           eps: float) -> str:
    """What is said of the element where the two values differ most."""
    x = leaves[k]
    difference = np.where(np.isnan(exact - numeric), np.inf, np.abs(exact - numeric))
    i, j = (int(v) for v in np.unravel_index(int(np.argmax(difference)), difference.shape))
    text = (f": d output {n}{_place(y, i)} / d input {k}{_place(x, j)} is {exact[i, j]:.10g} by the rules and "
            f"{numeric[i, j]:.10g} by central differences (step {eps:g}) at input value {_reals(x.value)[j]:.10g}; "
            f"{int((difference > 1e-5 + 1e-3 * np.abs(numeric)).sum())} of {difference.size} elements differ")
    left, right = (_slope(f, leaves, k, n, i, j, h) for h in (-eps, eps))
    near = abs(right - left)
    far = abs(_slope(f, leaves, k, n, i, j, 4 * eps) - _slope(f, leaves, k, n, i, j, -4 * eps))
    if near > 1e-3 * max(abs(left), abs(right)) and near > far / 2:      # of a smooth function it shrinks with the step
        text += (f". This element sits on a kink: the slope is {left:.6g} from the left and {right:.6g} from the "
                 "right, and no derivative is the one right answer; check at a point where the function is smooth")
    return text


def _slope(f: Callable[..., Any], leaves: list[Any], k: int, n: int, i: int, j: int, h: float) -> float:
    """The difference quotient to one side."""
    base = np.array(leaves[k].value, order="C").reshape(-1)
    here = _moved(f, leaves, k, base.reshape(leaves[k].shape))[n][i]
    base.view(base.real.dtype)[j] += h
    return float((_moved(f, leaves, k, base.reshape(leaves[k].shape))[n][i] - here) / h)


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the second derivatives of f agree with central differences of its first: `gradcheck` of the gradient.

    `grad_outputs` are the directions of the outputs; random ones if not given.
    """
    leaves = _fresh(inputs)
    outs = _outputs(f, leaves)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        seeds = [_like(y, rng) for y in outs]
    else:
        given = [s.value if isinstance(s, Tensor) else s for s in _tuple(grad_outputs)]
        seeds = [np.asarray(s, np.complex128 if np.iscomplexobj(s) else np.float64) for s in given]
    wanted = [k for k, x in enumerate(leaves) if isinstance(x, Tensor) and x.requires_grad]

    def first(*args: Any) -> tuple[Any, ...]:
        args, given = args[:len(leaves)], args[len(leaves):]
        with enable_grad():
            sources = [(x if x.requires_grad else x.requires_grad_()) if k in wanted else x for k, x in enumerate(args)]
            ys = _outputs(f, sources)
            pairs = [(y, s) for y, s in zip(ys, given, strict=True) if y.requires_grad]
            if not pairs:
                return ()
            found = gradients(
                [y for y, _ in pairs],
                [sources[k] for k in wanted],
                [s for _, s in pairs],
                create_graph=True,
                allow_unused=True,
            )
        return tuple(g for g in found if g is not None)
    return _agree("gradgradcheck", first, (*leaves, *seeds), eps, atol, rtol, raise_exception)


def _like(y: Tensor, rng: np.random.Generator) -> Any:
    """Random numbers of the shape and kind of y."""
    drawn = rng.standard_normal(y.shape)
    return np.asarray(drawn + 1j * rng.standard_normal(y.shape) if y.is_complex() else drawn)
