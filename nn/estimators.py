"""scikit-learn's interface: `Classifier` and `Regressor` work in Pipeline, GridSearchCV and cross_val_score.

Parameters have the names of scikit-learn's MLPClassifier where they mean the same; `module` puts any network there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np

import autograd
import optim

from .activation import ELU, GELU, ReLU, Sigmoid, SiLU, Tanh
from .callbacks import EarlyStopping
from .containers import Sequential
from .linear import Identity, Linear
from .losses import CrossEntropyLoss, HuberLoss, L1Loss, MSELoss
from .module import Module
from .training.model import Model

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state, compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError('nn.Classifier and nn.Regressor need scikit-learn 1.6 or newer; install it with: '
                      'pip install "glassgrad[demo]"') from error

ACTIVATIONS: dict[str, Callable[[], Module]] = {
    "relu": ReLU, "tanh": Tanh, "logistic": Sigmoid, "sigmoid": Sigmoid, "identity": Identity, "gelu": GELU,
    "silu": SiLU, "elu": ELU}
LOSSES: dict[str, Callable[[], Module]] = {"squared_error": MSELoss, "absolute_error": L1Loss, "huber": HuberLoss}


class _Estimator(BaseEstimator):
    """What the two have in common: how a network is made of the parameters and trained on arrays."""

    classes_: Any                              # there after fit, as scikit-learn wants it
    _flat: bool

    def _network(self, features: int, outputs: int) -> Module:
        if isinstance(self.module, Module):
            return deepcopy(self.module)       # the parameter itself stays as it was given
        if self.module is not None:
            if not callable(self.module):
                raise TypeError(f"{type(self).__name__}: expected module to be a Module, a function "
                                f"(features, outputs) -> Module, or None; got {type(self.module).__name__}")
            return self.module(features, outputs)
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"{type(self).__name__}: expected activation to be one of {', '.join(ACTIVATIONS)}; "
                             f"got {self.activation!r}")
        sizes = [features, *np.atleast_1d(self.hidden_layer_sizes).tolist()]
        kind = ACTIVATIONS[self.activation]
        hidden = [part for n, m in pairwise(sizes) for part in (Linear(n, m), kind())]
        return Sequential(*hidden, Linear(sizes[-1], outputs))

    def _optimizer(self, network: Module) -> Any:
        if isinstance(self.optimizer, str):
            return optim.get(self.optimizer, network.parameters(), lr=self.learning_rate_init, weight_decay=self.alpha)
        return self.optimizer(network.parameters())

    def _learn(self, x: Any, targets: Any, outputs: int, loss: Callable[[], Any], again: bool, epochs: int,
               stratify: Any = None) -> None:
        """Trains a new model, or goes on with the one there is; the library's own random stream stays as it was."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with _stream(seed):
            if not again:
                network = self._network(x.shape[1], outputs)
                self.model_ = Model(network)
                self.model_.compile(self._optimizer(network), loss())
                self.loss_curve_, self.validation_loss_curve_, self.n_iter_ = [], [], 0
            watched, held = "loss", None
            if self.early_stopping and epochs > 1:
                x, x_held, targets, y_held = train_test_split(x, targets, test_size=self.validation_fraction,
                                                              random_state=seed, stratify=stratify)
                watched, held = "val_loss", (x_held, y_held)
            stop = EarlyStopping(watched, self.tol, self.n_iter_no_change, restore_best_weights=held is not None)
            size = 200 if self.batch_size == "auto" else self.batch_size
            history = self.model_.fit(x, targets, min(size, len(x)), epochs, self.verbose, validation_data=held,
                                      callbacks=[stop, *(self.callbacks or ())], shuffle=self.shuffle)
        self.loss_curve_ += history.history["loss"]
        self.validation_loss_curve_ += history.history.get("val_loss", [])
        self.n_iter_ += len(history.epoch)

    def _raw(self, x: Any) -> Any:
        """What the network gives for the samples, in float64."""
        check_is_fitted(self)
        x = validate_data(self, x, dtype=(np.float32, np.float64), reset=False)
        return self.model_.predict(x.astype(np.float32), batch_size=1024, verbose=0).astype(np.float64)


