"""Negative log-likelihoods as modules: of counts, of normal variables, of sequences, of very many classes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd import ShapeError, as_tensor, cat, gather, log_softmax, where

from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear, count
from .losses import _Loss, _WeightedLoss
from .module import Module


class PoissonNLLLoss(_Loss):
    """e^x - t x for the logarithm x of the rate of counts t; without `log_input`  x - t ln(x + eps)."""

    def __init__(self, log_input: bool = True, full: bool = False, size_average: Any = None, eps: float = 1e-8,
                 reduce: Any = None, reduction: str = "mean") -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Any, target: Any) -> Any:
        return F.poisson_nll_loss(log_input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """(ln v + (x - t)² / v) / 2 for mean x and variance v, which is held above eps."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class CTCLoss(_Loss):
    """-ln of the probability of the labels, summed over all alignments (Graves et al. 2006); see `ctc_loss`."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction,
                          self.zero_infinity)


class LinearCrossEntropyLoss(_WeightedLoss):
    """cross_entropy(linear(x), t): a last layer and its loss in one;  x (N, in_features), t (N,) or (N, *out_features).

    `options`, PyTorch's way to save memory by chunks, are accepted and change nothing.
    """

    def __init__(self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
                 device: Any = None, dtype: Any = None, reduction: str = "mean", weight: Any = None,
                 ignore_index: int | None = None, label_smoothing: float = 0.0, options: Any = None) -> None:
        super().__init__(weight, reduction=reduction)
        if self.weight is not None and self.weight.shape != (num_classes,):
            raise ShapeError(f"LinearCrossEntropyLoss: expected weight of shape {(num_classes,)}; "
                             f"got {self.weight.shape}")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(f"LinearCrossEntropyLoss: label_smoothing must be between 0 and 1; got {label_smoothing}")
        self.num_classes, self.out_features = num_classes, tuple(out_features)
        self.ignore_index, self.label_smoothing, self.options = ignore_index, label_smoothing, options
        self.linear = Linear(in_features, num_classes * prod(self.out_features), bias=bias, dtype=dtype)

    def forward(self, input: Any, target: Any) -> Any:
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape(*shape, self.linear.in_features), target,
            linear_bias=None if bias is None else bias.reshape(*shape), weight=self.weight, reduction=self.reduction,
            ignore_index=self.ignore_index, label_smoothing=self.label_smoothing, options=self.options)

    def extra_repr(self) -> str:
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
                f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
                f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}")


class ASMoutput(NamedTuple):
    """What AdaptiveLogSoftmaxWithLoss gives: the log-probability of each target, and minus their mean."""

    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Softmax over very many classes, the frequent ones first: a head for those, small tails for rare ones.

    cutoffs [c1, c2, ...]: classes 0..c1-1 stand in the head, c1..c2-1 in the first tail, and so on.  A tail k costs a
    projection to  in_features / div_value^(k+1)  numbers, and only the rows whose target lies in it.
    input (N, in_features) or (in_features,), target (N,) or () -> (output (N,) or (), loss ()).  Nats.
    Source: Grave et al. 2017, "Efficient softmax approximation for GPUs".
    """

    def __init__(self, in_features: int, n_classes: int, cutoffs: Sequence[int], div_value: float = 4.0,
                 head_bias: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of length larger than 0")
        if cutoffs != sorted(set(cutoffs)) or cutoffs[0] < 1 or cutoffs[-1] > n_classes - 1 \
                or any(int(c) != c for c in cutoffs):
            raise ValueError("AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive integers "
                             f"sorted in an increasing order, where each value is between 1 and n_classes-1 "
                             f"({n_classes - 1}); got {cutoffs}")
        self.in_features = count("AdaptiveLogSoftmaxWithLoss", "in_features", in_features)
        self.n_classes, self.cutoffs = n_classes, [int(c) for c in cutoffs] + [n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, dtype=dtype)
        self.tail = ModuleList([
            Sequential(Linear(in_features, hidden := int(in_features // div_value ** (i + 1)), bias=False, dtype=dtype),
                       Linear(hidden, self.cutoffs[i + 1] - self.cutoffs[i], bias=False, dtype=dtype))
            for i in range(self.n_clusters)])

    def reset_parameters(self) -> None:
        """Draw the parameters anew."""
        self.head.reset_parameters()
        for cluster in self.tail.children():
            for layer in cluster.children():
                layer.reset_parameters()  # type: ignore[attr-defined]

    def forward(self, input_: Any, target_: Any) -> ASMoutput:
        x, target = as_tensor(input_), np.asarray(as_tensor(target_).value)
        if target.ndim > 1 or x.ndim != target.ndim + 1 or x.shape[:-1] != target.shape:
            raise ShapeError("AdaptiveLogSoftmaxWithLoss: expected input (N, in_features) and target (N,), or "
                             f"(in_features,) and (); got {x.shape} and {target.shape}")
        single = target.ndim == 0
        if single:
            x, target = x.unsqueeze(0), target.reshape(1)
        if target.size and (target.min() < 0 or target.max() >= self.n_classes):
            raise IndexError(f"AdaptiveLogSoftmaxWithLoss: Target values should be in [0, {self.n_classes - 1}], but "
                             f"values in range [{target.min()}, {target.max()}] were found")
        cluster = np.searchsorted(self.cutoffs, target, side="right")        # 0 is the head
        column = np.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        output = gather(log_softmax(self.head(x), dim=1), 1, column[:, None]).squeeze(1)
        order, parts = [np.flatnonzero(cluster == 0)], [output[:0] * 0]
        if order[0].size:
            parts = [output[order[0]]]
        for k in range(self.n_clusters):
            rows = np.flatnonzero(cluster == k + 1)
            if rows.size:
                within = log_softmax(self.tail[k](x[rows]), dim=1)
                own = gather(within, 1, (target[rows] - self.cutoffs[k])[:, None]).squeeze(1)
                parts.append(own + output[rows])
                order.append(rows)
        output = cat(parts, dim=0)[np.argsort(np.concatenate(order), kind="stable")]
        loss = (-output).mean()
        return ASMoutput(output[0] if single else output, loss)

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes:  (N, in_features) -> (N, n_classes)."""
        head = log_softmax(self.head(input), dim=1)
        tails = [log_softmax(self.tail[k](input), dim=1) + head[:, self.shortlist_size + k].unsqueeze(1)
                 for k in range(self.n_clusters)]
        return cat([head[:, :self.shortlist_size], *tails], dim=1)

    def predict(self, input: Any) -> Any:
        """The most likely class of each sample; where the head is sure, the tails are not computed."""
        scores = self.head(input)
        best = scores.argmax(dim=1)
        rare = np.flatnonzero(best.value >= self.shortlist_size)
        if not rare.size:
            return best
        found = np.zeros(len(best), np.int64)
        found[rare] = self.log_prob(input[rare]).argmax(dim=1).value
        return where(best.value >= self.shortlist_size, as_tensor(found), best)
