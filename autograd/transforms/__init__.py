"""Transforms of plain functions, composable to any depth.  Arrays in, arrays out; Tensors in, Tensors out.

    grad(f)(x)  value_and_grad(f)     gradient of a scalar function      vjp(f, x)            v -> v J
    jacobian(f)  jacrev  jacfwd       d f_i / d x_j                      jvp(f, (x,), (v,))   J v
    hessian(f)                        d² f / d x_i d x_j                 linearize(f, x)      v -> J v
    hvp(f, (x,), (v,))  vhp           Hessian times v                    vmap(f)              f of each lane of a batch
    jet(f, (x,), ((x1, x2),))                                            Taylor series along a curve
    checkpoint(f)                     f, computed again in backward      custom_vjp  custom_jvp
    checkpoint_sequential(modules, segments, x)                          the same for a row of modules
    functional_call(module, params, args)                                stop_gradient(x)

Arguments and results are arrays, Tensors or numbers, or dicts, lists, tuples and named tuples of them.
"""

from typing import Any

_HOMES = {
    "gradient": "grad value_and_grad vjp jvp linearize",
    "jacobians": "jacobian jacrev jacfwd hessian hvp vhp",
    "batching": "vmap",
    "jets": "jet",
    "calls": "LaneError",
    "recompute": "checkpoint checkpoint_sequential",
    "custom": "custom_vjp custom_jvp",
    "functional": "functional_call stop_gradient",
    "trees": "tree_map",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    """Each is imported when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'autograd.transforms' has no attribute {name!r}")
    from importlib import import_module
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
