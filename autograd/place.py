"""Where in the user's program we are: for error texts and recordings."""

from __future__ import annotations

import sys
from os import sep
from os.path import basename, dirname

_HOME = dirname(dirname(__file__))
_OURS = tuple(f"{_HOME}{sep}{room}{sep}" for room in ("autograd", "nn", "optim", "viz"))


def user_line() -> str:
    """file:line of the innermost frame that is not the library's own; "" where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS) and not name.startswith("<frozen"):
            return f"{basename(name)}:{frame.f_lineno}"
        frame = frame.f_back                        # type: ignore[assignment]
    return ""
