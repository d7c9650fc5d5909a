"""What distinguishes two graphs, in data and in words."""

from __future__ import annotations

import numpy as np

from autograd import Tensor
from autograd.graph import Diff, trace

X = np.ones((4, 3), "float32")


def words(diff):
    return [line.partition("   # test_")[0] for line in str(diff).splitlines()]


def test_the_same_is_the_same():
    f = lambda x: (x.exp() * 2).sum()
    a, b = trace(f)(X), trace(f)(X)
    d = a.diff(b)
    assert not d and isinstance(d, Diff) and str(d) == "no node differs (5 nodes -> 5)"
    assert not trace(f)(X).diff(trace(f)(X + 1)) or words(a.diff(trace(f)(X + 1)))[1].startswith("~ %0")


def test_added_removed_and_changed():
    a = trace(lambda x: (x.exp() * 2).sum(dim=1))(X)
    b = trace(lambda x: (x.exp().tanh() * 3).sum(dim=0))(X)
    d = a.diff(b)
    assert [n.op for n in d.added] == ["tanh"] and not d.removed
    assert [(c.before.op, c.after.op) for c in d.changed if c.after.op] == [("multiply", "multiply"), ("sum", "sum")]
    assert words(d) == [
        "1 added, 3 changed (5 nodes -> 6)",
        "+ %2: float32[4, 3] = tanh(%1)",
        "~ %2 -> %3: int = constant 3   # value: 2 -> 3",
        "~ %3 -> %4: float32[4, 3] = multiply(%2, %3 3)   # operand 0: %1 -> %2",
        "~ %4 -> %5: float32[3] = sum(%4, dim=0)   # float32[4] -> float32[3]; dim: 1 -> 0",
    ]
    assert bool(d) and b.diff(a).removed == d.added and repr(d) == str(d)


def test_results_in_another_order():
    a, b = (trace(f)(X) for f in (lambda x: (x + 1, x * 2), lambda x: (x * 2, x + 1)))
    assert a.diff(b)
    same = a._replace(outputs=a.outputs[::-1])
    assert words(a.diff(same)) == ["no node differs (5 nodes -> 5)", "~ result 0: %2 -> %4", "~ result 1: %4 -> %2"]
    assert a.diff(a._replace(gives=("list", 0, 1))).results == ("~ return (%2, %4) -> return [%2, %4]",)


def test_a_training_step_shows_in_the_parameters():
    w = Tensor(np.ones(3, "float32"), requires_grad=True, name="w")
    f = lambda x: (x * w).sum()
    a = trace(f)(X)
    w.value = w.value * 3
    d = a.diff(trace(f)(X))
    assert words(d)[1:] == ["~ %1: float32[3] = parameter w   # value: 1 ± 0 -> 3 ± 0"]


def test_before_and_after_a_pass():
    a = trace(lambda x: (x * 1).exp() + x.exp())(X)
    d = a.diff(a.simplify())
    assert [n.op or n.kind for n in d.removed] == ["constant", "multiply", "exp"] and not d.added


def test_long_graphs_are_compared_too():
    def f(n):
        def chain(x):
            for _ in range(n):
                x = -x
            return x
        return trace(chain)(np.float32(1))
    a, b = f(5000), f(5003)
    d = a.diff(b)
    assert len(d.added) == 3 and not d.removed and len(d.text) < 1000
    assert len(a.diff(trace(lambda x: x.exp())(np.float32(1))).removed) == 5000
