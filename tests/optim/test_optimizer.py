"""What all optimizers share: groups, closure, gradients, state, and what they say when something is wrong."""

import copy
import pickle

import numpy as np
import pytest

import optim
from autograd import Parameter, Tensor, is_grad_enabled, no_grad

EVERY = [optim.SGD, optim.RMSprop, optim.Adagrad, optim.Adam, optim.AdamW, optim.ASGD, optim.Adadelta, optim.Adamax,
         optim.NAdam, optim.RAdam, optim.Lion, optim.Adafactor, optim.AdamWScheduleFree]
ALL = [*EVERY, optim.Rprop]


def leaf(*values):
    return Tensor(np.array(values, np.float32), requires_grad=True)


def give(*params):
    for p in params:
        p.grad = Tensor(np.ones(p.shape, p.dtype))


class Linear:                                             # what a Module looks like from here
    def __init__(self):
        self.weight = leaf(1.0, 2.0)

    def parameters(self):
        yield self.weight

    def named_parameters(self):
        yield "weight", self.weight


def test_groups_have_settings_of_their_own_which_may_be_changed_between_steps():
    p, q = leaf(1.0), leaf(1.0)
    given = [{"params": p, "lr": 0.5, "note": "head"}, {"params": [q]}]
    optimizer = optim.SGD(given, lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    assert optimizer.param_groups[0]["note"] == "head"
    assert given == [{"params": p, "lr": 0.5, "note": "head"}, {"params": [q]}]     # the user's dicts are left alone
    give(p, q)
    optimizer.step()
    optimizer.param_groups[1]["lr"] = 1.0
    optimizer.step()
    np.testing.assert_allclose([p.value[0], q.value[0]], [0.0, -0.1], atol=1e-6)
    r = leaf(1.0)
    optimizer.add_param_group({"params": r, "momentum": 0.9})
    assert {**optimizer.param_groups[2]} == {"params": [r], "lr": 0.1, "momentum": 0.9, "dampening": 0,
                                             "weight_decay": 0, "nesterov": False, "maximize": False}


def test_a_parameter_without_gradient_is_left_alone_and_counts_its_own_steps():
    p, q = leaf(1.0), leaf(1.0)
    optimizer = optim.Adam([p, q])
    give(p)
    optimizer.step()
    give(p, q)
    optimizer.step()
    assert (optimizer.state[p]["step"], optimizer.state[q]["step"]) == (2, 1)
    np.testing.assert_allclose(q.value, [0.999], rtol=1e-6)


def test_a_frozen_parameter_waits_until_it_is_thawed():
    p, frozen = Parameter([1.0]), Parameter([1.0], requires_grad=False)
    optimizer = optim.SGD([p, frozen], lr=0.5)
    give(p)
    optimizer.step()
    assert (p.tolist(), frozen.tolist()) == ([0.5], [1.0])
    frozen.requires_grad_()
    give(frozen)
    p.requires_grad_(False)
    optimizer.step()
    assert (p.tolist(), frozen.tolist()) == ([0.5], [0.5])


def test_named_parameters_are_accepted_and_their_names_kept():
    model = Linear()
    optimizer = optim.AdamW(model.named_parameters())
    assert optimizer.param_groups[0]["params"] == [model.weight]
    assert optimizer.param_groups[0]["param_names"] == ["weight"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight"]


@pytest.mark.parametrize("kind", ALL)
def test_pytorchs_flags_for_its_devices_are_accepted(kind):
    optimizer = kind([leaf(1.0)], foreach=True, fused=None, capturable=False, differentiable=False)
    assert "foreach" not in optimizer.param_groups[0]
    with pytest.raises(ValueError) as error:
        kind([leaf(1.0)], foreach=True, fused=True)
    assert str(error.value) == ("foreach and fused cannot both be True: they are two ways to run one step; give one of "
                                "them")


@pytest.mark.parametrize("kind", ALL)
def test_maximize_is_minimizing_the_opposite(kind):
    p, q = leaf(1.0, -2.0), leaf(1.0, -2.0)
    up, down = kind([p], maximize=True), kind([q])
    for t in range(4):
        p.grad, q.grad = Tensor(np.float32([1.0, t])), Tensor(np.float32([-1.0, -t]))
        up.step()
        down.step()
    np.testing.assert_array_equal(p.value, q.value)


def test_a_rate_may_be_a_tensor_of_one_element():
    for lr in (Tensor(0.5), Tensor([0.5]), np.float64(0.5), np.array(0.5)):
        p = leaf(1.0)
        optimizer = optim.SGD([p], lr=lr)
        give(p)
        optimizer.step()
        assert p.tolist() == [0.5] and p.dtype == np.float32


def test_a_setting_that_the_class_does_not_have_changes_nothing():
    p = leaf(1.0)
    optimizer = optim.Rprop([{"params": [p], "weight_decay": 100.0}], lr=0.5)
    give(p)
    optimizer.step()
    assert p.tolist() == [0.5]


def test_zero_grad_forgets_or_replaces_but_never_writes():
    p, q = leaf(1.0, 2.0), leaf(3.0)
    optimizer = optim.SGD([p, q])
    give(p)
    held = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0.0, 0.0] and p.grad.dtype == np.float32 and q.grad is None
    assert held.tolist() == [1.0, 1.0]
    optimizer.zero_grad()
    assert p.grad is None


def test_the_closure_is_called_with_gradients_recorded_and_its_loss_returned():
    p = leaf(3.0)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        assert is_grad_enabled()
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with no_grad():
        loss = optimizer.step(closure)
    assert loss.item() == 9.0
    np.testing.assert_allclose(p.value, [2.4], rtol=1e-6)
    assert optimizer.step() is None


def test_settings_may_be_switched_on_in_mid_run():
    p = leaf(1.0)
    for kind, changed in [(optim.SGD, {"momentum": 0.9}), (optim.Adam, {"amsgrad": True}),
                          (optim.RMSprop, {"momentum": 0.9, "centered": True})]:
        optimizer = kind([p])
        for _ in range(3):
            give(p)
            optimizer.step()
            optimizer.param_groups[0].update(changed)
        assert np.isfinite(p.value).all()


def test_an_optimizer_of_ones_own_needs_one_rule():
    class SignSGD(optim.Optimizer):
        def __init__(self, params, lr=0.1, weight_decay=0.0):
            super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

        def rule(self, group):
            lr = float(group["lr"])
            return lambda p, g, s: p - lr * np.sign(g)

    p = leaf(1.0, -1.0)
    optimizer = SignSGD([p])
    p.grad = Tensor(np.array([5.0, -0.1], np.float32))
    optimizer.step()
    np.testing.assert_allclose(p.value, [0.9, -0.9], rtol=1e-6)
    bare = optim.Optimizer([p], {"lr": 0.1})
    with pytest.raises(NotImplementedError) as error:
        bare.step()
    assert str(error.value) == "Optimizer must define rule(group), or a step of its own"


def test_repr_is_pytorchs():
    assert repr(optim.SGD([{"params": [leaf(1.0)]}, {"params": [leaf(1.0)], "lr": 0.5}], lr=0.1, momentum=0.9)) == (
        "SGD (\n"
        "Parameter Group 0\n    dampening: 0\n    lr: 0.1\n    maximize: False\n    momentum: 0.9\n"
        "    nesterov: False\n    weight_decay: 0\n"
        "Parameter Group 1\n    dampening: 0\n    lr: 0.5\n    maximize: False\n    momentum: 0.9\n"
        "    nesterov: False\n    weight_decay: 0\n)")
    assert repr(optim.Adam([leaf(1.0)])).startswith(
        "Adam (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n")


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_continue_on_their_own(copied):
    p = leaf(1.0, 2.0)
    optimizer = optim.Adam([p])
    give(p)
    optimizer.step()
    twin = copied(optimizer)
    q = twin.param_groups[0]["params"][0]
    assert q is not p
    give(p, q)
    optimizer.step()
    twin.step()
    np.testing.assert_array_equal(p.value, q.value)
    assert twin.state[q]["step"] == 2


# -- what is refused ---------------------------------------------------------------------------------------

p, computed = leaf(1.0), leaf(1.0) * 2.0
WANTED = "SGD needs Tensors, (name, Tensor) pairs or group dicts in a list; got "


@pytest.mark.parametrize(("params", "kind", "text"), [
    ([], ValueError, "SGD got an empty parameter list: the model has no parameters, or a generator was used up before"),
    (p, TypeError, WANTED + "one Tensor: put it in a list"),
    ({p}, TypeError, WANTED + "a set, whose order changes between runs: pass a list"),
    ({"params": [p]}, TypeError, WANTED + "a dict: put it in a list"),
    ({"weight": p}, TypeError, WANTED + "a dict: pass its items()"),
    (Linear(), TypeError, WANTED + "a Linear: pass model.parameters()"),
    (Linear().parameters, TypeError, WANTED + "a method: call it, as in model.parameters()"),
    ("weights", TypeError, WANTED + "a str"),
    (None, TypeError, WANTED + "None"),
    (np.ones(3), TypeError, WANTED + "a NumPy array: wrap it, Tensor(array, requires_grad=True)"),
    ([p, 3], TypeError, "parameter 1 of group 0 must be a Tensor; got an int"),
    ([Linear()], TypeError, "parameter 0 of group 0 must be a Tensor; got a Linear: pass model.parameters()"),
    ([np.ones(3)], TypeError,
     "parameter 0 of group 0 must be a Tensor; got a NumPy array: wrap it, Tensor(array, requires_grad=True)"),
    ([p, computed], ValueError,
     "parameter 1 of group 0 must be a leaf; this one was computed by multiply: optimize the Tensors it was "
     "computed from"),
    ([("b", Tensor([1.0]))], ValueError,
     "parameter 0 of group 0 ('b') must require a gradient: make it with requires_grad=True, or call "
     "requires_grad_() on it"),
    ([p, leaf(1.0), p], ValueError,
     "parameter 2 of group 0 is the same Tensor as parameter 0: pass each once"),
    ([{"params": [p]}, {"params": [leaf(1.0), p]}], ValueError,
     "parameter 1 of group 1 is already in group 0: pass each once"),
    ([("a", p), leaf(1.0)], ValueError,
     "all parameters must come with a name or none; parameter 1 of group 0 has none"),
    ([{"params": [("a", p)]}, {"params": [leaf(1.0)]}], ValueError,
     "all parameter groups must come with names or none; group 0 has names, group 1 has none"),
    ([{"params": [p]}, [leaf(1.0)]], TypeError, "a parameter group must be a dict with the key 'params'; got a list"),
    ([{"lr": 0.1}], ValueError, "parameter group 0 must have the key 'params'; got 'lr'"),
    ([{"params": Linear()}], TypeError,
     "the params of group 0 must be Tensors or (name, Tensor) pairs in a list; got a Linear: pass model.parameters()"),
    ([{"params": [p]}, {"params": [leaf(1.0)], "lr": -2}], ValueError, "lr must be >= 0; got -2 (parameter group 1)"),
])
def test_bad_parameters(params, kind, text):
    with pytest.raises(kind) as error:
        optim.SGD(params)
    assert str(error.value) == text


@pytest.mark.parametrize(("kind", "settings", "text"), [
    *((kind, {"lr": -1}, "lr must be >= 0; got -1") for kind in EVERY),
    *((kind, {"weight_decay": -0.1}, "weight_decay must be >= 0; got -0.1") for kind in EVERY),
    (optim.SGD, {"lr": float("nan")}, "lr must be >= 0; got nan"),
    (optim.SGD, {"lr": "fast"}, "lr must be a number >= 0; got 'fast' (str)"),
    (optim.SGD, {"lr": None}, "lr must be a number >= 0; got None (NoneType)"),
    (optim.SGD, {"momentum": -0.5}, "momentum must be >= 0; got -0.5"),
    (optim.SGD, {"dampening": "no"}, "dampening must be a number; got 'no' (str)"),
    (optim.SGD, {"nesterov": True}, "nesterov needs momentum > 0 and dampening 0; got momentum 0, dampening 0"),
    (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1},
     "nesterov needs momentum > 0 and dampening 0; got momentum 0.9, dampening 0.1"),
    (optim.RMSprop, {"alpha": 1.5}, "alpha must be in [0, 1]; got 1.5"),
    (optim.RMSprop, {"eps": -1e-8}, "eps must be >= 0; got -1e-08"),
    (optim.RMSprop, {"momentum": -1}, "momentum must be >= 0; got -1"),
    (optim.Adagrad, {"lr_decay": -1}, "lr_decay must be >= 0; got -1"),
    (optim.Adagrad, {"initial_accumulator_value": -1}, "initial_accumulator_value must be >= 0; got -1"),
    (optim.Adam, {"betas": (1.0, 0.999)}, "betas[0] must be in [0, 1); got 1.0"),
    (optim.AdamW, {"betas": (0.9, -0.1)}, "betas[1] must be in [0, 1); got -0.1"),
    (optim.Adam, {"betas": 0.9}, "betas must be two numbers; got 0.9"),
    (optim.SGD, {"lr": Tensor([0.1, 0.2])}, "lr must be a number >= 0; got tensor([0.1, 0.2]) (Tensor)"),
    (optim.ASGD, {"alpha": "x"}, "alpha must be a number; got 'x' (str)"),
    (optim.Rprop, {"etas": (1.0, 1.2)}, "etas[0] must be in (0, 1); got 1.0"),
    (optim.Rprop, {"etas": (0.5, 0.9)}, "etas[1] must be > 1; got 0.9"),
    (optim.Rprop, {"step_sizes": (1, 0.5)}, "step_sizes[1] must be >= step_sizes[0] = 1; got 0.5"),
    (optim.Rprop, {"etas": 0.5}, "etas must be two numbers; got 0.5"),
    (optim.Adadelta, {"rho": 1.1}, "rho must be in [0, 1]; got 1.1"),
    (optim.NAdam, {"momentum_decay": -1}, "momentum_decay must be >= 0; got -1"),
    (optim.Adafactor, {"eps": (-1, 1e-3)}, "eps[0] must be >= 0 or None; got -1"),
    (optim.Adafactor, {"eps": 1e-3}, "eps must be (eps1, eps2); got 0.001"),
    (optim.Adafactor, {"d": 0.5}, "d must be >= 1; got 0.5"),
    (optim.Adafactor, {"beta2_decay": 0.5}, "beta2_decay must be <= 0; got 0.5"),
    (optim.Muon, {}, "Muon is for matrices; parameter 0 has shape (1,): give it to AdamW (parameter group 0)"),
    (optim.Muon, {"adjust_lr_fn": "none"}, "adjust_lr_fn must be 'original' or 'match_rms_adamw'; got 'none'"),
    (optim.Muon, {"ns_steps": 100}, "ns_steps must be in [0, 99]; got 100"),
    (optim.Muon, {"ns_coefficients": (1, 2)}, "ns_coefficients must be three numbers; got (1, 2)"),
    (optim.LBFGS, {"line_search_fn": "armijo"}, "line_search_fn must be 'strong_wolfe' or None; got 'armijo'"),
    (optim.LBFGS, {"history_size": 0}, "history_size must be >= 1; got 0"),
    (optim.AdamWScheduleFree, {"betas": (0.0, 0.9)},
     "betas[0] must be in (0, 1), since x is found from y and z by it; got 0.0"),
    (optim.Adam, {"differentiable": True},
     "differentiable=True is not supported: a step is not recorded; write the update with operators on Tensors to "
     "differentiate through it"),
])
def test_bad_settings(kind, settings, text):
    with pytest.raises(ValueError) as error:
        kind([leaf(1.0)], **settings)
    assert str(error.value) == text


