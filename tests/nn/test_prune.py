"""Pruning: which elements go, that they stay away, pruning again, removing; the numbers of PyTorch."""

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Parameter, Tensor
from nn.utils import prune

W = np.array([[0.5, -3.0, 0.1, 2.0], [-0.2, 1.0, 4.0, -0.05], [0.3, 0.6, -0.7, 0.8]], np.float32)


def layer():
    made = nn.Linear(4, 3)
    made.weight.data = Tensor(W.copy())
    return made


def test_least_first():
    made = layer()
    original = made.weight
    assert prune.l1_unstructured(made, "weight", 0.25) is made
    w = W * ~np.isin(np.abs(W), np.sort(np.abs(W).ravel())[:3])
    assert np.array_equal(made.weight.detach().numpy(), w)
    assert list(made.state_dict()) == ["bias", "weight_orig", "weight_mask"]
    assert made.weight_orig is original and not isinstance(made.weight, Parameter)
    assert prune.is_pruned(nn.Sequential(made)) and not prune.is_pruned(layer())
    optimizer = optim.SGD(made.parameters(), lr=0.1, weight_decay=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        made(Tensor(np.ones((2, 4), np.float32))).square().sum().backward()
        optimizer.step()
    made(Tensor(np.ones((1, 4), np.float32)))
    now = made.weight.detach().numpy()
    assert np.array_equal(now == 0, w == 0) and not np.allclose(now, w)
    assert prune.remove(made, "weight") is made
    assert isinstance(made.weight, Parameter) and made.weight is original
    assert list(made.state_dict()) == ["bias", "weight"]
    assert np.array_equal(made.weight.detach().numpy(), now) and not prune.is_pruned(made)


def test_pruning_again_goes_on_with_what_is_left():
    made = layer()
    prune.l1_unstructured(made, "weight", 4)
    prune.l1_unstructured(made, "weight", 0.5)                     # of the 8 that are left
    assert np.count_nonzero(made.weight.detach().numpy()) == 4
    assert set(np.abs(made.weight.detach().numpy()).ravel()) == {0, 1.0, 2.0, 3.0, 4.0}
    prune.ln_structured(made, "weight", 1, 2, dim=0)
    assert (made.weight_mask.numpy()[2] == 0).all() and np.count_nonzero(made.weight.detach().numpy()) >= 2
    hook = next(h.function for h in made._hooks.before.values())
    assert isinstance(hook, prune.PruningContainer) and len(hook) == 3
    assert isinstance(hook[0], prune.L1Unstructured)
    prune.remove(made, "weight")
    assert made._hooks is None or not made._hooks.before


@pytest.mark.parametrize(("n", "dim", "gone"), [(1, 0, 2), (2, 0, 2), (np.inf, 0, 2), (1, 1, 0), (2, 1, 0)])
def test_whole_rows_and_columns(n, dim, gone):
    made = prune.ln_structured(layer(), "weight", 1, n, dim)
    zero = (made.weight.detach().numpy() == 0).all(axis=1 - dim)
    assert np.flatnonzero(zero).tolist() == [gone]


def test_at_random():
    autograd.manual_seed(0)
    made = prune.random_unstructured(layer(), "weight", 5)
    assert int(made.weight_mask.numpy().sum()) == 7
    made = prune.random_structured(layer(), "weight", 0.5, dim=1)
    assert made.weight_mask.numpy().sum(0).tolist().count(0) == 2


def test_masks_and_scores_of_your_own():
    mask = (np.arange(12).reshape(3, 4) % 2).astype(np.float32)
    made = prune.custom_from_mask(layer(), "weight", Tensor(mask))
    assert np.array_equal(made.weight.detach().numpy(), W * mask)
    scores = np.arange(12, dtype=np.float32).reshape(3, 4)
    made = prune.l1_unstructured(layer(), "weight", 4, importance_scores=Tensor(scores))
    assert np.array_equal(made.weight_mask.numpy(), scores >= 4)
    made = prune.identity(layer(), "bias")
    assert made.bias_mask.tolist() == [1, 1, 1]
    assert np.array_equal(prune.L1Unstructured(4).prune(Tensor(W)).numpy() == 0, prune.l1_unstructured(
        layer(), "weight", 4).weight.detach().numpy() == 0)

    class Positive(prune.BasePruningMethod):
        def compute_mask(self, t, default_mask):
            return default_mask * (t > 0)
    made = layer()
    Positive.apply(made, "weight")
    assert np.array_equal(made.weight.detach().numpy(), np.maximum(W, 0))


def test_over_several_layers():
    a, b = layer(), layer()
    b.weight.data = Tensor(W * 100)
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=0.5)
    assert np.count_nonzero(a.weight_mask.numpy()) + np.count_nonzero(b.weight_mask.numpy()) == 12
    assert np.count_nonzero(a.weight_mask.numpy()) < 3
    with pytest.raises(TypeError, match='Only "unstructured"'):
        prune.global_unstructured([(a, "weight")], prune.LnStructured, amount=1, n=2)
    with pytest.raises(TypeError, match=r"\(module, name\) pairs"):
        prune.global_unstructured([], prune.L1Unstructured, amount=1)


def test_refusals():
    made = layer()
    for amount, error in ((-1, ValueError), (1.5, ValueError), (13, ValueError), ("half", TypeError),
                          (True, TypeError)):
        with pytest.raises(error, match="amount"):
            prune.l1_unstructured(made, "weight", amount)
    with pytest.raises(ValueError, match="multidimensional"):
        prune.ln_structured(made, "bias", 1, 2, 0)
    with pytest.raises(IndexError, match="Invalid index 2"):
        prune.ln_structured(made, "weight", 1, 2, 2)
    with pytest.raises(AttributeError, match="no parameter 'w'"):
        prune.l1_unstructured(made, "w", 1)
    with pytest.raises(ValueError, match="has to be pruned before"):
        prune.remove(made, "weight")
    with pytest.raises(ValueError, match="same shape as parameter"):
        prune.l1_unstructured(made, "weight", 1, importance_scores=Tensor(W[0]))
    assert list(made.state_dict()) == ["weight", "bias"] and not prune.is_pruned(made)


def test_beside_pytorch():
    torch = pytest.importorskip("torch")
    theirs_prune = torch.nn.utils.prune if hasattr(torch.nn.utils, "prune") else \
        __import__("torch.nn.utils.prune", fromlist=["prune"])
    for name, args in (("l1_unstructured", (0.3,)), ("l1_unstructured", (5,)), ("ln_structured", (1, 2, 0)),
                       ("ln_structured", (0.5, 1, 1)), ("ln_structured", (2, float("inf"), 1))):
        ours, theirs = layer(), torch.nn.Linear(4, 3)
        theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
        for _ in range(2):                                         # and once more
            getattr(prune, name)(ours, "weight", *args)
            getattr(theirs_prune, name)(theirs, "weight", *args)
            assert list(ours.state_dict()) == list(theirs.state_dict())
            assert np.array_equal(ours.weight_mask.numpy(), theirs.weight_mask.numpy()), (name, args)
