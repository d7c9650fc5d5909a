"""Recurrent layers on arrays: all steps of one layer in one direction, forward, and back through time.

Sequences lie one step after the other: x (N, n) holds sizes[0] rows of the first step, then sizes[1] of the second,
and so on; sequences fall in length, so that a step has the rows of those that are still going on.  A result is one
vector: the states after all steps (N, m), the last state of each sequence (B, m), of an LSTM its last cell (B, hidden).
The buffers of a step are reused by the next one, and are small enough to stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def spans(sizes: tuple[int, ...], reverse: bool) -> list[tuple[int, int]]:
    """(first row, end) of each step, in the order in which the steps are taken."""
    found, start = [], 0
    for n in sizes:
        found.append((start, start + n))
        start += n
    return found[::-1] if reverse else found


def carried(state: Any, n: int, source: Any, sink: Any) -> Any:
    """The state for a step of n rows: rows that end here go to `sink`, rows that begin here come from `source`."""
    m = len(state)
    if n < m:
        sink[n:m] = state[n:]
        return state[:n]
    return state if n == m else np.concatenate([state, source[m:n]])


def parted(flat: Any, rows: int, start: Any, cell: Any = None) -> tuple[Any, Any, Any]:
    """The three parts of a result: states (rows, m), last states like `start`, last cells like `cell`."""
    at = rows * start.shape[1]
    end = at + start.size
    return (flat[:at].reshape(rows, -1), flat[at:end].reshape(start.shape),
            None if cell is None else flat[end:].reshape(cell.shape))


def before(states: Any, start: Any, sizes: tuple[int, ...], reverse: bool) -> Any:
    """The state that each step began with, (N, m), from those it ended with."""
    found, last = [], (0, 0)
    for first, end in spans(sizes, reverse):
        n = end - first
        m = min(n, last[1] - last[0])
        found.append((states[last[0]:last[0] + m], start[m:n]))
        last = (first, end)
    return np.concatenate([piece for pair in (found[::-1] if reverse else found) for piece in pair])


def _zeros(like: Any) -> Any:
    return np.zeros(like.shape, like.dtype)   # in C order whatever the order of the other


def _projected(x: Any, weight: Any, bias: Any) -> Any:
    out = np.dot(x, weight.T)
    if bias is not None:
        out += bias
    return out


def _gates(dtype: Any, hidden: int, kinds: str) -> tuple[Any, Any]:
    """(scale, shift) for a row of gates: sigmoid(x) = tanh(x / 2) / 2 + 1 / 2 for an s of `kinds`, tanh for a t.

    One call then squashes all gates of a step; a half is exact in every precision.
    """
    scale = np.repeat(np.array([0.5 if kind == "s" else 1 for kind in kinds], dtype), hidden)
    return scale, 1 - scale


# -- long short-term memory ------------------------------------------------------------------------------


def lstm(x: Any, h0: Any, c0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any, sizes: tuple[int, ...],
         reverse: bool) -> tuple[Any, Any, Any, Any]:
    """(result, gates (N, 4 hidden), cells (N, hidden), tanh of the cells)."""
    k, rows = c0.shape[1], len(x)
    scale, shift = _gates(x.dtype, k, "ssts")
    recur = (w_hh * scale[:, None]).T
    gates = _projected(x, w_ih * scale[:, None], None if b_ih is None else (b_ih + b_hh) * scale)
    out = np.empty(rows * h0.shape[1] + h0.size + c0.size, x.dtype)
    states, h_n, c_n = parted(out, rows, h0, c0)
    cells, squashed = np.empty((2, rows, k), x.dtype)
    pre, spare = np.empty((len(h0), 4 * k), x.dtype), np.empty((len(h0), k), x.dtype)
    steps = spans(sizes, reverse)
    n = steps[0][1] - steps[0][0]
    h, c = h0[:n], c0[:n]
    for first, end in steps:
        n = end - first
        h, c, tmp, z, a = carried(h, n, h0, h_n), carried(c, n, c0, c_n), spare[:n], pre[:n], gates[first:end]
        a += np.dot(h, recur, out=z)
        np.tanh(a, out=a)
        a *= scale
        a += shift
        c = np.multiply(a[:, k:2 * k], c, out=cells[first:end])
        c += np.multiply(a[:, :k], a[:, 2 * k:3 * k], out=tmp)
        t, h = np.tanh(c, out=squashed[first:end]), states[first:end]
        if w_hr is None:
            np.multiply(a[:, 3 * k:], t, out=h)
        else:
            np.dot(np.multiply(a[:, 3 * k:], t, out=tmp), w_hr.T, out=h)
    h_n[:n], c_n[:n] = h, c
    return out, gates, cells, squashed


def lstm_back(g: Any, h0: Any, c0: Any, w_hh: Any, w_hr: Any, gates: Any, cells: Any, squashed: Any,
              sizes: tuple[int, ...], reverse: bool) -> tuple[Any, Any, Any, Any]:
    """Gradients of the gates before squashing (N, 4 hidden), of h0, of c0, and of the states before w_hr or None."""
    k, rows = c0.shape[1], len(gates)
    tilt, flat = _gates(gates.dtype, k, "ssts")
    tilt, flat = 2 * flat, 2 * tilt - 1       # slope of sigmoid a (1 - a), of tanh 1 - a²: together a (tilt - a) + flat
    g_states, g_h, g_c = parted(g, rows, h0, c0)
    before_c = before(cells, c0, sizes, reverse)
    back, dh0, dc0 = np.empty_like(gates), _zeros(h0), _zeros(c0)
    total = None if w_hr is None else np.empty((rows, h0.shape[1]), gates.dtype)
    slopes, spare = np.empty((len(h0), 4 * k), gates.dtype), np.empty((2, len(h0), k), gates.dtype)
    buffer = _zeros(h0)
    steps = spans(sizes, reverse)[::-1]
    n = steps[0][1] - steps[0][0]
    dh, dc = g_h[:n].copy(), g_c[:n].copy()
    for first, end in steps:
        n = end - first
        dh, dc = carried(dh, n, g_h, dh0), carried(dc, n, g_c, dc0)
        a, d, t, s, u = gates[first:end], back[first:end], squashed[first:end], slopes[:n], spare[0, :n]
        dh += g_states[first:end]
        if total is not None:
            total[first:end] = dh
            np.dot(dh, w_hr, out=u)
        else:
            u = dh
        np.multiply(u, t, out=d[:, 3 * k:])
        u *= a[:, 3 * k:]
        tt = np.multiply(t, t, out=spare[1, :n])
        tt *= u
        u -= tt
        dc += u
        np.multiply(dc, a[:, 2 * k:3 * k], out=d[:, :k])
        np.multiply(dc, before_c[first:end], out=d[:, k:2 * k])
        np.multiply(dc, a[:, :k], out=d[:, 2 * k:3 * k])
        dc *= a[:, k:2 * k]
        np.subtract(tilt, a, out=s)
        s *= a
        s += flat
        d *= s
        dh = np.dot(d, w_hh, out=buffer[:n])
    dh0[:n], dc0[:n] = dh, dc
    return back, dh0, dc0, total


# -- gated recurrent unit --------------------------------------------------------------------------------


def gru(x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: tuple[int, ...],
        reverse: bool) -> tuple[Any, Any, Any]:
    """(result, gates (N, 3 hidden), what the reset gate multiplies (N, hidden))."""
    k, rows = h0.shape[1], len(x)
    scale, _ = _gates(x.dtype, k, "sst")
    recur, bias, bias_n = (w_hh * scale[:, None]).T, None, None
    if b_ih is not None:
        bias, bias_n = b_ih * scale, b_hh[2 * k:]
        bias[:2 * k] += b_hh[:2 * k] * 0.5
    gates = _projected(x, w_ih * scale[:, None], bias)
    out = np.empty(rows * k + h0.size, x.dtype)
    states, h_n, _ = parted(out, rows, h0)
    inner, pre, spare = np.empty((rows, k), x.dtype), np.empty((len(h0), 3 * k), x.dtype), _zeros(h0)
    half = x.dtype.type(0.5)
    steps = spans(sizes, reverse)
    h = h0[:steps[0][1] - steps[0][0]]
    for first, end in steps:
        n = end - first
        h, z, a, m, tmp = carried(h, n, h0, h_n), pre[:n], gates[first:end], inner[first:end], spare[:n]
        np.dot(h, recur, out=z)
        both, new = a[:, :2 * k], a[:, 2 * k:]
        both += z[:, :2 * k]
        np.tanh(both, out=both)
        both *= half
        both += half
        if bias_n is None:
            m[...] = z[:, 2 * k:]
        else:
            np.add(z[:, 2 * k:], bias_n, out=m)
        new += np.multiply(a[:, :k], m, out=tmp)
        np.tanh(new, out=new)
        h = np.subtract(h, new, out=states[first:end])
        h *= a[:, k:2 * k]
        h += new
    h_n[:n] = h
    return out, gates, inner


def gru_back(g: Any, out: Any, h0: Any, w_hh: Any, gates: Any, inner: Any, sizes: tuple[int, ...],
             reverse: bool) -> tuple[Any, Any, Any]:
    """Gradients of what came from x and of what came from the states, before squashing (N, 3 hidden), and of h0."""
    k, rows = h0.shape[1], len(gates)
    g_states, g_h, _ = parted(g, rows, h0)
    begun = before(parted(out, rows, h0)[0], h0, sizes, reverse)
    of_x, of_h, dh0 = np.empty_like(gates), np.empty_like(gates), _zeros(h0)
    slopes, spare = np.empty((len(h0), 2 * k), gates.dtype), np.empty((2, *h0.shape), gates.dtype)
    buffer = _zeros(h0)
    steps = spans(sizes, reverse)[::-1]
    dh = g_h[:steps[0][1] - steps[0][0]].copy()
    for first, end in steps:
        n = end - first
        dh = carried(dh, n, g_h, dh0)
        a, d, e, s = gates[first:end], of_x[first:end], of_h[first:end], slopes[:n]
        kept, new = a[:, k:2 * k], a[:, 2 * k:]
        dh += g_states[first:end]
        q = np.multiply(new, new, out=spare[0, :n])
        np.subtract(1, q, out=q)
        q *= dh
        dn = np.multiply(q, kept, out=spare[1, :n])
        dn = np.subtract(q, dn, out=d[:, 2 * k:])             # dh (1 - z) (1 - n²)
        np.multiply(dn, inner[first:end], out=d[:, :k])
        dz = np.subtract(begun[first:end], new, out=d[:, k:2 * k])
        dz *= dh
        np.subtract(1, a[:, :2 * k], out=s)
        s *= a[:, :2 * k]
        d[:, :2 * k] *= s
        e[:, :2 * k] = d[:, :2 * k]
        np.multiply(dn, a[:, :k], out=e[:, 2 * k:])
        dh *= kept
        dh += np.dot(e, w_hh, out=buffer[:n])
    dh0[:n] = dh
    return of_x, of_h, dh0


# -- the plain recurrent layer ---------------------------------------------------------------------------


def rnn(x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, sizes: tuple[int, ...], reverse: bool,
        squash: Callable[..., Any]) -> Any:
    """The result alone."""
    rows = len(x)
    drive = _projected(x, w_ih, None if b_ih is None else b_ih + b_hh)
    out = np.empty(rows * h0.shape[1] + h0.size, x.dtype)
    states, h_n, _ = parted(out, rows, h0)
    steps = spans(sizes, reverse)
    h = h0[:steps[0][1] - steps[0][0]]
    for first, end in steps:
        h = np.dot(carried(h, end - first, h0, h_n), w_hh.T, out=states[first:end])
        h += drive[first:end]
        squash(h, out=h)
    h_n[:len(h)] = h
    return out


def rnn_back(g: Any, out: Any, h0: Any, w_hh: Any, sizes: tuple[int, ...], reverse: bool,
             slope: Callable[[Any], Any]) -> tuple[Any, Any]:
    """Gradients of the states before squashing (N, hidden) and of h0."""
    rows = (len(out) - h0.size) // h0.shape[1]
    (g_states, g_h, _), back, dh0 = parted(g, rows, h0), slope(parted(out, rows, h0)[0]), _zeros(h0)
    steps, buffer = spans(sizes, reverse)[::-1], _zeros(h0)
    dh = g_h[:steps[0][1] - steps[0][0]].copy()
    for first, end in steps:
        n = end - first
        dh = carried(dh, n, g_h, dh0)
        dh += g_states[first:end]
        d = back[first:end]
        d *= dh
        dh = np.dot(d, w_hh, out=buffer[:n])
    dh0[:n] = dh
    return back, dh0
