"""Model: any module, with Keras's verbs to train it: compile, fit, evaluate, predict, summary."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

import numpy as np

import optim
from autograd import Tensor, enable_grad, get_default_dtype, no_grad

from .data.check import tail
from .data.feed import Feed, InputFeed, Inputs, is_batches
from .embedding import Embedding
from .history import Audience, History, Logs
from .metrics import get_all
from .module import Module
from .objective import Objective
from .passes import Plan, joined, learn, look, measure, modes_of, restore, values_of
from .progress import Progress, say, verbosity
from .summary import summary
from .watch import warn_of_stale


class Model(Module):
    """A module that can be trained in one line, with Keras's verbs.

        model = nn.Model(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=5, validation_split=0.1)

    Model(module) is that module with more methods: they share attributes, parameters, names in `state_dict` and hooks.
    Or subclass Model and define `forward`, as for any Module.  Arrays it is called with become Tensors of the
    parameters' dtype.  Layers, optimizers and losses have PyTorch's defaults, also where Keras's names are used.
    """

    # Slots lie outside __dict__, where a Module looks for its parts: a loss module or an optimizer is none of them.
    __slots__ = ("_wrapped", "_plan", "_sample", "name", "history", "stop_training")

    history: History                          # of the last `fit`
    stop_training: bool                       # set by a callback to end `fit` after the current batch

    def __init__(self, module: Module | None = None, name: str | None = None) -> None:
        if module is not None and not isinstance(module, Module):
            what = f"the class {module.__name__}: call it, {module.__name__}(...)" if isinstance(module, type) else \
                f"a {type(module).__name__}: nn.Model(nn.Sequential(...))"
            raise TypeError(f"Model: expected an nn.Module; got {what}")
        if module is None and type(self).forward is Model.forward:
            raise TypeError("Model() needs a module, nn.Model(nn.Sequential(...)), or a subclass with a forward()")
        super().__init__()
        plan: Plan | None = None
        self.__setstate__(({}, module, plan, None, name or _snake(type(self if module is None else module).__name__)))

    def __getstate__(self) -> Any:
        return ({} if self._wrapped is not None else self.__dict__), self._wrapped, self._plan, self._sample, self.name

    def __setstate__(self, state: Any) -> None:
        attributes, self._wrapped, self._plan, self._sample, self.name = state
        self.stop_training = False
        if self._wrapped is None:
            self.__dict__.update(attributes)
        else:
            self.__dict__ = self._wrapped.__dict__      # one set of attributes: nothing can differ between the two

    def __getattr__(self, name: str) -> Any:
        if name == "history":
            raise AttributeError("there is no history yet: call fit first")
        if name in Model.__slots__:           # of a subclass that forgot super().__init__()
            return _snake(type(self).__name__) if name == "name" else None
        if self._wrapped is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._wrapped, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(type(a) is np.ndarray for a in args):
            inputs = self._inputs()
            args = tuple([inputs.tensor(a, "input") if type(a) is np.ndarray else a for a in args])
        if self._sample is None and len(args) == 1 and isinstance(args[0], Tensor) and args[0].ndim:
            self._sample = (args[0].shape[1:], args[0].dtype)
        return super().__call__(*args, **kwargs) if self._wrapped is None else self._wrapped(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the wrapped module computes."""
        return self._wrapped(*args, **kwargs)

    def __repr__(self) -> str:
        if self._wrapped is None:
            return super().__repr__()
        return f"{type(self).__name__}(\n  " + repr(self._wrapped).replace("\n", "\n  ") + "\n)"

    # -- compile ---------------------------------------------------------------------------------------

    @property
    def optimizer(self) -> Any:
        """The optimizer chosen by `compile`."""
        return self._compiled("optimizer").optimizer

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None) -> None:
        """Say how to train.

        optimizer  a name ("adam", "sgd", ...), a class, an optimizer of this model's parameters, or a function that
                   makes one: `lambda params: optim.SGD(params, lr=0.1, momentum=0.9)`
        loss       a name, a loss module or a function (output, target) -> scalar Tensor
        metrics    names ("accuracy", "mae", "mse"), functions (output, target) -> number on arrays, or a dict of these

        Losses by name.  Integer labels (N,): "sparse_categorical_crossentropy"; one-hot or probabilities (N, C):
        "categorical_crossentropy"; 0 or 1: "binary_crossentropy".  For these the model's last layer decides: after
        Softmax (Sigmoid) its outputs are taken for probabilities, otherwise for logits, which is more accurate;
        Keras's `from_logits=` is not needed.  PyTorch's "cross_entropy" and "bce_with_logits" take logits, "nll"
        log-probabilities, "bce" probabilities.  Quantities: "mse", "mae", "l1", "huber", "smooth_l1".

        Raises ValueError for names that are not known, and for an optimizer of other parameters.
        """
        if loss is None:
            raise ValueError("compile: the loss is missing: compile('adam', 'mse'), or for integer labels "
                             "compile('adam', 'sparse_categorical_crossentropy')")
        objective, measures = Objective(loss), get_all(metrics)
        self._plan = Plan(self._optimizer(optimizer), objective, measures)

    def _optimizer(self, optimizer: Any) -> Any:
        if isinstance(optimizer, str):
            return optim.get(optimizer, self.parameters())
        if isinstance(optimizer, type) or (callable(optimizer) and not hasattr(optimizer, "step")):
            optimizer = optimizer(list(self.parameters()))
        if not all(hasattr(optimizer, name) for name in ("step", "zero_grad", "param_groups")):
            raise TypeError("compile: optimizer must be a name such as 'adam', a class such as optim.Adam, or an "
                            f"optimizer; got {type(optimizer).__name__}")
        own = {id(p) for p in self.parameters()}
        if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
            raise ValueError(f"compile: this {type(optimizer).__name__} holds no parameter of the model: it was made "
                             "for another one, or before the model was rebuilt; pass the class or a name instead")
        return optimizer

    def _compiled(self, who: str) -> Plan:
        if self._plan is None:
            raise RuntimeError(f"{who}: the model is not compiled: call compile(optimizer, loss) first, e.g. "
                               "model.compile('adam', 'mse')")
        return self._plan

    # -- fit -------------------------------------------------------------------------------------------

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
            callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True, *,
            initial_epoch: int = 0) -> History:
        """Train for some epochs (each sees all samples once) and return what was measured.

        x, y              arrays or tensors of one length; or x alone: a DataLoader, a Dataset, an iterable of batches
        batch_size        samples in a step, 32 if not given; a loader says it itself
        verbose           1 a progress bar, 2 a line per epoch, 0 silent; "auto" is 1 on a terminal or in a notebook,
                          else 2
        callbacks         `Callback`s, or objects with some of their methods
        validation_split  the fraction of the samples, the last ones before shuffling, that is measured and not learned
        validation_data   (x, y) or a loader, in place of validation_split
        shuffle           a new order each epoch, drawn from `autograd.default_rng()`
        initial_epoch     the number of the first epoch, counted from 0, to go on where an earlier `fit` stopped

        Floating-point inputs are cast to the parameters' dtype, also uint8 images (unless the model has an Embedding);
        integer labels stay as they are.  What can be wrong with the data is looked for before the first step; if a
        batch fails nevertheless, parameters, optimizer and buffers are as before that batch.  Afterwards all modules
        are in the training or evaluation mode they were in.

        Raises RuntimeError before compile; ValueError, TypeError or ShapeError for data that cannot be learned from.
        """
        plan = self._compiled("fit")
        verbose = verbosity(verbose)
        for name, value in (("epochs", epochs), ("initial_epoch", initial_epoch)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
                raise ValueError(f"fit: {name} must be an integer, 0 or more; got {value!r}")
        if not any(p.requires_grad for p in self.parameters()):
            raise ValueError("fit: all parameters are frozen: call requires_grad_() on those to be learned")
        warn_of_stale("fit", self, plan.optimizer)
        feed, validation = self._feeds(plan, x, y, batch_size, shuffle, validation_split, validation_data)
        history = History()
        given = [] if callbacks is None else list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
        audience = Audience([*given, history], self, {"verbose": verbose, "epochs": epochs, "steps": feed.steps})
        modes, run = modes_of(self), self._run()
        progress = Progress(feed.steps, 0)
        logs: Logs = {}
        try:
            with enable_grad(), np.errstate(all="ignore"):       # what diverges is told of once, by `learn`
                look(run, plan, feed, *feed.first())
                if validation is not None:
                    look(run, plan, validation, *validation.first())
                self.history, self.stop_training = history, False
                audience.tell("on_train_begin")
                for epoch in range(initial_epoch, epochs):
                    progress = Progress(feed.steps, verbose)
                    if verbose and epochs > 1:
                        say(f"Epoch {epoch + 1}/{epochs}\n")
                    audience.tell("on_epoch_begin", epoch)
                    self.train()
                    steps, logs = learn(self, run, plan, feed, progress, audience, epoch)
                    if validation is not None:
                        measured = measure(run, plan, validation, Progress(None, 0), audience)[1]
                        logs |= {f"val_{name}": value for name, value in measured.items()}
                    audience.tell("on_epoch_end", epoch, logs)
                    progress.finish(steps, logs)
                    feed.steps = feed.steps or steps
                    if self.stop_training:
                        break
                audience.tell("on_train_end", logs)
        finally:
            progress.interrupt()
            restore(modes)
        self._sample = feed.sample or self._sample
        return history

    def _feeds(self, plan: Plan, x: Any, y: Any, batch_size: int | None, shuffle: bool, split: float,
               validation: Any) -> tuple[Feed, Feed | None]:
        """What to train on and what to validate on, both checked."""
        if isinstance(split, bool) or not isinstance(split, (int, float)) or not 0 <= split < 1:
            raise ValueError(f"fit: validation_split must be a fraction in [0, 1); got {split!r}")
        inputs, floats = self._inputs(), plan.objective.wants_floats
        feed = Feed("fit", x, y, batch_size, shuffle, inputs, floats)
        if validation is not None:
            pair = validation if isinstance(validation, (tuple, list)) else (validation, None)
            if len(pair) != 2:
                raise ValueError(f"fit: validation_data must be (x, y) or a loader; got {len(pair)} parts")
            size = None if is_batches(pair[0]) else batch_size
            return feed, Feed("fit, validation_data", pair[0], pair[1], size, False, inputs, floats)
        if not split:
            return feed, None
        if not feed.known:
            raise ValueError(f"fit: validation_split needs arrays; x is a {type(x).__name__}: pass validation_data=")
        both = feed.source.dataset.tensors
        x, y, x_val, y_val = tail(both[0].value, both[1].value, split)
        return (Feed("fit", x, y, batch_size, shuffle, inputs, floats),
                Feed("fit, validation_split", x_val, y_val, batch_size, False, inputs, floats))

    # -- evaluate and predict --------------------------------------------------------------------------

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto", *,
                 callbacks: Any = None, return_dict: bool = False) -> Any:
        """The loss and the metrics on data, in evaluation mode: [loss, metric, ...] or a dict; nothing is learned.

        x, y as in `fit`; without metrics the loss alone is returned, as a float.
        """
        plan = self._compiled("evaluate")
        verbose = verbosity(verbose)
        feed = Feed("evaluate", x, y, batch_size, False, self._inputs(), plan.objective.wants_floats)
        audience = Audience(callbacks, self, {"verbose": verbose, "epochs": 1, "steps": feed.steps})
        modes, run, progress = modes_of(self), self._run(), Progress(feed.steps, verbose)
        try:
            look(run, plan, feed, *feed.first())
            steps, logs = measure(run, plan, feed, progress, audience)
            progress.finish(steps, logs)
        finally:
            progress.interrupt()
            restore(modes)
        self._sample = feed.sample
        return plan.report(logs, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto", *, callbacks: Any = None) -> Any:
        """The outputs for all samples, as a NumPy array, computed in evaluation mode.

        x is an array, a tensor, a data set or a loader (targets in its batches are left aside).  A tuple of outputs
        gives a tuple of arrays.  Needs no `compile`.
        """
        verbose = verbosity(verbose)
        feed = InputFeed(x, batch_size, self._inputs())
        audience = Audience(callbacks, self, {"verbose": verbose, "epochs": 1, "steps": feed.steps})
        before = audience.listeners("on_predict_batch_begin")
        after = audience.listeners("on_predict_batch_end")
        modes, run, progress = modes_of(self), self._run(), Progress(feed.steps, verbose)
        outputs: list[Any] = []
        try:
            self.eval()
            audience.tell("on_predict_begin")
            with no_grad():
                for step, batch in enumerate(feed):
                    self._sample = (batch.shape[1:], batch.dtype)
                    for tell in before:
                        tell(step)
                    outputs.append(values_of(run(batch)))
                    for tell in after:
                        tell(step, {})
                    if clock() >= progress.due:
                        progress.draw(step + 1, {})
            if not outputs:
                raise ValueError(f"predict: the {type(x).__name__} gave no batches")
            audience.tell("on_predict_end")
            progress.finish(len(outputs), {})
        finally:
            progress.interrupt()
            restore(modes)
        return joined(outputs)

    # -- one batch at a time ---------------------------------------------------------------------------

    def train_on_batch(self, x: Any, y: Any, return_dict: bool = False) -> Any:
        """One step on one batch: the loss before it, and with metrics a list or dict, of this batch alone."""
        return self._on_batch("train_on_batch", x, y, True, return_dict)

    def test_on_batch(self, x: Any, y: Any, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch, in evaluation mode; nothing is learned."""
        return self._on_batch("test_on_batch", x, y, False, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as a NumPy array, computed in evaluation mode."""
        return self.predict(x, max(len(x), 1), 0)

    def _on_batch(self, who: str, x: Any, y: Any, learning: bool, return_dict: bool) -> Any:
        plan = self._compiled(who)
        feed = Feed(who, x, y, max(len(x), 1), False, self._inputs(), plan.objective.wants_floats)
        modes, run, silent, nobody = modes_of(self), self._run(), Progress(1, 0), Audience(None, self, {})
        self.stop_training = False
        try:
            with enable_grad(), np.errstate(all="ignore"):
                look(run, plan, feed, *feed.first())
                if learning:
                    self.train()
                    logs = learn(self, run, plan, feed, silent, nobody, 0)[1]
                else:
                    logs = measure(run, plan, feed, silent, nobody)[1]
        finally:
            restore(modes)
        return plan.report(logs, return_dict)

    # -- looking ---------------------------------------------------------------------------------------

    def summary(self, line_length: int | None = None, print_fn: Callable[[str], Any] | None = None,
                expand_nested: bool = False, *, input_shape: tuple[int, ...] | None = None) -> None:
        """Print Keras's table: layers with output shapes and parameter counts, and the totals.

        Output shapes are known once the model was called, or from `input_shape`, that of one sample: (64,) or
        (1, 28, 28).  Names are the paths of `state_dict`.  After training, what the optimizer keeps is counted in the
        total as well, as Keras does.
        """
        shape, dtype = self._sample or (None, self._inputs().dtype)
        plan = self._plan
        text = summary(self._run(), self.name, shape if input_shape is None else input_shape, dtype,
                       None if plan is None else plan.optimizer, line_length, expand_nested)
        (print_fn or say)(text)

    def _run(self) -> Module:
        """What is called: the module that was wrapped, or this one."""
        return self if self._wrapped is None else self._wrapped

    def _inputs(self) -> Inputs:
        dtype = next((p.dtype for p in self.parameters() if p.dtype.kind == "f"), get_default_dtype())
        return Inputs(dtype, any(isinstance(module, Embedding) for module in self.modules()))


def _snake(name: str) -> str:
    """MyNet -> my_net."""
    starts = [k for k, c in enumerate(name) if k and c.isupper() and not name[k - 1].isupper()]
    return "".join(f"_{c}" if k in starts else c for k, c in enumerate(name)).lower()
