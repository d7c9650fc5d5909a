"""Layers that learn from their first input how wide it is, and parameters without a shape."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def t(*shape):
    return Tensor(rng.standard_normal(shape).astype(np.float32))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


LAYERS = [
    (lambda: nn.LazyLinear(3), nn.Linear, (2, 4, 5), "in_features", 5),
    (lambda: nn.LazyConv1d(4, 3, groups=2), nn.Conv1d, (2, 6, 9), "in_channels", 6),
    (lambda: nn.LazyConv2d(4, 3), nn.Conv2d, (6, 9, 7), "in_channels", 6),
    (lambda: nn.LazyConv3d(4, 3, bias=False), nn.Conv3d, (2, 5, 4, 4, 4), "in_channels", 5),
    (lambda: nn.LazyConvTranspose1d(4, 3), nn.ConvTranspose1d, (2, 6, 9), "in_channels", 6),
    (lambda: nn.LazyConvTranspose2d(4, 3, 2, output_padding=1), nn.ConvTranspose2d, (2, 6, 4, 4), "in_channels", 6),
    (lambda: nn.LazyConvTranspose3d(4, 2), nn.ConvTranspose3d, (1, 6, 2, 2, 2), "in_channels", 6),
    (lambda: nn.LazyBatchNorm1d(), nn.BatchNorm1d, (5, 4), "num_features", 4),
    (lambda: nn.LazyBatchNorm2d(affine=False), nn.BatchNorm2d, (5, 4, 2, 2), "num_features", 4),
    (lambda: nn.LazyBatchNorm3d(), nn.BatchNorm3d, (2, 4, 2, 2, 2), "num_features", 4),
    (lambda: nn.LazyInstanceNorm1d(), nn.InstanceNorm1d, (4, 9), "num_features", 4),
    (lambda: nn.LazyInstanceNorm2d(track_running_stats=False), nn.InstanceNorm2d, (2, 4, 3, 3), "num_features", 4),
    (lambda: nn.LazyInstanceNorm3d(), nn.InstanceNorm3d, (2, 4, 2, 2, 2), "num_features", 4),
]


@pytest.mark.parametrize(("make", "kind", "shape", "name", "n"), LAYERS)
def test_the_first_input_gives_the_shape(make, kind, shape, name, n):
    layer = make()
    parameters = list(layer.parameters())
    assert layer.has_uninitialized_params() and getattr(layer, name) == 0 and "Lazy" in repr(layer)
    y = layer(t(*shape))
    assert type(layer) is kind and getattr(layer, name) == n and "Lazy" not in repr(layer)
    assert list(map(id, layer.parameters())) == list(map(id, parameters))
    assert all(type(p) is nn.Parameter for p in parameters)
    assert y.shape == layer(t(*shape)).shape and all(np.isfinite(v.numpy()).all() for v in layer.state_dict().values())
    if parameters:
        y.sum().backward()
        assert all(p.grad.shape == p.shape for p in parameters)


def test_first_values_are_those_of_the_layer_it_becomes():
    autograd.manual_seed(3)
    layer = nn.LazyLinear(50)
    layer(t(2, 100))
    assert np.abs(layer.weight.value).max() <= 0.1 and 0.05 < layer.weight.value.std() < 0.065
    norm = nn.LazyBatchNorm1d()
    norm.eval()(t(2, 3))
    assert norm.state_dict()["weight"].tolist() == [1, 1, 1] and norm.running_var.tolist() == [1, 1, 1]


def test_a_model_is_cast_called_and_trained():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)).double()
    x, y = Tensor(rng.standard_normal((4, 1, 5, 5))), Tensor([0, 1, 0, 1])
    assert model(x).dtype == np.float64 and model[0].weight.dtype == np.float64 and model[1].running_mean.dtype == float
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_what_has_no_shape_says_so():
    layer = nn.LazyLinear(3)
    assert repr(layer.weight) == "<UninitializedParameter>" and isinstance(layer.weight, nn.Parameter)
    assert layer.weight.dtype == np.float32 and layer.half().weight.dtype == np.float16
    for act in (lambda: layer.weight.shape, lambda: layer.weight.sum(), lambda: layer.weight * 2):
        assert refusal(RuntimeError, act).endswith("call the model with an input, which initializes it, or load a "
                                                   "state")
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert refusal(ShapeError, lambda: nn.LazyConv2d(3, 3)(t(2, 3))) == \
        "LazyConv2d: expected 3D (one sample) or 4D (a batch) input (N, C, ...); got shape (2, 3)"
    assert refusal(ValueError, lambda: nn.LazyConv1d(4, 3, groups=2)(t(3, 5))) == \
        "LazyConv1d: in_channels must be divisible by groups; got 3 and groups 2"


def test_copies_and_pickles_of_what_has_no_shape():
    layer = nn.LazyLinear(3)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other.has_uninitialized_params() and other.weight is not layer.weight
        assert other(t(2, 4)).shape == (2, 3) and type(other) is nn.Linear
    assert layer.has_uninitialized_params()


def test_a_state_initializes():
    source = nn.Linear(4, 3)
    layer = nn.LazyLinear(3)
    layer.load_state_dict(source.state_dict())
    assert type(layer.weight) is nn.Parameter and (layer.weight.value == source.weight.value).all()
    x = t(2, 4)
    assert (layer(x).detach().numpy() == source(x).detach().numpy()).all()
    assert type(layer) is nn.Linear and layer.in_features == 4


def test_a_lazy_layer_of_ones_own():
    class Scale(nn.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()
            self.register_buffer("seen", nn.UninitializedBuffer())

        def initialize_parameters(self, x):
            self.weight.materialize(x.shape[-1:])
            self.seen.materialize(())
            nn.init.ones_(self.weight)

        def forward(self, x):
            return x * self.weight

    layer, x = Scale(), t(2, 3)
    assert (layer(x).detach().numpy() == x.numpy()).all() and type(layer) is Scale and layer._hooks is None
    assert type(layer.seen) is nn.Buffer and not layer.has_uninitialized_params()

    class Half(nn.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            pass

    assert refusal(RuntimeError, lambda: Half()(x)) == \
        "Half has not been fully initialized: initialize_parameters() left something without a shape"
