"""An optimizer is one rule for one array; groups, state and the loop over parameters stand here, once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from math import inf, nextafter
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad
from autograd.quiet import quietly

from . import saving
from .checks import Group, known_flags, listed, number, read_group
from .hooks import Hooked
from .loop import FirstSteps

State = dict[str, Any]                        # of one parameter: {"step": 3, "exp_avg": array, ...}
Update = Callable[[Any, Any, State], Any]     # update(p, g, s) -> the new p

PIECE = 1 << 16                               # elements of a large parameter stepped at a time

_AT_LEAST_ZERO = ("lr", "momentum", "weight_decay", "eps", "lr_decay", "initial_accumulator_value", "momentum_decay",
                  "rho")


class Optimizer(Hooked):
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
    numbers: tuple[str, ...] = ("step",)      # which of them are numbers; the others are arrays
    decoupled = False                         # whether the rule sees to weight_decay itself
    elementwise = True                        # whether a parameter may be stepped in pieces
    large: float = 1 << 20                    # elements from which on pieces, which stay in cache, are faster
    _watch: FirstSteps | None = None          # until the second step

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any], flags: Mapping[str, Any] | None = None
                 ) -> None:
        owner = type(self).__name__
        known_flags(owner, flags or {}, defaults)
        self.check(defaults)
        self.defaults = dict(defaults)
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self._watch = FirstSteps()
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
        if not self.elementwise and any(p.dtype.kind == "c" for p in group["params"]):
            raise ValueError(f"{type(self).__name__} has no rule for complex parameters (parameter group {position}): "
                             "keep the real and the imaginary part as two, or take an optimizer such as Adam")
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
        watch = self._watch
        if watch is None:
            quietly(self._step)               # a diverging run turns inf and nan in silence, as in PyTorch
            return loss
        watch.before(type(self).__name__, self.param_groups)
        quietly(self._step)
        self._watch = watch.after(self.param_groups)
        return loss

    def _step(self) -> None:
        state, large = self.state, self.large if self.elementwise else inf
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
        if self._watch is not None:            # in the first two steps only: a rule is the same in all of them
            update = _checked(type(self).__name__, update)
        known = self.defaults                  # a setting that the class does not have is the user's own note
        maximize = "maximize" in known and group["maximize"]
        decoupled = self.decoupled or "weight_decay" not in known or group.get("decoupled_weight_decay")
        decay = 0.0 if decoupled else float(group["weight_decay"])
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
        if self._watch is not None:
            self._watch.cleared = True
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
        hooks = self._hooks
        for hook in hooks.state_dict_pre.values() if hooks else ():
            hook(self)
        saved = saving.save(self)
        for hook in hooks.state_dict_post.values() if hooks else ():
            changed = hook(self, saved)
            saved = saved if changed is None else changed
        return saved

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a `state_dict()`, of this library or of PyTorch; arrays are copied, in the parameters' dtype.

        Parameters are matched by position.  Raises ValueError (TypeError, if it is no dict) that says what does not
        fit; nothing has been changed then.
        """
        hooks = self._hooks
        for hook in hooks.load_pre.values() if hooks else ():
            changed = hook(self, dict(state_dict))
            state_dict = state_dict if changed is None else changed
        self.param_groups, self.state = saving.load(self, state_dict)
        for hook in hooks.load_post.values() if hooks else ():
            hook(self)

    def slot_shape(self, name: str, p: Tensor) -> tuple[int, ...]:
        """The shape of an array that `state` holds of p: as a rule that of p."""
        return p.shape

    def saved_state(self, s: State) -> dict[str, Any]:
        """The state of one parameter as it stands in a state dict."""
        return saving.save_state(s)

    def loaded_state(self, entries: Mapping[str, Any], p: Tensor, label: str) -> State:
        """The state of one parameter from a state dict; ValueError for what does not fit."""
        return saving.load_state(self, entries, p, label)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_watch"}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _checked(who: str, update: Update) -> Update:
    """The rule, refusing what cannot be the new parameter before it takes the place of the old one."""
    def certain(p: Any, g: Any, s: State) -> Any:
        new = update(p, g, s)
        if not isinstance(new, (np.ndarray, np.generic)) or new.shape != p.shape or new.dtype != p.dtype:
            made = f"shape {new.shape}, {new.dtype}" if isinstance(new, (np.ndarray, np.generic)) else "nothing: is " \
                "there a return?" if new is None else f"a {type(new).__name__}"
            raise TypeError(f"{who}: expected the update of its rule to return the new parameter, an array of shape "
                            f"{p.shape}, {p.dtype}; got {made}; the parameter is as it was")
        return new
    return certain


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
