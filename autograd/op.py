"""What an op is: a NumPy function and, for each input, the rule that carries a change through it.

    @op(x=lambda g, y: g @ y.mT, y=lambda g, x: x.mT @ g, shapes="(n, k) and (k, m)")
    def matmul(x, y):
        \"""Matrix product:  x y.\"""
        return x @ y

Positional parameters are the inputs, keyword-only ones the attributes of the node.  A rule is a
function of `g`, the change arriving from above, and then, by name, of what it needs: an input, `out`,
`x_shape`, an attribute, `shapes` (of all inputs), `i` (the position of its input), or what the forward
computed on the way and returned behind the result (`aux`).  Inputs and results that no rule names are
not kept alive.  A rule is written with operators and ops only, so that one text
runs on arrays (the ordinary sweep) and on Tensors (a sweep that is itself recorded).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .call import OPS
from .errors import GradientError, ShapeError
from .forms import caller
from .node import NO_ATTRS, Node, attrs_of, inputs_of, shape_of
from .quiet import quietly

Rule = Callable[..., Any]
# A rule whose names were looked up: (rule, None, None) is called with g alone, (rule, a, None) with saved[a] too,
# (rule, a, b) with saved[a] and saved[b], and (rule, None, FULL) with all that was saved and the node.
Pull = tuple[Rule, int | None, int | None]
FULL = -1

_OF_SHAPES = ("shape", "broadcast", "dimension", "axis", "axes", "size", "length", "aligned")
_KEEPS_TYPE = (GradientError, ShapeError)


class Op:
    """A differentiable function: its forward, its rules, and what tests and pictures want to know."""

    views = False                             # does the result share the memory of the first input where NumPy lets it?
    for_one_call = False                      # is it made anew by each call, of a function of the user's?
    selects = False                           # is it the second input where the first holds, the third elsewhere?

    def __init__(self, fn: Callable[..., Any], kind: str, rules: dict[str, Rule], *, shapes: str, domain: Any,
                 cases: Any, category: str, symbol: str, order: tuple[str, ...] | None, floating: bool,
                 aux: dict[str, Rule] | None, name: str, views: bool = False, selects: bool = False) -> None:
        code = fn.__code__
        n, k = code.co_argcount, code.co_kwonlyargcount
        self.fn, self.kind, self.name, self.doc = fn, kind, name or fn.__name__, fn.__doc__ or ""
        self.variadic = bool(code.co_flags & 0x04)
        self.inputs = (code.co_varnames[n + k],) if self.variadic else code.co_varnames[:n]
        self.optional = len(fn.__defaults__ or ())
        self.attributes = code.co_varnames[n:n + k]
        self.defaults: dict[str, Any] = fn.__kwdefaults__ or NO_ATTRS
        self.order = order or (*self.inputs, *self.attributes)
        self.shapes, self.domain, self.cases = shapes, domain, cases
        self.category, self.symbol, self.floating = category, symbol, floating
        self.views, self.selects = views, selects
        self.rules = rules
        self.reflected = ""                    # "__radd__", where the op is an operator
        self.aux = aux or {}                   # by name, how to compute it afresh from inputs when a sweep is recorded
        self.promotable = tuple(j for j, x in enumerate(self.inputs) if x in rules or not rules)
        self.masks = None if self.variadic else tuple(1 << j if x in rules else 0 for j, x in enumerate(self.inputs))
        self.promotes = self.variadic or len(self.promotable) > 1 or floating
        unknown = rules.keys() - set(self.inputs)
        if unknown:
            raise TypeError(f"op {self.name}: a rule for {sorted(unknown)}, but the inputs are {list(self.inputs)}")
        record = [*self.inputs, "out", *self.aux]
        asked = {x: asks(rule) for x, rule in rules.items()}
        for x, names in asked.items():         # to compute an aux afresh, its own inputs are needed too
            asked[x] = (*names, *[a for name in names if name in self.aux for a in asks(self.aux[name], 0)])
        self.kept = tuple(i for i, name in enumerate(record) if any(name in names for names in asked.values()))
        self.kept_names = tuple(record[i] for i in self.kept)
        self.needs = [frozenset(record.index(a) for a in asked.get(x, ()) if a in record) for x in self.inputs]
        self.lone = len(self.inputs) == 1 and not self.variadic and bool(rules) and not self.aux
        self._picks: dict[int, tuple[int, ...]] = {}
        self.pulls: list[Pull] = [] if self.variadic else [_bind(self, i) for i in range(len(self.inputs))]
        self.call = caller(self)
        before = OPS.get(self.name)
        if before is not None and before.fn.__module__ != fn.__module__:  # a cell run again replaces its own
            raise TypeError(
                f"there is an op named {self.name!r} already, in {before.fn.__module__}; choose another name"
            )
        OPS[self.name] = self

    def pull(self, i: int, g: Any, saved: Any, node: Node) -> Any:
        """The rule of the i-th input, at work."""
        rule, a, b = self.pulls[i]
        if b is None:
            return rule(g) if a is None else rule(g, saved[a])
        return rule(g, saved, node) if a is None else rule(g, saved[a], saved[b])

    def picks(self, live: int) -> tuple[int, ...]:
        """Which of (*inputs, out, *aux, None) to save when the inputs in the bit mask `live` need a gradient."""
        if live not in self._picks:
            needed = frozenset().union(*[need for j, need in enumerate(self.needs) if live >> j & 1])
            self._picks[live] = tuple([k if k in needed else -1 for k in self.kept])
        return self._picks[live]

    def make_room(self, n: int) -> None:
        """An op of any number of inputs has as many rules as it was ever given inputs."""
        self.pulls.extend(_bind(self, i) for i in range(len(self.pulls), n))

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def recover(self, error: Exception, values: Any, attrs: dict[str, Any]) -> Any:
        """The result after all, where NumPy only warned; otherwise the exception a user should see."""
        if isinstance(error, RuntimeWarning):
            return quietly(lambda: self.fn(*values, **attrs))
        raise self.complaint(error, values, attrs) from error

    def complaint(self, error: Exception, values: Any, attrs: dict[str, Any]) -> Exception:
        """The exception a user should see in place of NumPy's: what was expected, what arrived."""
        if isinstance(error, _KEEPS_TYPE) or str(error).startswith(self.name):
            return error                       # it says all that is to be said
        names = [f"{self.inputs[0]}[{i}]" for i in range(len(values))] if self.variadic else self.inputs
        given = [f"{n} {_arrived(v)}" for j, (n, v) in enumerate(zip(names, values, strict=False))
                 if v is not None or j < len(self.inputs) - self.optional]
        given += [f"{n}={v!r}" for n, v in attrs.items() if self.defaults.get(n, error) is not v]
        reason = (self.kind == "elementwise" and _clash(values)) or (
            str(error).splitlines()[0] if str(error) else type(error).__name__
        )
        text = f"{self.name}: expected {self.shapes}; got {', '.join(given)} ({reason})"
        for kind in (IndexError, TypeError, ZeroDivisionError):
            if isinstance(error, kind):
                return kind(text)
        if isinstance(error, AttributeError):
            return TypeError(text)
        return (ShapeError if any(word in reason for word in _OF_SHAPES) else ValueError)(text)


