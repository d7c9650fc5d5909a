"""What Model is given wrong is found before anything changes, and said with what arrived and the fix."""

import numpy as np
import pytest

import autograd
import nn.functional as F
import optim
from autograd import ShapeError
from nn.data import DataLoader, TensorDataset
from nn.training.history import Callback
from nn.training.model import Model
from tests.nn.clouds import SPARSE, X, Y, compiled, net, same, state

BAD = X.copy()
BAD[12, 3], BAD[50, 0] = np.nan, np.inf
WRONG = [
    ((SPARSE, BAD, Y), {}, ValueError,
     "fit: x contains 1 NaN and 1 infinite of 360 values, first at position (12, 3): leave those rows out, "
     "keep = np.isfinite(x).all(axis=1), or fill them in, np.nan_to_num(x)"),
    (("mse", X, np.where(X[:, :1] > 2, np.nan, X[:, :1])), {}, ValueError, "fit: y contains "),
    ((SPARSE, X, Y[:80]), {}, ShapeError,
     "fit: x and y must hold the same number of samples; got 90 and 80 (shapes (90, 4) and (80,))"),
    ((SPARSE, X, Y + 1), {}, IndexError, "fit: Target 3 is out of bounds: labels must be in 0..2 for 3 classes"),
    ((SPARSE, X, np.append(Y[:-1], 9)), {}, IndexError, "fit: Target 9 is out of bounds: labels must be in 0..2"),
    ((SPARSE, X, Y * 1.0), {}, TypeError, "fit: expected integer class labels of shape (N,); got dtype float64"),
    ((SPARSE, X, Y[:, None]), {}, ShapeError,
     "fit: sparse_categorical_crossentropy expected integer labels of shape (N,); got (N, 1): use y.reshape(-1)"),
    ((SPARSE, X, np.eye(3)[Y]), {}, ShapeError,
     "fit: sparse_categorical_crossentropy expected integer labels of shape (N,); got (N, 3): if y is one-hot, use "
     "loss='categorical_crossentropy', or y.argmax(axis=1)"),
    (("categorical_crossentropy", X, Y), {}, ShapeError,
     "fit: categorical_crossentropy expected targets of the shape of the outputs, (N, 3); got (N,): for integer labels "
     "use loss='sparse_categorical_crossentropy'"),
    (("mse", X, X[:, 0]), {}, ShapeError,
     "fit: mse expected targets of the shape of the outputs, (N, 1); got (N,): use y.reshape(-1, 1)"),
    (("binary_crossentropy", X, np.sign(X[:, :1])), {}, ValueError,
     "fit: binary_crossentropy expected targets between 0 and 1; got -1.0 at position "),
    ((SPARSE, X[:, :3], Y), {}, ShapeError, "Linear(in_features=4, out_features=8, bias=True): expected"),
    ((SPARSE, X * 1e300, Y), {}, ValueError, "fit: x: "),
    ((SPARSE, np.array([[1], [2, 3]], dtype=object), Y[:2]), {}, TypeError,
     "fit: x: expected an array of numbers; got dtype object holding list (shape (2,)): pad the rows to one length"),
    ((SPARSE, [[1], [2, 3]], Y[:2]), {}, ShapeError,
     "fit: x: expected one array of numbers; got a list of parts that differ in shape"),
    ((SPARSE, np.array([[1.0, None]]), Y[:1]), {}, TypeError,
     "fit: x: expected an array of numbers; got dtype object holding NoneType, float (shape (1, 2)): values are"),
    ((SPARSE, X, np.array(["a"] * 90)), {}, TypeError, "fit: y: expected an array of numbers; got text (dtype <U1)"),
    ((SPARSE, np.ma.masked_greater(X, 2), Y), {}, ValueError, "fit: x is a masked array with "),
    ((SPARSE, X[:0], Y[:0]), {}, ValueError, "fit: x is empty: shape (0, 4) holds no samples"),
    ((SPARSE, 3.0, Y), {}, ShapeError,
     "fit: x: expected an array whose first axis counts the samples; got one number, 3.0"),
    ((SPARSE, X, None), {}, ValueError, "fit: targets are missing: fit(x, y), or fit(loader) with batches (x, y)"),
    ((SPARSE, X, Y), {"batch_size": 0}, ValueError, "fit: batch_size must be a positive integer; got 0"),
    ((SPARSE, X, Y), {"epochs": -1}, ValueError, "fit: epochs must be an integer, 0 or more; got -1"),
    ((SPARSE, X, Y), {"epochs": 1.5}, ValueError, "fit: epochs must be an integer, 0 or more; got 1.5"),
    ((SPARSE, X, Y), {"validation_split": 1}, ValueError, "fit: validation_split must be a fraction in [0, 1); got 1"),
    ((SPARSE, X, Y), {"validation_split": -0.1}, ValueError,
     "fit: validation_split must be a fraction in [0, 1); got -0.1"),
    ((SPARSE, X[:2], Y[:2]), {"validation_split": 0.9}, ValueError,
     "fit: validation_split=0.9 of 2 samples leaves 0 to train on and 2 to validate on; both need at least one"),
    ((SPARSE, X, Y), {"validation_data": (BAD, Y)}, ValueError, "fit, validation_data: x contains 1 NaN and 1 inf"),
    ((SPARSE, X, Y), {"validation_data": (X, Y + 1)}, IndexError, "fit, validation_data: Target 3 is out of bounds"),
    ((SPARSE, X, Y), {"validation_data": (X, Y, Y, Y)}, ValueError,
     "fit: validation_data must be (x, y), (x, y, sample_weight) or a loader; got 4 parts"),
    ((SPARSE, X, Y), {"callbacks": Callback}, TypeError, "callbacks: expected objects; got the class Callback: call"),
    ((SPARSE, X, Y), {"callbacks": [3]}, TypeError, "callbacks: expected objects with methods such as on_epoch_end"),
    ((SPARSE, X[:65], Y[:65]), {}, ValueError,
     "fit: 65 samples in batches of 32 leave one for the last batch, and the model cannot learn from one (Expected"),
    ((SPARSE, DataLoader(TensorDataset(X, Y), 8), Y), {}, ValueError, "fit: y was given twice"),
    ((SPARSE, DataLoader(TensorDataset(X, Y), 8), None), {"batch_size": 8}, ValueError,
     "fit: batch_size=8 was given with a DataLoader, which makes batches by itself: set it there"),
    ((SPARSE, DataLoader(TensorDataset(X, Y), 8), None), {"validation_split": 0.1}, ValueError,
     "fit: validation_split needs arrays; x is a DataLoader: pass validation_data="),
    ((SPARSE, DataLoader(TensorDataset(BAD, Y), 8), None), {}, ValueError, "fit: x contains 1 NaN and 1 infinite"),
    ((SPARSE, DataLoader(TensorDataset(X, np.append(Y[:-1], 9)), 8), None), {}, IndexError,
     "fit: Target 9 is out of bounds"),
    ((SPARSE, DataLoader(TensorDataset(X, Y), 100, drop_last=True), None), {}, ValueError,
     "fit: the DataLoader gives no batches"),
    ((SPARSE, DataLoader(TensorDataset(X, X, Y, Y), 8), None), {}, TypeError,
     "fit: expected batches (x, y), or (x, y, weight); batch 1 has 4 parts"),
    ((lambda out, y: out, X, Y), {}, ShapeError,
     "the loss must be a Tensor with one element; <lambda> gave shape (32, 1)"),
    ((lambda out, y: 1.0, X, Y), {}, ShapeError, "the loss must be a Tensor with one element; <lambda> gave a float"),
]


