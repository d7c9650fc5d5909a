"""Pruning: elements of a parameter held at 0 by a mask, `weight = weight_orig · weight_mask`, before each forward.

Pruning again goes on with what is left: an amount is then a share of the elements (channels) not yet pruned.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import Parameter, Tensor, default_rng

from ..module import Module


def _amount(amount: Any, size: int, what: str) -> int:
    """How many of `size`: an integer, or a share in [0, 1]."""
    if isinstance(amount, bool) or not isinstance(amount, (int, float, np.integer, np.floating)):
        raise TypeError(f"Invalid type for amount: {amount!r}. Must be int or float.")
    whole = isinstance(amount, (int, np.integer))
    if amount < 0 or (not whole and amount > 1):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
    if whole and amount > size:
        raise ValueError(f"amount={amount} should be smaller than the number of {what} to prune={size}")
    return int(amount) if whole else round(float(amount) * size)


class BasePruningMethod:
    """A way to choose what is pruned; a subclass defines `compute_mask(t, default_mask)`.

    PRUNING_TYPE says what it is shown when some was pruned before: "unstructured", only the elements left, as vectors;
    "structured", the slices along `dim` in which some are left; "global", all.
    """

    PRUNING_TYPE = "unstructured"
    _tensor_name = ""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Any:
        """The mask for t, 1 for what stays, within default_mask."""
        raise NotImplementedError(f"{type(self).__name__} must define compute_mask(t, default_mask)")

    def apply_mask(self, module: Module) -> Any:
        """The tensor with the mask on."""
        original = getattr(module, f"{self._tensor_name}_orig")
        return getattr(module, f"{self._tensor_name}_mask").to(original.dtype) * original

    def __call__(self, module: Module, args: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Any = None,
              **settings: Any) -> BasePruningMethod:
        """Prune a parameter of the module by this method; returns the hook that keeps it so.

        The elements with the lowest `importance_scores` (by default, of the parameter itself) go first.
        """
        method = cls(*args, **settings)
        old = _hook(module, name)
        tensor = getattr(module, name, None)
        if not isinstance(tensor, Tensor) or (old is None and not isinstance(tensor, Parameter)):
            raise AttributeError(f"{type(module).__name__} has no parameter {name!r} to prune")
        scores = tensor if importance_scores is None else importance_scores
        if tuple(scores.shape) != tensor.shape:
            raise ValueError(f"importance_scores should have the same shape as parameter {name}, {tensor.shape}; "
                             f"got {tuple(scores.shape)}")
        before = np.ones(tensor.shape, tensor.dtype) if old is None else getattr(module, f"{name}_mask").value
        mask = _further(method, _array(scores), before) if old is not None else \
            _array(method.compute_mask(Tensor(_array(scores)), Tensor(before)))
        if mask.shape != tensor.shape:
            raise ValueError(f"{cls.__name__} gave a mask of shape {mask.shape} for a parameter of {tensor.shape}")
        method._tensor_name = name
        hook: BasePruningMethod = method
        if old is not None:
            earlier = old._pruning_methods if isinstance(old, PruningContainer) else [old]
            hook = PruningContainer(*earlier, method)
            _unhook(module, old)
        else:
            delattr(module, name)
            module.register_parameter(f"{name}_orig", tensor)     # type: ignore[arg-type]
        module.register_buffer(f"{name}_mask", Tensor(mask.astype(tensor.dtype)))
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return hook

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """t with the mask on; no module has to do with it."""
        scores = t if importance_scores is None else importance_scores
        if tuple(scores.shape) != tuple(t.shape):
            raise ValueError("importance_scores should have the same shape as tensor t, "
                             f"{tuple(t.shape)}; got {tuple(scores.shape)}")
        before = np.ones(t.shape, t.dtype) if default_mask is None else _array(default_mask)
        return t * Tensor(_array(self.compute_mask(Tensor(_array(scores)), Tensor(before))))

    def remove(self, module: Module) -> None:
        """A plain parameter again, with the pruned elements 0; its hook stays for the caller to take away."""
        name = self._tensor_name
        value, original = self.apply_mask(module).detach(), getattr(module, f"{name}_orig")
        for part in (name, f"{name}_orig", f"{name}_mask"):
            delattr(module, part)
        original.data = value
        module.register_parameter(name, original)


class PruningContainer(BasePruningMethod):
    """Several methods applied to one tensor after another."""

    def __init__(self, *methods: BasePruningMethod) -> None:
        self._pruning_methods = list(methods)
        self._tensor_name = methods[0]._tensor_name if methods else ""

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Any:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]


def _further(method: BasePruningMethod, scores: Any, before: Any) -> Any:
    """The mask of what was pruned before and what the method prunes of the rest."""
    on = before != 0
    mask = before.copy()
    if method.PRUNING_TYPE == "unstructured":
        mask[on] = _array(method.compute_mask(Tensor(scores[on]), Tensor(before[on])))
        return mask
    if method.PRUNING_TYPE == "structured":
        dim = method.dim % before.ndim        # type: ignore[attr-defined]
        left = np.flatnonzero(on.any(axis=tuple(k for k in range(before.ndim) if k != dim)))
        cut = tuple(left if k == dim else slice(None) for k in range(before.ndim))
        mask[cut] = _array(method.compute_mask(Tensor(scores[cut]), Tensor(before[cut])))
        return mask
    return mask * _array(method.compute_mask(Tensor(scores), Tensor(before)))


def _array(t: Any) -> Any:
    return np.asarray(t.value if isinstance(t, Tensor) else t)


def _hook(module: Module, name: str) -> Any:
    hooks = {} if module._hooks is None else module._hooks.before
    return next((h.function for h in hooks.values() if isinstance(h.function, BasePruningMethod)
                 and h.function._tensor_name == name), None)


def _unhook(module: Module, function: Any) -> None:
    assert module._hooks is not None
    for number in [n for n, h in module._hooks.before.items() if h.function is function]:
        del module._hooks.before[number]


class Identity(BasePruningMethod):
    """Prune nothing: the parameter gets its mask, all 1."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Any:
        return default_mask


