"""Layers that compute: affine maps, shapes, dropout, embedding, normalisation; and the functions behind them."""

import numpy as np
import pytest

import autograd
import nn
from autograd import ShapeError, Tensor, gradcheck, gradgradcheck
from nn import functional as F

rng = np.random.default_rng(0)


def t(*shape, dtype=np.float32):
    return Tensor(rng.standard_normal(shape).astype(dtype))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


# -- affine ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
def test_linear(shape):
    layer, v = nn.Linear(3, 4), t(*shape)
    y = layer(v)
    assert y.shape == (*shape[:-1], 4) and y.dtype == np.float32
    assert np.allclose(y.detach().numpy(), v.numpy() @ layer.weight.value.T + layer.bias.value, atol=1e-6)
    assert np.allclose(F.linear(v, layer.weight).detach().numpy(), v.numpy() @ layer.weight.value.T, atol=1e-6)


def test_linear_parameters():
    layer = nn.Linear(64, 10)
    assert {name: p.shape for name, p in layer.named_parameters()} == {"weight": (10, 64), "bias": (10,)}
    assert all(np.abs(p.value).max() <= 1 / 8 for p in layer.parameters()) and np.abs(layer.weight.value).max() > 0.12
    assert list(nn.Linear(2, 3, bias=False).state_dict()) == ["weight"] and nn.Linear(2, 3, False).bias is None
    assert nn.Linear(2, 3, dtype="float64").weight.dtype == np.float64
    assert nn.Linear(0, 3)(t(2, 0)).shape == (2, 3)


@pytest.mark.parametrize(("layer", "shape", "text"), [
    ((64, 10), (2, 63),
     "got 63 in an input of shape (2, 63): make the layer Linear(63, 10), or mend what comes before it"),
    ((12, 10), (2, 3, 4), "got 4 in an input of shape (2, 3, 4): put nn.Flatten() before it, or x.flatten(1)"),
    ((12, 10), (12, 5), "got 5 in an input of shape (12, 5): is it transposed? x.T fits"),
    ((1, 10), (5,), "got 5 in an input of shape (5,): x.unsqueeze(-1) adds the axis"),
    ((3, 10), (), "got a scalar: give it at least one axis, e.g. x.reshape(-1, 3)"),
])
def test_linear_says_what_width_it_wanted(layer, shape, text):
    assert refusal(ShapeError, lambda: nn.Linear(*layer)(t(*shape))) == \
        f"{nn.Linear(*layer)}: expected axis -1 of the input to have {layer[0]} elements; {text}"


def test_sizes_are_integers():
    assert refusal(TypeError, lambda: nn.Linear(2.0, 3)) == "Linear: in_features must be an integer; got float 2.0"
    assert refusal(ValueError, lambda: nn.Linear(2, -3)) == "Linear: out_features must not be negative; got -3"


def test_shape_layers():
    v = t(2, 3, 4)
    assert nn.Flatten()(v).shape == (2, 12) and nn.Flatten(0, 1)(v).shape == (6, 4) and nn.Flatten(0)(v).shape == (24,)
    assert nn.Unflatten(2, (2, 2))(v).shape == (2, 3, 2, 2) and nn.Unflatten(-1, (2, -1))(v).shape == (2, 3, 2, 2)
    assert nn.Identity(54, unused=True)(v) is v
    assert repr(nn.Flatten()) == "Flatten(start_dim=1, end_dim=-1)"
    assert repr(nn.Unflatten(1, [2, 2])) == "Unflatten(dim=1, unflattened_size=(2, 2))"


# -- dropout ---------------------------------------------------------------------------------------------


def test_dropout():
    layer, v = nn.Dropout(0.25), Tensor(np.ones((200, 200), np.float32), requires_grad=True)
    y = layer(v)
    values, counts = np.unique(y.detach().numpy(), return_counts=True)
    assert values.tolist() == [0, np.float32(1 / 0.75)] and counts[0] == pytest.approx(10000, abs=400)
    assert y.dtype == np.float32
    y.sum().backward()
    assert (v.grad.numpy() == y.detach().numpy()).all()
    assert layer.eval()(v) is v and nn.Dropout(0)(v) is v
    assert (nn.Dropout(1.0)(v).detach().numpy() == 0).all()
    autograd.manual_seed(1)
    a = F.dropout(v).detach().numpy()
    autograd.manual_seed(1)
    assert (F.dropout(v).detach().numpy() == a).all()
    assert F.dropout(Tensor(3.0), 0.5).item() in (0, 6)
    assert refusal(ValueError, lambda: nn.Dropout(1.5)) == \
        "Dropout: dropout probability has to be between 0 and 1, but got 1.5"


# -- embedding -------------------------------------------------------------------------------------------


def test_embedding():
    layer = nn.Embedding(10, 3)
    index = Tensor(np.array([[1, 4], [4, 9]]))
    y = layer(index)
    assert y.shape == (2, 2, 3) and (y.detach().numpy() == layer.weight.value[index.value]).all()
    assert layer(Tensor(4)).shape == (3,) and layer([1, 2]).shape == (2, 3)
    y.sum().backward()
    assert layer.weight.grad.numpy().sum(1).tolist() == [0, 3, 0, 0, 6, 0, 0, 0, 0, 3]
    assert abs(nn.Embedding(200, 200).weight.value.std() - 1) < 0.02


