"""NumPy, recorded: `import autograd.numpy as np`, as code written for HIPS autograd begins.

Every name of NumPy is here.  Most are NumPy's own, which call back when they meet a Tensor (autograd.protocols), and
so cost nothing on plain arrays.  The others are those that make arrays, so that `y = np.zeros(n); y[i] = x` is recorded
inside a function that is being differentiated (`creation`); those that take lists of Tensors, as `np.sum([x, y])`; and
those without a derivative, which give plain arrays, as there (`adapted`).
"""

from typing import Any

import numpy as _np

from . import fft as fft
from . import linalg as linalg
from . import numpy_boxes as numpy_boxes
from . import random as random
from .adapted import *
from .creation import *
from .joined import c_ as c_
from .joined import r_ as r_

__all__ = list(_np.__all__)


def __getattr__(name: str) -> Any:
    """NumPy's own, kept here from the first time on, so that the next costs nothing."""
    found = getattr(_np, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_np)})
