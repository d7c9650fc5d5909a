"""An optimizer is one rule for one array; groups, state and the loop over parameters stand here, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import inf, nextafter
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad
from autograd.quiet import quietly

from .checks import RUN_FLAGS, Group, described, known_flags, listed, number, read_group

State = dict[str, Any]                        # of one parameter: {"step": 3, "exp_avg": array, ...}
Update = Callable[[Any, Any, State], Any]     # update(p, g, s) -> the new p

PIECE = 1 << 16                               # elements of a large parameter stepped at a time

_AT_LEAST_ZERO = ("lr", "momentum", "weight_decay", "eps", "lr_decay", "initial_accumulator_value")


class Optimizer:
    """Steps parameters against their gradients by a `rule`; the base of all optimizers.

    Optimizer(params, defaults)

    `params` are leaf Tensors that require gradients, (name, Tensor) pairs, or dicts {"params": ..., "lr": ...}
    for groups with settings of their own; `defaults` are the settings of whoever has none.  A subclass gives

        class Mine(Optimizer):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

            def rule(self, group):
                lr = float(group["lr"])
                return lambda p, g, s: p - lr * g

    where `rule` returns `update(p, g, s) -> new p` for arrays and NumPy scalars alike: elementwise, p and g never
    written to, s a dict that belongs to the parameter (empty at first) whose arrays may be changed in place.
    `weight_decay` and `maximize`, where a subclass has them among its settings, are seen to before the rule.

    Attributes, as in PyTorch: `param_groups` (settings may be changed between steps), `state`, `defaults`.
    Raises ValueError or TypeError for bad settings or parameters; nothing has been changed then.
    """

    slots: tuple[str, ...] = ()               # what `state` holds of every parameter that was stepped
    optional_slots: tuple[str, ...] = ()      # what some settings add to it
    large: float = 1 << 20                    # elements from which on pieces, which stay in cache, are faster

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any], flags: Mapping[str, Any] | None = None
                 ) -> None:
        owner = type(self).__name__
        known_flags(owner, flags or {}, defaults)
        self.check(defaults)
        self.defaults = dict(defaults)
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self.stepped = False                  # what a schedule asks, to find out that it was stepped first
        members = listed(params, f"{owner} needs Tensors, (name, Tensor) pairs or group dicts in a list")
        if not members:
            raise ValueError(f"{owner} got an empty parameter list: the model has no parameters, or a generator was "
                             "used up before")
        for group in members if isinstance(members[0], Mapping) else [{"params": members}]:
            self.add_param_group(group)

    def rule(self, group: Group) -> Update:
        """The update of one array under the settings of a group."""
        raise NotImplementedError(f"{type(self).__name__} must define rule(group), or a step of its own")

    def check(self, settings: Mapping[str, Any]) -> None:
        """ValueError for settings out of range; a subclass adds what only it knows."""
        for name, value in settings.items():
            if name in _AT_LEAST_ZERO:
                number(name, value, ">= 0", 0)
            elif name == "betas":
                if not isinstance(value, (tuple, list)) or len(value) != 2:
                    raise ValueError(f"betas must be two numbers; got {value!r}")
                for i, beta in enumerate(value):
                    number(f"betas[{i}]", beta, "in [0, 1)", 0, nextafter(1, 0))

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Add a group, {"params": ..., "lr": ...}; settings it lacks are the defaults."""
        position = len(self.param_groups)
        group = read_group(param_group, position)
        try:
            self.check({**self.defaults, **group})
        except ValueError as error:
            raise ValueError(f"{error} (parameter group {position})") from None
        for i, other in enumerate(self.param_groups):
            if ("param_names" in group) != ("param_names" in other):
                raise ValueError(f"all parameter groups must come with names or none; group {i} has "
                                 f"{'names' if 'param_names' in other else 'none'}, group {position} "
                                 f"{'has names' if 'param_names' in group else 'has none'}")
            taken = set(other["params"])
            for k, p in enumerate(group["params"]):
                if p in taken:
                    raise ValueError(f"parameter {k} of group {position} is already in group {i}: pass each once")
        for name, value in self.defaults.items():
            group.setdefault(name, value)
        self.param_groups.append(group)

    # -- the step --------------------------------------------------------------------------------------

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        `closure`, if given, is called first with gradients recorded: it clears them, computes the loss, calls
        backward and returns the loss, which is returned here.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self.stepped = True
        quietly(self._step)                   # a diverging run turns inf and nan in silence, as in PyTorch
        return loss

    def _step(self) -> None:
        state, large = self.state, self.large
        for group in self.param_groups:
            update = self._update(group)
            for p in group["params"]:
                grad = p.grad
                if grad is not None:
                    value = p.value
                    if value.size < large and value.dtype.kind == "f":
                        p.value = update(value, grad.value, state[p])    # rebound: a graph may hold the old array
                    else:
                        p.value = _in_pieces(update, value, grad.value, state[p])

    def _update(self, group: Group) -> Update:
        """The rule of a group, after `maximize` and the gradient of the penalty  weight_decay/2 |p|^2."""
        update = self.rule(group)
        maximize = group.get("maximize", False)
        decay = 0.0 if group.get("decoupled_weight_decay") else float(group.get("weight_decay", 0))
        if not maximize and not decay:
            return update

        def penalized(p: Any, g: Any, s: State) -> Any:
            if maximize:
                g = -g
            if decay:
                g = g + decay * p
            return update(p, g, s)
        return penalized

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: `.grad` becomes None, or with set_to_none=False a Tensor of zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.zero_grad()
                elif p.grad is not None:
                    p.grad = Tensor(np.zeros_like(p.grad.value))

    # -- its memory ------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything a step depends on but the parameters, in PyTorch's layout, as a copy.

        {"state": {0: {"step": Tensor, "exp_avg": Tensor, ...}, ...}, "param_groups": [{"lr": ..., "params": [0, 1]}]}
        """
        index = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        return {"state": {index[p]: {name: Tensor(np.array(value, np.float32 if name == "step" else None))
                                     for name, value in s.items()}
                          for p, s in self.state.items() if s and p in index},
                "param_groups": [{**_settings(group), "params": [index[p] for p in group["params"]]}
                                 for group in self.param_groups]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, of this library or of PyTorch; arrays are copied, in the parameters' dtype.

        Parameters are matched by position.  Raises ValueError (TypeError, if it is no dict) that says what does not
        fit; nothing has been changed then.
        """
        owner = type(self).__name__
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
        arrived, wanted = ([len(group["params"]) for group in groups] for groups in (saved, self.param_groups))
        if arrived != wanted:
            raise ValueError(f"the state dict has {_counted(arrived)}; this {owner} has {_counted(wanted)}: "
                             "build the optimizer with the same groups before loading")
        groups = [self._loaded_group(group, new, i) for i, (group, new) in enumerate(zip(self.param_groups, saved))]
        owners = {key: p for group, new in zip(self.param_groups, saved)
                  for key, p in zip(new["params"], group["params"])}
        state: defaultdict[Tensor, State] = defaultdict(dict)
        for key, entries in state_dict["state"].items():
            if key not in owners:
                raise ValueError(f"the state dict has state of parameter {key!r}, which is in none of its groups")
            state[owners[key]] = self._loaded_state(entries, owners[key], f"parameter {key}")
        self.param_groups, self.state = groups, state

    def _loaded_group(self, group: Group, new: Mapping[str, Any], position: int) -> Group:
        owner = type(self).__name__
        newer = ("maximize", "decoupled_weight_decay")     # settings that state dicts of old PyTorch lack
        lacking = [name for name in self.defaults if name not in new and name not in newer]
        if lacking:
            raise ValueError(f"the state dict is not one of {owner}: its parameter group {position} "
                             f"lacks {', '.join(lacking)}")
        loaded = {**group, **_settings(new), "params": group["params"]}
        try:
            self.check(loaded)
        except ValueError as error:
            raise ValueError(f"{error} (parameter group {position} of the state dict)") from None
        return loaded

    def _loaded_state(self, entries: Mapping[str, Any], p: Tensor, label: str) -> State:
        if not isinstance(entries, Mapping):
            raise ValueError(f"the state of {label} must be a dict; got {described(entries)}")
        entries = {name: value for name, value in entries.items() if value is not None}
        names = (*self.slots, *self.optional_slots)
        if entries and (not entries.keys() <= set(names) or not entries.keys() >= set(self.slots)):
            raise ValueError(f"the state dict is not one of {type(self).__name__}: {label} has {', '.join(entries)}; "
                             f"expected {', '.join(names) or 'nothing'}")
        loaded: State = {}
        for name, value in entries.items():
            array = np.asarray(value.value if isinstance(value, Tensor) else value)
            if name == "step":
                if array.size != 1 or array.dtype.kind not in "fiu" or not 0 <= array.item() < inf:
                    raise ValueError(f"step of {label} must be a finite number >= 0; got {value!r}")
                loaded[name] = int(array.item())
                continue
            if array.dtype.kind not in ("fiuc" if p.dtype.kind == "c" else "fiu"):
                raise ValueError(f"{name} of {label} must be numbers fit for {p.dtype}; got dtype {array.dtype}")
            if array.shape != p.shape:
                raise ValueError(f"{name} of {label} must have the parameter's shape {p.shape}; got {array.shape}")
            array = np.array(array, dtype=p.dtype, order="C")
            loaded[name] = array if array.ndim else array[()]
        return loaded

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _settings(group: Mapping[str, Any]) -> Group:
    """All of a group but its parameters; lists, such as names, are copied."""
    return {name: list(value) if isinstance(value, list) else value for name, value in group.items()
            if name != "params" and name not in RUN_FLAGS}


