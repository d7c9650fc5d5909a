"""scikit-learn's own checks, and the estimators where its users put them."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_classification
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import autograd
import nn
import optim
from nn.estimators import Classifier, Regressor


@pytest.mark.filterwarnings("ignore")          # the checks give odd data on purpose
@parametrize_with_checks([Classifier(), Regressor()])
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_digits_as_well_as_its_own_network():
    x, y = load_digits(return_X_y=True)
    half = len(x) // 2
    x = x / 16
    ours = [Classifier(random_state=seed, max_iter=100).fit(x[:half], y[:half]).score(x[half:], y[half:])
            for seed in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")        # it says that 100 epochs are few
        theirs = [MLPClassifier(random_state=seed, max_iter=100).fit(x[:half], y[:half]).score(x[half:], y[half:])
                  for seed in (0, 1)]
    assert np.mean(ours) > np.mean(theirs) - 0.01 > 0.9


def test_pipeline_grid_search_and_cross_validation():
    x, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    pipeline = make_pipeline(StandardScaler(), Classifier(max_iter=60, learning_rate_init=0.01, random_state=0))
    assert cross_val_score(pipeline, x, names, cv=3).mean() > 0.93
    search = GridSearchCV(pipeline, {"classifier__hidden_layer_sizes": [(4,), (16, 16)],
                                     "classifier__optimizer": ["sgd", "adam"]}, cv=2).fit(x, names)
    assert search.best_params_["classifier__optimizer"] == "adam" and search.best_score_ > 0.9
    assert set(search.predict(x)) <= set(names)


def test_regression_is_as_good_as_least_squares():
    x, y = load_diabetes(return_X_y=True)
    model = Regressor(hidden_layer_sizes=(), optimizer=lambda p: optim.Adam(p, lr=0.1), max_iter=400, random_state=0)
    both = np.stack([y, -y], 1)
    assert model.fit(x, (both - both.mean(0)) / both.std(0)).score(x, (both - both.mean(0)) / both.std(0)) > 0.51
    assert model.predict(x[:3]).shape == (3, 2)


def test_any_module_and_any_optimizer():
    x, y = make_classification(200, 8, n_classes=3, n_informative=6, random_state=0)
    given = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    before = {name: value.numpy().copy() for name, value in given.state_dict().items()}
    first = Classifier(given, optimizer=lambda p: optim.SGD(p, lr=0.1, momentum=0.9), max_iter=100).fit(x, y)
    assert all(np.array_equal(before[name], value.numpy()) for name, value in given.state_dict().items())
    made = Classifier(lambda features, classes: nn.Linear(features, classes), learning_rate_init=0.1).fit(x, y)
    assert first.score(x, y) > 0.8 and made.score(x, y) > 0.5
    assert clone(first).module is not first.module


def test_the_seed_decides_and_the_stream_of_the_library_is_not_touched():
    x, y = load_iris(return_X_y=True)
    state = autograd.default_rng().bit_generator.state
    one, two = (Classifier(max_iter=5, random_state=7).fit(x, y).predict_proba(x) for _ in range(2))
    assert np.array_equal(one, two) and np.allclose(one.sum(1), 1)
    assert autograd.default_rng().bit_generator.state == state
    assert not np.array_equal(one, Classifier(max_iter=5, random_state=8).fit(x, y).predict_proba(x))


def test_early_stopping_keeps_the_best_and_class_weights_count():
    x, y = make_classification(400, 6, weights=[0.95], flip_y=0.02, random_state=0)
    stopped = Classifier(early_stopping=True, n_iter_no_change=3, learning_rate_init=0.03, max_iter=150,
                         random_state=0).fit(x, y)
    assert stopped.n_iter_ < 150 and len(stopped.validation_loss_curve_) == stopped.n_iter_ == len(stopped.loss_curve_)
    plain, balanced = (Classifier(class_weight=w, max_iter=30, random_state=0).fit(x, y) for w in (None, "balanced"))
    assert balanced.predict(x).sum() > plain.predict(x).sum()


def test_warm_start_and_partial_fit_go_on():
    x, y = load_iris(return_X_y=True)
    model = Classifier(max_iter=5, warm_start=True, random_state=0).fit(x, y)
    loss = model.loss_curve_[-1]
    assert model.fit(x, y).loss_curve_[-1] < loss and model.n_iter_ == 10
    parts = Classifier(random_state=0, learning_rate_init=0.01)
    for _ in range(40):
        parts.partial_fit(x[::2], y[::2], classes=[0, 1, 2])
    assert parts.score(x[1::2], y[1::2]) > 0.9
    assert np.array_equal(pickle.loads(pickle.dumps(parts)).predict(x), parts.predict(x))


def test_what_is_wrong_is_said():
    x, y = load_iris(return_X_y=True)
    with pytest.raises(NotFittedError):
        Classifier().predict(x)
    with pytest.raises(ValueError, match="expected activation to be one of relu, tanh"):
        Classifier(activation="rleu").fit(x, y)
    with pytest.raises(ValueError, match="expected loss to be one of squared_error"):
        Regressor(loss="mse").fit(x, y)
    with pytest.raises(TypeError, match="expected module to be a Module, a function"):
        Classifier(3).fit(x, y)
    with pytest.raises(ValueError, match="classes with the first call"):
        Classifier().partial_fit(x, y)
    with pytest.raises(ValueError, match=r"labels among \[0 1\]; got \[2\]"):
        Classifier().partial_fit(x, y, classes=[0, 1])
    with pytest.warns(DataConversionWarning):
        Classifier(max_iter=1).fit(x, y[:, None])
