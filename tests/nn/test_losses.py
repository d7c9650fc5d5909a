"""Losses: values by their formulas, every form of cross-entropy, the traps, and errors for wrong shapes and labels."""

import itertools
import math

import numpy as np
import pytest

import nn
from autograd import ShapeError, Tensor, gradcheck, gradgradcheck, gradients
from nn import functional as F

rng = np.random.default_rng(0)
A, B = rng.standard_normal((2, 6, 3))
P, Q = 1 / (1 + np.exp(-A)), 1 / (1 + np.exp(-B))
SIGNS = np.where(rng.random((6, 3)) < 0.5, -1.0, 1.0)
W3, W63 = rng.random(3) + 0.5, rng.random((6, 3)) + 0.5

# name: (loss(input, target, reduction=...), its formula element by element, input, target)
FORMULAS = {
    "mse": (F.mse_loss, lambda x, t: (x - t) ** 2, A, B),
    "l1": (F.l1_loss, lambda x, t: abs(x - t), A, B),
    "smooth_l1": (lambda *a, **k: F.smooth_l1_loss(*a, beta=0.3, **k),
                  lambda x, t: np.where(abs(x - t) < 0.3, (x - t) ** 2 / 0.6, abs(x - t) - 0.15), A, B),
    "smooth_l1_of_0": (lambda *a, **k: F.smooth_l1_loss(*a, beta=0, **k), lambda x, t: abs(x - t), A, B),
    "huber": (lambda *a, **k: F.huber_loss(*a, delta=0.3, **k),
              lambda x, t: np.where(abs(x - t) <= 0.3, (x - t) ** 2 / 2, 0.3 * (abs(x - t) - 0.15)), A, B),
    "bce": (F.binary_cross_entropy, lambda p, t: -t * np.log(p) - (1 - t) * np.log(1 - p), P, Q),
    "bce_weighted": (lambda p, t, **k: F.binary_cross_entropy(p, t, W3, **k),
                     lambda p, t: W3 * (-t * np.log(p) - (1 - t) * np.log(1 - p)), P, Q),
    "bce_with_logits": (F.binary_cross_entropy_with_logits,
                        lambda x, t: -t * np.log(P) - (1 - t) * np.log(1 - P), A, Q),
    "bce_with_logits_weighted": (lambda x, t, **k: F.binary_cross_entropy_with_logits(x, t, W63, pos_weight=W3, **k),
                                 lambda x, t: W63 * (-W3 * t * np.log(P) - (1 - t) * np.log(1 - P)), A, Q),
    "kl_div": (F.kl_div, lambda x, t: t * (np.log(t) - x), A, Q),
    "kl_div_of_logs": (lambda *a, **k: F.kl_div(*a, log_target=True, **k), lambda x, t: np.exp(t) * (t - x), A, B),
    "hinge": (lambda x, t, **k: F.hinge_embedding_loss(x, Tensor(SIGNS), margin=0.7, **k),
              lambda x, t: np.where(SIGNS == 1, x, np.maximum(0, 0.7 - x)), A, B),
    "ranking": (lambda x, t, **k: F.margin_ranking_loss(x, t, Tensor(SIGNS), margin=0.2, **k),
                lambda x, t: np.maximum(0, 0.2 - SIGNS * (x - t)), A, B),
    "cosine": (lambda x, t, **k: F.cosine_embedding_loss(x, t, Tensor(SIGNS[:, 0]), margin=0.1, **k),
               lambda x, t: np.where(SIGNS[:, 0] == 1, 1 - cosine(x, t), np.maximum(0, cosine(x, t) - 0.1)), A, B),
}


