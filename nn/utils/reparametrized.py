"""Weight norm and spectral norm under their older names, with the older names in `state_dict`.

A hook computes the weight before each forward, from `weight_g` and `weight_v`, or from `weight_orig`.
New programs use `nn.utils.parametrizations`, where the weight is up to date at any time.
"""

from __future__ import annotations

import warnings
from typing import Any

from autograd import Parameter, Tensor, mv, no_grad

from ..functional import normalize
from ..module import Module
from .parametrizations import _SpectralNorm, _WeightNorm


class _WeightHook:
    """weight = g v / ||v||, before forward."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.norm = name, _WeightNorm(dim)

    def compute(self, module: Module) -> Any:
        return self.norm(getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v"))

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute(module))


class _OldSpectralNorm(_SpectralNorm):
    """The same with v before u in each step, as it was."""

    def _iterate(self, matrix: Any, times: int) -> None:
        with no_grad():
            for _ in range(times):
                self._v.data = normalize(mv(matrix.conj().T, self._u), dim=0, eps=self.eps)
                self._u.data = normalize(mv(matrix, self._v), dim=0, eps=self.eps)


class _SpectralHook:
    """weight = weight_orig / σ, before forward."""

    def __init__(self, name: str, norm: _SpectralNorm) -> None:
        self.name, self.norm = name, norm

    def compute(self, module: Module) -> Any:
        norm = self.norm                      # its vectors stand in the module, for state_dict to have them
        norm._u, norm._v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        norm.training = module.training
        return norm(getattr(module, f"{self.name}_orig"))

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self.name, self.compute(module))


def _hooks(module: Module, kind: type) -> dict[int, Any]:
    before = {} if module._hooks is None else module._hooks.before
    return {number: hook.function for number, hook in before.items() if isinstance(hook.function, kind)}


def _taken(module: Module, name: str, kind: type, what: str) -> Parameter:
    """The parameter, taken out of its place; RuntimeError if it has such a hook already."""
    if any(hook.name == name for hook in _hooks(module, kind).values()):
        raise RuntimeError(f"Cannot register two {what} hooks on the same parameter {name}")
    weight = module.__dict__.get(name)
    if not isinstance(weight, Parameter):
        raise ValueError(f"{what}: Module {type(module).__name__} has no parameter {name!r}")
    delattr(module, name)
    return weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn length `weight_g` and direction `weight_v` apart (Salimans and Kingma 2016).  Returns the module.

    The older form; see `nn.utils.parametrizations.weight_norm`.
    """
    warnings.warn("nn.utils.weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm",
                  FutureWarning, stacklevel=2)
    weight = _taken(module, name, _WeightHook, "weight_norm")
    hook = _WeightHook(name, dim)
    with no_grad():
        g, v = hook.norm.right_inverse(weight)
    module.register_parameter(f"{name}_g", Parameter(g.detach()))
    module.register_parameter(f"{name}_v", Parameter(v.detach()))
    setattr(module, name, hook.compute(module))
    module.register_forward_pre_hook(hook)
    return module


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide the weight by its largest singular value (Miyato et al. 2018).  Returns the module.

    The older form, with `weight_orig`, `weight_u` and `weight_v`; see `nn.utils.parametrizations.spectral_norm`.
    """
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    if not isinstance(module.__dict__.get(name), Parameter):
        raise ValueError(f"spectral_norm: Module {type(module).__name__} has no parameter {name!r}")
    norm = _OldSpectralNorm(module.__dict__[name], n_power_iterations, dim, eps)
    weight = _taken(module, name, _SpectralHook, "spectral_norm")
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, Tensor(weight.value))           # no Parameter, so that it is not learned twice
    module.register_buffer(f"{name}_u", norm._u)
    module.register_buffer(f"{name}_v", norm._v)
    module.register_forward_pre_hook(_SpectralHook(name, norm))
    return module


def _remove(module: Module, name: str, kind: type, what: str, parts: tuple[str, ...]) -> Module:
    found = [(number, hook) for number, hook in _hooks(module, kind).items() if hook.name == name]
    if not found:
        raise ValueError(f"{what} of {name!r} not found in {type(module).__name__}")
    number, hook = found[0]
    training, module.training = module.training, False     # no step of power iteration for it
    with no_grad():
        value = hook.compute(module)
    module.training = training
    assert module._hooks is not None
    del module._hooks.before[number]
    for part in (name, *(f"{name}_{p}" for p in parts)):
        delattr(module, part)
    module.register_parameter(name, Parameter(value.detach()))
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """A plain parameter again, of the present value.  Returns the module."""
    return _remove(module, name, _WeightHook, "weight_norm", ("g", "v"))


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """A plain parameter again, of the present value.  Returns the module."""
    return _remove(module, name, _SpectralHook, "spectral_norm", ("orig", "u", "v"))
