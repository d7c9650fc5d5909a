"""Programs that name a device run on the CPU; any other device is refused with what to write."""

import pytest

import autograd
import nn


def test_a_program_that_names_the_cpu_runs():
    device = autograd.device("cuda" if autograd.cuda.is_available() else "cpu")
    model = nn.Linear(3, 2, device=device).to(device).cpu()
    x = autograd.randn(4, 3, device=device).to(device).cpu()
    assert x.device == device == "cpu" == str(device) and not x.is_cuda and hash(device) == hash(autograd.device("cpu"))
    assert x.to(device) is x and x.to("cpu", autograd.float64).dtype == x.to(device, dtype=autograd.float64).dtype
    assert model(x).shape == (4, 2) and repr(autograd.device("cuda", 1)) == "device(type='cuda', index=1)"
    for make in (autograd.zeros, autograd.ones, autograd.empty, autograd.rand, autograd.randn, autograd.arange):
        assert make(3, device="cpu").shape == (3,) == make(3, device=device).shape
    assert autograd.zeros_like(x, device=device).shape == x.shape and autograd.cuda.device_count() == 0


@pytest.mark.parametrize("program", [
    lambda x, m: x.to("cuda"), lambda x, m: x.to(autograd.device("cuda:0")), lambda x, m: x.to(device="mps"),
    lambda x, m: x.cuda(), lambda x, m: m.to("cuda"), lambda x, m: m.cuda(),
    lambda x, m: nn.Linear(2, 2, device="cuda"),
    lambda x, m: autograd.tensor([1.0], device="cuda"), lambda x, m: autograd.zeros(2, device="cuda:1")])
def test_another_device_is_refused(program):
    x, model = autograd.zeros(2), nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match="everything is computed on the CPU here"):
        program(x, model)
    assert x.to("float64").dtype == autograd.float64


def test_what_is_no_device():
    for name in ("", "cuda:x", 3):
        with pytest.raises(ValueError, match="expected a name such as 'cpu'"):
            autograd.device(name)
