"""`vmap`: axes, trees, nesting, composition with derivatives, randomness, and what cannot be one program for all."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradientError, ShapeError, Tensor, grad, hessian, jacobian, jvp, vjp
from autograd.modes import current
from autograd.transforms import (
    LaneError,
    checkpoint,
    custom_jvp,
    custom_vjp,
    functional_call,
    jacfwd,
    jacrev,
    linearize,
    trees,
    vmap,
)

X = np.arange(12.0).reshape(4, 3) / 7 - 0.5
W = np.array([[0.3, -0.2], [0.5, 0.9], [-1.0, 0.4]])
F = nn.functional


def loop(f, *args, axes=0):
    """What vmap says it computes."""
    axes = axes if isinstance(axes, tuple) else (axes,) * len(args)
    size = next(a.shape[axis] for a, axis in zip(args, axes, strict=True) if axis is not None)
    made = [f(*[a if axis is None else Tensor(np.take(a, k, axis)) for a, axis in zip(args, axes, strict=True)])
            for k in range(size)]
    rows, structures = zip(*[trees.flatten(m) for m in made], strict=True)
    leaves = [np.stack([r.value if isinstance(r, Tensor) else r for r in row]) for row in zip(*rows, strict=True)]
    return trees.unflatten(structures[0], leaves)


def agree(found, expected, **tolerance):
    found, expected = trees.flatten(found)[0], trees.flatten(expected)[0]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        one = one.value if isinstance(one, Tensor) else one
        assert one.shape == other.shape and np.allclose(one, other, rtol=1e-10, atol=1e-12, equal_nan=True, **tolerance)


# -- axes and trees --------------------------------------------------------------------------------------


def test_arrays_in_arrays_out():
    f = lambda x: ag.sin(x) * x.sum()
    found = vmap(f)(X)
    assert type(found) is np.ndarray
    agree(found, loop(f, X))
    assert isinstance(vmap(f)(Tensor(X)), Tensor) and not vmap(f)(Tensor(X)).requires_grad
    assert vmap(f)(Tensor(X, requires_grad=True)).requires_grad
    assert vmap(lambda x: (assert_shape(x, (3,)), x)[1].sum())(X).shape == (4,)
    assert vmap(f)(X.astype(np.float32)).dtype == np.float32


def assert_shape(x, shape):
    assert x.shape == shape and x.ndim == len(shape) == x.dim() and x.size() == shape
    assert x.numel() == int(np.prod(shape)) and (not shape or len(x) == shape[0])


@pytest.mark.parametrize("axes", [0, 1, -1, (0,), (-2,)])
def test_in_axes(axes):
    f = lambda x: x[0] * x
    agree(vmap(f, in_axes=axes)(X), loop(f, X, axes=axes))


def test_shared_arguments_and_trees():
    f = lambda p, x, name: {"y": x @ p["w"] + p["b"][0], "s": [x.sum()], "n": 2.0, "name_is_two": name == "two"}
    p = {"w": W, "b": [np.array([1.0, 2.0])]}
    found = vmap(f, in_axes=(None, 0, None))(p, X, "two")
    assert np.allclose(found["y"], X @ W + [1.0, 2.0]) and np.allclose(found["s"][0], X.sum(1))
    assert np.allclose(found["n"], [2.0] * 4) and np.all(found["name_is_two"])
    many = {"w": np.stack([W] * 4, 1), "b": [np.arange(8.0).reshape(2, 4)]}
    found = vmap(f, in_axes=({"w": 1, "b": [-1]}, 0, None))(many, X, "two")
    assert np.allclose(found["y"], X @ W + np.arange(8.0).reshape(2, 4).T)
    found = vmap(lambda p: p[0] * p[1]["a"], in_axes=((0, None),))((X, {"a": X[0]}))
    assert np.allclose(found, X * X[0])
    assert np.allclose(vmap(lambda x, k=1.0: x * k)(X, k=3.0), 3 * X), "arguments by name are shared"


@pytest.mark.parametrize("axes, shape", [(0, (4, 3, 2)), (1, (3, 4, 2)), (2, (3, 2, 4)), (-1, (3, 2, 4)),
                                         (-3, (4, 3, 2))])
def test_out_axes(axes, shape):
    f = lambda x: x[:, None] * Tensor(W)
    found = vmap(f, out_axes=axes)(Tensor(X))
    assert found.shape == shape and np.allclose(np.moveaxis(found.value, axes, 0), X[:, :, None] * W)


def test_out_axes_of_trees():
    a, b = vmap(lambda x: (x, {"s": x.sum(), "c": W}), out_axes=(1, {"s": 0, "c": None}))(X)
    assert np.allclose(a, X.T) and np.allclose(b["s"], X.sum(1)) and b["c"].shape == W.shape
    with pytest.raises(ValueError, match="differs from example to example"):
        vmap(lambda x: x, out_axes=None)(X)
    with pytest.raises(ValueError, match="out_axes names axis 2"):
        vmap(lambda x: x, out_axes=2)(X)
    with pytest.raises(ValueError, match="where an array stands"):
        vmap(lambda x: x, out_axes=({"a": 0},))(X)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_chunks(size):
    f = lambda x, w: {"y": x @ w, "n": x.sum()}
    found = vmap(f, in_axes=(0, None), out_axes={"y": 1, "n": 0}, chunk_size=size)(X, W)
    assert np.allclose(found["y"], (X @ W).T) and np.allclose(found["n"], X.sum(1))


def test_no_examples():
    assert vmap(lambda x: (x * x).sum())(X[:0]).shape == (0,)
    assert vmap(lambda x: x @ W)(X[:0]).shape == (0, 2)
    assert vmap(lambda x: ag.sort(x)[0][:2])(X[:0]).shape == (0, 2)


def test_no_axes_to_flip():
    assert np.allclose(vmap(lambda x: ag.flip(x, ()))(X), X)


def test_what_in_axes_refuses():
    with pytest.raises(ValueError, match="in_axes names axis 2 of an argument of shape"):
        vmap(lambda x: x, in_axes=2)(X)
    with pytest.raises(ValueError, match="batches of one size; got 4, 3"):
        vmap(lambda x, y: x)(X, X.T)
    with pytest.raises(ValueError, match="None for all"):
        vmap(lambda x: x, in_axes=None)(X)
    with pytest.raises(ValueError, match="has 1 entries"):
        vmap(lambda x, y: x, in_axes=(0,))(X, X)
    with pytest.raises(ValueError, match=r"number 2\.0"):
        vmap(lambda x, y: x)(X, 2.0)
    with pytest.raises(ValueError, match="in_axes must be built like"):
        vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": X})
    with pytest.raises(ValueError, match="chunk_size"):
        vmap(lambda x: x, chunk_size=0)
    with pytest.raises(TypeError, match="expected a function"):
        vmap(X)
    for bad in (None, "text"):
        with pytest.raises(TypeError, match="must return"):
            vmap(lambda x, bad=bad: bad)(X)


# -- composition -----------------------------------------------------------------------------------------


def loss(w, x):
    return (ag.tanh(x @ w) ** 2).sum() + (w * w).mean()


def test_per_sample_gradients_and_their_transposes():
    agree(vmap(grad(loss), in_axes=(None, 0))(W, X), loop(lambda x: grad(loss)(W, x), X))
    agree(vmap(grad(loss, argnums=(0, 1)), in_axes=(None, 0))(W, X), loop(lambda x: grad(loss, (0, 1))(W, x), X))
    whole = lambda w: vmap(lambda x: loss(w, x))(X).sum()
    assert np.allclose(grad(whole)(W), loop(lambda x: grad(loss)(W, x), X).sum(0))
    assert np.allclose(hessian(whole)(W), sum(hessian(lambda w, x=x: loss(w, x))(W) for x in X))


def test_vmap_of_derivatives():
    f = lambda x: loss(W, x)
    g = lambda x: ag.sin(x @ W) * x.sum()
    agree(vmap(hessian(f))(X), loop(hessian(f), X))
    agree(vmap(jacobian(g))(X), loop(jacobian(g), X))
    agree(vmap(jacfwd(jacrev(f)))(X), loop(hessian(f), X))
    agree(vmap(lambda x, v: jvp(g, (x,), (v,)))(X, X + 1), loop(lambda x, v: jvp(g, (x,), (v,)), X, X + 1))
    agree(vmap(lambda x: vjp(g, x)[1](x[:2]))(X), loop(lambda x: vjp(g, x)[1](x[:2]), X))
    agree(vmap(grad(lambda s: grad(lambda t: (t ** 3).sum() * s[0])(s * 2.0).sum()))(X),
          loop(grad(lambda s: grad(lambda t: (t ** 3).sum() * s[0])(s * 2.0).sum()), X))
    _, pullback = vjp(g, X[0])
    assert np.allclose(vmap(pullback)(np.eye(2)), jacobian(g)(X[0]))
    _, forward = linearize(g, X[0])
    assert np.allclose(vmap(forward, out_axes=1)(np.eye(3)), jacobian(g)(X[0]))
    assert np.allclose(vmap(lambda v: jvp(g, (X[0],), (v,))[1], out_axes=-1)(np.eye(3)), jacobian(g)(X[0]))


def test_derivatives_of_vmap():
    batched = vmap(lambda x: ag.exp(-x * x).sum() * x[1])
    single = lambda X: ag.stack([ag.exp(-x * x).sum() * x[1] for x in X])
    agree(jacobian(batched)(X), jacobian(single)(X))
    agree(hessian(lambda X: batched(X).sum())(X), hessian(lambda X: single(X).sum())(X))
    assert np.allclose(jvp(batched, (X,), (X + 1,))[1], jvp(single, (X,), (X + 1,))[1])
    x = Tensor(X, requires_grad=True)
    batched(x).sum().backward()
    assert np.allclose(x.grad.value, grad(lambda X: single(X).sum())(X))


def test_nested():
    outer = vmap(vmap(lambda a, b: a * b, in_axes=(0, None)), in_axes=(None, 0))
    assert np.allclose(outer(X[0], X[1]), np.outer(X[1], X[0]))
    gram = vmap(lambda x: vmap(lambda y: (x * y).sum())(X))
    assert np.allclose(gram(X), X @ X.T)
    assert np.allclose(vmap(vmap(grad(lambda x: x ** 3)))(X), 3 * X ** 2)
    three = vmap(vmap(vmap(lambda a, b, c: a * b + c, in_axes=(0, None, None)), in_axes=(None, 0, None)),
                 in_axes=(None, None, 0))
    a, b, c = np.arange(2.0), np.arange(3.0) + 5, np.arange(4.0) * 7
    assert np.allclose(three(a, b, c), a * b[:, None] + c[:, None, None])
    kernel = lambda x, y: ag.exp(-((x - y) ** 2).sum())
    mixed = vmap(lambda x: vmap(lambda y: grad(lambda z: grad(kernel)(z, y).sum())(x))(X))(X)
    expected = np.array([[grad(lambda z, y=y: grad(kernel)(z, y).sum())(x) for y in X] for x in X])
    assert np.allclose(mixed, expected)


def test_perturbations_are_not_confused_under_vmap():
    f = lambda c: vmap(lambda x: grad(lambda y: c * y * x)(2.0) * x)(X[0]).sum()
    assert np.isclose(grad(f)(3.0), (X[0] ** 2).sum())
    g = lambda x: x * jvp(lambda y: x + y, (np.float64(1.0),), (np.float64(1.0),))[1]
    assert np.allclose(vmap(grad(g))(X[0]), 1.0)


def test_per_sample_gradients_of_a_module():
    rng = np.random.default_rng(0)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel, self.norm, self.head = nn.Parameter(rng.standard_normal((3, 1, 3, 3))), nn.LayerNorm(12), \
                nn.Linear(12, 4)

        def forward(self, x):
            x = ag.max_pool2d(ag.conv2d(x, self.kernel, padding=1).relu(), 2)
            return self.head(self.norm(x.flatten(1)))
    ag.manual_seed(1)
    model = Net().double()
    images, labels = Tensor(rng.standard_normal((5, 1, 4, 4))), Tensor(rng.integers(0, 4, 5))
    params = dict(model.named_parameters())

    def one(p, image, label):
        return F.cross_entropy(functional_call(model, p, (image[None],)), label[None])
    found = vmap(grad(one), in_axes=(None, 0, 0))(params, images, labels)
    for k in range(5):
        single = grad(one)(params, images[k], labels[k])
        assert all(np.allclose(found[name].value[k], g.value) for name, g in single.items())
    values = vmap(one, in_axes=(None, 0, 0))(params, images, labels)
    assert np.isclose(values.mean().item(), F.cross_entropy(model(images), labels).item())


def test_an_ensemble_of_models():
    models = [nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double() for _ in range(3)]
    params = {name: np.stack([dict(m.named_parameters())[name].value for m in models])
              for name, _ in models[0].named_parameters()}
    found = vmap(lambda p: functional_call(models[0], p, (Tensor(X),)))(params)
    assert np.allclose(found, np.stack([m(Tensor(X)).detach().value for m in models]))


def test_checkpoint_and_rules_of_the_users_own():
    f = lambda x: ag.sin(x @ W) * x.sum()
    agree(vmap(grad(lambda x: checkpoint(f)(x).sum()))(X), loop(grad(lambda x: f(x).sum()), X))
    agree(vmap(hessian(lambda x: checkpoint(f)(x).sum()))(X), loop(hessian(lambda x: f(x).sum()), X))
    assert np.allclose(jacobian(checkpoint(lambda x: ag.cumsum(x * x, 0)))(np.arange(9.0)),
                       np.tril(np.tile(2 * np.arange(9.0), (9, 1))))

    @custom_vjp
    def half(x):
        return x * 2
    half.defvjp(lambda x: (x * 2, x), lambda x, g: (g * x * 10,))
    agree(vmap(grad(lambda x: (half(x) * x).sum()))(X), 2 * X + 10 * X * X)
    assert np.allclose(grad(lambda X: vmap(lambda x: half(x).sum())(X).sum())(X), 10 * X)
    assert np.allclose(jacobian(half)(X[0]), np.diag(10 * X[0]))

    @custom_jvp
    def third(x, y):
        return x * y
    third.defjvp(lambda p, t: (p[0] * p[1], 3 * t[0] * p[1] + t[1]))
    agree(vmap(grad(lambda x: third(x, x * 2).sum()))(X), 6 * X + 2)


# -- control flow, values, randomness --------------------------------------------------------------------


@pytest.mark.parametrize("use", [
    lambda x: x if x.sum() > 0 else -x, lambda x: float(x.sum()) * x, lambda x: x[:int(x.sum())], lambda x: x.item(),
    lambda x: x.numpy() + 1, lambda x: np.asarray(x), lambda x: [1, 2, 3][x.long()[0]], lambda x: (1.0 in x) and x,
    lambda x: x.tolist(), lambda x: np.linspace(0, 1, x.value), lambda x: not x,
])
def test_a_choice_by_value_is_an_error_that_names_the_fix(use):
    with pytest.raises(LaneError, match=r"vmap: .*4 lanes with a value each; use autograd.where"):
        vmap(use)(X)


def test_where_is_the_fix():
    f = lambda x: ag.where(x.sum() > 0, x, -x)
    agree(vmap(f)(X), loop(f, X))
    agree(vmap(grad(lambda x: f(x).sum()))(X), np.where(X.sum(1) > 0, 1.0, -1.0)[:, None] * np.ones(3))


def test_acting_on_the_graph_inside_is_refused():
    for act in (lambda x: x.sum().backward(), lambda x: x.requires_grad_(), lambda x: x.register_hook(print),
                lambda x: x.retain_grad()):
        with pytest.raises(GradientError, match="inside vmap"):
            vmap(act)(X)


def test_a_lane_that_escapes():
    kept = []
    vmap(lambda x: (kept.append(x), x)[1])(X)
    with pytest.raises(LaneError):
        _ = kept[0] + 1
    assert "4 lanes of shape (3,)" in repr(kept[0])
    with pytest.raises(LaneError, match="over"):
        vmap(lambda x: x + kept[0])(X)
    assert current() is None, "nothing stays open"


MATRICES = np.random.default_rng(5).standard_normal((4, 3, 3))
SYMMETRIC = MATRICES @ MATRICES.transpose(0, 2, 1) + np.eye(3)
VECTORS = np.random.default_rng(6).standard_normal((4, 5))
INDEX = np.random.default_rng(7).integers(0, 5, (4, 2))
LINALG = ag.linalg


@pytest.mark.parametrize("f, xs", [
    (lambda x: ag.sort(x), VECTORS), (lambda x: ag.topk(x, 2), VECTORS), (lambda x: ag.median(x), VECTORS),
    (lambda x: ag.quantile(x, 0.3), VECTORS), (lambda x: x.max(0), VECTORS), (lambda x: ag.cummax(x, 0), VECTORS),
    (lambda a: LINALG.eigvalsh(a), SYMMETRIC), (lambda a: LINALG.svdvals(a), MATRICES), (LINALG.pinv, MATRICES),
    (lambda a: LINALG.slogdet(a), MATRICES), (lambda a: LINALG.solve(a, a[0]), MATRICES), (LINALG.inv, MATRICES),
    (LINALG.cholesky, SYMMETRIC), (LINALG.matrix_exp, MATRICES), (lambda a: LINALG.matrix_norm(a), MATRICES),
    (lambda a: ag.fft.rfft2(a).abs(), MATRICES), (lambda a: ag.einsum("ij,jk->ki", a, a), MATRICES),
    (lambda a: ag.kron(a, a), MATRICES), (lambda a: ag.cdist(a, a + 1), MATRICES), (lambda a: a.trace(), MATRICES),
    (lambda a: F.scaled_dot_product_attention(a[None], a[None], a[None]), MATRICES), (ag.cov, MATRICES),
    (lambda x: F.one_hot((x > 0).long(), 2), VECTORS), (lambda x: ag.searchsorted(ag.sort(x)[0], x), VECTORS),
    (lambda x: x.masked_fill(x > 0, 0.0), VECTORS), (lambda x: ag.nansum(x), VECTORS), (lambda x: x.std(), VECTORS),
    (lambda x: sum(v * k for k, v in enumerate(x)), VECTORS), (lambda x: ag.unique(x), VECTORS),
    (lambda x: ag.isclose(x, x), VECTORS), (lambda x: F.layer_norm(x, (5,)), VECTORS),
    (lambda x: 2.0 * x - x / 3, VECTORS),
    (lambda a: ag.geqrf(a), MATRICES), (lambda a: LINALG.lu(a), MATRICES), (lambda a: LINALG.matrix_rank(a), MATRICES),
    (lambda a: F.max_pool2d(a[None], 2, return_indices=True), MATRICES), (lambda x: ag.cov(x, aweights=x * x), VECTORS),
    (lambda x: np.ones(5) + x * np.arange(5.0), VECTORS), (lambda x: x.float() + x.int(), VECTORS),
])
def test_functions_made_of_ops(f, xs):
    agree(vmap(f)(xs), loop(f, xs))


@pytest.mark.parametrize("f", [
    lambda v, i: v[i], lambda v, i: ag.gather(v, 0, i), lambda v, i: ag.take(v, i),
    lambda v, i: ag.index_select(v, 0, i),
    lambda v, i: v[i[0]] * v, lambda v, i: v[:, None][i, 0], lambda v, i: F.embedding(i, v[:, None]),
    lambda v, i: ag.scatter(v, 0, i, 1.0), lambda v, i: F.cross_entropy(v[None], i[:1]),
    lambda v, i: F.cross_entropy(v, i[0]), lambda v, i: F.nll_loss(v[None], i[:1]), lambda v, i: F.one_hot(i, 5),
    lambda v, i: Tensor(np.arange(5.0))[i] * v[:2], lambda v, i: ag.stack([v, v * 2, v, v])[i[0] % 4, i[:, None] % 5],
    lambda v, i: ag.stack([v, v * 2]).T[i, None, :], lambda v, i: ag.stack([ag.stack([v, v * 2])] * 3)[:, i % 2, :2],
    lambda v, i: ag.stack([ag.stack([v, v * 2])] * 3)[i[0] % 3, :, i], lambda v, i: v[..., i, None],
    lambda v, i: ag.stack([ag.stack([v, v * 2])] * 3)[[0, 2], :, i],
])
def test_indices_with_lanes(f):
    for axes in ((0, 0), (None, 0), (0, None)):
        args = [a if axis == 0 else Tensor(a[0]) for a, axis in zip((VECTORS, INDEX), axes, strict=True)]
        expected = loop(lambda *xs: f(*[ag.as_tensor(x) for x in xs]), *args, axes=axes)
        agree(vmap(f, in_axes=axes)(*args), expected)
    g = lambda v, i: (f(v, i) ** 2).sum() * 1.0
    agree(vmap(grad(g))(VECTORS, INDEX), loop(grad(g), VECTORS, INDEX))


@pytest.mark.parametrize("index", [
    1, -1, slice(1, None), slice(None, None, -2), (slice(None), 1), (None, 0), (..., 0), ([0, 2], 1),
    ([0, 2], slice(1)), (slice(None), [1, 0, 1]), (0, slice(None), [1, 0]), ([1, 0], slice(None), [1, 0]),
    ([1, 0], None, slice(None), [1, 0]),
    np.array([[0, 1], [1, 2]]), np.array([True, False, True]), (..., [0, 1]), (slice(None), [[1], [0]], [0, 1]),
    (None, [0, 1], ..., 1), np.arange(12).reshape(3, 2, 2) % 2 == 0,
])
def test_indices_of_all_kinds(index):
    xs = np.random.default_rng(8).standard_normal((4, 3, 2, 2))
    f = lambda x: x[index] * 2
    agree(vmap(f)(xs), loop(f, xs))
    agree(vmap(grad(lambda x: (f(x) ** 2).sum()))(xs), loop(grad(lambda x: (f(x) ** 2).sum()), xs))


def test_changes_in_place():
    def f(x):
        y = x * 1
        y[1] = x[0] * 2
        y[[0, 0]] = 7.0
        y *= 3
        y += x
        return y
    expected = X + 3 * np.stack([np.full(4, 7.0), 2 * X[:, 0], X[:, 2]], 1)
    assert np.allclose(vmap(f)(X), expected)
    assert np.allclose(vmap(grad(lambda x: f(x).sum()))(X), [7, 1, 4])


def test_lanes_of_different_shapes():
    for f in (lambda x: x[x > 0], lambda x: ag.unique(ag.round(x)), lambda x: ag.masked_select(x, x > 0)):
        with pytest.raises(ShapeError, match=r"one shape|must have one"):
            vmap(f)(X)


def test_errors_speak_of_one_lane():
    with pytest.raises(ShapeError, match=r"got \(2,\) float64 and|\(2,\)"):
        vmap(lambda x: x + Tensor(np.ones(2)))(X)
    with pytest.raises(ShapeError, match="mat1 and mat2 shapes cannot be multiplied"):
        vmap(lambda x: x @ Tensor(np.ones((2, 2))))(X)
    with pytest.raises(IndexError):
        vmap(lambda x: x[5])(X)
    with pytest.raises((IndexError, ShapeError, ValueError)):
        vmap(lambda x: x.sum(3))(X)


def test_randomness():
    noise = lambda x: x + ag.randn(3, dtype="float64")
    with pytest.raises(RuntimeError, match="randomness='different'"):
        vmap(noise)(X)
    ag.manual_seed(0)
    same = vmap(noise, randomness="same")(X) - X
    assert np.allclose(same, same[0]) and np.ptp(same[0]) > 0
    different = vmap(noise, randomness="different")(X) - X
    assert len({round(v, 9) for v in different.ravel()}) == 12
    ag.manual_seed(0)
    again = vmap(lambda x: F.dropout(x + 10, 0.5), randomness="different")(np.ones((40, 20)))
    assert 0.4 < np.mean(again == 0) < 0.6 and len({row.tobytes() for row in again}) == 40
    same = vmap(lambda x: ag.unique(x)[:1] * 0 + ag.randn(2, dtype="float64"), randomness="same")(X)
    assert np.allclose(same, same[0]), "also where the lanes run one by one"
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(lambda x: ag.unique(x)[:1] * 0 + ag.randn(2, dtype="float64"))(X)
    with pytest.raises(ValueError, match="randomness must be"):
        vmap(noise, randomness="sometimes")


def test_modes_and_threads():
    with ag.no_grad():
        assert np.allclose(vmap(grad(lambda x: (x ** 2).sum()))(X), 2 * X)
        assert not vmap(lambda x: x * 2)(Tensor(X, requires_grad=True)).requires_grad
    results = {}

    def work(k):
        results[k] = vmap(grad(lambda x: (x ** k).sum()))(X)
    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.allclose(results[k], k * X ** (k - 1)) for k in range(1, 6))


def test_large_jacobians_go_in_chunks():
    f = lambda x: ag.cumsum(ag.sin(x), 0) * x.sum()
    x = np.linspace(-1, 1, 23)
    expected = np.stack([jvp(f, (x,), (e,))[1] for e in np.eye(23)], -1)
    for chunk in (None, 1, 5, 23, 100):
        for transform in (jacrev, jacfwd):
            assert np.allclose(transform(f, chunk_size=chunk)(x), expected)
    assert np.allclose(hessian(lambda x: f(x).sum(), chunk_size=4)(x), jacobian(grad(lambda x: f(x).sum()))(x))
    with pytest.raises(ValueError, match="chunk_size"):
        jacobian(f, chunk_size=0)


def test_memory_decides_how_many_rows_go_together(monkeypatch):
    from autograd.transforms import jacobians
    taken = []
    chunks = jacobians._chunks
    monkeypatch.setattr(jacobians, "_chunks", lambda *args: taken.append(list(chunks(*args))) or taken[-1])
    x = np.linspace(0, 1, 10)
    wide = lambda x: ag.outer(x, np.ones(1000)).sum(1) * x
    for room, most in ((1 << 24, 10), (4 * 10_000 * 3, 3), (1, 1)):
        monkeypatch.setattr(jacobians, "ROOM", room)
        taken.clear()
        assert np.allclose(jacrev(wide)(x), np.diag(2000 * x))
        assert max(last - first for first, last in taken[0]) <= most and taken[0][-1][1] == 10
        assert np.allclose(jacfwd(wide)(x), np.diag(2000 * x))


def test_the_words_of_pytorch():
    x, w = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    f = lambda x, w: (x * w).sum() * x
    ours = ag.vmap(f, (1, 0), 1)(x, w)
    assert np.array_equal(ag.vmap(f, in_dims=(1, 0), out_dims=1)(x, w), ours)
    assert np.array_equal(ag.vmap(f, in_dims=(0, None))(x, w), ag.vmap(f, (0, None))(x, w))
