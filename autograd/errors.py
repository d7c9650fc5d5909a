"""The exceptions of the library; everything else raises Python's own."""

from __future__ import annotations

from typing import Any


class ShapeError(ValueError):
    """The shapes that met do not fit together."""


class GradientError(RuntimeError):
    """A gradient was asked for that cannot be given."""


class AnomalyError(RuntimeError):
    """A value became NaN or infinite inside `detect_anomaly()`; its attributes say where."""

    def __init__(self, text: str, **where: Any) -> None:
        super().__init__(text)
        self.op: str = where.get("op", "")
        self.line: str = where.get("line", "")
        self.module: str = where.get("module", "")
        self.index: tuple[int, ...] = where.get("index", ())
        self.value: Any = where.get("value")
        self.path: tuple[str, ...] = where.get("path", ())
