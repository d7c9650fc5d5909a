"""The two exceptions of the library; everything else raises Python's own."""


class ShapeError(ValueError):
    """The shapes that met do not fit together."""


class GradientError(RuntimeError):
    """A gradient was asked for that cannot be given."""