def test_unknown_settings():
    with pytest.raises(TypeError) as error:
        optim.Adam([leaf(1.0)], weigth_decay=0.1)
    assert str(error.value) == ("Adam has no setting 'weigth_decay': did you mean 'weight_decay'? known: lr, betas, "
                                "eps, weight_decay, amsgrad, maximize, decoupled_weight_decay")
    with pytest.raises(TypeError) as error:
        optim.SGD([leaf(1.0)], betas=(0.9, 0.99))
    assert str(error.value) == ("SGD has no setting 'betas'; known: lr, momentum, dampening, weight_decay, nesterov, "
                                "maximize")


def test_a_refused_group_changes_nothing():
    optimizer = optim.SGD([p], lr=0.1)
    before = repr(optimizer)
    for group in ({"params": [p]}, {"params": [leaf(1.0)], "lr": -1}, {"params": [3]}, [leaf(1.0)],
                  {"params": [leaf(1.0)], "nesterov": True}, {"params": [("a", leaf(1.0))]}):
        with pytest.raises((ValueError, TypeError)):
            optimizer.add_param_group(group)
    assert repr(optimizer) == before


def saved(**changes):
    optimizer = optim.Adam([leaf(1.0, 2.0), leaf(3.0)])
    give(*optimizer.param_groups[0]["params"])
    optimizer.step()
    state_dict = optimizer.state_dict()
    for path, value in changes.items():
        part, *keys = path.split("__")
        target = state_dict
        for key in (part, *keys)[:-1]:
            target = target[int(key) if key.isdigit() else key]
        last = (part, *keys)[-1]
        target[int(last) if last.isdigit() else last] = value
    return state_dict


