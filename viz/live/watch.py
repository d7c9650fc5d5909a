"""`watch`: a live view of training, in Jupyter, as a page, in a terminal.

    viz.watch(model)                                       in Jupyter, before one's own loop
    viz.watch(model, html="run.html")                      a page that any browser opens, during the run and after it
    model.fit(x, y, callbacks=[viz.watch(model)])
"""

from __future__ import annotations

import math
import os
import sys
from functools import cache
from time import perf_counter as clock
from typing import Any
from weakref import WeakSet

from ..theme import THEMES
from .probe import Passing, Probe
from .record import Record
from .screens import Screen, screens, when_the_cell_is_over

SHARE = 0.05                                   # of the time that frames may take: costly ones come less often
MOST_WAITS = 64                                # forward passes after which a step without an update is over
_open: WeakSet[Watch] = WeakSet()


def watch(model: Any, *, html: str | os.PathLike[str] | None = None, fps: float = 5.0, theme: str = "auto",
          show: bool | None = None) -> Watch:
    """Watch a model learn: activations, gradients, update-to-weight ratios, dead units and the loss, while they move.

    model: a Module; rows are the modules with parameters of their own and those without any inside.
    html: a page to write: one file, no network, rewritten at most once a second, kept when training is over.
    fps: steps looked at in a second; fewer where looking would take more than 5 % of the time.
    theme: "light" or "dark"; "auto" follows the reader's own setting.
    show: whether it shows itself here, in Jupyter as a panel, in a terminal as a line; None: in Jupyter always, in a
        terminal unless it writes a page.

    Works with `fit` as one of its callbacks, and with one's own loop by hooks, where `watch.step(loss)` after each step
    of the optimizer adds the loss.  `close()`, the end of a `with` block or of `fit` takes all hooks away; training is
    the same to the last bit with and without it.  Calls in evaluation mode do not count.

    Raises TypeError for what is no Module, ValueError for a bad option, an OSError for a page that cannot be written:
    all before anything has changed.
    """
    return Watch(model, html, fps, theme, show)


