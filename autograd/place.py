"""Where in the user's program we are: for error texts and recordings."""

from __future__ import annotations

import sys
from os import sep
from os.path import basename, dirname

_HOME = dirname(dirname(__file__))
_OURS = tuple(f"{_HOME}{sep}{room}{sep}" for room in ("autograd", "nn", "optim", "viz"))


_known: dict[str, bool] = {}                  # file -> is it the library's own?


def user_place() -> tuple[str, int]:
    """File and line of the innermost frame that is not the library's own; ("", 0) where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        ours = _known.get(name)
        if ours is None:
            ours = _known[name] = name.startswith(_OURS) or name.startswith("<frozen")
        if not ours:
            return name, frame.f_lineno
        frame = frame.f_back                        # type: ignore[assignment]
    return "", 0


def user_line() -> str:
    """The same as file:line, "" where there is none."""
    name, line = user_place()
    return f"{basename(name)}:{line}" if name else ""
