"""What happens when an op is called: values taken out, the NumPy function run, a node recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .aliasing import note_view
from .guard import GUARD, guard
from .modes import current
from .node import NO_ATTRS, Constant, Extra, Node, leaf, tick
from .promotion import get_default_dtype, result_dtype
from .tensor import Shared, Tensor, attach, stub_of, wrap

if TYPE_CHECKING:
    from .op import Op

NUMBERS = (Tensor, np.ndarray, np.generic, bool, int, float, complex, list, tuple)
OPS: dict[str, Op] = {}                        # every op by name; each enters itself
# what `Op.recover` explains, and NumPy's warnings where a user has made them errors
WRONG_INPUT = (ValueError, TypeError, IndexError, AttributeError, ZeroDivisionError, RuntimeWarning)


def apply(op: Op, inputs: Any, attrs: dict[str, Any]) -> Any:
    """Run an op: arrays in, array out; a Tensor anywhere in, a Tensor out, recorded if a gradient may flow."""
    if len(inputs) == 1 and type(inputs[0]) is Tensor and op.lone and current() is None:
        made = apply_alone(op, inputs[0], attrs)
        if made is not None:
            return made
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
    mode = current()
    if mode is not None and mode.batch is not None:
        out = mode.batch.apply(op, inputs, attrs)
        if out is not NotImplemented:
            return out                        # of all lanes of a `vmap`
    values, parents, live, mixed, first, foreign = [], [], 0, op.floating, None, False
    masks = op.masks
    for j, x in enumerate(inputs):
        if isinstance(x, Tensor):
            value, node = x.value, x.node
            values.append(value)
            if type(x) is Shared:
                foreign = True
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
                if isinstance(x, np.ndarray):
                    foreign = True
    aux: Any = ()
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
            made = wrap(out)
            if live:                          # for `why`: the line that turned gradients off, or the op without any
                made.cut = op if mode is None or mode.grad else mode
            if op.views:
                note_view(made, inputs[0], op, attrs)
            return made
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
        if foreign and GUARD["on"]:
            guard(node, values, inputs)
        if mode is not None and mode.saving is not None:
            _pack(node, *mode.saving)
    else:
        node.saved = ()
    if recording:
        for x in inputs:
            if isinstance(x, Tensor) and x.node is not None:
                mode.recorder.leaf(x.node, x.value)          # type: ignore[union-attr]
        mode.recorder.note(node, out)         # type: ignore[union-attr]
    if kind is Node:
        result = attach(out, node)
    else:
        result = wrap(out)
        result.stub = node                    # type: ignore[assignment]
    if op.views:
        note_view(result, inputs[0], op, attrs)
    return result


def apply_alone(op: Op, x: Tensor, attrs: dict[str, Any]) -> Tensor | None:
    """The short way of an op of one input, in the ordinary state; None where it is none."""
    value, kept, parent = x.value, op.kept, x.node
    if parent is None and value.dtype.kind != "f":
        return None
    try:
        out = op.fn(value, **attrs)
    except WRONG_INPUT as error:
        out = op.recover(error, (value,), attrs)
    if type(out) is np.ndarray and not out.ndim:
        out = out[()]
    if parent is None:
        made = wrap(out)
        if op.views:
            note_view(made, x, op, attrs)
        return made
    node = Node()
    if not kept:
        node.saved = ()
    else:
        node.saved = (value,) if kept == (0,) else (out,) if kept == (1,) else (value, out)
    node.op, node.parents, node.attrs = op, (parent,), attrs
    node.shape, node.dtype, node.index, node.extra = out.shape, out.dtype, tick(), None
    made = attach(out, node)
    if op.views:
        note_view(made, x, op, attrs)
    elif node.dtype.kind not in "fc":
        return None                           # no gradient flows into integers and bools
    return made


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


def _pack(node: Node, pack: Any, unpack: Any) -> None:
    """What a node saved, as the user's `pack` has it."""
    assert node.saved is not None
    node.saved = tuple([pack(wrap(v)) if isinstance(v, (np.ndarray, np.generic)) else v for v in node.saved])
    node.extra = node.extra or Extra()
    node.extra.unpack, node.extra.guards = unpack, ()


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
