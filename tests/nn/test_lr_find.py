"""nn.lr_find: a rate that trains, and nothing changed."""

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.data import DataLoader, TensorDataset
from tests.nn.clouds import SPARSE, X, Y, compiled, net, same, state


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_the_suggestion_trains_and_a_hundredth_hardly_does(optimizer):
    found = nn.lr_find(net(), "cross_entropy", (X, Y), optimizer, batch_size=30)
    assert 1e-4 < found.suggestion < found.minimum <= 10
    assert repr(found).startswith(f"LRCurve(suggestion={found.suggestion:.3g}, minimum=")

    def loss(rate):
        model = compiled(optimizer=lambda params: optim.get(optimizer, params, lr=rate))
        return model.fit(X, Y, epochs=4, verbose=0, batch_size=30).history["loss"][-1]
    assert loss(found.suggestion) < 0.7 * loss(found.suggestion / 100)


def test_everything_is_as_it_was():
    model = compiled()
    model.fit(X, Y, verbose=0)
    loader = DataLoader(TensorDataset(X, Y), 16, shuffle=True, seed=1)
    before, draws = state(model), (autograd.default_rng().bit_generator.state, loader.generator.bit_generator.state)
    for optimizer in (None, model.optimizer, "sgd"):          # of the compiled model, itself, another
        found = nn.lr_find(model, data=loader, optimizer=optimizer, num_iter=40)
        assert len(found.lrs) == len(found.losses) == len(found.smoothed) and found.lrs[0] == 1e-7
        assert same(state(model), before)
        assert (autograd.default_rng().bit_generator.state, loader.generator.bit_generator.state) == draws
    module = net()
    module.eval()
    nn.lr_find(module, nn.CrossEntropyLoss(), (X, Y), num_iter=12)
    assert not module.training


def test_where_nothing_can_be_found():
    flat = nn.lr_find(nn.Linear(4, 3), lambda o, t: (o * 0).sum() + 1, (X, Y), num_iter=20)
    assert flat.suggestion is None and "none: the loss never fell" in repr(flat)
    for settings, text in (({"start_lr": 1, "end_lr": 0.1}, "expected 0 < start_lr < end_lr"),
                           ({"num_iter": 3}, "num_iter must be an integer, 10 or more; got 3"),
                           ({"loss": None}, "the loss is missing")):
        with pytest.raises(ValueError, match=text):
            nn.lr_find(**{"model": net(), "loss": SPARSE, "data": (X, Y), **settings})
    with pytest.raises(ValueError, match="has no more batches: pass data that can be run through again"):
        nn.lr_find(net(), SPARSE, [(X[:8], Y[:8])].__iter__())
    with pytest.raises(ValueError, match="the loss is nan before the first step"):
        nn.lr_find(net(), lambda o, t: (o * np.nan).sum(), (X, Y))


def test_the_curve_is_drawn():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ax = nn.lr_find(net(), "cross_entropy", (X, Y)).plot(pyplot.figure().add_subplot())
    assert ax.get_xscale() == "log" and len(ax.lines) == 3 and ax.get_xlabel() == "learning rate"
    pyplot.close("all")
