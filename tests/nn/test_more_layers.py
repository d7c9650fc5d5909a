"""Layers, activations and initial values that PyTorch has no name for: beside compositions of its functions."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import ShapeError, Tensor, no_grad
from nn import functional as F

rng = np.random.default_rng(0)


def same(ours, theirs, *arrays):
    """Values and the gradients of all inputs, to 1e-12 in float64; `theirs` is given torch, then the tensors."""
    torch = pytest.importorskip("torch")
    here = [Tensor(a, requires_grad=True) for a in arrays]
    there = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, z = ours(*here), theirs(torch, *there)
    assert tuple(y.shape) == tuple(z.shape)
    g = rng.standard_normal(tuple(z.shape))
    z.backward(torch.tensor(g))
    (y * g).sum().backward()
    assert np.abs(y.detach().numpy() - z.detach().numpy()).max() < 1e-12
    for a, b in zip(here, there):
        assert np.abs(a.grad.numpy() - b.grad.numpy()).max() < 1e-12


A, B, C = (rng.standard_normal((4, 6)) for _ in range(3))
IMAGE = rng.standard_normal((2, 3, 4, 5))
ACTIVATIONS = {
    "squareplus": (lambda x: F.squareplus(x, 3.0), lambda t, x: (x + (x * x + 3).sqrt()) / 2),
    "sparse_plus": (F.sparse_plus, lambda t, x: t.where(x >= 1, x, t.where(x <= -1, 0 * x, (x + 1) ** 2 / 4))),
    "sparse_sigmoid": (F.sparse_sigmoid, lambda t, x: ((x + 1) / 2).clamp(0, 1)),
    "quick_gelu": (nn.QuickGELU(), lambda t, x: x * t.sigmoid(1.702 * x)),
    "clipped_relu": (nn.ClippedReLU(0.7), lambda t, x: x.clamp(0, 0.7)),
    "crelu": (nn.CReLU(), lambda t, x: t.cat([x.relu(), (-x).relu()], 1)),
    "swiglu": (nn.SwiGLU(), lambda t, x: t.nn.functional.silu(x[:, :3]) * x[:, 3:]),
    "geglu": (nn.GEGLU(0), lambda t, x: t.nn.functional.gelu(x[:2]) * x[2:]),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name):
    ours, theirs = ACTIVATIONS[name]
    same(ours, theirs, A)


def test_halves_and_reprs():
    for f in (F.swiglu, F.geglu):
        with pytest.raises(ShapeError, match="even number"):
            f(Tensor(np.ones((2, 3))))
    assert repr(nn.Squareplus()) == "Squareplus(b=4.0)" and repr(nn.SwiGLU()) == "SwiGLU(dim=-1)"
    assert repr(nn.Sparsemax(1)) == "Sparsemax(dim=1)" and repr(nn.QuickGELU()) == "QuickGELU()"


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_sparsemax_is_the_nearest_point_of_the_simplex(dim):
    """Shares; nearer to x than any other of many; the same when a number is added; softmax-like in the gradient."""
    x = 2 * A
    y = F.sparsemax(Tensor(x), dim).numpy()
    assert (y >= 0).all() and np.allclose(y.sum(dim), 1, atol=1e-14) and (y == 0).any()
    assert np.allclose(F.sparsemax(x + 3, dim), y, atol=1e-14)
    for other in rng.dirichlet(np.ones(x.shape[dim]), 200):
        p = other if dim != 0 else other[:, None]
        assert (((x - y) ** 2).sum(dim) <= ((x - p) ** 2).sum(dim) + 1e-12).all()
    assert ag.gradcheck(lambda v: nn.Sparsemax(dim)(v), (x,))
    assert np.allclose(F.sparsemax(np.zeros((2, 4)), 1), 0.25)
    assert np.allclose(F.sparsemax(np.array([9.0, 0]), 0), [1, 0])


def test_merging():
    for layer, theirs in (
            (nn.Add(), lambda t, a, b, c: a + b + c), (nn.Multiply(), lambda t, a, b, c: a * b * c),
            (nn.Average(), lambda t, a, b, c: (a + b + c) / 3),
            (nn.Maximum(), lambda t, a, b, c: t.maximum(t.maximum(a, b), c)),
            (nn.Minimum(), lambda t, a, b, c: t.minimum(t.minimum(a, b), c)),
            (nn.Concatenate(), lambda t, a, b, c: t.cat([a, b, c], -1)),
            (nn.Concatenate(0), lambda t, a, b, c: t.cat([a, b, c]))):
        same(layer, theirs, A, B, C)
        same(lambda a, b, c, layer=layer: layer([a, b, c]), theirs, A, B, C)
    same(nn.Subtract(), lambda t, a, b: a - b, A, B)
    same(nn.Add(), lambda t, a, b: a + b, A, B[:1])
    with pytest.raises(TypeError, match="two inputs or more; got 1"):
        nn.Add()(Tensor(A))
    with pytest.raises(TypeError, match="expected two inputs; got 3"):
        nn.Subtract()(A, B, C)


def test_dot():
    same(nn.Dot(), lambda t, a, b: (a * b).sum(1, keepdim=True), A, B)
    same(nn.Dot(normalize=True), lambda t, a, b: t.cosine_similarity(a, b)[:, None], A, B)
    x, y = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 5, 4))
    same(nn.Dot(), lambda t, a, b: t.einsum("nik,njk->nij", a, b), x, y)
    same(nn.Dot((1, 2)), lambda t, a, b: t.einsum("nki,njk->nij", a, b), rng.standard_normal((2, 4, 3)), y)
    with pytest.raises(ShapeError, match="have 3 and 4 elements"):
        nn.Dot((1, 2))(Tensor(x), Tensor(y))
    with pytest.raises(ShapeError, match="no axis of shape"):
        nn.Dot(0)(Tensor(x), Tensor(y))


def test_a_function_as_a_layer():
    model = nn.Sequential(nn.Linear(6, 2), nn.Lambda(abs))
    assert (model(Tensor(A.astype(np.float32))).detach().numpy() >= 0).all() and "Lambda(abs)" in repr(model)
    with pytest.raises(TypeError, match="expected a function"):
        nn.Lambda(3)


def test_pooling_of_whole_channels():
    same(nn.GlobalAvgPool(), lambda t, x: x.mean((2, 3)), IMAGE)
    same(nn.GlobalAvgPool(True), lambda t, x: t.nn.functional.adaptive_avg_pool2d(x, 1), IMAGE)
    same(nn.GlobalMaxPool(), lambda t, x: x.amax((2, 3)), IMAGE)
    same(nn.GlobalMaxPool(True), lambda t, x: x.amax((2,), keepdim=True), IMAGE[0])
    with pytest.raises(ShapeError, match="expected an input"):
        nn.GlobalMaxPool()(Tensor(A))


def test_noise_has_the_moments_it_says_and_none_in_evaluation():
    ag.manual_seed(0)
    x = Tensor(np.full((400, 50), 2.0, np.float32), requires_grad=True)
    for layer, std in ((nn.GaussianNoise(0.5), 0.5), (nn.GaussianDropout(0.2), 2 * 0.5),
                       (nn.StochasticDepth(0.2), 2 * 0.5), (nn.StochasticDepth(0.5, "batch"), None)):
        y = layer(x)
        assert y.dtype == np.float32 and layer.eval()(x) is x
        if std is not None:
            assert abs(y.detach().numpy().mean() - 2) < 0.15 and abs(y.detach().numpy().std() - std) < 0.06
    rows = nn.StochasticDepth(0.3)(x).detach().numpy()
    assert (rows == rows[:, :1]).all() and set(np.unique(rows.round(3))) == {0.0, np.float32(2 / 0.7).round(3)}
    batches = [nn.StochasticDepth(0.5, "batch")(x).detach().numpy() for _ in range(20)]
    assert all(len(np.unique(b)) == 1 for b in batches) and len({float(b[0, 0]) for b in batches}) == 2
    assert not nn.StochasticDepth(1.0)(x).detach().numpy().any()
    for bad in (lambda: nn.GaussianNoise(-1), lambda: nn.GaussianDropout(1), lambda: nn.StochasticDepth(0.1, "column")):
        with pytest.raises(ValueError):
            bad()


# -- initial values --------------------------------------------------------------------------------------


def test_scaled_variance():
    w = Tensor(np.empty((300, 400), np.float64))
    for fill, std in ((nn.init.lecun_normal_, 400 ** -0.5), (nn.init.lecun_uniform_, 400 ** -0.5),
                      (lambda w: nn.init.variance_scaling_(w, 2.0, "fan_out", "normal"), (2 / 300) ** 0.5),
                      (lambda w: nn.init.variance_scaling_(w, 1.0, "fan_avg", "uniform"), (1 / 350) ** 0.5)):
        value = fill(w).numpy()
        assert abs(value.std() / std - 1) < 0.01 and abs(value.mean()) < 0.01 * std
    assert np.abs(nn.init.lecun_uniform_(w).numpy()).max() <= (3 / 400) ** 0.5
    assert np.abs(nn.init.lecun_normal_(w).numpy()).max() <= 2 / 0.8796 * 400 ** -0.5
    for bad in ({"scale": 0}, {"mode": "fan"}, {"distribution": "cauchy"}):
        with pytest.raises(ValueError, match="variance_scaling_"):
            nn.init.variance_scaling_(w, **bad)


def test_an_orthogonal_kernel_keeps_norms():
    layer = nn.Conv2d(3, 5, 3, padding=1, bias=False).double()
    nn.init.delta_orthogonal_(layer.weight)
    y = layer(Tensor(IMAGE)).detach().numpy()
    assert np.allclose((y ** 2).sum(1), (IMAGE ** 2).sum(1), atol=1e-12)
    with pytest.raises(ShapeError, match="at most as many inputs"):
        nn.init.delta_orthogonal_(Tensor(np.empty((2, 3, 3))))


# -- grouped queries -------------------------------------------------------------------------------------


def weights_of(layer):
    return [p.detach().numpy() for p in layer.parameters()]


@pytest.mark.parametrize(("kv", "settings"), [
    (4, {}), (2, {}), (1, {"is_causal": True}), (2, {"is_causal": True, "rotary": 100.0}),
    (2, {"is_causal": True, "window": 3, "rotary": 10000.0}), (2, {"head_dim": 6})])
def test_grouped_queries(kv, settings):
    """Beside PyTorch's attention of the same projections: output, and the gradients of input and weights."""
    layer = nn.GroupedQueryAttention(16, 4, kv, **settings).double()
    x, width = rng.standard_normal((2, 7, 16)), settings.get("head_dim", 4)

    def theirs(torch, x, wq, wk, wv, wo):
        q, k, v = ((x @ w.T).reshape(2, 7, -1, width).transpose(1, 2) for w in (wq, wk, wv))
        if "rotary" in settings:
            a = torch.arange(7.0, dtype=torch.float64)[:, None] / settings["rotary"] ** (
                torch.arange(0, width, 2, dtype=torch.float64) / width)
            turn = lambda u: torch.cat([u[..., :width // 2] * a.cos() - u[..., width // 2:] * a.sin(),
                                        u[..., :width // 2] * a.sin() + u[..., width // 2:] * a.cos()], -1)
            q, k = turn(q), turn(k)
        k, v = (u.repeat_interleave(4 // kv, 1) for u in (k, v))
        seen = torch.ones(7, 7, dtype=torch.bool)
        if "is_causal" in settings:
            seen = seen.tril() & seen.triu(1 - settings.get("window", 7))
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, seen)
        return y.transpose(1, 2).reshape(2, 7, -1) @ wo.T

    def ours(x, *weights):
        for p, w in zip((layer.q_proj, layer.k_proj, layer.v_proj, layer.o_proj), weights):
            p.__dict__["weight"] = w
        return layer(x)
    same(ours, theirs, x, *weights_of(layer))


@pytest.mark.parametrize("settings", [{}, {"rotary": 100.0}, {"window": 3, "rotary": 100.0}])
def test_grouped_queries_step_by_step(settings):
    layer = nn.GroupedQueryAttention(16, 4, 2, is_causal=True, **settings).double()
    x, cache = Tensor(rng.standard_normal((2, 7, 16))), nn.KVCache()
    with no_grad():
        whole = layer(x).numpy()
        found = [layer(x[:, a:b], cache=cache).numpy() for a, b in ((0, 3), (3, 4), (4, 7))]
    assert np.abs(np.concatenate(found, 1) - whole).max() < 1e-12
    assert cache.kept[layer][0].shape == (2, 2, 7, 4), "keys of the groups alone are kept"


def test_grouped_queries_refuse():
    for bad in ({"num_kv_heads": 3}, {"num_kv_heads": 0}, {"num_kv_heads": 2, "window": 3}):
        with pytest.raises(ValueError, match="GroupedQueryAttention"):
            nn.GroupedQueryAttention(16, 4, **bad)
    with pytest.raises(ShapeError, match="expected an input"):
        nn.GroupedQueryAttention(16, 4, 2)(Tensor(A))
    assert nn.sliding_window_mask(3, 2).tolist() == [[True, False, False], [True, True, False], [False, True, True]]
    assert nn.sliding_window_mask(1, 2, 4).tolist() == [[False, False, True, True]]
    with pytest.raises(ValueError, match="at least 1"):
        nn.sliding_window_mask(3, 0)
