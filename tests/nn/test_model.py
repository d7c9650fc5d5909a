"""nn.Model: Keras's verbs over any module; what is learned is what a hand-written loop learns."""

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from autograd import Tensor
from nn.data import DataLoader, Dataset, TensorDataset
from nn.training.history import Callback
from nn.training.model import Model
from tests.nn.clouds import SPARSE, X, Y, compiled, net, same, state

ROOT = Path(__file__).parents[2]


# -- fit -------------------------------------------------------------------------------------------------


def test_fit_is_the_hand_written_loop_bit_for_bit():
    x, y = X.astype(np.float32), Y
    model = Model(net())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    autograd.manual_seed(7)
    history = model.fit(x, y, batch_size=16, epochs=3, verbose=0)

    hand = net()
    opt = optim.Adam(hand.parameters())
    autograd.manual_seed(7)
    losses = []
    for _ in range(3):
        order, total = autograd.default_rng().permutation(90), 0.0
        for start in range(0, 90, 16):
            k = order[start:start + 16]
            loss = F.cross_entropy(hand(Tensor(x[k])), Tensor(y[k]))
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(k)
        losses.append(total / 90)
    assert history.history["loss"] == pytest.approx(losses, rel=1e-12)
    for ours, theirs in zip(model.parameters(), hand.parameters()):
        assert np.array_equal(ours.value, theirs.value)


def test_fit_learns_and_reports():
    model = compiled(optimizer=lambda params: optim.Adam(params, lr=0.05))
    history = model.fit(X, Y, epochs=20, validation_split=0.2, verbose=0)
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(20)) and history is model.history
    assert history.history["accuracy"][-1] > 0.8 and history.history["loss"][-1] < history.history["loss"][0]
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"accuracy": accuracy, "loss": loss}
    probabilities = model.predict(X, verbose=0)
    assert probabilities.shape == (90, 3) and probabilities.dtype == np.float32
    assert accuracy == pytest.approx((probabilities.argmax(1) == Y).mean())
    assert repr(history).startswith("History(20 epochs; last: accuracy: 0.")


@pytest.mark.parametrize("form", ["arrays", "tensors", "lists", "loader", "dataset", "iterable"])
def test_the_forms_that_data_may_have(form):
    x, y = X[:32].astype(np.float32), Y[:32]
    given = {"arrays": (x, y), "tensors": (Tensor(x), Tensor(y)), "lists": (x.tolist(), y.tolist()),
             "loader": (DataLoader(TensorDataset(x, y), 8),), "dataset": (TensorDataset(x, y),),
             "iterable": ([(x[i:i + 8], y[i:i + 8]) for i in range(0, 32, 8)].__iter__(),)}[form]
    size = {"batch_size": 8} if form not in ("loader", "iterable") else {}
    model = compiled()
    model.fit(*given, shuffle=False, verbose=0, **size)
    reference = compiled()
    reference.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    assert same(state(model), state(reference))


def test_validation_takes_the_last_samples_and_learns_nothing():
    kept = compiled()
    kept.fit(X[:72], Y[:72], shuffle=False, verbose=0)
    for form in ({"validation_split": 0.2}, {"validation_data": (X[72:], Y[72:])},
                 {"validation_data": DataLoader(TensorDataset(X[72:], Y[72:]), 18)}):
        model = compiled()
        data = (X, Y) if "validation_split" in form else (X[:72], Y[:72])
        history = model.fit(*data, shuffle=False, verbose=0, **form)
        assert same(state(model), state(kept))
        assert history.history["val_loss"][0] == pytest.approx(kept.evaluate(X[72:], Y[72:], verbose=0)[0])


def test_epochs_are_numbered_on_from_initial_epoch():
    model = compiled()
    assert model.fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert model.fit(X, Y, epochs=0, verbose=0).history == {}


def test_a_loader_that_does_not_know_its_length():
    def batches():
        yield X[:40], Y[:40]
        yield X[40:], Y[40:]
    model = compiled()
    assert model.fit(batches(), verbose=0).epoch == [0]
    with pytest.raises(ValueError, match="generator gave no batches in epoch 2: a generator can be run through only"):
        model.fit(batches(), epochs=2, verbose=0)


# -- modes -----------------------------------------------------------------------------------------------