def cosine(x, y):
    return (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    loss, formula, x, t = FORMULAS[name]
    wanted = formula(x, t)
    assert np.allclose(loss(Tensor(x), Tensor(t), reduction="none").numpy(), wanted, rtol=1e-12)
    assert loss(Tensor(x), Tensor(t), reduction="sum").item() == pytest.approx(wanted.sum(), rel=1e-12)
    assert loss(Tensor(x), Tensor(t)).item() == pytest.approx(wanted.mean(), rel=1e-12)


@pytest.mark.parametrize("name", FORMULAS)
def test_derivatives(name):
    loss, _, x, t = FORMULAS[name]
    assert gradcheck(loss, (x, t)) and gradgradcheck(loss, (x, t))


@pytest.mark.parametrize(("module", "function", "x", "t"), [
    (nn.MSELoss(), F.mse_loss, A, B), (nn.L1Loss(reduction="sum"), FORMULAS["l1"][0], A, B),
    (nn.SmoothL1Loss(beta=0.3), FORMULAS["smooth_l1"][0], A, B), (nn.HuberLoss(delta=0.3), FORMULAS["huber"][0], A, B),
    (nn.BCELoss(W3), FORMULAS["bce_weighted"][0], P, Q), (nn.BCELoss(), F.binary_cross_entropy, P, Q),
    (nn.BCEWithLogitsLoss(W63, pos_weight=W3), FORMULAS["bce_with_logits_weighted"][0], A, Q),
    (nn.KLDivLoss(log_target=True), FORMULAS["kl_div_of_logs"][0], A, B),
], ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "")
def test_modules_are_the_functions(module, function, x, t):
    assert module(Tensor(x), Tensor(t)).item() == function(Tensor(x), Tensor(t), reduction=module.reduction).item()


def test_modules_of_margins():
    a, b, t = Tensor(A), Tensor(B), Tensor(SIGNS)
    assert nn.HingeEmbeddingLoss(0.7)(a, t).item() == F.hinge_embedding_loss(a, t, margin=0.7).item()
    assert nn.MarginRankingLoss(0.2)(a, b, t).item() == F.margin_ranking_loss(a, b, t, margin=0.2).item()
    assert nn.MarginRankingLoss()(a, b, 1).item() == np.maximum(0, B - A).mean()
    t = t[:, 0]
    assert nn.CosineEmbeddingLoss(0.1)(a, b, t).item() == F.cosine_embedding_loss(a, b, t, margin=0.1).item()
    assert F.cosine_embedding_loss(a[0], b[0], 1).item() == pytest.approx(1 - cosine(A[0], B[0]))


def test_batchmean():
    assert nn.KLDivLoss(reduction="batchmean")(Tensor(A), Tensor(Q)).item() == \
        pytest.approx((Q * (np.log(Q) - A)).sum() / 6)


# -- cross-entropy ---------------------------------------------------------------------------------------


def reference(x, target, weight, ignore, reduction, smoothing):
    """Cross-entropy by its definition: Σ_c of the smoothed, weighted target against ln softmax; class axis 1."""
    classes = x.shape[1]
    log_p = x - np.log(np.exp(x).sum(1, keepdims=True))
    w = np.ones(classes) if weight is None else weight
    along = w.reshape(1, -1, *[1] * (x.ndim - 2))
    if target.dtype.kind == "f":
        loss = -((target * (1 - smoothing) + smoothing / classes) * along * log_p).sum(1)
        return {"none": loss, "sum": loss.sum(), "mean": loss.sum() / loss.size}[reduction]
    hot = np.moveaxis(np.eye(classes)[np.where(target == ignore, 0, target)], -1, 1)
    loss = -((hot * (1 - smoothing) + smoothing / classes) * along * log_p).sum(1) * (target != ignore)
    weights = w[np.where(target == ignore, 0, target)] * (target != ignore)
    return {"none": loss, "sum": loss.sum(), "mean": loss.sum() / weights.sum()}[reduction]


@pytest.mark.parametrize("shape", [(7, 5), (4, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("target", ["labels", "some ignored", "probabilities"])
def test_cross_entropy(shape, target):
    x = rng.standard_normal(shape)
    t = rng.integers(0, 5, (shape[0], *shape[2:]))
    if target == "some ignored":
        t.flat[0] = -100
    elif target == "probabilities":
        t = rng.random(shape)
        t /= t.sum(1, keepdims=True)
    weights = (None, rng.random(5) + 0.1)
    for reduction, smoothing, weight in itertools.product(("mean", "sum", "none"), (0.0, 0.1), weights):
        settings = {"weight": None if weight is None else Tensor(weight), "reduction": reduction,
                    "label_smoothing": smoothing}
        got = F.cross_entropy(Tensor(x), Tensor(t), **settings)
        assert np.allclose(got.numpy(), reference(x, t, weight, -100, reduction, smoothing), rtol=1e-12)
        assert nn.CrossEntropyLoss(**settings)(Tensor(x), Tensor(t)).tolist() == got.tolist()


def test_cross_entropy_of_one_sample_without_a_batch():
    x = rng.standard_normal(5)
    wanted = math.log(np.exp(x).sum()) - x[2]
    assert F.cross_entropy(Tensor(x), Tensor(2)).item() == pytest.approx(wanted)
    assert F.nll_loss(F.log_softmax(Tensor(x), 0), Tensor(2)).item() == pytest.approx(wanted)
    assert F.cross_entropy(Tensor(x), Tensor(np.eye(5)[2])).item() == pytest.approx(wanted)


def test_ignore_index_may_be_a_class():
    x, t = rng.standard_normal((6, 3)), np.array([0, 1, 2, 1, 0, 2])
    assert F.cross_entropy(Tensor(x), t, ignore_index=1).item() == pytest.approx(reference(x, t, None, 1, "mean", 0))
    assert F.cross_entropy(Tensor(x), [0, 1, 2, 1, 0, 2], ignore_index=7).item() == \
        pytest.approx(reference(x, t, None, 7, "mean", 0))
    assert math.isnan(F.cross_entropy(Tensor(x), Tensor([-100] * 6)).item())          # nothing to take the mean of


@pytest.mark.parametrize("classes", [3, 200])
def test_ignored_labels_do_not_index_from_the_end(classes):
    x = rng.standard_normal((4, classes))
    assert F.cross_entropy(Tensor(x), Tensor([0, -100, 2, -100])).item() == \
        pytest.approx(reference(x, np.array([0, -100, 2, -100]), None, -100, "mean", 0))


@pytest.mark.parametrize("settings", [{}, {"weight": Tensor(rng.random(3) + 0.5)}, {"label_smoothing": 0.1},
                                      {"reduction": "none"}, {"ignore_index": 1}], ids=str)
def test_derivatives_of_cross_entropy(settings):
    labels = Tensor([0, 1, 2, 2, 1, 0])
    assert gradcheck(lambda x: F.cross_entropy(x, labels, **settings), A)
    assert gradgradcheck(lambda x: F.cross_entropy(x, labels, **settings), A)
    if "ignore_index" not in settings:
        assert gradcheck(lambda x, t: F.cross_entropy(x, t, **settings), (A, Q))
        assert gradgradcheck(lambda x, t: F.cross_entropy(x, t, **settings), (A, Q))


def test_nll_is_cross_entropy_of_logs():
    x, t = rng.standard_normal((4, 5, 3)), rng.integers(0, 5, (4, 3))
    for weight in (None, Tensor(rng.random(5))):
        assert nn.NLLLoss(weight)(F.log_softmax(Tensor(x), 1), Tensor(t)).item() == \
            pytest.approx(nn.CrossEntropyLoss(weight)(Tensor(x), Tensor(t)).item())


def test_weights_are_buffers():
    assert list(nn.CrossEntropyLoss(Tensor([1.0, 2.0])).state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == [] and repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss()"
    assert list(nn.BCEWithLogitsLoss(pos_weight=[2.0]).state_dict()) == ["pos_weight"]


# -- traps -----------------------------------------------------------------------------------------------

INF = math.inf


def value_and_slope(f, x):
    x = Tensor(np.array(x, np.float64), requires_grad=True)
    y = f(x)
    return y.item(), gradients(y, x)[0].tolist()


@pytest.mark.parametrize(("f", "x", "value", "slope"), [
    (lambda x: F.cross_entropy(x, Tensor([0])), [[0, -INF]], 0, [[0, 0]]),
    (lambda x: F.cross_entropy(x, Tensor([1])), [[0, -INF]], INF, [[1, -1]]),
    (lambda x: F.cross_entropy(x, Tensor([1]), reduction="sum"), [[0, -INF]], INF, [[1, -1]]),
    (lambda x: F.cross_entropy(x, Tensor([0]), label_smoothing=0.1), [[0, -INF]], INF, [[0.05, -0.05]]),
    (lambda x: F.cross_entropy(x, Tensor([[1.0, 0.0]])), [[0, -INF]], 0, [[0, 0]]),
    (lambda x: F.cross_entropy(x, Tensor([0])), [[1000.0, 0.0]], 0, [[0, 0]]),
    (lambda x: F.binary_cross_entropy_with_logits(x, Tensor([0.0])), [1000.0], 1000, [1]),
    (lambda x: F.binary_cross_entropy_with_logits(x, Tensor([1.0]), pos_weight=Tensor([2.0])), [-1000.0], 2000, [-2]),
    (lambda x: F.binary_cross_entropy(x, Tensor([1.0])), [0.0], 100, [-1e12]),
    (lambda x: F.binary_cross_entropy(x, Tensor([0.0])), [0.0], 0, [0]),
    (lambda x: F.kl_div(x, Tensor([0.0, 1.0]), reduction="sum"), [-1.0, -1.0], 1, [0, -1]),
    (lambda x: F.smooth_l1_loss(x, Tensor([0.0])), [0.0], 0, [0]),
    (lambda x: F.huber_loss(x, Tensor([0.0])), [INF], INF, [1]),
    (lambda x: F.hinge_embedding_loss(x, Tensor([-1.0])), [1.0], 0, [-1]),
])
def test_traps(f, x, value, slope):
    got, slopes = value_and_slope(f, x)
    assert got == pytest.approx(value, abs=1e-300) and slopes == [pytest.approx(s, rel=1e-6) for s in slope]


# -- errors ----------------------------------------------------------------------------------------------


def z(*shape, dtype=np.float32):
    return Tensor(np.zeros(shape, dtype))


NARROW = ("expected input and target of one shape; got input (8, 1) and target (8,); subtracting them would give (8, "
          "8): use input.squeeze(-1), or target.unsqueeze(-1)")


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(), nn.BCELoss(),
                                  nn.BCEWithLogitsLoss(), nn.KLDivLoss(), nn.HingeEmbeddingLoss()],
                         ids=lambda loss: type(loss).__name__)
def test_a_column_against_a_row_is_an_error(loss):
    with pytest.raises(ShapeError) as caught:
        loss(z(8, 1), z(8))
    assert str(caught.value).endswith(NARROW)
    with pytest.raises(ShapeError, match=r"use input.unsqueeze\(-1\), or target.squeeze\(-1\)"):
        loss(z(8), z(8, 1))


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda: F.mse_loss(z(8), z(7)), ShapeError,
     "mse_loss: expected input and target of one shape; got input (8,) and target (7,): bring both to one shape, with "
     "reshape or expand"),
    (lambda: F.cross_entropy(z(3, 4), Tensor([0, 4, 1])), IndexError,
     "cross_entropy: Target 4 is out of bounds: labels must be in 0..3 for 4 classes; got 4 at position (1,); are the "
     "labels counted from 1?"),
    (lambda: F.cross_entropy(z(3, 4), Tensor([0.0, 1.0, 2.0])), TypeError,
     "cross_entropy: expected integer class labels of shape (N,); got dtype float32: use labels.astype('int64'), or "
     "probabilities of the shape of the logits"),
    (lambda: F.cross_entropy(z(3, 4), Tensor([0, 1])), ShapeError,
     "cross_entropy: expected labels of shape (3,) (or probabilities (3, 4)) for an input of shape (3, 4); got target "
     "(2,) int64: there must be one label for each sample"),
    (lambda: F.cross_entropy(z(3, 4), Tensor([[0], [1], [2]])), ShapeError,
     "cross_entropy: expected labels of shape (3,) (or probabilities (3, 4)) for an input of shape (3, 4); got target "
     "(3, 1) int64: use target.squeeze(-1)"),
    (lambda: F.cross_entropy(z(3, 4), z(3, 4, dtype=np.int64)), ShapeError,
     "cross_entropy: expected labels of shape (3,) (or probabilities (3, 4)) for an input of shape (3, 4); got target "
     "(3, 4) int64: for one-hot labels use target.argmax(1), or target.float() as probabilities"),
    (lambda: F.cross_entropy(z(2, 7, 4), z(2, 7, dtype=np.int64)), ShapeError,
     "cross_entropy: expected labels of shape (2, 4) (or probabilities (2, 7, 4)) for an input of shape (2, 7, 4); got "
     "target (2, 7) int64: the classes must be axis 1: use input.movedim(-1, 1), or input.flatten(0, -2) and "
     "target.flatten()"),
    (lambda: F.cross_entropy(z(3, 4), Tensor([0, 1, 2]), weight=z(3)), ShapeError,
     "cross_entropy: expected one weight for each of 4 classes, shape (4,); got (3,)"),
    (lambda: F.nll_loss(z(3, 4), Tensor([0, -1, 2])), IndexError,
     "nll_loss: Target -1 is out of bounds: labels must be in 0..3 for 4 classes; got -1 at position (1,)"),
    (lambda: F.binary_cross_entropy(Tensor([0.5, 1.5]), Tensor([0.0, 1.0])), ValueError,
     "binary_cross_entropy: all elements of input should be between 0 and 1; got 1.5 at position (1,); for logits use "
     "binary_cross_entropy_with_logits"),
    (lambda: F.binary_cross_entropy(Tensor([0.5, math.nan]), Tensor([0.0, 1.0])), ValueError,
     "binary_cross_entropy: all elements of input should be between 0 and 1; got nan at position (1,); for logits use "
     "binary_cross_entropy_with_logits"),
    (lambda: F.binary_cross_entropy(Tensor(0.5), Tensor(2.0)), ValueError,
     "binary_cross_entropy: all elements of target should be between 0 and 1; got 2.0 at position ()"),
    (lambda: nn.MSELoss(reduction="avg"), ValueError, "MSELoss: reduction must be 'mean', 'sum' or 'none'; got 'avg'"),
    (lambda: F.mse_loss(z(2), z(2), reduction="avg"), ValueError,
     "mse_loss: reduction must be 'mean', 'sum' or 'none'; got 'avg'"),
    (lambda: nn.CrossEntropyLoss(label_smoothing=2), ValueError,
     "CrossEntropyLoss: label_smoothing must be between 0 and 1; got 2"),
    (lambda: F.huber_loss(z(2), z(2), delta=0), ValueError, "huber_loss: delta must be positive; got 0"),
    (lambda: F.cosine_embedding_loss(z(2, 3), z(2, 3), z(3)), ShapeError,
     "cosine_embedding_loss: expected inputs (N, D) and target (N,), or (D,) and (); got inputs (2, 3) and "
     "target (3,)"),
])
def test_what_is_refused(act, error, text):
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == text


