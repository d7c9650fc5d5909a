"""Layers, activations and losses beside PyTorch's: signatures, repr, state, values and gradients."""

import inspect

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor
from nn import functional as F

torch = pytest.importorskip("torch")

LAYERS = [
    ("Linear", (3, 4), {}, [(3,), (2, 3), (2, 5, 3)]), ("Linear", (3, 4, False), {}, [(2, 3)]),
    ("Flatten", (), {}, [(2, 3, 4)]), ("Unflatten", (1, (2, 3)), {}, [(2, 6)]), ("Dropout", (), {}, []),
    ("Embedding", (10, 3), {}, []), ("Embedding", (10, 3, 2, 1.5, 1.0, True), {}, []),
    ("LayerNorm", (4,), {}, [(2, 3, 4)]), ("LayerNorm", ((3, 4),), {}, [(2, 3, 4)]),
    ("LayerNorm", (4,), {"elementwise_affine": False}, [(2, 4)]), ("LayerNorm", (4,), {"bias": False}, [(2, 4)]),
    ("BatchNorm1d", (3,), {}, [(5, 3), (5, 3, 4)]), ("BatchNorm1d", (3,), {"bias": False}, [(5, 3)]),
    ("BatchNorm1d", (3,), {"affine": False, "momentum": None}, [(5, 3)]),
    ("BatchNorm1d", (3,), {"track_running_stats": False}, [(5, 3, 2)]),
    ("LeakyReLU", (0.1,), {}, [(2, 4)]), ("ELU", (0.7,), {}, [(2, 4)]), ("CELU", (0.5,), {}, [(2, 4)]),
    ("GELU", ("tanh",), {}, [(2, 4)]), ("Softmax", (1,), {}, [(2, 4)]), ("LogSoftmax", (-1,), {}, [(2, 4)]),
    ("Softmin", (0,), {}, [(2, 4)]), ("Softplus", (2.0, 3.0), {}, [(2, 4)]), ("Hardtanh", (-2.0, 0.5), {}, [(2, 4)]),
    ("PReLU", (), {}, [(2, 3, 4)]), ("PReLU", (3,), {}, [(2, 3, 4), (2, 3)]), ("Threshold", (0.1, 20), {}, [(2, 4)]),
    ("Softshrink", (0.3,), {}, [(2, 4)]), ("Hardshrink", (0.3,), {}, [(2, 4)]), ("GLU", (), {}, [(2, 4)]),
    *[(name, (), {}, [(2, 4)]) for name in (
        "ReLU", "ReLU6", "SELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "Softplus", "Softsign", "Hardtanh",
        "Hardsigmoid", "Hardswish", "LogSigmoid", "Tanhshrink", "Softshrink", "Hardshrink")],
    *[(name, (), {}, []) for name in (
        "Identity", "MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "NLLLoss", "BCELoss",
        "BCEWithLogitsLoss", "KLDivLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "CosineEmbeddingLoss")],
]


@pytest.mark.parametrize(("name", "args", "settings", "shapes"), LAYERS, ids=lambda v: v if isinstance(v, str) else "")
def test_layers(name, args, settings, shapes):
    ours, theirs = getattr(nn, name)(*args, **settings), getattr(torch.nn, name)(*args, **settings)
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert {k: (v.shape, str(v.dtype)) for k, v in ours.state_dict().items()} == \
        {k: (tuple(v.shape), str(v.dtype).removeprefix("torch.")) for k, v in state.items()}
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    assert str(ours.load_state_dict(state)) == "<All keys matched successfully>"
    ours.double()
    theirs.double()
    rng = np.random.default_rng(0)
    for shape in shapes:
        for training in (True, True, False):
            ours.train(training).zero_grad()
            theirs.train(training).zero_grad()
            v = rng.standard_normal(shape) * 3
            v.flat[0] = 0
            a, b = Tensor(v, requires_grad=True), torch.tensor(v, requires_grad=True)
            y, z = ours(a), theirs(b)
            g = rng.standard_normal(y.shape)
            y.backward(Tensor(g))
            z.backward(torch.tensor(g))
            near(y, z)
            near(a.grad, b.grad)
            for p, q in zip(ours.parameters(), theirs.parameters()):
                near(p.grad, q.grad)
            for key, q in theirs.state_dict().items():
                near(ours.state_dict()[key], q)


def near(ours, theirs):
    """PyTorch holds a few constants (1/6 of hardsigmoid) in float32 only: hence 1e-7."""
    assert np.allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", sorted({row[0] for row in LAYERS}))
def test_constructors_take_what_pytorch_s_take(name):
    """Same names, order and defaults; left out: device, and what PyTorch itself calls deprecated or keeps to itself."""
    out = {"self", "device", "size_average", "reduce", "min_value", "max_value", "_weight", "_freeze", "args", "kwargs"}
    ours, theirs = (
        {p.name: p for p in inspect.signature(getattr(lib, name).__init__).parameters.values() if p.name not in out}
        for lib in (nn, torch.nn))
    ours.pop("dtype", None)
    theirs.pop("dtype", None)
    assert {n: p.default for n, p in ours.items()} == {n: p.default for n, p in theirs.items()}
    by_place = [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert by_place == list(theirs)[:len(by_place)]


rng = np.random.default_rng(0)
A, B = rng.standard_normal((2, 6, 5))
P, Q = 1 / (1 + np.exp(-A)), 1 / (1 + np.exp(-B))
T = rng.integers(0, 5, 6)
T_IGNORED = np.where(np.arange(6) == 2, -100, T)
SIGNS = np.where(rng.random((6, 5)) < 0.5, -1.0, 1.0)
W = rng.random(5) + 0.5
LOSSES = [
    ("mse_loss", (A, B), {}), ("l1_loss", (A, B), {}), ("smooth_l1_loss", (A, B), {"beta": 0.3}),
    ("huber_loss", (A, B), {"delta": 0.3}), ("binary_cross_entropy", (P, Q), {}),
    ("binary_cross_entropy", (P, Q), {"weight": W}),
    ("binary_cross_entropy_with_logits", (A, Q), {"pos_weight": W}), ("kl_div", (A, B), {"log_target": True}),
    ("hinge_embedding_loss", (A, SIGNS), {"margin": 0.7}), ("margin_ranking_loss", (A, B, SIGNS), {"margin": 0.2}),
    ("cosine_embedding_loss", (A, B, SIGNS[:, 0]), {"margin": 0.2}), ("nll_loss", (A, T), {"weight": W}),
    *[("cross_entropy", (A, t), {"label_smoothing": s, "weight": w})
      for t in (T, T_IGNORED, Q) for s in (0.0, 0.1) for w in (None, W)],
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "inputs", "settings"), LOSSES, ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss by both")
def test_losses(name, inputs, settings, reduction):
    ours = [Tensor(v, requires_grad=v.dtype.kind == "f") for v in inputs]
    theirs = [torch.tensor(v, requires_grad=v.dtype.kind == "f") for v in inputs]
    y = getattr(F, name)(*ours, reduction=reduction,
                         **{k: Tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()})
    z = getattr(torch.nn.functional, name)(*theirs, reduction=reduction, **{
        k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in settings.items()})
    near(y, z)
    y.sum().backward()
    z.sum().backward()
    for a, b in zip(ours, theirs):
        if b.grad is not None:
            near(a.grad if a.grad is not None else autograd.zeros_like(a), b.grad)


def test_a_training_step_by_step():
    """Ten steps of the same network on the same data: the losses agree to the last digits."""
    ours, theirs = (
        lib.Sequential(lib.Linear(8, 16), lib.BatchNorm1d(16), lib.GELU(), lib.LayerNorm(16), lib.Linear(16, 4))
        for lib in (nn, torch.nn))
    ours.load_state_dict(theirs.state_dict())
    ours.double()
    theirs.double()
    x, t = rng.standard_normal((32, 8)), rng.integers(0, 4, 32)
    for _ in range(10):
        a = F.cross_entropy(ours(Tensor(x)), Tensor(t))
        b = torch.nn.functional.cross_entropy(theirs(torch.tensor(x)), torch.tensor(t))
        assert abs(a.item() - b.item()) < 1e-12
        ours.zero_grad()
        theirs.zero_grad()
        a.backward()
        b.backward()
        for p in ours.parameters():
            p.data = p.data - 0.1 * p.grad
        with torch.no_grad():
            for p in theirs.parameters():
                p -= 0.1 * p.grad
