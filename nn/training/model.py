"""Model: any module, with Keras's verbs to train it: compile, fit, evaluate, predict, summary."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter as clock
from typing import Any

import numpy as np

from autograd import Tensor, enable_grad, get_default_dtype, no_grad

from ..embedding import Embedding
from ..module import Module
from .feed import Feed, InputFeed, Inputs
from .fitting import count, feeds, optional, train
from .history import Audience, History
from .outputs import joined, modes_of, restore, values_of
from .passes import Position, learn, measure
from .plan import Plan
from .progress import Progress, say, verbosity
from .rehearsal import look
from .saved import Saved
from .summary import summary
from .warned import said_once
from .watch import warn_of_stale


class Model(Saved, Module):
    """A module that can be trained in one line, with Keras's verbs.

        model = nn.Model(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=5, validation_split=0.1)

    Model(module) is that module with more methods: they share attributes, parameters, names in `state_dict` and hooks.
    Or subclass Model and define `forward`, as for any Module.  Arrays it is called with become Tensors of the
    parameters' dtype.  Layers, optimizers and losses have PyTorch's defaults, also where Keras's names are used.
    """

    # Slots lie outside __dict__, where a Module looks for its parts: a loss module or an optimizer is none of them.
    __slots__ = ("_wrapped", "_plan", "_sample", "name", "history", "stop_training", "epoch", "_position", "_losses",
                 "_added")

    history: History                          # of the last `fit`
    stop_training: bool                       # set by a callback to end `fit` after the current batch
    _added: list[Tensor]
    epoch: int                                # epochs of `fit` that are done, also before the model was saved

    def __init__(self, module: Module | None = None, name: str | None = None) -> None:
        if module is not None and not isinstance(module, Module):
            what = f"the class {module.__name__}: call it, {module.__name__}(...)" if isinstance(module, type) else \
                f"a {type(module).__name__}: nn.Model(nn.Sequential(...))"
            raise TypeError(f"Model: expected an nn.Module; got {what}")
        if module is None and type(self).forward is Model.forward:
            raise TypeError("Model() needs a module, nn.Model(nn.Sequential(...)), or a subclass with a forward()")
        super().__init__()
        plan: Plan | None = None
        self.__setstate__(({}, module, plan, None, name or _snake(type(self if module is None else module).__name__),
                           0, []))

    def __getstate__(self) -> Any:
        attributes = {} if self._wrapped is not None else self.__dict__
        return attributes, self._wrapped, self._plan, self._sample, self.name, self.epoch, self._losses

    def __setstate__(self, state: Any) -> None:
        attributes, self._wrapped, self._plan, self._sample, self.name, self.epoch, self._losses = state
        self.stop_training, self._position, self._added = False, None, []
        if self._wrapped is None:
            self.__dict__.update(attributes)
        else:
            self.__dict__ = self._wrapped.__dict__      # one set of attributes: nothing can differ between the two

    def __getattr__(self, name: str) -> Any:
        if name == "history":
            raise AttributeError("there is no history yet: call fit first")
        if name in Model.__slots__:           # of a subclass that forgot super().__init__()
            if name in ("_losses", "_added"):
                setattr(self, name, [])
                return getattr(self, name)
            return {"name": _snake(type(self).__name__), "epoch": 0}.get(name)
        if self._wrapped is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._wrapped, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(type(a) is np.ndarray for a in args):
            inputs = self._inputs()
            args = tuple([inputs.tensor(a, "input") if type(a) is np.ndarray else a for a in args])
        if self._added:                       # of a batch that nobody asked for the loss of
            self._added.clear()
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

    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, weighted_metrics: Any = None,
                *, regularizer: Any = None, gradient_accumulation_steps: int | None = None,
                clipnorm: float | None = None, clipvalue: float | None = None, global_clipnorm: float | None = None,
                checks: bool = True) -> None:
        """Say how to train.

        optimizer  a name ("adam", "sgd", ...), a class, an optimizer of this model's parameters, or a function that
                   makes one: `lambda params: optim.SGD(params, lr=0.1, momentum=0.9)`
        loss       a name, a loss module or a function (output, target) -> scalar Tensor
        metrics    names ("accuracy", "f1_score", "auc", ...: nn.metrics.METRICS), objects such as
                   nn.metrics.F1Score("macro"), functions (output, target) -> number on arrays, or a dict of these
        weighted_metrics    those that are told the weights of samples
        regularizer         nn.regularizers.L2(1e-4) for all weights, or {"*.weight": ..., "0.bias": ...} by name
        gradient_accumulation_steps   batches whose gradients are averaged for one step of the optimizer
        clipnorm, clipvalue, global_clipnorm    bound the norm of each gradient, each of its numbers, or the norm of all
                   gradients as one vector (PyTorch's clip_grad_norm_); one of the three
        checks     whether `fit` looks for silent mistakes at its beginning and warns of them

        Losses by name.  Integer labels (N,): "sparse_categorical_crossentropy"; one-hot or probabilities (N, C):
        "categorical_crossentropy"; 0 or 1: "binary_crossentropy".  For these the model's last layer decides: after
        Softmax (Sigmoid) its outputs are taken for probabilities, otherwise for logits, which is more accurate;
        Keras's `from_logits=` is not needed.  PyTorch's "cross_entropy" and "bce_with_logits" take logits, "nll"
        log-probabilities, "bce" probabilities.  Quantities: "mse", "mae", "l1", "huber", "smooth_l1".

        Raises ValueError for names that are not known, and for an optimizer of other parameters.
        """
        clip = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        self._plan = Plan(self, optimizer, loss, metrics, weighted_metrics, regularizer, gradient_accumulation_steps,
                          clip, checks)

    def add_loss(self, loss: Any) -> None:
        """Add something to the loss of each batch, in training and evaluation.

        A function without arguments that gives a Tensor of one element is called for each batch from now on.  A
        Tensor, given within `forward` (`self.add_loss(1e-3 * abs(x).mean())`), counts for that batch.
        """
        if isinstance(loss, Tensor):
            if loss.value.size != 1:
                raise ValueError(f"add_loss: expected a Tensor with one element; got shape {loss.shape}: reduce it, "
                                 "e.g. loss.mean()")
            self._added.append(loss)
        elif callable(loss):
            self._losses.append(loss)
        else:
            raise TypeError(f"add_loss: expected a Tensor, or a function that gives one; got {type(loss).__name__}")

    def penalty(self) -> Any:
        """What is added to the loss of the present batch: regularizers, and what `add_loss` was given."""
        added, total = list(self._added), 0.0 if self._plan is None else self._plan.penalty()
        self._added.clear()
        return sum([*added, *(loss() for loss in self._losses)], total)

    def _compiled(self, who: str) -> Plan:
        if self._plan is None:
            raise RuntimeError(f"{who}: the model is not compiled: call compile(optimizer, loss) first, e.g. "
                               "model.compile('adam', 'mse')")
        return self._plan

    # -- fit -------------------------------------------------------------------------------------------

    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: Any = "auto",
            callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True,
            class_weight: Any = None, sample_weight: Any = None, initial_epoch: int = 0,
            steps_per_epoch: int | None = None, validation_steps: int | None = None,
            validation_batch_size: int | None = None, validation_freq: Any = 1) -> History:
        """Train for some epochs (each sees all samples once) and return what was measured.

        x, y              arrays or tensors of one length; or x alone: a DataLoader, a Dataset, an iterable of batches
                          (x, y) or (x, y, sample_weight)
        batch_size        samples in a step, 32 if not given; a loader says it itself
        verbose           1 a progress bar, 2 a line per epoch, 0 silent; "auto" is 1 on a terminal or in a notebook,
                          else 2
        callbacks         `Callback`s (nn.callbacks), or objects with some of their methods
        validation_split  the fraction of the samples, the last ones before shuffling, that is measured and not learned
        validation_data   (x, y), (x, y, sample_weight) or a loader, in place of validation_split
        shuffle           a new order each epoch, drawn from `autograd.default_rng()`
        class_weight      {class: how much its samples count}, 1 for classes that are not named; or "balanced"
        sample_weight     (N,): how much each sample counts; of the shape of the targets: each element
        initial_epoch     the number of the first epoch, counted from 0, to go on where an earlier `fit` stopped
        steps_per_epoch   batches in an epoch, in place of all: the next epoch goes on with the data where this stopped
        validation_steps, validation_batch_size    the same for validation, which begins anew each time
        validation_freq   validate after each so many epochs, or after the epochs (from 1) of a list

        Floating-point inputs are cast to the parameters' dtype, also uint8 images (unless the model has an Embedding);
        integer labels stay as they are.  What can be wrong with the data is looked for before the first step; if a
        batch fails nevertheless, parameters, optimizer and buffers are as before that batch.  Afterwards all modules
        are in the training or evaluation mode they were in.

        Raises RuntimeError before compile; ValueError, TypeError or ShapeError for data that cannot be learned from.
        """
        plan = self._compiled("fit")
        verbose = verbosity(verbose)
        epochs, initial_epoch = count("fit", "epochs", epochs), count("fit", "initial_epoch", initial_epoch)
        if not isinstance(validation_freq, (list, tuple, set, range)):
            count("fit", "validation_freq", validation_freq, 1)
        if not any(p.requires_grad for p in self.parameters()):
            raise ValueError("fit: all parameters are frozen: call requires_grad_() on those to be learned")
        if plan.checks:
            warn_of_stale("fit", self, plan.optimizer)
        feed, validation = feeds(
            self, plan, x, y, batch_size, shuffle, validation_split, validation_data, class_weight, sample_weight,
            optional("fit", "steps_per_epoch", steps_per_epoch), optional("fit", "validation_steps", validation_steps),
            optional("fit", "validation_batch_size", validation_batch_size))
        history = train(self, plan, feed, validation, callbacks, verbose, initial_epoch, epochs, validation_freq)
        self._sample = feed.sample or self._sample
        return history

    # -- evaluate and predict --------------------------------------------------------------------------

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                 return_dict: bool = False) -> Any:
        """The loss and the metrics on data, in evaluation mode: [loss, metric, ...] or a dict; nothing is learned.

        x, y, sample_weight as in `fit`; `steps`: so many batches of them.  Without metrics the loss alone is returned,
        as a float.
        """
        plan = self._compiled("evaluate")
        verbose = verbosity(verbose)
        feed = Feed("evaluate", x, y, batch_size, False, self._inputs(), plan.objective.wants_floats, sample_weight,
                    None, optional("evaluate", "steps", steps))
        audience = Audience(callbacks, self, {"verbose": verbose, "epochs": 1, "steps": feed.steps})
        modes, run, progress = modes_of(self), self._run(), Progress(feed.steps, verbose)
        try:
            with said_once():
                look(run, plan, feed, *feed.first())
            steps, logs = measure(self, run, plan, feed, progress, audience)
            progress.finish(steps, logs)
        finally:
            progress.interrupt()
            restore(modes)
        self._sample = feed.sample
        return plan.report(logs, return_dict)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto", steps: int | None = None,
                callbacks: Any = None) -> Any:
        """The outputs for all samples, as a NumPy array, computed in evaluation mode.

        x is an array, a tensor, a data set or a loader (targets in its batches are left aside).  A tuple of outputs
        gives a tuple of arrays.  Needs no `compile`.
        """
        verbose = verbosity(verbose)
        feed = InputFeed(x, batch_size, self._inputs(), optional("predict", "steps", steps))
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

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None,
                       return_dict: bool = False) -> Any:
        """One step on one batch: the loss before it, and with metrics a list or dict, of this batch alone."""
        return self._on_batch("train_on_batch", x, y, sample_weight, class_weight, True, return_dict)

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """The loss and metrics of one batch, in evaluation mode; nothing is learned."""
        return self._on_batch("test_on_batch", x, y, sample_weight, None, False, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as a NumPy array, computed in evaluation mode."""
        return self.predict(x, max(len(x), 1), 0)

    def _on_batch(self, who: str, x: Any, y: Any, weight: Any, classes: Any, learning: bool, return_dict: bool) -> Any:
        plan = self._compiled(who)
        feed = Feed(who, x, y, max(len(x), 1), False, self._inputs(), plan.objective.wants_floats, weight, classes)
        modes, run, silent, nobody = modes_of(self), self._run(), Progress(1, 0), Audience(None, self, {})
        self.stop_training = False
        try:
            with enable_grad(), said_once(), np.errstate(all="ignore"):
                look(run, plan, feed, *feed.first())
                if learning:
                    self.train()
                    logs = learn(self, run, plan, Position(0, feed, nobody), silent)[1]
                else:
                    logs = measure(self, run, plan, feed, silent, nobody)[1]
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