def test_float32_stays_float32():
    for loss in (nn.MSELoss(), nn.L1Loss(), nn.BCEWithLogitsLoss(), nn.SmoothL1Loss(), nn.KLDivLoss()):
        assert loss(z(3), z(3)).dtype == np.float32
    assert nn.CrossEntropyLoss(label_smoothing=0.1)(z(3, 4), Tensor([0, 1, 2])).dtype == np.float32


# -- the rest: margins, likelihoods, very many classes, and the old flags ----------------------------------


def test_hinge_embedding_broadcasts_but_makes_no_table():
    x = np.array([[0.5, 2.0], [1.0, 0.2]])
    t = np.array([1, -1])
    wanted = np.where(t == 1, x, np.maximum(0, 1 - x))
    assert np.allclose(F.hinge_embedding_loss(Tensor(x), Tensor(t), reduction="none").numpy(), wanted)
    assert F.hinge_embedding_loss(Tensor(x), Tensor(1)).item() == pytest.approx(x.mean())
    with pytest.raises(ShapeError, match="subtracting them would give"):
        F.hinge_embedding_loss(Tensor(x[:, :1]), Tensor(t))


def test_ranking_of_unsigned_numbers():
    a, b = np.array([2, 5], np.uint8), np.array([3, 1], np.uint8)
    loss = F.margin_ranking_loss(Tensor(a), Tensor(b), Tensor(np.array([1, 1])), reduction="none")
    assert loss.tolist() == [1, 0]             # not 255


