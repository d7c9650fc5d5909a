"""What is left of a watched run: the latest step of every layer, how its numbers moved, and the loss.

Bounded: when there are more than 400 frames every second one is let go, and so for the points of the loss.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .probe import Seen

MOST_FRAMES = 400
MOST_POINTS = 600
ENOUGH = 100                                   # a unit is dead when it gave nothing for so many samples in a row
TRAILS = ("std", "gradient", "ratio", "dead")


class Curve:
    """The loss over the steps; each point is the mean of `width` steps, which doubles when there are too many."""

    def __init__(self) -> None:
        self.points: list[tuple[int, float]] = []
        self.width = 1
        self.sum, self.count = 0.0, 0

    def add(self, step: int, value: float) -> None:
        self.sum += value
        self.count += 1
        if self.count >= self.width:
            self.points.append((step, self.sum / self.count))
            self.sum, self.count = 0.0, 0
            if len(self.points) >= MOST_POINTS:
                self.points = [(b[0], (a[1] + b[1]) / 2) for a, b in zip(self.points[::2], self.points[1::2])]
                self.width *= 2

    def all(self) -> list[tuple[int, float]]:
        """The points, and what has come since the last of them."""
        if not self.count:
            return self.points
        last = self.points[-1][0] if self.points else 0
        return [*self.points, (last + self.count, self.sum / self.count)]


class Track:
    """One layer over the run."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.trails: dict[str, list[float | None]] = {name: [] for name in TRAILS}
        self.silent: np.ndarray[Any, Any] | None = None    # samples in a row for which each unit gave nothing
        self.dead: tuple[int, int] | None = None           # dead units, units


class Record:
    """All of it; `to_dict()` is plain data."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tracks: dict[str, Track] = {}
        self.steps: list[int] = []                         # at which the frames were taken
        self.frames = 0                                    # how many there were, also those let go
        self.step = 0
        self.seconds = 0.0
        self.epoch: int | None = None
        self.epochs: int | None = None
        self.loss: float | None = None
        self.curve = Curve()
        self.validation: list[tuple[int, float]] = []
        self.state = "waiting"                             # waiting, live, finished, stopped
        self.why = ""                                      # of "stopped"
        self.first_bad: tuple[int, str] | None = None

    def add_loss(self, step: int, value: float) -> None:
        self.loss = value
        self.curve.add(step, value)
        if not math.isfinite(value):
            self.note_bad(step, "the loss")

    def note_bad(self, step: int, where: str) -> None:
        """Remember where NaN or infinity was first seen."""
        if self.first_bad is None:
            self.first_bad = (step, where)

    def add(self, step: int, found: list[Seen]) -> None:
        """One frame."""
        self.frames += 1
        self.steps.append(step)
        for seen in found:
            track = self.tracks.get(seen.name)
            if track is None:
                track = self.tracks[seen.name] = Track(seen)
                for trail in track.trails.values():
                    trail += [None] * (len(self.steps) - 1)
            track.seen = seen
            if seen.living is not None:
                self._count_dead(track, seen.living, seen.shape[0] if seen.shape else 1)
            here = {"std": seen.activation and seen.activation.std, "gradient": seen.gradient and seen.gradient.rms,
                    "ratio": seen.ratio, "dead": track.dead and track.dead[0] / max(1, track.dead[1])}
            for name, trail in track.trails.items():
                trail.append(here[name])
            for what, part in (("the activations", seen.activation), ("the gradient", seen.gradient)):
                if part is not None and not part.sound:
                    self.note_bad(step, f"{what} of {seen.name}")
        for track in self.tracks.values():                 # not called in this step
            for trail in track.trails.values():
                trail += [None] * (len(self.steps) - len(trail))
        if len(self.steps) > MOST_FRAMES:
            self.steps = self.steps[::2]
            for track in self.tracks.values():
                track.trails = {name: trail[::2] for name, trail in track.trails.items()}

    @staticmethod
    def _count_dead(track: Track, living: np.ndarray[Any, Any], samples: int) -> None:
        if track.silent is None or track.silent.shape != living.shape:
            track.silent = np.zeros(living.shape, np.int64)
        track.silent += samples
        track.silent[living] = 0
        track.dead = int((track.silent >= ENOUGH).sum()), living.size

    def to_dict(self, most: int = MOST_FRAMES) -> dict[str, Any]:
        """The run as plain data: numbers, strings, lists; None for what is not there, "NaN" for what is no number.

        most: how many frames of the history at most, evenly spread.
        """
        every = slice(None, None, max(1, -(-len(self.steps) // most)))
        layers = []
        for track in self.tracks.values():
            seen = track.seen
            layers.append({
                "name": seen.name, "type": seen.kind, "shape": None if seen.shape is None else list(seen.shape),
                "calls": seen.calls, "parameters": seen.size,
                "activation": None if seen.activation is None else _plain(seen.activation._asdict()),
                "gradient": None if seen.gradient is None else _plain(seen.gradient._asdict()),
                "update_ratio": _plain(seen.ratio), "dead": None if track.dead is None else list(track.dead),
                "history": {name: _plain(trail[every]) for name, trail in track.trails.items()}})
        return {"model": self.name, "state": self.state, "why": self.why, "step": self.step, "epoch": self.epoch,
                "seconds": round(self.seconds, 3), "steps": self.steps[every], "layers": layers,
                "loss": _plain([list(p) for p in self.curve.all()]),
                "validation_loss": _plain([list(p) for p in self.validation]),
                "first_bad": None if self.first_bad is None else list(self.first_bad)}


def _plain(value: Any) -> Any:
    """Numbers with six digits; JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        return float(f"{value:.6g}")
    return value