class _Unstructured(BasePruningMethod):
    def __init__(self, amount: Any) -> None:
        _amount(amount, 1 << 62, "parameters")
        self.amount = amount

    def _order(self, t: Any) -> Any:
        """The places of the elements, those to be pruned first."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Any:
        mask = default_mask.value.copy()
        n = _amount(self.amount, t.numel(), "parameters")
        mask.reshape(-1)[self._order(t.value.reshape(-1))[:n]] = 0
        return mask


class RandomUnstructured(_Unstructured):
    """Any elements, drawn from `autograd.default_rng()`."""

    def _order(self, t: Any) -> Any:
        return default_rng().permutation(t.size)


class L1Unstructured(_Unstructured):
    """The elements of least absolute value."""

    def _order(self, t: Any) -> Any:
        return np.argsort(np.abs(t), kind="stable")


class _Structured(BasePruningMethod):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1) -> None:
        _amount(amount, 1 << 62, "channels")
        self.amount, self.dim = amount, dim

    def _order(self, t: Any, dim: int) -> Any:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Any:
        if t.ndim < 2:
            raise ValueError("Structured pruning can only be applied to multidimensional tensors. Found tensor of "
                             f"shape {t.shape} with {t.ndim} dims")
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        dim = self.dim % t.ndim
        n = _amount(self.amount, t.shape[dim], "channels")
        mask = default_mask.value.copy()
        mask[tuple(self._order(t.value, dim)[:n] if k == dim else slice(None) for k in range(t.ndim))] = 0
        return mask


class RandomStructured(_Structured):
    """Any slices along `dim`."""

    def _order(self, t: Any, dim: int) -> Any:
        return default_rng().permutation(t.shape[dim])


class LnStructured(_Structured):
    """The slices along `dim` of the lowest n-norm; n may be inf, -inf, or "fro"."""

    def __init__(self, amount: Any, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _order(self, t: Any, dim: int) -> Any:
        rows = np.moveaxis(t, dim, 0).reshape(t.shape[dim], -1)
        norms = np.linalg.norm(rows, 2 if self.n in ("fro", None) else float(self.n), axis=1)
        return np.argsort(norms, kind="stable")


class CustomFromMask(BasePruningMethod):
    """By a mask of your own."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Any:
        return default_mask.value * _array(self.mask).astype(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Give a parameter a mask of ones.  Returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune an amount (a number, or a share in [0, 1]) of the elements, drawn at random.  Returns the module."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Any, importance_scores: Any = None) -> Module:
    """Prune the elements of least absolute value (Han et al. 2015).  Returns the module."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune whole slices along `dim`, drawn at random.  Returns the module."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Module:
    """Prune whole slices along `dim`, those of the lowest n-norm (Li et al. 2017).  Returns the module."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Any) -> Module:
    """Prune where the mask is 0.  Returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: Any, importance_scores: Any = None,
                        **settings: Any) -> None:
    """Prune the lowest elements of all these (module, name) together, so that some tensors may lose more than others.

    `importance_scores` may be a dict from (module, name) to a tensor.
    """
    pairs = list(parameters)
    if not pairs or any(not isinstance(pair, tuple) or len(pair) != 2 for pair in pairs):
        raise TypeError("global_unstructured(): parameters should be (module, name) pairs in a list")
    if importance_scores is not None and not isinstance(importance_scores, dict):
        raise TypeError("global_unstructured(): importance_scores should be of type dict")
    method = pruning_method(**settings)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError('Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
                        f"{pruning_method.__name__} of type {method.PRUNING_TYPE}")
    tensors = [getattr(module, name) for module, name in pairs]
    scores = [_array((importance_scores or {}).get(pair, t)).reshape(-1) for pair, t in zip(pairs, tensors)]
    masks = [np.ones(t.numel(), t.dtype) if _hook(*pair) is None else
             getattr(pair[0], f"{pair[1]}_mask").value.reshape(-1) for pair, t in zip(pairs, tensors)]
    whole = _further(method, np.concatenate(scores), np.concatenate(masks))
    start = 0
    for (module, name), t in zip(pairs, tensors):
        custom_from_mask(module, name, whole[start:start + t.numel()].reshape(t.shape))
        start += t.numel()


def remove(module: Module, name: str) -> Module:
    """Make the parameter a plain one again, with the pruned elements 0.  Returns the module."""
    hook = _hook(module, name)
    if hook is None:
        raise ValueError(f"Parameter '{name}' of module {type(module).__name__} has to be pruned before pruning can be "
                         "removed")
    hook.remove(module)
    _unhook(module, hook)
    return module


def is_pruned(module: Module) -> bool:
    """Whether some parameter of the module, or of one below it, is pruned."""
    return any(isinstance(h.function, BasePruningMethod) for part in module.modules() if part._hooks is not None
               for h in part._hooks.before.values())
