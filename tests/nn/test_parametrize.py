"""Parametrizations: computed at each use, assigned to, removed, cached, copied; norms, orthogonal matrices; fusion."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Parameter, ShapeError, Tensor, gradcheck, no_grad, triu
from nn.utils import parametrizations, parametrize

X = np.random.default_rng(0).standard_normal((5, 3))


class Symmetric(nn.Module):
    def forward(self, x):
        return triu(x) + triu(x, 1).T

    def right_inverse(self, a):
        return triu(a)


class Scaled(nn.Module):
    """No right_inverse; counts its calls."""

    calls = 0

    def forward(self, x):
        Scaled.calls += 1
        return x * 2


class Halves(nn.Module):
    def forward(self, a, b):
        return a + b

    def right_inverse(self, x):
        return x * 0.25, x * 0.75


def square():
    autograd.manual_seed(0)
    return nn.Linear(3, 3).double()


def test_a_parameter_that_is_computed():
    layer = square()
    before, original = layer.weight.numpy(force=True).copy(), layer.weight
    assert parametrize.register_parametrization(layer, "weight", Symmetric()) is layer
    w = layer.weight.detach().numpy()
    assert np.array_equal(w, w.T) and np.array_equal(np.triu(w), np.triu(before))
    assert layer.parametrizations.weight.original is original       # optimizers that have it go on
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    assert parametrize.is_parametrized(layer) and parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias") and not parametrize.is_parametrized(square())
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(Tensor(X)).square().sum().backward()
    optimizer.step()
    after = layer.weight.detach().numpy()
    assert np.array_equal(after, after.T) and not np.allclose(after, w)
    aim = np.arange(9.).reshape(3, 3)
    layer.weight = Tensor(aim + aim.T)                              # through right_inverse
    assert np.array_equal(layer.weight.detach().numpy(), aim + aim.T)


def test_assigning_needs_an_inverse():
    layer = parametrize.register_parametrization(square(), "weight", Scaled())
    with pytest.raises(RuntimeError, match="Scaled does not implement right_inverse"):
        layer.weight = Tensor(np.eye(3))


def test_removing():
    for leave in (True, False):
        layer = square()
        before = layer.weight.numpy(force=True).copy()
        parametrize.register_parametrization(layer, "weight", Scaled())
        original = layer.parametrizations.weight.original
        assert parametrize.remove_parametrizations(layer, "weight", leave_parametrized=leave) is layer
        assert type(layer) is nn.Linear and layer.weight is original and not hasattr(layer, "parametrizations")
        assert np.array_equal(layer.weight.detach().numpy(), before * (2 if leave else 1))
    with pytest.raises(ValueError, match="does not have a parametrization on weight"):
        parametrize.remove_parametrizations(layer, "weight")
    layer = parametrize.register_parametrization(square(), "weight", Halves())
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    parametrize.remove_parametrizations(layer, "weight")
    assert isinstance(layer.weight, Parameter) and layer.weight.requires_grad


def test_one_behind_the_other_and_several_originals():
    layer = parametrize.register_parametrization(square(), "weight", Halves())
    w = layer.weight.detach().numpy()
    assert np.allclose(layer.parametrizations.weight.original0.detach().numpy(), w / 4)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert len(layer.parametrizations.weight) == 2
    assert np.array_equal(np.triu(layer.weight.detach().numpy()), np.triu(w))
    parametrize.register_parametrization(layer, "bias", Scaled())
    assert sorted(layer.parametrizations) == ["bias", "weight"]
    assert gradcheck(lambda a, b: layer.parametrizations.weight[1](layer.parametrizations.weight[0](a, b)), (w, w + 1))
    other = parametrize.transfer_parametrizations_and_params(layer, square())
    assert np.array_equal(other.weight.detach().numpy(), layer.weight.detach().numpy())
    parametrize.remove_parametrizations(layer, "weight")
    assert parametrize.is_parametrized(layer, "bias") and type(layer).__name__ == "ParametrizedLinear"


def test_cached():
    layer = parametrize.register_parametrization(square(), "weight", Scaled())
    Scaled.calls = 0
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert Scaled.calls == 1
    assert layer.weight is not layer.weight and Scaled.calls == 3


def test_copies():
    layer = parametrizations.weight_norm(square())
    twin, again = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    for other in (twin, again):
        assert np.array_equal(other.weight.detach().numpy(), layer.weight.detach().numpy())
        parametrize.remove_parametrizations(other, "weight")
        assert type(other) is nn.Linear and parametrize.is_parametrized(layer)
    other = parametrizations.weight_norm(nn.Linear(3, 3).double())
    assert str(other.load_state_dict(layer.state_dict())) == "<All keys matched successfully>"
    assert np.array_equal(other.weight.detach().numpy(), layer.weight.detach().numpy())


def test_refusals():
    layer = square()
    keys = list(layer.state_dict())
    with pytest.raises(ValueError, match="does not have a parameter, a buffer, or a parametrized tensor with name 'w'"):
        parametrize.register_parametrization(layer, "w", Scaled())

    class Shorter(nn.Module):
        def forward(self, x):
            return x[:2]
    with pytest.raises(ValueError, match=r"must keep the shape, unless unsafe=True: \(3, 3\) became \(2, 3\)"):
        parametrize.register_parametrization(layer, "weight", Shorter())
    with pytest.raises(TypeError, match="expected modules; got function"):
        parametrize.register_parametrization(layer, "weight", lambda x: x)
    assert list(layer.state_dict()) == keys and type(layer) is nn.Linear
    parametrize.register_parametrization(layer, "weight", Shorter(), unsafe=True)
    assert layer.weight.shape == (2, 3)


def test_buffers_too():
    norm = nn.BatchNorm1d(3)
    parametrize.register_parametrization(norm, "running_var", Scaled())
    assert norm.running_var.tolist() == [2, 2, 2]
    assert "parametrizations.running_var.original" in norm.state_dict()
    parametrize.remove_parametrizations(norm, "running_var")
    assert dict(norm.named_buffers())["running_var"].tolist() == [2, 2, 2]


@pytest.mark.parametrize("dim", [0, 1, None, -1])
def test_weight_norm(dim):
    layer = square()
    w = layer.weight.numpy(force=True).copy()
    parametrizations.weight_norm(layer, dim=dim)
    assert np.allclose(layer.weight.detach().numpy(), w)
    g = layer.parametrizations.weight.original0
    g.data = g.detach() * 2
    assert np.allclose(layer.weight.detach().numpy(), 2 * w)
    assert gradcheck(lambda g, v: layer.parametrizations.weight[0](g, v), (g, w))


def test_spectral_norm():
    autograd.manual_seed(0)
    layer = parametrizations.spectral_norm(nn.Linear(6, 4).double())
    for _ in range(50):
        layer(Tensor(np.ones((1, 6))))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-6)
    layer.eval()
    u = layer.parametrizations.weight[0]._u.numpy().copy()
    first, second = layer(Tensor(np.ones((1, 6)))), layer(Tensor(np.ones((1, 6))))       # as in a GAN
    assert np.array_equal(layer.parametrizations.weight[0]._u.numpy(), u)
    (first.sum() - second.sum() * 2).backward()
    vector = parametrizations.spectral_norm(nn.Linear(6, 4), "bias")
    assert np.linalg.norm(vector.bias.detach().numpy()) == pytest.approx(1, abs=1e-6)
    with pytest.raises(IndexError, match="Dimension out of range"):
        parametrizations.spectral_norm(nn.Linear(6, 4), dim=2)
    with pytest.raises(ValueError, match="n_power_iterations to be positive"):
        parametrizations.spectral_norm(nn.Linear(6, 4), n_power_iterations=0)


@pytest.mark.parametrize("trivial", [True, False])
@pytest.mark.parametrize("map_", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
def test_orthogonal(shape, map_, trivial):
    autograd.manual_seed(0)
    layer = nn.Linear(*shape).double()
    parametrizations.orthogonal(layer, orthogonal_map=map_, use_trivialization=trivial)

    def off():
        w = layer.weight.detach().numpy()
        w = w.T if w.shape[0] < w.shape[1] else w
        return np.abs(w.T @ w - np.eye(w.shape[1])).max()
    assert off() < 1e-12
    before = layer.weight.detach().numpy().copy()
    layer(Tensor(np.ones((2, shape[0])))).square().sum().backward()
    optim.SGD(layer.parameters(), lr=0.1).step()
    assert off() < 1e-12 and not np.allclose(layer.weight.detach().numpy(), before)
    if trivial or map_ == "householder":
        aim = np.linalg.qr(np.random.default_rng(1).standard_normal((max(shape), min(shape))))[0]
        aim = aim.T if shape[0] > shape[1] else aim
        layer.weight = Tensor(aim.copy())
        w = layer.weight.detach().numpy()
        assert np.allclose(w, aim) or (not trivial and np.allclose(abs(w), abs(aim)))
    else:
        with pytest.raises(NotImplementedError, match="It is not possible to assign"):
            layer.weight = Tensor(before)


def test_old_names():
    with pytest.warns(FutureWarning, match="deprecated in favor of"):
        layer = nn.utils.weight_norm(square())
    assert list(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    w = layer.weight.detach().numpy()
    layer(Tensor(X)).sum().backward()
    assert layer.weight_g.grad is not None and layer.weight_v.grad is not None
    nn.utils.remove_weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight"] and np.allclose(layer.weight.detach().numpy(), w)
    with pytest.raises(ValueError, match="weight_norm of 'weight' not found"):
        nn.utils.remove_weight_norm(layer)
    layer = nn.utils.spectral_norm(square())
    assert list(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    with pytest.raises(ValueError, match="has no parameter 'weight'"):
        nn.utils.spectral_norm(layer)
    for _ in range(60):
        layer(Tensor(X))
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-6)
    layer(Tensor(X)).sum().backward()
    assert layer.weight_orig.grad is not None
    nn.utils.remove_spectral_norm(layer)
    assert isinstance(layer.weight, Parameter) and list(layer.state_dict()) == ["bias", "weight"]


# -- one vector, and fused layers --------------------------------------------------------------------------


def test_one_vector():
    layer = square()
    vector = nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (12,) and vector.requires_grad
    nn.utils.vector_to_parameters(vector.detach() * 2, layer.parameters())
    assert np.array_equal(nn.utils.parameters_to_vector(layer.parameters()).detach().numpy(),
                          2 * vector.detach().numpy())
    with pytest.raises(ShapeError, match="a vector of 12 elements"):
        nn.utils.vector_to_parameters(vector.detach()[:5], layer.parameters())
    layer(Tensor(X)).square().sum().backward()
    assert nn.utils.clip_grad_norm_(layer.parameters(), 1.0).item() > 1
    assert nn.utils.get_total_norm([p.grad for p in layer.parameters()]).item() == pytest.approx(1, abs=1e-5)
    nn.utils.clip_grad_value_(layer.parameters(), 0.1)
    assert max(abs(p.grad.numpy()).max() for p in layer.parameters()) == pytest.approx(0.1)


def test_fusing_with_batch_norm():
    layer, norm = square(), nn.BatchNorm1d(3).double()
    for name, value in (("running_mean", [1., 2, 3]), ("running_var", [4., 5, 6])):
        setattr(norm, name, Tensor(np.array(value)))
    norm.weight.data = Tensor(np.array([1., -2, 0.5]))
    with pytest.raises(RuntimeError, match=r"call eval\(\) on both first"):
        nn.utils.fuse_linear_bn_eval(layer, norm)
    layer.eval(), norm.eval()
    fused = nn.utils.fuse_linear_bn_eval(layer, norm)
    with no_grad():
        assert np.allclose(fused(Tensor(X)).numpy(), norm(layer(Tensor(X))).numpy())
    assert not np.allclose(fused.weight.detach().numpy(), layer.weight.detach().numpy())
    kernel = np.random.default_rng(0).standard_normal((2, 3, 3))
    weight, bias = nn.utils.fuse_conv_bn_weights(Tensor(kernel), None, norm.running_mean, norm.running_var, 1e-5,
                                                 norm.weight, norm.bias, transpose=True)
    scale = norm.weight.detach().numpy() / np.sqrt(np.array([4., 5, 6]) + 1e-5)
    assert np.allclose(weight.detach().numpy(), kernel * scale[:, None])
    assert np.allclose(bias.detach().numpy(), -np.array([1., 2, 3]) * scale)


# -- beside PyTorch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm", "orthogonal"])
@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (3, 3)])
def test_state_of_pytorch(name, shape):
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Linear(*shape), torch.nn.Linear(*shape)
    getattr(parametrizations, name)(ours)
    getattr(torch.nn.utils.parametrizations, name)(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state) and repr(ours) == repr(theirs)
    ours.load_state_dict(state)
    x = np.ones((2, shape[0]), np.float32)
    for training in (False, True):
        ours.train(training)
        theirs.train(training)
        y, z = ours(Tensor(x)), theirs(torch.tensor(x))
        assert np.allclose(y.detach().numpy(), z.detach().numpy(), atol=1e-6)
        y.square().sum().backward()
        z.square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters()):
        assert np.allclose(p.grad.numpy(), q.grad.numpy(), atol=1e-5)
    back = torch.nn.Linear(*shape)
    getattr(torch.nn.utils.parametrizations, name)(back)
    back.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    assert np.allclose(back.weight.detach().numpy(), ours.weight.detach().numpy(), atol=1e-6)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_state_of_older_pytorch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Linear(3, 4), torch.nn.Linear(3, 4)
    getattr(nn.utils, name)(ours)
    getattr(torch.nn.utils, name)(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 3)).astype(np.float32)
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        y, z = ours(Tensor(x)), theirs(torch.tensor(x))
        assert np.allclose(y.detach().numpy(), z.detach().numpy(), atol=1e-6)
    y.square().sum().backward()
    z.square().sum().backward()
    for p, q in zip(ours.parameters(), theirs.parameters()):
        assert np.allclose(p.grad.numpy(), q.grad.numpy(), atol=1e-5)
