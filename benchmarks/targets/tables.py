"""Small data sets of scikit-learn: digits, iris, wine, breast cancer by classifiers, diabetes by least squares."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from math import sqrt
from typing import Any

import numpy as np

import autograd
import nn
import optim
from autograd import Parameter, Tensor

from .outcome import Outcome, Target, at_least, at_most, near, percent


def logistic(x: Any, y: Any) -> Any:
    """Multinomial logistic regression: cross-entropy summed over the examples + |W|^2 / 2, to the minimum by L-BFGS.

    Of two classes only the difference of the weights counts, and scikit-learn's penalty is on that: |W|^2 here.
    """
    classes = int(y.max()) + 1
    model, penalty = nn.Linear(x.shape[1], classes).double(), 1.0 if classes == 2 else 0.5
    inputs, labels = Tensor(x), Tensor(y)
    optimizer = optim.LBFGS(model.parameters(), max_iter=1000, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels, reduction="sum") + penalty * (model.weight**2).sum()
        loss.backward()
        return loss
    optimizer.step(closure)
    return model


def perceptron(width: int, epochs: int, batch: int, rate: float) -> Callable[[Any, Any], Any]:
    """A way to fit one hidden layer of ReLUs, by Adam, through `nn.Model`; Glorot's weights, as in scikit-learn."""
    def fit(x: Any, y: Any) -> Any:
        network = nn.Sequential(nn.Linear(x.shape[1], width), nn.ReLU(), nn.Linear(width, int(y.max()) + 1))
        for layer in (network[0], network[2]):
            bound = sqrt(6 / sum(layer.weight.shape))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)
        model = nn.Model(network)
        model.compile(lambda parameters: optim.Adam(parameters, lr=rate), "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=epochs, batch_size=batch, verbose=0)
        return model
    return fit


def convolutional(x: Any, y: Any) -> Any:
    """Two layers of 3 x 3 convolutions, 16 and 32 channels, and one Linear; Adam, 30 epochs."""
    network = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(512, 10))
    model = nn.Model(network)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=30, batch_size=32, verbose=0)
    return model


def accuracy(model: Any, x: Any, y: Any) -> float:
    """The part of the examples whose label has the largest score."""
    scores = model.predict(x, verbose=0) if isinstance(model, nn.Model) else model(Tensor(x)).detach().numpy()
    return float((scores.argmax(1) == y).mean())


def digits(options: Namespace) -> Iterator[Outcome]:
    """Trained on the first half, tested on the second, by other writers; scans between 0 and 1."""
    from sklearn.datasets import load_digits
    scans, y = load_digits(return_X_y=True)
    x, half = scans / 16, len(scans) // 2

    def right(fit: Callable[[Any, Any], Any], seed: int) -> float:
        autograd.manual_seed(seed)
        return percent(accuracy(fit(x[:half], y[:half]), x[half:], y[half:]))
    yield near("digits, half and half: logistic regression", 93.44, right(logistic, 0), 0.12, digits=4, unit=" %")
    found = [right(perceptron(100, epochs=200, batch=200, rate=1e-3), seed) for seed in range(5)]
    yield near("digits: MLP of 100, mean of 5 seeds", 94.68, np.mean(found), 0.5, digits=4, unit=" %")
    found = [right(convolutional, seed) for seed in range(2)]
    yield at_least("digits: small CNN, mean of 2 seeds", 94.2, np.mean(found), digits=4, unit=" %",
                   shown="94.2 to 96.4 %")


def folded(x: Any, y: Any, fit: Callable[[Any, Any], Any]) -> float:
    """The mean accuracy over 5 folds with equal shares of the classes, inputs standardized by the other four."""
    from sklearn.model_selection import StratifiedKFold
    found = []
    for train, test in StratifiedKFold(5).split(x, y):
        mean, std = x[train].mean(0), x[train].std(0)
        scaled = (x - mean) / std
        found.append(accuracy(fit(scaled[train], y[train]), scaled[test], y[test]))
    return percent(np.mean(found))


PUBLISHED = {"iris": (96.0, 96.7), "wine": (98.3, 98.9), "breast_cancer": (98.1, 97.5)}


