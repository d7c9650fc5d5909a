"""HIPS autograd's names that the library's own transforms do not have: arrays in, arrays out, of any order.

    elementwise_grad(f)(x)    d Σ f / dx, for f that acts element by element     deriv, by forward mode
    make_vjp(f)(x)            (v -> v J, f(x))          make_jvp(f)(x)(v)         (f(x), J v)
    make_hvp(f)(x)            (v -> H v, gradient)      hessian_vector_product(f)(x, v)
    grad_and_aux(f)(x)        f returns (value, aux)    multigrad_dict(f)(...)    gradients of all arguments, by name
    holomorphic_grad(f)(z)    f'(z) of a complex function

Here the gradient of a complex argument is as HIPS autograd and JAX have it, so that a holomorphic f gives f'(z): the
conjugate of what `grad` and `backward` give, which is PyTorch's.  Source: D. Maclaurin, D. Duvenaud, M. Johnson,
"Autograd: effortless gradients in NumPy", 2015.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ops import sum
from .protocols.complexes import real
from .protocols.products import tensordot
from .spaces import conjugated
from .tensor import Tensor
from .transforms.calls import Call, Function, check_callable, pulled
from .transforms.curvature import Curvature
from .transforms.gradient import grad, jvp, linearize, vjp
from .transforms.jacobians import hvp, jacobian
from .transforms.trees import flatten, tree_map, unflatten

__all__ = [
    "deriv", "elementwise_grad", "grad_and_aux", "grad_named", "hessian_tensor_product", "hessian_vector_product",
    "holomorphic_grad", "make_ggnvp", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp", "multigrad_dict",
    "tensor_jacobian_product", "vector_jacobian_product",
]


def _of_argument(operator: Callable[[Function, Any], Any]) -> Callable[..., Any]:
    """operator(f of one argument, x), as operator(f, argnum)(*args, **kwargs)."""
    @functools.wraps(operator)
    def of_function(fun: Function, argnum: Any = 0, *options: Any, **named: Any) -> Function:
        check_callable(operator.__name__, fun)

        @functools.wraps(fun)
        def at(*args: Any, **kwargs: Any) -> Any:
            numbers = (argnum,) if isinstance(argnum, int) else tuple(argnum)
            if any(not -len(args) <= k < len(args) for k in numbers):
                raise IndexError(f"{operator.__name__}: argnum {argnum}, but the function was given {len(args)} "
                                 "positional argument(s)")

            def unary(x: Any) -> Any:
                given = list(args)
                for k, value in zip(numbers, (x,) if isinstance(argnum, int) else x, strict=True):
                    given[k] = value
                return fun(*given, **kwargs)
            x = args[argnum] if isinstance(argnum, int) else tuple(args[k] for k in numbers)
            return operator(unary, x, *options, **named)
        return at
    return of_function


def _conjugate(tree: Any) -> Any:
    """The conjugate of what is complex."""
    return tree_map(conjugated, tree)


@_of_argument
def elementwise_grad(fun: Function, x: Any) -> Any:
    """d Σ f / dx: for f that acts element by element, its derivative at each."""
    call = Call("elementwise_grad", fun, (x,), 0, {})
    roots = call.roots()
    for _, y in roots:
        if y.dtype.kind == "c" and call.leaves and np.dtype(getattr(x, "dtype", float)).kind != "c":
            raise TypeError("elementwise_grad: the function of real numbers returned complex ones; differentiate "
                            "np.real(f(x)) and np.imag(f(x))")
    live = call.live()
    if not roots or not live:
        return call.gradients([None] * len(live), call.nested)[0]
    seeds = [np.ones(y.shape, y.dtype)[()] for _, y in roots]
    found = pulled([y for _, y in roots], seeds, live, call.record)
    return _conjugate(call.gradients(found, call.nested)[0])


@_of_argument
def deriv(fun: Function, x: Any) -> Any:
    """J 1, by forward mode: for f that acts element by element, its derivative at each."""
    return jvp(fun, (x,), (_ones(x),))[1]


def _ones(x: Any) -> Any:
    leaves, structure = flatten(x)
    return unflatten(structure, [np.ones(np.shape(v), getattr(v, "dtype", np.float64))[()] for v in leaves])


@_of_argument
def holomorphic_grad(fun: Function, x: Any) -> Any:
    """f'(z) of a holomorphic function, at each element."""
    if np.result_type(x.value if isinstance(x, Tensor) else x).kind != "c":
        raise TypeError(f"holomorphic_grad: expected complex numbers; got {np.result_type(x)}: write x + 0j, or use "
                        "elementwise_grad")
    return _conjugate(grad(lambda z: sum(real(fun(z))))(x))


