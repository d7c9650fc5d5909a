"""Every loss of PyTorch over PyTorch's own module inputs: value, gradients, gradient of the gradient, state, repr.

    ./run test tests/conformance/test_losses.py
"""

from __future__ import annotations

import inspect
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Tensor, grad

if not any("conformance" in argument for argument in sys.argv[1:]):
    pytest.skip("name tests/conformance to run it", allow_module_level=True)
torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

INFOS = {info.module_cls.__name__: info for info in module_db if info.module_cls.__name__.endswith("Loss")}
NO_INFO = {"TripletMarginLoss", "TripletMarginWithDistanceLoss", "AdaptiveLogSoftmaxWithLoss"}
SEEMS = {torch.float32: 2e-5, torch.float64: 1e-10}
NO_SECOND = {"CTCLoss", "MultiLabelMarginLoss", "MultiMarginLoss"}           # PyTorch has none


def test_all_losses_are_here():
    theirs = {name for name in dir(torch.nn) if name.endswith("Loss")}
    assert not [name for name in theirs | {"LinearCrossEntropyLoss"} if not hasattr(nn, name)]
    assert theirs - set(INFOS) == NO_INFO


@pytest.mark.parametrize("name", sorted(n for n in dir(torch.nn) if n.endswith("Loss")))
def test_signatures(name):
    ours, theirs = (list(inspect.signature(getattr(package, name).__init__).parameters.values())
                    for package in (nn, torch.nn))
    assert [(p.name, p.default, p.kind) for p in ours] == [(p.name, p.default, p.kind) for p in theirs]


def twin(value: Any) -> Any:
    """The same for this library."""
    if isinstance(value, torch.Tensor):
        return Tensor(value.detach().numpy().copy(), requires_grad=value.requires_grad)
    if isinstance(value, (tuple, list)):
        return type(value)(twin(v) for v in value)
    return value


@pytest.mark.parametrize("dtype", SEEMS, ids=str)
@pytest.mark.parametrize("name", INFOS)
def test_inputs_of_pytorch(name, dtype):
    info, tried = INFOS[name], 0
    inputs = info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=True)
    for given in inputs:
        made, call = given.constructor_input, given.forward_input
        settings = {k: v for k, v in made.kwargs.items() if k not in ("device",)}
        kinds = {torch.float32: np.float32, torch.float64: np.float64}
        theirs = info.module_cls(*made.args, **settings)
        ours = getattr(nn, name)(*twin(made.args), **{k: kinds.get(v, v) if k == "dtype" else twin(v)
                                                       for k, v in settings.items()})
        if any(True for _ in theirs.parameters()):
            theirs.to(dtype)
            ours.to(str(dtype).removeprefix("torch."))
            ours.load_state_dict(theirs.state_dict())
        assert list(ours.state_dict()) == list(theirs.state_dict()), given.desc
        assert repr(ours) == repr(theirs)
        args = [a.detach().clone().requires_grad_(a.requires_grad) if isinstance(a, torch.Tensor) else a
                for a in call.args]
        mine = twin(args)
        check(ours, theirs, mine, args, SEEMS[dtype], name not in NO_SECOND, f"{name} {given.desc}")
        tried += 1
    assert tried >= 2


def check(ours: Any, theirs: Any, mine: Any, args: Any, tol: float, second: bool, what: str) -> None:
    y, z = ours(*mine), theirs(*args)
    assert tuple(y.shape) == tuple(z.shape) and str(y.dtype) == str(z.dtype).removeprefix("torch."), what
    close(y.value, z, tol, what)
    a = [t for t in mine if isinstance(t, Tensor) and t.requires_grad] + list(ours.parameters())
    b = [t for t in args if isinstance(t, torch.Tensor) and t.requires_grad] + list(theirs.parameters())
    g = np.random.default_rng(0).standard_normal(y.shape).astype(y.dtype)
    first = torch.autograd.grad(z, b, torch.tensor(g), create_graph=second, allow_unused=True)
    ys = gradients_of(y, a, Tensor(g), second)
    for ours_, theirs_ in zip(ys, first):
        if theirs_ is not None:
            close(ours_.value, theirs_, tol, f"{what}: gradient")
    if second and any(t is not None and t.requires_grad for t in first):
        total = sum((t ** 2).sum() for t in first if t is not None and t.requires_grad)
        again = torch.autograd.grad(total, b, allow_unused=True)
        used = [o for o, t in zip(ys, first) if t is not None and t.requires_grad and o.requires_grad]
        if not used:
            assert all(t is None or not t.any() for t in again), what
            return
        mine_again = gradients_of(sum((o * o).sum() for o in used), a, None, False)
        for ours_, theirs_ in zip(mine_again, again):
            if theirs_ is not None:
                value = np.zeros(tuple(theirs_.shape)) if ours_ is None else ours_.value
                close(value, theirs_, 10 * tol, f"{what}: second derivative")


