"""What happens when an op is called: values taken out, the NumPy function run, a node recorded.

The forms that stand in inner loops (one or two tensors, no attributes) have a short way of their own;
all else goes through `apply`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .modes import current
from .node import NO_ATTRS, Constant, Node, leaf, tick
from .promotion import get_default_dtype, result_dtype
from .tensor import Tensor, attach, stub_of, wrap

if TYPE_CHECKING:
    from .op import Op

NUMBERS = (Tensor, np.ndarray, np.generic, bool, int, float, complex, list, tuple)
OPS: dict[str, Op] = {}                        # every op by name; each enters itself
# what `Op.recover` explains, and NumPy's warnings where a user has made them errors
WRONG_INPUT = (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError, RuntimeWarning)
ALIASES = {"axis": "dim", "axes": "dims", "keepdims": "keepdim"}      # NumPy's names for PyTorch's


def caller(op: Op) -> Callable[..., Any]:
    """The function a user calls.  The forms that appear in inner loops have a short way of their own."""
    if not op.attributes and not op.variadic and not op.optional and len(op.rules) == len(op.inputs):
        if len(op.inputs) == 1:
            call = _unary(op)
        elif len(op.inputs) == 2 and not op.aux:
            call = _binary(op)
        else:
            call = _general(op)
    elif not op.attributes and not op.variadic and not op.aux and len(op.rules) == 3 and op.optional == 1:
        call = _ternary(op)
    else:
        call = _general(op)
    call.__name__ = call.__qualname__ = op.name
    call.__doc__, call.__module__, call.__wrapped__ = op.doc, op.fn.__module__, op.fn      # type: ignore[attr-defined]
    call.op = op                                                                           # type: ignore[attr-defined]
    return call


def _unary(op: Op) -> Callable[..., Any]:
    fn, new, current_mode = op.fn, Node, current
    keep_x, keep_out = 0 in op.kept, 1 in op.kept

    def call(x: Any) -> Any:
        if type(x) is Tensor:
            xn = x.node
            if xn is not None and current_mode() is None:
                value = x.value
                try:
                    out = fn(value)
                except WRONG_INPUT as error:
                    out = op.recover(error, (value,), NO_ATTRS)
                if not out.shape:
                    out = out[()]
                node = new()
                node.op, node.parents = op, (xn,)
                node.saved = ((value, out) if keep_out else (value,)) if keep_x else ((out,) if keep_out else ())
                node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
                return attach(out, node)
        return apply(op, (x,), NO_ATTRS)
    return call


def _binary(op: Op) -> Callable[..., Any]:
    fn, new, wrapped, current_mode = op.fn, Node, object.__new__, current
    kept = op.kept
    keep_none, keep_inputs = kept == (), kept == (0, 1)
    left, right = op.picks(1), op.picks(2)

    def call(x: Any, y: Any) -> Any:
        if type(x) is Tensor and type(y) is Tensor:
            xn, yn = x.node, y.node
            if xn is not None and yn is not None and xn.dtype is yn.dtype and current_mode() is None:
                xv, yv = x.value, y.value
                try:
                    out = fn(xv, yv)
                except WRONG_INPUT as error:
                    out = op.recover(error, (xv, yv), NO_ATTRS)
                node = new()
                node.op, node.parents = op, (xn, yn)
                if keep_none:
                    node.saved = ()
                elif keep_inputs:
                    node.saved = (xv, yv)
                else:
                    values = (xv, yv, out)
                    node.saved = tuple([values[k] for k in kept])
                node.shape, node.dtype, node.index, node.extra = out.shape, xn.dtype, tick(), None
                tensor = wrapped(Tensor)
                tensor.value, tensor.node = out, node
                return tensor
        elif (type(y) is float or type(y) is int) and type(x) is Tensor:
            xn = x.node
            if xn is not None and xn.dtype.kind == "f" and current_mode() is None:
                return beside(x.value, y, (xn, None), left, 1, y)        # a Python number: weak, as NumPy takes it too
        elif (type(x) is float or type(x) is int) and type(y) is Tensor:
            yn = y.node
            if yn is not None and yn.dtype.kind == "f" and current_mode() is None:
                return beside(x, y.value, (None, yn), right, 0, x)
        elif type(x) is np.ndarray and type(y) is np.ndarray:
            try:
                return fn(x, y)               # arrays, in a sweep
            except WRONG_INPUT as error:
                return op.recover(error, (x, y), NO_ATTRS)
        return apply(op, (x, y), NO_ATTRS)

    def beside(xv: Any, yv: Any, parents: Any, picks: tuple[int, ...], at: int, number: Any) -> Tensor:
        """The result of a tensor and a Python number."""
        try:
            out = fn(xv, yv)
        except WRONG_INPUT as error:
            out = op.recover(error, (xv, yv), NO_ATTRS)
        node = new()
        node.op, node.parents, node.others = op, parents, {at: number}
        values = (xv, yv, out, None)
        node.saved = tuple([values[k] for k in picks])
        node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
        return attach(out, node)
    return call


def _ternary(op: Op) -> Callable[..., Any]:
    fn, current_mode = op.fn, current

    def call(x: Any, y: Any, z: Any = None, **attrs: Any) -> Any:
        if isinstance(x, Tensor) and isinstance(y, Tensor) and isinstance(z, Tensor) and current_mode() is None:
            xn, yn, zn = x.node, y.node, z.node
            xv, yv, zv = x.value, y.value, z.value
            if yn is not None and zn is not None and xv.dtype is yv.dtype and yv.dtype is zv.dtype:
                try:
                    out = fn(xv, yv, zv)
                except WRONG_INPUT as error:
                    out = op.recover(error, (xv, yv, zv), NO_ATTRS)
                node = Node()
                node.op, node.parents = op, (xn, yn, zn)
                if xn is None:                # a batch of data, in the first layer
                    node.others = {0: stub_of(x)}
                values = (xv, yv, zv, out, None)
                node.saved = tuple([values[k] for k in op.picks(6 if xn is None else 7)])
                node.shape, node.dtype, node.index, node.extra = out.shape, yv.dtype, tick(), None
                return attach(out, node)
        if attrs:
            given = dict(zip(op.inputs, (x, y, z)), **attrs)
            if len(given) > 3:
                raise TypeError(f"{op.name}() takes {', '.join(op.inputs)}; got {', '.join(given)}")
            x, y, z = (given[name] for name in op.inputs)
        return apply(op, (x, y, z), NO_ATTRS)
    return call


def _general(op: Op) -> Callable[..., Any]:
    order, inputs, defaults, variadic = op.order, op.inputs, op.defaults, op.variadic
    n, plain = len(op.inputs), op.order[:len(op.inputs)] == op.inputs
    required, fn = n - op.optional, op.fn
    known, ready = set(op.attributes), set(op.attributes) <= set(defaults)
    single = n == 1 and not variadic and not op.aux

    def call(*args: Any, **attrs: Any) -> Any:
        if single and len(args) == 1 and type(args[0]) is np.ndarray:
            try:
                return fn(args[0], **attrs)    # an array in a sweep
            except WRONG_INPUT:                # named or placed otherwise, or wrong: the long way says which
                return apply(op, *_sorted_out(args, attrs))
        if len(args) == n and not variadic and (plain or n == 1):
            if not attrs and ready:
                return apply(op, args, defaults)
            if ready and attrs.keys() <= known and not any(isinstance(v, Tensor) for v in attrs.values()):
                return apply(op, args, {**defaults, **attrs})
        return apply(op, *_sorted_out(args, attrs))

    def _sorted_out(args: Any, attrs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Inputs and attributes, however they were given: by position, by name, by NumPy's name."""
        if variadic:
            attrs = {ALIASES.get(k, k): v for k, v in attrs.items()}
        else:
            if len(args) > len(order):
                raise TypeError(
                    f"{op.name}() takes at most {len(order)} arguments ({', '.join(order)}); got {len(args)}"
                )
            named = dict(zip(order, args, strict=False))
            for key, given in attrs.items():
                name = key if key in order else ALIASES.get(key, key)
                if name not in order:
                    raise TypeError(f"{op.name}() got an unexpected argument {key!r}; it takes {', '.join(order)}")
                if name in named:
                    raise TypeError(f"{op.name}() got {key!r} twice")
                named[name] = given
            args = tuple([named.pop(name, None) for name in inputs])
            if any(a is None for a in args[:required]):
                raise TypeError(f"{op.name}() needs {', '.join(inputs[:required])}")
            attrs = named
        unknown = [k for k in attrs if k not in op.attributes]
        missing = [k for k in op.attributes if k not in attrs and k not in defaults]
        if unknown or missing:
            raise TypeError(
                f"{op.name}() got an unexpected argument {unknown[0]!r}; it takes {', '.join(order)}"
                if unknown
                else f"{op.name}() needs {', '.join(missing)}"
            )
        attrs = {k: v.value if isinstance(v, Tensor) else v for k, v in attrs.items()}
        return args, {**defaults, **attrs} if attrs else defaults
    return call