@contextmanager
def _stream(seed: int) -> Iterator[None]:
    """The library's random stream begins at the seed, and afterwards is where it was."""
    before = autograd.default_rng().bit_generator.state
    autograd.manual_seed(seed)
    try:
        yield
    finally:
        autograd.default_rng().bit_generator.state = before


class Classifier(ClassifierMixin, _Estimator):
    """A network as a scikit-learn classifier:  p = softmax(network(x)),  trained on the cross-entropy.

    module               None: Linear layers of `hidden_layer_sizes` with `activation` between; or a Module, which is
                         copied with its weights; or a function (features, classes) -> Module.  It gives logits (N, C)
    optimizer            a name ("adam", "sgd", ...), or a function of the parameters:
                         lambda params: optim.SGD(params, lr=0.1, momentum=0.9)
    alpha                weight decay of an optimizer given by name
    batch_size           "auto" is min(200, samples)
    learning_rate_init   of an optimizer given by name
    max_iter             epochs at most
    tol, n_iter_no_change    training ends when the loss gets no better by `tol` in so many epochs
    early_stopping       hold out `validation_fraction` of the samples, watch the loss on these, keep the best weights
    class_weight         None, "balanced", or {label: weight}
    warm_start           fit goes on with the weights there are
    random_state         None, an int or a RandomState; the library's own stream is not touched
    callbacks            of `nn.Model.fit`

    After fit: `classes_`, `model_` (an `nn.Model`), `loss_curve_`, `validation_loss_curve_`, `n_iter_`,
    `n_features_in_`, `feature_names_in_`.  Labels may be numbers or strings.
    """

    def __init__(self, module: Any = None, *, hidden_layer_sizes: Any = (100,), activation: str = "relu",
                 optimizer: Any = "adam", alpha: float = 0.0001, batch_size: Any = "auto",
                 learning_rate_init: float = 0.001, max_iter: int = 200, shuffle: bool = True, tol: float = 1e-4,
                 n_iter_no_change: int = 10, early_stopping: bool = False, validation_fraction: float = 0.1,
                 class_weight: Any = None, warm_start: bool = False, random_state: Any = None, callbacks: Any = None,
                 verbose: Any = 0) -> None:
        self.module, self.hidden_layer_sizes, self.activation = module, hidden_layer_sizes, activation
        self.optimizer, self.alpha, self.batch_size = optimizer, alpha, batch_size
        self.learning_rate_init, self.max_iter, self.shuffle, self.tol = learning_rate_init, max_iter, shuffle, tol
        self.n_iter_no_change, self.early_stopping = n_iter_no_change, early_stopping
        self.validation_fraction, self.class_weight, self.warm_start = validation_fraction, class_weight, warm_start
        self.random_state, self.callbacks, self.verbose = random_state, callbacks, verbose

    def fit(self, X: Any, y: Any) -> Classifier:
        """Train on samples X (N, features) and labels y (N,)."""
        X, y = self._checked(X, y, reset=True)
        again = self.warm_start and hasattr(self, "model_")
        classes = np.unique(y)
        if again and not np.array_equal(classes, self.classes_):
            raise ValueError(f"Classifier: warm_start expects the classes {self.classes_} again; got {classes}")
        self.classes_ = classes
        return self._trained(X, y, again, self.max_iter)

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Classifier:
        """One epoch on some of the samples; `classes`, all labels there are, with the first call."""
        first = not hasattr(self, "model_")
        X, y = self._checked(X, y, reset=first)
        if first:
            if classes is None:
                raise ValueError("partial_fit: expected classes with the first call; got None; "
                                 "give all labels there will be: partial_fit(X, y, classes=[0, 1])")
            self.classes_ = np.unique(classes)
        strange = np.setdiff1d(y, self.classes_)
        if len(strange):
            raise ValueError(f"partial_fit: expected labels among {self.classes_}; got {strange}")
        return self._trained(X, y, not first, 1)

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, dtype=(np.float32, np.float64), multi_output=True, reset=reset)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return X.astype(np.float32), y

    def _trained(self, X: Any, y: Any, again: bool, epochs: int) -> Classifier:
        labels = np.searchsorted(self.classes_, y)

        def loss() -> CrossEntropyLoss:
            if self.class_weight is None:
                return CrossEntropyLoss()
            weight = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            return CrossEntropyLoss(weight=autograd.tensor(weight.astype(np.float32)))
        self._learn(X, labels, len(self.classes_), loss, again, epochs, labels)
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (N, classes), in the order of `classes_`."""
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of the probabilities (N, classes)."""
        return autograd.log_softmax(self._raw(X), dim=1)

    def predict(self, X: Any) -> Any:
        """The most probable label of each sample (N,)."""
        best = self._raw(X).argmax(1)
        return self.classes_[best]


