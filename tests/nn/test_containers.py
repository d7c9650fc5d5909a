"""Sequential, ModuleList and ModuleDict."""

from collections import OrderedDict

import numpy as np
import pytest

import nn
from autograd import Tensor


def names(module):
    return [name for name, _ in module.named_children()]


def test_sequential_forms():
    a, b = nn.Linear(2, 3), nn.ReLU()
    v = Tensor(np.ones((4, 2), np.float32))
    wanted = b(a(v)).tolist()
    for made in (nn.Sequential(a, b), nn.Sequential([a, b]), nn.Sequential(OrderedDict(first=a, second=b))):
        assert made(v).tolist() == wanted
    assert names(nn.Sequential(OrderedDict(first=a, second=b))) == ["first", "second"]
    assert nn.Sequential()(v) is v
    assert repr(nn.Sequential(a, b)) == ("Sequential(\n  (0): Linear(in_features=2, out_features=3, bias=True)\n"
                                         "  (1): ReLU()\n)")


def test_sequential_is_a_sequence():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    row = nn.Sequential(a, b, c)
    assert len(row) == 3 and list(row) == [a, b, c] and row[-1] is c and b in row
    assert names(row[1:]) == ["1", "2"] and list(row[1:].append(a)) == [b, c, a]        # as in PyTorch, names stay
    row[1] = c
    del row[0]
    assert list(row.state_dict()) == [] and list(row) == [c, c]
    assert list(row.insert(0, a)) == [a, c, c] and row.get_submodule("2") is c
    assert row.pop() is c and list(row.extend([b])) == [a, c, b]
    assert list(row + nn.Sequential(a)) == [a, c, b, a] and list(nn.Sequential(a) * 2) == [a, a]
    assert list(2 * nn.Sequential(a, b)) == [a, b, a, b]
    row += [a]
    assert len(row) == 4


@pytest.mark.parametrize(("make", "text"), [
    (lambda: nn.Sequential(nn.ReLU), "Sequential holds modules only; got the class ReLU: call it, ReLU(...)"),
    (lambda: nn.Sequential(nn.ReLU(), 3), "Sequential holds modules only; got int 3"),
    (lambda: nn.ModuleList([None]), "ModuleList holds modules only; got NoneType None"),
    (lambda: nn.ModuleList([nn.ReLU()]).append(3), "ModuleList holds modules only; got int 3"),
])
def test_only_modules_are_held(make, text):
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value) == text


def test_positions_that_are_not_there():
    with pytest.raises(IndexError, match="index 3 is out of range: this ModuleList has 1 modules"):
        nn.ModuleList([nn.ReLU()])[3]
    with pytest.raises(ValueError, match="Sequential \\* n repeats the modules n times, n >= 1; got 0"):
        nn.Sequential() * 0


def test_module_list():
    rows = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert len(rows) == 3 and isinstance(rows[:2], nn.ModuleList) and len(rows[:2]) == 2
    assert list(rows.state_dict()) == [f"{i}.{name}" for i in range(3) for name in ("weight", "bias")]
    assert repr(rows) == "ModuleList(\n  (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)\n)"
    rows.append(nn.Sequential(nn.ReLU()))
    assert repr(rows).endswith("  (3): Sequential(\n    (0): ReLU()\n  )\n)")
    assert repr(nn.ModuleList()) == "ModuleList()" and len(rows + [nn.ReLU()]) == 5


def test_module_dict():
    a, b = nn.Linear(1, 1), nn.ReLU()
    named = nn.ModuleDict({"a": a})
    named["b"] = b
    assert list(named) == list(named.keys()) == ["a", "b"] and list(named.values()) == [a, b] and len(named) == 2
    assert list(named.items()) == [("a", a), ("b", b)] and "a" in named and "c" not in named
    assert list(named.state_dict()) == ["a.weight", "a.bias"]
    assert named.pop("a") is a and list(named) == ["b"]
    named.update([("c", a)])
    named.clear()
    assert not len(named)
    with pytest.raises(KeyError, match="'b': this ModuleDict has no modules"):
        del named["b"]
    with pytest.raises(KeyError, match="attribute 'keys' already exists in ModuleDict"):
        named["keys"] = a