def asks(rule: Rule, after: int = 1) -> tuple[str, ...]:
    """The names a rule asks for, after the change `g` it carries."""
    return rule.__code__.co_varnames[after:rule.__code__.co_argcount]


def _clash(values: Any) -> str:
    """Where shapes that should broadcast do not, and what to do about it; "" where that is not the trouble."""
    shapes = [v.shape for v in values if isinstance(v, np.ndarray)]
    for axis in range(-1, -1 - min(map(len, shapes), default=0), -1):
        sizes = {s[axis] for s in shapes} - {1}
        if len(sizes) > 1:
            found = " and ".join(map(str, sorted(sizes)))
            return f"broadcasting needs equal sizes, or 1; axis {axis} has {found}: reshape or slice one of them"
    return ""


def _arrived(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic)):
        return f"{value.shape} {value.dtype}"
    return f"{type(value).__name__} {value!r}"[:80]


def _bind(op: Op, i: int) -> Pull:
    """The rule of the i-th input; what it asks for by name is found here, once."""
    own = op.inputs[0 if op.variadic else i]
    if own not in op.rules:
        return _no_rule, None, None
    rule, kept = op.rules[own], op.kept_names
    names = asks(rule)
    if op.variadic or len(names) > 2 or not set(names) <= set(kept):
        text = f"lambda g, saved, node: rule({', '.join(['g', *[_find(op, name, i) for name in names]])})"

        def first(g: Any, saved: Any, node: Node) -> Any:
            """Compiles what was found, and takes its place."""
            pull = eval(text, {"rule": rule, "attrs_of": attrs_of, "inputs_of": inputs_of, "shape_of": shape_of})
            op.pulls[i] = pull, None, FULL
            return pull(g, saved, node)
        return first, None, FULL
    at = [kept.index(name) for name in names] + [None, None]
    return rule, at[0], at[1]