class Regressor(RegressorMixin, _Estimator):
    """A network as a scikit-learn regressor, of one quantity (N,) or several (N, K).

    loss     "squared_error", "absolute_error", "huber", or a function (output, target) -> scalar Tensor
    Other parameters and attributes: as `Classifier`; a `module` gives (N, K), also for one quantity.  Quantities far
    from unit size train badly: put this into a `sklearn.compose.TransformedTargetRegressor` with a StandardScaler.
    """

    def __init__(self, module: Any = None, *, loss: Any = "squared_error", hidden_layer_sizes: Any = (100,),
                 activation: str = "relu", optimizer: Any = "adam", alpha: float = 0.0001, batch_size: Any = "auto",
                 learning_rate_init: float = 0.001, max_iter: int = 200, shuffle: bool = True, tol: float = 1e-4,
                 n_iter_no_change: int = 10, early_stopping: bool = False, validation_fraction: float = 0.1,
                 warm_start: bool = False, random_state: Any = None, callbacks: Any = None, verbose: Any = 0) -> None:
        self.module, self.loss = module, loss
        self.hidden_layer_sizes, self.activation = hidden_layer_sizes, activation
        self.optimizer, self.alpha, self.batch_size = optimizer, alpha, batch_size
        self.learning_rate_init, self.max_iter, self.shuffle, self.tol = learning_rate_init, max_iter, shuffle, tol
        self.n_iter_no_change, self.early_stopping = n_iter_no_change, early_stopping
        self.validation_fraction, self.warm_start = validation_fraction, warm_start
        self.random_state, self.callbacks, self.verbose = random_state, callbacks, verbose

    def fit(self, X: Any, y: Any) -> Regressor:
        """Train on samples X (N, features) and quantities y (N,) or (N, K)."""
        return self._trained(X, y, self.warm_start and hasattr(self, "model_"), self.max_iter)

    def partial_fit(self, X: Any, y: Any) -> Regressor:
        """One epoch on some of the samples."""
        return self._trained(X, y, hasattr(self, "model_"), 1)

    def _trained(self, X: Any, y: Any, again: bool, epochs: int) -> Regressor:
        X, y = validate_data(self, X, y, dtype=(np.float32, np.float64), multi_output=True, y_numeric=True,
                             reset=not again)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        flat = y.ndim == 1
        if again and flat != self._flat:
            raise ValueError(f"Regressor: expected {'one quantity' if self._flat else 'several quantities'}, as "
                             f"before; got y of shape {y.shape}")
        self._flat = flat
        targets = y.reshape(len(y), -1).astype(np.float32)
        if not callable(self.loss) and self.loss not in LOSSES:
            raise ValueError(f"Regressor: expected loss to be one of {', '.join(LOSSES)}, or a function "
                             f"(output, target) -> scalar Tensor; got {self.loss!r}")
        self._learn(X.astype(np.float32), targets, targets.shape[1],
                    lambda: self.loss if callable(self.loss) else LOSSES[self.loss](), again, epochs)
        return self

    def predict(self, X: Any) -> Any:
        """The quantities of each sample: (N,) or (N, K), as y was."""
        raw = self._raw(X)
        return raw[:, 0] if self._flat else raw

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
