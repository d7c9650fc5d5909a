"""Module: what it finds, what it refuses, hooks, and where an exception says it was raised."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
from autograd import Parameter, ShapeError, Tensor


class Block(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.fc = nn.Linear(n, n)

    def forward(self, x):
        return self.fc(x).relu()


class Net(nn.Module):
    """Parts in every place where parts may be, and no super().__init__()."""

    def __init__(self):
        self.scale = Parameter(np.ones(4, np.float32))
        self.layers = [Block(), Block()]
        self.heads = {"a": nn.Linear(4, 2), "b": (nn.Linear(4, 3), [nn.ReLU()])}
        self.loose = [Parameter(np.zeros(2, np.float32)), 3, "text"]
        self.alias = [self.layers[0].fc, *self.layers[1].parameters()]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["a"](x * self.scale)


NAMES = ["scale", "loose.0", "layers.0.fc.weight", "layers.0.fc.bias", "layers.1.fc.weight", "layers.1.fc.bias",
         "heads.a.weight", "heads.a.bias", "heads.b.0.weight", "heads.b.0.bias"]


def x(*shape):
    return Tensor(np.ones(shape, np.float32))


def test_finds_parts_in_plain_lists_tuples_and_dicts_without_super_init():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert [name for name, _ in net.named_modules()] == ["", "layers.0", "layers.0.fc", "layers.1", "layers.1.fc",
                                                         "heads.a", "heads.b.0", "heads.b.1.0"]
    assert [name for name, _ in net.named_children()] == ["layers.0", "layers.1", "heads.a", "heads.b.0", "heads.b.1.0"]
    assert list(net.state_dict()) == NAMES
    assert net(x(2, 4)).shape == (2, 2)


def test_a_list_that_grows_later_is_looked_at_again():
    net = Net()
    net.layers.append(Block())
    assert "layers.2.fc.weight" in dict(net.named_parameters())
    assert not net.eval().layers[2].fc.training


def test_a_list_of_what_is_an_attribute_elsewhere_gives_no_second_name():
    net = Net()
    assert not [name for name in net.state_dict() if name.startswith("alias")]
    assert not [name for name, _ in net.named_modules(remove_duplicate=False) if name.startswith("alias")]


def test_shared_parameters_come_once_and_are_saved_under_both_names():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    assert [name for name, _ in net.named_parameters()] == ["0.weight", "0.bias", "1.bias"]
    every = ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert list(dict(net.named_parameters(remove_duplicate=False))) == list(net.state_dict()) == every
    twice = nn.Sequential(net[0], net[0])
    assert len(list(twice.modules())) == 2 and len(list(twice.parameters())) == 2
    again = copy.deepcopy(net)
    assert again[1].weight is again[0].weight and again[0].weight is not net[0].weight


def test_a_reference_to_the_parent_is_no_endless_walk():
    child = nn.Linear(1, 1)
    parent = nn.Sequential(child)
    child.parent = parent
    parent.all = [parent]
    parent.all.append(parent.all)
    assert [name for name, _ in parent.named_parameters()] == ["0.weight", "0.bias"]
    assert list(parent.state_dict()) == ["0.weight", "0.bias"]
    assert "(parent): (...)" in repr(parent)
    assert parent.eval().apply(lambda m: None) is parent


def test_prefix_recurse_and_look_up():
    net = Net()
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale", "loose.0"]
    assert next(iter(net.named_parameters(prefix="net")))[0] == "net.scale"
    assert net.get_submodule("") is net and net.get_submodule("layers.1.fc") is net.layers[1].fc
    assert net.get_parameter("layers.0.fc.bias") is net.layers[0].fc.bias
    with pytest.raises(AttributeError, match=r"Net has no parameter 'layers.0.fc.wieght'; did you mean 'layers.0.fc.w"):
        net.get_parameter("layers.0.fc.wieght")
    with pytest.raises(AttributeError, match="Linear has no buffer 'mean'; it has none"):
        nn.Linear(1, 1).get_buffer("mean")
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'layer'"):
        _ = net.layer


def test_none_keeps_the_place_of_a_parameter():
    m = nn.Module()
    m.register_parameter("w", None)
    m.b = Parameter(np.ones(2))
    assert list(m.state_dict()) == ["b"]
    m.register_parameter("w", Parameter(np.zeros(1)))
    assert list(m.state_dict()) == ["w", "b"]
    m.w = None
    assert list(m.state_dict()) == ["b"]


def test_buffers():
    m = nn.Module()
    m.register_buffer("mean", Tensor([1.0]))
    m.register_buffer("scratch", Tensor([2.0]), persistent=False)
    m.register_buffer("nothing", None)
    assert [name for name, _ in m.named_buffers()] == ["mean", "scratch"] and list(m.state_dict()) == ["mean"]
    m.mean = Tensor([3.0])
    assert m.get_buffer("mean").item() == 3
    m.double()
    assert m.mean.dtype == np.float64
    with pytest.raises(TypeError, match=r"Module.mean is a buffer and must stay a Tensor or None; got float: wrap it"):
        m.mean = 3.0
    del m.mean
    assert list(m.buffers()) == [m.scratch]


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda m: setattr(m, "fc", 3), TypeError,
     "Block.fc is an nn.Module and must stay one, or become None; got int: del it first to give the name another "
     "meaning"),
    (lambda m: setattr(m.fc, "weight", Tensor([1.0])), TypeError,
     "Linear.weight is an nn.Parameter and must stay one, or become None; got Tensor: wrap it in nn.Parameter(...), or "
     "del it first to give the name another meaning"),
    (lambda m: setattr(m, "train", nn.ReLU()), AttributeError,
     "Block.train = ReLU(...) would hide nn.Module.train; choose another name"),
    (lambda m: m.register_buffer("fc", None), KeyError, "\"attribute 'fc' already exists in Block\""),
    (lambda m: m.register_buffer("q", np.ones(1)), TypeError,
     "register_buffer 'q': expected a Tensor or None; got ndarray: wrap it in Tensor(...)"),
    (lambda m: m.register_parameter("a.b", None), KeyError,
     "\"parameter name 'a.b': it must not be empty, nor hold a dot, as paths have between names\""),
    (lambda m: m.register_parameter("w", Tensor([1.0])), TypeError,
     "register_parameter 'w': expected an nn.Parameter or None; got Tensor: wrap it in nn.Parameter(...)"),
    (lambda m: m.add_module("act", nn.ReLU), TypeError,
     "add_module 'act': expected an nn.Module or None; got the class ReLU: call it, ReLU(...)"),
    (lambda m: m.train(3), TypeError,
     "train(mode): expected True or False; got int: train() only sets the mode, nn.Model fits"),
    (lambda m: m.to("cuda:0"), RuntimeError,
     "to: everything is computed on the CPU here; leave device='cuda:0' out, or say device = 'cuda' if "
     "autograd.cuda.is_available() else 'cpu'"),
    (lambda m: m.to(np.int64), TypeError,
     "to(dtype): a module is cast to floating-point or complex dtypes only; got int64"),
])
def test_what_is_refused_changes_nothing(act, error, text):
    m = Block()
    before = dict(m.__dict__)
    with pytest.raises(error) as caught:
        act(m)
    assert str(caught.value) == text
    assert m.__dict__ == before


def test_modes_freezing_and_gradients():
    net = nn.Sequential(nn.Linear(2, 2), nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2)))
    assert all(m.training for m in net.modules())
    assert net.eval() is net and not any(m.training for m in net.modules())
    assert all(m.training for m in net.train().modules())
    net(x(3, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all((p.grad.numpy() == 0).all() for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    assert not any(p.requires_grad for p in net.requires_grad_(False).parameters())
    assert len(list(net.parameters())) == 4


def test_casting_takes_gradients_along_and_leaves_integers():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    net(x(4, 2)).sum().backward()
    assert net.double() is net
    assert {p.dtype for p in net.parameters()} == {p.grad.dtype for p in net.parameters()} == {np.dtype("float64")}
    assert net[1].num_batches_tracked.dtype == np.int64 and net[1].running_mean.dtype == np.float64
    assert net.to("cpu").to(np.float16)[0].weight.dtype == np.float16
    assert net.to(Tensor(np.zeros(1, np.float32)))[0].weight.dtype == np.float32
    assert net.half().float()(x(4, 2)).dtype == np.float32
    net(x(4, 2)).sum().backward()


def test_apply_visits_children_first_and_each_once():
    shared = nn.ReLU()
    net = nn.Sequential(nn.Sequential(shared, nn.Linear(1, 1)), shared)
    seen = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["ReLU", "Linear", "Sequential", "Sequential"]


def test_copies_and_pickles():
    net = Net().eval()
    for again in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert (again(x(2, 4)).detach().numpy() == net(x(2, 4)).detach().numpy()).all()
        assert not again.training and again.alias[0] is again.layers[0].fc
        assert all(a is not b and a.requires_grad for a, b in zip(again.parameters(), net.parameters()))
        again.layers[0].fc.weight = None
        assert net.layers[0].fc.weight is not None


def test_repr():
    class Custom(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 3, bias=False)
            self.rest = [nn.ReLU()]

        def extra_repr(self):
            return "depth=2"

    assert repr(Custom()) == ("Custom(\n  depth=2\n  (fc): Linear(in_features=2, out_features=3, bias=False)\n"
                              "  (rest.0): ReLU()\n)")
    assert repr(nn.Module()) == "Module()"


# -- calling ---------------------------------------------------------------------------------------------


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\): define what it computes, def forward"):
        nn.Module()(1)


def test_an_exception_is_noted_once_with_its_path():
    net = Net()
    net.layers[1].fc = nn.Linear(5, 4)
    with pytest.raises(ShapeError) as caught:
        net(x(2, 4))
    assert caught.value.__notes__ == ["raised in layers.1.fc of Net: Linear(in_features=5, out_features=4, bias=True), "
                                      "called with (2, 4) float32"]
    with pytest.raises(ZeroDivisionError) as caught:
        nn.Sequential(type("Div", (nn.Module,), {"forward": lambda self, n: n // 0})())(3)
    assert caught.value.__notes__ == ["raised in 0 of Sequential: Div(), called with int"]


def test_record_knows_the_module_an_op_ran_in():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.ReLU()))
    with autograd.record():
        out = net(x(4, 2))
    assert out.node.extra.module == "sequential.1.0"
    assert out.node.extra.modules == {"sequential": "Sequential", "sequential.0": "Linear",
                                      "sequential.1": "Sequential", "sequential.1.0": "ReLU"}
    assert [net[0].weight.name, net[0].bias.name] == ["0.weight", "0.bias"]


# -- hooks -----------------------------------------------------------------------------------------------


def test_forward_hooks_see_and_replace():
    layer, log = nn.Linear(2, 2), []
    plain = layer(x(1, 2)).tolist()
    handles = [
        layer.register_forward_pre_hook(lambda m, args: log.append(("before", args[0].shape))),
        layer.register_forward_hook(lambda m, args, out: out * 2),
        layer.register_forward_hook(lambda m, args, kwargs, out: log.append(("after", kwargs)), with_kwargs=True),
        layer.register_forward_pre_hook(lambda m, args: x(1, 2), prepend=True),
    ]
    assert np.allclose(layer(x(3, 2)).tolist(), 2 * np.array(plain))
    assert log == [("before", (1, 2)), ("after", {})]
    for handle in handles:
        handle.remove()
        handle.remove()
    assert layer(x(1, 2)).tolist() == plain and "_hooks" not in layer.__dict__


def test_a_hook_that_is_always_called_sees_failures():
    layer, seen = nn.Linear(2, 2), []
    with layer.register_forward_hook(lambda m, _, out: seen.append(out), always_call=True), pytest.raises(ShapeError):
        layer(x(1, 3))
    assert seen == [None]


def test_keyword_arguments_may_be_replaced_before_forward():
    class Scale(nn.Module):
        def forward(self, v, by=1):
            return v * by

    m = Scale()
    m.register_forward_pre_hook(lambda m, args, kwargs: (args, {"by": 5}), with_kwargs=True)
    assert m(Tensor(2.0), by=3).item() == 10
    m.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(TypeError, match=r"a forward pre-hook with kwargs must return None or \(args, kwargs\); got i"):
        m(Tensor(2.0))


def test_backward_hooks_see_and_replace_the_gradients_of_the_inputs():
    class Product(nn.Module):
        def forward(self, a, b):
            return a * b, b + 1

    m, seen = Product(), []
    handle = m.register_full_backward_hook(lambda m, grad_input, grad_output: seen.append((grad_input, grad_output)))
    m.register_full_backward_hook(lambda m, grad_input, grad_output: (grad_input[0] * 10, grad_input[1]))
    a, b = Tensor([1.0, 2.0], requires_grad=True), Tensor([3.0, 4.0], requires_grad=True)
    first, second = m(a, b)
    (first.sum() + second.sum()).backward()
    (ga, gb), (g1, g2) = seen.pop()
    assert (ga.tolist(), gb.tolist(), g1.tolist(), g2.tolist()) == ([3, 4], [2, 3], [1, 1], [1, 1])
    assert a.grad.tolist() == [30, 40] and b.grad.tolist() == [2, 3]
    m(a, b)[0].sum().backward()
    assert seen.pop()[1][1] is None
    handle.remove()
    m(a, b)[0].sum().backward()
    assert not seen


def test_backward_hook_of_a_module_whose_input_needs_no_gradient():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda m, grads, grad_output: seen.append((grads, grad_output[0].tolist())))
    layer(x(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]
    with autograd.no_grad():
        layer(x(1, 2))
    layer.register_full_backward_hook(lambda m, grad_input, grad_output: (1, 2))
    with pytest.raises(TypeError, match=r"a backward hook must return None or 1 gradient\(s\), one for each input; g"):
        layer(x(1, 2)).sum().backward()
    with pytest.raises(TypeError, match="a hook must be a function; got int"):
        layer.register_forward_hook(3)