def test_embedding_padding_gets_no_gradient():
    layer = nn.Embedding(4, 2, padding_idx=-4)
    assert repr(layer) == "Embedding(4, 2, padding_idx=0)" and layer.weight.tolist()[0] == [0, 0]
    layer(Tensor(np.array([0, 1, 0]))).sum().backward()
    assert layer.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_embedding_settings():
    table = np.array([[3.0, 4.0], [0.3, 0.4]])
    layer = nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad and layer(Tensor([0])).tolist() == [[3, 4]]
    layer = nn.Embedding.from_pretrained(table.copy(), freeze=False, max_norm=1.0)
    assert np.allclose(layer(Tensor([0, 1])).tolist(), [[0.6, 0.8], [0.3, 0.4]])
    layer = nn.Embedding.from_pretrained(table, freeze=False, scale_grad_by_freq=True)
    layer(Tensor([0, 0, 1])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [1, 1]]
    assert refusal(ShapeError, lambda: nn.Embedding.from_pretrained(np.ones(3))) == \
        "Embedding.from_pretrained: expected a table (num_embeddings, embedding_dim); got shape (3,)"


def test_embedding_errors():
    layer = nn.Embedding(10, 3)
    assert refusal(IndexError, lambda: layer(Tensor([[1, 2], [3, 12]]))) == \
        "embedding: index out of range: the table has 10 rows, 0..9; got 12 at position (1, 1)"
    assert refusal(IndexError, lambda: layer(Tensor([-1]))) == \
        "embedding: index out of range: the table has 10 rows, 0..9; got -1 at position (0,)"
    assert refusal(TypeError, lambda: layer(Tensor([1.0]))) == \
        "embedding: expected integer indices; got float32 of shape (1,): use x.long()"
    assert refusal(IndexError, lambda: nn.Embedding(10, 3, padding_idx=10)) == \
        "embedding: padding_idx must be a row of the table, 0..9; got 10"


def test_one_hot():
    assert F.one_hot(Tensor([0, 2]), 3).tolist() == [[1, 0, 0], [0, 0, 1]] and F.one_hot(Tensor([0, 2])).shape == (2, 3)


# -- normalisation ---------------------------------------------------------------------------------------


def standard(v, axes, eps=1e-5):
    return (v - v.mean(axes, keepdims=True)) / np.sqrt(v.var(axes, keepdims=True) + eps)


@pytest.mark.parametrize(("shape", "over"), [((5, 4), 4), ((2, 5, 4), 4), ((2, 5, 4), (5, 4)), ((2, 5, 4), [2, 5, 4])])
def test_layer_norm(shape, over):
    layer, v = nn.LayerNorm(over, dtype="float64"), t(*shape, dtype=np.float64) * 3 + 1
    n = len(layer.normalized_shape)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    wanted = standard(v.numpy(), tuple(range(-n, 0))) * layer.weight.value + layer.bias.value
    assert np.allclose(layer(v).detach().numpy(), wanted, atol=1e-12)


def test_layer_norm_settings():
    assert {n: p.shape for n, p in nn.LayerNorm((2, 3)).named_parameters()} == {"weight": (2, 3), "bias": (2, 3)}
    assert list(nn.LayerNorm(3, bias=False).state_dict()) == ["weight"]
    assert not list(nn.LayerNorm(3, elementwise_affine=False).parameters())
    assert nn.LayerNorm(3)(t(2, 3)).dtype == np.float32
    assert refusal(ShapeError, lambda: nn.LayerNorm(4)(t(2, 5))) == \
        "layer_norm: expected an input whose last axes are normalized_shape=(4,); got shape (2, 5)"
    assert refusal(ShapeError, lambda: F.layer_norm(t(2, 4), 4, t(5))) == \
        "layer_norm: expected weight of shape normalized_shape=(4,); got (5,)"


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5)])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_batch_norm_follows_the_batches(shape, momentum):
    layer = nn.BatchNorm1d(3, momentum=momentum, dtype="float64")
    mean, var = np.zeros(3), np.ones(3)
    axes = (0, *range(2, len(shape)))
    for k in range(3):
        v = t(*shape, dtype=np.float64) * 2 + k
        assert np.allclose(layer(v).detach().numpy(), standard(v.numpy(), axes))
        m = momentum if momentum is not None else 1 / (k + 1)
        mean, var = (1 - m) * mean + m * v.numpy().mean(axes), (1 - m) * var + m * v.numpy().var(axes, ddof=1)
    assert np.allclose(layer.running_mean.numpy(), mean) and np.allclose(layer.running_var.numpy(), var)
    assert layer.num_batches_tracked.item() == 3
    layer.eval()
    wide = (1, 3, 1)[:len(shape)]
    v = t(*shape, dtype=np.float64)
    wanted = (v.numpy() - mean.reshape(wide)) / np.sqrt(var.reshape(wide) + 1e-5)
    assert np.allclose(layer(v).detach().numpy(), wanted) and layer.num_batches_tracked.item() == 3
    layer.reset_running_stats()
    assert layer.running_var.tolist() == [1, 1, 1] and layer.num_batches_tracked.item() == 0


