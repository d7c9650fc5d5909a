"""`record()`: keep what the pictures and debuggers read, for the length of a block."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .modes import Mode, Scope
from .node import Extra, Node
from .place import user_line
from .tensor import stub_of

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        self.path = ""                              # dotted path of the module running now
        self.module_types: dict[str, str] = {}      # dotted path -> class name
        self._paths: dict[int, str] = {}            # id of a module -> dotted path, while its root runs
        self._roots = 0

    def change(self, mode: Mode) -> Mode:
        return mode._replace(recorder=self)

    def note(self, node: Node, value: Any) -> None:
        """Called for each op result, in place of nothing at all."""
        extra = node.extra = node.extra or Extra()
        extra.recorded, extra.value, extra.line, extra.module = True, value, user_line(), self.path
        extra.modules = self.module_types

    def leaf(self, node: Node, value: Any) -> None:
        """Called for each operand: what nothing was computed for has its value noted here."""
        if node.op is None:
            if node.extra is None:
                node.extra = Extra()
            node.extra.value = value

    @contextmanager
    def module(self, module: Any) -> Iterator[None]:
        """What runs in the block belongs to `module`: an object with named_modules, _parameters and _buffers."""
        outermost = not self._paths
        before = self.path
        if outermost:
            kind = type(module).__name__
            first = (
                kind.lower()
                if self._roots == 0 or kind.lower() not in self.module_types
                else f"{kind.lower()}_{self._roots}"
            )
            self._roots += 1
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
        self.path = self._paths.get(id(module), before)
        try:
            yield
        finally:
            self.path = before
            if outermost:
                self._paths.clear()
