"""Where in a model an exception was raised: one note, whose path grows with each module the exception leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor

if TYPE_CHECKING:
    from .module import Module


def locate(error: Exception, module: Module, args: tuple[Any, ...]) -> None:
    """Note on the exception that it passed `module`, which was called with `args`."""
    known: tuple[int, str, str, str] | None = getattr(error, "_location", None)
    if known is None:
        inner = _short(module)
        said = f"called with {', '.join(map(arrived, args))}" if args else "called without arguments"
        path, note = "", f"raised in {inner}, {said}"
        error.add_note(note)
        said = f"{inner}, {said}"
    else:
        last, path, said, old = known
        if last == id(module):                          # the module called itself: the same level
            return
        name = next((name for name, part in module.named_modules() if id(part) == last), "?")
        path = f"{name}.{path}" if path else name
        note = f"raised in {path} of {type(module).__name__}: {said}"
        error.__notes__ = [note if text == old else text for text in getattr(error, "__notes__", [])]
    error._location = (id(module), path, said, note)    # type: ignore[attr-defined]


def arrived(value: Any) -> str:
    """A value as an error text names it: shape and dtype, or its type."""
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return f"{tuple(value.shape)} {value.dtype}"
    return type(value).__name__


def _short(module: Module) -> str:
    text = f"{type(module).__name__}({module.extra_repr()})".replace("\n", " ")
    return text if len(text) <= 100 else text[:97] + "..."
