"""Example inputs for a picture, from words such as `32x1x28x28` and `tokens=8x16:int64`, and one run with them."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Tensor, no_grad, record
from autograd.graph import graph, trace

if TYPE_CHECKING:
    from autograd.graph import Graph

MOST_BYTES = 2**34                            # of one example
KINDS = "iufbc"


class Spec(NamedTuple):
    """One input: what the user asked for."""

    text: str
    shape: tuple[int, ...]
    dtype: Any = None                         # None: what the model computes with
    name: str = ""                            # "": by position


def spec(text: str) -> Spec:
    """[name=]SHAPE[:dtype] as a Spec.  SHAPE is 32x1x28x28 (or 32,1,28,28), or "scalar" for a single number.

    Raises ValueError for anything else.
    """
    name, equals, rest = text.rpartition("=")
    shape, colon, kind = rest.partition(":")
    form = "expected [name=]SHAPE[:dtype], such as 32x1x28x28, 8x16:int64 or tokens=8x16:int64"
    if equals and not name.isidentifier():
        raise ValueError(f"--input: {form}; got {text!r}, and {name!r} is no name of an argument")
    plain = shape.strip("() ").replace("×", "x").replace(",", "x")
    sizes = [] if plain in ("scalar", "") and shape else plain.split("x")
    if not all(s.strip().isdecimal() for s in sizes):
        raise ValueError(f"--input: {form}; got {text!r}, and {shape!r} is no shape")
    dtype = None
    if colon:
        try:
            dtype = np.dtype(kind)
        except TypeError:
            raise ValueError(f"--input: {form}; got {text!r}, and {kind!r} is no dtype; say float32, float64, int64, "
                             "bool") from None
        if dtype.kind not in KINDS:
            raise ValueError(f"--input: expected a dtype of numbers; got {text!r}, which is {dtype}")
    sizes_ = tuple(int(s) for s in sizes)
    size = math.prod(sizes_) * (dtype.itemsize if dtype is not None else 4)
    if size > MOST_BYTES:
        raise ValueError(f"--input: expected an example that fits in memory; got {text!r}, which takes "
                         f"{size / 2**30:,.0f} GiB; a batch of one draws the same picture")
    return Spec(text, sizes_, dtype, name)


def examples(specs: list[Spec], target: Any, integers: tuple[int, ...] = ()
             ) -> tuple[list[Any], dict[str, Any], list[str]]:
    """(inputs by position, inputs by name, what to say of them).

    Floating inputs are drawn from a normal distribution, the same each time, in the dtype of the target's parameters;
    integers (also those of these places that have no dtype) and booleans are zeros: an index that every table has.
    """
    draw = np.random.default_rng(0)
    floating = _dtype_of(target)
    placed: list[Any] = []
    named: dict[str, Any] = {}
    said = []
    for k, one in enumerate(specs):
        dtype = one.dtype if one.dtype is not None else np.dtype("int64") if k in integers else floating
        if dtype.kind in "fc":
            array = np.asarray(draw.standard_normal(one.shape)).astype(dtype)
        else:
            array = np.zeros(one.shape, dtype)
            said.append(f"input {one.text}: {dtype} zeros")
        if not one.name:
            placed.append(array)
        elif one.name in named:
            raise ValueError(f"--input: expected each name once; got {one.name!r} twice")
        else:
            named[one.name] = array
    return placed, named, said


def _dtype_of(target: Any) -> Any:
    for parameter in getattr(target, "parameters", tuple)():
        if parameter.dtype.kind == "f":
            return parameter.dtype
    return np.dtype("float32")


def tables(specs: list[Spec], target: Any) -> list[tuple[int, ...]]:
    """Which inputs may be meant as whole numbers: each one alone, then all; none where the target has no table whose
    rows are looked up, or every dtype was given."""
    modules: Any = getattr(target, "modules", tuple)()
    if not any(type(m).__name__.startswith("Embedding") for m in modules):
        return []
    free = [k for k, one in enumerate(specs) if one.dtype is None]
    return [*((k,) for k in free), *([tuple(free)] if len(free) > 1 else [])]


def run(target: Any, placed: list[Any], named: dict[str, Any], backward: bool) -> Graph:
    """The graph of one call; with `backward`, after the gradient of the sum of its results was taken.

    Raises ValueError where there is nothing to draw.
    """
    if any(not isinstance(p.value, (np.ndarray, np.generic)) for p in getattr(target, "parameters", tuple)()):
        with no_grad():                       # lazy layers learn their shapes from the first call
            target(*(Tensor(x) if isinstance(x, np.ndarray) else x for x in placed),
                   **{name: Tensor(x) for name, x in named.items()})
    if not backward:
        return trace(target, *placed, **named)
    names = _argument_names(target)
    learns = any(True for _ in getattr(target, "parameters", tuple)())         # else it is the inputs' gradient
    tensors = [_named(x, names[k] if k < len(names) else f"input{k}", not learns) for k, x in enumerate(placed)]
    with record():
        outputs = _tensors(target(*tensors, **{name: _named(x, name, not learns) for name, x in named.items()}))
        learned = [t for t in outputs if t.requires_grad]
        for k, t in enumerate(learned):
            t.backward(Tensor(np.ones(t.shape, t.dtype)), retain_graph=k + 1 < len(learned))
    if not outputs:
        raise ValueError("expected the target to return a tensor; it returned none")
    return graph(*outputs)


def _named(value: Any, name: str, learned: bool) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return Tensor(value, requires_grad=learned and value.dtype.kind in "fc", name=name)


def misfit(target: Any, placed: list[Any], named: dict[str, Any]) -> str:
    """Why the target cannot be called with these; "" where it can, or where that is unknown."""
    try:
        taken = inspect.signature(getattr(target, "forward", target))
    except (TypeError, ValueError):
        return ""
    try:
        taken.bind(*placed, **named)
    except TypeError as error:
        by_name = f", and {', '.join(named)} by name" if named else ""
        return (f"expected one for each argument of {getattr(target, '__name__', type(target).__name__)}, which takes "
                f"{', '.join(taken.parameters) or 'none'}; got {len(placed)} by position{by_name}: {error}")
    return ""


def _argument_names(target: Any) -> list[str]:
    try:
        parameters = inspect.signature(getattr(target, "forward", target)).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _tensors(output: Any) -> list[Any]:
    """The tensors in what a call gave: one, or some in tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return [output]
    inside = output.values() if isinstance(output, dict) else output if isinstance(output, (tuple, list)) else ()
    return [t for part in inside for t in _tensors(part)]
