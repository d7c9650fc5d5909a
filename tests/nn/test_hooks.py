"""Hooks of a state, of a backward from its outputs on, and of all modules; submodules put in place by their path."""

import numpy as np
import pytest

import nn
from autograd import Tensor


class Named(nn.Linear):
    """A layer with a state that is no tensor."""

    label = "none"

    def get_extra_state(self):
        return {"label": self.label}

    def set_extra_state(self, state):
        self.label = state["label"]


def x(*shape):
    return Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32), requires_grad=True)


def test_extra_state_is_saved_and_loaded():
    model, other = (nn.Sequential(Named(2, 2), nn.Linear(2, 1)) for _ in range(2))
    model[0].label = "first"
    state = model.state_dict()
    assert state["0._extra_state"] == {"label": "first"}
    assert str(other.load_state_dict(state)) == "<All keys matched successfully>" and other[0].label == "first"
    del state["0._extra_state"]
    with pytest.raises(RuntimeError, match="_extra_state"):
        other.load_state_dict(state)
    assert other.load_state_dict(state, strict=False).missing_keys == ["0._extra_state"]
    plain = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    before = plain.state_dict()
    with pytest.raises(RuntimeError, match="Unexpected"):
        plain.load_state_dict(model.state_dict())
    assert all((plain.state_dict()[name].numpy() == v.numpy()).all() for name, v in before.items())
    with pytest.raises(RuntimeError, match="has no get_extra_state"):
        plain.get_extra_state()


def test_a_state_that_cannot_be_taken_back_changes_nothing():
    class Picky(Named):
        def set_extra_state(self, state):
            raise ValueError("no")
    model, given = Picky(2, 2), Picky(2, 2)
    before = model.state_dict()["weight"].numpy().copy()
    with pytest.raises(ValueError, match="no"):
        model.load_state_dict(given.state_dict())
    assert (model.weight.detach().numpy() == before).all()


def test_hooks_of_saving():
    model, seen = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []
    handles = [model.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep))),
               model[0].register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep))),
               model[0].register_state_dict_post_hook(lambda m, state, prefix, meta: state.update({prefix + "a": 1}))]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "0.a"] and seen == [("", False), ("0.", False)]
    for handle in handles:
        handle.remove()
    assert list(model.state_dict()) == ["0.weight", "0.bias"] and model[0]._hooks is None


def test_hooks_of_loading():
    model, old = nn.Linear(2, 2), nn.Linear(2, 2).state_dict()
    old["w"] = old.pop("weight")

    def rename(module, state, prefix, metadata, strict, missing, unexpected, errors):
        if prefix + "w" in state:
            state[prefix + "weight"] = state.pop(prefix + "w")
    handle = model.register_load_state_dict_pre_hook(rename)
    assert str(model.load_state_dict(old)) == "<All keys matched successfully>" and "w" in old
    assert (model.weight.detach().numpy() == old["w"].numpy()).all()
    handle.remove()
    before = model.weight.detach().numpy()
    model.register_load_state_dict_post_hook(lambda module, keys: keys.unexpected_keys.clear())
    with pytest.raises(RuntimeError, match="Missing"):
        model.load_state_dict(nn.Linear(2, 2, bias=False).state_dict())
    assert model.weight.detach().numpy() is before, "an error changes nothing"
    model.load_state_dict({**model.state_dict(), "more": Tensor([1.0])})
    model.register_load_state_dict_pre_hook(lambda *args: args[-1].append("too old"))
    with pytest.raises(RuntimeError, match="too old"):
        model.load_state_dict(model.state_dict())


def test_a_gradient_changed_before_the_backward_of_a_module():
    layer, order = nn.Linear(2, 3), []
    v = x(4, 2)
    layer(v).sum().backward()
    plain, weight = v.grad.numpy(), layer.weight.grad.numpy()
    v.grad = None
    layer.zero_grad()

    def double(module, grad_output):
        order.append("before")
        return (grad_output[0] * 2,)
    layer.register_full_backward_pre_hook(double)
    layer.register_full_backward_hook(lambda m, gi, go: order.append(("after", float(go[0].numpy()[0, 0]))))
    for k in (1, 2):                          # each backward anew
        layer(v).sum().backward()
        assert np.allclose(v.grad.numpy(), 2 * k * plain) and np.allclose(layer.weight.grad.numpy(), 2 * k * weight)
    assert order == ["before", ("after", 2.0)] * 2
    layer.register_full_backward_pre_hook(lambda m, g: (g, g))
    with pytest.raises(TypeError, match="pre-hook must return None or 1 gradient"):
        layer(v).sum().backward()


def test_a_module_of_two_outputs():
    class Two(nn.Module):
        def forward(self, v):
            return v * 2, v * 3
    module, seen = Two(), []
    module.register_full_backward_pre_hook(lambda m, g: seen.append([float(p.numpy()[0]) for p in g]))
    a, b = module(x(2))
    (a * 5 + b * 7).sum().backward()
    assert seen == [[5.0, 7.0]]


def test_hooks_of_all_modules():
    model, seen = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []
    model[0].register_forward_hook(lambda m, args, out: seen.append("own"))
    handles = [nn.register_module_forward_pre_hook(lambda m, args: seen.append(("in", type(m).__name__))),
               nn.register_module_forward_hook(lambda m, args, out: seen.append(("out", type(m).__name__))),
               nn.register_module_full_backward_hook(lambda m, gi, go: seen.append(("back", type(m).__name__))),
               nn.register_module_full_backward_pre_hook(lambda m, go: seen.append(("first", type(m).__name__)))]
    try:
        model(x(1, 2)).sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    assert seen == [("in", "Sequential"), ("in", "Linear"), ("out", "Linear"), "own", ("in", "ReLU"), ("out", "ReLU"),
                    ("out", "Sequential"), ("first", "Sequential"), ("first", "ReLU"), ("back", "ReLU"),
                    ("first", "Linear"), ("back", "Linear"), ("back", "Sequential")]
    assert nn.Module._hooks is None and model._hooks is None and model[0]._hooks is not None
    model(x(1, 2))
    assert seen[-1] == "own" and len(seen) == 14


def test_a_module_put_at_a_path():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.ReLU()))
    model.parts = {"a": [nn.ReLU()]}
    for path in ("0", "1.1", "parts.a.0", "1.new"):
        made = nn.Tanh()
        model.set_submodule(path, made)
        assert model.get_submodule(path) is made
    for path, module, strict, error in (("", nn.ReLU(), False, ValueError), ("0", 3, False, ValueError),
                                        ("5.0", nn.ReLU(), False, AttributeError),
                                        ("7", nn.ReLU(), True, AttributeError),
                                        ("training", nn.ReLU(), False, AttributeError),
                                        ("parts.a.3", nn.ReLU(), False, AttributeError)):
        with pytest.raises(error):
            model.set_submodule(path, module, strict)
