"""The line that shows how far training has come, character for character as Keras 3 writes it.

  Epoch 1/2
  25/25 ━━━━━━━━━━━━━━━━━━━━ 1s 14ms/step - accuracy: 0.1187 - loss: 2.3464 - val_accuracy: 0.1100 - val_loss: 2.3185

On a terminal or in Jupyter the line is redrawn in place, at most ten times a second.  Anywhere else (a file, a pipe)
it is written once, when it is complete, without colours and carriage returns.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter as clock
from typing import Any

import numpy as np

WIDTH = 20                                    # of the bar, in characters
INTERVAL = 0.1                                # seconds between two redraws, at least


def is_live(stream: Any) -> bool:
    """Whether a line on the stream can be redrawn: a terminal, a notebook, PyCharm's console."""
    try:
        return bool(stream.isatty()) or "ipykernel" in type(stream).__module__ or "PYCHARM_HOSTED" in os.environ
    except (AttributeError, ValueError):      # no stream at all, or a closed one
        return False


def verbosity(verbose: Any) -> int:
    """0, 1 or 2 for what the user said: "auto" is 1 where a line can be redrawn, else 2.  ValueError for the rest."""
    if isinstance(verbose, str) and verbose == "auto":
        return 1 if is_live(sys.stdout) else 2
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f'verbose must be "auto", 0 (silent), 1 (a bar) or 2 (a line per epoch); got {verbose!r}')


def say(text: str) -> None:
    """Write to standard output; characters it cannot encode are replaced by plain ones."""
    stream = sys.stdout
    if stream is None:                        # a program without a console
        return
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.translate(PLAIN).encode(encoding, "replace").decode(encoding))
    stream.flush()


PLAIN = str.maketrans("━┏┓┳┃┡┩╇│─├┤┼└┘┴", "=+++|+++|-++++++")


class Progress:
    """The progress of one pass over `steps` batches (None: unknown): verbose 1 a bar, 2 one line at the end, 0 nothing.

    The loop asks `if clock() >= progress.due: progress.draw(step, logs)` after each step, and calls
    `finish(steps, logs)` at the end; `due` is infinite where nothing is to be redrawn.  A bar is
    told of the first step in any case: the time per step leaves it out, as it is slower than the others.
    """

    __slots__ = ("steps", "verbose", "live", "colour", "due", "start", "first", "width")

    def __init__(self, steps: int | None, verbose: int) -> None:
        self.steps, self.verbose = steps, verbose
        self.live = verbose == 1 and is_live(sys.stdout)
        self.colour = self.live and "NO_COLOR" not in os.environ
        self.due = 0.0 if verbose == 1 else float("inf")
        self.start, self.first, self.width = clock(), 0.0, 0

    def draw(self, step: int, logs: dict[str, float]) -> None:
        """Show the state after `step` steps, if the line can be redrawn."""
        now = clock()
        if step == 1:
            self.first = now
        if not self.live:
            self.due = float("inf")
            return
        self.due = now + INTERVAL
        bar, plain = self._bar(step)
        per_step = self._per_step(step, now)
        eta = f"{now - self.start:.0f}s" if not self.steps else remaining(per_step * (self.steps - step))
        rest = f"{duration(per_step)}{numbers(logs)}"
        room = _columns() - len(plain) - len(eta) - 2
        rest = rest[:max(room, 0)]            # a longer line would wrap, and could not be redrawn
        self._write(bar, plain, eta, rest, "")

    def finish(self, step: int, logs: dict[str, float]) -> None:
        """Write the complete line."""
        if not self.verbose:
            return
        self.steps = self.steps or step
        now = clock()
        elapsed, tail = f"{now - self.start:.0f}s", f"{duration(self._per_step(step, now))}{numbers(logs)}"
        if self.verbose == 2:
            say(f"{step:{len(str(self.steps))}d}/{self.steps} - {elapsed} -{tail}\n")
        else:
            bar, plain = self._bar(step)
            self._write(bar, plain, elapsed, tail, "\n")

    def interrupt(self) -> None:
        """End a line that was begun, so that what follows (a warning, a traceback) starts on its own."""
        if self.width:
            say("\n")
            self.width = 0

    def _bar(self, step: int) -> tuple[str, str]:
        """The count and the bar, with and without colours."""
        if not self.steps:
            text = f"{step:7d}/Unknown"
            return text, text
        done = int(WIDTH * step / self.steps)
        count = f"{step:{len(str(self.steps))}d}/{self.steps}"
        plain = f"{count} {'━' * done}{'─' * (WIDTH - done)}"
        if not self.colour:
            return plain, plain
        filled = f"\x1b[32m{'━' * done}\x1b[0m" if done else ""
        return f"\x1b[1m{count}\x1b[0m {filled}\x1b[37m{'━' * (WIDTH - done)}\x1b[0m", plain

    def _per_step(self, step: int, now: float) -> float:
        """Seconds per step; the first step is left out once there are others."""
        if self.first and step > 1:
            return (now - self.first) / (step - 1)
        return (now - self.start) / step if step else 0.0

    def _write(self, bar: str, plain: str, time: str, rest: str, end: str) -> None:
        width = len(plain) + 1 + len(time) + len(rest)
        shown = f"\x1b[1m{time}\x1b[0m" if self.colour else time
        blank = " " * (self.width - width)
        say(f"{chr(13) if self.live else ''}{bar} {shown}{rest}{blank}{end}")
        self.width = 0 if end else width


def duration(seconds: float) -> str:
    """Time per step:  " 2s/step", " 14ms/step", " 350us/step"."""
    if seconds >= 1 or seconds == 0:
        return f" {seconds:.0f}s/step"
    if seconds >= 1e-3:
        return f" {seconds * 1e3:.0f}ms/step"
    return f" {seconds * 1e6:.0f}us/step"


def remaining(seconds: float) -> str:
    """Time to go:  "8s", "1:05", "2:00:31"."""
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def numbers(logs: dict[str, Any]) -> str:
    """The metrics:  " - accuracy: 0.1187 - loss: 2.3464"; small ones as 1.0000e-04.  Of several numbers their mean."""
    shown = ""
    for name, value in logs.items():
        if isinstance(value, np.ndarray):
            if value.ndim > 1:                # a confusion matrix is for the History
                continue
            value = value.mean()
        shown += f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
    return shown


def _columns() -> int:
    """The width of the terminal; a notebook has no end of line to run into."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 1000
    except (OSError, ValueError, AttributeError):
        return 1000