def brute_multi_margin(x, t, p=1, margin=1.0):
    return np.mean([sum(max(0, margin - row[k] + row[j]) ** p for j in range(3) if j != k) / 3
                    for row, k in zip(x, t)])


def test_margins_between_classes():
    t = np.array([0, 2, 1, 1, 0, 2])
    for p, margin in ((1, 1.0), (2, 0.4)):
        assert nn.MultiMarginLoss(p, margin)(Tensor(A), Tensor(t)).item() == \
            pytest.approx(brute_multi_margin(A, t, p, margin))
    many = np.array([[0, 2, -1], [1, -1, 0], [0, 1, 2], [-1, 0, 0], [2, -1, -1], [1, 0, -1]])
    wanted = []
    for row, labels in zip(A, many):
        own = list(itertools.takewhile(lambda k: k >= 0, labels))
        wanted.append(sum(max(0, 1 - row[k] + row[j]) for k in own for j in range(3) if j not in own) / 3)
    assert np.allclose(nn.MultiLabelMarginLoss(reduction="none")(Tensor(A), Tensor(many)).numpy(), wanted)
    ones = (SIGNS + 1) / 2
    assert nn.MultiLabelSoftMarginLoss()(Tensor(A), Tensor(ones)).item() == pytest.approx(
        F.binary_cross_entropy_with_logits(Tensor(A), Tensor(ones)).item())
    assert nn.SoftMarginLoss()(Tensor(A), Tensor(SIGNS)).item() == pytest.approx(np.log1p(np.exp(-SIGNS * A)).mean())
    with pytest.raises(ValueError, match="Target 3 is out of bounds"):
        nn.MultiMarginLoss()(Tensor(A), Tensor(t + 1))
    with pytest.raises(ValueError, match="multilabel_margin_loss: Target 3"):
        nn.MultiLabelMarginLoss()(Tensor(A), Tensor(many + 1))
    with pytest.raises(ShapeError, match="one label for each of 6 samples"):
        nn.MultiMarginLoss()(Tensor(A), Tensor(t[:4]))


