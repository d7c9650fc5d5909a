"""Automatic differentiation for scalars and tensors on NumPy, with a record one can read."""

from typing import Any

from . import copying as _copying
from . import graph as graph
from . import heap as _heap
from . import inplace as _inplace
from . import methods as _methods
from . import modes as modes
from . import ops as _ops
from .backward import gradients as gradients
from .creation import *
from .errors import AnomalyError as AnomalyError
from .errors import GradientError as GradientError
from .errors import ShapeError as ShapeError
from .graph import trace as trace
from .guard import guard_arrays as guard_arrays
from .modes import enable_grad as enable_grad
from .modes import inference_mode as inference_mode
from .modes import is_grad_enabled as is_grad_enabled
from .modes import no_grad as no_grad
from .modes import saved_tensors_hooks as saved_tensors_hooks
from .modes import set_grad_enabled as set_grad_enabled
from .op import bilinear as bilinear
from .op import elementwise as elementwise
from .op import linear as linear
from .op import op as op
from .ops import *
from .ops.portions import get_num_threads as get_num_threads
from .ops.portions import set_num_threads as set_num_threads
from .promotion import *
from .protocols import from_dlpack as from_dlpack
from .recording import record as record
from .sweep import pull as pull
from .sweep import push as push
from .tensor import Parameter as Parameter
from .tensor import Tensor as Tensor

_PACKAGES = (
    "linalg", "fft", "special", "masked", "signal", "transforms", "cuda",
    "numpy", "scipy", "misc", "extend", "builtins", "tracer", "test_util", "differential_operators", "spaces",
)
_HOMES = {
    "check": "gradcheck gradgradcheck",
    "anomaly": "detect_anomaly set_detect_anomaly",
    "reasons": "why",
    "devices": "device",
    "function": "Function once_differentiable",
    "transforms": "grad value_and_grad vjp jvp linearize jacobian jacrev jacfwd hessian hvp vhp vmap jet checkpoint "
                  "checkpoint_sequential custom_vjp custom_jvp functional_call stop_gradient",
    "differential_operators": "deriv elementwise_grad grad_and_aux grad_named hessian_tensor_product "
                              "hessian_vector_product holomorphic_grad make_ggnvp make_hvp make_jvp make_vjp "
                              "multigrad_dict tensor_jacobian_product vector_jacobian_product",
    "extend": "primitive",
    "builtins": "dict isinstance list tuple type",
}
_LATE = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """What is imported when it is first asked for: linalg, fft, special, `_LATE`, and the families of `ops.LATE`."""
    if name in _ops.LATE:
        found = _ops.__getattr__(name)
    elif name in _LATE or name in _PACKAGES:
        from importlib import import_module
        home = import_module(f".{_LATE.get(name, name)}", __name__)
        found = getattr(home, name) if name in _LATE else home
    else:
        raise AttributeError(f"module 'autograd' has no attribute {name!r}")
    globals()[name] = found                   # the next one finds it at once
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *_PACKAGES, *_LATE, *_ops.LATE])
