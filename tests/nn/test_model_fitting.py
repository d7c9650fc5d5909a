"""What `fit` and `compile` take besides data: weights, steps, accumulated gradients, bounds, penalties."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from autograd import ShapeError, Tensor
from nn.data import DataLoader, TensorDataset
from nn.regularizers import L1, L1L2, L2, OrthogonalRegularizer
from nn.training.model import Model
from tests.nn.clouds import SPARSE, X, Y, compiled, net, same, state

W = np.random.default_rng(3).random(90)
SMALL = X.astype(np.float32)


def plain(**settings):
    """Without BatchNorm, so that samples do not depend on one another."""
    autograd.manual_seed(0)
    model = Model(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)))
    model.compile(lambda params: optim.SGD(params, lr=0.1), settings.pop("loss", SPARSE), **settings)
    return model


def by_hand(weight, batches=(slice(0, 45), slice(45, 90)), each=1, change=lambda grads: grads, penalty=None):
    """Plain gradient descent of  Σ w l / n  (+ penalty), a step for each `each` batches."""
    module, gathered = plain()._wrapped, []
    for k, rows in enumerate(batches):
        loss = (F.cross_entropy(module(Tensor(SMALL[rows])), Tensor(Y[rows]), reduction="none")
                * Tensor(weight[rows].astype(np.float32))).sum() / (rows.stop - rows.start)
        loss = loss if penalty is None else loss + penalty(module)
        module.zero_grad()
        loss.backward()
        gathered.append([p.grad.value for p in module.parameters()])
        if (k + 1) % each == 0:
            mean = change([sum(g) / each for g in zip(*gathered)])
            for p, g in zip(module.parameters(), mean):
                p.value = p.value - np.float32(0.1) * g
            gathered = []
    return [p.value for p in module.parameters()]


def equal(model, values, tolerance=1e-6):
    for p, value in zip(model.parameters(), values, strict=True):
        np.testing.assert_allclose(p.value, value, rtol=tolerance, atol=tolerance)


# -- weights ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sample_weight", "tensor", "column", "loader", "batches", "class_weight", "both"])
def test_weights_of_samples_and_of_classes(form):
    model, weight = plain(), W
    share = {0: 3.0, 2: 0.5}
    by_class = np.array([3.0, 1.0, 0.5])[Y]
    settings = {"batch_size": 45, "shuffle": False, "verbose": 0}
    if form in ("loader", "batches"):
        batches = [(X[k:k + 45], Y[k:k + 45], W[k:k + 45]) for k in (0, 45)]
        model.fit(DataLoader(TensorDataset(X, Y, W), 45) if form == "loader" else batches.__iter__(), verbose=0)
    elif form in ("class_weight", "both"):
        weight = by_class if form == "class_weight" else by_class * W
        model.fit(X, Y, class_weight=share, **settings, **({"sample_weight": W} if form == "both" else {}))
    else:
        given = {"sample_weight": W, "tensor": Tensor(W), "column": W[:, None]}[form]
        model.fit(X, Y, sample_weight=given, **settings)
    equal(model, by_hand(weight))


def test_weights_of_one_change_nothing_and_of_zero_leave_out():
    one, none = compiled(), compiled()
    history = one.fit(X, Y, sample_weight=np.ones(90), shuffle=False, verbose=0)
    plain_history = none.fit(X, Y, shuffle=False, verbose=0)
    assert history.history["loss"] == pytest.approx(plain_history.history["loss"], rel=1e-6)
    kept = np.arange(90) % 2 == 0
    half, all_of = plain(), plain()
    half.fit(X[kept], Y[kept], batch_size=45, shuffle=False, verbose=0)
    all_of.fit(X, Y, batch_size=90, shuffle=False, verbose=0, sample_weight=2.0 * kept)
    equal(half, [p.value for p in all_of.parameters()])
    balanced, said = plain(), plain()
    balanced.fit(X, Y, shuffle=False, class_weight="balanced", verbose=0)
    counts = np.bincount(Y)
    said.fit(X, Y, shuffle=False, class_weight={k: 30 / counts[k] for k in range(3)}, verbose=0)
    equal(balanced, [p.value for p in said.parameters()])


@pytest.mark.parametrize(("loss", "y", "out"), [
    ("mse", X[:, :3], 3), ("binary_crossentropy", (X[:, :1] > 0), 1), ("categorical_crossentropy", np.eye(3)[Y], 3),
    (nn.CrossEntropyLoss(weight=Tensor([1.0, 2.0, 3.0])), np.where(np.arange(90) % 3, Y, -100), 3),
    (nn.MSELoss(reduction="sum"), X[:, :3], 3), (nn.HuberLoss(), X[:, :3], 3), (F.mse_loss, X[:, :3], 3)])
def test_every_loss_can_be_weighted_and_ones_are_the_plain_loss(loss, y, out):
    model = compiled(loss, [], out=out)
    whole = model.evaluate(X, y, verbose=0)
    assert model.evaluate(X, y, verbose=0, sample_weight=np.ones(90)) == pytest.approx(whole, rel=1e-6)
    first = np.arange(90) < 32
    single = model.evaluate(X[:32], y[:32], verbose=0)
    assert model.evaluate(X[:32], y[:32], sample_weight=2.0 * first[:32], verbose=0) == pytest.approx(2 * single,
                                                                                                      rel=1e-5)


def test_weighted_metrics_see_the_weights_and_others_do_not():
    model = Model(net())
    model.compile("adam", SPARSE, ["accuracy"], {"weighted": "accuracy", "area": nn.metrics.AUC()})
    logs = model.evaluate(X, Y, sample_weight=W, verbose=0, batch_size=32, return_dict=True)
    right = model.predict(X, verbose=0).argmax(1) == Y
    assert list(logs) == ["accuracy", "area", "loss", "weighted"]
    assert logs["accuracy"] == pytest.approx(right.mean())
    assert logs["weighted"] == pytest.approx(np.average(right, weights=W))
    assert model.evaluate(X, Y, sample_weight=W, verbose=0)[2] == logs["weighted"]         # in the order of compile
    with pytest.raises(ValueError, match="two numbers would be called 'accuracy'"):
        model.compile("adam", SPARSE, ["accuracy"], ["accuracy"])


def test_validation_and_single_batches_are_weighted_too():
    model = plain()
    history = model.fit(X, Y, sample_weight=W, validation_split=0.5, verbose=0, shuffle=False)
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(X[45:], Y[45:], sample_weight=W[45:],
                                                                          verbose=0))
    history = model.fit(X, Y, validation_data=(X, Y, W), verbose=0)
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(X, Y, sample_weight=W, verbose=0))
    twin = plain()
    twin.train_on_batch(X[:45], Y[:45], sample_weight=W[:45])
    twin.train_on_batch(X[45:], Y[45:], sample_weight=W[45:])
    equal(twin, by_hand(W))
    assert twin.test_on_batch(X, Y, W) == pytest.approx(twin.evaluate(X, Y, sample_weight=W, batch_size=90, verbose=0))


@pytest.mark.parametrize(("settings", "kind", "text"), [
    ({"sample_weight": W[:5]}, ShapeError, r"fit: sample_weight has shape \(5,\); expected \(90,\), one for each"),
    ({"sample_weight": -W}, ValueError, "fit: sample_weight must not be negative; the lowest is -0.9"),
    ({"sample_weight": W * np.nan}, ValueError, "fit: sample_weight contains 90 NaN"),
    ({"class_weight": {0: -1}}, ValueError, "class_weight: the weight of class 0 must be a number >= 0; got -1"),
    ({"class_weight": [1, 2]}, TypeError, "class_weight must be a dict from class to weight, or 'balanced'; got list"),
    ({"class_weight": {"a": 1}}, TypeError, "class_weight: classes are numbers, 0, 1, ...; got 'a'"),
    ({"steps_per_epoch": 0}, ValueError, "fit: steps_per_epoch must be an integer, 1 or more; got 0"),
    ({"validation_freq": 0}, ValueError, "fit: validation_freq must be an integer, 1 or more; got 0")])
def test_settings_that_make_no_sense(settings, kind, text):
    model = compiled()
    before = state(model)
    with pytest.raises(kind, match=text):
        model.fit(X, Y, verbose=0, **settings)
    assert same(state(model), before)


def test_a_loss_of_ones_own_needs_a_loss_for_each_sample():
    model = plain(loss=lambda output, target: F.cross_entropy(output, target))
    with pytest.raises(TypeError, match="sample_weight and class_weight need the loss of each sample; <lambda> does"):
        model.fit(X, Y, sample_weight=W, verbose=0)
    model = plain(loss=lambda output, target, reduction="mean": F.cross_entropy(output, target, reduction=reduction))
    model.fit(X, Y, sample_weight=W, batch_size=45, shuffle=False, verbose=0)
    equal(model, by_hand(W))
    with pytest.raises(ValueError, match="class_weight needs classes as targets, labels or one-hot"):
        plain(loss="mse").fit(X, np.abs(X[:, :3]), class_weight={0: 2.0}, verbose=0)


# -- steps -----------------------------------------------------------------------------------------------


def test_steps_per_epoch_goes_on_with_the_data():
    seen = []
    model = plain()
    model.fit([(X[k:k + 9], Y[k:k + 9]) for k in range(0, 90, 9)].__iter__(), steps_per_epoch=3, epochs=3, verbose=0,
              callbacks=nn.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch)))
    whole = plain()
    whole.fit(X[:81], Y[:81], batch_size=9, shuffle=False, verbose=0)
    assert seen == [0, 1, 2] * 3 and same(state(model), state(whole))
    again, twice = plain(), plain()                           # all data seen: from the start again
    again.fit(X, Y, batch_size=45, shuffle=False, steps_per_epoch=3, epochs=2, verbose=0)
    twice.fit(X, Y, batch_size=45, shuffle=False, epochs=3, verbose=0)
    assert same(state(again), state(twice))
    with pytest.raises(ValueError, match="ran out of batches after 1 of the 2 of an epoch: give fewer steps"):
        model.fit([(X[k:k + 30], Y[k:k + 30]) for k in (0, 30, 60)].__iter__(), steps_per_epoch=2, epochs=2, verbose=0)


def test_validation_steps_and_validation_freq():
    model = plain()
    history = model.fit(X, Y, epochs=4, validation_data=(X, Y), validation_steps=1, validation_batch_size=10,
                        validation_freq=2, verbose=0)
    assert len(history.history["loss"]) == 4 and len(history.history["val_loss"]) == 2
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(X, Y, batch_size=10, steps=1, verbose=0))
    assert history.history["val_loss"][-1] == pytest.approx(model.evaluate(X[:10], Y[:10], verbose=0))
    assert len(plain().fit(X, Y, epochs=4, validation_data=(X, Y), validation_freq=[1, 4], verbose=0).history[
        "val_loss"]) == 2
    assert model.predict(X, batch_size=10, steps=2, verbose=0).shape == (20, 3)


# -- gradients -------------------------------------------------------------------------------------------


def test_accumulated_gradients_are_their_mean():
    model = plain(gradient_accumulation_steps=2)
    model.fit(X, Y, batch_size=45, shuffle=False, verbose=0)
    equal(model, by_hand(np.ones(90), each=2))
    whole = plain()
    whole.fit(X, Y, batch_size=90, shuffle=False, verbose=0)
    equal(model, [p.value for p in whole.parameters()])
    three = plain(gradient_accumulation_steps=3)              # what is left over waits for the next epoch
    three.fit(X, Y, batch_size=30, shuffle=False, epochs=2, verbose=0)
    rows = [slice(k, k + 30) for k in (0, 30, 60)] * 2
    equal(three, by_hand(np.ones(90), rows, each=3))


def test_a_batch_that_fails_leaves_the_gradients_that_wait():
    class Fails(nn.Module):
        def forward(self, x):
            if x.shape[0] == 5:
                raise RuntimeError("no")
            return x
    model = Model(nn.Sequential(nn.Linear(4, 3), Fails()))
    model.compile("sgd", SPARSE, gradient_accumulation_steps=3)
    before = state(model)
    with pytest.raises(RuntimeError, match="no"):
        model.fit([(X[:8], Y[:8]), (X[:5], Y[:5])].__iter__(), verbose=0)
    assert same(state(model), before)
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize("kind", ["clipnorm", "clipvalue", "global_clipnorm"])
def test_bounds_for_gradients(kind):
    def bounded(grads):
        if kind == "clipvalue":
            return [np.clip(g, -0.01, 0.01) for g in grads]
        whole = np.sqrt(sum((g**2).sum() for g in grads))
        return [g * min(1, 0.01 / (whole if kind == "global_clipnorm" else np.sqrt((g**2).sum()))) for g in grads]
    model = plain(**{kind: 0.01})
    model.fit(X, Y, batch_size=45, shuffle=False, verbose=0)
    equal(model, by_hand(np.ones(90), change=bounded), 2e-6)
    for settings, text in (({kind: -1}, f"compile: {kind} must be a positive number; got -1"),
                           ({"clipnorm": 1.0, "clipvalue": 1.0, "global_clipnorm": 1.0}, "exclude each other"),
                           ({"gradient_accumulation_steps": 0}, "must be an integer, 1 or more; got 0")):
        with pytest.raises(ValueError, match=text):
            plain(**settings)


# -- penalties -------------------------------------------------------------------------------------------


def test_regularizers_are_part_of_the_loss():
    def penalty(module):
        return sum(0.02 * abs(p).sum() + 0.03 * (p * p).sum() for p in (module[0].weight, module[2].weight))
    model = plain(regularizer=L1L2(0.02, 0.03))
    bare = plain().evaluate(X, Y, verbose=0)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(bare + penalty(model._wrapped).item(), rel=1e-5)
    model.fit(X, Y, batch_size=45, shuffle=False, verbose=0)
    equal(model, by_hand(np.ones(90), penalty=penalty))


def test_regularizers_by_name_of_the_parameter():
    model = plain(regularizer={"2.*": None, "*.bias": "l1", "0.weight": L2(0.5)})
    by_path = {path: next((r for r, p in model._plan.penalties if p is q), None)
               for path, q in model.named_parameters()}
    assert repr(by_path) == "{'0.weight': L2(l2=0.5), '0.bias': L1(l1=0.01), '2.weight': None, '2.bias': None}"
    for given, kind, text in (({"3.*": "l2"}, ValueError, r"'3\.\*' of regularizer= fits no parameter; there are 0"),
                              ("l3", ValueError, "unknown regularizer 'l3'; known: l1, l2, l1_l2"),
                              (3, TypeError, "regularizer: expected a name such as 'l2'")):
        with pytest.raises(kind, match=text):
            plain(regularizer=given)
    with pytest.raises(ValueError, match="L2: l2 must be a finite number >= 0; got -1"):
        L2(-1)


def test_what_the_penalties_are():
    w = Tensor(np.array([[3.0, -4.0], [0.0, 5.0]]))
    assert L1(0.5)(w).item() == 6 and L2(0.5)(w).item() == 25 and L1L2(1, 1)(w).item() == 62
    assert OrthogonalRegularizer(2.0)(w).item() == pytest.approx(2 * 0.8**2)
    assert L1L2()(w).item() == 0


def test_losses_that_a_model_adds():
    class Sparse(Model):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = nn.Linear(4, 8), nn.Linear(8, 3)

        def forward(self, x):
            h = autograd.tanh(self.inner(x))
            self.add_loss(0.1 * abs(h).mean())
            return self.outer(h)
    autograd.manual_seed(0)
    model = Sparse()
    model.compile("sgd", SPARSE)
    h = np.tanh(X @ model.inner.weight.value.T + model.inner.bias.value)
    bare = F.cross_entropy(model(X), Tensor(Y)).item()
    assert model.evaluate(X, Y, batch_size=90, verbose=0) == pytest.approx(bare + 0.1 * abs(h).mean(), rel=1e-5)
    for _ in range(3):
        model(X)
    assert len(model._added) == 1                             # of the last call only
    model.predict(X, verbose=0)
    wrapped = plain()
    wrapped.add_loss(lambda: 7 + 0 * wrapped._wrapped[0].bias.sum())
    assert wrapped.evaluate(X, Y, verbose=0) == pytest.approx(7 + plain().evaluate(X, Y, verbose=0))
    with pytest.raises(ValueError, match=r"add_loss: expected a Tensor with one element; got shape \(2,\)"):
        wrapped.add_loss(Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="add_loss: expected a Tensor, or a function"):
        wrapped.add_loss(3)