@pytest.mark.parametrize(("given", "settings", "kind", "text"), WRONG, ids=[w[3][:60] for w in WRONG])
def test_what_is_wrong_is_found_before_anything_changes(given, settings, kind, text):
    loss, x, y = given
    model = compiled(loss, [], out=3 if "categorical" in str(loss) else 1)
    before, draws = state(model), autograd.default_rng().bit_generator.state
    with pytest.raises(kind) as error:
        model.fit(x, y, verbose=0, **settings)
    assert str(error.value).startswith(text)
    assert same(state(model), before) and autograd.default_rng().bit_generator.state == draws


def test_the_error_says_that_nothing_was_changed():
    with pytest.raises(ShapeError) as error:
        compiled().fit(X, Y, validation_data=(X[:, :3], Y), verbose=0)
    assert error.value.__notes__[-1] == "fit, validation_data: found on the first batch; nothing was changed"


@pytest.mark.parametrize("fault", ["label", "nan", "interrupt", "forward"])
def test_a_batch_that_fails_later_leaves_all_as_it_was_before_it(fault):
    x = X.astype(np.float32)

    def batches(stop):
        for i in range(stop):
            if i == 3 and fault == "interrupt":
                raise KeyboardInterrupt
            xb, yb = x[8 * i:8 * i + 8].copy(), Y[8 * i:8 * i + 8].copy()
            if i == 3 and fault == "label":
                yb[2] = 7
            if i == 3 and fault == "nan":
                xb[0, 0] = np.nan
            yield (xb[:, :3] if i == 3 and fault == "forward" else xb), yb
    reference = compiled()
    reference.fit(batches(3), verbose=0)
    model = compiled()
    with pytest.raises((IndexError, ValueError, KeyboardInterrupt)):
        model.fit(batches(5), verbose=0)
    assert same(state(model), state(reference))
    assert all(p.grad is None for p in model.parameters()) or fault in ("interrupt", "nan")


