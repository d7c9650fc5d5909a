"""Automatic differentiation for scalars and tensors on NumPy, with a record one can read."""

from . import graph as graph
from . import methods as _methods
from . import modes as modes
from .backward import gradients as gradients
from .check import gradcheck as gradcheck
from .check import gradgradcheck as gradgradcheck
from .creation import *
from .errors import GradientError as GradientError
from .errors import ShapeError as ShapeError
from .modes import enable_grad as enable_grad
from .modes import is_grad_enabled as is_grad_enabled
from .modes import no_grad as no_grad
from .modes import set_grad_enabled as set_grad_enabled
from .op import bilinear as bilinear
from .op import elementwise as elementwise
from .op import linear as linear
from .op import op as op
from .ops import *
from .promotion import *
from .recording import record as record
from .sweep import pull as pull
from .sweep import push as push
from .tensor import Parameter as Parameter
from .tensor import Tensor as Tensor
from .transforms import grad as grad
from .transforms import hessian as hessian
from .transforms import hvp as hvp
from .transforms import jacobian as jacobian
from .transforms import jvp as jvp
from .transforms import value_and_grad as value_and_grad
from .transforms import vjp as vjp
