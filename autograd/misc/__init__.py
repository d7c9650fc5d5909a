"""What HIPS autograd keeps beside its core: flattening, optimizers, fixed points."""

from .flatten import flatten as flatten
from .tracers import const_graph as const_graph