def classics(options: Namespace) -> Iterator[Outcome]:
    """Logistic regression has one answer and must give it; of the network, two examples more or less are chance."""
    from sklearn import datasets
    for name, (by_logistic, by_network) in PUBLISHED.items():
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        title = name.replace("_", " ")
        yield near(f"{title}, 5 folds: logistic regression", by_logistic, folded(x, y, logistic), 0.05, digits=4,
                   unit=" %")
        fit = perceptron(32, epochs=60, batch=32, rate=5e-3)
        found = np.mean([folded(x, y, fit) for _ in range(5)])
        yield near(f"{title}, 5 folds: MLP of 32, mean of 5", by_network, found, 1.5, digits=4, unit=" %")


# -- Least squares ----------------------------------------------------------------------------------------


def closed_form(x: Any, y: Any) -> Any:
    """(b, w) of the least squares."""
    return np.linalg.lstsq(np.c_[np.ones(len(x)), x], y, rcond=None)[0]


def by_descent(x: Any, y: Any, method: str) -> Any:
    """The same, from zero, by the gradient of the mean squared error: L-BFGS, or descent with momentum.

    Inputs are scaled to mean 0 and variance 1.  The Hessian's eigenvalues, from 0.009 to 4, are what descent is up
    against; rate and momentum are the best there are for them (Polyak 1964).
    """
    mean, std = x.mean(0), x.std(0)
    z, target = Tensor((x - mean) / std), Tensor(y)
    w, b = Parameter(np.zeros(x.shape[1])), Parameter(np.float64(0))

    def loss() -> Tensor:
        return 0.5 * ((z @ w + b - target) ** 2).mean()
    optimizer: Any
    if method == "L-BFGS":
        optimizer = optim.LBFGS([w, b], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-16,
                                line_search_fn="strong_wolfe")
        steps = 1
    else:
        curvature = autograd.hessian(lambda w: 0.5 * ((z @ w - target) ** 2).mean())(w.numpy(force=True))
        low, high = np.sqrt(np.linalg.eigvalsh(curvature)[[0, -1]])        # that of b is 1, between them
        optimizer = optim.SGD([w, b], lr=(2 / (low + high)) ** 2, momentum=((high - low) / (high + low)) ** 2)
        steps = 1000

    def closure() -> Tensor:
        optimizer.zero_grad()
        found = loss()
        found.backward()
        return found
    for _ in range(steps):
        optimizer.step(closure)
    slopes = w.numpy(force=True) / std
    return np.r_[b.item() - slopes @ mean, slopes]


def explained(weights: Any, x: Any, y: Any) -> float:
    """R^2: the part of the variance of y that the predictions explain."""
    return float(1 - ((y - weights[0] - x @ weights[1:]) ** 2).sum() / ((y - y.mean()) ** 2).sum())


def diabetes(options: Namespace) -> Iterator[Outcome]:
    """442 patients, 10 measurements; the folds are consecutive fifths."""
    from sklearn.datasets import load_diabetes
    x, y = load_diabetes(return_X_y=True)
    exact = closed_form(x, y)
    for method in ("gradient descent with momentum", "L-BFGS"):
        found = by_descent(x, y, method)
        apart = np.abs(found - exact).max() / np.abs(exact).max()
        yield at_most(f"diabetes, least squares: {method} against the closed form, relative", 0, apart, 1e-6, digits=2)
    yield near("diabetes: R^2", 0.5177, explained(found, x, y), 5e-5, digits=5)
    scores = []
    for test in np.array_split(np.arange(len(x)), 5):
        train = np.delete(np.arange(len(x)), test)
        scores.append(explained(by_descent(x[train], y[train], "L-BFGS"), x[test], y[test]))
    yield near("diabetes: R^2, 5 folds", 0.4823, np.mean(scores), 5e-5, digits=5)


TARGETS = {
    "digits": Target(digits, "digits, half and half", "93.44, 94.68, 94.2 to 96.4 %", packages=("sklearn",)),
    "classics": Target(classics, "iris, wine, breast cancer", "96.0, 98.3, 98.1 %", packages=("sklearn",)),
    "diabetes": Target(diabetes, "diabetes, least squares", "0.5177, 0.4823", packages=("sklearn",)),
}
