"""Cards of activation functions: f, f' and f'' as the engine itself differentiates them, and where f saturates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import Tensor, no_grad
from nn import functional

from .running import undisturbed
from .style import Look, dress, figure, grid_of, legend, legend_below, look, panel, plain
from .values import array, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = ("relu", "leaky_relu", "relu6", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "sigmoid", "tanh",
         "logsigmoid", "softsign", "hardtanh", "hardsigmoid", "hardswish", "tanhshrink", "softshrink", "hardshrink")
SATURATED = 0.01                              # a slope below this lets next to nothing through
ACROSS_FEATURES = ("softmax", "log_softmax", "softmin", "gumbel_softmax", "glu", "normalize")


def activation_card(activation: Any, *, span: float = 4.0, points: int = 801, derivatives: int = 2, ax: Any = None,
                    theme: str = "light") -> Figure:
    """An activation f with its derivatives f' and f'', computed by differentiating f once and twice with `grad`.

    activation: the name of one in `nn.functional`, "gelu"; a module, nn.LeakyReLU(0.2); or a function of a tensor that
        works number by number.
    span: x goes from -span to span.  derivatives: 0, 1 or 2.

    Grey zones are where |f'| < 0.01: saturated, hardly any gradient comes through.  A function of several numbers
    together, such as softmax, is refused with a ValueError; one that has no derivative shows f alone.
    """
    who, colours = "activation_card", look("activation_card", theme)
    name, f = _resolved(who, activation)
    whole(who, "derivatives", derivatives, 0)
    drawn, axes = panel(who, ax, 3.6, 3.1, colours)
    _card(who, axes, name, f, _span(who, span), whole(who, "points", points, 9), min(derivatives, 2), colours)
    if ax is None:
        legend_below(drawn, axes, colours)
    else:
        legend(axes, colours, fontsize=7.5)
    return drawn


def activation_cards(activations: Sequence[Any] | None = None, *, span: float = 4.0, columns: int = 5,
                     theme: str = "light") -> Figure:
    """A sheet of cards, of all common activations or of those given; see `activation_card`."""
    who, colours = "activation_cards", look("activation_cards", theme)
    wanted = [_resolved(who, a) for a in (NAMES if activations is None else activations)]
    if not wanted:
        raise ValueError(f"{who}: expected at least one activation; got none")
    rows, across = grid_of(len(wanted), whole(who, "columns", columns, 1), who)
    drawn = figure(2.25 * across + 0.2, 1.85 * rows + 0.45, colours)
    for k, (name, f) in enumerate(wanted):
        axes = drawn.add_subplot(rows, across, k + 1)
        _card(who, axes, name, f, _span(who, span), 401, 2, colours, small=True)
    most = max(drawn.axes, key=lambda axes: len(axes.get_legend_handles_labels()[0]))
    legend_below(drawn, most, colours)        # of one that saturates somewhere
    return drawn


def _span(who: str, span: Any) -> float:
    if isinstance(span, bool) or not isinstance(span, (int, float)) or not 0 < span <= 1e6:
        raise ValueError(f"{who}: expected span to be a number above 0; got {span!r}")
    return float(span)


def _resolved(who: str, activation: Any) -> tuple[str, Callable[[Any], Any]]:
    """(name, function)."""
    if isinstance(activation, str):
        if activation in ACROSS_FEATURES:
            raise ValueError(f"{who}: expected an activation that works number by number; {activation} mixes several")
        found = getattr(functional, activation, None) if activation.isidentifier() else None
        if not callable(found):
            raise ValueError(f"{who}: expected the name of an activation in nn.functional, one of {', '.join(NAMES)}; "
                             f"got {activation!r}")
        return activation, found
    if isinstance(activation, type) or not callable(activation):
        is_class = isinstance(activation, type)
        what = f"the class {activation.__name__}: call it" if is_class else type(activation).__name__
        raise TypeError(f"{who}: expected a name, a module or a function; got {what}")
    module = hasattr(activation, "named_parameters")
    name = repr(activation) if module else getattr(activation, "__name__", type(activation).__name__)
    return ("f" if name == "<lambda>" else name), activation


def curves(who: str, name: str, f: Any, xs: np.ndarray, derivatives: int) -> list[np.ndarray]:
    """[f, f', f''] at the points, as far as f can be differentiated.

    Raises ValueError where f does not work number by number.
    """
    found = []
    with undisturbed(f, training=False), np.errstate(all="ignore"):
        with no_grad():
            values = array(who, name, f(Tensor(xs))).astype(float)
            # number by number: in another order, and alone, each point has the value it has among the others
            turned = array(who, name, f(Tensor(xs[::-1].copy()))).astype(float)
            some = xs[:: max(len(xs) // 5, 1)]
            alone = array(who, name, f(Tensor(some))).astype(float)
        if values.shape != xs.shape or not np.allclose(values, turned[::-1], equal_nan=True) \
                or not np.allclose(values[:: max(len(xs) // 5, 1)], alone, equal_nan=True):
            raise ValueError(f"{who}: expected an activation that works number by number; {name} does not")
        found.append(values)
        g = f
        for _ in range(derivatives):
            inner = g
            g = autograd.grad(lambda x, inner=inner: inner(x).sum())
            try:
                slopes = array(who, name, g(Tensor(xs)))
            except autograd.GradientError:    # constant from here on, or not differentiable
                break
            found.append(slopes.astype(float))
    return found


def _card(who: str, axes: Axes, name: str, f: Any, span: float, points: int, derivatives: int, colours: Look,
          small: bool = False) -> None:
    # an even number of points: none falls on a kink at a whole number, where the derivative is a convention
    xs = np.linspace(-span, span, points + points % 2)
    found = curves(who, name, f, xs, derivatives)
    if len(found) > 1:
        flat = np.abs(found[1]) < SATURATED
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(int), [0]])))
        for k, (a, b) in enumerate(zip(edges[::2], edges[1::2])):
            if b - a > 2:
                axes.axvspan(xs[a], xs[b - 1], color=colours.sub, alpha=0.16, linewidth=0,
                             label="|f'| < 0.01" if k == 0 else None)
    axes.axhline(0, color=colours.sub, linewidth=0.6)
    axes.axvline(0, color=colours.sub, linewidth=0.6)
    for k, (values, label, dash) in enumerate(zip(found, ("f", "f'", "f''"), ("-", "--", ":"))):
        broken = np.abs(np.diff(values)) > 0.3 * max(float(np.nanmax(np.abs(values))), 1e-9)   # a jump is no line
        line = np.where(np.concatenate([broken, [False]]), np.nan, values)
        axes.plot(xs, line, dash, color=colours.series[k], linewidth=1.9 if k == 0 else 1.5, label=label, zorder=3 + k)
    finite = np.concatenate([v[np.isfinite(v)] for v in found])
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (-1.0, 1.0)
    low, high = max(low, -span), min(high, span)
    edge = 0.08 * max(high - low, 0.5)
    axes.set(xlim=(-span, span), ylim=(low - edge, high + edge))
    dress(axes, colours, plain(name), "" if small else "x", "" if small else "value", size=7.5 if small else 9)
