"""Callbacks that end training: when it gets no better, or when it has gone wrong."""

from __future__ import annotations

from math import isfinite
from typing import Any

from ..training.history import Callback, Logs
from .monitor import Monitor, positive, tell


class EarlyStopping(Monitor):
    """End training when a number has got no better for `patience` epochs.

    monitor               a name in the logs
    min_delta             what is less of a change is none
    patience              epochs without getting better that are waited
    verbose               1: say so
    mode                  "min", "max", or "auto", by the name
    baseline              what the number has to be better than for an epoch to count
    restore_best_weights  end with the parameters and buffers of the best epoch, rather than of the last
    start_from_epoch      epochs at the beginning that are not looked at

    Afterwards `stopped_epoch` is the epoch it stopped after (counted from 0; 0 if it did not), `best` the best value
    and `best_epoch` when it was.  Names, defaults and meaning are Keras's.
    """

    remembers = ("wait", "stopped_epoch", "best_epoch", "best", "best_weights")

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0,
                 mode: str = "auto", baseline: float | None = None, restore_best_weights: bool = False,
                 start_from_epoch: int = 0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = positive("EarlyStopping", "patience", patience)
        self.start_from_epoch = positive("EarlyStopping", "start_from_epoch", start_from_epoch)
        self.verbose, self.baseline, self.restore_best_weights = verbose, baseline, restore_best_weights
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best_weights: dict[str, Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.wait, self.stopped_epoch, self.best_epoch, self.best, self.best_weights = 0, 0, 0, None, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        current = self.value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)                 # there is something to go back to, though nothing got better
        self.wait += 1
        if self.improved(current, self.best):
            self.best, self.best_epoch = current, epoch
            if self.restore_best_weights:
                self._keep(epoch)
            if self.baseline is None or self.improved(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.verbose and self.stopped_epoch:
            tell(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                tell(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.load_state_dict(self.best_weights)

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        self.best_weights = {name: t.value.copy() for name, t in self.model.state_dict().items()}


class TerminateOnNaN(Callback):
    """End training when the loss is NaN or infinite; with `raise_error` by a RuntimeError."""

    reads_batch_logs = False

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not isfinite(loss):
            if self.raise_error:
                raise RuntimeError(f"TerminateOnNaN: the loss is {loss} after batch {batch}")
            tell(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True
