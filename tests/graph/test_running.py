"""A graph run again: with other inputs and parameters, at other batch sizes; and where it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ShapeError, Tensor
from autograd.graph import trace
from autograd.graph.sizes import reshaped

RNG = np.random.default_rng(1)


def data(*shape):
    return RNG.standard_normal(shape).astype("float32")


class Images(nn.Module):
    """A small convolutional classifier, written as one would."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(data(4, 1, 3, 3))
        self.bias = nn.Parameter(data(4))
        self.norm = nn.LayerNorm(16)
        self.first, self.second = nn.Linear(4 * 9, 16), nn.Linear(16, 10)

    def forward(self, x):
        h = ag.max_pool2d(ag.conv2d(x, self.weight, self.bias).relu(), 2)
        h = self.norm(self.first(h.reshape(x.shape[0], -1)))
        return self.second(h.relu())


def classify(net):
    return lambda x, y: nn.functional.cross_entropy(net(x), y)


def test_it_equals_the_function_also_at_other_batch_sizes():
    net = Images()
    f = classify(net)
    g = trace(f)(data(32, 1, 8, 8), np.arange(32) % 10)
    for n in (32, 1, 5, 77):
        x, y = data(n, 1, 8, 8), RNG.integers(0, 10, n)
        assert g(x, y) == f(Tensor(x), Tensor(y)).item() and g(x, y=y).dtype == np.float32
    assert isinstance(g(Tensor(x), y), Tensor), "Tensors in, Tensors out"


def test_parameters_are_those_of_the_trace_or_are_given_by_name():
    net = nn.Linear(3, 2)
    x, before = data(4, 3), {k: v.value for k, v in net.named_parameters()}
    g = trace(net)(x)
    was = g(x)
    net.weight.value = net.weight.value * 2
    assert np.array_equal(g(x), was), "a graph does not change"
    assert np.array_equal(g(x, **{k: v.value for k, v in net.named_parameters()}), net(Tensor(x)).value)
    out = g(x, **dict(net.named_parameters()))
    out.sum().backward()
    assert np.array_equal(net.bias.grad.value, [4.0, 4.0]), "gradients flow to Tensors that are given"
    assert np.array_equal(g(x, **before), was) and np.array_equal(g(x, **{"%1": net.weight.value}), g(
        x, weight=net.weight.value))
    with pytest.raises(ShapeError, match=r"an array of the shape of float32\[2, 3\]"):
        g(x, weight=np.ones((3, 2), "float32"))


SIZES = [
    ("flatten", lambda x: x.reshape(len(x), -1)),
    ("flatten by number", lambda x: x.reshape(len(x), 12)),
    ("split and join", lambda x: x.reshape(len(x) * 3, 4).tanh().reshape(len(x), 3, 4)),
    ("merge", lambda x: x.reshape(len(x) * 3, 4)),
    ("unsqueeze", lambda x: x.unsqueeze(1).squeeze(1) + x[:, None, 0]),
    ("heads", lambda x: x.reshape(len(x), 3, 2, 2).permute(0, 2, 1, 3).reshape(len(x) * 2, 3, 2)),
    ("transpose", lambda x: x.transpose(0, 1).reshape(3, -1)),
    ("expand", lambda x: ag.cat([ag.ones((1, 1, 4)).expand(len(x), 1, 4), x], dim=1)),
    ("expand and add", lambda x: ag.expand(ag.ones((3, 4)), (len(x), 3, 4)) + x),
    ("softmax", lambda x: x.softmax(dim=0)),
    ("statistics", lambda x: (x - x.mean(dim=0)) / x.std(dim=0)),
    ("first and last", lambda x: x[0] + x[-1] + x[1:].sum(dim=0) + x[:-1].mean(dim=0)),
    ("reversed", lambda x: x[::-1]),
    ("transposed convolution", lambda x: ag.conv_transpose1d(x, ag.ones((3, 2, 2)), stride=2)),
]


@pytest.mark.parametrize("f", [f for _, f in SIZES], ids=[name for name, _ in SIZES])
def test_what_follows_the_batch(f):
    g = trace(f)(data(7, 3, 4))
    for n in (7, 2, 5, 21):
        x = data(n, 3, 4)
        want = f(Tensor(x)).value
        got = g(x)
        assert got.shape == want.shape and np.array_equal(got, want)


REFUSED = [
    ("a count", lambda x: x.sum() / len(x), "may count elements"),
    ("a count of all", lambda x: x.sum() * (1 / x.numel()), "may count elements"),
    ("a count less one", lambda x: (x * x).sum() / (len(x) - 1), "may count elements"),
    ("an array", lambda x: x * np.linspace(0, 1, len(x), dtype="float32")[:, None, None], "made for size 7"),
    ("rows one by one", lambda x: sum(row * row for row in x), "picks positions"),
    ("halves", lambda x: x[:3] - x[4:], "picks positions"),
    ("positions", lambda x: x[[2, 0, 1]], "picks positions"),
    ("expand", lambda x: ag.expand(ag.ones((1, 4)), (len(x), 4)).sum() + x.sum(), "may happen to equal it"),
]


