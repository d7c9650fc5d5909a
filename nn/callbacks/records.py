"""Callbacks that write the numbers of a run to a file: CSV, and TensorBoard's."""

from __future__ import annotations

import os
from typing import Any

from ..training.history import Callback, Logs


class CSVLogger(Callback):
    """Write the numbers of each epoch to a line of a CSV file:  epoch,accuracy,loss,val_accuracy,val_loss.

    filename   the file; `separator` between the numbers; `append`: go on with a file that is there
    The columns are those of the first epoch; what is missing later is NA.  Each line is on disk when the epoch ends.
    After an interruption (`BackupAndRestore`) lines of epochs that are done once more are taken out first.
    """

    remembers = ("keys", "length")

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.separator, self.append = os.fspath(filename), separator, append
        self.keys: list[str] | None = None
        self.length: int | None = None        # of the file after the last line, in bytes

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys, self.length = None, None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        import csv

        logs = logs or {}
        first = self.length is None
        if first and self.append and os.path.exists(self.filename) and os.path.getsize(self.filename):
            mode, header = "a", False
            with open(self.filename, newline="", encoding="utf-8") as file:
                self.keys = next(csv.reader(file, delimiter=self.separator))[1:]
        else:
            mode, header = ("w", True) if first else ("r+", False)
        if self.keys is None:
            self.keys = list(logs)
        with open(self.filename, mode, newline="", encoding="utf-8") as file:
            if mode == "r+":
                file.truncate(self.length)
                file.seek(0, os.SEEK_END)
            writer = csv.writer(file, delimiter=self.separator, lineterminator="\n")
            if header:
                writer.writerow(["epoch", *self.keys])
            writer.writerow([epoch, *(_written(logs.get(key, "NA")) for key in self.keys)])
            file.flush()
            os.fsync(file.fileno())
            self.length = os.path.getsize(self.filename)


def _written(value: Any) -> Any:
    """A list in brackets for an array."""
    return f"[{', '.join(map(str, value.ravel().tolist()))}]" if getattr(value, "ndim", 0) else value


class TensorBoard(Callback):
    """Write the numbers of a run as TensorBoard reads them, through tensorboardX:  `tensorboard --logdir logs`.

    log_dir         the folder; "train" and "validation" are made in it
    histogram_freq  epochs between histograms of the parameters; 0: none
    update_freq     "epoch", "batch", or a number of batches between numbers within the epoch
    write_steps_per_second    the speed as well

    Raises ModuleNotFoundError without tensorboardX, which says how to install it.
    """

    remembers = ("step",)

    def __init__(self, log_dir: Any = "logs", histogram_freq: int = 0, write_steps_per_second: bool = False,
                 update_freq: Any = "epoch") -> None:
        super().__init__()
        self.log_dir, self.histogram_freq = os.fspath(log_dir), histogram_freq
        self.write_steps_per_second, self.update_freq = write_steps_per_second, update_freq
        if update_freq not in ("epoch", "batch") and (isinstance(update_freq, bool) or not isinstance(update_freq, int)
                                                      or update_freq < 1):
            raise ValueError(f"TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches; got "
                             f"{update_freq!r}")
        self.reads_batch_logs = update_freq != "epoch"
        self.writers: dict[str, Any] = {}
        self.step, self.began, self.steps_before = 0, 0.0, 0

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        _writer_class()                       # told of before training, not after the first epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.step = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        from time import perf_counter

        self.began, self.steps_before = perf_counter(), self.step

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.step += 1
        every = {"epoch": 0, "batch": 1}.get(self.update_freq, self.update_freq)
        if every and self.step % every == 0:
            self._write("train", {f"batch_{name}": value for name, value in (logs or {}).items()}, self.step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        from time import perf_counter

        logs = logs or {}
        self._write("train", {f"epoch_{name}": value for name, value in logs.items()
                              if not name.startswith("val_")}, epoch)
        self._write("validation", {f"epoch_{name[4:]}": value for name, value in logs.items()
                                   if name.startswith("val_")}, epoch)
        seconds = perf_counter() - self.began
        if self.write_steps_per_second and seconds:
            self._write("train", {"epoch_steps_per_second": (self.step - self.steps_before) / seconds}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for name, p in self.model.named_parameters():
                self._writer("train").add_histogram(name, p.value, epoch)
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self.writers.values():
            writer.close()
        self.writers = {}

    def _write(self, part: str, numbers: dict[str, Any], step: int) -> None:
        for name, value in numbers.items():
            if not getattr(value, "ndim", 0):
                self._writer(part).add_scalar(name, float(value), step)

    def _writer(self, part: str) -> Any:
        if part not in self.writers:
            self.writers[part] = _writer_class()(os.path.join(self.log_dir, part))
        return self.writers[part]


def _writer_class() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("TensorBoard needs the package tensorboardX: pip install "
                                  '"glassgrad[tensorboard]", or use CSVLogger') from error
    return SummaryWriter
