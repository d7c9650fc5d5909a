"""`record()`: keep what the pictures and debuggers read, for the length of a block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

from .modes import Mode, Scope
from .node import Extra, Node
from .place import user_place
from .tensor import Tensor, stub_of


class record(Scope):
    """Keep, on each node made in the block, its value, its gradient, the user's source line and the module path.

        with autograd.record():
            loss = criterion(model(x), y)
            loss.backward()
        viz.draw(loss)

    Operations on tensors that require no gradient are recorded too.  Costs time and memory while open,
    nothing when not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inside: Any = ""                       # dotted path of the module running now
        self.module_types: dict[str, str] = {}      # dotted path -> class name
        self._paths: dict[int, str] = {}            # id of a module -> dotted path, while its root runs
        self._roots = 0

    def change(self, mode: Mode) -> Mode:
        return mode._replace(recorder=self)

    def note(self, node: Node, value: Any) -> None:
        """Called for each op result, in place of nothing at all."""
        extra = node.extra
        if extra is None:
            extra = node.extra = Extra()
        extra.recorded, extra.value, extra.at = True, value, user_place()
        if self.inside:
            extra.inside = self.inside
        extra.modules = self.module_types

    def step(self, node: Node, value: Any, *operands: Any) -> None:
        """Called by the short ways: a result, and the tensors it was made from."""
        for x in operands:
            known = x.node if x.node is not None else stub_of(x)
            if known.op is None:
                self.leaf(known, x.value)
        self.note(node, value)

    def watch(self, order: list[Node]) -> Any:
        """Who wants to see each gradient of a sweep over `order`: nobody, unless anomalies are looked for."""
        return None

    def leaf(self, node: Node, value: Any) -> None:
        """Called for each operand: what nothing was computed for has its value noted here."""
        if node.op is None:
            if node.extra is None:
                node.extra = Extra()
            node.extra.value = value

    def written(self, tensor: Tensor) -> None:
        """Called when a tensor was changed in place: it stands for another step now."""

    def copied(self, value: Any, copy: Any) -> None:
        """Called when an array is copied on its way into an operation."""

    def taken_out(self, tensor: Tensor) -> None:
        """Called when a function looks at the values of a tensor itself, outside of any operation."""

    def first_of(self, root: Any) -> str:
        """The first word of the paths of an outermost module: its class, with a number where that ran already."""
        kind = type(root).__name__.lower()
        self._roots += 1
        return kind if self._roots == 1 or kind not in self.module_types else f"{kind}_{self._roots - 1}"

    @contextmanager
    def module(self, module: Any) -> Any:
        """What runs in the block belongs to `module`: an object with named_modules, _parameters and _buffers."""
        outermost = not self._paths
        before = self.inside
        if outermost:
            first = self.first_of(module)
            for path, part in module.named_modules():
                full = f"{first}.{path}" if path else first
                self._paths[id(part)] = full
                self.module_types[full] = type(part).__name__
            for path, tensor in (*module.named_parameters(), *module.named_buffers()):
                node = tensor.node if tensor.node is not None else stub_of(tensor)
                if node.extra is None:
                    node.extra = Extra()
                node.extra.name = node.extra.name or path
                node.extra.value = tensor.value
        self.inside = self._paths.get(id(module), before)
        try:
            yield
        finally:
            self.inside = before
            if outermost:
                self._paths.clear()
