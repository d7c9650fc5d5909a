"""What `Model.compile(loss=...)` makes of a name, a loss module or a function: the number that training lowers.

Keras's crossentropies are told by `from_logits` whether the outputs are logits or probabilities.  Here the model says
it itself, by what it ends with: after Softmax (or Sigmoid) come probabilities, after LogSoftmax log-probabilities,
anything else is taken for logits, which is the more accurate way.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from autograd import ShapeError, Tensor, clamp, log
from autograd.ops.loss import check_classes

from .. import functional as F
from .spelling import unknown
from .warned import warn

# What targets look like: "labels" integers (N,), "distribution" (N, C), "either" of these, "binary" numbers in 0..1
# of the shape of the outputs, "quantity" numbers of that shape.  What outputs are: "logits", "probabilities",
# "log-probabilities", "" where it does not matter, "?" where the model says it.
Kind = tuple[str, str, Callable[[Any, Any], Any] | None]

LOSSES: dict[str, Kind] = {
    "sparse_categorical_crossentropy": ("labels", "?", None),
    "categorical_crossentropy": ("distribution", "?", None),
    "binary_crossentropy": ("binary", "?", None),
    "cross_entropy": ("either", "logits", F.cross_entropy),
    "nll": ("labels", "log-probabilities", F.nll_loss),
    "bce": ("binary", "probabilities", F.binary_cross_entropy),
    "bce_with_logits": ("binary", "logits", F.binary_cross_entropy_with_logits),
    "mse": ("quantity", "", F.mse_loss),
    "mean_squared_error": ("quantity", "", F.mse_loss),
    "mae": ("quantity", "", F.l1_loss),
    "mean_absolute_error": ("quantity", "", F.l1_loss),
    "l1": ("quantity", "", F.l1_loss),
    "smooth_l1": ("quantity", "", F.smooth_l1_loss),
    "huber": ("quantity", "", F.huber_loss),
}


def _nll_of_probabilities(output: Any, target: Any, reduction: str = "mean") -> Any:
    return F.nll_loss(_log(output), target, reduction=reduction)


def _cross_entropy_of_log_probabilities(output: Any, target: Any, reduction: str = "mean") -> Any:
    each = -(output * target).sum(dim=1)
    return each.mean() if reduction == "mean" else each


def _cross_entropy_of_probabilities(output: Any, target: Any, reduction: str = "mean") -> Any:
    return _cross_entropy_of_log_probabilities(_log(output), target, reduction)


def _log(probabilities: Any) -> Any:
    """Logarithm that stays finite where a softmax has underflowed to 0."""
    return log(clamp(probabilities, min=float(np.finfo(probabilities.dtype).tiny)))


_FORMS: dict[tuple[str, str], Callable[[Any, Any], Any]] = {
    ("labels", "logits"): F.cross_entropy,
    ("labels", "probabilities"): _nll_of_probabilities,
    ("labels", "log-probabilities"): F.nll_loss,
    ("distribution", "logits"): F.cross_entropy,
    ("distribution", "probabilities"): _cross_entropy_of_probabilities,
    ("distribution", "log-probabilities"): _cross_entropy_of_log_probabilities,
    ("binary", "logits"): F.binary_cross_entropy_with_logits,
    ("binary", "probabilities"): F.binary_cross_entropy,
}
_ENDINGS = {"softmax": "probabilities", "sigmoid": "probabilities", "log_softmax": "log-probabilities"}
_PASSED_BY = {"reshape", "permute", "transpose", "getitem", "cast", "clone", "identity"}    # what may follow an ending


def _short(name: str) -> str:
    """One spelling for "MSELoss", "mse_loss" and "mse"."""
    return name.lower().replace("_", "").replace("-", "").removesuffix("loss")


_SHORT = {_short(name): name for name in LOSSES} | {"binarycrossentropywithlogits": "bce_with_logits"}


class Objective:
    """A loss, and what is known of the outputs and targets it takes."""

    __slots__ = ("name", "fn", "targets", "outputs", "ignore_index", "settled")

    fn: Callable[[Any, Any], Any]

    def __init__(self, loss: Any) -> None:
        if isinstance(loss, type):
            loss = loss()
        self.ignore_index = getattr(loss, "ignore_index", -100)
        if isinstance(loss, str):
            if _short(loss) not in _SHORT:
                raise unknown("loss", loss, LOSSES)
            self.name = _SHORT[_short(loss)]
            self.targets, self.outputs, fn = LOSSES[self.name]
            self.settled = fn is not None
            if fn is not None:
                self.fn = fn
            return
        if not callable(loss):
            raise TypeError("compile: loss must be a name such as 'mse', a loss module or a function (output, target) "
                            f"-> number; got {type(loss).__name__}")
        self.name, self.fn, self.settled = getattr(loss, "__name__", type(loss).__name__), loss, True
        self.targets, self.outputs = "custom", ""
        if loss.__module__.partition(".")[0] == __name__.partition(".")[0]:       # one of our own: more is known of it
            self.targets, self.outputs, _ = LOSSES.get(_SHORT.get(_short(self.name), ""), ("custom", "", None))
            self.outputs = self.outputs.replace("?", "probabilities")             # F.binary_cross_entropy

    def settle(self, output: Any, checks: bool = True) -> None:
        """Choose the form of the loss by what the model ends with, or (`checks`) warn where the name says otherwise."""
        ending = _ending(output)
        found = _ENDINGS.get(ending, "logits")
        if not self.settled:
            if ending == "sigmoid" and self.targets != "binary":
                raise ValueError(f"compile: {self.name} takes logits, or probabilities that add up to 1, and the model "
                                 "ends with a sigmoid: leave it out or use Softmax; for several yes-or-no answers use "
                                 "loss='binary_crossentropy'")
            if found == "log-probabilities" and self.targets == "binary":
                raise ValueError("compile: binary_crossentropy takes logits or probabilities, and the model ends with "
                                 "log_softmax: use loss='nll' and integer labels")
            self.outputs, self.fn, self.settled = found, _FORMS[self.targets, found], True
        elif checks and found != "logits" and self.outputs and found != self.outputs:
            other = "binary_crossentropy" if self.targets == "binary" else "sparse_categorical_crossentropy"
            warn(f"loss {self.name} takes {self.outputs}, but the model ends with {ending}, which gives "
                          f"{found}: leave it out, or use loss='{other}', which goes by what the model ends with")

    def wants_floats(self, target: Any) -> bool:
        """Whether targets of this kind are cast to the model's floating-point dtype (labels stay as they are)."""
        if self.targets in ("distribution", "binary", "quantity"):
            return True
        return self.targets != "labels" and target.dtype.kind == "f"

    def check(self, output: Any, target: Any, who: str) -> None:
        """Compare all targets (an array) with the outputs for some of the samples, before anything is learned.

        Raises ShapeError, TypeError, IndexError (labels out of range) or ValueError (no probabilities), with the fix.
        """
        got, expected, targets = target.shape[1:], output.shape[1:], self.targets
        if targets == "either":
            targets = "distribution" if target.ndim == output.ndim and target.dtype.kind == "f" else "labels"
        if targets == "labels" and output.ndim > 1:
            fix = ("use y.reshape(-1)" if got == (*expected[1:], 1) else
                   "if y is one-hot, use loss='categorical_crossentropy', or y.argmax(axis=1)" if got == expected else
                   "")
            if fix:
                raise ShapeError(f"{who}: {self.name} expected integer labels of shape {_all(expected[1:])}; got "
                                 f"{_all(got)}: {fix}")
            check_classes(target, output.shape[1], self.ignore_index, who)
        elif targets == "custom" or got == expected:
            if targets == "binary" and (target.min() < 0 or target.max() > 1):
                at = tuple(int(k) for k in np.argwhere((target < 0) | (target > 1))[0])
                fix = ": from -1 and 1 make (y + 1) / 2" if target.min() == -1 else ""
                raise ValueError(f"{who}: {self.name} expected targets between 0 and 1; got {target[at]} at position "
                                 f"{at[0] if len(at) == 1 else at}{fix}")
        else:
            fix = (": use y.reshape(-1, 1)" if (got, expected) == ((), (1,)) else
                   ": use y.reshape(-1)" if (got, expected) == ((1,), ()) else
                   ": for integer labels use loss='sparse_categorical_crossentropy'"
                   if targets == "distribution" and len(got) == len(expected) - 1 else "")
            raise ShapeError(f"{who}: {self.name} expected targets of the shape of the outputs, {_all(expected)}; got "
                             f"{_all(got)}{fix}")

    def __call__(self, output: Any, target: Any) -> Any:
        """The loss of one batch, checked to be one number."""
        loss = self.fn(output, target)
        if not isinstance(loss, Tensor) or loss.value.size != 1:
            got, fix = (f"shape {loss.shape}", ": reduce it, e.g. loss.mean()") if isinstance(loss, Tensor) else \
                (f"a {type(loss).__name__}", ": compute it from the output with operators on Tensors")
            raise ShapeError(f"the loss must be a Tensor with one element; {self.name} gave {got}{fix}")
        return loss


    def weighted(self, output: Any, target: Any, weight: Any) -> Any:
        """The loss of one batch, each sample (or element) counted so many times:  Σ w l / n,  as in Keras.

        weight  (N,), or with the further axes of the targets.  Divided is by what the mean without weights is divided
        by, so that weights of 1 change nothing.  Raises TypeError for a loss that cannot give each sample's own.
        """
        each = self._each(output, target)
        if not isinstance(each, Tensor) or each.ndim == 0 or each.shape[:1] != output.shape[:1]:
            raise ShapeError(f"sample weights need a loss for each sample; {self.name} with reduction='none' gave "
                             f"{f'shape {each.shape}' if isinstance(each, Tensor) else type(each).__name__}")
        shape = weight.value.shape
        if shape != each.shape[:len(shape)]:
            raise ShapeError(f"sample weights of shape {_all(shape[1:])} do not fit losses of shape "
                             f"{_all(each.shape[1:])}: expected (N,)"
                             + (f" or {_all(each.shape[1:])}" if each.ndim > 1 else ""))
        total = (each * weight.reshape(*shape, *[1] * (each.ndim - len(shape)))).sum()
        if getattr(self.fn, "reduction", "mean") == "sum":
            return total
        return total / self._count(each, output, target)

    def _each(self, output: Any, target: Any) -> Any:
        """The loss of each sample or element."""
        fn = self.fn
        if hasattr(fn, "reduction") and hasattr(fn, "forward"):
            alone = copy(fn)
            alone.reduction = "none"
            return alone(output, target)
        try:
            return fn(output, target, reduction="none")              # type: ignore[call-arg]
        except TypeError as error:
            if "reduction" not in str(error):
                raise
            raise TypeError(f"sample_weight and class_weight need the loss of each sample; {self.name} does not take "
                            "reduction='none': define it as f(output, target, reduction='mean'), or use a loss by "
                            "name") from None

    def _count(self, each: Any, output: Any, target: Any) -> Any:
        """What the mean without weights divides by: elements, but only labels that count, by their class's weight."""
        labels = target.value
        if self.targets not in ("labels", "either") or labels.dtype.kind not in "iu" or labels.shape != each.shape:
            return each.value.size
        counted, classes = labels != self.ignore_index, getattr(self.fn, "weight", None)
        if classes is None:
            return int(counted.sum())
        return float(classes.value[labels[counted]].sum())


def _ending(output: Any) -> str:
    """The name of the op that computed the outputs, past those that only move them about."""
    return ending_of(output.node if isinstance(output, Tensor) else None)


def ending_of(node: Any) -> str:
    """The name of the op that computed a value, past those that only move it about."""
    while node is not None and node.op is not None and node.op.name in _PASSED_BY:
        node = node.parents[0]
    return node.op.name if node is not None and node.op is not None else ""


def _all(shape: tuple[int, ...]) -> str:
    """The shape of all samples together: (N,), (N, 1)."""
    return f"(N, {', '.join(map(str, shape))})" if shape else "(N,)"
