"""A row of docs/conventions.md: an expression that reads the same here and in PyTorch, and what comes of it."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn

inf, nan = math.inf, math.nan
NAMES = "xyz"


class Row(NamedTuple):
    """`code` of the inputs x (y, z: `at` is a tuple then) gives `value`, and its sum has the gradients `grad`.

    For a complex result the gradient is that of the real part of the sum.  `value` is an exception where it raises;
    without `grad` nothing is differentiated.  -0.0 means -0, and 0 either zero.  `torch` is the (value, grad) of
    PyTorch where they differ, or a word.  `dtype` is that of the inputs, `result` that of the value where it is
    another.  `pending` says what has still to be done before the row holds.
    """

    code: str
    at: Any
    value: Any
    grad: Any = None
    note: str = ""
    torch: Any = None
    dtype: str = "float64"
    result: str = ""
    pending: str = ""

    @property
    def id(self) -> str:
        """What the test of the row is called."""
        return f"{self.code} at {written(self.at)} {self.dtype}"

    @property
    def function(self) -> str:
        """The function that the row is about: the outermost one, or the operator's."""
        called = re.match(r"(?:\w+\.)?(\w+)\(", self.code)
        operator = re.match(r"\S+ (\S+) ", self.code)
        return called[1] if called else OPERATORS.get(operator[1], "") if operator else ""

    def here(self) -> tuple[Any, Any]:
        """Value and gradients in this library."""
        return evaluate(self, autograd, nn.functional)

    def arrays(self) -> Any:
        """The value, of arrays alone."""
        return eval(self.code, {}, Scope(autograd, nn.functional, inputs(self)))


OPERATORS = {"**": "power", "*": "multiply", "/": "divide", "%": "remainder", "//": "floor_divide", "-": "subtract",
             "+": "add", "@": "matmul"}


def several(at: Any) -> tuple[Any, ...]:
    """Of one input, a tuple of one."""
    return at if isinstance(at, tuple) else (at,)


def inputs(row: Row) -> list[Any]:
    """The inputs as arrays, NumPy scalars where they have no axes."""
    return [np.array(x, row.dtype)[()] for x in several(row.at)]


class Scope(dict[str, Any]):
    """The inputs by name, and the functions of the library: `abs` is the library's."""

    def __init__(self, library: Any, functional: Any, values: Any) -> None:
        super().__init__(zip(NAMES, values, strict=False), F=functional, inf=inf)
        self.library = library

    def __missing__(self, name: str) -> Any:
        try:
            return getattr(self.library, name)
        except AttributeError:
            raise KeyError(name) from None    # Python's own then: len


def evaluate(row: Row, library: Any, functional: Any) -> tuple[Any, Any]:
    """The row in either library: (array, gradients), (array, None) or (exception, None)."""
    leaves = [library.tensor(x) for x in inputs(row)]
    if row.grad is not None:
        for leaf in leaves:
            leaf.requires_grad_()
    try:
        y = eval(row.code, {}, Scope(library, functional, leaves))
    except Exception as error:
        return error, None
    if not hasattr(y, "requires_grad"):
        return np.asarray(y), None
    value = np.asarray(y.detach().resolve_conj().numpy() if hasattr(y, "resolve_conj") else y.detach().numpy())
    if not y.requires_grad:
        return value, None
    y.backward(library.tensor(np.ones_like(value)))
    return value, [None if t.grad is None else np.asarray(t.grad.numpy(force=True)) for t in leaves]


def agree(found: tuple[Any, Any], value: Any, grad: Any, rtol: float) -> bool:
    """Whether value and gradients are those expected."""
    if isinstance(value, type):
        return isinstance(found[0], value)
    if isinstance(found[0], Exception) or not same(found[0], value, rtol):
        return False
    return grad is None or (found[1] is not None and
                            all(same(g, e, rtol) for g, e in zip(found[1], several(grad), strict=True)))


def same(found: Any, expected: Any, rtol: float) -> bool:
    """Whether an array is as expected: shape, numbers, NaN, and the sign of -0 where one is expected."""
    if found is None or expected is None:
        return found is expected
    expected = np.asarray(expected)
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=rtol, atol=0, equal_nan=True):
        return False
    return expected.dtype.kind != "f" or bool(np.all(np.signbit(found) | (expected != 0) | ~np.signbit(expected)))


# -- as Markdown -----------------------------------------------------------------------------------------


def number(x: Any, digits: int = 7) -> str:
    """A number as one writes it: ∞, NaN, at most so many digits."""
    if isinstance(x, complex):
        minus = math.copysign(1, x.imag) < 0
        if not (x.imag or minus):
            return number(x.real, digits)
        imaginary = "i" if abs(x.imag) == 1 else number(abs(x.imag), digits) + "i"
        return f"{number(x.real, digits)} {'−' if minus else '+'} {imaginary}" if x.real else "−" * minus + imaginary
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "∞" if x > 0 else "−∞"
    text = str(x) if isinstance(x, int) else re.sub(r"e\+?(-?)0?", r"e\1", f"{x:.{digits}g}")
    return text.replace("-", "−")


def written(x: Any, digits: int = 7) -> str:
    """Numbers, lists of them, inputs by name, an exception."""
    if isinstance(x, tuple):
        return "; ".join(f"{name} = {written(v, digits)}" for name, v in zip(NAMES, x, strict=False)) or "—"
    if isinstance(x, np.ndarray):
        return written(x.tolist()) if x.size or x.ndim < 2 else f"of shape {x.shape}"
    if isinstance(x, list):
        return "[" + ", ".join(written(v, digits) for v in x) + "]"
    if isinstance(x, type):
        return x.__name__
    return "none" if x is None else number(x, digits)


def in_torch(row: Row) -> str:
    """What PyTorch has, where it differs: the value if that does, and the gradient if that does."""
    if row.torch is None or isinstance(row.torch, str):
        return row.torch or "same"
    grad = row.torch[1]
    for digits in (7, 10):                    # as many as show the difference
        theirs, ours = ([written(v, digits) for v in pair] for pair in (row.torch, (row.value, row.grad)))
        if theirs != ours:
            break
    parts = [] if theirs[0] == ours[0] else [theirs[0]]
    return ", ".join(parts if grad is None or theirs[1] == ours[1] else [*parts, f"gradient {theirs[1]}"])


def cells(row: Row) -> list[str]:
    """The six cells of a row."""
    value = written(row.value) + (f" ({row.result})" if row.result else "")
    at = written(row.at) + (f" ({row.dtype})" if row.dtype not in ("float64", "complex128") else "")
    grad = "—" if row.grad is None else written(row.grad)
    note = f"not yet: {row.pending}" if row.pending else row.note
    return [c.replace("|", "\\|") for c in (f"`{row.code}`", at, value, grad, in_torch(row), note)]