class Watch:
    """A model that is watched: `step(loss)`, `close()`, `text`, `record`, a context manager, a callback of `fit`.

    Between two frames a step pays for one look at the clock.  A frame is one step: hooks are put on all layers before
    it and taken away after it.
    """

    def __init__(self, model: Any, html: Any, fps: float, theme: str, show: bool | None) -> None:
        for need in ("named_modules", "named_parameters", "register_forward_pre_hook"):
            if not callable(getattr(model, need, None)) or isinstance(model, type):
                raise TypeError(f"watch: expected a Module; got {what(model)}; give the model that is trained: "
                                "watch(model)")
        if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 0 < fps <= 60:
            raise ValueError(f"watch: expected fps to be a number over 0 and up to 60; got {fps!r}")
        if theme not in ("auto", *THEMES):
            raise ValueError(f"watch: expected theme='auto' or {' or '.join(map(repr, THEMES))}; got {theme!r}")
        self.model, self.interval = model, 1.0 / fps
        self.record = Record(type(model).__name__)
        self.screens: list[Screen] = screens(html, theme, show, self.interval)
        self._probe: Probe | None = None
        self._entry: Any = None                            # the hook that sees a forward pass of one's own loop begin
        self._due = 0.0
        self._began = self._opened = 0.0
        self._told = False                                 # of steps: by step() or by fit, else forward passes count
        self._mean: tuple[int, float] = (0, 0.0)           # batches of the epoch, mean loss over them
        _wait_for_the_end()
        self._resume()
        try:
            self._show()
        except BaseException:
            self._release()
            raise

    # -- one's own loop -------------------------------------------------------------------------------------------

    def step(self, loss: Any = None) -> None:
        """Say that a step is over, after `optimizer.step()`; `loss` is a number or a Tensor of one."""
        value = None if loss is None else number(loss)
        if self.record.state not in ("waiting", "live"):
            return
        if not self._told:                                 # the forward pass of this step has been counted
            self._told, self.record.step = True, max(0, self.record.step - 1)
        self.record.step += 1
        if value is not None:
            self.record.add_loss(self.record.step, value)
        self._ended()

    def seen(self, module: Any, args: Any) -> None:
        """The hook before a forward pass of the whole model."""
        if not module.training:
            return
        if not self._told:
            self.record.step += 1
        probe = self._probe
        if probe is not None:
            if probe.backward or not probe.learns:
                probe.waited += 1
                if probe.learns and probe.waited < MOST_WAITS and not probe.moved():
                    return                                 # gradients of several batches are being summed
                self._finish_frame(probe, probe.learns and probe.waited < MOST_WAITS)
            else:                                          # no gradient came: a pass that nobody learned from
                probe.remove()
                self._probe = None
        if self._probe is None and clock() >= self._due:
            self._start_frame()

    def _ended(self) -> None:
        """A step is over."""
        probe = self._probe
        if probe is not None and (probe.backward or not probe.learns):
            self._finish_frame(probe)
        if self._probe is None and clock() >= self._due:
            self._start_frame()

    # -- frames ---------------------------------------------------------------------------------------------------

    def _start_frame(self) -> None:
        self._opened = clock()
        if self.record.state == "waiting":
            self.record.state, self._began = "live", self._opened
        self._probe = Probe(self.model)

    def _finish_frame(self, probe: Probe, stepped: bool = True) -> None:
        self._probe = None
        probe.remove()
        found = probe.results(stepped)
        start = clock()
        self.record.seconds = start - self._began
        self.record.add(self.record.step if self._told else max(1, self.record.step - 1), found)
        self._show()
        cost = clock() - start + probe.cost
        self._due = max(self._opened + self.interval, clock() + cost / SHARE - cost)

    def _show(self, last: bool = False) -> None:
        now = clock()
        for screen in self.screens:
            if last or now >= screen.due:
                screen.show(self.record, last)
                screen.due = now + screen.interval

    # -- its life -------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        if self._entry is None:
            self._entry = self.model.register_forward_pre_hook(Passing(self.seen))
        _open.add(self)

    def _release(self) -> None:
        """Take all hooks away."""
        if self._probe is not None:
            self._probe.remove()
            self._probe = None
        if self._entry is not None:
            self._entry.remove()
            self._entry = None
        _open.discard(self)

    def close(self, why: str = "") -> None:
        """Stop watching: all hooks are gone, the last state is shown and written.  A second call does nothing.

        why: what ended the run, where it did not end well.
        """
        if self.record.state in ("finished", "stopped"):
            return
        probe = self._probe
        self._release()
        if probe is not None and (probe.backward or not probe.learns):
            found = probe.results(stepped=not why)
            self.record.add(self.record.step, found)
        if self._began:
            self.record.seconds = clock() - self._began
        self.record.state, self.record.why = ("stopped", why) if why else ("finished", "")
        self._show(last=True)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close(said(error))

    # -- a callback of fit ----------------------------------------------------------------------------------------

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the settings of the run."""
        self.record.epochs = params.get("epochs")

    def set_model(self, model: Any) -> None:
        """Nothing: what is watched was said before."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first epoch: from here on `fit` says when a step is over."""
        self._told = True
        self._release()
        self._due = 0.0
        if self.record.state != "live":
            self.record.state, self.record.why, self._began = "live", "", clock() - self.record.seconds
        _open.add(self)
        for screen in self.screens:
            screen.quiet = True                            # fit has a progress line of its own
        # callbacks are not told of an error, nor of an interrupt
        when_the_cell_is_over(lambda error: self.close(said(error) or "the end of its cell"))
        self._start_frame()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch."""
        self.record.epoch, self._mean = epoch + 1, (0, 0.0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a step of `fit`; its logs are means over the epoch, from which the batch is told."""
        record = self.record
        record.step += 1
        if logs and "loss" in logs:
            before, mean = self._mean
            now = float(logs["loss"])
            value = now if not before or not math.isfinite(mean) else mean + (batch + 1) * (now - mean)
            self._mean = (batch + 1, now)
            record.add_loss(record.step, value)
        self._ended()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch and its validation."""
        if logs and "val_loss" in logs:
            self.record.validation.append((self.record.step, float(logs["val_loss"])))

    def on_train_end(self, logs: Any = None) -> None:
        """After the last epoch."""
        self.close()

    # -- as text, in Jupyter --------------------------------------------------------------------------------------

    @property
    def text(self) -> str:
        """The latest frame as a table."""
        from .table import table
        return table(self.record)

    def __repr__(self) -> str:
        return self.text

    def _ipython_display_(self) -> None:
        for screen in self.screens:
            if screen.again(self.record):
                return
        from .screens import Notebook
        screen = Notebook("auto", self.interval)
        screen.show(self.record, self.record.state in ("finished", "stopped"))
        self.screens.append(screen)


def said(error: BaseException | None) -> str:
    """An exception in one line, "" for none."""
    lines = str(error).splitlines() if error is not None else []
    return "" if error is None else type(error).__name__ + (f": {lines[0][:200]}" if lines else "")


def what(given: Any) -> str:
    """What was given in place of a model."""
    return f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"


def number(loss: Any) -> float:
    """A loss as a number; TypeError or ValueError for what is none."""
    value = getattr(loss, "value", loss)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"watch.step: expected a loss that is one number; got {getattr(value, 'shape', what(loss))}; "
                          "give its mean: watch.step(loss.mean())") from None


@cache
def _wait_for_the_end() -> None:
    """Training that nobody closed is over when the program is."""
    import atexit

    @atexit.register
    def close() -> None:
        error = getattr(sys, "last_value", None)           # what ended the program, if something did
        for left in list(_open):
            left.close(said(error))
