"""The memory of an optimizer as a state dict in PyTorch's layout, and back, checked before anything is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import Tensor

from .checks import RUN_FLAGS, Group, described

if TYPE_CHECKING:
    from .optimizer import Optimizer, State

# Settings that state dicts of an older PyTorch lack.
NEWER = ("maximize", "decoupled_weight_decay")


def save(optimizer: Optimizer) -> dict[str, Any]:
    """{"state": {0: {"step": Tensor, ...}, ...}, "param_groups": [{"lr": ..., "params": [0, 1]}]}, a copy."""
    index = {p: i for i, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
    return {"state": {index[p]: optimizer.saved_state(s) for p, s in optimizer.state.items() if s and p in index},
            "param_groups": [{**settings_of(group), "params": [index[p] for p in group["params"]]}
                             for group in optimizer.param_groups]}


def save_state(s: State) -> dict[str, Any]:
    """The state of one parameter, numbers and arrays as Tensors of their own; PyTorch's counts are float32."""
    return {name: Tensor(np.array(value, np.float32 if name == "step" else None)) for name, value in s.items()}


def load(optimizer: Optimizer, state_dict: Mapping[str, Any]) -> tuple[list[Group], defaultdict[Tensor, State]]:
    """(param_groups, state) of a state dict, for the parameters of this optimizer, matched by position."""
    owner = type(optimizer).__name__
    if not isinstance(state_dict, Mapping):
        raise TypeError("a state dict is a dict with the keys 'state' and 'param_groups'; "
                        f"got {described(state_dict)}")
    if "state" not in state_dict or "param_groups" not in state_dict:
        raise ValueError("a state dict of an optimizer has the keys 'state' and 'param_groups'; got "
                         f"{', '.join(map(repr, state_dict)) or 'an empty dict'}")
    saved = state_dict["param_groups"]
    for i, new in enumerate(saved):
        if not isinstance(new, Mapping) or "params" not in new:
            raise ValueError(f"parameter group {i} of the state dict must be a dict with the key 'params'; "
                             f"got {new!r}")
    arrived, wanted = ([len(group["params"]) for group in groups] for groups in (saved, optimizer.param_groups))
    if arrived != wanted:
        raise ValueError(f"the state dict has {_counted(arrived)}; this {owner} has {_counted(wanted)}: "
                         "build the optimizer with the same groups before loading")
    groups = [_loaded_group(optimizer, group, new, i)
              for i, (group, new) in enumerate(zip(optimizer.param_groups, saved))]
    owners = {key: p for group, new in zip(optimizer.param_groups, saved)
              for key, p in zip(new["params"], group["params"])}
    state: defaultdict[Tensor, State] = defaultdict(dict)
    for key, entries in state_dict["state"].items():
        if key not in owners:
            raise ValueError(f"the state dict has state of parameter {key!r}, which is in none of its groups")
        if not isinstance(entries, Mapping):
            raise ValueError(f"the state of parameter {key} must be a dict; got {described(entries)}")
        present = {name: value for name, value in entries.items() if value is not None}
        if present:
            state[owners[key]] = optimizer.loaded_state(present, owners[key], f"parameter {key}")
    return groups, state


def _loaded_group(optimizer: Optimizer, group: Group, new: Mapping[str, Any], position: int) -> Group:
    lacking = [name for name in optimizer.defaults if name not in new and name not in NEWER]
    if lacking:
        raise ValueError(f"the state dict is not one of {type(optimizer).__name__}: its parameter group {position} "
                         f"lacks {', '.join(lacking)}")
    given = {name: value.item() if getattr(value, "shape", None) == () else value       # whatever library's number
             for name, value in settings_of(new).items()}
    loaded = {**group, **given, "params": group["params"]}
    try:
        optimizer.check(loaded)
    except ValueError as error:
        raise ValueError(f"{error} (parameter group {position} of the state dict)") from None
    return loaded


def load_state(optimizer: Optimizer, entries: Mapping[str, Any], p: Tensor, label: str) -> State:
    """The state of one parameter from its entries, whatever library's arrays they are."""
    names = (*optimizer.slots, *optimizer.optional_slots)
    if not entries.keys() <= set(names) or not entries.keys() >= set(optimizer.slots):
        raise ValueError(f"the state dict is not one of {type(optimizer).__name__}: {label} has {', '.join(entries)}; "
                         f"expected {', '.join(names) or 'nothing'}")
    return {name: load_number(name, value, label) if name in optimizer.numbers
            else load_array(name, value, p, optimizer.slot_shape(name, p), label) for name, value in entries.items()}


def load_number(name: str, value: Any, label: str) -> int | float:
    """A count of steps, or another number that a rule keeps."""
    array = np.asarray(value.value if isinstance(value, Tensor) else value)
    if array.size != 1 or array.dtype.kind not in "fiu" or not isfinite(array.item()) or array.item() < 0:
        raise ValueError(f"{name} of {label} must be a finite number >= 0; got {value!r}")
    return int(array.item()) if name == "step" else float(array.item())


def load_array(name: str, value: Any, p: Tensor, shape: tuple[int, ...], label: str) -> Any:
    """A copy in the dtype of the parameter."""
    array = np.asarray(value.value if isinstance(value, Tensor) else value)
    if array.dtype.kind not in ("fiuc" if p.dtype.kind == "c" else "fiu"):
        raise ValueError(f"{name} of {label} must be numbers fit for {p.dtype}; got dtype {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} of {label} must have the parameter's shape {shape}; got {array.shape}"
                         if shape == p.shape else f"{name} of {label} must have the shape {shape}; got {array.shape}")
    array = np.array(array, dtype=p.dtype, order="C")
    return array if array.ndim else array[()]


def settings_of(group: Mapping[str, Any]) -> Group:
    """All of a group but its parameters; lists, such as names, are copied."""
    return {name: list(value) if isinstance(value, list) else value for name, value in group.items()
            if name != "params" and name not in RUN_FLAGS}


def _counted(sizes: list[int]) -> str:
    return (f"{len(sizes)} parameter group{'s' * (len(sizes) != 1)} "
            f"of {' + '.join(map(str, sizes)) or 'no'} parameter{'s' * (sum(sizes) != 1)}")
