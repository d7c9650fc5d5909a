"""Whether SciPy is there, and what to do where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GradientError


def scipy_part(name: str) -> Any:
    """SciPy's module of that name; ImportError that names the fix where SciPy is not installed."""
    try:
        import scipy.integrate
        import scipy.linalg
        import scipy.special
        import scipy.stats
    except ImportError as error:
        raise ImportError(f'autograd.scipy.{name} needs SciPy, which is not installed: pip install '
                          '"glassgrad[special]"') from error
    return {"integrate": scipy.integrate, "linalg": scipy.linalg, "special": scipy.special,
            "stats": scipy.stats}[name]


def no_derivative(function: str, argument: str, instead: str = "hold it fixed, x.detach()") -> Any:
    """The rule of an argument that has none: it says so."""
    def rule(g: Any) -> Any:
        raise GradientError(f"scipy.{function} has no derivative to {argument} here: {instead}")
    return rule


def quietly_of(function: Any, *args: Any) -> Any:
    """A SciPy function without NumPy's warnings; float32 stays float32."""
    with np.errstate(all="ignore"):
        dtype = np.result_type(*args)
        found = np.asarray(function(*args))
    return found.astype(dtype if dtype.kind in "fc" else np.float64, copy=False)[()]
