"""Buffers: tensors that a module keeps and does not learn; and batch norm whose layers are changed for another kind."""

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd import Tensor
from nn.parameter import Buffer, Parameter, UninitializedBuffer

rng = np.random.default_rng(0)


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = nn.Buffer(Tensor([0.0, 0.0]))
        self.last = nn.Buffer(Tensor([1.0]), persistent=False)
        self.weight = nn.Parameter(Tensor([3.0]))

    def forward(self, x):
        self.seen = self.seen + x
        return self.weight * x


def test_a_buffer_registers_itself():
    module = Counter()
    assert [name for name, _ in module.named_buffers()] == ["seen", "last"]
    assert [name for name, _ in module.named_parameters()] == ["weight"]
    assert set(module.state_dict()) == {"seen", "weight"}
    module(Tensor([1.0, 2.0]))
    assert dict(module.named_buffers())["seen"].tolist() == [1.0, 2.0], "a plain Tensor in its place is a buffer too"
    assert module.double().seen.dtype == module.last.dtype == np.float64
    other = Counter()
    assert str(other.load_state_dict(module.state_dict())) == "<All keys matched successfully>"
    assert other.seen.tolist() == [1.0, 2.0] and isinstance(other.last, nn.Buffer)
    with pytest.raises(TypeError, match="is a buffer and must stay a Tensor or None"):
        module.seen = 3


def test_persistence_is_that_of_the_last_one():
    module = Counter()
    module.seen = nn.Buffer(Tensor([0.0]), persistent=False)
    module.last = nn.Buffer(Tensor([0.0]))
    assert set(module.state_dict()) == {"last", "weight"}
    module.register_buffer("last", nn.Buffer(Tensor([0.0])), persistent=False)
    assert set(module.state_dict()) == {"weight"}
    module.seen = nn.Parameter(Tensor([1.0]))
    assert dict(module.named_buffers()).keys() == {"last"} and len(list(module.parameters())) == 2


def test_a_buffer_is_a_tensor():
    b = nn.Buffer(Tensor([1.0, 2.0]), persistent=False)
    assert repr(b) == repr(Tensor([1.0, 2.0])) and isinstance(b, nn.Buffer) and isinstance(b, Tensor)
    assert type(b + 1) is Tensor and not b.requires_grad and nn.Buffer().shape == (0,)
    for made in (copy.deepcopy(b), copy.copy(b), pickle.loads(pickle.dumps(b))):
        assert isinstance(made, nn.Buffer) and made.tolist() == [1.0, 2.0] and made.persistent is False
    assert nn.parameter.Buffer is Buffer is nn.Buffer and Parameter is nn.Parameter
    lazy = nn.UninitializedBuffer(persistent=False)
    assert isinstance(lazy, UninitializedBuffer) and isinstance(lazy, nn.Buffer)
    lazy.materialize((2,))
    assert type(lazy) is nn.Buffer and lazy.shape == (2,) and lazy.persistent is False


def test_a_name_that_is_taken_is_no_place_for_a_buffer():
    module = Counter()
    module.plain = Tensor([1.0])
    for name, error in (("plain", KeyError), ("forward", KeyError), ("weight", TypeError)):
        with pytest.raises(error):
            setattr(module, name, nn.Buffer(Tensor([1.0])))
    assert [name for name, _ in module.named_buffers()] == ["seen", "last"]
    assert type(module.plain) is Tensor and type(module.weight) is nn.Parameter


def test_batch_norms_become_synchronized():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3, eps=1e-3, momentum=None))
            self.plain = [nn.BatchNorm1d(3, affine=False), {"a": nn.BatchNorm1d(3)}, (nn.BatchNorm1d(3), 4)]
            self.again = self.first[1]
            self.lazy = nn.LazyBatchNorm1d()
            self.free = nn.BatchNorm1d(3, track_running_stats=False, bias=False)

        def forward(self, x):
            y = self.first(x).mean((2, 3))
            for norm in (self.plain[0], self.plain[1]["a"], self.plain[2][0], self.lazy, self.free):
                y = norm(y) * 2
            return y

    net = Net()
    net.eval()
    net.first.train()
    x = Tensor(rng.standard_normal((4, 2, 3, 3)).astype(np.float32))
    other = copy.deepcopy(net)
    state = other.state_dict(keep_vars=True)
    made = nn.SyncBatchNorm.convert_sync_batchnorm(other)
    assert made is other and list(made.state_dict()) == list(net.state_dict())
    assert all(made.state_dict(keep_vars=True)[name] is tensor for name, tensor in state.items())
    kinds = {name: type(module) for name, module in made.named_modules()}
    assert [name for name, kind in kinds.items() if kind is nn.SyncBatchNorm] == \
        ["first.1", "plain.0", "plain.1.a", "plain.2.0", "free"]
    assert kinds["lazy"] is nn.LazyBatchNorm1d and made.again is made.first[1] and made.first[1].training
    assert not made.plain[0].training and made.first[1].momentum is None and made.first[1].eps == 1e-3
    assert made.free.running_mean is None and made.free.bias is None and made.plain[0].weight is None
    assert np.array_equal(made(x).detach().numpy(), net(x).detach().numpy())
    assert np.array_equal(made.first[1].running_var.numpy(), net.first[1].running_var.numpy())


def test_a_batch_norm_has_a_counterpart():
    norm = nn.BatchNorm1d(3)
    made = nn.SyncBatchNorm.convert_sync_batchnorm(norm, process_group="all")
    assert type(norm) is nn.BatchNorm1d and type(made) is nn.SyncBatchNorm and made.process_group == "all"
    assert made.weight is norm.weight and made.running_mean is norm.running_mean
    assert repr(made) == "SyncBatchNorm(3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
    linear = nn.Linear(2, 2)
    assert nn.SyncBatchNorm.convert_sync_batchnorm(linear) is linear
