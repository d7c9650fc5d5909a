"""What a hand-written loop is warned of after two steps, and the many ways of writing one that are in order."""

import copy
import gc
import warnings

import numpy as np
import pytest

import nn
import optim
from autograd import Tensor, gradients

rng = np.random.default_rng(0)
X, Y = (Tensor(rng.standard_normal((8, n)).astype(np.float32)) for n in (3, 2))


def made(kind=optim.SGD, **settings):
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    return model, kind(model.parameters(), **{"lr": 0.01, **settings})


def loss_of(model):
    return nn.functional.mse_loss(model(X), Y)


@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad])
@pytest.mark.parametrize("clip", [False, True])
def test_steps_without_zero_grad(kind, clip):
    model, rule = made(kind)
    with pytest.warns(UserWarning, match=rf"{kind.__name__}\.step\(\): the gradients of this step were added") as seen:
        for _ in range(4):
            loss_of(model).backward()
            if clip:
                optim.clip_grad_norm_(model.parameters(), 1e-3)
            rule.step()
    assert len(seen) == 1 and seen[0].filename == __file__


def test_gathered_gradients_that_are_never_cleared():
    model, rule = made()
    with pytest.warns(UserWarning, match="call zero_grad"):
        for k in range(1, 7):
            loss_of(model).backward()
            if k % 3 == 0:
                rule.step()


def test_a_step_without_any_gradient():
    model, rule = made()
    other = copy.deepcopy(model)              # rebuilt after the optimizer was made
    with pytest.warns(UserWarning, match="no parameter has a gradient") as seen:
        for _ in range(3):
            rule.zero_grad()
            loss_of(other).backward()
            other.zero_grad()
            rule.step()
    assert seen[0].filename == __file__


def plain(model, rule):
    rule.zero_grad()
    loss_of(model).backward()
    rule.step()


def cleared_behind(model, rule):
    loss_of(model).backward()
    rule.step()
    rule.zero_grad()


def cleared_by_the_model(model, rule):
    model.zero_grad()
    loss_of(model).backward()
    rule.step()


def zeros(model, rule):
    rule.zero_grad(set_to_none=False)
    loss_of(model).backward()
    rule.step()


def zeros_in_place(model, rule):
    for p in model.parameters():
        if p.grad is not None:
            p.grad.zero_()
    loss_of(model).backward()
    rule.step()


def none_by_hand(model, rule):
    for p in model.parameters():
        p.grad = None
    loss_of(model).backward()
    rule.step()


def gathered(model, rule):
    for _ in range(3):
        (loss_of(model) / 3).backward()
    rule.step()
    rule.zero_grad()


def set_by_hand(model, rule):
    for p, g in zip(model.parameters(), gradients(loss_of(model), list(model.parameters()))):
        p.grad = g
    rule.step()


def by_closure(model, rule):
    def closure():
        rule.zero_grad()
        loss = loss_of(model)
        loss.backward()
        return loss
    rule.step(closure)


def old_gradients_for_another(model, rule):
    """As in adversarial training: what the loss of the other leaves behind is cleared before it is used."""
    rule.zero_grad()
    loss_of(model).backward()
    rule.step()
    loss_of(model).backward()                 # for an optimizer of other parameters


def a_gradient_that_is_looked_at(model, rule):
    rule.zero_grad()
    loss_of(model).backward()
    model.seen = [p.grad for p in model.parameters()]
    gradients(loss_of(model), list(model.parameters()))
    rule.step()


def a_schedule_looked_at(model, rule):
    """Steps of a schedule, with an optimizer that has nothing to do."""
    rule.step()


def stepped_twice(model, rule):
    rule.zero_grad()
    loss_of(model).backward()
    rule.step()
    rule.step()


@pytest.mark.parametrize("body", [
    plain, cleared_behind, cleared_by_the_model, zeros, zeros_in_place, none_by_hand, gathered, set_by_hand, by_closure,
    old_gradients_for_another, a_gradient_that_is_looked_at, a_schedule_looked_at, stepped_twice],
    ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", [optim.SGD, optim.Adam])
def test_a_loop_that_is_in_order(body, kind):
    model, rule = made(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            body(model, rule)


def test_nothing_stays_behind():
    """After two steps no hook is left; nor where an optimizer was given up after one."""
    model, rule = made()
    for _ in range(2):
        plain(model, rule)
    assert rule._watch is None
    hooks = lambda: [h for p in model.parameters() if p.node.extra for h in p.node.extra.hooks]
    assert not hooks()
    for _ in range(3):                        # a new one for each step, of which none gets to a second
        plain(model, optim.SGD(model.parameters(), lr=0.01))
    gc.collect()
    loss_of(model).backward()
    assert not hooks()
    rule = optim.Adam(model.parameters())
    plain(model, rule)
    for other in (copy.deepcopy(rule), copy.copy(rule)):
        assert other._watch is None and str(other) == str(rule)