def sgd_saved():
    optimizer = optim.SGD([leaf(1.0, 2.0), leaf(3.0)], momentum=0.9)
    give(*optimizer.param_groups[0]["params"])
    optimizer.step()
    return optimizer.state_dict()


@pytest.mark.parametrize(("state_dict", "kind", "text"), [
    (None, TypeError, "a state dict is a dict with the keys 'state' and 'param_groups'; got None"),
    ({}, ValueError, "a state dict of an optimizer has the keys 'state' and 'param_groups'; got an empty dict"),
    ({"0.weight": 1}, ValueError,
     "a state dict of an optimizer has the keys 'state' and 'param_groups'; got '0.weight'"),
    (optim.Adam([leaf(1.0, 2.0)]).state_dict(), ValueError,
     "the state dict has 1 parameter group of 1 parameter; this Adam has 1 parameter group of 2 parameters: build the "
     "optimizer with the same groups before loading"),
    (optim.Adam([{"params": leaf(1.0, 2.0)}, {"params": leaf(1.0)}]).state_dict(), ValueError,
     "the state dict has 2 parameter groups of 1 + 1 parameters; this Adam has 1 parameter group of 2 parameters: "
     "build the optimizer with the same groups before loading"),
    (sgd_saved(), ValueError, "the state dict is not one of Adam: its parameter group 0 lacks betas, eps, amsgrad"),
    (saved(state__1={"momentum_buffer": Tensor([1.0])}), ValueError,
     "the state dict is not one of Adam: parameter 1 has momentum_buffer; expected step, exp_avg, exp_avg_sq, "
     "max_exp_avg_sq"),
    (saved(state__1={"step": 1, "exp_avg": Tensor([1.0])}), ValueError,
     "the state dict is not one of Adam: parameter 1 has step, exp_avg; expected step, exp_avg, exp_avg_sq, "
     "max_exp_avg_sq"),
    (saved(state__7={}), ValueError, "the state dict has state of parameter 7, which is in none of its groups"),
    (saved(state__1__exp_avg=Tensor([1.0, 2.0])), ValueError,
     "exp_avg of parameter 1 must have the parameter's shape (1,); got (2,)"),
    (saved(state__1__exp_avg_sq=np.array(["a"])), ValueError,
     "exp_avg_sq of parameter 1 must be numbers fit for float32; got dtype <U1"),
    (saved(state__1__exp_avg=np.array([1j])), ValueError,
     "exp_avg of parameter 1 must be numbers fit for float32; got dtype complex128"),
    (saved(state__0__step=-1), ValueError, "step of parameter 0 must be a finite number >= 0; got -1"),
    (saved(state__0=[1.0]), ValueError, "the state of parameter 0 must be a dict; got a list"),
    (saved(param_groups__0={"lr": 1}), ValueError,
     "parameter group 0 of the state dict must be a dict with the key 'params'; got {'lr': 1}"),
    (saved(param_groups__0__lr=-1), ValueError, "lr must be >= 0; got -1 (parameter group 0 of the state dict)"),
])
def test_a_state_dict_that_does_not_fit_changes_nothing(state_dict, kind, text):
    a, b = leaf(1.0, 2.0), leaf(3.0)
    optimizer = optim.Adam([a, b], lr=0.01)
    give(a, b)
    optimizer.step()
    before = repr(optimizer), repr(optimizer.state_dict())
    with pytest.raises(kind) as error:
        optimizer.load_state_dict(state_dict)
    assert str(error.value) == text
    assert (repr(optimizer), repr(optimizer.state_dict())) == before


