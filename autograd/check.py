"""Is a derivative right?  Against central differences in float64, with the worst element named.

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
        elif (isinstance(x, np.ndarray) and x.dtype.kind == "f") or isinstance(x, float):
            made.append(Tensor(np.array(x, np.float64), requires_grad=True))
        else:
            made.append(x)
    if not any(isinstance(x, Tensor) and x.requires_grad for x in made):
        raise GradientError(
            "gradcheck: no input requires a gradient; pass float arrays, or tensors with requires_grad=True"
        )
    return made


def _outputs(f: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    return [y for y in _tuple(f(*inputs)) if isinstance(y, Tensor) and y.dtype.kind == "f"]


def gradcheck(f: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True) -> bool:
    """Whether the gradients of f at the inputs agree with central differences, every element of every output.

    Inputs that are float arrays, or tensors with requires_grad, are differentiated, in float64.
    Raises GradientError naming the worst element with both values (or returns False).
    """
    leaves = _fresh(inputs)
    with enable_grad():
        outs = _outputs(f, leaves)
        if not outs:
            raise GradientError(
                "gradcheck: the function must return float tensors computed from its inputs; it returned none"
            )
        for k, x in enumerate(leaves):
            if not (isinstance(x, Tensor) and x.requires_grad):
                continue
            shape = x.shape
            base = np.atleast_1d(np.array(x.value))
            flat = base.reshape(-1)
            numeric = [np.empty((y.value.size, flat.size)) for y in outs]
            for j in range(flat.size):
                kept, sides = flat[j], []
                for h in (eps, -eps):
                    flat[j] = kept + h
                    with no_grad():
                        sides.append(
                            _outputs(
                                f,
                                [
                                    wrap(base.reshape(shape)[()].copy())
                                    if i == k
                                    else (v.detach() if isinstance(v, Tensor) else v)
                                    for i, v in enumerate(leaves)
                                ],
                            )
                        )
                flat[j] = kept
                for column, up, down in zip(numeric, *sides, strict=True):
                    column[:, j] = (np.reshape(up.value, -1) - np.reshape(down.value, -1)) / (2 * eps)
            for n, y in enumerate(outs):
                exact = np.zeros_like(numeric[n])
                if y.requires_grad:
                    for i in range(y.value.size):
                        seed = np.zeros(y.value.size)
                        seed[i] = 1
                        g, = gradients(y, x, wrap(seed.reshape(y.shape)[()]), retain_graph=True, allow_unused=True)
                        if g is not None:
                            exact[i] = np.reshape(g.value, -1)
                wrong = np.abs(exact - numeric[n]) > atol + rtol * np.abs(numeric[n])
                wrong |= np.isnan(exact) != np.isnan(numeric[n])
                if wrong.any():
                    if not raise_exception:
                        return False
                    _complain(k, n, x, y, exact, numeric[n], eps)
    return True


def _complain(k: int, n: int, x: Tensor, y: Tensor, exact: Any, numeric: Any, eps: float) -> None:
    difference = np.where(np.isnan(exact - numeric), np.inf, np.abs(exact - numeric))
    i, j = np.unravel_index(int(np.argmax(difference)), difference.shape)
    at_out = tuple(int(v) for v in np.unravel_index(int(i), y.shape)) if y.shape else ()
    at_in = tuple(int(v) for v in np.unravel_index(int(j), x.shape)) if x.shape else ()
    raise GradientError(
        f"gradcheck: d output {n}{list(at_out)} / d input {k}{list(at_in)} is {exact[i, j]:.10g} by the rules and "
        f"{numeric[i, j]:.10g} by central differences (step {eps:g}) at input value {np.reshape(x.value, -1)[j]:.10g}; "
        f"{int((difference > 1e-5 + 1e-3 * np.abs(numeric)).sum())} of {difference.size} elements differ")


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
        seeds = [np.asarray(rng.standard_normal(y.shape)) for y in outs]
    else:
        seeds = [np.asarray(s.value if isinstance(s, Tensor) else s, np.float64) for s in _tuple(grad_outputs)]
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
    return gradcheck(first, (*leaves, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
