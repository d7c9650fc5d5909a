"""How functions may be called: PyTorch's order, NumPy's names, axes in every spelling, functions and methods alike."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Parameter, Tensor

X = np.arange(1.0, 25.0).reshape(2, 3, 4) / 5
REDUCTIONS = {"sum": np.sum, "mean": np.mean, "prod": np.prod, "amax": np.max, "amin": np.min, "std": lambda a,
              **k: np.std(a, ddof=1, **k),
              "var": lambda a, **k: np.var(a, ddof=1, **k), "any": np.any, "all": np.all, "norm": lambda a,
              **k: np.sqrt(np.sum(a * a, **k)),
              "logsumexp": lambda a, **k: np.log(np.sum(np.exp(a), **k))}


def leaf(data=X):
    return Tensor(np.array(data), requires_grad=True)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("dim, axis", [(0, 0), (-1, 2), (1, 1), ((0, 2), (0, 2)), ([0, -1], (0, 2)), ((-2,), (1,)),
                                       ([0, 1, 2], None),
                                       (None, None), (np.int64(1), 1), (Tensor(1), 1),
                                       ((np.int32(0), 1), (0, 1))],
                         ids=str)
def test_axes_in_every_spelling(name, dim, axis):
    for keepdim in (False, True):
        expected = REDUCTIONS[name](X, axis=axis, keepdims=keepdim)
        x = leaf()
        for y in (getattr(ag, name)(x, dim=dim, keepdim=keepdim), getattr(x, name)(dim=dim, keepdim=keepdim),
                  getattr(x, name)(axis=dim, keepdims=keepdim)):
            assert y.shape == np.shape(expected) and np.allclose(y.value, expected)
        if y.requires_grad:
            y.sum().backward()
            g = x.grad.value
            v = np.random.default_rng(0).standard_normal(X.shape)
            up, down = (np.sum(REDUCTIONS[name](X + h * v, axis=axis)) for h in (1e-6, -1e-6))
            assert g.shape == X.shape and np.isclose((g * v).sum(), (up - down) / 2e-6, rtol=1e-5, atol=1e-7)
        array = getattr(ag, name)(X, dim=dim, keepdim=keepdim)
        assert not isinstance(array, Tensor) and np.allclose(array, expected)


def test_a_bool_is_no_axis():
    for name in ("sum", "mean", "amax", "prod", "logsumexp", "softmax", "cumsum"):
        with pytest.raises(TypeError):
            getattr(leaf(), name)(True)
    for name in ("var", "std"):                 # PyTorch's old meaning, unbiased or not, or none
        for unbiased in (True, False):
            try:
                y = getattr(leaf(), name)(unbiased)
            except TypeError:
                continue
            assert np.allclose(y.value, getattr(X, name)(ddof=int(unbiased)))


@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "norm", "var", "std"])
def test_no_axes_means_all_axes(name):
    for dim in ((), []):
        assert np.allclose(getattr(ag, name)(X, dim=dim), getattr(ag, name)(X))
        assert getattr(leaf(), name)(dim=dim, keepdim=True).shape == (1, 1, 1)


@pytest.mark.parametrize("f, g", [
    (lambda x: x.sum(0), lambda x: ag.sum(x, 0, False)), (lambda x: x.sum(1, True),
                                                          lambda x: ag.sum(x, dim=1, keepdim=True)),
    (lambda x: x.mean((0, 1)), lambda x: ag.mean(x, (0, 1))),
    (lambda x: x.var(1, 0), lambda x: ag.var(x, 1, correction=0)),
    (lambda x: x.softmax(-1), lambda x: ag.softmax(x, dim=2)), (lambda x: x.cumsum(1), lambda x: ag.cumsum(x, axis=1)),
    (lambda x: x.transpose(0, 1), lambda x: ag.swapaxes(x, 0, 1)),
    (lambda x: x.transpose(0, 1), lambda x: ag.transpose(x, dim0=1, dim1=0)),
    (lambda x: x.permute(2, 0, 1), lambda x: ag.permute(x, (2, 0, 1))),
    (lambda x: x.permute((2, 0, 1)), lambda x: ag.permute(x, dims=[2, 0, 1])),
    (lambda x: x.reshape(6, 4), lambda x: ag.reshape(x, (6, 4))),
    (lambda x: x.reshape((6, -1)), lambda x: x.view(6, 4)),
    (lambda x: x.reshape(-1), lambda x: ag.flatten(x)), (lambda x: x.reshape(Tensor(6), np.int64(4)),
                                                         lambda x: x.view_as(np.ones((6, 4)))),
    (lambda x: x.expand(5, -1, -1, -1), lambda x: ag.expand(x, (5, 2, 3, 4))),
    (lambda x: x.flip(0, 1), lambda x: ag.flip(x, (0, 1))),
    (lambda x: x.flip((0, 1)), lambda x: ag.flip(x, dims=[0, 1])),
    (lambda x: x.unsqueeze(1), lambda x: ag.expand_dims(x, 1)),
    (lambda x: x.squeeze(), lambda x: ag.squeeze(x, (0, 1))),
    (lambda x: x.movedim(0, -1), lambda x: ag.moveaxis(x, [0], [-1])),
    (lambda x: x.clamp(1, 2), lambda x: ag.clip(x, min=1, max=2)),
    (lambda x: x.max(1)[0], lambda x: ag.max(x, dim=1).values),
    (lambda x: x.min(1, True)[0], lambda x: ag.min(x, dim=1, keepdim=True).values),
    (lambda x: x.topk(2)[0], lambda x: ag.topk(x, 2, -1).values),
    (lambda x: x.sort(1, True)[0], lambda x: ag.sort(x, dim=1, descending=True).values),
    (lambda x: x.pow(2), lambda x: x ** 2),
    (lambda x: x.add(1).sub(2).mul(3).div(4), lambda x: ((x + 1) - 2) * 3 / 4),
    (lambda x: x.norm(), lambda x: ag.norm(x, 2)),
    (lambda x: x.norm(1, 2), lambda x: ag.norm(x, p=1, dim=2)),
    (lambda x: x.norm(float("inf")), lambda x: x.abs().amax()),
    (lambda x: x.tile(2), lambda x: ag.tile(x, (1, 1, 2))), (lambda x: x.repeat(1, 2, 1), lambda x: ag.cat([x, x], 1)),
    (lambda x: x.split(2, 1)[1], lambda x: ag.split(x, split_size=2, dim=1)[1]),
    (lambda x: x.roll(1, 0), lambda x: ag.roll(x, shifts=1, dims=0)),
    (lambda x: x.diagonal(), lambda x: ag.diagonal(x, offset=0, dim1=0, dim2=1)),
    (lambda x: x.T, lambda x: x.permute(2, 1, 0)),
    (lambda x: x.logsumexp(0), lambda x: ag.logsumexp(x, 0)),
    (lambda x: x.round(decimals=1), lambda x: ag.round(x, decimals=1)),
    (lambda x: x.masked_fill(x > 1, 0.0), lambda x: ag.where(x > 1, 0.0, x)),
    (lambda x: x.where(x > 1, 0.0), lambda x: ag.where(x > 1, x, 0.0)),
    (lambda x: x.gather(0, Tensor(np.zeros((1, 3, 4), int))),
     lambda x: ag.gather(x, dim=0, index=np.zeros((1, 3, 4), int))),
    (lambda x: x.maximum(2 - x), lambda x: ag.max(x, 2 - x)), (lambda x: x.argmax(1), lambda x: ag.argmax(x, dim=1)),
])
def test_two_ways_to_say_the_same(f, g):
    one, other = f(leaf()), g(leaf())
    assert type(one) is type(other) is Tensor and one.dtype == other.dtype and np.allclose(one.value, other.value)
    assert one.requires_grad == other.requires_grad


@pytest.mark.parametrize("f", [
    lambda x, **k: ag.softmax(x, **k), lambda x, **k: ag.cumsum(x, **k), lambda x, **k: ag.max(x, **k)[0],
    lambda x, **k: ag.min(x, **k)[1], lambda x, **k: ag.sort(x, **k)[0], lambda x, **k: ag.argmax(x, **k),
    lambda x, **k: ag.argsort(x, **k), lambda x, **k: ag.unsqueeze(x, **k), lambda x, **k: ag.squeeze(x[:, :1], **k),
    lambda x, **k: ag.stack([x, x], **k), lambda x, **k: ag.cat([x, x], **k), lambda x, **k: ag.topk(x, 2, **k)[0],
    lambda x, **k: ag.split(x, 2, **k)[1], lambda x, **k: ag.unbind(x, **k)[1], lambda x, **k: ag.norm(x, **k),
    lambda x, **k: ag.take_along_dim(x, np.zeros((2, 3, 4), int), **k), lambda x, **k: ag.count_nonzero(x, **k),
])
def test_axis_is_another_name_of_dim(f):
    assert np.array_equal(f(leaf(), axis=1).value, f(leaf(), dim=1).value)
    assert np.array_equal(f(X, axis=1), f(X, dim=1))


def test_numpys_names():
    for ours, theirs in (("abs", "absolute"), ("acos", "arccos"), ("atan2", "arctan2"), ("clamp", "clip"),
                         ("divide", "true_divide"),
                         ("negative", "neg"), ("subtract", "sub"), ("multiply", "mul"), ("power", "pow"),
                         ("flatten", "ravel"),
                         ("eq", None), ("gt", "greater"), ("le", "less_equal"), ("ne", "not_equal"), ("trunc", "fix")):
        assert theirs is None or getattr(ag, theirs) is getattr(ag, ours)


def test_arrays_alone_give_arrays_and_a_tensor_anywhere_a_tensor():
    a = X[0]
    for f in (ag.exp, ag.sum, lambda v: ag.softmax(v, 0), lambda v: ag.matmul(v, v.T), lambda v: ag.cat([v, v]),
              lambda v: ag.stack([v, v]),
              lambda v: ag.where(v > 1, v, 0.0), lambda v: ag.max(v, 0).values, lambda v: ag.sort(v).indices,
              lambda v: ag.split(v, 2)[0],
              lambda v: ag.masked_fill(v, v > 1, 0.0), lambda v: ag.einsum("ij->j", v),
              lambda v: ag.one_hot(ag.argmax(v, dim=0)),
              lambda v: ag.pad(v, (1, 1)), lambda v: ag.lerp(v, v, 0.5), lambda v: ag.isclose(v, v),
              lambda v: ag.norm(v),
              lambda v: ag.gelu(v), lambda v: ag.tile(v, (2, 1)), lambda v: ag.flatten(v), lambda v: ag.clamp(v, 0, 1)):
        plain, tensor = f(a), f(Tensor(a))
        assert not isinstance(plain, Tensor) and isinstance(plain, (np.ndarray, np.generic)) and isinstance(tensor,
            Tensor)
        assert np.array_equal(plain, tensor.value) and np.asarray(plain).dtype == tensor.dtype
    assert isinstance(ag.add(a, Tensor(1.0)), Tensor) and isinstance(ag.cat([a, Tensor(a)]), Tensor)
    assert isinstance(ag.where(Tensor(True), a, a), Tensor) and isinstance(ag.where(a > 1, a, Tensor(a)), Tensor)


def test_lists_and_numbers_count_as_arrays():
    assert np.allclose(ag.exp(1.0), np.e) and np.allclose(ag.sum([1.0, 2.0]), 3) and np.allclose(ag.mean([1.0, 3.0]), 2)
    assert np.allclose(ag.add([1, 2], [3, 4]), [4, 6]) and np.allclose(ag.matmul([[1.0, 2.0]], [[3.0], [4.0]]), [[11]])
    assert np.allclose(ag.softmax([0.0, 0.0], 0), [0.5, 0.5]) and np.allclose(ag.erf(0.5), 0.5204998778130465)
    assert np.allclose(ag.maximum(2.0, [1.0, 3.0]), [2, 3]) and np.allclose(ag.reshape([1.0, 2.0], (2, 1)), [[1], [2]])


def test_parameters_behave_as_tensors():
    p = Parameter(X)
    y = (p * 2).sum() + p.exp().mean() + ag.stack([p, p]).sum() + (p @ p.mT).sum() + ag.where(p > 1, p, 0.0).sum()
    assert type(p * 2) is Tensor and type(y) is Tensor and p.requires_grad and p.is_leaf
    y.backward()
    x = leaf()
    ((x * 2).sum() + x.exp().mean() + ag.stack([x, x]).sum() + (x @ x.mT).sum() + ag.where(x > 1, x,
        0.0).sum()).backward()
    assert np.allclose(p.grad.value, x.grad.value) and type(p.grad) is Tensor
    assert Parameter(np.ones(2), requires_grad=False).requires_grad is False and Parameter([1.0], name="w").name == "w"
    with pytest.raises(ag.GradientError):
        Parameter([1, 2])


def test_grad_of_a_tensor_says_what_to_use():
    x = leaf()
    with pytest.raises(TypeError, match="gradients"):
        ag.grad(x.sum(), x)