def test_a_state_dict_is_loaded_in_the_parameters_dtype_and_copied():
    a = leaf(1.0, 2.0)
    optimizer = optim.Adam([a])
    moment = np.array([0.5, 0.25], np.float32)
    optimizer.load_state_dict({"state": {3: {"step": 4.0, "exp_avg": moment, "exp_avg_sq": [0.5, 0.5],
                                             "max_exp_avg_sq": None}},
                               "param_groups": [{**optimizer.state_dict()["param_groups"][0], "lr": 0.5, "params": [3],
                                                 "foreach": None, "note": "kept"}]})
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.param_groups[0]["note"] == "kept" and "foreach" not in optimizer.param_groups[0]
    give(a)
    optimizer.step()
    assert optimizer.state[a]["step"] == 5
    assert a.dtype == optimizer.state[a]["exp_avg"].dtype == np.float32
    assert moment.tolist() == [0.5, 0.25]


def test_a_state_dict_is_a_copy():
    a = leaf(1.0, 2.0)
    optimizer = optim.SGD([("a", a)], momentum=0.9)
    give(a)
    optimizer.step()
    state_dict = optimizer.state_dict()
    state_dict["param_groups"][0]["param_names"].append("b")
    optimizer.step()
    assert state_dict["state"][0]["momentum_buffer"].tolist() == [1.0, 1.0]
    assert optimizer.param_groups[0]["param_names"] == ["a"]
    assert set(state_dict["state"][0]) == {"momentum_buffer"}


# -- by name -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "kind"), [("sgd", optim.SGD), ("RMSprop", optim.RMSprop), ("adagrad", optim.Adagrad),
                                            ("Adam", optim.Adam), ("ADAMW", optim.AdamW), (optim.Adam, optim.Adam)])
def test_get(name, kind):
    optimizer = optim.get(name, [leaf(1.0)], lr=0.25)
    assert type(optimizer) is kind and optimizer.param_groups[0]["lr"] == 0.25


NAMED = ("adagrad, adam, adamw, rmsprop, sgd, adadelta, adafactor, adamax, adamwschedulefree, asgd, lbfgs, lion, muon, "
         "nadam, radam, rprop")


@pytest.mark.parametrize(("name", "kind", "text"), [
    ("adm", ValueError, f"unknown optimizer 'adm': did you mean 'adam'? known: {NAMED}"),
    ("newton", ValueError, f"unknown optimizer 'newton'; known: {NAMED}"),
    (3, TypeError, "an optimizer is given by name or class; got int"),
])
def test_get_says_what_it_knows(name, kind, text):
    with pytest.raises(kind) as error:
        optim.get(name, [leaf(1.0)])
    assert str(error.value) == text
