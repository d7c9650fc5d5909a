"""Recurrent layers: one step (`lstm_cell`, `gru_cell`, `rnn_cell`), all steps as a graph of them, all steps as one op.

The op of a layer has a rule of its own, back through time on arrays (unrolled.py).  Where a sweep is itself recorded,
the rule differentiates the graph of steps instead, so that derivatives of every order are right.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import autograd
from autograd import op

from . import unrolled
from .composed import Composed, once
from .layers import linear
from .unrolled import before, parted, spans

# -- one step --------------------------------------------------------------------------------------------


def lstm_cell(x: Any, h: Any, c: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None,
              w_hr: Any = None) -> tuple[Any, Any]:
    """(h', c'):  i, f, o = sigmoid, g = tanh of W x + b + U h + b';  c' = f c + i g,  h' = o tanh c', or w_hr of it.

    x (B, n), h (B, m), c (B, k); weights (4 k, n) and (4 k, m), rows i, f, g, o.  Source: Hochreiter and Schmidhuber
    1997 with the forget gate of Gers et al. 2000; the projection w_hr (m, k) is that of Sak et al. 2014.
    """
    i, f, g, o = autograd.chunk(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh), 4, -1)
    c = autograd.sigmoid(f) * c + autograd.sigmoid(i) * autograd.tanh(g)
    h = autograd.sigmoid(o) * autograd.tanh(c)
    return h if w_hr is None else linear(h, w_hr), c


def gru_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> tuple[Any]:
    """(h',):  r, z = sigmoid(W x + b + U h + b'),  n = tanh(W x + b + r (U h + b')),  h' = (1 - z) n + z h.

    x (B, n), h (B, k); weights (3 k, n) and (3 k, k), rows r, z, n.  Source: Cho et al. 2014, the reset gate behind the
    product with U.
    """
    k = h.shape[-1]
    of_x, of_h = linear(x, w_ih, b_ih), linear(h, w_hh, b_hh)
    r, z = autograd.chunk(autograd.sigmoid(of_x[..., :2 * k] + of_h[..., :2 * k]), 2, -1)
    n = autograd.tanh(of_x[..., 2 * k:] + r * of_h[..., 2 * k:])
    return n + z * (h - n),


def rnn_cell(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *,
             nonlinearity: str = "tanh") -> tuple[Any]:
    """(h',):  h' = tanh(W x + b + U h + b'), or relu of it.  Source: Elman 1990."""
    total = linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)
    return (autograd.tanh if nonlinearity == "tanh" else autograd.relu)(total),


# -- all steps, as a graph -------------------------------------------------------------------------------


def by_steps(cell: Callable[..., Any], x: Any, states: tuple[Any, ...], weights: tuple[Any, ...],
             sizes: tuple[int, ...], reverse: bool) -> tuple[Any, ...]:
    """(first states of all steps (N, m), *last states (B, ...)), each step a call of `cell` and nodes of its own."""
    steps = spans(sizes, reverse)
    n = steps[0][1] - steps[0][0]
    now, found = [s[:n] for s in states], []
    ended: list[list[Any]] = [[] for _ in states]
    for first, end in steps:
        n, m = end - first, now[0].shape[0]
        if n < m:
            for gone, s in zip(ended, now):
                gone.append(s[n:])
            now = [s[:n] for s in now]
        elif n > m:
            now = [autograd.cat([s, start[m:n]]) for s, start in zip(now, states)]
        now = list(cell(x[first:end], *now, *weights))
        found.append(now[0])
    last = [autograd.cat([s, *gone[::-1]]) if gone else s for s, gone in zip(now, ended)]
    return autograd.cat(found[::-1] if reverse else found), *last


def _as_graph(cell: Callable[..., Any], inputs: tuple[Any, ...], many: int, sizes: tuple[int, ...],
              reverse: bool) -> Composed:
    """What stands for the saved arrays where a sweep is recorded: the layer once more, as a graph of its steps."""
    def run(x: Any, *rest: Any) -> Any:
        parts = by_steps(cell, x, rest[:many], rest[many:], sizes, reverse)
        return autograd.cat([autograd.reshape(part, shape=-1) for part in parts])
    return Composed(run, inputs)


# -- all steps, as one op --------------------------------------------------------------------------------

def _columns(v: Any) -> Any:
    """Sums over the rows."""
    return np.dot(np.ones(len(v), v.dtype), v)


def _lstm_rule(i: int) -> Callable[..., Any]:
    def rule(g: Any, x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, out: Any,
             gates: Any, cells: Any, squashed: Any, sizes: Any, reverse: Any) -> Any:
        if isinstance(gates, Composed):
            return gates.gradient(g, i)
        back, dh0, dc0, total = once(g, gates, lambda: unrolled.lstm_back(
            g, h0, c0, w_hh, w_hr, gates, cells, squashed, sizes, reverse))
        if i == 0:
            return np.dot(back, w_ih)
        if i < 3:
            return dh0 if i == 1 else dc0
        if i == 3:
            return np.dot(back.T, x)
        if i == 4:
            return np.dot(back.T, before(parted(out, len(x), h0)[0], h0, sizes, reverse))
        return _columns(back) if i < 7 else np.dot(total.T, gates[:, 3 * c0.shape[1]:] * squashed)
    return rule


def _gru_rule(i: int) -> Callable[..., Any]:
    def rule(g: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, out: Any, gates: Any, inner: Any,
             sizes: Any, reverse: Any) -> Any:
        if isinstance(gates, Composed):
            return gates.gradient(g, i)
        of_x, of_h, dh0 = once(g, gates, lambda: unrolled.gru_back(g, out, h0, w_hh, gates, inner, sizes, reverse))
        if i < 2:
            return dh0 if i else np.dot(of_x, w_ih)
        if i == 2:
            return np.dot(of_x.T, x)
        if i == 3:
            return np.dot(of_h.T, before(parted(out, len(x), h0)[0], h0, sizes, reverse))
        return _columns(of_x if i == 4 else of_h)
    return rule


def _rnn_rule(i: int) -> Callable[..., Any]:
    def rule(g: Any, x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, out: Any, states: Any, sizes: Any,
             reverse: Any, nonlinearity: Any) -> Any:
        if isinstance(states, Composed):
            return states.gradient(g, i)
        back, dh0 = once(g, out, lambda: unrolled.rnn_back(
            g, out, h0, w_hh, sizes, reverse, _tanh_slope if nonlinearity == "tanh" else _relu_slope))
        if i < 2:
            return dh0 if i else np.dot(back, w_ih)
        if i == 2:
            return np.dot(back.T, x)
        return np.dot(back.T, before(states, h0, sizes, reverse)) if i == 3 else _columns(back)
    return rule


def _tanh_slope(y: Any) -> Any:
    return 1 - y * y


def _relu_slope(y: Any) -> Any:
    return (y > 0).astype(y.dtype)


def _relu(x: Any, out: Any) -> Any:
    return np.maximum(x, 0, out=out)


def _cases(gates: int, states: tuple[int, ...]) -> list[Any]:
    """Sequences of 4, 3 and 1 steps, both ways."""
    k = states[-1]
    shapes = ((8, 3), *((3, n) for n in states), (gates * k, 3), (gates * k, states[0]), (gates * k,), (gates * k,),
              *(states,) * (len(states) - 1))
    return [(shapes, {"sizes": (3, 2, 2, 1), "reverse": reverse}) for reverse in (False, True)]


@op(**dict(zip(("x", "h0", "c0", "w_ih", "w_hh", "b_ih", "b_hh", "w_hr"), map(_lstm_rule, range(8)))),
    aux={"gates": lambda x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse: _as_graph(
             lstm_cell, (x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr), 2, sizes, reverse),
         "cells": lambda: None, "squashed": lambda: None},
    category="recurrent", cases=_cases(4, (1, 2)),
    shapes="x (N, n), h0 (B, m), c0 (B, k), w_ih (4 k, n), w_hh (4 k, m), biases (4 k,), w_hr (m, k), N = Σ sizes")
def lstm(x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, w_hr: Any = None, *,
         sizes: tuple[int, ...], reverse: bool = False) -> Any:
    """`lstm_cell` for all steps of a layer in one direction: states, last state, last cell, as one vector."""
    return unrolled.lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse)


@op(**dict(zip(("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"), map(_gru_rule, range(6)))),
    aux={"gates": lambda x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse: _as_graph(
             gru_cell, (x, h0, w_ih, w_hh, b_ih, b_hh), 1, sizes, reverse),
         "inner": lambda: None},
    category="recurrent", cases=_cases(3, (2,)),
    shapes="x (N, n), h0 (B, k), w_ih (3 k, n), w_hh (3 k, k), biases (3 k,), N = Σ sizes")
def gru(x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, sizes: tuple[int, ...],
        reverse: bool = False) -> Any:
    """`gru_cell` for all steps of a layer in one direction: states and last state, as one vector."""
    return unrolled.gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse)


@op(**dict(zip(("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"), map(_rnn_rule, range(6)))),
    aux={"states": lambda x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, nonlinearity: _as_graph(
        partial(rnn_cell, nonlinearity=nonlinearity), (x, h0, w_ih, w_hh, b_ih, b_hh), 1, sizes, reverse)},
    category="recurrent", cases=_cases(1, (2,)),
    shapes="x (N, n), h0 (B, k), w_ih (k, n), w_hh (k, k), biases (k,), N = Σ sizes")
def rnn(x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None, *, sizes: tuple[int, ...],
        reverse: bool = False, nonlinearity: str = "tanh") -> Any:
    """`rnn_cell` for all steps of a layer in one direction: states and last state, as one vector."""
    out = unrolled.rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, np.tanh if nonlinearity == "tanh" else _relu)
    return out, parted(out, len(x), h0)[0]