def test_batch_norm_settings():
    layer = nn.BatchNorm1d(3)
    assert list(layer.state_dict()) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert len(list(layer.parameters())) == 2 and layer(t(4, 3)).dtype == layer.running_mean.dtype == np.float32
    assert list(nn.BatchNorm1d(3, affine=False, track_running_stats=False).state_dict()) == []
    free = nn.BatchNorm1d(3, track_running_stats=False).eval()
    v = t(5, 3)
    assert np.allclose(free(v).detach().numpy(), standard(v.numpy(), 0), atol=1e-5)
    with autograd.no_grad():
        layer(t(4, 3))
    assert layer.num_batches_tracked.item() == 2


def test_batch_norm_errors_come_before_anything_is_counted():
    layer = nn.BatchNorm1d(4)
    assert refusal(ValueError, lambda: layer(t(1, 4))) == \
        "Expected more than 1 value per channel when training, got input size (1, 4): use a larger batch (DataLoader " \
        "drop_last=True leaves out a last one of a single sample), or model.eval()"
    for shape in ((2, 5), (4,), (2, 4, 1, 1)):
        assert refusal(ShapeError, lambda s=shape: layer(t(*s))) == \
            f"BatchNorm1d(4): expected an input (N, C) or (N, C, L) with 4 channels on axis 1; got shape {shape}" \
            + ": BatchNorm2d takes it" * (len(shape) == 4)
    with pytest.raises(TypeError):
        layer(Tensor(np.ones((3, 4), np.int64)))
    assert layer.num_batches_tracked.item() == 0 and layer.running_mean.tolist() == [0, 0, 0, 0]
    assert layer.eval()(t(1, 4)).shape == (1, 4)


# -- geometry --------------------------------------------------------------------------------------------


def test_normalize_and_similarity():
    v = np.array([[3.0, 4.0], [0.0, 0.0]])
    for p, size in ((2, 5), (1, 7), (np.inf, 4), (0, 2), (3, 91 ** (1 / 3))):
        assert np.allclose(F.normalize(v, p=p), v / size)
    assert np.allclose(F.cosine_similarity(v[:1], np.array([[4.0, 3.0]])), 0.96)
    assert F.cosine_similarity(v, v)[1] == 0
    assert np.allclose(F.cosine_similarity(v[:, None], v[None], dim=-1), [[1, 0], [0, 0]])
    assert np.allclose(F.pairwise_distance(v[:1], v[1:]), 5, atol=1e-5)
    x = Tensor(np.zeros((1, 2)), requires_grad=True)
    F.normalize(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_pad(mode):
    v = rng.standard_normal((3, 4))
    names = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    assert (F.pad(v, (2, 1, 0, 2), mode) == np.pad(v, ((0, 2), (2, 1)), names[mode])).all()
    assert F.pad(Tensor(v), (-1, 1), mode).shape == (3, 4)
    assert gradgradcheck(lambda a: F.pad(a, (2, 1), mode) ** 2, v)


def test_pad_errors():
    assert refusal(ShapeError, lambda: F.pad(t(3, 3), (3, 0), "reflect")) == \
        "pad: mode 'reflect' can add at most 2 to axis 1 of input (3, 3); got (3, 0)"
    assert refusal(ValueError, lambda: F.pad(t(3, 3), (1, 0), "mirror")) == \
        "pad: mode must be 'constant', 'reflect', 'replicate' or 'circular'; got 'mirror'"


# -- derivatives -----------------------------------------------------------------------------------------

A, W, B = (rng.standard_normal(s) for s in ((4, 3), (2, 3), (2,)))
MEAN, VAR = rng.standard_normal(3), rng.random(3) + 0.5


@pytest.mark.parametrize(("f", "inputs"), [
    (F.linear, (A, W, B)),
    (lambda x, w, b: F.layer_norm(x, 3, w, b), (A, MEAN, VAR)),
    (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True), (A, MEAN, VAR)),
    (lambda x, w, b: F.batch_norm(x, Tensor(MEAN), Tensor(VAR), w, b), (A, MEAN, VAR)),
    (lambda w: F.embedding(Tensor([0, 3, 3]), w, 1) ** 2, (A,)),
    (F.normalize, (A,)),
    (lambda x: F.normalize(x, p=3, dim=0), (A,)),
    (F.cosine_similarity, (A, A[::-1] + 1)),
    (F.pairwise_distance, (A, A[::-1] + 1)),
], ids=["linear", "layer_norm", "batch_norm", "batch_norm_eval", "embedding", "normalize", "normalize_3", "similarity",
        "distance"])
def test_derivatives(f, inputs):
    assert gradcheck(f, inputs) and gradgradcheck(f, inputs)
