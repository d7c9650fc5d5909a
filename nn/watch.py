"""What `fit` warns of on the first batch: samples that depend on one another, parameters that nothing reaches."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from autograd import Tensor, no_grad
from autograd.tensor import wrap

from .module import Module

ASK = "print(nn.doctor(model, loss_fn, (x, y))) tells where"


def warn_of_mixed_samples(who: str, run: Module, x: Tensor, output: Any) -> None:
    """The first and the last sample, with the others replaced by them, must give what they gave (evaluation mode)."""
    n = x.value.shape[0] if x.ndim else 0
    if n < 2 or not isinstance(output, Tensor) or not output.ndim or output.shape[0] != n \
            or any(getattr(part, "track_running_stats", True) is False for part in run.modules()):
        return
    with no_grad(), np.errstate(all="ignore"):
        if not np.array_equal(run(x).value, output.value, equal_nan=True):
            return                            # the model draws: nothing can be compared
        for at in (0, n - 1):
            alone = run(wrap(np.repeat(x.value[at:at + 1], n, 0)))
            was, now = output.value[at], alone.value[at]
            scale = float(np.abs(was).max(initial=0)) if np.isfinite(was).all() else np.inf
            if not np.allclose(was, now, rtol=1e-3, atol=1e-3 * scale, equal_nan=True):
                change = float(np.abs(was - now).max())
                warnings.warn(f"{who}: the output of a sample changes by up to {change:.3g} when the other {n - 1} "
                              "samples of the batch are replaced, in evaluation mode: is there a softmax or mean over "
                              f"the batch axis, or a reshape where permute was meant? {ASK}", stacklevel=4)
                return


def warn_of_unreached(who: str, model: Module, optimizer: Any) -> None:
    """Parameters of the optimizer without a gradient after the first backward."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    lost = [path for path, p in model.named_parameters() if p.requires_grad and p.grad is None and id(p) in held]
    if lost:
        names = ", ".join(lost[:4]) + (f" and {len(lost) - 4} more" if len(lost) > 4 else "")
        warnings.warn(f"{who}: no gradient reaches {names} in the first step: never used in forward, or cut off by "
                      f"detach(), .numpy(), .item() or no_grad(). {ASK}", stacklevel=4)


def warn_of_stale(who: str, model: Module, optimizer: Any) -> None:
    """An optimizer that was made before the model was rebuilt."""
    held = {id(p): p for group in optimizer.param_groups for p in group["params"]}
    own = {id(p): path for path, p in model.named_parameters() if p.requires_grad}
    missing = [path for key, path in own.items() if key not in held]
    foreign = [p for key, p in held.items() if key not in own and p.requires_grad]
    if missing and foreign:
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        warnings.warn(f"{who}: {len(foreign)} of the {len(held)} tensors of the {type(optimizer).__name__} are no "
                      f"parameters of the model, and it does not have {names}: it was made before the model was "
                      "rebuilt; call compile again", stacklevel=3)