def test_margins_between_distances():
    near, far = np.sqrt(((A - B) ** 2).sum(1)), np.sqrt(((A - P) ** 2).sum(1))
    loss = nn.TripletMarginLoss(0.5, eps=0)(Tensor(A), Tensor(B), Tensor(P))
    assert loss.item() == pytest.approx(np.maximum(0, 0.5 + near - far).mean())
    city = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().sum(-1), swap=True)
    far = np.minimum(abs(A - P).sum(1), abs(B - P).sum(1))
    assert city(Tensor(A), Tensor(B), Tensor(P)).item() == \
        pytest.approx(np.maximum(0, 1 + abs(A - B).sum(1) - far).mean())
    with pytest.raises(ValueError, match="margin must be greater than 0"):
        nn.TripletMarginLoss(0)
    with pytest.raises(ShapeError, match="of as many axes"):
        nn.TripletMarginLoss()(Tensor(A), Tensor(B), Tensor(P[0]))


def test_likelihoods():
    counts = np.array([[0., 1, 5], [2, 0, 9]])
    assert nn.PoissonNLLLoss()(Tensor(A[:2]), Tensor(counts)).item() == pytest.approx((np.exp(A[:2]) - counts * A[:2])
                                                                                      .mean())
    v = np.exp(B)
    assert nn.GaussianNLLLoss(full=True)(Tensor(A), Tensor(P), Tensor(v)).item() == \
        pytest.approx((0.5 * (np.log(2 * np.pi * v) + (A - P) ** 2 / v)).mean())
    middle = F.gaussian_nll_loss(Tensor(np.zeros((2, 3, 4))), Tensor(np.ones((2, 3, 4))), Tensor(np.ones((2, 1, 4))))
    assert middle.item() == 0.5                # any one axis may be 1
    with pytest.raises(ShapeError, match="with one axis of 1, or without the last"):
        F.gaussian_nll_loss(Tensor(A), Tensor(P), Tensor(v[:2]))
    log_p = F.log_softmax(Tensor(A[:, None]), dim=2)
    one = nn.CTCLoss(reduction="sum")(log_p, Tensor([[1, 2]]), Tensor([6]), Tensor([2]))
    p = np.exp(log_p.numpy()[:, 0])
    paths = sum(np.prod(p[range(6), path]) for path in itertools.product(range(3), repeat=6)
                if [k for k, _ in itertools.groupby(path) if k] == [1, 2])
    assert one.item() == pytest.approx(-np.log(paths))