def test_training_mode_in_fit_evaluation_mode_in_validation_and_afterwards_what_it_was():
    seen = []
    model = compiled()
    model._wrapped[1].eval()                                  # a user froze the running statistics of this one

    class Watch(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(("train", {m.training for m in model.modules()}))

        def on_test_batch_begin(self, batch, logs=None):
            seen.append(("test", {m.training for m in model.modules()}))
    model.fit(X, Y, batch_size=90, validation_data=(X, Y), verbose=0, callbacks=Watch())
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert seen == [("train", {True}), ("test", {False})]
    assert [m.training for m in model.modules()] == [True, True, False, True, True]
    with autograd.no_grad():
        model.fit(X, Y, verbose=0)                            # fit records what it needs


class Noise(nn.Module):
    """Random in evaluation mode too."""

    def forward(self, x):
        return x + 0 * autograd.rand_like(x)


def test_the_look_ahead_draws_no_random_numbers_and_moves_no_buffers():
    model = Model(nn.Sequential(Noise(), nn.Unflatten(1, (2, 2)), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(4, 3)))
    model.compile("adam", SPARSE)
    before, draws = state(model), autograd.default_rng().bit_generator.state
    model.fit(X[:65], Y[:65], epochs=0, verbose=0)            # a single sample for the last batch, which is fine here
    model.summary(print_fn=lambda text: None)
    assert same(state(model), before) and autograd.default_rng().bit_generator.state == draws


def test_evaluate_and_predict_change_nothing():
    model = compiled()
    model.fit(X, Y, verbose=0)
    before, draws = state(model), autograd.default_rng().bit_generator.state
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    model.test_on_batch(X, Y)
    model.summary(print_fn=lambda text: None)
    assert same(state(model), before) and autograd.default_rng().bit_generator.state == draws


# -- callbacks -------------------------------------------------------------------------------------------


def test_callbacks_are_told_of_every_stage_in_keras_order():
    told = []

    class Scribe(Callback):
        pass
    for stage in [name for name in dir(Callback) if name.startswith("on_")]:
        setattr(Scribe, stage, lambda self, *args, stage=stage: told.append((stage, args[0] if len(args) > 1 or (
            args and isinstance(args[0], int)) else None)))
    model = compiled()
    model.fit(X, Y, batch_size=45, validation_data=(X, Y), verbose=0, callbacks=[Scribe()])
    batch = ["on_train_batch_begin", "on_batch_begin", "on_train_batch_end", "on_batch_end"]
    test = ["on_test_batch_begin", "on_test_batch_end"]
    assert [name for name, _ in told] == ["on_train_begin", "on_epoch_begin", *batch, *batch, "on_test_begin", *test,
                                          *test, "on_test_end", "on_epoch_end", "on_train_end"]
    assert [n for name, n in told if name == "on_train_batch_end"] == [0, 1]
    told.clear()
    model.predict(X, batch_size=90, verbose=0, callbacks=Scribe())
    assert [name for name, _ in told] == ["on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end",
                                          "on_predict_end"]


def test_a_callback_may_be_any_object_may_add_numbers_and_may_stop():
    class Stop:
        def set_model(self, model):
            self.model = model

        def on_epoch_end(self, epoch, logs):
            logs["lr"] = 0.5
            self.model.stop_training = epoch == 1
    model = compiled()
    history = model.fit(X, Y, epochs=10, verbose=0, callbacks=Stop())
    assert history.epoch == [0, 1] and history.history["lr"] == [0.5, 0.5]

    class StopAtOnce(Callback):
        def on_train_batch_end(self, batch, logs=None):
            assert self.params["steps"] == 3 and logs["loss"] > 0
            self.model.stop_training = True
    model.fit(X, Y, verbose=0, callbacks=[StopAtOnce()])
    assert model._wrapped[1].num_batches_tracked.item() == 7


# -- one batch -------------------------------------------------------------------------------------------


def test_one_batch_at_a_time():
    model, reference = compiled(), compiled()
    loss, _ = model.train_on_batch(X, Y)
    assert loss == pytest.approx(reference.fit(X, Y, batch_size=90, shuffle=False, verbose=0).history["loss"][0])
    assert same(state(model), state(reference))
    assert model.test_on_batch(X, Y) == model.evaluate(X, Y, batch_size=90, verbose=0)
    assert list(model.test_on_batch(X, Y, return_dict=True)) == ["accuracy", "loss"]
    assert np.array_equal(model.predict_on_batch(X), model.predict(X, batch_size=90, verbose=0))


def test_predict_of_loaders_and_of_several_outputs():
    class Two(nn.Module):
        def forward(self, x):
            return x.sum(dim=1), {"twice": 2 * x}
    sums, rest = Model(Two()).predict(X.astype(np.float32), batch_size=40, verbose=0)
    assert sums.shape == (90,) and np.array_equal(rest["twice"], 2 * X.astype(np.float32))
    model = Model(net())
    pairs = TensorDataset(X, Y)
    for source in (DataLoader(pairs, 32), pairs, DataLoader(TensorDataset(X), 50), iter([X, X])):
        assert model.predict(source, verbose=0).shape in ((90, 3), (180, 3))

    class Pairs(Dataset):
        def __len__(self):
            return 5

        def __getitem__(self, i):
            return X[i], int(Y[i])
    model.compile("adam", SPARSE)
    assert model.predict(Pairs(), verbose=0).shape == (5, 3) and model.fit(Pairs(), verbose=0).epoch == [0]
    with pytest.raises(TypeError, match="loss 'mse' takes one output; the model gave a tuple"):
        two = Model(Two())
        two._wrapped.p = nn.Parameter(np.ones(1, np.float32))
        two.compile("sgd", "mse")
        two.fit(X, X, verbose=0)


# -- what a Model is -------------------------------------------------------------------------------------


def test_a_model_is_the_module_it_wraps():
    module = net()
    model = Model(module)
    assert list(model.state_dict()) == list(module.state_dict()) and model.name == "sequential"
    assert [path for path, _ in model.named_modules()] == ["", "0", "1", "2", "3"]
    assert all(a is b for a, b in zip(model.parameters(), module.parameters(), strict=True))
    model.eval()
    assert not module.training
    module.extra = nn.Linear(1, 1)
    assert model.extra is module.extra and "extra.weight" in model.state_dict()
    del model.extra
    assert not hasattr(module, "extra")
    model.compile("adam", nn.CrossEntropyLoss(weight=Tensor([1.0, 2.0, 3.0])))
    assert "loss" not in "".join(model.state_dict())          # a loss is no part of the model
    assert repr(model).startswith("Model(\n  Sequential(\n    (0): Linear(in_features=4, out_features=8, bias=True)\n")
    seen = []
    module.register_forward_hook(lambda part, args, out: seen.append(part))
    model(X)
    assert seen == [module]
    assert nn.Sequential(model, nn.ReLU())(Tensor(X.astype(np.float32))).shape == (90, 3)
    assert model.append is not None                           # methods of the module are there as well
    with pytest.raises(AttributeError):
        _ = model.no_such_thing


class Net(Model):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.rest = [nn.ReLU(), nn.Linear(8, 3)]

    def forward(self, x):
        x = self.first(x)
        for layer in self.rest:
            x = layer(x)
        return x


class Forgetful(Model):
    def __init__(self):
        self.layer = nn.Linear(4, 3)

    def forward(self, x):
        return self.layer(x)


@pytest.mark.parametrize("kind", [Net, Forgetful])
def test_a_subclass_with_a_forward(kind):
    model = kind()
    model.compile("adam", SPARSE, ["accuracy"])
    assert model.fit(X, Y, epochs=2, verbose=0).epoch == [0, 1] and model(X).shape == (90, 3)
    text = []
    model.summary(print_fn=text.append)
    assert text[0].startswith(f'Model: "{kind.__name__.lower()}"\n') and "(None, 3)" in text[0]
    with pytest.raises(AttributeError):
        _ = model.no_such_thing


@pytest.mark.parametrize("make", [compiled, Net])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_whole_and_apart(make, how):
    model = make()
    model.compile("adam", SPARSE)
    model.fit(X, Y, verbose=0)
    twin = how(model)
    assert np.array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0)) and twin.name == model.name
    before = state(model)
    autograd.manual_seed(1)
    twin.fit(X, Y, verbose=0)
    assert same(state(model), before)
    autograd.manual_seed(1)
    model.fit(X, Y, verbose=0)
    assert same(state(model), state(twin))                    # the optimizer's memory came along
    twin.eval()
    assert all(not part.training for part in twin.modules()) and model.training