def gradients_of(y: Tensor, leaves: list[Tensor], g: Any, create_graph: bool) -> list[Any]:
    for leaf in leaves:
        leaf.grad = None
    y.backward(g, create_graph=create_graph, inputs=leaves)
    found = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    return found


def close(ours: Any, theirs: Any, tol: float, what: str) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(force=True), rtol=tol, atol=tol, err_msg=what)


@pytest.mark.parametrize("name", [name for name, info in INFOS.items() if info.module_error_inputs_func is not None])
def test_errors_of_pytorch(name):
    """What PyTorch refuses is refused here, with a text that says what was expected."""
    info = INFOS[name]
    for given in info.module_error_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=False,
                                               training=True):
        made, call = given.module_error_input.constructor_input, given.module_error_input.forward_input
        settings = {k: twin(v) for k, v in made.kwargs.items() if k not in ("device", "dtype")}
        with pytest.raises((ValueError, TypeError, IndexError)) as told:
            loss = getattr(nn, name)(*twin(made.args), **settings)
            if list(loss.parameters()):
                loss.double()
            loss(*twin(call.args), **{k: twin(v) for k, v in call.kwargs.items()})
        assert any(word in str(told.value) for word in ("expected", "must be", "not supported"))


@pytest.mark.parametrize("settings", [{}, {"margin": 0.3, "p": 1.0}, {"swap": True, "reduction": "none"},
                                      {"reduction": "sum", "eps": 1e-3}])
@pytest.mark.parametrize("shape", [(5, 4), (4,)])
def test_triplets(settings, shape):
    args = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    check(nn.TripletMarginLoss(**settings), torch.nn.TripletMarginLoss(**settings), twin(args), args, 1e-10, True, "")
    settings = {k: v for k, v in settings.items() if k not in ("p", "eps")}
    distance = {"distance_function": lambda x, y: ((x - y) ** 2).sum(-1)}
    for more in ({}, distance):
        check(nn.TripletMarginWithDistanceLoss(**more, **settings),
              torch.nn.TripletMarginWithDistanceLoss(**more, **settings), twin(args), args, 1e-10, True, "")


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("targets", ["all", "head", "tail", "single"])
def test_adaptive_softmax(targets, bias):
    settings = {"in_features": 16, "n_classes": 20, "cutoffs": [5, 10, 15], "div_value": 2.0, "head_bias": bias}
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(**settings).double()
    ours = nn.AdaptiveLogSoftmaxWithLoss(**settings).double()
    assert repr(ours) == repr(theirs)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(30, 16, dtype=torch.float64, requires_grad=True)
    t = {"all": torch.arange(30) % 20, "head": torch.arange(30) % 5, "tail": torch.arange(30) % 10 + 10}.get(targets)
    if t is None:
        x, t = x.detach()[0].requires_grad_(), torch.tensor(12)
    a = twin(x)
    (out, loss), (their_out, their_loss) = ours(a, twin(t)), theirs(x, t)
    close(out.value, their_out, 1e-12, "output")
    close(loss.value, their_loss, 1e-12, "loss")
    (loss + out.sum() * 0.1).backward()
    (their_loss + their_out.sum() * 0.1).backward()
    close(a.grad.value, x.grad, 1e-12, "input")
    for (path, p), q in zip(ours.named_parameters(), theirs.parameters()):
        if q.grad is not None and p.grad is not None:
            close(p.grad.value, q.grad, 1e-12, path)
        else:
            assert q.grad is None or not q.grad.any(), path
    if x.ndim == 2:
        close(ours.log_prob(twin(x)).value, theirs.log_prob(x), 1e-12, "log_prob")
        close(ours.predict(twin(x)).value, theirs.predict(x), 0, "predict")


def test_second_derivative_through_grad():
    """The functional way agrees with the other one."""
    second = grad(lambda v: (grad(lambda u: nn.HuberLoss(delta=0.5)(u, Tensor([0.0, 0.0])))(v) ** 2).sum())
    x = torch.tensor([0.2, 2.0], dtype=torch.float64, requires_grad=True)
    first, = torch.autograd.grad(torch.nn.HuberLoss(delta=0.5)(x, torch.zeros(2, dtype=torch.float64)), x,
                                 create_graph=True)
    (first ** 2).sum().backward()
    close(second(twin(x.detach())).value, x.grad, 1e-12, "")