@_of_argument
def make_vjp(fun: Function, x: Any) -> tuple[Function, Any]:
    """(v -> v J, f(x)); what takes v may be called often."""
    value, pullback = vjp(fun, x)
    return lambda v: _conjugate(pullback(_conjugate(v))), value


@_of_argument
def make_jvp(fun: Function, x: Any) -> Function:
    """v -> (f(x), J v)."""
    return lambda v: jvp(fun, (x,), (v,))


@_of_argument
def make_jvp_reversemode(fun: Function, x: Any) -> Function:
    """v -> J v, by the transpose of the reverse mode."""
    return linearize(fun, x)[1]


@_of_argument
def make_hvp(fun: Function, x: Any) -> tuple[Function, Any]:
    """(v -> H v, the gradient), f being run once."""
    at = Curvature(fun, (x,))
    return lambda v: at.along((v,))[1], at.gradient()


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """(*args, v) -> H v, the Hessian contracted with v over its first axes."""
    def product(*args: Any, **kwargs: Any) -> Any:
        *args_of_fun, v = args

        def hessian_tensor_product(fun: Function, x: Any) -> Any:
            return hvp(fun, (x,), (v,))[1]
        return _of_argument(hessian_tensor_product)(fun, argnum)(*args_of_fun, **kwargs)
    return _named(product, fun)


def tensor_jacobian_product(fun: Function, argnum: int = 0) -> Function:
    """(*args, v) -> v J, the Jacobian contracted with v over its first axes: as many as v has."""
    def product(*args: Any, **kwargs: Any) -> Any:
        *args_of_fun, v = args
        pullback, y = make_vjp(fun, argnum)(*args_of_fun, **kwargs)
        if not hasattr(y, "ndim") or np.ndim(v) == y.ndim:
            return pullback(v)
        return jacobian(lambda *args: tensordot(v, fun(*args, **kwargs), np.ndim(v)), argnum)(*args_of_fun)
    return _named(product, fun)


hessian_vector_product, vector_jacobian_product = hessian_tensor_product, tensor_jacobian_product


def _named(made: Function, fun: Function) -> Function:
    check_callable("a product", fun)
    return functools.wraps(fun)(made)


def _half_square(y: Any) -> Any:
    return sum(y * y, dim=-1) / 2


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: int = 0) -> Function:
    """x -> (v -> J^T H_g J v), the generalized Gauss-Newton matrix of g(f(x)) times v.

    Source: N. Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent", 2002.
    """
    @_of_argument
    def make(fun: Function, x: Any) -> Function:
        f_vjp, y = make_vjp(fun)(x)
        g_hvp = make_hvp(g)(y)[0]
        return lambda v: f_vjp(g_hvp(jvp(fun, (x,), (v,))[1]))
    return make(f, f_argnum)


@_of_argument
def grad_and_aux(fun: Function, x: Any) -> tuple[Any, Any]:
    """(gradient, aux) of f, which returns (value, aux)."""
    return grad(fun, has_aux=True)(x)


def grad_named(fun: Function, argname: str) -> Function:
    """The gradient to the argument of this name."""
    names = list(inspect.signature(fun).parameters)
    if argname not in names:
        raise ValueError(f"grad_named: {getattr(fun, '__name__', fun)} has no argument {argname!r}; it has "
                         f"{', '.join(names)}")
    return grad(fun, names.index(argname))


def multigrad_dict(fun: Function) -> Function:
    """Gradients to all arguments at once, as a dict by their names; *args as a tuple, **kwargs under its name."""
    check_callable("multigrad_dict", fun)
    signature = inspect.signature(fun)

    @functools.wraps(fun)
    def gradients(*args: Any, **kwargs: Any) -> dict[str, Any]:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        names = [name for name, value in bound.arguments.items() if _has_numbers(value)]

        def of_values(values: Sequence[Any]) -> Any:
            given = inspect.BoundArguments(signature, dict(bound.arguments) | dict(zip(names, values, strict=True)))
            return fun(*given.args, **given.kwargs)
        found = grad(of_values)(tuple(bound.arguments[name] for name in names))
        return dict(zip(names, found, strict=True))
    return gradients


def _has_numbers(tree: Any) -> bool:
    leaves = flatten(tree)[0]
    return bool(leaves) and all(isinstance(v, (Tensor, np.ndarray, np.generic, float, int, complex))
                                and not isinstance(v, (bool, np.bool_)) for v in leaves)