def test_a_loss_that_fails_after_the_forward_pass_puts_buffers_back():
    calls = []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 5:                                   # two calls of the look ahead, two batches, then this
            raise RuntimeError("lost")
        return F.cross_entropy(output, target)
    model, reference = compiled(loss), compiled(F.cross_entropy)
    reference.fit(X[:64], Y[:64], shuffle=False, verbose=0)
    calls.append(1)
    with pytest.raises(RuntimeError, match="lost"):
        model.fit(X, Y, shuffle=False, verbose=0)
    assert same(state(model), state(reference)) and model._wrapped[1].num_batches_tracked.item() == 2


def test_a_loss_that_becomes_infinite_is_told_of_once():
    model = compiled("mse", [], out=1, optimizer=lambda params: optim.SGD(params, lr=1e25))
    with pytest.warns(RuntimeWarning) as caught:
        history = model.fit(X, X[:, :1], epochs=3, verbose=0)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert str(caught[0].message) == (
        "fit: the loss became inf in epoch 1, step 2, and the parameters are of no use from here on: build the "
        "model anew and lower the learning rate (now 1e+25), scale the inputs to mean 0 and variance 1, or clip the "
        "gradients")
    assert len(history.history["loss"]) == 3                  # training goes on, as in Keras


def test_before_compile_and_with_nothing_to_learn():
    for verb in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(RuntimeError) as error:
            getattr(Model(net()), verb)(X, Y)
        assert str(error.value) == (f"{verb}: the model is not compiled: call compile(optimizer, loss) first, e.g. "
                                    "model.compile('adam', 'mse')")
    assert Model(net()).predict(X, verbose=0).shape == (90, 3)
    with pytest.raises(AttributeError, match="there is no history yet: call fit first"):
        _ = Model(net()).history
    with pytest.raises(ValueError, match="fit: all parameters are frozen: call requires_grad_"):
        compiled().requires_grad_(False).fit(X, Y)
    frozen = compiled().requires_grad_(False)
    assert frozen.evaluate(X, Y, verbose=0)[0] > 0
    with pytest.raises(ValueError, match="predict: x is empty"):
        frozen.predict(X[:0])