def _no_rule(g: Any) -> Any:
    raise GradientError("a gradient reached an input that has no rule")      # `apply` never records such a parent


def _find(op: Op, name: str, i: int) -> str:
    """Where the rule of the i-th input finds what it asks for: a kept value, a shape, its position, an attribute."""
    kept, own = op.kept_names, op.inputs[0 if op.variadic else i]
    if op.variadic and name == own:
        return "saved[:len(node.parents)]"
    if name in kept:
        return f"saved[{kept.index(name) - len(kept) if op.variadic else kept.index(name)}]"
    if name in op.attributes:
        return f"attrs_of(node)[{name!r}]"
    if name == "shapes":
        return "[shape_of(p) for p in inputs_of(node)]"
    if name == "i":
        return str(i)
    of, _, what = name.rpartition("_")
    if of in op.inputs and what in ("shape", "dtype"):
        if of == own:                         # whose gradient is asked for has a node
            return f"node.parents[{i}].{what}"
        j = op.inputs.index(of)
        return f"shape_of(inputs_of(node)[{j}])" if what == "shape" else f"inputs_of(node)[{j}].dtype"
    raise TypeError(
        f"op {op.name}: the rule of {own} asks for {name!r}, which is none of the inputs {list(op.inputs)}, "
        f"the attributes {list(op.attributes)}, the aux {list(op.aux)}, 'out', 'shapes', 'i', '<input>_shape'"
    )


# -- declaring -------------------------------------------------------------------------------------------


def _kind(kind: str) -> Callable[..., Any]:
    def declare(
        *,
        shapes: str = "shapes that broadcast together",
        domain: Any = (-2.0, 2.0),
        cases: Any = (),
        category: str = "",
        symbol: str = "",
        order: tuple[str, ...] | None = None,
        floating: bool = False,
        aux: dict[str, Rule] | None = None,
        name: str = "",
        views: bool = False,
        selects: bool = False,
        **rules: Rule,
    ) -> Callable[[Callable[..., Any]], Any]:
        def make(fn: Callable[..., Any]) -> Any:
            return Op(
                fn,
                kind,
                rules,
                shapes=shapes,
                domain=domain,
                cases=cases,
                symbol=symbol,
                order=order,
                category=category
                or ("elementwise" if kind == "elementwise" else "shape" if kind == "linear" else "custom"),
                floating=floating,
                aux=aux,
                name=name,
                views=views,
                selects=selects,
            ).call

        return make
    return declare


elementwise = _kind("elementwise")        # out[k] depends on the inputs at k alone: the rule is also the JVP
linear = _kind("linear")                  # linear in all its inputs together: the op is its own JVP
bilinear = _kind("bilinear")              # linear in each input by itself
op = _kind("op")                          # anything else: the JVP is the transpose of the rule
