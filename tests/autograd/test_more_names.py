"""Names beyond the first hundreds: values beside NumPy, first and second derivative beside central differences."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Tensor

H = 1e-6
RNG = np.random.default_rng(0)


def draw(*shape, positive=False):
    made = RNG.standard_normal(shape)
    return np.abs(made) + 0.3 if positive else made


def arrays(x):
    """The values of a result: of a Tensor, an array, or a tuple of those."""
    if isinstance(x, (tuple, list)):
        return [a for part in x for a in arrays(part)]
    return [np.asarray(x.value if isinstance(x, Tensor) else x)]


def real(x):
    return ag.real(x) if x.dtype.kind == "c" else x


def derivatives(f, *xs):
    """First and second derivative of f at real arrays beside central differences of the value and of the first."""
    vs = [np.asarray(np.random.default_rng(k).standard_normal(x.shape)) for k, x in enumerate(xs)]

    def first(h, record=False):
        ts = [Tensor(x + h * v, requires_grad=True) for x, v in zip(xs, vs, strict=True)]
        made = f(*ts)
        made = list(made) if isinstance(made, (tuple, list)) else [made]
        made = [m for m in made if m.requires_grad]
        total = Tensor(np.float64(0))
        for k, m in enumerate(made):
            u = np.asarray(np.random.default_rng(50 + k).standard_normal(m.shape))
            total = total + (real(m * m) * u).sum()            # of degree 2, so that there is a second derivative
        return total, ag.gradients([total], ts, create_graph=record, allow_unused=True), ts

    def along(grads):
        return sum((float((g * v).sum()) for g, v in zip(grads, vs, strict=True) if g is not None), 0.0)

    value, grads, _ = first(0.0)
    assert value.requires_grad
    for g, x in zip(grads, xs, strict=True):
        assert g is None or (g.shape == x.shape and g.dtype == x.dtype)
    slope = (float(first(H)[0].detach()) - float(first(-H)[0].detach())) / (2 * H)
    assert np.isclose(along(grads), slope, rtol=1e-5, atol=1e-6)
    _, grads, ts = first(0.0, record=True)
    dot = sum(((g * v).sum() for g, v in zip(grads, vs, strict=True) if g is not None), Tensor(np.float64(0)))
    second = along(ag.gradients([dot], ts, allow_unused=True))
    bent = (along(first(H)[1]) - along(first(-H)[1])) / (2 * H)
    assert np.isclose(second, bent, rtol=1e-4, atol=1e-4)


X, Y, V, W = draw(2, 3, 4), draw(3, 4), draw(5), draw(4)
HOLED = np.where(RNG.random((3, 4)) < 0.3, np.nan, draw(3, 4))
HOLED[:, 0] = [0.3, 1.2, -0.4]
EVEN = slice(None, None, 2)

# name, ours, NumPy's, inputs
NUMPY = [
    ("average", lambda x: ag.average(x, 1), lambda x: np.average(x, 1), (Y,)),
    ("average, weights", lambda x, w: ag.average(x, weights=w), lambda x, w: np.average(x, weights=w),
     (Y, draw(3, 4, positive=True))),
    ("average, a vector of weights", lambda x, w: ag.average(x, 1, weights=w, returned=True),
     lambda x, w: np.average(x, 1, weights=w, returned=True), (Y, draw(4, positive=True))),
    ("ptp", lambda x: ag.ptp(x, axis=1, keepdims=True), lambda x: np.ptp(x, 1, keepdims=True), (Y,)),
    ("percentile", lambda x: ag.percentile(x, 30, 1), lambda x: np.percentile(x, 30, 1), (Y,)),
    ("percentiles", lambda x: ag.percentile(x, [30.0, 75.0]), lambda x: np.percentile(x, [30.0, 75.0]), (Y,)),
    ("cumulative_sum", lambda x: ag.cumulative_sum(x, axis=1, include_initial=True),
     lambda x: np.cumulative_sum(x, axis=1, include_initial=True), (Y,)),
    ("cumulative_prod", lambda x: ag.cumulative_prod(x, dim=0), lambda x: np.cumulative_prod(x, axis=0), (Y,)),
    ("append", lambda x, y: ag.append(x, y, 0), lambda x, y: np.append(x, y, 0), (Y, draw(2, 4))),
    ("append, flattened", ag.append, np.append, (Y, V)),
    ("delete", lambda x: ag.delete(x, [0, -1], 1), lambda x: np.delete(x, [0, -1], 1), (Y,)),
    ("delete, a slice", lambda x: ag.delete(x, EVEN), lambda x: np.delete(x, EVEN), (Y,)),
    ("insert", lambda x, y: ag.insert(x, [1, 1, 3], y, 1), lambda x, y: np.insert(x, [1, 1, 3], y, 1), (Y, draw(3, 3))),
    ("insert, one place", lambda x, y: ag.insert(x, 1, y, 1), lambda x, y: np.insert(x, 1, y, 1), (Y, draw(3))),
    ("insert, flattened", lambda x, y: ag.insert(x, -2, y), lambda x, y: np.insert(x, -2, y), (Y, draw(3))),
    ("resize", lambda x: ag.resize(x, (5, 4)), lambda x: np.resize(x, (5, 4)), (Y,)),
    ("compress", lambda x: ag.compress([True, False, True], x, 1), lambda x: np.compress([True, False, True], x, 1),
     (Y,)),
    ("extract", lambda x: ag.extract(Y > 0, x), lambda x: np.extract(Y > 0, x), (Y,)),
    ("choose", lambda x, y: ag.choose(np.array([0, 1, 1, 0]), [x, y]),
     lambda x, y: np.choose(np.array([0, 1, 1, 0]), [x, y]), (Y, W)),
    ("piecewise", lambda x: ag.piecewise(x, [Y > 0, Y < -0.5], [ag.sqrt, ag.exp, 2.0]),
     lambda x: np.piecewise(x, [x > 0, x < -0.5], [np.sqrt, np.exp, 2.0]), (Y,)),
    ("rollaxis", lambda x: ag.rollaxis(x, 2, 1), lambda x: np.rollaxis(x, 2, 1), (X,)),
    ("block", lambda x, y: ag.block([[x, x], [y]]), lambda x, y: np.block([[x, x], [y]]), (Y, draw(1, 8))),
    ("partition", lambda x: ag.partition(x, 1), lambda x: np.partition(x, 1), (Y,)),
    ("sliding_window_view", lambda x: ag.sliding_window_view(x, (2, 3)),
     lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 3)), (Y,)),
    ("ediff1d", lambda x: ag.ediff1d(x, 7.0, [1.0, 2.0]), lambda x: np.ediff1d(x, 7.0, [1.0, 2.0]), (Y,)),
    ("polyval", ag.polyval, np.polyval, (W, Y)),
    ("polyder", lambda p: ag.polyder(p, 2), lambda p: np.polyder(p, 2), (V,)),
    ("vander", lambda x: ag.vander(x, 3), lambda x: np.vander(x, 3), (V,)),
    ("vander, increasing", lambda x: ag.vander(x, increasing=True), lambda x: np.vander(x, increasing=True), (W,)),
    ("unwrap", lambda x: ag.unwrap(x * 4, dim=0), lambda x: np.unwrap(x * 4, axis=0), (X,)),
    ("angle", ag.angle, np.angle, (Y,)),
    ("interp", lambda x, xp, fp: ag.interp(x, xp, fp), np.interp, (np.array([-3.0, 0.1, 0.9, 2.5]),
     np.array([-1.0, 0.3, 1.2]), draw(3))),
    ("interp, ends", lambda x, fp: ag.interp(x, [-1.0, 0.3, 1.2], fp, left=5.0, right=-1.0),
     lambda x, fp: np.interp(x, [-1.0, 0.3, 1.2], fp, left=5.0, right=-1.0),
     (np.array([-3.0, 0.1, 0.9, 2.5]), draw(3))),
    ("interp, periodic", lambda x, fp: ag.interp(x, [0.5, 3.3, 1.2], fp, period=4.0),
     lambda x, fp: np.interp(x, [0.5, 3.3, 1.2], fp, period=4.0), (np.array([-3.0, 0.1, 0.9, 7.5]), draw(3))),
    ("histogram, weights", lambda w: ag.histogram(V, 3, weight=w), lambda w: np.histogram(V, 3, weights=w), (V,)),
    ("gradient", lambda x: ag.gradient(x, spacing=0.5), lambda x: np.gradient(x, 0.5), (X,)),
    ("gradient, uneven", lambda x, t: ag.gradient(x, spacing=(t,), dim=1, edge_order=2),
     lambda x, t: np.gradient(x, t, axis=1, edge_order=2), (draw(2, 5), np.array([0.0, 0.4, 1.5, 1.7, 3.0]))),
]
NUMPY += [(f"{name}, {mode}, {n} and {m}", lambda a, v, name=name, mode=mode: getattr(ag, name)(a, v, mode),
           lambda a, v, name=name, mode=mode: getattr(np, name)(a, v, mode), (draw(n), draw(m)))
          for name in ("convolve", "correlate") for mode in ("full", "same", "valid")
          for n, m in ((6, 3), (3, 6), (4, 4), (5, 2), (2, 5))]


@pytest.mark.parametrize("name, ours, theirs, xs", NUMPY, ids=[row[0] for row in NUMPY])
def test_beside_numpy(name, ours, theirs, xs):
    expected = arrays(theirs(*xs))
    for given in (xs, [Tensor(x) for x in xs]):
        for found, wanted in zip(arrays(ours(*given)), expected, strict=True):
            assert found.shape == wanted.shape and found.dtype == wanted.dtype
            assert np.allclose(found, wanted, rtol=1e-12, atol=1e-13)
    derivatives(ours, *xs)


NAN = {
    "nanmax": np.nanmax, "nanmin": np.nanmin, "nanprod": np.nanprod, "nanvar": np.nanvar, "nanstd": np.nanstd,
    "nancumsum": np.nancumsum, "nancumprod": np.nancumprod,
}


@pytest.mark.parametrize("name", NAN)
@pytest.mark.parametrize("dim", [None, 1, 0])
def test_nan_counts_for_nothing(name, dim):
    ours = getattr(ag, name)
    assert np.allclose(ours(HOLED, dim), NAN[name](HOLED, axis=dim), rtol=1e-12)
    t = Tensor(HOLED, requires_grad=True)
    grad, = ag.gradients([ag.sum(ours(t, dim) ** 2)], [t])
    assert np.array_equal(grad.value[np.isnan(HOLED)], np.zeros(np.isnan(HOLED).sum()))
    derivatives(lambda x: ours(ag.where(np.isnan(HOLED), np.nan, x), dim), np.where(np.isnan(HOLED), 1.0, HOLED))


def test_nanpercentile():
    assert np.allclose(ag.nanpercentile(HOLED, 40, 1), np.nanpercentile(HOLED, 40, 1))
    assert np.isnan(ag.nanmax(np.full((2, 2), np.nan), 0)).all()


def test_average_of_integers_and_without_weight():
    assert ag.average(np.arange(4)) == 1.5
    with pytest.raises(ZeroDivisionError, match="sum to zero"):
        ag.average(V, weights=np.zeros(5))
    with pytest.raises(ag.ShapeError, match="expected weights of the shape of x"):
        ag.average(Y, weights=np.ones(4))


def test_logmeanexp():
    big = Y + 1000
    assert np.allclose(ag.logmeanexp(big, 1), np.log(np.mean(np.exp(Y), 1)) + 1000)
    derivatives(lambda x: ag.logmeanexp(x, 0), Y)


def test_lists_are_arrays():
    assert ag.average([1, 2, 6]) == 3 and ag.ptp([3, 1]) == 2 and ag.percentile([1.0, 3.0], 50) == 2
    assert np.array_equal(ag.append([1, 2], [3]), [1, 2, 3]) and np.array_equal(ag.compress([0, 1], [4, 5]), [5])
    assert np.allclose(ag.convolve([1, 2, 3], [0, 1, 0.5]), np.convolve([1, 2, 3], [0, 1, 0.5]))
    assert np.array_equal(ag.block([[1, 2], [3, 4]]), [[1, 2], [3, 4]]) and ag.interp(2.5, [1, 2, 3], [3, 2, 0]) == 1


def test_convolve2d():
    a, v = draw(5, 4), draw(3, 2)
    whole = np.zeros((7, 5))
    for i in range(3):
        for j in range(2):
            whole[i:i + 5, j:j + 4] += v[i, j] * a
    assert np.allclose(ag.convolve2d(a, v), whole)
    assert np.allclose(ag.convolve2d(a, v, "same"), whole[1:6, 0:4])
    assert np.allclose(ag.convolve2d(a, v, "valid"), whole[2:5, 1:4])
    derivatives(ag.convolve2d, a, v)


SEGMENTS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


@pytest.mark.parametrize("name", [*SEGMENTS, "mean"])
def test_segments(name):
    ids = np.array([2, 0, 2, 0, 2])
    x = draw(5, 2)
    ours = getattr(ag, f"segment_{name}")
    found = ours(x, ids, 4)
    for k in (0, 2):
        part = x[ids == k]
        assert np.allclose(found[k], part.mean(0) if name == "mean" else SEGMENTS[name].reduce(part, 0))
    assert np.all(found[[1, 3]] == {"sum": 0, "prod": 1, "max": -np.inf, "min": np.inf, "mean": 0}[name])
    derivatives(lambda t: ours(t, ids // 2), x)
    assert np.allclose(ag.segment_reduce(x, name, lengths=np.array([2, 3]))[1], ours(x, [0, 0, 1, 1, 1])[1])
    with pytest.raises(IndexError, match="segments within"):
        ours(x, ids, 2)


# -- complex numbers --------------------------------------------------------------------------------------

Z = draw(3, 2) + 1j * draw(3, 2)


@pytest.mark.parametrize("f", [ag.real, ag.imag, ag.angle, ag.view_as_real, ag.adjoint], ids=lambda f: f.__name__)
def test_parts_of_complex_numbers(f):
    def of_parts(a, b):
        return ag.view_as_real(out) if (out := f(ag.complex(a, b))).dtype.kind == "c" else out
    derivatives(of_parts, Z.real.copy(), Z.imag.copy())


def test_gradients_of_parts_are_pytorchs():
    z = Tensor(Z, requires_grad=True)
    for f, expected in ((ag.real, np.ones_like(Z)), (ag.imag, 1j * np.ones_like(Z)), (ag.angle, 1j * Z / abs(Z) ** 2)):
        grad, = ag.gradients([f(z).sum()], [z])
        assert np.allclose(grad.value, expected) and grad.dtype == Z.dtype
    assert np.array_equal(ag.view_as_complex(ag.view_as_real(z)).value, Z)
    assert np.array_equal(ag.complex(Z.real, Z.imag), Z)
    assert ag.complex(np.float32(1), np.float32(2)).dtype == "complex64" and ag.complex(1.0, 2.0) == 1 + 2j
    zero = Tensor(np.zeros(1, complex), requires_grad=True)
    assert ag.gradients([ag.angle(zero).sum()], [zero])[0].value == 0


@pytest.mark.parametrize("part, grad", [(ag.real, [18 + 4j, 54 + 8j]), (ag.imag, [2 + 36j, 6 + 72j]),
                                        (ag.view_as_real, [18 + 36j, 54 + 72j])], ids=["real", "imag", "view_as_real"])
def test_parts_are_views(part, grad):
    leaf = Tensor(np.array([1 + 2j, 3 + 4j]), requires_grad=True)
    z = leaf * 1
    part(z).mul_(3.0)                         # changes z, and its history
    length = ag.abs(z)
    found, = ag.gradients([(length * length).sum()], [leaf])
    assert np.allclose(found.value, grad)


def test_copies_have_memory_of_their_own():
    for made, view in ((ag.view_as_real_copy(Z), ag.view_as_real(Z)), (ag.select_copy(Y, 1, 2), Y[:, 2]),
                       (ag.slice_copy(Y, 1, 1, None, 2), Y[:, 1::2]), (ag.split_copy(Y, 2)[1], Y[2:]),
                       (ag.view_as_complex_copy(X[..., :2].copy()), X[..., 0] + 1j * X[..., 1]),
                       (ag.detach_copy(Tensor(Y, requires_grad=True)), Y)):
        found = made.value if isinstance(made, Tensor) else made
        assert np.array_equal(found, view) and not np.shares_memory(found, view) and not np.shares_memory(found, Y)
    derivatives(lambda x: (*ag.split_copy(x, 2), ag.slice_copy(x, 0, 1), ag.select_copy(x, 0, 0)), Y)


def test_real_numbers_have_no_imaginary_part():
    with pytest.raises(TypeError, match="expected complex numbers; got float64"):
        ag.imag(Tensor(Y))
    with pytest.raises(TypeError, match="two parts of one floating-point dtype"):
        ag.complex(np.ones(2, np.float32), np.ones(2))
    with pytest.raises(ag.ShapeError, match="last axis of 2"):
        ag.view_as_complex(Tensor(Y))
    assert ag.real(Tensor(Y)).value is Y or np.array_equal(ag.real(Tensor(Y)).value, Y)
    assert np.array_equal(ag.angle(np.array([-2.0, -0.0, 0.0, 3.0])), [np.pi, 0, 0, 0])


# -- strides ----------------------------------------------------------------------------------------------


def test_strides():
    x = np.arange(12.0).reshape(3, 4)
    assert np.array_equal(ag.as_strided(x, (2, 3), (4, 1), 1), [[1, 2, 3], [5, 6, 7]])
    derivatives(lambda t: ag.as_strided(t, (3, 3), (2, 1)), x)          # overlapping
    derivatives(lambda t, s: ag.as_strided_scatter(t, s, (2, 2), (4, 2), 1), x, draw(2, 2))
    with pytest.raises(ag.ShapeError, match="reach element 12"):
        ag.as_strided(x, (3,), (4,), 4)


# -- CTC --------------------------------------------------------------------------------------------------


def likelihood(p, labels, blank):
    """The probability of the labels by trying all paths."""
    total = 0.0
    for path in np.ndindex(*(p.shape[1],) * p.shape[0]):
        merged = [k for i, k in enumerate(path) if i == 0 or path[i - 1] != k]
        if [k for k in merged if k != blank] == list(labels):
            total += np.prod(p[np.arange(len(path)), list(path)])
    return total


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_is_the_sum_over_all_paths(blank):
    scores = draw(4, 3, 3)
    log_p = ag.log_softmax(scores, dim=-1)
    a, b = (k for k in range(3) if k != blank)
    sequences, times = [[a, a], [a, b, a], []], [4, 3, 4]
    padded = np.array([[*s, *[a] * (3 - len(s))] for s in sequences])
    lengths = np.array([len(s) for s in sequences])
    expected = [-np.log(likelihood(np.exp(log_p[:t, n]), s, blank)) for n, (s, t) in enumerate(zip(sequences, times))]
    loss = nn.functional.ctc_loss
    args = (padded, np.array(times), lengths, blank)
    assert np.allclose(loss(log_p, *args, "none"), expected)
    joined = np.array([k for s in sequences for k in s])
    assert np.allclose(loss(log_p, joined, times, tuple(lengths), blank, "sum"), sum(expected))
    assert np.allclose(loss(log_p, *args), np.mean(np.array(expected) / np.maximum(lengths, 1)))
    assert np.allclose(loss(log_p[:, 0], padded[0, :2], np.array(4), np.array(2), blank, "none"), expected[0])
    derivatives(lambda x: loss(ag.log_softmax(x, dim=-1), *args, "none"), scores)


def test_ctc_without_alignment():
    scores = Tensor(draw(2, 2, 3), requires_grad=True)
    args = np.array([[1, 1], [1, 2]]), np.array([2, 2]), np.array([2, 2])
    log_p = ag.log_softmax(scores, dim=-1)
    lost = nn.functional.ctc_loss(log_p, *args, reduction="none")
    assert lost.value[0] == np.inf and np.isfinite(lost.value[1])
    grad, = ag.gradients([lost.sum()], [scores], retain_graph=True)
    assert np.isnan(grad.value[:, 0]).all() and np.isfinite(grad.value[:, 1]).all()
    kept = nn.functional.ctc_loss(log_p, *args, reduction="none", zero_infinity=True)
    grad, = ag.gradients([kept.sum()], [scores])
    assert kept.value[0] == 0 and np.all(grad.value[:, 0] == 0) and np.any(grad.value[:, 1] != 0)


def test_ctc_of_certainties_in_float32():
    scores = np.full((3, 1, 3), -400, np.float32)
    scores[[0, 1, 2], 0, [1, 0, 2]] = 0
    x = Tensor(scores, requires_grad=True)
    loss = nn.functional.ctc_loss(ag.log_softmax(x, dim=-1), np.array([[1, 1]]), [3], [2], reduction="sum")
    loss.backward()
    assert loss.dtype == np.float32 and np.isclose(float(loss.detach()), 400) and np.isfinite(x.grad.value).all()


@pytest.mark.parametrize("change, error, text", [
    ({"targets": np.array([[3, 1]])}, IndexError, "labels within 0..2"),
    ({"input_lengths": [5]}, ValueError, "input_lengths within 0..4; got \\[5\\]"),
    ({"target_lengths": [2, 2]}, ag.ShapeError, "one length for each of 1 sequences"),
    ({"blank": 3}, ValueError, "blank within 0..2"),
    ({"reduction": "avg"}, ValueError, "got 'avg'"),
    ({"targets": np.array([[1.0, 2.0]])}, TypeError, "targets to be integers"),
])
def test_ctc_refuses(change, error, text):
    given = {"log_probs": np.zeros((4, 1, 3)), "targets": np.array([[1, 2]]), "input_lengths": [4],
             "target_lengths": [2]}
    with pytest.raises(error, match=text):
        nn.functional.ctc_loss(**(given | change))


# -- bags -------------------------------------------------------------------------------------------------

TABLE = draw(6, 3)
INDEX = np.array([1, 4, 1, 0, 5, 5])


def by_hand(index, bags, mode, padding=None, factors=None):
    rows = []
    for start, end in bags:
        inside = [k for k in range(start, end) if index[k] != padding]
        part = TABLE[index[inside]] * (1 if factors is None else factors[inside][:, None])
        rows.append({"sum": np.sum, "mean": np.mean, "max": np.max}[mode](part, 0) if inside else np.zeros(3))
    return np.array(rows)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 5])
def test_embedding_bag(mode, padding):
    bag = nn.functional.embedding_bag
    offsets = np.array([0, 3, 3])
    expected = by_hand(INDEX, [(0, 3), (3, 3), (3, 6)], mode, padding)
    assert np.allclose(bag(INDEX, TABLE, offsets, mode=mode, padding_idx=padding), expected)
    last = bag(INDEX, TABLE, np.array([0, 3, 3, 5]), mode=mode, padding_idx=padding, include_last_offset=True)
    assert np.allclose(last, by_hand(INDEX, [(0, 3), (3, 3), (3, 5)], mode, padding))
    square = bag(INDEX.reshape(2, 3), TABLE, mode=mode, padding_idx=padding)
    assert np.allclose(square, by_hand(INDEX, [(0, 3), (3, 6)], mode, padding))
    derivatives(lambda w: bag(INDEX, w, offsets, mode=mode, padding_idx=padding), TABLE)


def test_weighted_bag():
    factors, offsets = draw(6), np.array([0, 2])
    found = nn.functional.embedding_bag(INDEX, TABLE, offsets, mode="sum", per_sample_weights=factors, padding_idx=1)
    assert np.allclose(found, by_hand(INDEX, [(0, 2), (2, 6)], "sum", 1, factors))
    derivatives(lambda w, f: nn.functional.embedding_bag(INDEX, w, offsets, mode="sum", per_sample_weights=f),
                TABLE, factors)


def test_a_bag_shortens_rows_and_refuses_what_does_not_fit():
    bag, table = nn.functional.embedding_bag, Tensor(TABLE.copy())
    bag(INDEX, table, np.array([0]), max_norm=0.5)
    norms = np.linalg.norm(table.value, axis=1)
    assert np.all(norms[[0, 1, 4, 5]] <= 0.5 + 1e-6) and np.allclose(table.value[[2, 3]], TABLE[[2, 3]])
    with pytest.raises(ValueError, match="must begin with 0"):
        bag(INDEX, TABLE, np.array([1, 3]))
    with pytest.raises(ValueError, match="offsets has to be None"):
        bag(INDEX.reshape(2, 3), TABLE, np.array([0]))
    with pytest.raises(NotImplementedError, match="mode 'sum' only"):
        bag(INDEX, TABLE, np.array([0]), per_sample_weights=draw(6))


# -- attention, pooling, losses ---------------------------------------------------------------------------


def attention(x, w, b, o, **options):
    return nn.functional.multi_head_attention_forward(x, x, x, 4, 2, w, b, None, None, False, 0.0, o, None, **options)


def test_attention_of_heads():
    x, w, b, o = draw(3, 2, 4), draw(12, 4), draw(12), draw(4, 4)
    out, shares = attention(x, w, b, o, average_attn_weights=False)
    q, k, v = ((x @ part.T + c).reshape(3, 2, 2, 2) for part, c in zip(np.split(w, 3), np.split(b, 3)))
    scores = np.einsum("lnhd,snhd->nhls", q, k) / np.sqrt(2)
    wanted = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert np.allclose(shares, wanted)
    assert np.allclose(out, np.einsum("nhls,snhd->lnhd", wanted, v).reshape(3, 2, 4) @ o.T)
    assert np.allclose(attention(x, w, b, o, need_weights=False)[0], out)
    assert np.allclose(attention(x, w, b, o)[1], wanted.mean(1))
    hidden = np.triu(np.ones((3, 3), bool), 1)
    masked = attention(x, w, b, o, attn_mask=hidden, key_padding_mask=np.array([[False, False, True]] * 2))
    for given in ({"need_weights": False}, {}):
        same = attention(x, w, b, o, attn_mask=hidden, key_padding_mask=np.array([[False, False, True]] * 2), **given)
        assert np.allclose(same[0], masked[0])
    assert np.all(masked[1][:, hidden] == 0) and np.all(masked[1][:, :, 2] == 0)
    derivatives(lambda *given: attention(*given, attn_mask=hidden), x, w, b, o)


@pytest.mark.parametrize("d", [2, 3])
def test_fractional_pooling(d):
    pool = getattr(nn.functional, f"fractional_max_pool{d}d")
    x = draw(2, 3, *(7, 8, 6)[:d])
    ag.manual_seed(3)
    out, index = pool(x, 2, output_ratio=0.5, return_indices=True)
    assert out.shape == (2, 3, *(3, 4, 3)[:d])
    assert np.array_equal(np.take_along_axis(x.reshape(2, 3, -1), index.reshape(2, 3, -1), 2), out.reshape(2, 3, -1))
    at = np.array(np.unravel_index(index, x.shape[2:]))
    for axis in range(d):                     # windows follow one another along their axis
        assert np.all(np.diff(at[axis], axis=2 + axis) >= -1)
    whole = pool(x, 2, output_size=tuple(n - 1 for n in x.shape[2:]))
    assert np.array_equal(whole, getattr(nn.functional, f"max_pool{d}d")(x, 2, 1))
    draws = RNG.random((2, 3, d))
    derivatives(lambda t: pool(t, 2, output_size=2, _random_samples=draws), x)


def test_linear_cross_entropy():
    x, w, b, y = draw(5, 4), draw(3, 4), draw(3), np.array([0, 2, 1, -100, 2])
    expected = nn.functional.cross_entropy(nn.functional.linear(x, w, b), y)
    assert np.allclose(nn.functional.linear_cross_entropy(x, w, y, linear_bias=b), expected)
    derivatives(lambda *given: nn.functional.linear_cross_entropy(given[0], given[1], y, linear_bias=given[2]), x, w, b)


# -- low rank ---------------------------------------------------------------------------------------------


def test_low_rank():
    left, right = draw(9, 2), draw(2, 6)
    a = left @ right
    ag.manual_seed(0)
    for given in (a, a.T):
        U, S, V_ = ag.svd_lowrank(given, q=2)
        assert np.allclose(U * S @ V_.T, given) and np.allclose(S, np.linalg.svd(given)[1][:2])
    _, S, V_ = ag.pca_lowrank(draw(20, 4) + 5, q=4)
    assert np.all(np.diff(S) <= 0) and V_.shape == (4, 4)

    def values(t):
        ag.manual_seed(0)
        return ag.svd_lowrank(t, q=2)[1]
    derivatives(values, a)


def test_eigenvalues_of_a_pencil():
    m, c = draw(4, 4), draw(4, 4)
    a, b = m + m.T, c @ c.T + np.eye(4)
    values, vectors = ag.lobpcg(a, 2, b)
    assert np.allclose(a @ vectors, b @ vectors * values) and values[0] > values[1]
    assert np.allclose(vectors.T @ b @ vectors, np.eye(2))
    assert np.isclose(ag.lobpcg(a, 1, largest=False)[0][0], np.linalg.eigvalsh(a)[0])
    derivatives(lambda x, y: ag.lobpcg(x + x.mT, 2, ag.matmul(y, y.mT) + np.eye(4))[0], m, c)


# -- random -----------------------------------------------------------------------------------------------


def test_draws_are_reparameterised():
    mean, std = Tensor(np.zeros(4), requires_grad=True), Tensor(np.full(4, 2.0), requires_grad=True)
    ag.manual_seed(1)
    x = ag.normal(mean, std)
    to_mean, to_std = ag.gradients([x.sum()], [mean, std])
    assert np.all(to_mean.value == 1) and np.allclose(to_std.value * 2, x.value)
    low = Tensor(np.ones(3), requires_grad=True)
    x = ag.uniform(low, 3.0)
    assert np.all((x.value >= 1) & (x.value < 3))
    assert np.allclose(ag.gradients([x.sum()], [low])[0].value, 1 - (x.value - 1) / 2)
    chance = Tensor(np.full(5, 0.4), requires_grad=True)
    assert np.all(ag.gradients([ag.bernoulli(chance).sum()], [chance])[0].value == 0)
    assert ag.normal(2.0, 3.0, (2, 2)).dtype == np.float32 and ag.uniform(size=3).shape == (3,)
    assert isinstance(ag.normal(np.zeros(3), 1.0), np.ndarray)


def test_moments_of_draws():
    ag.manual_seed(0)
    n = 40_000
    rate = np.full(n, 2.5)
    assert abs(ag.poisson(rate).mean() - 2.5) < 0.05 and abs(ag.poisson(rate).var() - 2.5) < 0.1
    assert abs(ag.binomial(np.full(n, 10.0), np.full(n, 0.3)).mean() - 3) < 0.05
    assert abs(ag.bernoulli(np.full(n, 0.3)).mean() - 0.3) < 0.01
    weights = np.array([[1.0, 0.0, 3.0], [2.0, 2.0, 0.0]])
    drawn = ag.multinomial(weights, n, replacement=True)
    assert not np.any(drawn[0] == 1) and not np.any(drawn[1] == 2)
    assert abs((drawn[0] == 2).mean() - 0.75) < 0.01 and abs((drawn[1] == 1).mean() - 0.5) < 0.01
    first = np.array([ag.multinomial(weights[0], 2) for _ in range(400)])
    assert np.all(np.sort(first, 1) == [0, 2]) and abs((first[:, 0] == 2).mean() - 0.75) < 0.08
    for wrong in ({"num_samples": 3}, {"num_samples": 4}, {"num_samples": 0}):
        with pytest.raises(ValueError, match="multinomial"):
            ag.multinomial(weights[0], **wrong)
    with pytest.raises(ValueError, match="at least 0"):
        ag.multinomial(np.array([1.0, -1.0]), 1)
    soft = nn.functional.gumbel_softmax(Tensor(np.tile([0.0, np.log(3)], (n, 1)), requires_grad=True), hard=True)
    assert abs(soft.value[:, 1].mean() - 0.75) < 0.01 and set(np.unique(soft.value.round(12))) == {0, 1}


def test_gumbel_softmax_has_the_gradient_of_the_soft_draw():
    logits = draw(3, 4)

    def soft(x, hard=False):
        ag.manual_seed(5)
        return nn.functional.gumbel_softmax(x, 0.7, hard)
    derivatives(soft, logits)
    u, t = draw(3, 4), Tensor(logits, requires_grad=True)
    one, other = (ag.gradients([(soft(t, hard) * u).sum()], [t])[0].value for hard in (False, True))
    assert np.allclose(one, other)


FILLS = {"uniform_": ((1.0, 3.0), 2), "normal_": ((1.0, 0.5), 1), "log_normal_": ((0.0, 0.5), np.exp(0.125)),
         "exponential_": ((2.0,), 0.5), "geometric_": ((0.25,), 4), "bernoulli_": ((0.3,), 0.3), "random_": ((1, 4), 2)}


@pytest.mark.parametrize("name", [*FILLS, "cauchy_"])
def test_fills(name):
    ag.manual_seed(2)
    fill, (given, mean) = getattr(Tensor, name), FILLS.get(name, ((3.0, 0.5), None))
    for dtype in ("float32", "float64"):
        x = Tensor(np.zeros((200, 200), dtype))
        held = x.value
        assert fill(x, *given) is x and x.value is held and x.dtype == dtype       # in its own memory
        if mean is None:
            assert abs(np.median(held) - 3) < 0.05
        else:
            assert abs(held.mean() - mean) < 0.05
    leaf = Tensor(np.zeros(30), requires_grad=True)
    with pytest.raises(ag.GradientError, match="no_grad"):
        fill(leaf, *given)
    with ag.no_grad():
        assert np.any(fill(leaf, *given).value != 0) and leaf.requires_grad
    computed = leaf * 2
    part = computed[:10]
    fill(part, *given)                        # what was overwritten has no part in the result any more
    grad, = ag.gradients([computed.sum()], [leaf])
    assert np.array_equal(grad.value, [0] * 10 + [2] * 20)


# -- small things -----------------------------------------------------------------------------------------


def test_mantissa_and_exponent():
    x = np.array([0.0, 1.0, -6.5, 1e-310, 1e308, np.inf])
    mantissa, exponent = ag.frexp(x)
    expected = np.frexp(x)
    assert np.array_equal(mantissa, expected[0]) and np.array_equal(exponent[:5], expected[1][:5])
    assert exponent.dtype == np.int32
    derivatives(lambda t: ag.frexp(t).mantissa, V)
    derivatives(ag.positive, V)
    with pytest.raises(TypeError, match="bools"):
        ag.positive(np.array([True]))


def test_queries():
    assert ag.broadcast_shapes((2, 1), 3, (1, 1, 1)) == (1, 2, 3)
    with pytest.raises(ag.ShapeError, match="axis by axis"):
        ag.broadcast_shapes((2,), (3,))
    places = ag.unravel_index(Tensor(np.array([5, 11])), (3, 4))
    assert [p.tolist() for p in places] == [[1, 2], [1, 3]]
    assert np.array_equal(ag.ravel_multi_index(places, (3, 4)).value, [5, 11])
    with pytest.raises(ValueError, match="expected indices within"):
        ag.unravel_index(np.array([12]), (3, 4))
    assert ag.promote_types("int64", "float16") == np.float16 and ag.result_type(Tensor(V), 1j) == np.complex128
    assert ag.can_cast("int64", "float32") and not ag.can_cast("float32", "int64")
    assert ag.is_tensor(Tensor(V)) and not ag.is_tensor(V) and ag.numel(Y) == 12 and ag.is_nonzero(Tensor([2.0]))
    assert ag.is_floating_point(V) and ag.is_complex(Z) and not ag.is_signed(np.array([True]))
    assert ag.is_same_size(V, V + 1)


def test_memory_of_ones_own_layout():
    made = ag.empty_strided((2, 3), (1, 2), dtype="float64")
    assert made.shape == (2, 3) and made.value.strides == (8, 16)
    made = ag.empty_permuted((2, 3, 4), (2, 0, 1))
    assert made.shape == (2, 3, 4) and made.value.transpose(2, 0, 1).flags.c_contiguous
    assert ag.scalar_tensor(3).dtype == np.float32 and ag.scalar_tensor(3).shape == ()
    assert np.allclose(ag.geomspace(1, 100, 3).value, [1, 10, 100])


def test_normalisations_with_what_they_computed():
    x, w, b = draw(4, 6), draw(6), draw(6)
    out, mean, scale = ag.native_layer_norm(x, (6,), w, b, 1e-5)
    assert np.allclose(out, nn.functional.layer_norm(x, (6,), w, b))
    assert np.allclose(mean, x.mean(1, keepdims=True)) and np.allclose(scale, (x.var(1, keepdims=True) + 1e-5) ** -0.5)
    derivatives(lambda *given: ag.native_layer_norm(given[0], (6,), *given[1:], 1e-5), x, w, b)
    images = draw(2, 6, 5)
    derivatives(lambda *given: ag.native_group_norm(*given, 2, 6, 5, 3, 1e-5), images, w, b)
    kept, spread = np.zeros(6), np.ones(6)
    out, mean, _ = ag.native_batch_norm(images, w, b, kept, spread, True, 0.5, 1e-5)
    assert np.allclose(kept, images.mean((0, 2)) / 2) and np.allclose(mean, images.mean((0, 2)))
    assert np.allclose(spread, 0.5 + images.var((0, 2), ddof=1) / 2)
    derivatives(lambda *given: ag.native_batch_norm(*given, None, None, True, 0.5, 1e-5), images, w, b)
    ag.manual_seed(0)
    out, mask = ag.native_dropout(np.ones(1000), 0.25)
    assert np.array_equal(out, mask / 0.75) and abs(mask.mean() - 0.75) < 0.05


@pytest.mark.parametrize("n", [1, 4, 5])
@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
def test_cosine_transforms(n, norm):
    x, k = draw(2, n, 3), np.arange(n)
    waves = 2 * np.cos(np.pi * np.outer(k, 2 * k + 1) / (2 * n))
    if norm == "ortho":
        waves *= np.where(k == 0, np.sqrt(0.25 / n), np.sqrt(0.5 / n))[:, None]
        assert np.allclose(waves @ waves.T, np.eye(n))
    elif norm == "forward":
        waves = waves / (2 * n)
    transformed = ag.dct(x, norm=norm, axis=1)
    assert np.allclose(transformed, np.einsum("kj,ajb->akb", waves, x))
    assert np.allclose(ag.idct(transformed, norm=norm, dim=1), x)
    assert np.allclose(ag.idct(ag.dct(x, 3, dim=1, norm=norm), 3, dim=1, norm=norm), x)
    assert np.allclose(ag.dct(x, n=5), ag.dct(np.concatenate([x, np.zeros((2, n, 2))], -1)))
    assert np.allclose(ag.dct(x, n=2), ag.dct(x[..., :2]))
    assert ag.dct(x.astype(np.float32)).dtype == np.float32
    derivatives(lambda t: ag.dct(t, 3, dim=1, norm=norm), x)
    derivatives(lambda t: ag.idct(t, norm=norm, dim=0), x)
