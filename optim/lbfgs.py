"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad

from .checks import number
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, State
from .saving import load_number

ARRAYS = ("d", "prev_flat_grad")              # all parameters one after the other, as pairs of reals if complex
LISTS = ("old_dirs", "old_stps", "ro")
NUMBERS = ("t", "H_diag", "prev_loss")


class LBFGS(Optimizer):
    """Limited-memory BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithms 7.4 and 7.5).

        d = -H g                          H from the last `history_size` pairs  s = t d,  y = g' - g, by two loops
        p <- p + t d

    A `step(closure)` makes up to `max_iter` iterations and `max_eval` evaluations (5/4 of max_iter by default), and
    ends early where max |g| <= tolerance_grad, or where the step or the loss changes by less than tolerance_change.
    t is lr (in the first iteration at most lr / sum |g|), or with line_search_fn="strong_wolfe" what fulfils these
    conditions.  `closure` clears the gradients, computes the loss, calls backward and returns the loss; for noisy
    losses this method is not made.  There is one parameter group.
    """

    slots = ("func_evals", "n_iter")
    optional_slots = (*ARRAYS, *LISTS, *NUMBERS, "al")

    def __init__(self, params: Iterable[Any], lr: float = 1, max_iter: int = 20, max_eval: int | None = None,
                 tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
                 line_search_fn: str | None = None) -> None:
        super().__init__(params, {"lr": lr, "max_iter": max_iter,
                                  "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
                                  "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change,
                                  "history_size": history_size, "line_search_fn": line_search_fn})

    def check(self, settings: Mapping[str, Any]) -> None:
        super().check(settings)
        for name in ("max_iter", "max_eval", "tolerance_grad", "tolerance_change"):
            number(name, settings[name], ">= 0", 0)
        number("history_size", settings["history_size"], ">= 1", 1)
        if settings["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"line_search_fn must be 'strong_wolfe' or None; got {settings['line_search_fn']!r}")

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        if self.param_groups:
            raise ValueError("LBFGS has one parameter group, since its step is one for all parameters; got a second: "
                             "put all parameters in one list")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate as the class says; returns the loss at the start."""
        if closure is None:
            raise TypeError("LBFGS evaluates the loss several times in a step: call step(closure), the closure "
                            "clearing the gradients, calling backward and returning the loss")
        group = self.param_groups[0]
        lr, most, evals = float(group["lr"]), int(group["max_iter"]), 1
        params = group["params"]
        s = self.state[params[0]]
        first, loss, g = _evaluate(closure, params)
        s["func_evals"], s["n_iter"] = s.get("func_evals", 0) + 1, s.get("n_iter", 0)
        if _largest(g) <= group["tolerance_grad"]:
            return first
        for i in range(most):
            s["n_iter"] += 1
            if s["n_iter"] == 1:
                s["old_dirs"], s["old_stps"], s["ro"], s["H_diag"] = [], [], [], 1.0
                d = -g
                t = min(1.0, 1 / float(np.abs(g).sum())) * lr
            else:
                _remember(s, g, int(group["history_size"]))
                d, t = _direction(s, g), lr
            s["d"], s["t"], s["prev_flat_grad"], s["prev_loss"] = d, t, g, loss
            slope = float(g @ d)
            if slope > -group["tolerance_change"]:         # no way down that is worth it
                break
            x = _flat(params)
            if group["line_search_fn"]:
                found, tried = strong_wolfe(_along(closure, params, x, d), Point(0.0, loss, g, slope), t, _largest(d),
                                            int(group["max_eval"]) - evals)
                loss, g, t = found.loss, found.grad, found.t
                s["t"] = t
                _put(params, x + t * d)
            else:
                _put(params, x + t * d)
                tried = 0
                if i + 1 < most:                           # what comes after the last is for the next step to see
                    _, loss, g = _evaluate(closure, params)
                    tried = 1
            evals += tried
            s["func_evals"] += tried
            if (evals >= group["max_eval"] or _largest(g) <= group["tolerance_grad"]
                    or _largest(t * d) <= group["tolerance_change"]
                    or abs(loss - s["prev_loss"]) < group["tolerance_change"]):
                break
        return first

    def saved_state(self, s: State) -> dict[str, Any]:
        return {name: [Tensor(np.array(x)) for x in value] if name in LISTS
                else Tensor(np.array(value)) if name in ARRAYS else value for name, value in s.items()}

    def loaded_state(self, entries: Mapping[str, Any], p: Tensor, label: str) -> State:
        names = (*self.slots, *self.optional_slots)
        if not entries.keys() <= set(names) or not entries.keys() >= set(self.slots):
            raise ValueError(f"the state dict is not one of LBFGS: {label} has {', '.join(entries)}; "
                             f"expected {', '.join(names)}")
        def array(name: str, value: Any) -> Any:
            found = np.array(value.value if isinstance(value, Tensor) else value, p.value.real.dtype)
            if found.shape != wanted:
                raise ValueError(f"{name} of {label} must have as many numbers as all parameters, {wanted[0]}; "
                                 f"got shape {found.shape}")
            return found
        wanted = (sum(q.value.size * (1 + (q.dtype.kind == "c")) for q in self.param_groups[0]["params"]),)
        s: State = {name: int(load_number(name, entries[name], label)) for name in self.slots}
        for name, value in entries.items():
            if name in ARRAYS:
                s[name] = array(name, value)
            elif name in LISTS:
                s[name] = [float(x) for x in value] if name == "ro" else [array(name, x) for x in value]
            elif name in NUMBERS:
                s[name] = float(value)
        return s


def _flat(params: list[Tensor]) -> Any:
    """All values in one vector."""
    return np.concatenate([_reals(p.value) for p in params])


def _reals(value: Any) -> Any:
    flat = np.ravel(value)
    return flat.view(flat.real.dtype)


def _put(params: list[Tensor], x: Any) -> None:
    """Give every parameter its part of the vector, as an array of its own."""
    at = 0
    for p in params:
        n = p.value.size * (1 + (p.dtype.kind == "c"))
        value = np.array(x[at:at + n], p.value.real.dtype).view(p.dtype).reshape(p.shape)
        p.value = value if value.ndim else value[()]
        at += n


def _evaluate(closure: Callable[[], Any], params: list[Tensor]) -> tuple[Any, float, Any]:
    """(what the closure returns, as a number, the gradients in one vector)."""
    with enable_grad():
        loss = closure()
    grads = [np.zeros(p.shape, p.dtype) if p.grad is None else p.grad.value for p in params]
    return loss, float(loss), np.concatenate([_reals(g) for g in grads])


def _along(closure: Callable[[], Any], params: list[Tensor], x: Any, d: Any) -> Callable[[float], Point]:
    """The loss at x + t d."""
    def at(t: float) -> Point:
        _put(params, x + t * d)
        _, loss, g = _evaluate(closure, params)
        return Point(t, loss, g, float(g @ d))
    return at


def _remember(s: State, g: Any, most: int) -> None:
    """Keep the pair of the last step, unless it says that the loss bends down."""
    y, step = g - s["prev_flat_grad"], s["t"] * s["d"]
    curvature = float(y @ step)
    if curvature > 1e-10:
        for name, new in (("old_dirs", y), ("old_stps", step), ("ro", 1 / curvature)):
            s[name] = [*s[name][-(most - 1):], new] if most > 1 else [new]
        s["H_diag"] = curvature / float(y @ y)


def _direction(s: State, g: Any) -> Any:
    """-H g, by the two loops of algorithm 7.4."""
    pairs = list(zip(s["old_dirs"], s["old_stps"], s["ro"]))
    q, factors = -g, []
    for y, step, ro in reversed(pairs):
        factors.append(a := ro * float(step @ q))
        q -= a * y
    q *= s["H_diag"]
    for (y, step, ro), a in zip(pairs, reversed(factors)):
        q += (a - ro * float(y @ q)) * step
    return q


def _largest(x: Any) -> float:
    return float(np.abs(x).max()) if x.size else 0.0