@pytest.mark.parametrize(("given", "text"), [
    (([nn.Linear(1, 1)],), "Model: expected an nn.Module; got a list: nn.Model(nn.Sequential(...))"),
    ((nn.Linear,), "Model: expected an nn.Module; got the class Linear: call it, Linear(...)"),
    ((), "Model() needs a module, nn.Model(nn.Sequential(...)), or a subclass with a forward()")])
def test_what_is_no_module(given, text):
    with pytest.raises(TypeError) as error:
        Model(*given)
    assert str(error.value) == text


# -- cost ------------------------------------------------------------------------------------------------


def test_the_loop_adds_few_calls_per_batch():
    """A count of calls stands in for a time: with accuracy, fit adds 5 us to the 100 us of a batch by hand."""
    own = tuple(str(ROOT / "nn" / name) for name in ("passes.py", "progress.py", "metrics", "objective.py", "data",
                                                     "model.py", "history.py", "feed.py", "plan.py"))
    calls = []

    def count(frame, event, arg):
        if event == "call" and frame.f_code.co_filename.startswith(own):
            calls.append(frame.f_code.co_name)

    def run(batches):
        model = compiled()
        calls.clear()
        sys.setprofile(count)
        try:
            model.fit(X[:8 * batches], Y[:8 * batches], batch_size=8, verbose=0)
        finally:
            sys.setprofile(None)
        return len(calls)
    assert (run(11) - run(1)) / 10 <= 12


def test_nothing_slow_is_imported():
    code = ("import numpy, sys; before = set(sys.modules); import nn.training.model; "
            "print(sorted(set(sys.modules) - before))")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {name for name in ("difflib", "shutil", "dataclasses", "html", "json", "subprocess", "tempfile")
                if f"'{name}'" in found}


def test_no_warnings_from_plain_use():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled().fit(X, Y, verbose=0, validation_split=0.1)
