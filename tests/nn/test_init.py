"""Initial values: bounds, moments, structure; the generator; and that nothing read before is changed."""

import math

import numpy as np
import pytest

import autograd
import nn
from autograd import GradientError, ShapeError, Tensor
from nn import init


def blank(*shape, dtype=np.float32):
    return Tensor(np.zeros(shape, dtype), requires_grad=True)


@pytest.mark.parametrize(("fill", "bound"), [
    (lambda t, g: init.uniform_(t, -0.5, 0.5, generator=g), 0.5),
    (lambda t, g: init.xavier_uniform_(t, gain=2.0, generator=g), 2 * math.sqrt(6 / 500)),
    (lambda t, g: init.kaiming_uniform_(t, generator=g), math.sqrt(6 / 300)),
    (lambda t, g: init.kaiming_uniform_(t, a=math.sqrt(5), mode="fan_out", generator=g), math.sqrt(1 / 200)),
    (lambda t, g: init.kaiming_uniform_(t, nonlinearity="tanh", generator=g), 5 / 3 * math.sqrt(3 / 300)),
])
def test_uniform(fill, bound):
    t = blank(200, 300)
    assert fill(t, 0) is t and t.requires_grad and t.dtype == np.float32
    v = t.value
    assert np.abs(v).max() <= bound and np.abs(v).max() > 0.999 * bound
    assert abs(v.mean()) < 0.02 * bound and v.std() == pytest.approx(bound / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize(("fill", "mean", "std"), [
    (lambda t, g: init.normal_(t, 3.0, 2.0, generator=g), 3, 2),
    (lambda t, g: init.xavier_normal_(t, generator=g), 0, math.sqrt(2 / 500)),
    (lambda t, g: init.kaiming_normal_(t, generator=g), 0, math.sqrt(2 / 300)),
    (lambda t, g: init.kaiming_normal_(t, mode="fan_out", nonlinearity="linear", generator=g), 0, math.sqrt(1 / 200)),
])
def test_normal(fill, mean, std):
    v = fill(blank(200, 300), 0).value
    assert v.mean() == pytest.approx(mean, abs=0.02 * std) and v.std() == pytest.approx(std, rel=0.02)


def test_fans_count_the_kernel():
    v = init.kaiming_uniform_(blank(8, 4, 5, 5), generator=0).value
    assert np.abs(v).max() == pytest.approx(math.sqrt(6 / 100), rel=0.01)


@pytest.mark.parametrize(("mean", "std", "a", "b"), [(0, 1, -2, 2), (0, 0.02, -2, 2), (1, 2, 0, 0.5), (0, 1, 3, 9),
                                                     (0, 1, -40, -39), (0, 1, -1e9, 1e9)])
def test_truncated_normal(mean, std, a, b):
    v = init.trunc_normal_(blank(100, 100, dtype=np.float64), mean, std, a, b, generator=0).value
    assert v.min() >= a and v.max() <= b
    at = np.linspace(max(a, mean - 50 * std), min(b, mean + 50 * std), 400001)
    exponent = -0.5 * ((at - mean) / std) ** 2
    weight = np.exp(exponent - exponent.max())
    expected = (at * weight).sum() / weight.sum()       # the mean, by quadrature
    assert v.mean() == pytest.approx(expected, abs=5 * v.std() / 100)


def test_constants():
    assert (init.constant_(blank(2, 3), 7).value == 7).all()
    assert (init.ones_(blank(2)).value == 1).all() and (init.zeros_(init.ones_(blank(2))).value == 0).all()
    assert (init.eye_(blank(2, 3)).value == np.eye(2, 3)).all()
    assert init.ones_(Tensor(0.0)).item() == 1
    kernel = init.dirac_(blank(4, 2, 3), groups=2).value
    assert kernel.sum() == 4 and all(kernel[g * 2 + i, i, 1] == 1 for g in range(2) for i in range(2))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 2)])
def test_orthogonal(shape):
    v = init.orthogonal_(blank(*shape, dtype=np.float64), gain=3, generator=0).value.reshape(shape[0], -1)
    gram = v @ v.T if v.shape[0] <= v.shape[1] else v.T @ v
    assert np.allclose(gram, 9 * np.eye(len(gram)))