def apply(op: Op, inputs: Any, attrs: dict[str, Any]) -> Any:
    """Run an op: arrays in, array out; a Tensor anywhere in, a Tensor out, recorded if a gradient may flow."""
    for x in inputs:
        if isinstance(x, Tensor):
            break
    else:
        for x in inputs:
            if isinstance(x, (list, tuple, int, float)):
                inputs = _arrays(inputs)
                break
        try:
            out = op.fn(*inputs, **attrs)
        except WRONG_INPUT as error:
            out = op.recover(error, inputs, attrs)
        return out[0] if op.aux else out
    values, parents, live, mixed, first = [], [], 0, op.floating, None
    masks = op.masks
    for j, x in enumerate(inputs):
        if isinstance(x, Tensor):
            value, node = x.value, x.node
            values.append(value)
            if node is not None:
                if masks is None:
                    live |= 1 << j
                elif masks[j]:
                    live |= masks[j]
                else:
                    node = None               # no gradient flows into an input without a rule
            parents.append(node)
            if first is None:
                first = value.dtype
            elif value.dtype is not first:
                mixed = True
        else:
            values.append(x)
            parents.append(None)
            if x is not None:
                mixed = True
    aux: Any = ()
    mode = current()
    if mixed and op.promotes:
        for x in inputs:
            if op.reflected and hasattr(type(x), op.reflected) and not isinstance(x, NUMBERS):
                return NotImplemented         # of a class that knows what to do with a tensor
        values, inputs = _promoted(op, values, inputs, parents)
    try:
        if live or first is None or first.kind not in "iu":
            out = op.fn(*values, **attrs)
        else:
            with np.errstate(all="ignore"):   # integers wrap round in silence, also where NumPy warns (0-d ones)
                out = op.fn(*values, **attrs)
    except WRONG_INPUT as error:
        out = op.recover(error, values, attrs)
    if op.aux:
        out, *aux = out
    if type(out) is np.ndarray and out.ndim == 0:
        out = out[()]
    recording = mode is not None and mode.recorder is not None
    if not live or out.dtype.kind not in "fc" or (mode is not None and not mode.grad):
        if not recording:
            return wrap(out)
        kind: type[Node] = Constant
    else:
        kind = Node
    node = kind()
    node.op, node.shape, node.dtype, node.extra = op, out.shape, out.dtype, None
    if attrs:
        node.attrs = attrs
    if None in parents:
        recorder = mode.recorder if recording else None                          # type: ignore[union-attr]
        node.others = {j: _other(x, recorder) for j, x in enumerate(inputs) if parents[j] is None and x is not None}
    if masks is None:
        op.make_room(len(parents))
    node.parents = tuple(parents)
    node.index = tick()                       # after the stubs: order of number is topological
    if kind is Node and op.kept:
        values.append(out)
        values.extend(aux)
        node.saved = _saved(op, values, live)
    else:
        node.saved = ()
    if recording:
        for x in inputs:
            if isinstance(x, Tensor) and x.node is not None:
                mode.recorder.leaf(x.node, x.value)          # type: ignore[union-attr]
        mode.recorder.note(node, out)         # type: ignore[union-attr]
    if kind is Node:
        return attach(out, node)
    result = wrap(out)
    result.stub = node                        # type: ignore[assignment]
    return result


