"""`detect_anomaly()`: the first value that is not finite, in either pass, and where it came from."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np

from .ancestry import path
from .errors import AnomalyError
from .modes import Mode, Scope
from .node import Node, inputs_of
from .recording import record
from .tensor import Tensor

_add_up = np.add.reduce
_MOST = 8                                     # steps shown of a long path


class detect_anomaly(record):
    """Raise AnomalyError at the first NaN or infinity that a step of the block makes, forward or backward.

        with autograd.detect_anomaly():
            loss = criterion(model(x), y)
            loss.backward()

    The error names the op, your line, the module, the element, the operands that made it, and the path to the loss.  An
    operand that is infinite on purpose (a mask of -inf) is no anomaly, and what is computed from it only if it is NaN.
    In the block all that `record()` keeps is kept.  Costs a sum over each result; nothing when off.
    With `check_nan=False` nothing is checked, as in PyTorch.
    """

    def __new__(cls, check_nan: Any = True) -> Any:
        return super().__new__(cls, check_nan)

    def __init__(self, check_nan: Any = True) -> None:
        super().__init__()
        self.check_nan = bool(check_nan)
        self.order: list[Node] = []

    def again(self) -> Scope:
        return detect_anomaly(self.check_nan)

    def note(self, node: Node, value: Any) -> None:
        """Each result of the forward pass."""
        super().note(node, value)
        if not _finite(value) and self.check_nan:
            operands = _operands(node)
            at = _new(value, [v for _, v in operands])
            if at is not None:
                raise _error("forward", node, f"{_called(node)} gave {value[at]!s}", value, at, operands, [])

    def module(self, module: Any) -> Any:
        """What runs in the block belongs to `module`; its path is found out when somebody asks."""
        return _Inside(self, module)

    def watch(self, order: list[Node]) -> Any:
        """A sweep begins: each gradient of it is looked at."""
        if not self.check_nan:
            return None
        self.order = order
        return self

    def check_gradient(self, node: Node, parent: Node, g: Any, made: Any) -> None:
        """One gradient of the backward pass: of an input of `node`, made from `g`."""
        value = made.value if isinstance(made, Tensor) else made
        if _finite(value):
            return
        above = g.value if isinstance(g, Tensor) else g
        operands = [("the gradient from above", above), *_operands(node), (_RESULT, _value(node))]
        at = _new(value, [above])
        if at is None:
            return
        assert node.op is not None
        name = node.op.inputs[0 if node.op.variadic else node.parents.index(parent)]
        what = f"the derivative of {_called(node)} with respect to {name} gave {value[at]!s}"
        raise _error("backward", node, what, value, at, operands, _path(self.order, node))


class _Inside:
    """A module that runs, and the outermost one it is a part of."""

    __slots__ = ("before", "detector", "first", "part", "root")

    def __init__(self, detector: detect_anomaly, module: Any) -> None:
        before = detector.inside
        self.detector, self.before, self.part = detector, before, module
        self.root = before.root if before else module
        self.first: str = before.first if before else detector.first_of(module)

    def __enter__(self) -> None:
        self.detector.inside = self

    def __exit__(self, *exception: object) -> None:
        self.detector.inside = self.before

    def path(self) -> str:
        """The dotted path.  Enters all modules of the root in `module_types`."""
        first = self.first
        paths = {id(part): f"{first}.{path}" if path else first for path, part in self.root.named_modules()}
        self.detector.module_types.update(
            {paths[id(part)]: type(part).__name__ for _, part in self.root.named_modules()}
        )
        return paths.get(id(self.part), first)


_RESULT = "its result"
_switched: list[Scope] = []


class set_detect_anomaly(Scope):
    """`detect_anomaly` on or off by a flag: at once, until it is set again; or, opened with `with`, for a block."""

    def __new__(cls, mode: Any, check_nan: bool = True) -> Any:
        return object.__new__(cls)

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__()
        self.detector = detect_anomaly(check_nan) if mode else None
        super().__enter__()

    def change(self, mode: Mode) -> Mode:
        return mode._replace(recorder=self.detector)

    def __enter__(self) -> Any:
        return self


def _finite(value: Any) -> bool:
    """Whether all elements are finite.  A sum that is finite says so at once."""
    total = _add_up(value, None) if value.ndim else value
    try:
        return isfinite(total) or bool(np.isfinite(value).all())
    except TypeError:                         # complex
        return bool(np.isfinite(value).all())


def _new(value: Any, sources: Iterable[Any]) -> Any:
    """The index of the first element that became NaN or infinite here; None if that was in the operands already."""
    known = [np.asarray(v) for v in sources if v is not None and np.asarray(v).dtype.kind in "fc"]
    bad = np.isnan(value)
    if not bad.any() or any(np.isnan(v).any() for v in known):
        bad = ~np.isfinite(value)
        if not all(np.isfinite(v).all() for v in known):
            return None
    return tuple(int(k) for k in np.argwhere(bad)[0])


def _value(node: Any) -> Any:
    """What a node was worth, where that is known."""
    if not isinstance(node, Node):
        return node
    return node.extra.value if node.extra is not None else None


def _operands(node: Node) -> list[tuple[str, Any]]:
    """The inputs of a node by name, with their values."""
    op, found = node.op, inputs_of(node)
    assert op is not None
    names = [f"{op.inputs[0]}[{k}]" for k in range(len(found))] if op.variadic else op.inputs
    return [(name, _value(x)) for name, x in zip(names, found, strict=False) if x is not None]


def _called(node: Node) -> str:
    assert node.op is not None
    return node.op.name


def _where(node: Node) -> str:
    """file:line and module of a step."""
    extra = node.extra
    line = extra.line if extra is not None and extra.line else "a line outside the block"
    return line + (f", in module {extra.module}" if extra is not None and extra.module else "")


def _shown(name: str, value: Any, at: tuple[int, ...], shape: tuple[int, ...], elementwise: bool) -> str:
    """An operand where it met the element, or how large it is altogether."""
    if value is None:
        return f"{name}: not recorded, it was made outside the block"
    value = np.asarray(value)
    if elementwise or value.shape == shape:
        try:
            there = np.broadcast_to(value, shape)[at]
        except ValueError:
            pass
        else:
            return f"{name} = {there!s}" if value.ndim == 0 else f"{name}[{', '.join(map(str, at))}] = {there!s}"
    if not value.size:
        return f"{name}: {value.shape}, no elements"
    if value.dtype.kind not in "fiub":
        return f"{name}: {value.shape} {value.dtype}"
    with np.errstate(all="ignore"):
        return f"{name}: {value.shape} {value.dtype}, from {value.min()!s} to {value.max()!s}"


def _error(way: str, node: Node, what: str, value: Any, at: tuple[int, ...], operands: list[tuple[str, Any]],
           way_up: list[str]) -> AnomalyError:
    bad = int((~np.isfinite(value)).sum())
    text = f"the first value of the {way} pass that is not finite: {what}"
    if at:
        text += f" at index {at}" + (f" ({bad} of {value.size} elements)" if bad > 1 else "")
    text += f"\n  {_called(node)} at {_where(node)}"
    elementwise = node.op is not None and node.op.kind == "elementwise"
    shape = value.shape
    for name, v in operands:
        if name == _RESULT and v is None:
            continue
        text += "\n  " + _shown(name, v, at, shape, elementwise)
    if way_up:
        text += "\n  path to the loss: " + " -> ".join(way_up)
    extra = node.extra
    return AnomalyError(text, op=_called(node), line=extra.line if extra is not None else "",
                        module=extra.module if extra is not None else "", index=at, value=value[at], path=tuple(way_up))


def _path(order: list[Node], node: Node) -> list[str]:
    """The shortest way from a step to what backward() was called on."""
    texts = [f"{_called(n)} ({n.extra.line})" if n.extra is not None and n.extra.line else _called(n)
             for n in reversed(path(order[0], node))]
    if len(texts) > _MOST:
        left = len(texts) - _MOST
        texts = [*texts[:_MOST // 2], f"({left} more)", *texts[-_MOST // 2:]]
    return texts
