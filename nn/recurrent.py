"""Recurrent layers over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import Parameter, ShapeError, empty

from . import init
from .functional import recurrent as rules
from .functional.layers import dropout as drop
from .linear import count
from .module import Module
from .packing import PackedSequence

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What RNN, LSTM and GRU share: layers upon layers, one direction or two, sequences padded or packed.

    input (T, B, n), with batch_first (B, T, n), one sequence (T, n), or a PackedSequence.  Parameters of layer k:
    weight_ih_lk (gates hidden, n or directions m), weight_hh_lk (gates hidden, m), bias_ih_lk, bias_hh_lk, with
    proj_size weight_hr_lk (proj_size, hidden), and those of the other direction with `_reverse`; all start uniform in
    ±1/√hidden.  Each layer and direction is one op; with `steps` it is a graph of its steps, for those who want to see
    or change them.
    """

    steps = False

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: Any = None, dtype: DTypeLike | None = None, *, steps: bool = False) -> None:
        super().__init__()
        who = type(self).__name__
        if mode not in _GATES:
            raise ValueError(f"{who}: mode must be one of {', '.join(_GATES)}; got {mode!r}")
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, (bool, np.bool_)):
                raise TypeError(f"{who}: {name} must be True or False; got {type(flag).__name__} {flag!r}")
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float, np.number)) or not 0 <= dropout <= 1:
            raise ValueError(f"{who}: dropout must be a probability in [0, 1]; got {dropout!r}")
        for name, value in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if not count(who, name, value):
                raise ValueError(f"{who}: {name} must be greater than zero")
        if count(who, "proj_size", proj_size) and (mode != "LSTM" or proj_size >= hidden_size):
            raise ValueError(f"{who}: proj_size must be smaller than hidden_size, {hidden_size}; got {proj_size}"
                             if mode == "LSTM" else f"{who}: proj_size is only supported by LSTM; got {proj_size}")
        if dropout and num_layers == 1:
            warnings.warn(f"{who}: dropout stands between layers, and there is one layer only: dropout={dropout} does "
                          "nothing", stacklevel=3)
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bool(bias), bool(batch_first), float(dropout)
        self.bidirectional, self.proj_size = bool(bidirectional), proj_size
        if steps:
            self.steps = True
        rows, state = _GATES[mode] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            n = input_size if layer == 0 else state * self._directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, n), "weight_hh": (rows, state)}
            if bias:
                shapes.update(bias_ih=(rows,), bias_hh=(rows,))
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for way in range(self._directions):
                for name, shape in shapes.items():
                    setattr(self, _name(name, layer, way), Parameter(empty(shape, dtype=dtype)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[p for p in self._weights(layer, way) if p is not None]
                for layer in range(self.num_layers) for way in range(self._directions)]

    def _weights(self, layer: int, way: int) -> tuple[Any, ...]:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", *(("weight_hr",) if self.mode == "LSTM" else ()))
        return tuple([getattr(self, _name(name, layer, way), None) for name in names])

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: each weight is one piece of memory already."""

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            self._check_width(input.data)
            sizes, order = tuple(input.batch_sizes.tolist()), input.sorted_indices
            rows, states = self._run(input.data, sizes, self._starts(hx, input.data, sizes[0], order, False))
            if input.unsorted_indices is not None:
                states = [autograd.index_select(s, 1, input.unsorted_indices) for s in states]
            return input._replace(data=rows), self._last(states)
        if input.ndim not in (2, 3):
            raise ShapeError(f"{type(self).__name__}: expected an input {self._shape()} or (T, {self.input_size}); "
                             f"got shape {tuple(input.shape)}")
        self._check_width(input)
        single = input.ndim == 2
        if single:
            input = autograd.unsqueeze(input, 1)
        elif self.batch_first:
            input = autograd.transpose(input, dim0=0, dim1=1)
        steps, batch, n = input.shape
        if not steps:
            raise ShapeError(f"{type(self).__name__}: expected at least one step; got an input {self._shape()} with "
                             "T = 0")
        rows = autograd.reshape(input, shape=(steps * batch, n))
        out, states = self._run(rows, (batch,) * steps, self._starts(hx, rows, batch, None, single))
        out = autograd.reshape(out, shape=(steps, batch, out.shape[-1]))
        if single:
            return autograd.squeeze(out, 1), self._last([autograd.squeeze(s, 1) for s in states])
        return (autograd.transpose(out, dim0=0, dim1=1) if self.batch_first else out), self._last(states)

    def _last(self, states: list[Any]) -> Any:
        return tuple(states) if len(states) > 1 else states[0]

    def _shape(self) -> str:
        return f"(B, T, {self.input_size})" if self.batch_first else f"(T, B, {self.input_size})"

    def _check_width(self, x: Any) -> None:
        if not x.ndim or x.shape[-1] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: expected an input {self._shape()}, {self.input_size} numbers on "
                             f"its last axis; got shape {tuple(x.shape)}")
        learned = self._weights(0, 0)[0].dtype
        if x.dtype != learned:
            raise ValueError(f"{type(self).__name__}: input dtype {x.dtype} does not match weight dtype {learned}. "
                             f"Convert input: input.to({str(learned)!r}), or the layer: layer.to({str(x.dtype)!r})")

    def _starts(self, hx: Any, rows: Any, batch: int, order: Any, single: bool) -> list[Any]:
        """The first states, (layers directions, B, m), as given or zeros; of an LSTM also the cells."""
        widths = [self.proj_size or self.hidden_size] + ([self.hidden_size] if self.mode == "LSTM" else [])
        lanes = self.num_layers * self._directions
        if hx is None:
            return [[autograd.zeros(batch, width, dtype=rows.dtype)] * lanes for width in widths]
        given = list(hx) if isinstance(hx, (tuple, list)) else [hx]
        if len(given) != len(widths):
            raise TypeError(f"{type(self).__name__}: hx must be "
                            f"{'a pair (h_0, c_0)' if len(widths) > 1 else 'one tensor h_0'}; got {len(given)}")
        for i, (state, width) in enumerate(zip(given, widths)):
            wanted = (lanes, width) if single else (lanes, batch, width)
            if tuple(state.shape) != wanted:
                raise ShapeError(f"{type(self).__name__}: expected {'hc'[i]}_0 of shape {wanted}, (layers directions, "
                                 f"{'' if single else 'B, '}{width}); got {tuple(state.shape)}")
            if single:
                given[i] = autograd.unsqueeze(state, 1)
            elif order is not None:
                given[i] = autograd.index_select(state, 1, order)
        return [[state[k] for k in range(lanes)] for state in given]

    def _run(self, rows: Any, sizes: tuple[int, ...], starts: list[Any]) -> tuple[Any, list[Any]]:
        """All layers: the states of the last one, row by row, and the last state of each, (layers directions, B, m)."""
        ends: list[list[Any]] = [[] for _ in starts]
        for layer in range(self.num_layers):
            found = []
            for way in range(self._directions):
                first = [start[len(ends[0])] for start in starts]
                out, *last = self._layer(rows, first, self._weights(layer, way), sizes, way == 1)
                found.append(out)
                for end, state in zip(ends, last):
                    end.append(state)
            rows = found[0] if len(found) == 1 else autograd.cat(found, -1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                rows = drop(rows, self.dropout)
        return rows, [autograd.stack(end) for end in ends]

    def _layer(self, rows: Any, first: list[Any], weights: tuple[Any, ...], sizes: tuple[int, ...],
               reverse: bool) -> tuple[Any, ...]:
        """One layer in one direction: states of all steps, last state (, last cell)."""
        if self.steps:
            return rules.by_steps(self._cell(), rows, tuple(first), weights, sizes, reverse)
        flat = self._op()(rows, *first, *weights, sizes=sizes, reverse=reverse)
        n, parts, start = rows.shape[0], [], 0
        for shape in ((n, first[0].shape[1]), *(s.shape for s in first)):
            end = start + shape[0] * shape[1]
            parts.append(autograd.reshape(flat[start:end], shape=shape))
            start = end
        return tuple(parts)

    def _cell(self) -> Callable[..., Any]:
        if self.mode in ("LSTM", "GRU"):
            return rules.lstm_cell if self.mode == "LSTM" else rules.gru_cell
        return partial(rules.rnn_cell, nonlinearity=self.mode[4:].lower())

    def _op(self) -> Callable[..., Any]:
        if self.mode in ("LSTM", "GRU"):
            return rules.lstm if self.mode == "LSTM" else rules.gru
        return partial(rules.rnn, nonlinearity=self.mode[4:].lower())

    def extra_repr(self) -> str:
        default = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0,
                   "bidirectional": False, "steps": False}
        set_here = [f"{name}={getattr(self, name)}" for name, value in default.items() if getattr(self, name) != value]
        return ", ".join([str(self.input_size), str(self.hidden_size), *set_here])


def _name(name: str, layer: int, way: int) -> str:
    return f"{name}_l{layer}{'_reverse' if way else ''}"


class RNN(RNNBase):
    """h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh), or relu of it (Elman 1990): x, h_0 -> all h_t, h_n.

    x (T, B, n), h_0 (layers directions, B, hidden), zeros by default -> (T, B, directions hidden), h_n like h_0.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 proj_size: int = 0, device: Any = None, dtype: DTypeLike | None = None, *,
                 steps: bool = False) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: unknown nonlinearity {nonlinearity!r}: select from 'tanh' or 'relu'")
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, proj_size, device, dtype, steps=steps)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997):  x, (h_0, c_0) -> all h_t, (h_n, c_n).

    i, f, o = sigmoid, g = tanh of W_ih x_t + b_ih + W_hh h_{t-1} + b_hh;  c_t = f c_{t-1} + i g,  h_t = o tanh c_t;
    with proj_size h_t = W_hr (o tanh c_t) (Sak et al. 2014).  Rows of the weights: i, f, g, o.

    x (T, B, n), h_0 (layers directions, B, m), c_0 (layers directions, B, hidden), m = proj_size or hidden, zeros by
    default -> (T, B, directions m), states like the first ones.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: Any = None, dtype: DTypeLike | None = None, *, steps: bool = False) -> None:
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         proj_size, device, dtype, steps=steps)


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al. 2014):  x, h_0 -> all h_t, h_n.

    r, z = sigmoid(W x_t + b + U h_{t-1} + b'),  n = tanh(W x_t + b + r (U h_{t-1} + b')),  h_t = (1 - z) n + z h_{t-1}.
    Rows of the weights: r, z, n.

    x (T, B, n), h_0 (layers directions, B, hidden), zeros by default -> (T, B, directions hidden), h_n like h_0.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: Any = None, dtype: DTypeLike | None = None, *, steps: bool = False) -> None:
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
                         proj_size, device, dtype, steps=steps)
