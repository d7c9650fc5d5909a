"""What is told of a training run while it goes on (`Callback`), and what is left of it (`History`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Logs = dict[str, float]


class Callback:
    """Something that `Model.fit` tells of each stage of training.  Override the methods you need.

    Epochs and batches are counted from 0.  `logs` holds what is known so far ("loss", "accuracy", "val_loss", ...).
    `self.model` is the Model, `self.params` the settings {"verbose", "epochs", "steps"};
    `self.model.stop_training = True` ends training after the current batch.  Method for method as in Keras.
    """

    model: Any = None
    params: dict[str, Any]
    follows_all = False                       # told after all others, whatever its place in the list
    deaf_to: tuple[str, ...] = ()             # stages that it need not be told of, with its settings
    remembers: tuple[str, ...] | None = None  # attributes a checkpoint keeps; None: all numbers, texts and arrays
    reads_batch_logs = True                   # False: after a batch the loss is enough; metrics may take a while

    def __init__(self) -> None:
        self.params = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the settings of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the Model that is trained."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch; `logs` are those of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of training."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of training; `logs` are the means over the epoch so far."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before evaluation, also that at the end of an epoch."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of prediction."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """As `on_train_batch_begin` (Keras's older name)."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """As `on_train_batch_end` (Keras's older name)."""


class LambdaCallback(Callback):
    """A callback from plain functions:  LambdaCallback(on_epoch_end=lambda epoch, logs: schedule.step()).

    Takes any of the methods of Callback by name, as in Keras.  Raises TypeError for a name that none of them has.
    """

    def __init__(self, on_epoch_begin: Any = None, on_epoch_end: Any = None, on_train_begin: Any = None,
                 on_train_end: Any = None, on_train_batch_begin: Any = None, on_train_batch_end: Any = None,
                 **functions: Callable[..., Any]) -> None:
        super().__init__()
        known = [name for name in vars(Callback) if name.startswith("on_")]
        first = {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
                 "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
                 "on_train_batch_end": on_train_batch_end}
        for name, function in {**{k: v for k, v in first.items() if v is not None}, **functions}.items():
            if name not in known:
                raise TypeError(f"LambdaCallback: expected functions for {', '.join(known)}; got one for {name!r}")
            if not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function; got {function!r}")
            setattr(self, name, function)


class History(Callback):
    """What `fit` returns: `history["loss"]` has one number per epoch, `epoch` holds the epochs' numbers, from 0."""

    remembers = ("history", "epoch")

    history: dict[str, list[float]]
    epoch: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.history, self.epoch = {}, []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}: {values[-1]:.4g}" for name, values in self.history.items()
                         if values and isinstance(values[-1], (int, float)))
        epochs = f"{len(self.epoch)} epoch{'s' * (len(self.epoch) != 1)}"
        return f"History({epochs}; last: {last})" if last else f"History({epochs})"


class Audience:
    """The callbacks of one run.  Who does not listen to batches costs nothing per batch.

    Callbacks are `Callback`s or any objects with some of its methods.
    """

    def __init__(self, callbacks: Any, model: Any, params: dict[str, Any]) -> None:
        if callbacks is None:
            callbacks = ()
        elif not isinstance(callbacks, Iterable):
            callbacks = (callbacks,)
        self.members = list(callbacks)
        for member in self.members:
            if isinstance(member, type):
                raise TypeError(f"callbacks: expected objects; got the class {member.__name__}: call it, "
                                f"{member.__name__}()")
            if not any(callable(getattr(member, name, None)) for name in STAGES):
                raise TypeError(f"callbacks: expected objects with methods such as on_epoch_end(epoch, logs); got "
                                f"{type(member).__name__}")
        for member in self.members:
            if hasattr(member, "set_params"):
                member.set_params(params)
            if hasattr(member, "set_model"):
                member.set_model(model)
        self.members.sort(key=lambda member: bool(getattr(member, "follows_all", False)))

    def listeners(self, *stages: str) -> list[Callable[..., Any]]:
        """The methods of these names that do something."""
        found = []
        for member in self.members:
            for stage in stages:
                method = getattr(member, stage, None)
                if callable(method) and getattr(method, "__func__", None) is not getattr(Callback, stage) \
                        and stage not in getattr(member, "deaf_to", ()):
                    found.append(method)
        return found

    def tell(self, stage: str, *args: Any) -> None:
        """Call the method `stage` of each callback."""
        for method in self.listeners(stage):
            method(*args)


STAGES = tuple(name for name in vars(Callback) if name.startswith("on_"))
