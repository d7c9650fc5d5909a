"""Tensors from nothing: constants, ranges, random numbers; and the one generator all randomness draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .devices import on_cpu
from .modes import current
from .promotion import as_value, get_default_dtype
from .tensor import Shared, Tensor, wrap

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = [
    "arange",
    "as_tensor",
    "default_rng",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "manual_seed",
    "ones",
    "ones_like",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "tensor",
    "zeros",
    "zeros_like",
]

_rng: np.random.Generator | None = None       # made when first asked for: numpy.random is slow to import


def manual_seed(seed: int) -> np.random.Generator:
    """Start the generator that initialisers, dropout, shuffling and `rand*` draw from.  Returns it."""
    global _rng
    _rng = np.random.default_rng(seed)
    return _rng


def default_rng() -> np.random.Generator:
    """The generator that all of the library draws from when it is given no other."""
    mode = current()
    if mode is not None and mode.batch is not None:
        mode.batch.draw()                     # what `randomness` says about it
    return _rng if _rng is not None else _seeded()


def _seeded() -> np.random.Generator:
    global _rng
    _rng = np.random.default_rng()
    return _rng


def _finish(value: Any, requires_grad: bool, name: str | None = None) -> Tensor:
    tensor = wrap(value[()] if value.ndim == 0 else value)
    if requires_grad:
        tensor.requires_grad_()
    if name:
        tensor.name = name
    return tensor


def _shape(size: tuple[Any, ...]) -> Any:
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


def tensor(data: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, name: str | None = None,
           device: Any = None) -> Tensor:
    """A tensor with a copy of the data."""
    on_cpu("tensor", device)
    made = Tensor(data, dtype=dtype).value
    return _finish(np.array(made) if isinstance(data, Tensor) else made, requires_grad, name)


def as_tensor(data: Any, dtype: DTypeLike | None = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory where possible; a Tensor of the right dtype is returned as it is."""
    on_cpu("as_tensor", device)
    if isinstance(data, Tensor) and dtype in (None, data.dtype):
        return data
    if isinstance(data, np.ndarray) and data.ndim and dtype in (None, data.dtype):
        return from_numpy(data)
    return Tensor(data, dtype=dtype)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """The array as a tensor that shares its memory: what is written to one is seen in the other.

    A change of the array between an operation and its backward() raises (see `guard_arrays`).
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a NumPy array; got {type(array).__name__}: use tensor(data)")
    value = as_value(array)
    return wrap(value, Shared) if value.ndim else wrap(value)


def zeros(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of a shape:  zeros(2, 3) or zeros((2, 3))."""
    on_cpu("zeros", device)
    return _finish(np.zeros(_shape(size), dtype or get_default_dtype()), requires_grad)


def ones(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of a shape:  ones(2, 3) or ones((2, 3))."""
    on_cpu("ones", device)
    return _finish(np.ones(_shape(size), dtype or get_default_dtype()), requires_grad)


def empty(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Room for a shape, its values not set."""
    on_cpu("empty", device)
    return _finish(np.empty(_shape(size), dtype or get_default_dtype()), requires_grad)


def full(size: Any, fill_value: Any, dtype: DTypeLike | None = None, requires_grad: bool = False,
         device: Any = None) -> Tensor:
    """A shape filled with one value."""
    on_cpu("full", device)
    return _finish(np.full(size, fill_value, dtype or Tensor(fill_value).dtype), requires_grad)


def zeros_like(x: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of the shape and dtype of x."""
    on_cpu("zeros_like", device)
    return _finish(np.zeros(x.shape, dtype or x.dtype), requires_grad)


def ones_like(x: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of the shape and dtype of x."""
    on_cpu("ones_like", device)
    return _finish(np.ones(x.shape, dtype or x.dtype), requires_grad)


def empty_like(x: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Room of the shape and dtype of x, its values not set."""
    on_cpu("empty_like", device)
    return _finish(np.empty(x.shape, dtype or x.dtype), requires_grad)


def full_like(x: Any, fill_value: Any, dtype: DTypeLike | None = None, requires_grad: bool = False,
              device: Any = None) -> Tensor:
    """One value in the shape and dtype of x."""
    on_cpu("full_like", device)
    return _finish(np.full(x.shape, fill_value, dtype or x.dtype), requires_grad)


def arange(
    start: Any = 0, end: Any = None, step: Any = 1, dtype: DTypeLike | None = None, requires_grad: bool = False
, device: Any = None) -> Tensor:
    """start, start + step, ... below end; of ints int64, of floats the default dtype."""
    on_cpu("arange", device)
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if not step:
        raise ValueError("arange: expected a step other than 0")
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(v, float) for v in (start, end, step)) else np.int64
    return _finish(np.arange(start, end, step).astype(dtype), requires_grad)


def linspace(
    start: float, end: float, steps: int, dtype: DTypeLike | None = None, requires_grad: bool = False
, device: Any = None) -> Tensor:
    """`steps` numbers at equal distances from start to end, both included."""
    on_cpu("linspace", device)
    return _finish(np.linspace(float(start), float(end), steps).astype(dtype or get_default_dtype()), requires_grad)


def logspace(start: float, end: float, steps: int, base: float = 10.0, dtype: DTypeLike | None = None,
             requires_grad: bool = False, device: Any = None) -> Tensor:
    """`steps` numbers from base^start to base^end, at equal ratios."""
    on_cpu("logspace", device)
    return _finish(
        np.logspace(float(start), float(end), steps, base=base).astype(dtype or get_default_dtype()), requires_grad
    )


def eye(n: int, m: int | None = None, dtype: DTypeLike | None = None, requires_grad: bool = False,
        device: Any = None) -> Tensor:
    """Ones on the diagonal of an n x m matrix (n x n by default), zeros elsewhere."""
    on_cpu("eye", device)
    return _finish(np.eye(n, m, dtype=dtype or get_default_dtype()), requires_grad)


def rand(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    on_cpu("rand", device)
    wanted = np.dtype(dtype or get_default_dtype())
    drawn = np.asarray(default_rng().random(_shape(size))).astype(wanted)
    below = np.nextafter(wanted.type(1), wanted.type(0)) if wanted.kind == "f" else 1
    return _finish(np.minimum(drawn, below), requires_grad)          # rounding must not reach 1


def randn(*size: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Normal random numbers of mean 0 and variance 1."""
    on_cpu("randn", device)
    return _finish(
        np.asarray(default_rng().standard_normal(_shape(size))).astype(dtype or get_default_dtype()), requires_grad
    )


def randint(low: int, high: Any = None, size: Any = None, dtype: DTypeLike = np.int64, device: Any = None) -> Tensor:
    """Random integers in [low, high):  randint(10, (2, 3)) or randint(0, 10, (2, 3))."""
    on_cpu("randint", device)
    if size is None:
        low, high, size = 0, low, high
    return _finish(np.asarray(default_rng().integers(low, high, size)).astype(dtype), False)


def randperm(n: int) -> Tensor:
    """The integers 0..n-1 in random order."""
    return _finish(default_rng().permutation(n), False)


def rand_like(x: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Uniform random numbers in [0, 1) of the shape and dtype of x."""
    on_cpu("rand_like", device)
    return rand(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def randn_like(x: Any, dtype: DTypeLike | None = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Normal random numbers of the shape and dtype of x."""
    on_cpu("randn_like", device)
    return randn(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)
