"""The door to scipy.special, for functions that NumPy cannot give: opened at the first call, not on import."""

from __future__ import annotations

from typing import Any

import numpy as np


def scipy_special(name: str, *args: Any, like: Any) -> Any:
    """scipy.special's function of that name, at work; the result in the dtype of `like`.

    ImportError that names the fix where SciPy is not installed.
    """
    try:
        import scipy.special
    except ImportError as error:
        raise ImportError(f'{name} is computed by SciPy, which is not installed: pip install "glassgrad[special]"') \
            from error
    with np.errstate(all="ignore"):
        return np.asarray(getattr(scipy.special, name)(*args)).astype(like.dtype, copy=False)[()]