def test_adaptive_softmax_is_a_softmax():
    loss = nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 9], div_value=2).double()
    x = Tensor(rng.standard_normal((7, 8)), requires_grad=True)
    t = np.array([0, 3, 4, 19, 8, 9, 1])
    every = loss.log_prob(x)
    assert np.allclose(np.exp(every.detach().numpy()).sum(1), 1)
    output, mean = loss(x, Tensor(t))
    assert np.allclose(output.detach().numpy(), every.detach().numpy()[np.arange(7), t])
    assert mean.item() == pytest.approx(-output.detach().numpy().mean())
    assert np.array_equal(loss.predict(x).numpy(), every.detach().numpy().argmax(1))
    assert gradcheck(lambda u: loss(u, Tensor(t)).loss, (x,))
    assert loss(x[0], Tensor(4)).output.shape == ()
    with pytest.raises(IndexError, match=r"Target values should be in \[0, 19\], but values in range \[1, 20\]"):
        loss(x, Tensor(t + 1))
    with pytest.raises(ValueError, match="sorted in an increasing order"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 20, [9, 4])
    with pytest.raises(ShapeError, match="got"):
        loss(x, Tensor(t[:3]))


def test_linear_and_cross_entropy_in_one():
    both = nn.LinearCrossEntropyLoss(3, 4, bias=True).double()
    t = np.array([0, 3, 1, 2, 2, 0])
    assert list(both.state_dict()) == ["linear.weight", "linear.bias"]
    assert both(Tensor(A), Tensor(t)).item() == F.cross_entropy(both.linear(Tensor(A)), Tensor(t)).item()
    more = nn.LinearCrossEntropyLoss(3, 4, out_features=(2,)).double()
    assert more(Tensor(A), Tensor(np.stack([t, t], 1))).shape == ()