def test_sparse():
    v = init.sparse_(blank(10, 40), 0.25, std=2.0, generator=0).value
    assert ((v == 0).sum(axis=0) == 3).all() and v[v != 0].std() == pytest.approx(2, rel=0.15)


def test_gains():
    assert init.calculate_gain("linear") == init.calculate_gain("conv2d") == init.calculate_gain("sigmoid") == 1
    assert init.calculate_gain("tanh") == 5 / 3 and init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001) and init.calculate_gain("leaky_relu", 1) == 1
    with pytest.raises(ValueError, match=r"calculate_gain: unsupported nonlinearity 'rellu'; known: conv1d, .*, relu"):
        init.calculate_gain("rellu")


def test_the_generator():
    autograd.manual_seed(3)
    first = init.normal_(blank(4)).value
    second = init.normal_(blank(4)).value
    autograd.manual_seed(3)
    assert (init.normal_(blank(4)).value == first).all() and (first != second).all()
    g = np.random.default_rng(5)
    assert (init.normal_(blank(4), generator=g).value == init.normal_(blank(4), generator=5).value).all()
    autograd.manual_seed(3)
    a = nn.Linear(3, 2)
    autograd.manual_seed(3)
    assert (nn.Linear(3, 2).weight.value == a.weight.value).all()


def test_what_a_graph_has_saved_stays():
    w = blank(3)
    kept = w.value
    y = (w * w).sum()
    init.ones_(w)
    assert (kept == 0).all()
    y.backward()
    assert (w.grad.numpy() == 0).all()


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda: init.xavier_uniform_(blank(3)), ShapeError,
     "Fan in and fan out can not be computed for a tensor with fewer than 2 axes (out, in, ...); got shape (3,): use "
     "uniform_, normal_ or zeros_"),
    (lambda: init.ones_(np.ones(2)), TypeError, "init: expected a Tensor to fill; got ndarray"),
    (lambda: init.ones_(blank(2) * 2), GradientError,
     "init: expected a leaf to fill, such as a parameter; got a tensor computed by <op multiply>, whose history would "
     "be wrong"),
    (lambda: init.kaiming_normal_(blank(2, 2), mode="in"), ValueError,
     "kaiming: mode must be 'fan_in' or 'fan_out'; got 'in'"),
    (lambda: init.trunc_normal_(blank(2), a=2, b=1), ValueError,
     "trunc_normal_: expected a < b and std > 0; got a=2, b=1, std=1.0"),
    (lambda: init.eye_(blank(2)), ShapeError, "eye_: expected a tensor of 2 axes; got shape (2,)"),
    (lambda: init.dirac_(blank(2, 2)), ShapeError, "dirac_: expected a tensor of 3 to 5 axes; got shape (2, 2)"),
    (lambda: init.normal_(blank(2), std=-1), ValueError,
     "normal_: the standard deviation must not be negative; got -1"),
    (lambda: init.uniform_(blank(2), 1, 0), ValueError, "uniform_: expected a <= b; got a=1, b=0"),
])
def test_what_is_refused(act, error, text):
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == text


def test_names_of_old():
    with pytest.warns(FutureWarning, match=r"nn\.init\.xavier_uniform is deprecated: use nn\.init\.xavier_uniform_"):
        assert init.xavier_uniform is init.xavier_uniform_
    with pytest.raises(AttributeError, match="no attribute 'ones'"):
        _ = init.ones
    assert init._calculate_fan_in_and_fan_out(Tensor(np.zeros((2, 3, 5)))) == (15, 10)


def test_every_name_of_pytorch():
    torch = pytest.importorskip("torch")
    import inspect
    for name, theirs in vars(torch.nn.init).items():
        if name == "calculate_gain" or (name.endswith("_") and not name.startswith("_")):
            ours = getattr(init, name)
            assert [(p.name, p.default) for p in inspect.signature(ours).parameters.values()] == \
                [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()], name
