"""What `fit` warns of by itself: the mistakes it can see at little cost, and nothing in correct programs."""

import importlib.util
import pathlib
import warnings

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from nn.training.model import Model
from tests.nn.clouds import SPARSE, X, Y, compiled, same, state

_spec = importlib.util.spec_from_file_location("programs", pathlib.Path(__file__).with_name("programs.py"))
programs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(programs)

TIME_FIRST = {"recurrent_time_first", "permute_then_reshape"}                 # the first axis counts no samples
TWO_INPUTS = {"two_inputs", "contrastive"}


@pytest.mark.parametrize("epochs", [1, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", sorted(set(programs.PROGRAMS) - TIME_FIRST - TWO_INPUTS))
def test_no_false_alarm(name, epochs):
    autograd.manual_seed(0)
    module, loss, (x, y), optimizer = programs.PROGRAMS[name]()
    if isinstance(optimizer, str):
        learned = [p for p in module.parameters() if p.requires_grad]
        optimizer = optim.SGD(learned, lr=0.05) if optimizer == "sgd" else optim.Adam(learned, lr=5e-3)
    model = Model(module)
    model.compile(optimizer, loss)
    model.fit(x, y, batch_size=len(x), epochs=epochs, verbose=0)              # warnings are errors here
    if epochs == 1:                                                           # an epoch of many steps
        many = [(x, y)] * 24
        model.compile(optimizer, loss)
        model.fit(many.__iter__(), verbose=0)


def warned(module, loss, y=Y, x=X, optimizer="adam", **settings):
    """What is said of a run."""
    model = Model(module)
    model.compile(optimizer, loss, checks=settings.pop("checks", True))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(x, y, verbose=0, **settings)
    for warning in told:
        assert issubclass(warning.category, nn.TrainingWarning) and warning.filename == __file__
    return [str(warning.message) for warning in told]


def layers(*tail, out=3):
    autograd.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, out), *tail)


@pytest.mark.parametrize(("tail", "loss", "y", "text"), [
    (nn.Softmax(-1), lambda o, t: F.cross_entropy(o, t), Y, "the loss is cross_entropy, which takes logits, and the "
     "model ends with softmax: leave the softmax out"),
    (nn.Softmax(-1), lambda o, t: F.cross_entropy(o, t, label_smoothing=0.1), Y, "the model ends with softmax"),
    (nn.Sigmoid(), lambda o, t: F.binary_cross_entropy_with_logits(o, t), np.eye(3, dtype=np.float32)[Y],
     "the loss is BCE-with-logits, which takes logits, and the model ends with sigmoid"),
    (nn.Softmax(-1), nn.CrossEntropyLoss(), Y, "takes logits, but the model ends with softmax"),
    (nn.Sigmoid(), nn.BCEWithLogitsLoss(), np.eye(3)[Y], "takes logits, but the model ends with sigmoid"),
    (nn.Softmax(0), "cross_entropy", Y, "softmax over the batch axis (3 (Softmax))")])
def test_the_wrong_last_layer(tail, loss, y, text):
    assert any(text in said for said in warned(layers(tail), loss, y))


def test_outputs_and_targets_that_broadcast():
    y = X[:, 0].astype(np.float32)
    said = warned(layers(out=1), lambda o, t: ((o - t)**2).mean(), y)
    assert len(said) == 1 and "outputs (32, 1) and targets (32,) are broadcast to (32, 32) in the loss" in said[0]
    assert "use y.reshape(-1, 1)" in said[0]
    assert warned(layers(out=1), lambda o, t: ((o[:, 0] - t)**2).mean(), y) == []
    assert warned(layers(out=1), lambda o, t: ((o - t.reshape(-1, 1))**2).mean(), y) == []


def test_learning_rates_that_are_wrong():
    y = X @ np.array([[1.0], [2], [3], [4]]) + 5

    def with_rate(lr, kind=optim.SGD, **settings):
        return warned(nn.Linear(4, 1), "mse", y, optimizer=lambda params: kind(params, lr=lr), batch_size=4, **settings)
    assert any("has risen from" in said and "the learning rate is too high (now 0.4)" in said
               for said in with_rate(0.4))
    for kind in (optim.SGD, optim.Adam):
        said = with_rate(1e-7, kind)
        assert len(said) == 1 and "the learning rate is far too low (now 1e-07)" in said[0] and "nn.doctor" in said[0]
        assert with_rate(1e-2, kind, epochs=2) == []
    assert with_rate(1e-7, epochs=3, checks=False) == []                      # the switch
    assert len(with_rate(1e-7, epochs=3)) == 1                                # once in a run


def test_dead_relus_and_equal_rows():
    dead = layers()
    dead[0].bias.value = np.full(16, -100, np.float32)
    said = warned(dead, SPARSE)
    assert any("all outputs of 1 (ReLU) are 0 for the first batch" in text for text in said)
    equal = layers()
    equal[0].weight.value, equal[0].bias.value = np.full((16, 4), 0.1, np.float32), np.zeros(16, np.float32)
    equal[2].weight.value = np.repeat(np.arange(3, dtype=np.float32)[:, None], 16, 1)
    said = warned(equal, SPARSE)
    assert any("all rows of 0.weight are equal, and so are their gradients" in text for text in said)
    zero = layers()
    zero[2].weight.value = np.zeros_like(zero[2].weight.value)                # a last layer of zeros is fine
    assert warned(zero, SPARSE) == []


def test_the_looking_leaves_no_trace():
    looked, plain = compiled(), compiled()
    for model, checks in ((looked, True), (plain, False)):
        model.compile("adam", SPARSE, ["accuracy"], checks=checks)
        autograd.manual_seed(1)
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert same(state(looked), state(plain))


def test_warnings_can_be_told_apart():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nn.TrainingWarning)
        model = Model(layers(nn.Softmax(-1)))
        model.compile("adam", nn.CrossEntropyLoss())
        model.fit(X, Y, verbose=0)