@pytest.mark.parametrize(("old", "new"), [((None, False), "none"), ((False, None), "sum"), ((True, True), "mean"),
                                          ((False, False), "none")])
def test_flags_of_old(old, new):
    with pytest.warns(UserWarning, match=f"use reduction='{new}'"):
        loss = nn.MSELoss(*old)
    assert loss.reduction == new
    with pytest.warns(UserWarning, match=f"deprecated: use reduction='{new}'"):
        found = F.l1_loss(Tensor(A), Tensor(B), *old)
    assert np.array_equal(found.numpy(), F.l1_loss(Tensor(A), Tensor(B), reduction=new).numpy())


def test_weights_of_differences():
    w = W63
    assert F.mse_loss(Tensor(A), Tensor(B), weight=w).item() == pytest.approx((w * (A - B) ** 2).sum() / w.sum())
    assert F.l1_loss(Tensor(A), Tensor(B), reduction="sum", weight=w).item() == pytest.approx((w * abs(A - B)).sum())
    assert F.huber_loss(Tensor(A), Tensor(B), delta=99, weight=w).item() == pytest.approx((w * (A - B) ** 2 / 2).mean())
    with pytest.raises(ShapeError, match="one weight for each element"):
        F.mse_loss(Tensor(A), Tensor(B), weight=W3)