@pytest.mark.parametrize("f, words", [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_not_certain_is_refused(f, words):
    x = data(7, 3, 4)
    g = trace(f)(x)
    assert np.array_equal(g(x), f(Tensor(x)).value)
    with pytest.raises(ShapeError, match=words) as refused:
        g(data(5, 3, 4))
    assert "x float32[7, 3, 4]" in str(refused.value) and "got (5, 3, 4)" in str(refused.value)
    assert "test_running.py:" in str(refused.value) or "constant" in str(refused.value)


def test_two_axes_of_one_size_that_become_two():
    g = trace(lambda x: x.reshape(-1))(data(6, 6))
    assert g(data(4, 6)).shape == (24,) and g(data(4, 4)).shape == (16,)
    with pytest.raises(ShapeError, match="became both"):
        g(data(4, 3))


def test_a_batch_of_one_does_not_broadcast_against_the_old_batch():
    noise = Tensor(data(7, 3))
    g = trace(lambda x: x + noise)(data(7, 3))
    with pytest.raises(ShapeError):
        g(data(1, 3))


@pytest.mark.parametrize("old, new, target, expected", [
    ((6, 5), (2, 5), (30,), (10,)),
    ((6, 5), (2, 5), (6, 1, 5), (2, 1, 5)),
    ((6, 5), (2, 5), (2, 3, 5), None),                   # which of 2 and 3?
    ((30, 4), (10, 4), (6, 5, 4), None),                 # 30 became 10: 6 or 5
    ((6, 5, 4), (3, 5, 4), (30, 4), (15, 4)),
    ((6, 20), (3, 20), (30, 4), (15, 4)),
    ((6, 6), (2, 6), (6, 6), (2, 6)),
    ((6, 6), (2, 6), (36,), (12,)),
    ((36,), (24,), (6, 6), None),
    ((1, 5), (3, 5), (1, 5), (3, 5)),
    ((1, 5), (3, 5), (5,), None),
    ((1, 5), (3, 5), (1, 1, 5), None),
    ((5, 6), (5, 2), (5, 3, 2), None),
    ((2, 0), (3, 0), (0,), None),
    ((6, 4), (0, 4), (24,), (0,)),
])
def test_reshape_matches_axes_by_the_elements_they_keep_together(old, new, target, expected):
    assert reshaped(old, new, target) == expected


def test_arguments_are_checked():
    g = trace(lambda x, y: x + y)(data(4, 3), data(3))
    x, y = data(4, 3), data(3)
    for call, kind, words in [
        (lambda: g(x), TypeError, "no %1 y"), (lambda: g(x, y, y), TypeError, "got 3 positional"),
        (lambda: g(x, z=y), TypeError, r"names of its inputs and parameters \(x, y\); got 'z'"),
        (lambda: g(x[0], y), ShapeError, r"as many axes as float32\[4, 3\]"),
        (lambda: g(x.astype("int64"), y), TypeError, r"astype\('float32'\)"),
        (lambda: g("x", y), TypeError, "an array, a Tensor or a number for x"),
    ]:
        with pytest.raises(kind, match=words):
            call()
    assert g(x=x, y=y).shape == (4, 3) and g(x, y=y).shape == (4, 3) and g().shape == (4, 3)
    assert g(x.astype("float64"), y).dtype == np.float64


def test_a_value_that_nobody_knows_is_asked_for():
    w = Tensor(data(3), requires_grad=True, name="w")
    g = (w + Tensor(data(3), name="b")).graph()
    with pytest.raises(TypeError, match=r"expected a value for %0 w float32\[3\].*record"):
        g()
    assert np.array_equal(g(np.ones(3, "float32"), np.ones(3, "float32")), [2, 2, 2])


def test_an_error_names_the_line():
    g = trace(lambda x, y: (x * 2) @ y)(data(4, 3), data(3, 2))
    with pytest.raises(ShapeError) as error:
        g(data(4, 3), data(5, 2))
    assert any("%4: float32[4, 2] = matmul(%3, %1 y)" in note for note in error.value.__notes__)


def test_an_op_that_is_not_declared_here():
    g = trace(lambda x: x.exp())(data(3))
    stranger = g._replace(nodes=(g.nodes[0], g.nodes[1]._replace(op="warp_drive")))
    with pytest.raises(LookupError, match="warp_drive"):
        stranger(data(3))


def test_scalars_and_python_numbers():
    g = trace(lambda x: x * 2 + 1.5)(3.0)
    assert g(4.0) == 9.5 and g(4).dtype == np.float32 and g(np.float64(0.1)).dtype == np.float64
    assert isinstance(g(Tensor(1.0)), Tensor)
