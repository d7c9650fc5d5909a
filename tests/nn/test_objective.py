"""Losses, metrics and optimizers by name: what `compile` makes of them, whatever the model ends with."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from autograd import ShapeError, Tensor
from nn import metrics
from nn.training.model import Model
from tests.nn.clouds import RNG, SPARSE, X, Y, compiled, net, same, state

# -- compile ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("arguments", "kind", "text"), [
    (("adm", "mse"), ValueError, "unknown optimizer 'adm': did you mean 'adam'? known: adagrad, adam, "),
    (("adam", "cross_entropi"), ValueError,
     "unknown loss 'cross_entropi': did you mean 'cross_entropy'? known: sparse_"),
    (("adam", "xyz"), ValueError, "unknown loss 'xyz'; known: sparse_categorical_crossentropy, "),
    (("adam", "mse", ["acuracy"]), ValueError,
     "unknown metric 'acuracy': did you mean 'accuracy'? known: accuracy, acc, "),
    (("adam", "mse", ["mae", "mae"]), ValueError, "metrics: two numbers would be called 'mae'; name them, "),
    (("adam", "mse", [3]), TypeError, "metrics: expected a name such as 'accuracy', a function"),
    (("adam", "mse", [metrics.Metric]), TypeError,
     "metrics: expected a name, a function or an object; got the class Metric"),
    (("adam",), ValueError, "compile: the loss is missing: compile('adam', 'mse')"),
    (("adam", 3), TypeError, "compile: loss must be a name such as 'mse', a loss module or a function"),
    ((3, "mse"), TypeError,
     "compile: optimizer must be a name such as 'adam', a class such as optim.Adam, or an optimizer; got int"),
    ((optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1), "mse"), ValueError,
     "compile: this SGD holds no parameter of the model: it was made for another one, or before the model was rebuilt"),
])
def test_compile_refuses_what_it_does_not_know_and_keeps_what_was(arguments, kind, text):
    model = compiled()
    before = model.optimizer
    with pytest.raises(kind) as error:
        model.compile(*arguments)
    assert str(error.value).startswith(text) and model.optimizer is before


def test_optimizers_by_name_class_object_and_function():
    for given in ("SGD", optim.SGD, lambda params: optim.SGD(params, lr=1e-3)):
        assert isinstance(compiled(optimizer=given).optimizer, optim.SGD)
        assert compiled(optimizer=given).optimizer.param_groups[0]["lr"] == 1e-3      # PyTorch's default, not Keras's
    module = net()
    mine = optim.Adam(module[3].parameters(), lr=0.1)         # of some of the parameters
    model = Model(module)
    model.compile(mine, "cross_entropy")
    assert model.optimizer is mine
    model.compile(loss="mse")
    assert type(model.optimizer).__name__ == "RMSprop"        # Keras's default


ONE_HOT = np.eye(3)[Y]


@pytest.mark.parametrize("tail", [(), (nn.Softmax(dim=1),), (nn.LogSoftmax(dim=1),), (nn.Softmax(dim=1), nn.Flatten())])
@pytest.mark.parametrize(("loss", "y"), [(SPARSE, Y), ("categorical_crossentropy", ONE_HOT),
                                         ("categorical_crossentropy", ONE_HOT.astype(int))])
def test_the_last_layer_decides_what_crossentropy_takes(loss, y, tail):
    model, logits = compiled(loss, ["accuracy"], *tail), net()
    expected = F.cross_entropy(logits.eval()(Tensor(X.astype(np.float32))), Tensor(Y)).item()
    found, accuracy = model.evaluate(X, y, verbose=0)
    assert found == pytest.approx(expected, rel=1e-6)
    assert accuracy == pytest.approx((model.predict(X, verbose=0).argmax(1) == Y).mean())
    history = model.fit(X, y, verbose=0, shuffle=False)
    reference = compiled(loss).fit(X, y, verbose=0, shuffle=False)
    assert history.history["loss"] == pytest.approx(reference.history["loss"], rel=1e-5)


@pytest.mark.parametrize("tail", [(), (nn.Sigmoid(),)])
@pytest.mark.parametrize("y", [(X[:, :1] > 0), (X[:, :1] > 0).astype(np.int64), (X[:, :1] > 0).astype(np.float64)])
def test_binary_crossentropy_of_logits_and_of_probabilities(tail, y):
    model = compiled("binary_crossentropy", ["accuracy"], *tail, out=1)
    loss, accuracy = model.evaluate(X, y, verbose=0)
    z = net(out=1).eval()(Tensor(X.astype(np.float32)))
    assert loss == pytest.approx(F.binary_cross_entropy_with_logits(z, Tensor(y.astype(np.float32))).item(), rel=1e-6)
    assert accuracy == pytest.approx(((z.detach().numpy() > 0) == y).mean())   # the threshold of logits is 0


def test_frozen_models_are_looked_at_too():
    model = compiled(SPARSE, ["accuracy"], nn.Softmax(dim=1)).requires_grad_(False)
    assert model.evaluate(X, Y, verbose=0)[0] == pytest.approx(compiled().evaluate(X, Y, verbose=0)[0], rel=1e-6)


def test_a_softmax_that_underflows_gives_a_finite_loss():
    class Sure(nn.Module):
        def __init__(self):
            super().__init__()
            self.z = nn.Parameter(np.array([[0.0, 1000.0]], np.float32))

        def forward(self, x):
            return autograd.softmax(self.z + 0 * x, dim=1)
    model = Model(Sure())
    model.compile("sgd", SPARSE)
    assert 80 < model.evaluate(np.zeros((2, 2)), np.array([0, 0]), verbose=0) < 90
    model.fit(np.zeros((2, 2)), np.array([0, 0]), verbose=0)
    assert np.isfinite(model._wrapped.z.value).all()


@pytest.mark.parametrize(("loss", "tail", "out", "text"), [
    ("cross_entropy", nn.Softmax(dim=1), 3, "loss cross_entropy takes logits, but the model ends with softmax"),
    (nn.CrossEntropyLoss(), nn.LogSoftmax(dim=1), 3,
     "loss CrossEntropyLoss takes logits, but the model ends with log_softmax"),
    ("bce_with_logits", nn.Sigmoid(), 1, "loss bce_with_logits takes logits, but the model ends with sigmoid"),
    ("nll", nn.Softmax(dim=1), 3, "loss nll takes log-probabilities, but the model ends with softmax"),
])
def test_a_loss_that_contradicts_the_last_layer_is_warned_of(loss, tail, out, text):
    y = Y if out == 3 else (X[:, :1] > 0)
    with pytest.warns(UserWarning) as caught:
        compiled(loss, [], tail, out=out).fit(X, y, verbose=0)
    assert str(caught[0].message).startswith(text) and caught[0].filename == __file__


def test_a_sigmoid_before_sparse_crossentropy_is_an_error():
    with pytest.raises(ValueError, match="sparse_categorical_crossentropy takes logits, or probabilities that add up"):
        compiled(SPARSE, [], nn.Sigmoid()).fit(X, Y)


@pytest.mark.parametrize(("names", "function"), [
    (("mse", "MSE", "mean_squared_error", "MeanSquaredError", "MSELoss", nn.MSELoss, nn.MSELoss(), F.mse_loss),
     F.mse_loss),
    (("mae", "l1", "mean_absolute_error", "L1Loss"), F.l1_loss), (("huber", nn.HuberLoss()), F.huber_loss),
    (("smooth_l1", "SmoothL1Loss"), F.smooth_l1_loss)])
def test_losses_by_their_names(names, function):
    for name in names:
        model = compiled(name, [], out=4)
        expected = function(net(out=4).eval()(Tensor(X.astype(np.float32))), Tensor(X.astype(np.float32))).item()
        assert model.evaluate(X, X, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_a_function_of_a_users_own_may_have_any_name():
    def mse_loss(output, target):
        return ((output.squeeze(1) - target) ** 2).mean()
    assert compiled(mse_loss, [], out=1).fit(X, X[:, 0], verbose=0).history["loss"][0] > 0


def test_labels_to_ignore_are_no_error():
    y = np.where(np.arange(90) % 9 == 0, -100, Y)
    assert compiled(nn.CrossEntropyLoss(), []).fit(X, y, verbose=0).history["loss"][0] > 0


# -- dtypes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.uint8, np.int64, np.bool_])
def test_inputs_are_cast_to_the_dtype_of_the_parameters(dtype):
    x = (np.abs(X) * 20).astype(dtype)
    model = compiled()
    model.fit(x, Y, verbose=0)
    assert {p.dtype for p in model.parameters()} == {np.dtype("float32")}
    assert model.predict(x, verbose=0).dtype == np.float32
    assert model(x).dtype == np.float32 and model(Tensor(x.astype(np.float32))).shape == (90, 3)
    wide = Model(net().double())
    wide.compile("sgd", SPARSE)
    wide.fit(x, Y, verbose=0)
    assert wide.predict(x, verbose=0).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_indices_into_an_embedding_stay_integers(dtype):
    tokens = RNG.integers(0, 7, (40, 5)).astype(dtype)
    model = Model(nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(15, 2)))
    model.compile("adam", SPARSE, ["accuracy"])
    model.fit(tokens, tokens[:, 0] % 2, verbose=0)
    assert model.predict(tokens, verbose=0).shape == (40, 2)
    text = []
    model.summary(print_fn=text.append)
    assert "(None, 5, 3)" in text[0]


# -- metrics ---------------------------------------------------------------------------------------------


def test_metrics_are_means_over_all_samples():
    model = compiled("mse", ["mae", "mse"], out=4)
    loss, mae, mse = model.evaluate(X, X, batch_size=40, verbose=0)
    difference = model.predict(X, verbose=0) - X
    assert mae == pytest.approx(np.abs(difference).mean(), rel=1e-5)
    assert mse == pytest.approx((difference**2).mean(), rel=1e-5) and loss == pytest.approx(mse, rel=1e-5)


def test_metrics_of_ones_own():
    class Largest(metrics.Metric):
        def reset(self):
            self.top = -np.inf

        def update(self, output, target):
            self.top = max(self.top, output.max())

        def result(self):
            return float(self.top)

    def bias(output, target):
        return (output.argmax(1) - target).mean()
    model = compiled(SPARSE, ["acc", bias, Largest("largest")])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    outputs = model.predict(X, verbose=0)
    assert list(logs) == ["acc", "bias", "largest", "loss"]
    assert logs["largest"] == outputs.max() and logs["bias"] == pytest.approx((outputs.argmax(1) - Y).mean())
    model.compile("adam", SPARSE, {"hits": "accuracy", "lean": bias})
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == ["hits", "lean", "loss"]


def test_which_accuracy_is_meant():
    logits = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
    assert metrics.accuracy(logits, np.array([0, 1, 1])) == pytest.approx(2 / 3)
    assert metrics.accuracy(Tensor(logits), np.array([[1, 0], [0, 1], [0, 1]])) == pytest.approx(2 / 3)
    assert metrics.accuracy(np.array([0.2, 0.7]), np.array([0, 0])) == 0.5
    assert metrics.accuracy(np.zeros((2, 3, 5)), np.zeros((2, 5), int)) == 1       # classes on axis 1
    assert metrics.accuracy(np.zeros((2, 5, 3)), np.zeros((2, 5), int)) == 1       # or last
    many = metrics.kind_of_accuracy(np.zeros((2, 3)), np.ones((2, 3)), binary=True, logits=True)
    assert many(np.array([[1.0, -1, 1]]), np.array([[1, 1, 1]])) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match=r"accuracy: expected class labels, here 0 or 1 .*; got 0.3: for"):
        metrics.accuracy(np.zeros((2, 1)), np.array([[0.3], [1]]))
    with pytest.raises(ShapeError, match="accuracy: expected output and target of one shape"):
        metrics.accuracy(np.zeros((2, 1)), np.array([0, 1]))


def test_accuracy_of_quantities_is_refused_before_training():
    model = compiled("mse", ["accuracy"], out=1)
    before = state(model)
    with pytest.raises(ValueError, match="for quantities use metrics="):
        model.fit(X, X[:, :1], verbose=0)
    assert same(state(model), before)