def _arrays(inputs: Any) -> Any:
    """Lists as arrays; Python numbers too where they have no array to be weaker than."""
    made = [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in inputs]
    if any(isinstance(x, (np.ndarray, np.generic)) for x in made):
        return made
    return [x if x is None else np.asarray(x)[()] for x in made]


def _other(x: Any, recorder: Any) -> Any:
    """What stands for an input to which no gradient flows: a Python number, or a Constant."""
    if isinstance(x, Tensor):
        stub, value = stub_of(x), x.value
    elif isinstance(x, (int, float, complex)) and not isinstance(x, np.generic):
        return x
    else:
        value = np.asarray(x)
        stub = leaf(value, Constant)
    if recorder is not None:
        recorder.leaf(stub, value)
    return stub


def _saved(op: Op, made: list[Any], live: int) -> tuple[Any, ...]:
    """Of inputs, result and aux, what the rules of the inputs that need a gradient will ask for; None for the rest."""
    if op.variadic:
        return tuple(made[:-1] if 1 not in op.kept else made if 0 in op.kept else made[-1:])
    made.append(None)
    return tuple([made[k] for k in op.picks(live)])


def _promoted(op: Op, values: list[Any], inputs: Any, parents: list[Any]) -> tuple[list[Any], Any]:
    """Values (and recorded casts of inputs) brought to the dtype that PyTorch's rules give the operands."""
    fit = [j for j in (range(len(values)) if op.variadic else op.promotable) if values[j] is not None]
    for j in fit:
        v = values[j]
        if not isinstance(inputs[j], Tensor):
            if isinstance(v, (float, complex)):
                values[j] = float(v) if isinstance(v, float) else complex(v)  # np.float64 too is a Python float: weak
            elif isinstance(v, (list, tuple)):
                values[j] = np.asarray(v)
            elif not isinstance(v, (np.ndarray, np.generic, int)):
                raise op.complaint(TypeError("not a number, an array or a tensor"), values, NO_ATTRS)
    dtype = result_dtype([values[j] for j in fit])
    bare = not any(isinstance(values[j], (np.ndarray, np.generic)) for j in fit)
    if op.floating and dtype.kind in "biu":
        dtype = get_default_dtype()
    inputs = list(inputs)
    for j in fit:
        v = values[j]
        if isinstance(v, (np.ndarray, np.generic)):
            if v.dtype != dtype:
                if parents[j] is not None:
                    inputs[j] = OPS["cast"].call(inputs[j], dtype=dtype)
                    values[j], parents[j] = inputs[j].value, inputs[j].node
                else:
                    values[j] = v.astype(dtype)
        elif op.variadic or bare:
            values[j] = dtype.type(v)
    return values, inputs