def test_refusals_of_settings():
    with pytest.raises(ValueError, match="ignore_index is not supported for targets that are probabilities"):
        F.cross_entropy(Tensor(A), Tensor(P), ignore_index=0)
    with pytest.raises(TypeError, match=r"expected weights of the dtype of the input, float64; got float32"):
        nn.NLLLoss(Tensor([1.0, 2, 3]))(Tensor(A), Tensor([0, 1, 2, 0, 1, 2]))
    assert F.nll_loss(Tensor(A.astype("f")), Tensor([0, 1, 2, 0, 1, 2]), W3).dtype == np.float32     # an array is cast
    with pytest.raises(TypeError, match="delta must be a float or int; got complex"):
        nn.HuberLoss(delta=1j)


def test_probabilities_where_logits_are_expected():
    """softmax before cross_entropy, sigmoid before the loss that applies it: warned of at the user's line."""
    x, labels, t = Tensor(np.zeros((4, 3)), requires_grad=True), Tensor(np.array([0, 1, 2, 0])), Tensor(np.ones((4, 3)))
    for call, text in (
            (lambda: F.cross_entropy(F.softmax(x, 1), labels), "cross_entropy takes logits and applies softmax itself"),
            (lambda: nn.CrossEntropyLoss(label_smoothing=0.1)(nn.Softmax(-1)(x), labels), "cross_entropy takes logits"),
            (lambda: nn.BCEWithLogitsLoss()(x.sigmoid(), t), "_with_logits takes logits and applies sigmoid itself")):
        with pytest.warns(UserWarning, match=text) as seen:
            call()
        assert len(seen) == 1 and seen[0].filename == __file__


def test_what_is_no_mistake_is_not_warned_of():
    x, labels, t = Tensor(np.zeros((4, 3)), requires_grad=True), Tensor(np.array([0, 1, 2, 0])), Tensor(np.ones((4, 3)))
    F.cross_entropy(x, F.softmax(x.detach(), 1))                          # probabilities as targets
    F.cross_entropy(F.log_softmax(x, 1), labels)                          # twice is once
    F.nll_loss(F.log_softmax(x, 1), labels)
    F.nll_loss(F.softmax(x, 1), labels)                                   # the share that is right, as a loss
    F.binary_cross_entropy(x.sigmoid(), t)
    F.binary_cross_entropy_with_logits(5 * x.sigmoid() - 2, t)
    F.cross_entropy(10 * F.softmax(x, 1), labels)
    F.cross_entropy(np.full((4, 3), 1 / 3), labels)                       # numbers alone say nothing of where from
