"""Hooks around steps and state dicts, as in PyTorch."""

import copy
import pickle

import numpy as np
import pytest

import optim
from autograd import Tensor
from optim.hooks import register_optimizer_step_post_hook, register_optimizer_step_pre_hook


def made(**settings):
    p = Tensor(np.float32([1.0, 2.0]), requires_grad=True)
    p.grad = Tensor(np.ones(2, np.float32))
    return p, optim.SGD([p], **{"lr": 0.5, "momentum": 0.9, **settings})


def test_hooks_are_called_around_a_step_in_order_until_removed():
    p, optimizer = made()
    seen = []
    everyone = [register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("all before")),
                register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("all after"))]
    own = [optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(("before", p.tolist()))),
           optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(("after", p.tolist())))]
    try:
        optimizer.step()
        assert seen == ["all before", ("before", [1.0, 2.0]), ("after", [0.5, 1.5]), "all after"]
        own[0].remove()
        optimizer.step()
        assert [what if isinstance(what, str) else what[0] for what in seen[4:]] == ["all before", "after", "all after"]
        p2, other = made()                                # without hooks of its own
        other.step()
        assert seen[7:] == ["all before", "all after"] and p2.tolist() == [0.5, 1.5]
    finally:
        for handle in everyone:
            handle.remove()
    other.step()
    assert len(seen) == 9


def test_a_pre_hook_may_change_the_arguments():
    _, optimizer = made()
    called = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: called.append(1),), {}))
    optimizer.step()
    assert called == [1]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: "nonsense")
    with pytest.raises(RuntimeError) as error:
        optimizer.step()
    assert str(error.value) == "a step pre-hook must return None or (args, kwargs); got str"
    with pytest.raises(TypeError) as error:
        optimizer.register_step_pre_hook(3)
    assert str(error.value) == "a hook must be a function; got int"


def test_a_step_that_calls_its_base_has_its_hooks_called_once():
    p = Tensor([1.0], requires_grad=True)
    optimizer, calls = optim.AdamWScheduleFree([p]), []
    optimizer.register_step_post_hook(lambda o, args, kwargs: calls.append(o))
    p.grad = Tensor([1.0])
    optimizer.step()
    assert calls == [optimizer]
    assert optimizer.stepped


def test_hooks_of_the_state_dict():
    _, optimizer = made()
    optimizer.step()
    seen = []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": 2})
    optimizer.register_state_dict_post_hook(lambda o, saved: {**saved, "note": 1}, prepend=True)
    saved = optimizer.state_dict()
    assert (seen, saved["note"]) == (["save"], 2)
    _, other = made()

    def older(o, state_dict):
        state_dict["param_groups"] = [{**state_dict["param_groups"][0], "lr": 7.0}]
        return state_dict
    other.register_load_state_dict_pre_hook(older)
    other.register_load_state_dict_post_hook(lambda o: seen.append(o.param_groups[0]["lr"]))
    other.load_state_dict(saved)
    assert seen == ["save", 7.0]
    assert saved["param_groups"][0]["lr"] == 0.5                      # a copy was changed


def test_copies_go_without_hooks():
    p, optimizer = made()
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: 1 / 0)
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        twin.step()
        assert twin.stepped and p.tolist() == [1.0, 2.0]
        with pytest.raises(ZeroDivisionError):
            optimizer.step()
    handle.remove()
    optimizer.step()
    assert p.tolist() == [0.5, 1.5]                        # also after a hook has failed
