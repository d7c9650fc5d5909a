"""Attention in one head with nothing projected, by products or by sums, as Keras has it."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Parameter, ShapeError, Tensor, ones

from . import functional as F
from . import init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import UninitializedParameter, is_lazy


class Attention(Module):
    """softmax(scores) value, with scores query · key (Luong et al. 2015):  attention([query, value, key]).

    query (N, T, d), value (N, S, v), key (N, S, d), which is value when left out -> (N, T, v), and with
    return_attention_scores the weights (N, T, S) too.  use_scale multiplies the scores by a learned number, `scale`;
    score_mode "concat" takes `concat_score_weight` Σ tanh(scale (query + key)) for them.  mask is [query mask (N, T),
    value mask (N, S)], either of which may be None: where the first is False the output is 0, where the second is False
    nothing is looked at; use_causal_mask lets position i look at 0..i.  `dropout` drops weights.  Source: Keras.
    """

    def __init__(self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0) -> None:
        super().__init__()
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"Attention: score_mode must be 'dot' or 'concat'; got {score_mode!r}")
        self.use_scale, self.score_mode, self.dropout = use_scale, score_mode, dropout
        self.scale = Parameter(ones(())) if use_scale else None
        self.concat_score_weight = Parameter(ones(())) if score_mode == "concat" else None

    def scores(self, query: Any, key: Any) -> Any:
        """(N, T, S)"""
        if self.score_mode == "dot":
            found = autograd.matmul(query, autograd.transpose(key, dim0=-1, dim1=-2))
            return found if self.scale is None else found * self.scale
        both = autograd.unsqueeze(query, -2) + autograd.unsqueeze(key, -3)
        both = both if self.scale is None else both * self.scale
        return self.concat_score_weight * autograd.sum(autograd.tanh(both), dim=-1)

    def forward(self, inputs: Any, mask: Any = None, return_attention_scores: bool = False,
                use_causal_mask: bool = False) -> Any:
        query, value, key = self._three(inputs)
        seen, shown = self._masks(query, value, mask, use_causal_mask)
        scores = self.scores(query, key)
        if seen is not None:                  # as Keras: a row that may look at nothing looks at all
            scores = scores - np.asarray(65504.0 if scores.dtype == np.float16 else 1e9, scores.dtype) * ~seen
        weights = F.dropout(autograd.softmax(scores, dim=-1), self.dropout, self.training)
        found = autograd.matmul(weights, value)
        if shown is not None:
            found = autograd.where(shown[..., None], found, 0)
        return (found, weights) if return_attention_scores else found

    def _three(self, inputs: Any) -> tuple[Any, Any, Any]:
        who = type(self).__name__
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            got = f"{len(inputs)} of them" if isinstance(inputs, (list, tuple)) else type(inputs).__name__
            raise TypeError(f"{who}: expected a list [query, value] or [query, value, key]; got {got}")
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) == 3 else value
        if query.shape[-1] != key.shape[-1] or tuple(key.shape[:-1]) != tuple(value.shape[:-1]):
            raise ShapeError(f"{who}: expected query (N, T, d), value (N, S, v) and key (N, S, d); got "
                             f"{tuple(query.shape)}, {tuple(value.shape)} and {tuple(key.shape)}")
        return query, value, key

    def _masks(self, query: Any, value: Any, mask: Any, causal: bool) -> tuple[Any, Any]:
        """What may be looked at (N or 1, T or 1, S), and which outputs are not 0 (N, T); None for all."""
        who, (length, many) = type(self).__name__, (query.shape[-2], value.shape[-2])
        if mask is not None and (not isinstance(mask, (list, tuple)) or not 2 <= len(mask) <= 3):
            raise TypeError(f"{who}: expected mask [query mask, value mask]; got {type(mask).__name__}")
        shown, kept = (None, None) if mask is None else (
            given if given is None else np.asarray(given.value if isinstance(given, Tensor) else given, bool)
            for given in mask[:2])
        for name, given, wanted in (("query", shown, length), ("value", kept, many)):
            if given is not None and given.shape[-1] != wanted:
                raise ShapeError(f"{who}: expected the {name} mask (N, {wanted}); got shape {given.shape}")
        seen = np.tril(np.ones((1, length, many), bool)) if causal else None
        if kept is not None:
            seen = kept[..., None, :] if seen is None else seen & kept[..., None, :]
        return seen, shown

    def extra_repr(self) -> str:
        return f"use_scale={self.use_scale}, score_mode={self.score_mode!r}, dropout={self.dropout}"


class AdditiveAttention(LazyModuleMixin, Attention):
    """softmax(scores) value, with scores Σ scale tanh(query + key) (Bahdanau et al. 2015).

    attention([query, value, key]), or [query, value].
    Shapes and masks as in `Attention`.  `scale` (d,) is learned, and starts as Glorot's uniform when the first input
    says how wide it is; without use_scale it is 1.  Source: Keras.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0) -> None:
        super().__init__(use_scale, "dot", dropout)
        self.scale = UninitializedParameter() if use_scale else None

    def initialize_parameters(self, inputs: Any, *args: Any, **kwargs: Any) -> None:
        """Take the width of the scale from the query."""
        if self.scale is not None and is_lazy(self.scale):
            width = self._three(inputs)[0].shape[-1]
            self.scale.materialize((width,))                                  # type: ignore[attr-defined]
            init.uniform_(self.scale, -(3 / width) ** 0.5, (3 / width) ** 0.5)

    def scores(self, query: Any, key: Any) -> Any:
        """(N, T, S)"""
        both = autograd.tanh(autograd.unsqueeze(query, -2) + autograd.unsqueeze(key, -3))
        return autograd.sum(both if self.scale is None else both * self.scale, dim=-1)

    def extra_repr(self) -> str:
        return f"use_scale={self.use_scale}, dropout={self.dropout}"
