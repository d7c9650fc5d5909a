"""Callbacks that write a model to a file, and take up an interrupted run from there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..training import checkpoint
from ..training.history import Callback, Logs
from .monitor import Monitor, positive, tell

COUNTS = ("epoch", "step", "count", "gathered")             # of a run, in its backup


class ModelCheckpoint(Monitor):
    """Save the model after each epoch, or after each `save_freq` batches.

    filepath                 may name numbers of the logs: "at_{epoch:02d}_{val_loss:.2f}.safetensors" (epochs and
                             batches are counted from 1 there)
    monitor, mode            what is best, with save_best_only
    verbose                  1: say so
    save_best_only           save only what is better than anything before
    save_weights_only        `model.save_weights` rather than `model.save`
    save_freq                "epoch", or a number of batches
    initial_value_threshold  with save_best_only: what the first one has to be better than

    Each file appears whole or not at all; folders are made.  Names, defaults and meaning are Keras's.
    """

    remembers = ("best", "batches", "epoch")

    def __init__(self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
                 save_weights_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
                 initial_value_threshold: float | None = None) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        self.save_freq = save_freq if save_freq == "epoch" else positive("ModelCheckpoint", "save_freq", save_freq, 1)
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.best = initial_value_threshold
        self.deaf_to = ("on_train_batch_end",) if save_freq == "epoch" else ()
        self.batches, self.epoch = 0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.batches >= self.save_freq:
            self.batches = 0
            self._save(self.epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> None:
        named = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1})}
        try:
            path = Path(self.filepath.format(**{**named, **logs}))
        except (KeyError, IndexError) as error:
            raise ValueError(f"ModelCheckpoint: {self.filepath!r} names {error.args[0]!r}; known are "
                             f"{', '.join({**named, **logs})}") from None
        if self.save_best_only:
            current = self.value(logs)
            if current is not None:
                was = "None" if self.best is None else f"{self.best:.5f}"
                if not self.improved(current, self.best):
                    if self.verbose:
                        tell(f"Epoch {epoch + 1}: {self.monitor} did not improve from {was}")
                    return
                if self.verbose:
                    tell(f"Epoch {epoch + 1}: {self.monitor} improved from {was} to {current:.5f}, saving model to "
                         f"{path}")
                self.best = current
        elif self.verbose:
            tell(f"Epoch {epoch + 1}: saving model to {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)


class BackupAndRestore(Callback):
    """Make a run of `fit` one that survives anything: interrupted, it goes on where it was when it is started again.

        model.fit(x, y, epochs=100, callbacks=[nn.callbacks.BackupAndRestore("backup")])

    backup_dir         a folder for the one file this needs; one for each run
    save_freq          "epoch", or a number of batches after which it is written (also within an epoch)
    double_checkpoint  keep the file before the last as well, as `previous.safetensors`
    delete_checkpoint  remove the file once the run is complete

    The same program, started again after a crash, a `kill -9` or a loss of power, ends with the same parameters to the
    last bit, the same History and the same logs as a run that was never interrupted: parameters, buffers, the
    optimizer's memory, gradients that wait, random generators (also those of loaders and data sets), the place within
    the epoch, sums of loss and metrics, and what the other callbacks remember are all written down.  The file is
    written beside its place and renamed, so that there is always a whole one.

    Not covered: data that come in another order each time without one of the random generators that are saved (files
    that arrive, a generator that cannot be run through again), and what callbacks keep that is no number, text or
    array.  Raises ValueError if the folder holds the run of another model or other settings; nothing is changed then.
    """

    follows_all = True
    remembers = ("seen",)
    reads_batch_logs = False

    def __init__(self, backup_dir: Any, save_freq: Any = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:
        super().__init__()
        self.folder = Path(backup_dir)
        self.save_freq = save_freq if save_freq == "epoch" else positive("BackupAndRestore", "save_freq", save_freq, 1)
        self.double, self.delete = double_checkpoint, delete_checkpoint
        self.deaf_to = ("on_train_batch_end",) if save_freq == "epoch" else ()
        self.seen = 0

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "run.safetensors"

    def found(self) -> dict[str, Any] | None:
        """What an interrupted run has left; None where there is nothing.  `fit` asks, and gives it to `resume`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for rest in self.folder.glob("*.safetensors.*.part"):            # what a killed run was writing
            rest.unlink(missing_ok=True)
        if not self.path.exists():
            return None
        weights, tree = checkpoint.read(self.path)
        if tree is None or "run" not in tree:
            raise ValueError(f"BackupAndRestore: {self.path} is not the backup of a run: give it a folder of its own")
        run = tree["run"]
        if not isinstance(run, dict) or any(type(run.get(name)) is not int or run[name] < 0 for name in COUNTS):
            raise ValueError(f"BackupAndRestore: {self.path} does not say where the run was: delete it to begin anew")
        return {"weights": weights, **tree}

    def resume(self, kept: dict[str, Any]) -> None:
        """Bring the model and the run of `fit` to where they were; if that cannot be, the model is as before."""
        before = checkpoint.weights_of(self.model), checkpoint.training_of(self.model)
        checkpoint.settle(self.model, kept["weights"], kept, self.path)
        try:
            checkpoint.take_up(self.model, kept["run"], kept["random"])
        except BaseException as error:
            checkpoint.settle(self.model, *before, self.path)
            if isinstance(error, (LookupError, TypeError, AttributeError, ArithmeticError)):
                raise ValueError(f"BackupAndRestore: what {self.path} says of the run does not fit "
                                 f"({type(error).__name__}: {error}): delete it to begin anew") from error
            raise

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.seen += 1
        if self.seen % self.save_freq == 0:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            position = self.model._position
            before = position.epoch, position.step
            position.epoch, position.step = epoch + 1, 0
            self._save()
            position.epoch, position.step = before

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.delete:
            for name in ("run", "previous"):
                (self.folder / f"{name}.safetensors").unlink(missing_ok=True)

    def _save(self) -> None:
        if self.double and self.path.exists():
            previous = self.folder / "previous.safetensors"
            previous.unlink(missing_ok=True)
            os.link(self.path, previous)
        tree = {**checkpoint.training_of(self.model), "run": checkpoint.run_of(self.model)}
        checkpoint.write(self.path, checkpoint.weights_of(self.model), tree)
