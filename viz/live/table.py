"""A watched run in words: one line, or a table."""

from __future__ import annotations

import math

from ..text import amount, number, shape
from .record import Record, Track
from .statistics import Spread

HEAD = ("layer", "output", "activations", "gradient RMS", "update / weight", "dead")
LOW, HIGH = 1e-4, 1e-2                         # update-to-weight ratios that are neither slow nor fast


def verdict(ratio: float | None) -> str:
    """"slow", "fast", "none", "nan" or, between 1e-4 and 1e-2, "usual"."""
    if ratio is None:
        return ""
    if ratio != ratio:
        return "nan"
    return "none" if ratio == 0 else "slow" if ratio < LOW else "fast" if ratio > HIGH else "usual"


def headline(record: Record) -> str:
    """"step 1,240 · epoch 3/10 · loss 0.312 · 12.3 s"."""
    words = [f"step {record.step:,}"]
    if record.epoch is not None:
        words.append(f"epoch {record.epoch}" + (f"/{record.epochs}" if record.epochs else ""))
    words += [f"loss {number(record.loss)}"] if record.loss is not None else []
    words.append(f"{record.seconds:.1f} s" if record.seconds < 100 else f"{record.seconds / 60:.1f} min")
    return " · ".join(words)


def state(record: Record) -> str:
    """How the run is, in words."""
    if record.first_bad is not None:
        step, where = record.first_bad
        return f"not finite since step {step:,}, first seen in {where}"
    return {"waiting": "waiting for the first step", "live": "live", "finished": "finished",
            "stopped": f"stopped by {record.why}"}[record.state]


def line(record: Record) -> str:
    """The run in one line."""
    known = [t.seen.ratio for t in record.tracks.values() if t.seen.ratio is not None and math.isfinite(t.seen.ratio)]
    words = [f"watch {record.name}", headline(record)]
    words += [f"update/weight {number(sorted(known)[len(known) // 2])}"] if known else []
    dead = [track.dead for track in record.tracks.values() if track.dead]
    if any(d for d, _ in dead):
        words.append(f"dead {100 * sum(d for d, _ in dead) / sum(n for _, n in dead):.0f} %")
    words += [state(record)] if record.state != "live" or record.first_bad else []
    return " · ".join(words)


def broken(part: Spread) -> str:
    """"12 NaN, 3 infinite", where there is any."""
    counts = ((part.nans, "NaN"), (part.infs, "infinite"))
    return ", ".join(f"{amount(n)} {word}" for n, word in counts if n)


def cells(track: Track) -> tuple[str, ...]:
    """What a layer says in each column."""
    seen = track.seen
    activation, gradient = seen.activation, seen.gradient
    mean = "" if activation is None else broken(activation) or f"{number(activation.mean)} ± {number(activation.std)}"
    grad = "" if gradient is None else broken(gradient) or number(gradient.rms)
    sign = {"slow": " ◂ slow", "fast": " ▸ fast", "none": " no change"}.get(verdict(seen.ratio), "")
    ratio = "" if seen.ratio is None else number(seen.ratio) + sign
    dead = f"{100 * track.dead[0] / max(1, track.dead[1]):.0f} %" if track.dead else ""
    out = "" if seen.shape is None else shape(seen.shape)
    return (f"{seen.name}: {seen.kind}" + (f" ×{seen.calls}" if seen.calls > 1 else ""), out, mean, grad, ratio, dead)


def table(record: Record) -> str:
    """The latest frame, a line a layer."""
    rows = [HEAD, *[cells(track) for track in record.tracks.values()]]
    wide = [max(len(row[k]) for row in rows) for k in range(len(HEAD))]
    lines = ["  ".join(word.ljust(w) if k < 2 else word.rjust(w) for k, (word, w) in enumerate(zip(row, wide))).rstrip()
             for row in rows]
    return "\n".join([f"{record.name}: {headline(record)} · {state(record)}", *(lines if record.tracks else [])])
