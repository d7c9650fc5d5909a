"""state_dict and load_state_dict: what is saved, what is taken over, and the account of what does not fit."""

from collections import OrderedDict

import numpy as np
import pytest

import nn
from autograd import Tensor


def net():
    return nn.Sequential(OrderedDict(fc=nn.Linear(2, 3), bn=nn.BatchNorm1d(3)))


KEYS = ["fc.weight", "fc.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "bn.num_batches_tracked"]


def test_keys_and_values():
    m = net()
    state = m.state_dict()
    assert list(state) == KEYS
    assert not any(t.requires_grad for t in state.values()) and type(state["fc.weight"]) is Tensor
    assert m.state_dict(keep_vars=True)["fc.weight"] is m.fc.weight
    assert list(m.state_dict(prefix="net.", destination={"epoch": 3})) == ["epoch", *[f"net.{key}" for key in KEYS]]


def test_it_is_a_snapshot():
    m = net()
    state = m.state_dict()
    before = {key: t.numpy().copy() for key, t in state.items()}
    m(Tensor(np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)))        # moves the running statistics
    m.fc.weight.data = m.fc.weight.data * 2
    assert all((state[key].numpy() == before[key]).all() for key in KEYS)
    assert m.state_dict()["bn.num_batches_tracked"].item() == 1


def test_round_trip():
    a, b = net(), net()
    a(Tensor(np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)))
    result = b.load_state_dict(a.state_dict())
    assert repr(result) == str(result) == "<All keys matched successfully>" and result == ([], [])
    assert all((t.numpy() == b.state_dict()[key].numpy()).all() for key, t in a.state_dict().items())
    assert b.fc.weight.requires_grad and b.fc.weight.value is not a.fc.weight.value


def test_values_are_copied_and_cast_unless_assigned():
    m = nn.Linear(2, 1)
    arrays = {"weight": np.array([[1.0, 2.0]]), "bias": [3]}
    m.load_state_dict(arrays)
    assert m.weight.dtype == np.float32 and m.bias.dtype == np.float32
    arrays["weight"][:] = 9
    assert m.weight.tolist() == [[1, 2]]
    with pytest.raises(TypeError, match="'bias' is learned and needs floats; got int64: leave assign out, to have it"):
        m.load_state_dict(arrays, assign=True)
    assert m.weight.tolist() == [[1, 2]]
    m.load_state_dict({**arrays, "bias": [3.0]}, assign=True)
    assert m.weight.dtype == np.float64 and m(Tensor(np.ones((1, 2)))).dtype == np.float64
    m.weight.sum().backward()


def refusal(module, state, **settings):
    before = {key: t.value for key, t in module.state_dict(keep_vars=True).items()}
    with pytest.raises(RuntimeError) as caught:
        module.load_state_dict(state, **settings)
    assert all(t.value is before[key] for key, t in module.state_dict(keep_vars=True).items())
    return str(caught.value)


def test_one_error_lists_all_that_is_wrong_and_nothing_is_changed():
    m = net()
    state = dict(m.state_dict())
    state["fc.weights"] = state.pop("fc.weight")
    state["extra"] = 1.0
    state["bn.weight"] = np.zeros(4)
    assert refusal(m, state) == """\
load_state_dict: the state does not fit Sequential; nothing was changed.
  Missing key(s) in state_dict (the module has them):
    "fc.weight" (3, 2)
  Unexpected key(s) in state_dict (the module has no such names):
    "fc.weights" (3, 2)  <- renamed? "fc.weight" has this shape
    "extra" ()
  size mismatch:
    "bn.weight" is (3,) in the module and (4,) in the state
  Build the module with the sizes it had when the state was saved."""


def test_shapes_must_fit_also_when_not_strict():
    m = nn.Linear(2, 3)
    assert refusal(m, {"weight": np.zeros((2, 3))}, strict=False) == """\
load_state_dict: the state does not fit Linear; nothing was changed.
  size mismatch:
    "weight" is (3, 2) in the module and (2, 3) in the state (transposed?)
  Build the module with the sizes it had when the state was saved."""


def test_a_common_prefix_is_seen():
    m = nn.Linear(2, 3)
    longer = {f"module.{key}": t for key, t in m.state_dict().items()}
    assert refusal(m, longer).splitlines()[-1] == \
        "  The names differ by a prefix: 'module.'; load {k.removeprefix('module.'): v for k, v in state.items()}"
    assert "renamed?" not in refusal(m, longer)
    assert refusal(nn.Sequential(m), m.state_dict()).splitlines()[-1] == \
        "  The names differ by a prefix: '0.'; load {'0.' + k: v for k, v in state.items()}"
    m.load_state_dict({k.removeprefix("module."): v for k, v in longer.items()})


def test_not_strict_loads_what_matches():
    m = nn.Linear(2, 1)
    result = m.load_state_dict({"weight": [[1.0, 2.0]], "x": 3}, strict=False)
    assert result == (["bias"], ["x"]) and result.missing_keys == ["bias"]
    assert repr(result) == "IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['x'])"
    assert m.weight.tolist() == [[1, 2]]


def test_long_lists_are_cut():
    m = nn.Sequential(*[nn.Linear(1, 1) for _ in range(30)])
    text = refusal(m, {})
    assert text.splitlines()[-2:] == [
        "    ... and 40 more",
        "  Build the module as it was when the state was saved, or load what matches with strict=False."]


def test_what_is_no_state():
    with pytest.raises(TypeError, match="expected a dict from names to tensors, as state_dict\\(\\) gives; got list"):
        nn.Linear(1, 1).load_state_dict([1])
    with pytest.raises(TypeError, match="'weight' must be a tensor or an array of numbers; got str"):
        nn.Linear(1, 1).load_state_dict({"weight": "hello", "bias": [1.0]})
