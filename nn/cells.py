"""One step of a recurrent layer: RNNCell, LSTMCell, GRUCell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Parameter, ShapeError, empty

from . import init
from .functional.recurrent import gru_cell, lstm_cell, rnn_cell
from .linear import count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class RNNCellBase(Module):
    """What the cells share: weight_ih (chunks hidden, n), weight_hh (chunks hidden, hidden), bias_ih, bias_hh.

    All start uniform in ±1/√hidden.
    """

    nonlinearity = "tanh"

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        who = type(self).__name__
        self.input_size, self.hidden_size = count(who, "input_size", input_size), count(who, "hidden_size", hidden_size)
        self.bias, rows = bias, num_chunks * hidden_size
        self.weight_ih = Parameter(empty(rows, input_size, dtype=dtype))
        self.weight_hh = Parameter(empty(rows, hidden_size, dtype=dtype))
        self.bias_ih = Parameter(empty(rows, dtype=dtype)) if bias else None
        self.bias_hh = Parameter(empty(rows, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        said = f"{self.input_size}, {self.hidden_size}"
        said += "" if self.bias else f", bias={self.bias}"
        return said + (f", nonlinearity={self.nonlinearity}" if self.nonlinearity != "tanh" else "")

    def _step(self, cell: Any, input: Any, states: tuple[Any, ...] | None, many: int = 1, **settings: Any) -> Any:
        who = type(self).__name__
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(f"{who}: expected an input (B, {self.input_size}) or ({self.input_size},); "
                             f"got shape {tuple(input.shape)}")
        wanted = (*input.shape[:-1], self.hidden_size)
        if states is None:
            states = (autograd.zeros(wanted, dtype=input.dtype if input.dtype.kind in "fc" else None),) * many
        if not isinstance(states, (tuple, list)) or len(states) != many:
            raise TypeError(f"{who}: hx must be a pair (h, c); got {type(states).__name__}")
        for name, state in zip("hc", states):
            if tuple(state.shape) != wanted:
                raise ShapeError(f"{who}: expected {name} of shape {wanted}, to go with input {tuple(input.shape)}; "
                                 f"got {tuple(state.shape)}")
        return cell(input, *states, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, **settings)


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it:  x (B, n) or (n,), h (B, hidden), 0 by default -> h'."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device: Any = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"RNNCell: unknown nonlinearity {self.nonlinearity!r}: select from 'tanh' or 'relu'")
        return self._step(rnn_cell, input, hx if hx is None else (hx,), nonlinearity=self.nonlinearity)[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`:  x (B, n) or (n,), (h, c) (B, hidden) each, 0 by default -> (h', c')."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        return self._step(lstm_cell, input, hx, 2)


class GRUCell(RNNCellBase):
    """One step of `GRU`:  x (B, n) or (n,), h (B, hidden), 0 by default -> h'."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step(gru_cell, input, hx if hx is None else (hx,))[0]