def _counted(sizes: list[int]) -> str:
    return (f"{len(sizes)} parameter group{'s' * (len(sizes) != 1)} "
            f"of {' + '.join(map(str, sizes)) or 'no'} parameter{'s' * (sum(sizes) != 1)}")


def _in_pieces(update: Update, p: Any, g: Any, s: State) -> Any:
    """`update`, a piece at a time: a large parameter so that what the rule computes stays in cache, a complex one
    as pairs of real numbers.  Rules are elementwise, so the result is the same to the last bit."""
    real = p.real.dtype
    def flat(x: Any) -> Any:
        return np.asarray(x, order="C").reshape(-1).view(real)
    new = np.empty(p.shape, p.dtype)
    new_flat, p, g = flat(new), flat(p), flat(g)
    buffers = {}                              # name -> flat view of what s holds; what is not an array every piece sees
    for name, value in s.items():
        if isinstance(value, (np.ndarray, np.generic)):
            s[name] = value = np.asarray(value, order="C")
            buffers[name] = flat(value)
    before = dict(s)
    for i in range(0, max(p.size, 1), PIECE):
        here = slice(i, i + PIECE)
        part = {name: buffers[name][here] if name in buffers else value for name, value in before.items()}
        given = dict(part)
        new_flat[here] = update(p[here], g[here], part)
        for name, value in part.items():
            if not isinstance(value, np.ndarray):
                s[name] = value
            elif value is not given.get(name):             # not changed in place: begun, or replaced
                if name not in buffers:
                    s[name] = np.empty(new.shape, new.dtype)
                    buffers[name] = flat(s[name])
                buffers[name][here] = value
    return new if new.ndim else new[()]
