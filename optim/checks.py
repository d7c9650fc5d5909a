"""What users hand over, checked before anything is kept: settings, iterables, parameter groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from numbers import Real
from typing import Any

import numpy as np

from autograd import Parameter, Tensor

Group = dict[str, Any]                        # {"params": [Tensor, ...], "lr": 0.1, ...}, as in PyTorch

# How PyTorch is to run a step on its devices: accepted wherever PyTorch accepts them, without meaning here.
RUN_FLAGS = ("foreach", "fused", "capturable", "differentiable")


def known_flags(owner: str, flags: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Accept PyTorch's `RUN_FLAGS`; TypeError for any other keyword, naming the settings there are."""
    for name in flags:
        if name not in RUN_FLAGS:
            from difflib import get_close_matches
            near = get_close_matches(name, settings, n=1)
            raise TypeError(f"{owner} has no setting {name!r}{f': did you mean {near[0]!r}?' if near else ';'} "
                            f"known: {', '.join(settings)}")
    if flags.get("foreach") and flags.get("fused"):
        raise ValueError("foreach and fused cannot both be True: they are two ways to run one step; give one of them")
    if flags.get("differentiable"):
        raise ValueError("differentiable=True is not supported: a step is not recorded; write the update with "
                         "operators on Tensors to differentiate through it")


def number(name: str, value: Any, wanted: str = "", low: float = -inf, high: float = inf) -> None:
    """ValueError, in the words of `wanted`, unless `value` is a number, or a Tensor of one, in [low, high]."""
    one = getattr(value, "shape", None) == () or (isinstance(value, Tensor) and value.value.size == 1)
    plain = value.item() if one and hasattr(value, "item") else value
    if not isinstance(plain, Real):
        raise ValueError(f"{name} must be a number{' ' * bool(wanted)}{wanted}; got {value!r} ({type(value).__name__})")
    if not low <= float(plain) <= high:
        raise ValueError(f"{name} must be {wanted or 'a number'}; got {plain}")


def described(thing: Any) -> str:
    """A word for what arrived, and what to pass in its place: 'a Linear: pass model.parameters()'."""
    kind = type(thing).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    if callable(getattr(thing, "parameters", None)):
        return f"{article} {kind}: pass model.parameters()"
    if callable(thing):
        return f"{article} {kind}: call it, as in model.parameters()"
    if isinstance(thing, np.ndarray):
        return "a NumPy array: wrap it, Tensor(array, requires_grad=True)"
    return "None" if thing is None else f"{article} {kind}"


def listed(params: Any, wanted: str) -> list[Any]:
    """An iterable as a list; TypeError that says what to pass instead where it is none, or has no fixed order."""
    if isinstance(params, Tensor):
        raise TypeError(f"{wanted}; got one Tensor: put it in a list")
    if isinstance(params, (set, frozenset)):
        raise TypeError(f"{wanted}; got a set, whose order changes between runs: pass a list")
    if isinstance(params, Mapping):
        raise TypeError(f"{wanted}; got a {type(params).__name__}: "
                        + ("put it in a list" if "params" in params else "pass its items()"))
    members = list(params) if isinstance(params, Iterable) and not isinstance(params, (str, np.ndarray)) else None
    if members is None or (callable(getattr(params, "parameters", None))            # a Module; a ParameterList will do
                           and not all(isinstance(member, Tensor) for member in members)):
        raise TypeError(f"{wanted}; got {described(params)}")
    return members


def read_group(given: Any, position: int) -> Group:
    """A copy of one group dict with its parameters as a checked list, and their names (if any) in "param_names"."""
    if not isinstance(given, Mapping):
        raise TypeError(f"a parameter group must be a dict with the key 'params'; got {described(given)}")
    if "params" not in given:
        raise ValueError(f"parameter group {position} must have the key 'params'; got "
                         f"{', '.join(map(repr, given)) or 'an empty dict'}")
    params = given["params"]
    members: list[Any] = [params] if isinstance(params, Tensor) else listed(
        params, f"the params of group {position} must be Tensors or (name, Tensor) pairs in a list")
    named = [isinstance(member, tuple) and len(member) == 2 and isinstance(member[0], str) for member in members]
    if any(named) and not all(named):
        raise ValueError("all parameters must come with a name or none; "
                         f"parameter {named.index(False)} of group {position} has none")
    tensors = [member[1] for member in members] if any(named) else members
    seen: dict[Tensor, int] = {}
    for i, p in enumerate(tensors):
        label = f"parameter {i} of group {position}" + (f" ({members[i][0]!r})" if any(named) else "")
        _check_parameter(p, label)
        if p in seen:
            raise ValueError(f"{label} is the same Tensor as parameter {seen[p]}: pass each once")
        seen[p] = i
    group = dict(given)
    group["params"] = tensors
    if any(named):
        group["param_names"] = [member[0] for member in members]
    return group


def _check_parameter(p: Any, label: str) -> None:
    if not isinstance(p, Tensor):
        raise TypeError(f"{label} must be a Tensor; got {described(p)}")
    if not p.is_leaf:
        raise ValueError(f"{label} must be a leaf; this one was computed by {p.grad_fn.op.name}: "  # type: ignore
                         "optimize the Tensors it was computed from")
    if not p.requires_grad and not isinstance(p, Parameter):    # a Parameter may be frozen now and thawed later
        raise ValueError(f"{label} must require a gradient: make it with requires_grad=True, "
                         "or call requires_grad_() on it")
