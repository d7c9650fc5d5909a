"""Curves over time: losses and metrics of training runs, learning rates of schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .style import DASHES, Look, dress, figure, legend, look, panel, plain
from .values import array, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def training_curves(history: Any, *, metrics: Any = None, smooth: float = 0.0, log: bool = False,
                    x: str = "epoch", ax: Any = None, theme: str = "light") -> Figure:
    """Every quantity of a History over the epochs: training a solid line, validation a dashed one, one panel each.

    history: what `Model.fit` returned; a dict of lists, {"loss": [...], "val_loss": [...]}; or several runs to lay
        over one another, {"adam": history, "sgd": history}.
    metrics: the names to show, in order; None shows all.
    smooth: weight w of the past in an exponential average  s_t = (w s_{t-1} + (1 - w) x_t) / (1 - w^t),  in [0, 1);
        the curve as it was stays behind it, pale.
    log: a logarithmic scale for what is positive.
    x: what the numbers are counted in: "epoch", or "step" for a loss that was noted at every step.
    ax: axes to draw a single metric into.

    NaN and infinite values are marked on the lower edge, where they came up.
    Raises ValueError when there is no epoch in it, or a metric is not in any of the runs.
    """
    who, colours = "training_curves", look("training_curves", theme)
    if isinstance(smooth, bool) or not isinstance(smooth, (int, float)) or not 0 <= smooth < 1:
        raise ValueError(f"{who}: expected smooth to be a number in [0, 1); got {smooth!r}")
    runs = _runs(who, history)
    known = list(dict.fromkeys(n.removeprefix("val_") for run in runs.values() for n in run if len(run[n])))
    if not known:
        raise ValueError(f"{who}: expected a history of at least one epoch; got an empty one: call fit first")
    names = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    lacking = [n for n in names if n not in known]
    if lacking or not names:
        raise ValueError(f"{who}: expected metrics among {', '.join(known)}; got "
                         f"{', '.join(map(str, lacking)) or 'none'}")
    if ax is not None and len(names) != 1:
        raise ValueError(f"{who}: expected one metric for one ax; got {', '.join(names)}: say metrics={names[0]!r}")
    drawn = figure(4.4 * len(names), 3.2, colours) if ax is None else None
    for k, name in enumerate(names):
        axes = panel(who, ax, 0, 0, colours)[1] if drawn is None else drawn.add_subplot(1, len(names), k + 1)
        _metric(axes, name, runs, float(smooth), log, x, colours)
    return drawn if drawn is not None else ax.get_figure()


def _runs(who: str, history: Any) -> dict[str, dict[str, np.ndarray]]:
    """name of the run -> metric -> values; one run has the name ""."""
    record = getattr(history, "history", history)
    if not isinstance(record, Mapping):
        raise TypeError(f"{who}: expected what fit returned, or a dict of lists; got {type(history).__name__}")
    several = any(isinstance(getattr(v, "history", v), Mapping) for v in record.values())
    runs = record if several else {"": record}
    found = {}
    for label, run in runs.items():
        run = getattr(run, "history", run)
        if not isinstance(run, Mapping):
            raise TypeError(f"{who}: expected each run to be a history or a dict of lists; got {type(run).__name__} "
                            f"for {label!r}")
        found[str(label)] = {str(n): np.atleast_1d(array(who, f"{n!r}", v)).astype(float) for n, v in run.items()}
        for n, v in found[str(label)].items():
            if v.ndim > 1:
                raise ValueError(f"{who}: expected one number per epoch for {n!r}; got shape {v.shape}")
    return found


def _metric(axes: Axes, name: str, runs: dict[str, dict[str, np.ndarray]], smooth: float, log: bool, x: str,
            colours: Look) -> None:
    from matplotlib.ticker import MaxNLocator
    shown = [(label, key, run[key]) for label, run in runs.items() for key in (name, f"val_{name}")
             if key in run and len(run[key])]
    one = list(runs) == [""]
    ends: list[tuple[float, float, str]] = []
    warnings: list[str] = []
    both = any(key.startswith("val_") for _, key, _ in shown)
    for label, key, values in shown:
        held_out = key.startswith("val_")
        place = 1 if one and held_out else 0 if one else list(runs).index(label)
        color = colours.series[place % len(colours.series)]
        word = "validation" if held_out else "training"
        epochs = np.arange(1, len(values) + 1)
        line = smoothed(values, smooth)
        if smooth:
            axes.plot(epochs, values, color=color, linewidth=0.8, alpha=0.35)
        axes.plot(epochs, line, linestyle="--" if held_out else "-", color=color, linewidth=1.8,
                  label=plain(word if one else f"{label}, {word}" if both else label), markersize=5,
                  marker="o" if len(values) == 1 else None)
        broken = ~np.isfinite(values)
        if broken.any():
            axes.plot(epochs[broken], np.zeros(broken.sum()), "x", transform=axes.get_xaxis_transform(), clip_on=False,
                      color=colours.alarm, markersize=7, markeredgewidth=2, zorder=5)
            first = int(np.flatnonzero(broken)[0])
            warnings.append(f"{word if one else f'{label}, {word}'}: {values[first]:g} at {x} {first + 1}"
                            + (f", {broken.sum() - 1} more" if broken.sum() > 1 else ""))
        if np.isfinite(line[-1]):
            ends.append((float(epochs[-1]), float(line[-1]), color))
    for k, words in enumerate(warnings[:6]):
        axes.annotate(plain(words), (0.02, 0), xycoords="axes fraction", xytext=(0, 8 + 10 * k), fontsize=8,
                      textcoords="offset points", color=colours.alarm)
    if log and all((v[np.isfinite(v)] > 0).all() for _, _, v in shown):
        axes.set_yscale("log")
    dress(axes, colours, "", x, name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if max(len(v) for _, _, v in shown) == 1:
        axes.set(xlim=(0.5, 1.5), xticks=[1])
    _said_at_the_end(axes, ends)
    legend(axes, colours)


def _said_at_the_end(axes: Axes, ends: list[tuple[float, float, str]]) -> None:
    """The last value of each curve beside it, in its colour; neighbours are moved apart."""
    if not 0 < len(ends) <= 6:
        return
    right = max(x for x, _, _ in ends)
    axes.set_ylim(axes.get_ylim())            # what follows counts on it
    height = lambda y: float(axes.transAxes.inverted().transform(axes.transData.transform((right, y)))[1])
    placed = sorted((height(y), x, y, color) for x, y, color in ends)
    gap, at = 0.055, placed[0][0]
    heights: list[float] = []
    for h, *_ in placed:
        at = h if not heights else max(h, at + gap)
        heights.append(at)
    low = sum(h - p[0] for h, p in zip(heights, placed)) / len(placed)          # as much down as up
    for h, (_, x, y, color) in zip(heights, placed):
        axes.annotate(f"{y:.4g}", (x, h - low), xycoords=("data", "axes fraction"), textcoords="offset points",
                      xytext=(4, 0), color=color, fontsize=8, va="center", annotation_clip=False)


def smoothed(values: np.ndarray, weight: float) -> np.ndarray:
    """The exponential average without the bias of its start; NaN and infinities are passed over."""
    if not weight:
        return values
    found, past, norm = np.array(values), 0.0, 0.0
    for k, value in enumerate(values):
        if np.isfinite(value):
            past, norm = weight * past + (1 - weight) * value, weight * norm + (1 - weight)
            found[k] = past / norm
    return found


def schedule_preview(schedules: Any, steps: int = 100, *, group: int = 0, log: bool = False, ax: Any = None,
                     theme: str = "light") -> Figure:
    """The learning rate of each step, before training.

    schedules: a schedule of `optim.lr_scheduler` (its `lr(step)` is asked, which changes nothing), a function
        lr(step), or several in a dict {"cosine": schedule} or a list.
    steps: from step 0 to step `steps` - 1.
    group: the parameter group, for schedules.

    Raises TypeError for what is neither, ValueError for a schedule that depends on more than the step.
    """
    who, colours = "schedule_preview", look("schedule_preview", theme)
    count = whole(who, "steps", steps, 1)
    if isinstance(schedules, Mapping):
        named = [(str(name), s) for name, s in schedules.items()]
    else:
        several = list(schedules) if isinstance(schedules, (list, tuple)) else [schedules]
        named = [(_name(s, f"schedule {k}"), s) for k, s in enumerate(several)]
    if not named:
        raise ValueError(f"{who}: expected at least one schedule; got none")
    curves = [(name, _rates(who, name, s, count, group)) for name, s in named]
    drawn, axes = panel(who, ax, 5.2, 3.2, colours)
    for k, (name, rates) in enumerate(curves):
        axes.plot(np.arange(count), rates, color=colours.series[k % len(colours.series)], linewidth=1.8,
                  linestyle=DASHES[k % len(DASHES)], label=plain(name), marker="o" if count == 1 else None)
    if log:
        axes.set_yscale("log")
    dress(axes, colours, named[0][0] if len(named) == 1 else "", "step", "learning rate")
    if len(named) > 1:
        legend(axes, colours)
    return drawn


def _name(schedule: Any, otherwise: str) -> str:
    name = getattr(schedule, "__name__", "") if not hasattr(schedule, "lr") else type(schedule).__name__
    return otherwise if name in ("", "<lambda>") else name


def _rates(who: str, name: str, schedule: Any, steps: int, group: int) -> np.ndarray:
    ask = None if isinstance(schedule, type) else getattr(schedule, "lr", None)
    if callable(ask):
        rate = lambda t: ask(t, group)
    elif callable(schedule) and not isinstance(schedule, type):
        rate = schedule
    else:
        what = f"the class {schedule.__name__}" if isinstance(schedule, type) else type(schedule).__name__
        raise TypeError(f"{who}: expected a function lr(step) or a schedule of optim.lr_scheduler for {name!r}; got "
                        f"{what}")
    try:
        return np.array([float(rate(t)) for t in range(steps)])
    except IndexError as error:
        raise ValueError(f"{who}: {name} has no parameter group {group}: {error}") from error
    except (NotImplementedError, TypeError) as error:
        raise ValueError(f"{who}: expected a rate that depends on the step alone; {name} gave: {error}") from error
